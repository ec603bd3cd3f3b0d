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

# Uncommitted rows: the own ones are seen, also by a function in the same command's successors; others' are not.
tell "BEGIN"
tell "INSERT INTO items SELECT i, ARRAY[0, 0, 1] FROM generate_series(1, 500) i"
check "the own uncommitted rows are drawn" [ "$(ask "SELECT ($of_rows <=> exemplar_svm(ARRAY['[1,0.2,0]'::vector], (SELECT array_agg(embedding) FROM items))) < 1e-6")" = t ]
check "others' are not" is_true "($of_rows <=> exemplar_svm(ARRAY['[1,0.2,0]'::vector], (SELECT array_agg(embedding) FROM items))) < 1e-6"
check "so the two differ" [ "$(ask "SELECT $of_rows")" != "$(query "SELECT $of_rows")" ]
tell "SAVEPOINT s"
before=$(ask "SELECT $of_rows")
tell "DELETE FROM items WHERE id % 2 = 0"
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
