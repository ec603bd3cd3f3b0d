#!/usr/bin/env bash
# Builds the extension as users get it and installs it, by the ways that Postgres extensions have: make, make install, make uninstall.
#
# usage: scripts/install.sh build|install|pgvector|uninstall|private
#        PG_CONFIG=.../pg_config names the Postgres; otherwise it is that of the pg_config in the PATH. DESTDIR=... goes before its directories.
#        private installs into this clone's own copy of a Postgres.

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Sets TARGET, and says which Postgres that is.
choose_target() {
    local given=${PG_CONFIG:-}
    [ -n "$given" ] || given=$(command -v pg_config) ||
        die "there is no pg_config in the PATH: name the Postgres to build for, as in make PG_CONFIG=/usr/lib/postgresql/15/bin/pg_config.
Where there is no Postgres yet, install one with the server's headers (Debian and Ubuntu: postgresql-NN and postgresql-server-dev-NN).
To see what this does without one: make demo"
    [ -x "$given" ] || die "there is no program $given"
    TARGET=$(real_config "$given")
    step "for $("$TARGET" --version), whose pg_config is $TARGET"
}

# What is built already needs no compiler, so that root can install what a user has built.
build() {
    if is_staged "$1"; then
        say "    built already: $(stage_of "$1")"
        return
    fi
    command -v cargo >/dev/null || die "it is not built for that Postgres yet, and $(id -un) has no Rust: run make first as the user who has"
    PG_CONFIG=$(source_of "$1") "$ROOT/scripts/setup.sh"
    lock_clone
    load_environment
    run_logged "$LOGS/build.log" "building the extension for PostgreSQL $PG_MAJOR" stage_extension || die "the build failed"
}

install_into() {
    install_staged "$1" || die "installing failed"
    say "Installed into ${DESTDIR:-}$("$1" --pkglibdir). In your database: CREATE EXTENSION $EXTENSION CASCADE;"
    [ -e "$("$1" --sharedir)/extension/vector.control" ] || [ -n "${DESTDIR:-}" ] || say "\
It needs pgvector, which this Postgres has not yet. Any of these brings it:
    apt-get install postgresql-$(major_of "$1")-pgvector      (where your sources of packages have it, as PostgreSQL's own do)
    make install-pgvector PG_CONFIG=$1
CREATE EXTENSION vector takes a superuser."
}

# The one that the tests are run with, where the target has none.
install_pgvector_into() {
    local library extension built file
    library=$("$1" --pkglibdir) extension=$("$1" --sharedir)/extension
    [ ! -e "$extension/vector.control" ] || { say "It has pgvector already."; return; }
    PG_CONFIG=$(source_of "$1") "$ROOT/scripts/setup.sh"
    built=$(built_pgvector "$(source_of "$1")")
    [ -e "$built/vector.so" ] || die "the pgvector of the tests came with that Postgres; there is no other one here to install"
    owner_of "$library" "$extension"
    put 644 "$built/vector.so" "$library" || die "installing failed"
    for file in "$built"/vector--*.sql "$built/vector.control"; do put 644 "$file" "$extension" || die "installing failed"; done
    say "Installed pgvector $(sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$built/vector.control") into $library."
}

uninstall_from() {
    local library extension
    library=${DESTDIR:-}$("$1" --pkglibdir) extension=${DESTDIR:-}$("$1" --sharedir)/extension
    owner_of "$library" "$extension"
    "${AS_OWNER[@]}" rm -f "$library/$EXTENSION".{so,dylib} "$extension/$EXTENSION".control "$extension/$EXTENSION"--*.sql
    say "Removed from $library."
}

case ${1:-} in
build)
    choose_target
    build "$TARGET"
    say "Built. Next: make install PG_CONFIG=$TARGET (as root or with sudo where its directories are root's)"
    ;;
install)
    choose_target
    build "$TARGET"
    install_into "$TARGET"
    ;;
pgvector)
    choose_target
    install_pgvector_into "$TARGET"
    ;;
uninstall)
    choose_target
    uninstall_from "$TARGET"
    ;;
private)
    "$ROOT/scripts/setup.sh"
    lock_clone
    load_environment
    run_logged "$LOGS/build.log" "building the extension for PostgreSQL $PG_MAJOR and installing it" install_extension ||
        die "the build failed"
    ;;
*) die "usage: scripts/install.sh build|install|pgvector|uninstall|private" ;;
esac
