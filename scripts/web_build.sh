#!/usr/bin/env bash
# Builds hinted-exemplar-web, or with --where prints where it is then.

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$ROOT/crates/hinted-exemplar-web"
[ "${1:-}" = --where ] || cargo build
echo "$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/debug/hinted-exemplar-web"
