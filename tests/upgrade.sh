#!/usr/bin/env bash
# Released versions: the frozen script says what the code says, and a database that was upgraded from any of them has what a new one has, to the
# last comment and privilege.

# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

extensions=$(pg_config --sharedir)/extension
stage=$(USES_SERVER=yes && . "$ROOT/scripts/lib.sh" && stage_of "$(command -v pg_config)")
place=$(mktemp -d)
trap 'rm -rf "$place" "$extensions"/hinted_exemplar--{generated,scratch,0,0--scratch,0--0.forgetful,0.forgetful}.sql' EXIT

# contents NAME COMMAND: what a new database has after these commands.
contents() {
    new_database upgrade
    query "CREATE EXTENSION vector; $2" >/dev/null && psql -X -q -A -t -v ON_ERROR_STOP=1 -f "$ROOT/tests/tools/extension_contents.sql" >"$place/$1"
}
same() { diff -u "$place/$1" "$place/$2"; }
version() { sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$extensions/hinted_exemplar.control"; }

check "a new database" contents new "CREATE EXTENSION hinted_exemplar"
check "has all of it" [ "$(grep -c '^function hinted_exemplar(' "$place/new")" -ge 1 ]
cp "$stage/generated.sql" "$extensions/hinted_exemplar--generated.sql"
check "the script that the code generates" contents generated "CREATE EXTENSION hinted_exemplar VERSION 'generated'"
check "says what the script of $(version) says" same generated new

released=0
for script in "$ROOT"/sql/hinted_exemplar--*.sql; do
    old=${script##*/hinted_exemplar--} old=${old%.sql}
    case $old in "*" | *--* | "$(version)") continue ;; esac
    released=$((released + 1))
    check "an upgrade from $old" contents "$old" "CREATE EXTENSION hinted_exemplar VERSION '$old'; ALTER EXTENSION hinted_exemplar UPDATE"
    check "leaves what a new database has" same "$old" new
done
echo "upgrades from released versions: $released"

# The comparison itself: an upgrade that changes what it must is found right, one that forgets a comment is not.
{ cat "$stage/generated.sql" && echo "COMMENT ON AGGREGATE average_precision(boolean) IS 'old'; DROP FUNCTION hinted_exemplar_version();"; } \
    >"$extensions/hinted_exemplar--0.sql"
comment=$(query "SELECT quote_literal(obj_description('average_precision(boolean)'::regprocedure))")
definition=$(query "SELECT pg_get_functiondef('hinted_exemplar_version()'::regprocedure)")
described=$(query "SELECT quote_literal(obj_description('hinted_exemplar_version()'::regprocedure))")
printf '%s;\nCOMMENT ON FUNCTION hinted_exemplar_version() IS %s;\n' "$definition" "$described" >"$extensions/hinted_exemplar--0--0.forgetful.sql"
{ cat "$extensions/hinted_exemplar--0--0.forgetful.sql" && echo "COMMENT ON AGGREGATE average_precision(boolean) IS $comment;"; } \
    >"$extensions/hinted_exemplar--0--scratch.sql"
check "an upgrade that does all" contents scratch "CREATE EXTENSION hinted_exemplar VERSION '0'; ALTER EXTENSION hinted_exemplar UPDATE TO 'scratch'"
check "is found to do all" same scratch new
check "one that forgets a comment" contents forgetful "CREATE EXTENSION hinted_exemplar VERSION '0'; ALTER EXTENSION hinted_exemplar UPDATE TO '0.forgetful'"
check "is found out" [ "$(same forgetful new | grep -c '^[-+][^-+]')" -gt 0 ]

# A dump holds no more than the name, so what is restored has the version of its server, and saved vectors stay.
new_database upgrade
query "CREATE EXTENSION hinted_exemplar CASCADE;
       CREATE TABLE saved AS SELECT hinted_exemplar_version() AS version, exemplar_svm(ARRAY['[1,0]'::vector], ARRAY['[0,1]'::vector]) AS w" >/dev/null
pg_dump -d upgrade -f "$place/dump"
check "a dump holds no more than the extension's name" [ "$(grep -c 'FUNCTION\|AGGREGATE' "$place/dump")" = 0 ]
before=$(query "SELECT md5(vector_send(w)) FROM saved")
new_database restored
check "it is restored" psql -X -q -v ON_ERROR_STOP=1 -f "$place/dump" -o /dev/null
check "with what was saved" [ "$(query "SELECT md5(vector_send(w)) FROM saved")" = "$before" ]
finish
