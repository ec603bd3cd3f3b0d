#!/usr/bin/env bash
# The measure of search quality itself, on a small synthetic data set. It needs what make quality has fetched, and fetches nothing.

# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

python=${STATE:-}/quality-venv/bin/python
if ! [ -x "$python" ]; then
    echo "skipped: make quality has not been run here, so there is no NumPy for it"
    finish
    exit
fi
new_database quality
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
export PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1

mkdir -p "$place/data" "$place/benches/quality"
printf '%s\n' before '<!-- quality: written by make quality UPDATE=1 -->' old '<!-- /quality -->' after >"$place/README.md"
"$python" "$ROOT/tests/tools/synthetic_set.py" "$place/data"

measure() { "$python" "$ROOT/benches/quality" "$place/data" "$@"; }
holds() { "$python" -c "import json, sys; r = json.load(open(sys.argv[1])); assert $2, $2" "$1"; }

results=$place/out/results.json
check "every scenario runs" measure "$place/out" --cap 10 --scenario-cap 10 --update "$place/README.md"
check "all are in the results" holds "$results" "sorted(r['scenarios']) == list('bcdefghijklmno') and all(v['synthetic_model'] for v in r['scenarios'].values())"
methods="r['one_exemplar']['synthetic_model']['methods']"
check "an AP is between 0 and 1" holds "$results" "all(0 < m['map'] <= 1 for m in $methods.values())"
check "ours is above text and nearest neighbour" holds "$results" "all($methods['ours']['map'] > $methods[m]['map'] for m in ('text', 'nearest neighbour'))"
check "the neutral text beside the sets is found" holds "$results" "r['one_exemplar']['synthetic_model']['neutral'] == 'generic'"
check "the README's table is rewritten, and nothing else" grep -q '\*\*ours\*\*' "$place/README.md"
check "what is round it is kept" test "$(sed -n '1p;$p' "$place/README.md" | tr '\n' ' ')" = "before after "
check "the figure is written" grep -q '</svg>' "$place/benches/quality/quality.svg"
check "another run has the same numbers" eval 'measure "$place/again" --cap 10 --scenario-cap 10 && cmp "$results" "$place/again/results.json"'
mkdir "$place/empty"
"$python" "$ROOT/benches/quality" "$place/empty" "$place/none" 2>"$place/error" && status=0 || status=$?
check "a directory without data sets is an error" test "$status" = 1
check "which says so" grep -q "^no data set in" "$place/error"
finish
