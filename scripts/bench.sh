#!/usr/bin/env bash
# Times the fit beside scikit-learn's LinearSVC on the same rows, and sampling beside a TID scan by hand; prints two tables.
# The first needs python3 with venv, and no Postgres.

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

command -v python3 >/dev/null || die "python3 is needed for what this compares with"
venv=$STATE/bench-venv
if ! "$venv/bin/python" -c 'import sklearn' 2>/dev/null; then
    run_logged "$LOGS/bench-venv.log" "installing scikit-learn for comparison" \
        bash -c 'python3 -m venv "$1" && "$1/bin/pip" install --quiet numpy scikit-learn' - "$venv" || die "pip failed"
fi
cd "$ROOT"
run_logged "$LOGS/bench-build.log" "building the benchmark" cargo build --release --no-default-features --bench solve
program=$(find "${CARGO_TARGET_DIR:-target}/release/deps" -name 'solve-*' -type f -perm -u+x -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2-)
say "$(grep -m 1 'model name' /proc/cpuinfo | cut -d: -f2- | sed 's/^ //'), one core; medians of 21 runs after one more; lambda 1"
OMP_NUM_THREADS=1 "$venv/bin/python" "$ROOT/benches/compare.py" "$program"
say "medians of 21 samples of 1000 rows after as many more, all cached by Postgres"
exec "$ROOT/benches/sampling.sh"
