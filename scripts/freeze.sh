#!/usr/bin/env bash
# Keeps the SQL script of this version in sql/, as it is released: from then on that is what is packaged, and tests/upgrade.sh holds it to
# what the code says. Frozen again while the version is not released; never after.
#
# usage: scripts/freeze.sh

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$ROOT/scripts/install.sh" private
load_environment
version=$(version)
frozen=sql/$EXTENSION--$version.sql
! git -C "$ROOT" rev-parse -q --verify "refs/tags/v$version" >/dev/null || die "$version is released: its script stays as it is"
# pgrx notes what it made and the line that each object comes from, which is not the object's.
{
    echo "-- hinted_exemplar $version, as released: never changed afterwards."
    printf '%s\n' "\\echo Use \"CREATE EXTENSION $EXTENSION\" to load this file. \\quit"
    sed -E '1,/^\*\/$/d; /^-- (src|crates)\/.*:[0-9]+$/d; /^\/\* <\/?(begin|end) connected objects> \*\/$/d' \
        "$(stage_of "$PG_PRIVATE")/generated.sql" | cat -s
} >"$ROOT/$frozen"
say "wrote $frozen; tests/upgrade.sh holds the code to it"
