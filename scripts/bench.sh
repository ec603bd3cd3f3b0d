#!/usr/bin/env bash
# Times the solver beside scikit-learn's LinearSVC and SciPy's L-BFGS, and whole calls in SQL beside what they replace; prints one table and
# draws docs/speed.svg. Needs python3 with venv. Takes about eight minutes and 8 GB of memory.
#
# usage: scripts/bench.sh        (NS="300 1000" DS="128 512" chooses sizes of the solver, RUNS=5 takes fewer runs of what it is compared
#                                 with; SERVER=no leaves the server out)

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

LOAD_BEFORE=$(cut -d' ' -f1 /proc/loadavg)
python_with bench "sklearn, psycopg, maturin" numpy scipy scikit-learn "psycopg[binary]" maturin
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
cd "$ROOT"
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
mkdir "$place/rows" docs 2>/dev/null || true

run_logged "$LOGS/bench-build.log" "building the benchmark" cargo bench -p exemplar-svm --bench solve --no-run
step "the solver"
"$PYTHON" benches/compare.py "$place/rows" "${CARGO_TARGET_DIR:-target}/criterion" cargo bench -p exemplar-svm --bench solve |
    tee "$LOGS/bench-solve" >&2
step "the same from Python"
run_logged "$LOGS/bench-python-build.log" "building the Python package" "$ROOT/scripts/wheel.sh" "$PYTHON"
"$PYTHON" benches/from_python.py | tee "$LOGS/bench-python" >&2
: >"$LOGS/bench-server"
if [ "${SERVER:-yes}" = yes ]; then
    PG_CONFIG='' "$ROOT/scripts/setup.sh"
    benches/server.sh "$PYTHON" | tee "$LOGS/bench-server" >&2
    step "how the cost of a call grows"
    benches/growth.sh | tee "$LOGS/bench-growth" >&2
    step "tables that no cache has"
    benches/cold.sh | tee "$LOGS/bench-cold" >&2
fi
machine="$(grep -m 1 'model name' /proc/cpuinfo | cut -d: -f2- | sed 's/^ //'), $(getconf _NPROCESSORS_ONLN) cores, $(awk '/MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo) GB"
echo "$machine; one thread for each; medians of 21 runs after warm-up in one run of make bench; load before it $LOAD_BEFORE"
echo
"$PYTHON" benches/report.py "$LOGS/bench-solve" "$LOGS/bench-server" docs/speed.svg
echo
cat "$LOGS/bench-python"
if [ "${SERVER:-yes}" = yes ]; then echo && cat "$LOGS/bench-web"; fi
