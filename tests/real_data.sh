#!/usr/bin/env bash
# The published ordering on real CLIP image embeddings, through SQL, where such data is at hand: folders of .npy files below
# HINTED_EXEMPLAR_DATA, by default ../shared/data.

# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

data=${HINTED_EXEMPLAR_DATA:-$ROOT/../shared/data}
if ! [ -d "$data/sun397_clip_b32" ] || ! command -v python3 >/dev/null; then
    echo "skipped: no data sets in $data, or no python3 to read them"
    finish
    exit
fi
new_database real_data
query "CREATE EXTENSION hinted_exemplar CASCADE"
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

# One exemplar for every class with a hint and at least ten rows; the rows searched are all but the exemplars.
measure() {
    python3 "$ROOT/tests/tools/npy_to_copy.py" "$data/$1" "$place"
    query "DROP TABLE IF EXISTS staged, items, hints, results CASCADE" >/dev/null
    query "CREATE TABLE staged (id int PRIMARY KEY, class int, embedding halfvec); CREATE TABLE hints (class int, hint halfvec)"
    psql -X -q -v ON_ERROR_STOP=1 -c "\\copy staged from '$place/items.bin' with (format binary)" \
        -c "\\copy hints from '$place/hints.bin' with (format binary)"
    query "CREATE TABLE exemplars AS
           SELECT class, (array_agg(id ORDER BY md5(id::text)))[1] AS id FROM staged JOIN hints USING (class)
           GROUP BY class HAVING count(*) >= 10
    ;      CREATE TABLE items AS SELECT id, class, l2_normalize(embedding::vector) AS embedding
           FROM staged WHERE id NOT IN (SELECT id FROM exemplars)"
    query "CREATE TABLE results AS
           WITH vectors AS MATERIALIZED (
               SELECT class, x AS knn, q AS text, hinted_exemplar('items', 'embedding', exemplar => x) AS svm,
                      hinted_exemplar('items', 'embedding', exemplar => x, hint => q) AS hinted
               FROM (SELECT class, embedding::vector AS x, hint::vector AS q
                     FROM exemplars JOIN staged USING (id, class) JOIN hints USING (class)) queries
           )
           SELECT v.class, method,
                  (SELECT average_precision(i.class = v.class ORDER BY i.embedding <#> w, i.id) FROM items i) AS ap
           FROM vectors v
           CROSS JOIN LATERAL (VALUES ('knn', knn), ('svm', svm), ('text', text), ('hinted', hinted)) m (method, w)"
    query "SELECT '$1, ' || method || ': mAP ' || round(avg(ap)::numeric, 4) FROM results GROUP BY method ORDER BY avg(ap)"
    query "DROP TABLE exemplars"
}

map() { echo "(SELECT avg(ap) FROM results WHERE method = '$1')"; }

for set in caltech101_clip_b32 sun397_clip_b32; do
    measure "$set"
    check "$set: the exemplar SVM is no worse than the nearest neighbour" is_true "$(map svm) > 0.97 * $(map knn)"
    check "$set: text is above both" is_true "$(map text) > greatest($(map knn), $(map svm))"
    check "$set: hinted is above text" is_true "$(map hinted) > $(map text)"
    wins="(SELECT avg((h.ap > t.ap)::int) FROM results h JOIN results t USING (class) WHERE h.method = 'hinted' AND t.method = 'text')"
    query "SELECT '$set, hinted beats text on ' || round(100 * $wins) || ' %'"
    check "$set: hinted beats text on at least 65 % of queries" is_true "$wins >= 0.65"
done
finish
