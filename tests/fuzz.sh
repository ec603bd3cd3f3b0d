#!/usr/bin/env bash
# Generated calls: the server lives, nothing internal reaches a message, every vector is of length 1. CALLS is how many, SEED which.

# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

new_database fuzz
python3 -B "$ROOT/tests/robustness/fuzz.py" --calls "${CALLS:-400}" --seed "${SEED:-1}" ${ONLY:+--only "$ONLY"}
