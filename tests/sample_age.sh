#!/usr/bin/env bash
# hinted_exemplar.sample_max_age: for how long the kept sample is taken although others write, and by whom.

# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

new_database sample_age
query "CREATE EXTENSION hinted_exemplar CASCADE;
       CREATE TABLE items AS SELECT i AS id, ARRAY[sin(i), cos(i * 1.7), sin(i * 0.3)]::vector(3) AS v FROM generate_series(1, 5000) i;
       CREATE TABLE other (i int);
       DROP ROLE IF EXISTS age_reader, age_other;
       CREATE ROLE age_reader; CREATE ROLE age_other; GRANT SELECT ON items TO age_reader, age_other; GRANT ALL ON other TO public"
trap 'query "DROP OWNED BY age_reader, age_other; DROP ROLE age_reader, age_other"' EXIT
call="SELECT vector_dims(hinted_exemplar('items', 'v', exemplar => '[1,0.5,0.2]', sample_size => 500));"

# ways STATEMENTS: for each call in a session how it came by its rows: drew, or took.
ways() {
    PGOPTIONS='-c client_min_messages=debug1' psql -X -q -A -t <<<"$1" 2>&1 | grep -o 'drew\|took\|permission denied' | tr '\n' ' ' | sed 's/ $//'
}
# timely MILLISECONDS STATEMENTS: their ways, again where they took longer: then a sample may have aged while the machine was busy.
timely() {
    local since seen
    for _ in {1..9}; do
        since=${EPOCHREALTIME/[.,]/} seen=$(ways "$2")
        [ $(((${EPOCHREALTIME/[.,]/} - since) / 1000)) -gt "$1" ] || break
    done
    echo "$seen"
}
writes="\\! PGOPTIONS= psql -X -q -c 'INSERT INTO other VALUES (1)' -d $PGDATABASE"
old="SET hinted_exemplar.sample_max_age = '1min';"

check "by default a sample is taken again only until someone writes" [ "$(ways "$call
$call
$writes
$call")" = "drew took drew" ]
check "with an age it is taken although others write" [ "$(ways "$old
$call
$writes
$call
UPDATE items SET v = v WHERE id < 0;
$writes
$call")" = "drew took took" ]
check "until that has passed" [ "$(timely 1900 "SET hinted_exemplar.sample_max_age = '1s';
$call
$writes
$call
SELECT pg_sleep(1.1);
$writes
$call")" = "drew took drew" ]
check "taking it again does not make it younger" [ "$(timely 1500 "SET hinted_exemplar.sample_max_age = '1s';
$call
$writes
SELECT pg_sleep(0.6);
$call
$writes
SELECT pg_sleep(0.6);
$call")" = "drew took drew" ]
check "nor current" [ "$(ways "$old
$call
$writes
$call
SET hinted_exemplar.sample_max_age = 0;
$call")" = "drew took drew" ]
check "another sample is another sample" [ "$(ways "$old
$call
${call/500/400}
$call")" = "drew drew drew" ]
check "only the role that drew it takes it" [ "$(ways "$old
SET ROLE age_reader;
$call
$writes
$call
SET ROLE age_other;
$writes
$call")" = "drew took drew" ]
check "a role that may read no more is refused" [ "$(ways "$old
SET ROLE age_reader;
$call
\\! PGOPTIONS= psql -X -q -c 'REVOKE SELECT ON items FROM age_reader' -d $PGDATABASE
$call")" = "drew permission denied" ]
query "GRANT SELECT ON items TO age_reader"
check "one's own writes are always seen" [ "$(ways "$old
$call
BEGIN;
INSERT INTO items VALUES (0, '[1,1,1]');
$call
ROLLBACK;")" = "drew drew" ]
check "and those of transactions that have ended" [ "$(ways "$old
$call
UPDATE items SET v = v WHERE id = 1;
$call
$writes
$call
BEGIN;
UPDATE items SET v = v WHERE id = 1;
ROLLBACK;
$writes
$call")" = "drew drew took took" ]
query "ALTER TABLE items ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON items USING (id > 10)"
check "row-level security keeps nothing" [ "$(ways "$old
SET ROLE age_reader;
$call
$writes
$call")" = "drew drew" ]
finish
