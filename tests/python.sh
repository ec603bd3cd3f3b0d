#!/usr/bin/env bash
# The Python package: its wheel built, installed, and tested on arrays and on the server that the environment points to, with the extension and
# without. Skipped, with a word, where Python cannot make a virtual environment.
#
# RELEASE=1 builds as for a release, checks what would be uploaded, and tests what the archive of sources builds too.
# UPDATE=1 rewrites the outputs of the manual's notebook.

# shellcheck disable=SC2034 # for lib.sh
USES_SERVER=yes
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

python3 -c 'import venv, ensurepip' 2>/dev/null || { say "skipped: python3 here has no venv"; echo "0 passed, 0 failed"; exit; }
python_with python "maturin, numpy, pytest, psycopg, sqlalchemy, django, sklearn" \
    maturin numpy pytest "psycopg[binary]" sqlalchemy django scikit-learn
bin=$(dirname "$PYTHON")
export PATH=$bin:$PATH VIRTUAL_ENV=${bin%/*}
# What runs the notebook is large; without it the notebook is skipped.
more=(nbclient ipykernel ipywidgets)
"$PYTHON" -c 'import nbclient, ipykernel, ipywidgets' 2>/dev/null ||
    run_logged "$LOGS/python-more.log" "installing ${more[*]}" "$PYTHON" -m pip install --quiet "${more[@]}" || true

dist=$ROOT/target/wheel
rm -rf "$dist"
STATUS=0 PASSED=0 FAILED=0

# tested FILE...: what is installed from the one that there is.
tested() {
    local passed failed status=0
    "$PYTHON" -m pip install --quiet --force-reinstall --no-deps "$@" || exit
    (cd "$ROOT/python/tests" && "$PYTHON" -m pytest -q -rs -p no:cacheprovider .) | tee "$LOGS/python-tests.log" || status=$?
    read -r passed failed < <(tail -n 1 "$LOGS/python-tests.log" | awk '{
        for (i = 2; i <= NF; i++) { if ($i ~ /^passed/) p = $(i - 1); if ($i ~ /^(failed|error)/) f += $(i - 1) } print p + 0, f + 0 }')
    PASSED=$((PASSED + passed)) FAILED=$((FAILED + failed))
    [ "$status" = 0 ] || STATUS=$status
}

options=(--profile dev)
if [ -n "${RELEASE:-}" ]; then
    options=(--release)
    CARGO_ENCODED_RUSTFLAGS=$(encoded_flags)
    export CARGO_ENCODED_RUSTFLAGS
fi
"$ROOT/scripts/notices.py" --python >"$ROOT/python/THIRD-PARTY-NOTICES"
run_logged "$LOGS/python-build.log" "building the Python package" \
    maturin build --manifest-path "$ROOT/python/Cargo.toml" "${options[@]}" --out "$dist" || exit
# verdict WHAT COMMAND...: one check.
verdict() {
    local what=$1
    shift
    if "$@"; then PASSED=$((PASSED + 1)); else FAILED=$((FAILED + 1)) STATUS=1; say "FAILED  $what"; fi
}
# holds_notices ARCHIVE: the licence, and those of what is linked.
# shellcheck disable=SC2329 # by verdict
holds_notices() {
    "$PYTHON" - "$1" <<'END'
import sys, tarfile, zipfile
archive = sys.argv[1]
names = zipfile.ZipFile(archive).namelist() if archive.endswith(".whl") else tarfile.open(archive).getnames()
sys.exit(not {"LICENSE", "THIRD-PARTY-NOTICES"} <= {name.rsplit("/", 1)[-1] for name in names})
END
}
verdict "the wheel has the licences of what is in it" holds_notices "$dist"/*.whl
tested "$dist"/*.whl
if [ -n "${RELEASE:-}" ]; then
    run_logged "$LOGS/python-sdist.log" "packing its sources" maturin sdist --manifest-path "$ROOT/python/Cargo.toml" --out "$dist" || exit
    "$PYTHON" -m pip install --quiet twine || exit
    verdict "what would be uploaded is complete" "$PYTHON" -m twine check --strict "$dist"/*
    verdict "the archive of sources has the licences too" holds_notices "$dist"/*.tar.gz
    "$PYTHON" -m zipfile -e "$dist"/*.whl "$dist/unpacked"
    verdict "no folder of its builder is in the wheel" [ -z "$(grep -rlF -e "$ROOT" -e "$HOME/" -e "${CARGO_HOME:-$HOME/.cargo}" "$dist/unpacked")" ]
    tested "$dist"/*.tar.gz
fi
echo "$PASSED passed, $FAILED failed"
exit "$STATUS"
