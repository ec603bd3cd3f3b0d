#!/usr/bin/env bash
# Removes what was built in this clone and what setup.sh made for it; what other clones share (cargo-pgrx, pgvector) stays.

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

lock_clone
"$ROOT/scripts/cluster.sh" stop-all
rm -rf "$CLONE" "$ROOT/target" "$ROOT/python/THIRD-PARTY-NOTICES"
find "$ROOT" -name __pycache__ -prune -exec rm -rf {} +
