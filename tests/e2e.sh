#!/usr/bin/env bash
# The user's story on the demo's data: load, index, search by example and words, and be better off.

# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

new_database e2e
for file in schema load; do
    psql -X -q -v ON_ERROR_STOP=1 -v data="$ROOT/demo/data" -f "$ROOT/demo/$file.sql" >/dev/null
done
query "CREATE INDEX ON packages USING hnsw (embedding vector_ip_ops)" >/dev/null
query "ANALYZE packages"

# Two exemplars of each category, all packages ranked. Each has negatives of its own: one sample for all is luck.
query "CREATE TABLE results AS
WITH drawn AS (
    SELECT tag_id, package_id AS exemplar
    FROM (SELECT tag_id, package_id, row_number() OVER (PARTITION BY tag_id ORDER BY md5(name), name) AS draw
          FROM package_tags JOIN packages ON packages.id = package_id) draws
    WHERE draw <= 2
), vectors AS MATERIALIZED (
    SELECT d.tag_id, d.exemplar, p.embedding AS knn, t.hint::vector AS text,
           hinted_exemplar('packages', 'embedding', exemplar => p.embedding, seed => d.tag_id) AS svm,
           hinted_exemplar('packages', 'embedding', exemplar => p.embedding, hint => t.hint, seed => d.tag_id) AS hinted
    FROM drawn d JOIN packages p ON p.id = d.exemplar JOIN tags t ON t.id = d.tag_id
)
SELECT v.tag_id, method,
       (SELECT average_precision(r.package_id IS NOT NULL ORDER BY p.embedding <#> w, p.id)
        FROM packages p LEFT JOIN package_tags r ON r.tag_id = v.tag_id AND r.package_id = p.id
        WHERE p.id <> v.exemplar) AS ap
FROM vectors v
CROSS JOIN LATERAL (VALUES ('knn', v.knn), ('svm', v.svm), ('text', v.text), ('hinted', v.hinted)) m (method, w)" >/dev/null
query "SELECT method || ': mAP ' || round(avg(ap)::numeric, 3) FROM results GROUP BY method ORDER BY avg(ap)"

map() { echo "(SELECT avg(ap) FROM results WHERE method = '$1')"; }
for other in knn svm text; do
    check "hinted beats $other on mAP" is_true "$(map hinted) > $(map "$other")"
done

example="exemplar => (SELECT embedding FROM packages WHERE name = 'mixxx'), hint => (SELECT hint::vector FROM tags WHERE words = 'sound mixing')"
fit="hinted_exemplar('packages', 'embedding', $example)"
search="SELECT name FROM packages ORDER BY embedding <#> $fit LIMIT 10"
plan=$(query "EXPLAIN $search")
check "the HNSW index is scanned" grep -q 'Index Scan using packages_embedding_idx' <<<"$plan"
check "the fit is a sub-plan that runs once" grep -q 'InitPlan' <<<"$plan"
check "the scan returns ten rows" [ "$(query "$search" | wc -l)" = 10 ]

# How often the server fits, by the message it sends for each fit; tests/planner.sh counts them in every kind of query.
fits() { PGOPTIONS='-c client_min_messages=debug1' psql -X -q -v ON_ERROR_STOP=1 -c "$1" 2>&1 | grep -c 'fitted an exemplar SVM' || true; }
check "a search fits once" [ "$(fits "$search")" = 1 ]
check "and so it does without an index" [ "$(fits "SET enable_indexscan = off; $search")" = 1 ]
by_hand="SELECT name FROM packages ORDER BY embedding <#> (SELECT $fit) LIMIT 10"
check "a sub-select written by hand fits once" [ "$(fits "$by_hand")" = 1 ]
check "and finds the same rows" [ "$(query "$by_hand")" = "$(query "$search")" ]
check "a loop that changes the table fits anew" [ "$(fits "
    DO \$\$ DECLARE w vector; before vector; BEGIN
        FOR i IN 1..3 LOOP
            w := hinted_exemplar('packages', 'embedding', exemplar => array_fill(1, ARRAY[384])::vector, sample_size => 9000);
            IF w = before THEN RAISE 'a stale answer'; END IF;
            before := w;
            INSERT INTO packages SELECT id + 100000 * i, name || '#' || i, description, embedding FROM packages WHERE id % 10 = i AND id < 100000;
        END LOOP;
        RAISE EXCEPTION 'undo';
    END \$\$")" = 3 ]
check "the same call gives the same bytes" is_true "vector_send($fit) = vector_send($fit)"
first=$(query "SELECT md5(vector_send($fit))")
check "and so it does in another session" [ "$first" = "$(query "SELECT md5(vector_send($fit))")" ]

# Hours of fits are stopped, in the middle of one.
hours="hinted_exemplar('packages', 'embedding', $example, sample_size => 8000, seed => s)"
state=$(psql -X -q -v VERBOSITY=sqlstate -c "SET statement_timeout = 100" -c "SELECT count($hours) FROM generate_series(1, 1000000) s" 2>&1 || true)
check "statement_timeout stops a fit" grep -q '57014' <<<"$state"
check "without a Rust panic or a back trace" [ "$(grep -ciE 'panick|backtrace|\.rs:' <<<"$state")" = 0 ]

query "CREATE ROLE e2e_owner" 2>/dev/null || true
query "DROP EXTENSION hinted_exemplar"
check "nothing is left after DROP EXTENSION" is_true "NOT EXISTS (SELECT FROM pg_proc WHERE proname ~ 'exemplar|average_precision')"
query "GRANT CREATE ON DATABASE e2e TO e2e_owner; GRANT CREATE ON SCHEMA public TO e2e_owner"
check "a database's owner may create it" query "SET ROLE e2e_owner; CREATE EXTENSION hinted_exemplar"
query "DROP EXTENSION hinted_exemplar; DROP OWNED BY e2e_owner; DROP ROLE e2e_owner"
finish
