#!/usr/bin/env bash
# Measures search quality through SQL, in a private throwaway cluster, on every data set in a directory. benches/quality/README.md
# tells what is measured and what a data set looks like.
#
# usage: scripts/quality.sh
# DATA=directory (../shared/data), SCENARIOS="a d" (all), OUT=directory for the results (target/quality), CAP=most queries of a set,
# UPDATE=1 writes RESULTS.md and the figure in benches/quality, and the README's table where it has its markers.

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

data=${DATA:-$ROOT/../shared/data}
out=${OUT:-$ROOT/target/quality}
[ -d "$data" ] || die "there is no directory $data: DATA=directory names one with data sets"
data=$(cd "$data" && pwd -P)

"$ROOT/scripts/setup.sh"
lock_clone
load_environment
python_with quality "numpy, qdrant_client, sklearn" numpy qdrant-client scikit-learn
run_logged "$LOGS/build.log" "building the extension for PostgreSQL $PG_MAJOR" install_extension ||
    die "the build failed"

trap '"$ROOT/scripts/cluster.sh" stop quality' EXIT
"$ROOT/scripts/cluster.sh" start quality
reach=$("$ROOT/scripts/cluster.sh" env quality)
eval "$reach"

options=()
[ -z "${SCENARIOS:-}" ] || options+=(--scenarios "$SCENARIOS")
[ -z "${CAP:-}" ] || options+=(--cap "$CAP" --scenario-cap "$CAP")
[ -z "${UPDATE:-}" ] || options+=(--update "$ROOT/README.md")
cd "$ROOT"
PGOPTIONS='-c client_min_messages=warning' OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1 \
    "$PYTHON" "$ROOT/benches/quality" "$data" "$out" "${options[@]}"
say "The results are in $out"
