#!/usr/bin/env bash
# Takes a server from one version's Debian package to the next one's, as a user's goes: dpkg in a copy of this clone's Postgres, with sessions that
# stay, a superuser and an owner of a database who upgrade, and dumps that are restored forwards and back. Everything must answer the same bits;
# so the two may differ in SQL, not in the fit.
#
# usage: scripts/upgrade_server.sh OLD.deb NEW.deb

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

packages=("$(readlink -f "${1:?usage: scripts/upgrade_server.sh OLD.deb NEW.deb}")" "$(readlink -f "${2:?usage: scripts/upgrade_server.sh OLD.deb NEW.deb}")")
"$ROOT/scripts/setup.sh"
lock_clone
load_environment
# shellcheck source=tests/lib.sh
. "$ROOT/tests/lib.sh"
# shellcheck source=tests/tools/scratch_root.sh
. "$ROOT/tests/tools/scratch_root.sh"
has_scratch_root || die "there is no Postgres here that dpkg could be tried on: one of Debian's own packages is needed"

# of FIELD PACKAGE: what the package says.
of() { dpkg-deb -f "$2" "$1"; }
old=$(of Version "${packages[0]}") new=$(of Version "${packages[1]}")
old=${old%-*} new=${new%-*}
[ "$old" != "$new" ] || die "both are $new"
place=$(mktemp -d "/tmp/$EXTENSION.XXXXXX")
chmod 755 "$place"
clean_up() {
    "$ROOT/scripts/cluster.sh" stop upgrade
    rm -rf "$place"
}
trap clean_up EXIT

root=$place/root
make_root "$root"
bindir=$root$(pg_config_below --bindir)
export SETTINGS='autovacuum = off'
# psql commands that give the same on every version: one line each.
cat >"$place/battery.sql" <<'END'
SELECT md5(vector_send(hinted_exemplar('items', 'v', exemplar => '[1,2,1]', hint => '[0,1,0]')));
SELECT md5(vector_send(weights)), cosine_hint, conflicts FROM hinted_exemplar_fit('items', 'v', exemplar => '[1,2,1]', hint => '[0,1,0]');
SELECT md5((hinted_exemplar_report('items', 'v', exemplar => '[1,2,1]') - 'sampling_ms' - 'solving_ms')::text);
SELECT string_agg(key, ',' ORDER BY distance, key) FROM hinted_exemplar_search('items', 'v', key => 'id', k => 7, exemplar => '[1,2,1]');
SELECT md5(vector_send(exemplar_svm(ARRAY['[1,0]'::vector], ARRAY['[0,1]'::vector])));
SELECT md5(vector_send(exemplar_svm_agg(v, CASE WHEN id < 5 THEN true WHEN id < 9 THEN false END ORDER BY id))) FROM items;
SELECT average_precision(id % 3 = 0 ORDER BY id) FROM items;
SELECT string_agg(id::text, ',') FROM ranked;
SELECT nearest('[1,2,1]');
SELECT md5(vector_send(w)) FROM saved;
END
answers() { psql -X -q -A -t -v ON_ERROR_STOP=1 -f "$place/battery.sql"; }
extversion() { query "SELECT extversion FROM pg_extension WHERE extname = '$EXTENSION'"; }
library_version() { query "SELECT hinted_exemplar_version()"; }
contents() { psql -X -q -A -t -v ON_ERROR_STOP=1 -f "$ROOT/tests/tools/extension_contents.sql"; }

check "dpkg installs $old" quietly dpkg_in "$root" -i "${packages[0]}"
check "a server there" start_from upgrade "$bindir"
query "CREATE ROLE owner LOGIN; CREATE ROLE stranger" >/dev/null
createdb --owner owner owned
PGDATABASE=owned query "CREATE EXTENSION vector" >/dev/null
PGDATABASE=owned PGUSER=owner query "CREATE EXTENSION hinted_exemplar" >/dev/null
PGDATABASE=owned query "REVOKE EXECUTE ON FUNCTION hinted_exemplar_version() FROM PUBLIC" >/dev/null
query "CREATE EXTENSION hinted_exemplar CASCADE;
       CREATE TABLE items AS SELECT i AS id, ('[' || i % 7 || ',' || i % 5 || ',1]')::vector AS v FROM generate_series(1, 300) i;
       CREATE TABLE saved AS SELECT hinted_exemplar('items', 'v', exemplar => '[1,2,1]', hint => '[0,1,0]') AS w;
       CREATE VIEW ranked AS SELECT id FROM items ORDER BY v <#> (SELECT hinted_exemplar('items', 'v', exemplar => '[1,2,1]')), id LIMIT 9;
       CREATE FUNCTION nearest(wanted vector) RETURNS int LANGUAGE sql STABLE
       BEGIN ATOMIC SELECT id FROM items ORDER BY v <#> (SELECT hinted_exemplar('items', 'v', exemplar => wanted)), id LIMIT 1; END" >/dev/null
answers >"$place/at_old"
check "calls, a view and a function of the user's, with $old" [ "$(grep -c . "$place/at_old")" = 10 ]
pg_dump >"$place/dump_old"

# A session that stays over all of it.
mkfifo "$place/commands"
psql -X -q -A -t -v ON_ERROR_STOP=1 <"$place/commands" >"$place/session" 2>&1 &
session=$!
exec {commands}>"$place/commands"
# asks SQL: sets answer to what that session answers.
asks() {
    local lines
    lines=$(wc -l <"$place/session")
    echo "$1;" >&"$commands"
    for _ in {1..200}; do
        [ "$(wc -l <"$place/session")" = "$lines" ] || break
        kill -0 "$session" 2>/dev/null || break
        sleep 0.05
    done
    answer=$(tail -n +$((lines + 1)) "$place/session")
}
call=$(head -n 1 "$place/battery.sql")
call=${call%;}
first=$(head -n 1 "$place/at_old")
asks "$call"
check "a session is open" [ "$answer" = "$first" ]

check "dpkg replaces it by $new" quietly dpkg_in "$root" -i "${packages[1]}"
check "the open session goes on with the library of $old" [ "$(asks "SELECT hinted_exemplar_version()"; echo "$answer")" = "$old" ]
asks "$call"
check "and answers the same" [ "$answer" = "$first" ]
check "a new session has the library of $new" [ "$(library_version)" = "$new" ]
check "and the functions of $old" [ "$(extversion)" = "$old" ]
answers >"$place/between" || true
check "which answer the same" diff "$place/at_old" "$place/between"
check "ALTER EXTENSION, by a superuser" query "ALTER EXTENSION hinted_exemplar UPDATE"
check "and by the database's owner" env PGDATABASE=owned PGUSER=owner psql -X -q -c "ALTER EXTENSION hinted_exemplar UPDATE"
check "it is $new" [ "$(extversion) $(PGDATABASE=owned extversion)" = "$new $new" ]
answers >"$place/at_new" || true
check "and the same answers" diff "$place/at_old" "$place/at_new"
asks "$call"
check "the session that was open goes on" [ "$answer" = "$first" ]
asks "SELECT hinted_exemplar_version()"
check "with its library" [ "$answer" = "$old" ]
check "a privilege that was taken stays taken" [ "$(PGDATABASE=owned query "SELECT has_function_privilege('stranger', 'hinted_exemplar_version()', 'EXECUTE')")" = f ]
contents >"$place/upgraded"
createdb fresh
PGDATABASE=fresh query "CREATE EXTENSION hinted_exemplar CASCADE" >/dev/null
PGDATABASE=fresh contents >"$place/fresh"
check "what is there is what a new database has, to the comment" diff "$place/upgraded" "$place/fresh"
check "all of it" [ "$(grep -c '^function ' "$place/fresh")" -gt 20 ]

# What RELEASING.md says of arguments: a function that the user's own objects call is not dropped, and nothing is changed then.
extensions=$root$(pg_config_below --sharedir)/extension
cat >"$extensions/$EXTENSION--$new--999.0.0.sql" <<'END'
COMMENT ON FUNCTION hinted_exemplar_version() IS 'half way';
DO $$ BEGIN EXECUTE (SELECT 'DROP FUNCTION ' || oid::regprocedure FROM pg_proc WHERE proname = 'hinted_exemplar'); END $$;
END
refusal=$(query "ALTER EXTENSION hinted_exemplar UPDATE TO '999.0.0'" 2>&1 || true)
check "an upgrade that would drop what the user's view calls is refused" grep -q "because other objects depend on it" <<<"$refusal"
contents >"$place/refused"
check "whole" diff "$place/upgraded" "$place/refused"
rm "$extensions/$EXTENSION--$new--999.0.0.sql"

# Dumps, forwards and back.
pg_dump >"$place/dump_new"
# restores DUMP: into a new database, where the battery gives the same.
restores() {
    dropdb --if-exists restored && createdb restored && PGDATABASE=restored psql -X -q -v ON_ERROR_STOP=1 -f "$place/$1" -o /dev/null &&
        PGDATABASE=restored answers | diff "$place/at_old" -
}
check "a dump of $old is restored with $new" restores dump_old
check "as $new" [ "$(PGDATABASE=restored extversion)" = "$new" ]
check "and one of $new" restores dump_new
exec {commands}>&-
wait "$session" || true
check "the open session met no error" [ "$(grep -c -i error "$place/session")" = 0 ]
check "dpkg goes back to $old" quietly dpkg_in "$root" -i "${packages[0]}"
check "a dump of $new is restored with $old" restores dump_new
check "as $old" [ "$(PGDATABASE=restored extversion)" = "$old" ]
check "dpkg removes it" quietly dpkg_in "$root" -P "$(of Package "${packages[0]}")"
check "all of it" [ -z "$(find "$root" -name "*hinted*exemplar*" ! -path "*/dpkg/*")" ]
finish
