#!/usr/bin/env bash
# The Python package: built, and tested on arrays and on the server that the environment points to, with the extension and without.
# Skipped, with a word, where Python cannot make a virtual environment.

# shellcheck disable=SC2034 # for lib.sh
USES_SERVER=yes
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

python3 -c 'import venv, ensurepip' 2>/dev/null || { say "skipped: python3 here has no venv"; echo "0 passed, 0 failed"; exit; }
python_with python "maturin, numpy, pytest, psycopg, sqlalchemy, django, sklearn" \
    maturin numpy pytest "psycopg[binary]" sqlalchemy django scikit-learn
run_logged "$LOGS/python-build.log" "building the Python package" \
    env VIRTUAL_ENV="$(dirname "$(dirname "$PYTHON")")" "$(dirname "$PYTHON")/maturin" develop --manifest-path "$ROOT/python/Cargo.toml" || exit
status=0
"$PYTHON" -m pytest -q -p no:cacheprovider "$ROOT/python/tests" | tee "$LOGS/python-tests.log" || status=$?
read -r passed failed < <(tail -n 1 "$LOGS/python-tests.log" | awk '{
    for (i = 2; i <= NF; i++) { if ($i ~ /^passed/) p = $(i - 1); if ($i ~ /^(failed|error)/) f += $(i - 1) } print p + 0, f + 0 }')
echo "$passed passed, $failed failed"
exit "$status"
