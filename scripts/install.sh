#!/usr/bin/env bash
# Builds the extension as users get it and installs it: into this clone's private copy of Postgres, or into the one of a given pg_config.
#
# usage: scripts/install.sh [PG_CONFIG]

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

target=${1:-}
PG_CONFIG=$target "$ROOT/scripts/setup.sh"
lock_clone
load_environment
run_logged "$LOGS/build.log" "building the extension for PostgreSQL $PG_MAJOR and installing it" \
    install_extension "${target:-$PG_PRIVATE}" --release || die "the build failed"

if [ -n "$target" ]; then
    say "Installed into $("$target" --pkglibdir). In your database: CREATE EXTENSION $EXTENSION CASCADE;"
    [ -e "$("$target" --sharedir)/extension/vector.control" ] || say "It needs pgvector there, which was not found."
fi
