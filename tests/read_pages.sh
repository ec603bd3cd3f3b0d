#!/usr/bin/env bash
# Every SQL test once more without reading pages directly: all of them print the same, so the same rows are drawn. The server is the one
# that the environment points to.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PGOPTIONS="${PGOPTIONS:-} -c hinted_exemplar.read_pages=off"
failed=0
[ "$(psql -X -A -t -c 'SHOW hinted_exemplar.read_pages')" = off ] || failed=1
results=$("$root/scripts/regress.sh" "$@") || true
echo "$results"
if [[ $results =~ ([0-9]+)\ passed,\ ([0-9]+)\ failed ]]; then
    passed=${BASH_REMATCH[1]} failed=$((failed + BASH_REMATCH[2]))
else
    passed=0 failed=1
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
