#!/usr/bin/env bash
# The clients that users have, each with the blocks that docs/how-to/clients.md shows: psycopg 3, asyncpg, SQLAlchemy, Django, node-postgres,
# JDBC, tokio-postgres, a REST layer's way of calling, and PgBouncer in transaction mode. One that is not here and cannot be had is skipped,
# with a word. What each says to a newcomer's first mistake is compared with the manual.

# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if ! command -v python3 >/dev/null; then
    echo "skipped clients: python3 compares the manual with what is run"
    echo "0 passed, 0 failed, 1 skipped"
    exit
fi

here=$ROOT/tests/clients
cache=$(USES_SERVER=yes && . "$ROOT/scripts/lib.sh" && echo "$STATE")
place=$(mktemp -d /tmp/hinted_exemplar.XXXXXX)
poolers=()
SKIPPED=0
clean_up() {
    if [ ${#poolers[@]} -gt 0 ]; then
        kill "${poolers[@]}" 2>/dev/null || true
        wait "${poolers[@]}" 2>/dev/null || true
    fi
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
    if timeout 300 "$@" >"$place/out" 2>&1; then :; else echo "$name ended with status $?" >>"$place/out"; fi
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$place/out" | tail -n 1 || true)
    grep '^first error' "$place/out" >>"$place/first_errors" || true
    grep -v -e '^first error' -e '^[0-9]* passed, [0-9]* failed$' "$place/out" || true
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
check "and fits a screen, wrapped" [ "$(psql -X -q -d clients -c '\pset format wrapped' -c '\pset columns 120' -c '\df hinted_exemplar*' |
    awk '{ if (length > n) n = length } END { print n <= 121 }')" = 1 ]
# first_error CLIENT SQL: what Postgres answers.
first_error() {
    printf 'first error\t%s\t%s\n' "$1" "$(psql -X -q -d clients -c "$2" 2>&1 >/dev/null | sed -n 's/^ERROR:  //p')" >>"$place/first_errors"
}
first_error psql "SELECT hinted_exemplar('images', 'embedding', hint => '0.7, 0.6, 0.1, 0.1')"

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
query "CREATE ROLE web_stranger; GRANT USAGE ON SCHEMA api TO web_stranger" >/dev/null
first_error "a REST layer" "SET ROLE web_stranger; SELECT * FROM api.search(7, '[0.7, 0.6, 0.1, 0.1]')"
query "DROP FUNCTION api.search; DROP SCHEMA api; DROP ROLE web_user, web_stranger" >/dev/null

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

# Frameworks bring hundreds of megabytes, so they have an environment of their own.
python_rag=$cache/rag-venv/bin/python
rag=(langchain-postgres llama-index-vector-stores-postgres)
has_rag() { "$python_rag" -c 'import psycopg, langchain_postgres, llama_index.vector_stores.postgres' 2>/dev/null; }
has_rag || { python3 -m venv "$cache/rag-venv" && "$cache/rag-venv/bin/pip" install -q "psycopg[binary]" "${rag[@]}"; } >"$place/pip" 2>&1 || true
if has_rag; then
    for client in langchain_ llama_index_; do run "$client" "$python_rag" "$here/$client.py"; done
else
    skip "LangChain and LlamaIndex: ${rag[*]} could not be had"
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

# ---- Rust

if command -v cargo >/dev/null; then
    mkdir -p "$cache/clients-tokio/src"
    cp "$here/tokio/Cargo.toml" "$cache/clients-tokio/"
    cmp -s "$here/tokio/src/main.rs" "$cache/clients-tokio/src/main.rs" || cp "$here/tokio/src/main.rs" "$cache/clients-tokio/src/"
    tokio() { env -u CARGO_TARGET_DIR cargo "$@" --manifest-path "$cache/clients-tokio/Cargo.toml"; }
    if [ -e "$cache/clients-tokio/Cargo.lock" ] || tokio fetch >"$place/tokio" 2>&1; then
        check "the Rust client compiles" tokio build -q
        run tokio-postgres "$cache/clients-tokio/target/debug/tokio-client"
    else
        skip "tokio-postgres: its crates could not be had"
    fi
else
    skip "tokio-postgres: no cargo here"
fi

# ---- PgBouncer, which also gives JDBC a port to speak to: this server has only a socket

# start_pooler NAME PROGRAM MODE [SETTING...]: reached by the socket in $place/NAME, and by TCP if a setting says so.
start_pooler() {
    local name=$1 program=$2 mode=$3 user
    shift 3
    cat >"$place/$name.ini" <<END_OF_CONFIGURATION
[databases]
clients = host=$PGHOST port=$PGPORT user=postgres pool_size=2
[pgbouncer]
unix_socket_dir = $place/$name
listen_port = 6432
auth_type = any
auth_file = $place/users
pool_mode = $mode
ignore_startup_parameters = extra_float_digits,options
logfile = $place/$name/log
$(printf '%s\n' "$@")
END_OF_CONFIGURATION
    echo '"postgres" ""' >"$place/users"
    mkdir "$place/$name"
    chmod -R a+rX "$place"
    # Like Postgres it refuses to run as root; the server's socket is open to its own user alone.
    if [ "$(id -u)" = 0 ]; then
        user=$(stat -c %U "$PGHOST")
        chown "$user" "$place/$name"
        (cd / && exec runuser -u "$user" -- "$program" -q "$place/$name.ini") >"$place/$name.out" 2>&1 &
    else
        "$program" -q "$place/$name.ini" >"$place/$name.out" 2>&1 &
    fi
    poolers+=($!)
    for _ in {1..50}; do
        [ -z "$(compgen -G "$place/$name/.s.PGSQL.*")" ] || return 0
        sleep 0.1
    done
    cat "$place/$name.out" "$place/$name/log" 2>/dev/null
    return 1
}
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# pooled NAME KEEPS: the clients in Python by that pooler, which keeps prepared statements or not.
pooled() {
    if has_packages; then POOL=$place/$1 KEEPS_PREPARED=$2 run "pooled ($1)" "$python" "$here/pooled.py"; fi
}
# jdbc PORT TITLE
jdbc() { run "JDBC, $2" java -cp "$place/java:$driver" Jdbc "jdbc:postgresql://127.0.0.1:$1/clients" "$paths"; }

PATH=$PATH:/usr/sbin:/sbin
old=$(command -v pgbouncer || true)
new=$("$ROOT/scripts/pgbouncer.sh" 2>"$place/pgbouncer" | tail -n 1 || true)
if [ -z "$old$new" ]; then
    skip "PgBouncer and JDBC, which goes through it since it needs a port: no pgbouncer here"
else
    off=()
    [ "${old:-$new}" != "$new" ] || off=("max_prepared_statements = 0")
    check "PgBouncer that keeps no prepared statements starts" start_pooler forgets "${old:-$new}" transaction "${off[@]}"
    pooled forgets ""
    if [ -n "$new" ]; then
        port=$(free_port)
        check "PgBouncer that keeps them starts" start_pooler keeps "$new" transaction "max_prepared_statements = 100" "listen_addr = 127.0.0.1" "listen_port = $port"
        ln -s ".s.PGSQL.$port" "$place/keeps/.s.PGSQL.6432"
        pooled keeps yes
    else
        skip "PgBouncer 1.21 or newer: $(tail -n 1 "$place/pgbouncer")"
    fi
    driver=/usr/share/java/postgresql.jar
    if command -v javac >/dev/null && [ -e "$driver" ]; then
        mkdir "$place/java"
        check "the Java client compiles" javac -d "$place/java" -cp "$driver" "$here/Jdbc.java"
        session=$(free_port)
        check "PgBouncer in session mode starts" start_pooler session "${old:-$new}" session "listen_addr = 127.0.0.1" "listen_port = $session"
        jdbc "$session" "session mode"
        if [ -n "$new" ]; then jdbc "$port" "transaction mode"; fi
    else
        skip "JDBC: no javac, or no $driver (Debian's libpostgresql-jdbc-java)"
    fi
fi

check "the manual says what each client says first" python3 "$here/shown.py" "$ROOT/docs/how-to/clients.md" "$here" "$place/first_errors"
echo "$PASSED passed, $FAILED failed, $SKIPPED skipped"
[ "$FAILED" = 0 ]
