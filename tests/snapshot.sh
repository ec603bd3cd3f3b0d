#!/usr/bin/env bash
# What a call sees: its own transaction's rows and no one else's; the same bits while others insert, and after VACUUM.
# ROWS is how many rows the other session inserts.

# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ROWS=${ROWS:-100000}
new_database snapshot
query "CREATE EXTENSION hinted_exemplar CASCADE;
       CREATE TABLE items (id int, embedding vector(3)) WITH (autovacuum_enabled = off);
       INSERT INTO items SELECT i, ARRAY[i % 7, i % 11, i % 13 + 1] FROM generate_series(1, 10000) i;
       CREATE TABLE parted (id int, embedding vector(3)) PARTITION BY HASH (id);
       CREATE TABLE part0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
       CREATE TABLE part1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
       INSERT INTO parted SELECT * FROM items;" >/dev/null

# A session that is told what to run, and answers line by line.
coproc SESSION { psql -X -q -A -t -v ON_ERROR_STOP=1 2>&1; }
ask() {
    local line
    echo "$1;" >&"${SESSION[1]}"
    IFS= read -r line <&"${SESSION[0]}"
    echo "$line"
}
tell() { ask "$1; SELECT 'done'" >/dev/null; }

fit() { echo "md5(vector_send(hinted_exemplar('$1', 'embedding', exemplar => '[1,0.2,0]', hint => '[1,0,1]')))"; }
of_rows="hinted_exemplar('items', 'embedding', exemplar => '[1,0.2,0]', sample_size => 1000000)"
few="hinted_exemplar('items', 'embedding', exemplar => '[1,0.2,0]', sample_size => 100, seed => 5)"

tell "BEGIN ISOLATION LEVEL REPEATABLE READ"
before="$(ask "SELECT $(fit items)") $(ask "SELECT $(fit parted)") $(ask "SELECT $few")"
committed=$(query "SELECT $(fit items)")
check "REPEATABLE READ: the same bits as another session's" [ "${before%% *}" = "$committed" ]
query "INSERT INTO items SELECT i, ARRAY[i % 5, -1, i % 3] FROM generate_series(1, $ROWS) i;
       INSERT INTO parted SELECT i, ARRAY[i % 5, -1, i % 3] FROM generate_series(1, $ROWS) i"
after="$(ask "SELECT $(fit items)") $(ask "SELECT $(fit parted)") $(ask "SELECT $few")"
check "and again, after another session has inserted $ROWS rows" [ "$before" = "$after" ]
query "ANALYZE items, parted" >/dev/null
after="$(ask "SELECT $(fit items)") $(ask "SELECT $(fit parted)") $(ask "SELECT $few")"
check "and after it has analysed them" [ "$before" = "$after" ]
tell "COMMIT"
check "a new transaction sees the new rows" [ "$(ask "SELECT $(fit items)")" != "${before%% *}" ]

query "DELETE FROM items WHERE id % 3 = 0" >/dev/null
before=$(query "SELECT $(fit items)")
check "READ COMMITTED: the same bits on unchanged data" [ "$(query "SELECT $(fit items)")" = "$before" ]
query "VACUUM items" >/dev/null
check "and after VACUUM, which moves no row" [ "$(query "SELECT $(fit items)")" = "$before" ]
query "VACUUM (FREEZE, ANALYZE) items" >/dev/null
check "and after VACUUM (FREEZE, ANALYZE)" [ "$(query "SELECT $(fit items)")" = "$before" ]
query "TRUNCATE items; INSERT INTO items SELECT i, ARRAY[1, i % 11, 0] FROM generate_series(1, 500) i" >/dev/null

# A sample that is drawn again is taken from the call before, unless anything may have changed.
query "CREATE TABLE kept AS SELECT i AS id, ARRAY[i % 97, i % 89, i % 83 + 1]::vector(3) AS embedding FROM generate_series(1, 20000) i" >/dev/null
kept="SELECT $(fit kept)"
# taken STATEMENT...: how many of the fits of one session took a sample that was there, and how many answers there were.
taken() {
    local statement arguments=()
    for statement; do arguments+=(-c "$statement"); done
    PGOPTIONS='-c client_min_messages=debug1' psql -X -q -A -t -v ON_ERROR_STOP=1 "${arguments[@]}" 2>&1 |
        awk '/rows that were drawn before/ { taken++ } length($0) == 32 && !seen[$0]++ { answers++ } END { print taken + 0, answers + 0 }'
}
in_between() { echo "\\! psql -X -q -c \"$1\""; }
check "a second call takes the sample of the first, to the same answer" [ "$(taken "$kept" "$kept")" = "1 1" ]
check "so does one with other texts" [ "$(taken "$kept" "SELECT md5(hinted_exemplar('kept', 'embedding', exemplar => '[1,0.1,0]')::text)")" = "1 2" ]
check "not one with another seed or size" [ "$(taken "$kept" "SELECT hinted_exemplar('kept', 'embedding', exemplar => '[1,0.2,0]', seed => 1)" "SELECT hinted_exemplar('kept', 'embedding', exemplar => '[1,0.2,0]', sample_size => 10)")" = "0 1" ]
check "not after another session has written" [ "$(taken "$kept" "$(in_between "UPDATE kept SET embedding = embedding WHERE id = 1")" "$kept")" = "0 1" ]
check "not in a transaction that has written" [ "$(taken "$kept" "BEGIN" "DELETE FROM kept WHERE id % 2 = 0" "$kept" "ROLLBACK" "$kept" "$kept")" = "1 2" ]
check "not after the table has another file" [ "$(taken "$kept" "$(in_between "CREATE TABLE other AS TABLE kept; TRUNCATE kept; INSERT INTO kept TABLE other")" "$kept" | cut -d' ' -f1)" = 0 ]
check "not in a serializable transaction, which must be seen to read" [ "$(taken "$kept" "BEGIN ISOLATION LEVEL SERIALIZABLE" "$kept" "COMMIT")" = "0 1" ]
check "not where an example is one of the rows" [ "$(taken "$kept" "SELECT hinted_exemplar('kept', 'embedding', exemplars => (SELECT array_agg(embedding) FROM kept WHERE id % 5 = 0))")" = "0 1" ]
check "not where the caller may not read" [ "$(taken "CREATE ROLE stranger" "$kept" "SET ROLE stranger" "$kept" | cut -d' ' -f1)" = 0 ]
query "DROP ROLE stranger" >/dev/null
large="SELECT md5(hinted_exemplar('kept', 'embedding', exemplar => '[1,0.2,0]', sample_size => 8000)::text)"
check "not where the rows are more than work_mem" [ "$(taken "SET work_mem = '64kB'" "$large" "$large") $(taken "$large" "$large")" = "0 1 1 1" ]

# Values that are stored out of line: a snapshot sees those it always saw after another session has moved or replaced them.
query "CREATE TABLE wide AS SELECT i AS id, (SELECT array_agg((i * 37 + k * (k % 50) * 11 + i * k) % 97 - 48)::vector(600) FROM generate_series(1, 600) k) AS embedding
           FROM generate_series(1, 1000) i;
       CREATE INDEX by_chance ON wide (md5(id::text))" >/dev/null
wide="hinted_exemplar('wide', 'embedding', exemplar => array_fill(1, ARRAY[600])::vector, sample_size => 1000)"
of_query="exemplar_svm(ARRAY[array_fill(1, ARRAY[600])::vector], (SELECT array_agg(embedding) FROM wide))"
tell "BEGIN ISOLATION LEVEL REPEATABLE READ"
ask "SELECT count(*) FROM items" >/dev/null
query "CLUSTER wide USING by_chance"
check "wide rows that were moved since are drawn" [ "$(ask "SELECT $wide <=> $of_query < 1e-6")" = t ]
before=$(ask "SELECT md5(($wide)::text)")
query "UPDATE wide SET embedding = embedding + array_fill(id, ARRAY[600])::vector WHERE id % 2 = 0"
query "DELETE FROM wide WHERE id % 5 = 0"
query "VACUUM wide"
check "and after others were replaced and deleted" [ "$(ask "SELECT md5(($wide)::text)")" = "$before" ]
tell "COMMIT"
check "a new transaction sees what replaced them" is_true "$wide <=> $of_query < 1e-6"

# Uncommitted rows: the own ones are seen, also by a function in the same command's successors; others' are not.
tell "BEGIN"
tell "INSERT INTO items SELECT i, ARRAY[0, 0, 1] FROM generate_series(1, 500) i"
check "the own uncommitted rows are drawn" [ "$(ask "SELECT ($of_rows <=> exemplar_svm(ARRAY['[1,0.2,0]'::vector], (SELECT array_agg(embedding) FROM items))) < 1e-6")" = t ]
check "others' are not" is_true "($of_rows <=> exemplar_svm(ARRAY['[1,0.2,0]'::vector], (SELECT array_agg(embedding) FROM items))) < 1e-6"
check "so the two differ" [ "$(ask "SELECT $of_rows")" != "$(query "SELECT $of_rows")" ]
tell "SAVEPOINT s"
before=$(ask "SELECT $of_rows")
tell "DELETE FROM items WHERE embedding = '[0,0,1]'"
check "what the own transaction deleted is not drawn" [ "$(ask "SELECT $of_rows")" != "$before" ]
tell "ROLLBACK TO s"
check "and after a rollback to a savepoint is again" [ "$(ask "SELECT $of_rows")" = "$before" ]
tell "ROLLBACK"

# SERIALIZABLE: rows that were drawn count as read. Two transactions that each read all and write do not both commit.
tell "BEGIN ISOLATION LEVEL SERIALIZABLE"
ask "SELECT $of_rows" >/dev/null
locks=$(ask "SELECT count(*) > 0 FROM pg_locks WHERE mode = 'SIReadLock' AND relation = 'items'::regclass AND pid = pg_backend_pid()")
check "SERIALIZABLE takes predicate locks on what is drawn" [ "$locks" = t ]
query "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT count($of_rows); UPDATE items SET embedding = '[1,1,1]' WHERE id = 1; COMMIT" >/dev/null
echo "UPDATE items SET embedding = '[2,1,1]' WHERE id = 2; COMMIT; SELECT 'committed';" >&"${SESSION[1]}"
IFS= read -r line <&"${SESSION[0]}"
check "so that write skew is found" grep -q 'could not serialize' <<<"$line"
finish
