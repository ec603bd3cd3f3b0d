#!/usr/bin/env bash
# PGXN's archive of the last commit, by PGXN's own client from a mirror on this machine: built from the archive alone, installed into this
# clone's Postgres, loaded, its SQL tests run, removed. Takes a whole build.
#
# usage: scripts/try_pgxn.sh

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$ROOT/scripts/setup.sh"
lock_clone
load_environment
python_with pgxn pgxnclient pgxnclient
place=$(mktemp -d)
mirror=
clean_up() {
    [ -z "$mirror" ] || kill "$mirror" 2>/dev/null || true
    rm -rf "$place"
    "$ROOT/scripts/cluster.sh" stop pgxn
}
trap clean_up EXIT

archive=$("$ROOT/scripts/package.sh" pgxn 2>&1 | tail -n 1)
if command -v pgxn_meta >/dev/null; then
    (cd "$ROOT" && pgxn_meta META.json)
else
    say "META.json is not validated: there is no pgxn_meta (cargo install pgxn_meta)"
fi

"$PYTHON" "$ROOT/tests/tools/pgxn_mirror.py" "$archive" >"$place/address" &
mirror=$!
for _ in {1..100}; do [ -s "$place/address" ] && break; sleep 0.1; done
address=$(cat "$place/address")
[ -n "$address" ] || die "the mirror does not start"

# The archive's own scripts must not take this clone's lock or version for theirs.
pgxn() {
    local command=$1
    shift
    step "pgxn $command $*"
    (cd "$place" && env -u HINTED_EXEMPLAR_LOCKED -u ROOT "${PYTHON%/*}/pgxn" "$command" --pg_config "$PG_PRIVATE" "$@")
}
# The client asks whether it may write here, where the copy has nothing.
mkdir -p "$("$PG_PRIVATE" --libdir)"
pgxn install --mirror "$address" "$EXTENSION"
"$ROOT/scripts/cluster.sh" start pgxn
reach=$("$ROOT/scripts/cluster.sh" env pgxn)
eval "$reach"
psql -X -q -c "CREATE EXTENSION vector"
pgxn load --mirror "$address" -d pgxn "$EXTENSION"
psql -X -c "SELECT extname, extversion, hinted_exemplar_version() FROM pg_extension WHERE extname = '$EXTENSION'"
pgxn check --mirror "$address" -d pgxn "$EXTENSION"
pgxn unload --mirror "$address" -d pgxn "$EXTENSION"
pgxn uninstall --mirror "$address" "$EXTENSION"
[ ! -e "$("$PG_PRIVATE" --sharedir)/extension/$EXTENSION.control" ] || die "pgxn uninstall left files"
say "PGXN's client installs, loads, checks and removes $(basename "$archive")."
