#!/usr/bin/env bash
# The clients that users have, each with the blocks that docs/how-to/clients.md shows: psycopg 3, asyncpg, SQLAlchemy, Django, node-postgres,
# JDBC, a REST layer's way of calling, and PgBouncer in transaction mode. One that is not here and cannot be had is skipped, with a word.

# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if ! command -v python3 >/dev/null; then
    echo "skipped clients: python3 compares the manual with what is run"
    echo "0 passed, 0 failed, 1 skipped"
    exit
fi

here=$ROOT/tests/clients
cache=${STATE:-${HINTED_EXEMPLAR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hinted_exemplar}}
place=$(mktemp -d /tmp/hinted_exemplar.XXXXXX)
pooler=
SKIPPED=0
clean_up() {
    [ -z "$pooler" ] || kill "$pooler" 2>/dev/null || true
    [ -z "$pooler" ] || wait "$pooler" 2>/dev/null || true
    rm -rf "$place"
}
trap clean_up EXIT

skip() {
    SKIPPED=$((SKIPPED + 1))
    echo "skipped $1"
}

# run NAME COMMAND...: its own checks are counted here.
run() {
    local name=$1 line
    shift
    if ! command -v "$1" >/dev/null; then skip "$name: no $1 here"; return; fi
    if timeout 120 "$@" >"$place/out" 2>&1; then :; else echo "$name ended with status $?" >>"$place/out"; fi
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$place/out" | tail -n 1 || true)
    grep -v -x -F -- "$line" "$place/out" || true
    if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+) ]] && ! grep -q '^[^ ]* ended with status' "$place/out"; then
        PASSED=$((PASSED + BASH_REMATCH[1])) FAILED=$((FAILED + BASH_REMATCH[2]))
    else
        FAILED=$((FAILED + 1))
        echo "FAILED  $name"
    fi
}

# The manual shows what is run: each block of a language, line by line, in this order, in one of the clients.
check "docs/how-to/clients.md shows what is run" python3 "$here/shown.py" "$ROOT/docs/how-to/clients.md" "$here"

new_database clients
unset PGOPTIONS
query "CREATE EXTENSION hinted_exemplar CASCADE;
       CREATE TABLE images (id bigint PRIMARY KEY, path text, embedding vector(4));
       INSERT INTO images SELECT i, 'image' || i || '.jpg', l2_normalize(('[' || cos(i) || ',' || sin(i * 3) || ',' || cos(i * 7) || ',0.5]')::vector)
       FROM generate_series(1, 200) i;
       CREATE INDEX ON images USING hnsw (embedding vector_ip_ops)" >/dev/null
search="SELECT id, path FROM images ORDER BY embedding <#> (SELECT hinted_exemplar('images', 'embedding',
        exemplar => (SELECT embedding FROM images WHERE id = 7), hint => '[0.7, 0.6, 0.1, 0.1]')) LIMIT 5"
paths=$(query "SELECT string_agg(path, ',') FROM ($search) s")
EXPECTED=$(query "SELECT json_agg(json_build_array(id, path)) FROM ($search) s")
export EXPECTED
check "psql" [ "$(query "$search" | head -n 1)" = "7|image7.jpg" ]
check "psql's list of functions can be read" [ "$(psql -X -d clients -c '\df+ hinted_exemplar' | awk '{ if (length > n) n = length } END { print n < 2000 }')" = 1 ]

# ---- a REST layer: a role without rights of its own, arguments in JSON

sed -n '/^-- \[docs$/,/^-- docs\]$/p' "$here/rest.sql" >"$place/rest.sql"
check "a function for web users" psql -X -q -v ON_ERROR_STOP=1 -d clients -f "$place/rest.sql"
rest() {
    query "BEGIN READ ONLY; SET LOCAL ROLE web_user;
           WITH source AS (SELECT call.* FROM json_to_record('$1') AS body(like_id bigint, words public.vector),
                           LATERAL api.search(like_id := body.like_id, words := body.words) call)
           SELECT coalesce(json_agg(json_build_array(t.id, t.path)), '[]') FROM source t; COMMIT"
}
check "answers JSON with JSON" [ "$(rest '{"like_id": 7, "words": [0.7, 0.6, 0.1, 0.1]}')" = "$EXPECTED" ]
check "and no more than it should" [ "$(rest '{"like_id": 7, "words": [0.7, 0.6, 0.1, 0.1], "many": 1000000}' | grep -o jpg | wc -l)" -le 100 ]
query "DROP FUNCTION api.search; DROP SCHEMA api; DROP ROLE web_user" >/dev/null

# ---- Python

python=$cache/clients-venv/bin/python
packages=(psycopg asyncpg sqlalchemy django pgvector numpy)
has_packages() { "$python" -c 'import psycopg, asyncpg, sqlalchemy, django, pgvector, numpy' 2>/dev/null; }
has_packages || { python3 -m venv "$cache/clients-venv" && "$cache/clients-venv/bin/pip" install -q "psycopg[binary]" "${packages[@]}"; } >"$place/pip" 2>&1 || true
if has_packages; then
    for client in psycopg3 asyncpg_ sqlalchemy2 django5; do run "$client" "$python" "$here/$client.py"; done
else
    skip "the clients in Python: ${packages[*]} could not be had"
fi

# ---- JavaScript

if command -v node >/dev/null && command -v npm >/dev/null; then
    [ -d "$cache/clients-node/node_modules/pg" ] || npm install --silent --no-audit --no-fund --prefix "$cache/clients-node" pg >"$place/npm" 2>&1 || true
fi
if [ -d "$cache/clients-node/node_modules/pg" ]; then
    cp "$here/node_postgres.mjs" "$place/"
    ln -s "$cache/clients-node/node_modules" "$place/node_modules"
    run node_postgres node "$place/node_postgres.mjs"
else
    skip "node-postgres: node, npm or the package pg could not be had"
fi

# ---- PgBouncer, which also gives JDBC a port to speak to: this server has only a socket

start_pooler() {
    local port=6432 user
    cat >"$place/pool.ini" <<END_OF_CONFIGURATION
[databases]
clients = host=$PGHOST port=$PGPORT user=postgres pool_size=2
; Statements that JDBC prepares on the server do not outlive a transaction here.
session = host=$PGHOST port=$PGPORT user=postgres dbname=clients pool_mode=session
[pgbouncer]
unix_socket_dir = $place/pool
listen_addr = 127.0.0.1
listen_port = $port
auth_type = any
auth_file = $place/users
pool_mode = transaction
ignore_startup_parameters = extra_float_digits,options
logfile = $place/pool/log
END_OF_CONFIGURATION
    echo '"postgres" ""' >"$place/users"
    mkdir "$place/pool"
    chmod -R a+rX "$place"
    # Like Postgres it refuses to run as root; the server's socket is open to its own user alone.
    if [ "$(id -u)" = 0 ]; then
        user=$(stat -c %U "$PGHOST")
        chown "$user" "$place/pool"
        (cd / && exec runuser -u "$user" -- pgbouncer -q "$place/pool.ini") >"$place/pooler" 2>&1 &
    else
        pgbouncer -q "$place/pool.ini" >"$place/pooler" 2>&1 &
    fi
    pooler=$!
    for _ in {1..50}; do
        [ -S "$place/pool/.s.PGSQL.$port" ] && return
        sleep 0.1
    done
    cat "$place/pooler" "$place/pool/log" 2>/dev/null
    return 1
}

PATH=$PATH:/usr/sbin:/sbin
if ! command -v pgbouncer >/dev/null; then
    skip "PgBouncer: no pgbouncer here (JDBC goes through it, since it needs a port)"
else
    check "PgBouncer starts" start_pooler
    export POOL=$place/pool
    if has_packages; then run pooled "$python" "$here/pooled.py"; fi
    driver=/usr/share/java/postgresql.jar
    if command -v javac >/dev/null && [ -e "$driver" ]; then
        mkdir "$place/java"
        check "the Java client compiles" javac -d "$place/java" -cp "$driver" "$here/Jdbc.java"
        run jdbc java -cp "$place/java:$driver" Jdbc "jdbc:postgresql://127.0.0.1:6432/session" "$paths"
    else
        skip "JDBC: no javac, or no $driver (Debian's libpostgresql-jdbc-java)"
    fi
fi

echo "$PASSED passed, $FAILED failed, $SKIPPED skipped"
[ "$FAILED" = 0 ]
