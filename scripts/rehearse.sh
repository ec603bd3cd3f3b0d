#!/usr/bin/env bash
# Rehearses the release after the one that is written here, in a clone of the last commit that is thrown away: both versions are tagged, frozen,
# built and packed, and a server goes from one to the other as a user's does, under sessions that stay. Nothing is published. Takes one whole
# build and a small one; needs Debian's dpkg-dev.
#
# usage: scripts/rehearse.sh [VERSION]        (KEEP=1 keeps the packages of both; PG_CONFIG=.../pg_config names the Postgres)

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/lib.sh
. "$ROOT/tests/lib.sh"
# shellcheck source=tests/tools/scratch_root.sh
. "$ROOT/tests/tools/scratch_root.sh"

here=$ROOT
old=$(version)
new=${1:-${old%.*}.$((${old##*.} + 1))}
place=$(mktemp -d "/tmp/$EXTENSION.XXXXXX")
chmod 755 "$place"
clone=$place/clone packages=$place/packages
mkdir "$packages"
clean_up() {
    [ ! -d "$clone" ] || in_clone "$clone/scripts/clean.sh" 2>/dev/null || true
    if [ -n "${KEEP:-}" ]; then rm -rf "$clone" "$place/root"; say "kept: $packages"; else rm -rf "$place"; fi
}
trap clean_up EXIT

# This clone's lock, folders and environment are not the other's.
in_clone() { (cd "$clone" && exec env -u HINTED_EXEMPLAR_LOCKED -u ROOT -u RUN -u LOGS -u PG_PRIVATE -u PGRX_HOME -u CARGO_TARGET_DIR "$@"); }

# part MESSAGE COMMAND...: one check, with its time; what it says is shown where it fails.
part() {
    local message=$1 since=$EPOCHREALTIME
    shift
    if "$@" >"$place/log" 2>&1 </dev/null; then
        check "$message ($(elapsed "$since") s)" true
    else
        check "$message" false
        tail -n 40 "$place/log" | sed 's/^/    | /'
    fi
}

commit() {
    git -C "$clone" add -A &&
        git -C "$clone" -c user.name="$(git log -1 --format=%an)" -c user.email="$(git log -1 --format=%ae)" commit -q -m "$1"
}
tag() { git -C "$clone" -c user.name=rehearsal -c user.email=rehearsal@localhost tag -a "v$1" -m "$1"; }

# pack VERSION: its packages, into $packages.
pack() { in_clone make deb && in_clone make dist && mv "$clone/target/packages"/*"$1"* "$packages/"; }
deb_of() { compgen -G "$packages/postgresql-*_$1-1_*.deb"; }

# ---- the version that is written here

git clone --quiet "$here" "$clone"
cd "$clone"
dated() { sed -i "s/^## $1 (unreleased)/## $1 ($(date -u +%F))/" CHANGELOG.md; }
dated "$old" && { git diff --quiet || commit "Date $old"; }
part "$old: one version everywhere" in_clone scripts/set_version.sh --check
if [ -z "$(git tag --list "v$old")" ]; then
    part "$old: built, its script frozen" in_clone make freeze
    git diff --quiet || commit "Freeze $old"
    tag "$old"
fi
# The same Postgres for all, found as setup finds it.
in_clone scripts/setup.sh
PG_CONFIG=$(in_clone bash -c '. scripts/lib.sh && load_environment && echo "$PG_SOURCE"')
export PG_CONFIG
check "$old: a frozen script is not written again" [ "$(in_clone make freeze >/dev/null 2>&1 && echo written)" = "" ]
part "$old: packed" pack "$old"

# ---- the next one: a function more, a comment and a cost that change

part "$new: opened" in_clone scripts/set_version.sh "$new"
upgrade=sql/$EXTENSION--$old--$new.sql
added="
CREATE FUNCTION hinted_exemplar_rehearsed() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN 'rehearsed';
COMMENT ON FUNCTION hinted_exemplar_rehearsed() IS 'only a rehearsal';"
changed="COMMENT ON FUNCTION hinted_exemplar_version() IS 'rehearsed';
ALTER FUNCTION hinted_exemplar_version() COST 2;"
printf '%s\n' "$added" >>sql/functions.sql
printf '%s\n' "$changed" >>sql/comments.sql
dated "$new"
# An upgrade script that lacks something must be found.
printf '%s\n' "$added" >>"$upgrade"
upgrade_test() {
    in_clone bash -c 'scripts/cluster.sh start rehearsal && eval "$(scripts/cluster.sh env rehearsal)" && tests/upgrade.sh'
}
part "$new: built, its script frozen" in_clone make freeze
upgrade_test >"$place/forgetful" 2>&1 || true
check "$new: an upgrade that forgets something is found out" grep -q "^FAILED  leaves what a new database has" "$place/forgetful"
printf '%s\n' "$changed" >>"$upgrade"
part "$new: one version everywhere" in_clone scripts/set_version.sh --check
part "$new: built anew" in_clone scripts/install.sh private
part "$new: its upgrade from $old leaves what a new database has" upgrade_test
commit "Release $new"
tag "$new"
check "$new: a frozen script is not written again" [ "$(in_clone make freeze >/dev/null 2>&1 && echo written)" = "" ]
part "$new: packed" pack "$new"
check "the frozen script of $old is in both packages" [ "$(for deb in "$packages"/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -xO --wildcards "*/$EXTENSION--$old.sql" | sha256sum; done | sort | uniq -c | awk '{ print $1 }')" = 2 ]
check "the package of $new says what is new" [ "$(dpkg-deb --fsys-tarfile "$(deb_of "$new")" | tar -xO --wildcards '*/changelog.Debian.gz' | zcat |
    head -n 1)" = "hinted-exemplar ($new-1) unstable; urgency=medium" ]
if command -v lintian >/dev/null; then
    part "lintian has nothing to say of either" lintian --allow-root --no-cfg --fail-on error,warning "$packages"/*.deb
fi
sums() { (cd "$packages" && sha256sum -- *.deb *.zip >SHA256SUMS && sha256sum -c --quiet SHA256SUMS); }
part "their sums" sums

# ---- a server that goes from one to the other

in_clone scripts/cluster.sh stop-all
eval "$(in_clone scripts/setup.sh env)"
ROOT=$clone
unset HINTED_EXEMPLAR_LOCKED
if ! has_scratch_root; then
    echo "skipped: no server that dpkg could be tried on"
    finish
    exit
fi
root=$place/root
make_root "$root"
bindir=$root$(pg_config_below --bindir)
export SETTINGS='autovacuum = off'
# psql commands that give the same on every version: one line each.
cat >"$place/battery.sql" <<'END'
SELECT md5(vector_send(hinted_exemplar('items', 'v', exemplar => '[1,2,1]', hint => '[0,1,0]')));
SELECT md5(vector_send(weights)), cosine_hint, conflicts FROM hinted_exemplar_fit('items', 'v', exemplar => '[1,2,1]', hint => '[0,1,0]');
SELECT md5(hinted_exemplar_report('items', 'v', exemplar => '[1,2,1]')::text);
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

part "dpkg installs $old" dpkg_in "$root" -i "$(deb_of "$old")"
part "a server there" start_from rehearsal "$bindir"
query "CREATE ROLE owner LOGIN; CREATE ROLE stranger; CREATE DATABASE owned OWNER owner" >/dev/null
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

part "dpkg replaces $old by $new" dpkg_in "$root" -i "$(deb_of "$new")"
check "the open session goes on with the library of $old" [ "$(asks "SELECT hinted_exemplar_version()"; echo "$answer")" = "$old" ]
asks "$call"
check "and answers the same" [ "$answer" = "$first" ]
check "a new session has the library of $new" [ "$(library_version)" = "$new" ]
check "and the functions of $old" [ "$(extversion)" = "$old" ]
answers >"$place/between" || true
check "which answer the same" diff "$place/at_old" "$place/between"
part "ALTER EXTENSION, by a superuser" query "ALTER EXTENSION hinted_exemplar UPDATE"
part "and by the database's owner" env PGDATABASE=owned PGUSER=owner psql -X -q -c "ALTER EXTENSION hinted_exemplar UPDATE"
check "it is $new" [ "$(extversion) $(PGDATABASE=owned extversion)" = "$new $new" ]
check "with what is new" [ "$(query "SELECT hinted_exemplar_rehearsed()")" = rehearsed ]
answers >"$place/at_new" || true
check "and the same answers" diff "$place/at_old" "$place/at_new"
asks "$call"
check "the session that was open goes on" [ "$answer" = "$first" ]
asks "SELECT hinted_exemplar_version() || hinted_exemplar_rehearsed()"
check "with its library, and what is new" [ "$answer" = "${old}rehearsed" ]
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
part "a dump of $old is restored with $new" restores dump_old
check "as $new" [ "$(PGDATABASE=restored extversion)" = "$new" ]
part "and one of $new" restores dump_new
exec {commands}>&-
wait "$session" || true
check "the open session met no error" [ "$(grep -c -i error "$place/session")" = 0 ]
part "dpkg goes back to $old" dpkg_in "$root" -i "$(deb_of "$old")"
part "a dump of $new is restored with $old" restores dump_new
check "as $old" [ "$(PGDATABASE=restored extversion)" = "$old" ]
part "dpkg removes it" dpkg_in "$root" -P "$(dpkg-deb -f "$(deb_of "$old")" Package)"
check "all of it" [ -z "$(find "$root" -name "*hinted*exemplar*" ! -path "*/dpkg/*")" ]
"$clone/scripts/cluster.sh" stop-all
cat "$packages/SHA256SUMS"
finish
