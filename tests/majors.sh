#!/usr/bin/env bash
# From one major version of Postgres to a later one, by a dump and by pg_upgrade: stored weights and fits stay as they are, and views and functions
# that call the extension answer the same bits. The older ones are those for which this clone has the same build, as make test-all leaves them.

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"
# shellcheck source=tests/lib.sh
. "$ROOT/tests/lib.sh"
load_environment

bindir=$("$PG_PRIVATE" --bindir)
place=$(mktemp -d "/tmp/$EXTENSION.XXXXXX")
chmod 755 "$place"
clean_up() {
    [ ! -e "$place/new/postmaster.pid" ] || as_server "$bindir/pg_ctl" -D "$place/new" -m immediate stop >/dev/null
    "$ROOT/scripts/cluster.sh" stop older
    "$ROOT/scripts/cluster.sh" stop newer
    rm -rf "$place"
}
trap clean_up EXIT

# older_ones: the folders of programs of older Postgres that have this build. Where make test-all builds, each has a folder of its own beside this.
older_ones() {
    local major config stage target=${CARGO_TARGET_DIR:-$ROOT/target}
    for major in 15 16 17; do
        [ "$major" -lt "$PG_MAJOR" ] || continue
        config=$(sed -n "s/^pg$major *= *\"\(.*\)\"/\1/p" "$CLONE/pg$major/pgrx/config.toml" 2>/dev/null) || continue
        for stage in "$target/stage/pg$major"-*/ "${target%/*}/pg$major/stage/pg$major"-*/; do
            if is_current "$stage/done" && cmp -s "$stage/lib/$EXTENSION.so" "$("$config" --pkglibdir)/$EXTENSION.so"; then
                "$config" --bindir
                break
            fi
        done
    done
}

cat >"$place/objects.sql" <<'END'
CREATE EXTENSION hinted_exemplar CASCADE;
REVOKE EXECUTE ON FUNCTION hinted_exemplar_version() FROM PUBLIC;
CREATE TABLE items AS SELECT i AS id, ('[' || i % 7 || ',' || i % 5 || ',1]')::vector AS v FROM generate_series(1, 300) i;
CREATE TABLE fits AS SELECT f AS fit FROM hinted_exemplar_fit('items', 'v', exemplar => '[1,2,1]', hint => '[0,1,0]') f;
CREATE TABLE saved AS SELECT (fit).weights AS w, (fit).weights::halfvec AS half FROM fits;
CREATE VIEW ranked AS SELECT id FROM items ORDER BY v <#> (SELECT hinted_exemplar('items', 'v', exemplar => '[1,2,1]')), id LIMIT 9;
CREATE MATERIALIZED VIEW found AS SELECT hinted_exemplar('items', 'v', exemplar => '[1,2,1]', counter_exemplars => ARRAY['[3,0,1]'::vector]) AS w;
CREATE FUNCTION nearest(wanted vector) RETURNS int LANGUAGE sql STABLE
BEGIN ATOMIC SELECT id FROM items ORDER BY v <#> (SELECT hinted_exemplar('items', 'v', exemplar => wanted)), id LIMIT 1; END;
END
# One line each, the same on every version; no distances, whose last digits are those of each build of pgvector.
cat >"$place/battery.sql" <<'END'
SELECT md5(fit::text), (fit).conflict_count FROM fits;
SELECT md5(vector_send(w)), md5(halfvec_send(half)) FROM saved;
SELECT md5(vector_send(hinted_exemplar('items', 'v', exemplar => '[1,2,1]', hint => '[0,1,0]'))) = md5(vector_send(w)) FROM saved;
SELECT md5(vector_send(exemplar_svm_agg(v, CASE WHEN id < 5 THEN true WHEN id < 9 THEN false END ORDER BY id))) FROM items;
SELECT string_agg(id::text, ',') FROM ranked;
SELECT md5(vector_send(w)) FROM found;
SELECT nearest('[1,2,1]');
SELECT has_function_privilege('pg_monitor', 'hinted_exemplar_version()', 'EXECUTE');
SELECT extversion = hinted_exemplar_version() FROM pg_extension WHERE extname = 'hinted_exemplar';
END
run() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }
answers() { run -f "$place/battery.sql"; }
same() { answers >"$place/after" && diff "$place/before" "$place/after"; }
reach() { eval "$("$ROOT/scripts/cluster.sh" env "$1")"; }

# restored: the dump, in a new database of the newer Postgres, made by its own program, as its manual says.
restored() { createdb restored && pg_restore -j 2 -d restored "$place/dump"; }

# upgrade BINDIR: what the stopped cluster holds, by pg_upgrade.
# shellcheck disable=SC2016 # expanded by that shell
upgrade() {
    local initdb=("$bindir/initdb" -D "$place/new" -A trust -U postgres -E UTF8 "--locale=$locale" -N)
    # From 18 on they are the default; both clusters must agree.
    [ "$PG_MAJOR" -lt 18 ] || initdb+=(--no-data-checksums)
    rm -rf "$place/new"
    install -d -o "$SERVER_USER" "$place/new" "$place/socket" && chmod 700 "$place/new" && as_server "${initdb[@]}" &&
        as_server sh -c 'cd "$1" && shift && exec "$@"' - "$place/socket" "$bindir/pg_upgrade" -U postgres -s "$place/socket" -b "$1" -B "$bindir" \
            -d "$RUN/older/data" -D "$place/new"
}
serve() { as_server "$bindir/pg_ctl" -D "$place/new" -l "$place/socket/log" -w -o "-k $place/socket -p 5432 -c listen_addresses=''" "$@"; }

mapfile -t olders < <(older_ones)
if [ ${#olders[@]} = 0 ]; then
    echo "skipped: no older PostgreSQL here has this build (make test-all makes it for each)"
    echo "0 passed, 0 failed, 1 skipped"
    exit
fi
for older in "${olders[@]}"; do
    from=$("$older/pg_config" --version | cut -d' ' -f2)
    to="to $("$PG_PRIVATE" --version | cut -d' ' -f2)"
    check "PostgreSQL $from" quietly env PROGRAMS="$older" "$ROOT/scripts/cluster.sh" start older
    check "a newer one" quietly "$ROOT/scripts/cluster.sh" start newer
    reach older
    # A release may write what one of a later version that came out before it does not know, without any extension.
    query "CREATE TABLE plain (i int)" >/dev/null
    pg_dump -f "$place/plain"
    reach newer
    if ! quietly run -f "$place/plain" >"$place/refusal"; then
        echo "skipped: $from $to, which takes no dump of it, whatever is in it: $(grep -m 1 ERROR "$place/refusal")"
        continue
    fi
    reach older
    check "has what a user has" run -f "$place/objects.sql"
    answers >"$place/before"
    check "that answers" [ "$(grep -c . "$place/before")" = 9 ]
    locale=$(query "SELECT datcollate FROM pg_database WHERE datname = 'template1'")
    check "a dump, by the newer program" quietly pg_dump -Fc -f "$place/dump"
    reach newer
    check "is restored, from $from $to" quietly restored
    PGDATABASE=restored check "the same bits" same
    if [ -x "$older/pg_ctl" ] && [ -x "$bindir/pg_upgrade" ] && [ -x "$bindir/pg_dumpall" ]; then
        as_server "$older/pg_ctl" -D "$RUN/older/data" -m fast -w stop >/dev/null
        check "pg_upgrade, from $from $to" quietly upgrade "$older"
        check "a server of what it made" quietly serve start
        export PGHOST=$place/socket PGDATABASE=older
        check "the same bits" same
        quietly serve -m fast stop
    else
        echo "skipped: there is no pg_upgrade here"
    fi
done
finish
