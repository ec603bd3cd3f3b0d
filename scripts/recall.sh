#!/usr/bin/env bash
# Measures how many of the true neighbours an index finds, plain and by hinted_exemplar_search, on real embeddings; prints tables and
# leaves them, with all figures as JSON, in target/recall. Needs python3 with venv.
#
# usage: scripts/recall.sh [FOLDER[+FOLDER...]]...    (by default the CLIP sets joined, of HINTED_EXEMPLAR_DATA,
# which is ../shared/data unless it says otherwise; QUERIES=200 is a fifth of the work, SIZES=0 leaves out the tables made larger by
# noise, INDEXES="hnsw,ivfflat" and KINDS="text alone;stored w" are some of them, DIMENSIONS=128 projects the rows). pgvectorscale's and
# VectorChord's indexes are measured too where these are installed. It fails where hinted_exemplar_search leaves a query empty-handed.

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

command -v python3 >/dev/null || die "python3 is needed to measure"
data=${HINTED_EXEMPLAR_DATA:-$ROOT/../shared/data}
if [ $# = 0 ]; then
    clip=$data/caltech101_clip_b32+$data/sun397_clip_b32+$data/pets37_clip_b32_weakhint
    set -- "$clip"
fi
for folders; do
    IFS=+ read -r -a each <<<"$folders"
    for folder in "${each[@]}"; do
        [ -r "$folder/items.npy" ] || die "there is no data set in $folder"
    done
done
"$ROOT/scripts/install.sh" private
python_with recall "numpy, psycopg" numpy "psycopg[binary]"
lock_clone
load_environment
trap '"$ROOT/scripts/cluster.sh" stop recall' EXIT
"$ROOT/scripts/cluster.sh" start recall
reach=$("$ROOT/scripts/cluster.sh" env recall)
eval "$reach"
OMP_NUM_THREADS=1 "$PYTHON" "$ROOT/benches/recall/recall.py" \
    "${CARGO_TARGET_DIR:-$ROOT/target}/recall" --queries "${QUERIES:-1000}" --sizes "${SIZES:-0,200000}" --indexes "${INDEXES:-}" \
    --kinds "${KINDS:-}" ${DIMENSIONS:+--dimensions "$DIMENSIONS"} "$@"
