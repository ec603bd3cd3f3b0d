#!/usr/bin/env bash
# Gets everything that building and testing needs, and nothing twice: system packages, cargo-pgrx, pgvector, and a private copy of
# a Postgres to install into, so that the system's own is never changed. Takes under a second when all is there.
#
# usage: scripts/setup.sh        set up
#        scripts/setup.sh env    print the environment for cargo and psql by hand: eval "$(scripts/setup.sh env)"
#
# PG_CONFIG=.../pg_config chooses the Postgres to copy; otherwise it is that of the pg_config in the PATH, else the newest supported one
# that has its server headers. PGVECTOR=directory takes the pgvector whose sources are there, for tests with other versions of it.

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

SUPPORTED="18 17 16 15"
PGVECTOR_PINNED=0.8.0
GIVEN_PG_CONFIG=${PG_CONFIG:-}

if [ "${1:-}" = env ]; then
    load_environment
    for name in PG_MAJOR PG_PRIVATE PGRX_HOME CARGO_PGRX_DISABLE_GC_SECTIONS_WORKAROUND PATH; do
        printf 'export %s=%q\n' "$name" "${!name}"
    done
    exit
fi

# ---- Rust

check_rust() {
    local wanted have
    command -v cargo >/dev/null && command -v rustc >/dev/null ||
        die "no Rust toolchain found. Install one with rustup (https://rustup.rs) and repeat."
    wanted=$(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' "$ROOT/Cargo.toml")
    have=$(rustc --version | cut -d' ' -f2)
    if ! printf '%s\n' "$wanted" "$have" | sort -V -C; then
        die "Rust $have is too old, $wanted or newer is needed: rustup update stable"
    fi
}

# ---- system packages

# server_of PG_CONFIG: its program postgres, which may have been unpacked by unpack_server.
server_of() {
    local program
    program=$("$1" --bindir)/postgres
    if [ -x "$program" ]; then echo "$program"; else echo "$STATE/server/$(major_of "$1")$program"; fi
}

# is_usable PG_CONFIG: a supported server with its headers?
is_usable() {
    local server
    [ -x "$1" ] && [ -e "$("$1" --includedir-server 2>/dev/null)/postgres.h" ] && server=$(server_of "$1") || return 1
    [ -x "$server" ] && [ -x "${server%/*}/initdb" ] || return 1
    case " $SUPPORTED " in *" $(major_of "$1") "*) return 0 ;; *) return 1 ;; esac
}

find_postgres() {
    local major candidate
    if [ -n "$GIVEN_PG_CONFIG" ]; then
        if is_usable "$GIVEN_PG_CONFIG"; then real_config "$GIVEN_PG_CONFIG"; fi
        return
    fi
    # A clone's own copy may stand first in the PATH; it is no Postgres to copy.
    candidate=$(command -v pg_config || true)
    if [[ $candidate != "$CLONES"/* ]] && is_usable "$candidate"; then real_config "$candidate"; return; fi
    for major in $SUPPORTED; do
        for candidate in "/usr/lib/postgresql/$major/bin" "/usr/pgsql-$major/bin" "/opt/homebrew/opt/postgresql@$major/bin"; do
            if is_usable "$candidate/pg_config"; then echo "$candidate/pg_config"; return; fi
        done
    done
}

has_libclang() {
    [ -n "${LIBCLANG_PATH:-}" ] || compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' >/dev/null ||
        compgen -G '/usr/lib*/libclang*.so*' >/dev/null || compgen -G '/usr/lib/*/libclang*.so*' >/dev/null
}

# The version to get: of one that is there without headers, else the newest supported that can be had.
choose_version() {
    local major
    for major in $SUPPORTED; do
        if [ -x "/usr/lib/postgresql/$major/bin/postgres" ] && has_candidate "postgresql-server-dev-$major"; then echo "$major"; return; fi
    done
    for major in $SUPPORTED; do
        if has_candidate "postgresql-$major" && has_candidate "postgresql-server-dev-$major"; then echo "$major"; return; fi
    done
    return 1
}

# headless_version PG_CONFIG: the version of a server of the system's whose headers, which it lacks, are a package.
headless_version() {
    local major
    [ -x "$1" ] && major=$(major_of "$1") && [ "$("$1" --bindir)" = "/usr/lib/postgresql/$major/bin" ] &&
        [ -x "/usr/lib/postgresql/$major/bin/postgres" ] && [[ " $SUPPORTED " == *" $major "* ]] &&
        command -v apt-get >/dev/null && echo "$major"
}

refuse_given() {
    die "PG_CONFIG=$GIVEN_PG_CONFIG is not the pg_config of a supported Postgres (one of $SUPPORTED) with its server and the server's headers
(Debian and Ubuntu: the packages postgresql-NN and postgresql-server-dev-NN)"
}

# unpack_server MAJOR: installed, Debian's package of a server creates a cluster and starts it, which nobody asked for.
unpack_server() {
    local place=$STATE/server/$1 work=$STATE/server/$1.new libraries
    libraries=$(LC_ALL=C apt-cache depends "postgresql-$1" | sed -n 's/^ *Depends: \(lib[^ ]*\|tzdata\)$/\1/p')
    # shellcheck disable=SC2086  # a list of words
    apt_install $libraries || return 1
    rm -rf "$work"
    mkdir -p "$work"
    (cd "$work" && run_logged "$LOGS/server.log" "fetching PostgreSQL $1, for this clone's use only" \
        apt-get -q -o APT::Sandbox::User=root download "postgresql-$1") && dpkg-deb -x "$work"/*.deb "$work" || return 1
    rm -rf "$work"/*.deb "$place"
    mv "$work" "$place"
}

# Not by a pipe into grep -q, whose early end would count as apt-cache's failure.
has_candidate() { [[ $(LC_ALL=C apt-cache policy "$1" 2>/dev/null) == *"Candidate: "[!\(]* ]]; }

missing_tools() {
    command -v cc >/dev/null && command -v make >/dev/null || echo build-essential
    command -v pkg-config >/dev/null || echo pkg-config
    # For cargo-pgrx, and for the workbench, which speaks TLS.
    [ -e /usr/include/openssl/ssl.h ] || echo libssl-dev
    command -v flock >/dev/null && command -v runuser >/dev/null || echo util-linux
}

apt_update() {
    [ -z "${APT_UPDATED:-}" ] || return 0
    APT_UPDATED=yes
    run_logged "$LOGS/apt-update.log" "reading the lists of packages" as_root apt-get -q update
}

apt_install() {
    local command=(as_root env DEBIAN_FRONTEND=noninteractive
        apt-get -q install -y --no-install-recommends "$@")
    run_logged "$LOGS/apt-install.log" "installing $*" "${command[@]}" && return
    # Lists that are out of date name files that are gone.
    [ -z "${APT_UPDATED:-}" ] && apt_update &&
        run_logged "$LOGS/apt-install.log" "once more with new lists: installing $*" "${command[@]}"
}

install_system_packages() {
    local wanted package version
    wanted=$(missing_tools)
    PG_SOURCE=$(find_postgres)
    if [ -z "$wanted" ] && [ -n "$PG_SOURCE" ] && has_libclang; then return; fi
    if [ -z "$PG_SOURCE" ] && [ -n "$GIVEN_PG_CONFIG" ]; then
        version=$(headless_version "$GIVEN_PG_CONFIG") || refuse_given
        wanted="$wanted postgresql-server-dev-$version"
    fi
    command -v apt-get >/dev/null || die "please install PostgreSQL (one of $SUPPORTED) with its server headers, libclang, a C compiler,
make, pkg-config and OpenSSL's headers: here is no apt-get that could do it. Missing now: ${wanted//$'\n'/ }"
    for package in $wanted postgresql-common; do
        has_candidate "$package" || { apt_update || die "apt-get update failed"; break; }
    done
    if [ -z "$PG_SOURCE" ] && [ -z "${version:-}" ]; then
        version=$(choose_version) || die "no PostgreSQL of $SUPPORTED in the configured package sources"
        wanted="$wanted postgresql-server-dev-$version"
    fi
    # shellcheck disable=SC2086  # a list of words
    [ -z "${wanted//[[:space:]]/}" ] || apt_install $wanted || die "installing system packages failed"
    # Postgres' headers usually bring libclang along.
    has_libclang || apt_install libclang-dev || die "installing libclang failed"
    if [ -n "${version:-}" ] && [ ! -x "/usr/lib/postgresql/$version/bin/postgres" ]; then
        unpack_server "$version" || die "getting the server of PostgreSQL $version failed"
    fi
    PG_SOURCE=$(find_postgres)
    [ -n "$PG_SOURCE" ] || [ -z "$GIVEN_PG_CONFIG" ] || refuse_given
    [ -n "$PG_SOURCE" ] || die "no usable Postgres although its packages are installed"
    choose_server_user
}

# ---- cargo-pgrx

find_cargo_pgrx() {
    local candidate
    for candidate in "$STATE/cargo-pgrx-$PGRX_VERSION/bin/cargo-pgrx" "$(command -v cargo-pgrx || true)"; do
        if [ -x "$candidate" ] && [ "$("$candidate" pgrx --version 2>/dev/null)" = "cargo-pgrx $PGRX_VERSION" ]; then
            echo "$candidate"
            return
        fi
    done
}

install_cargo_pgrx() {
    local place=$STATE/cargo-pgrx-$PGRX_VERSION
    CARGO_PGRX=$(find_cargo_pgrx)
    [ -z "$CARGO_PGRX" ] || return 0
    # Optimising it would take three times as long and gain nothing.
    run_logged "$LOGS/cargo-pgrx.log" "building cargo-pgrx $PGRX_VERSION, once (about 3 minutes)" env -u CARGO_TARGET_DIR \
        cargo install cargo-pgrx --version "=$PGRX_VERSION" --locked --debug --root "$place.part" --no-track ||
        die "building cargo-pgrx failed"
    rm -rf "$place"
    mv "$place.part" "$place"
    CARGO_PGRX=$place/bin/cargo-pgrx
}

# ---- the private copy of Postgres

PROGRAMS="postgres postmaster initdb pg_ctl pg_config psql pg_isready pgbench pg_dump pg_dumpall pg_restore createdb dropdb vacuumdb
pg_controldata pg_resetwal pg_basebackup pg_upgrade"

# Postgres finds its files relative to its programs, so a copy that keeps the layout is a Postgres of its own.
copy_postgres() {
    local tree=$1 bindir pkglibdir sharedir libdir directory program library
    bindir=$("$PG_SOURCE" --bindir)
    pkglibdir=$("$PG_SOURCE" --pkglibdir)
    sharedir=$("$PG_SOURCE" --sharedir)
    libdir=$("$PG_SOURCE" --libdir)
    mkdir -p "$tree$bindir" "$tree$pkglibdir" "$tree$sharedir"
    for program in $PROGRAMS; do
        [ ! -e "$bindir/$program" ] || cp -a "$bindir/$program" "$tree$bindir/"
    done
    cp -a "$pkglibdir/." "$tree$pkglibdir/"
    cp -a "$sharedir/." "$tree$sharedir/"
    [ -x "$bindir/postgres" ] || cp -a "$STATE/server/$PG_MAJOR/." "$tree/"
    # An extension of ours that someone installed into the system must not be what the tests see.
    rm -f "$tree$pkglibdir/$EXTENSION".so "$tree$sharedir/extension/$EXTENSION"[.-]*
    for directory in "$("$PG_SOURCE" --includedir)" "$("$PG_SOURCE" --includedir-server)"; do
        if [ ! -e "$tree$directory" ]; then
            mkdir -p "$(dirname "$tree$directory")"
            ln -s "$directory" "$tree$directory"
        fi
    done
    # Programs outside the system's directories look for their libraries beside themselves.
    case $libdir in
    /usr/lib*) ;;
    *)
        mkdir -p "$tree$libdir"
        for library in "$libdir"/lib*.so*; do
            [ -e "$tree$libdir/${library##*/}" ] || [ ! -e "$library" ] || ln -s "$library" "$tree$libdir/"
        done
        ;;
    esac
}

# is_relocated TREE: does the copy work, and report its own directories?
is_relocated() {
    local config option
    config=$1$("$PG_SOURCE" --bindir)/pg_config
    for option in --bindir --pkglibdir --sharedir --includedir-server; do
        [ "$("$config" $option 2>/dev/null)" = "$1$("$PG_SOURCE" $option)" ] || return 1
    done
    [ "$("$config" --version)" = "$("$PG_SOURCE" --version)" ] && "$("$config" --bindir)/postgres" --version >/dev/null 2>&1 &&
        "$("$config" --bindir)/psql" --version >/dev/null 2>&1
}

# The copy is made anew when the system's Postgres was updated.
make_private_postgres() {
    local tree=$CLONE/pg$PG_MAJOR/tree stamp
    stamp="$PG_SOURCE $(stat -L -c '%Y %s' "$(server_of "$PG_SOURCE")") ${PGVECTOR:-} $PROGRAMS"
    if [ "$(cat "$CLONE/pg$PG_MAJOR/stamp" 2>/dev/null)" != "$stamp" ]; then
        step "copying PostgreSQL $PG_MAJOR for this clone's use"
        "$ROOT/scripts/cluster.sh" stop-all
        rm -rf "$tree" "$CLONE/pg$PG_MAJOR/stamp"
        mkdir -p "$tree"
        copy_postgres "$tree"
        if is_relocated "$tree"; then
            :
        else
            say "    this Postgres can't be moved: its own directories will be used, and extensions installed there"
            rm -rf "$tree"
        fi
        printf '%s\n' "$stamp" >"$CLONE/pg$PG_MAJOR/stamp"
    fi
    if [ -d "$tree" ]; then
        PG_PRIVATE=$tree$("$PG_SOURCE" --bindir)/pg_config
    else
        PG_PRIVATE=$PG_SOURCE
    fi
    if is_root && ! as_server test -x "$("$PG_PRIVATE" --bindir)/postgres"; then
        die "the user $SERVER_USER, who runs Postgres, can't read $STATE: set HINTED_EXEMPLAR_CACHE to a directory that all can read"
    fi
}

# ---- pgvector: the one that Postgres has already, else the distribution's package, else its source package

# A build is kept for all clones, by pgvector's version and the exact Postgres.
install_pgvector() {
    local extensions built
    extensions=$("$PG_PRIVATE" --sharedir)/extension
    [ ! -e "$extensions/vector.control" ] || [ -n "${PGVECTOR:-}" ] || return 0
    built=$(built_pgvector "$PG_SOURCE")
    [ -z "${PGVECTOR:-}" ] || built=$built-$(printf '%s' "$PGVECTOR" | sha256sum | cut -c1-12)
    if [ ! -e "$built/vector.control" ]; then
        rm -rf "$built" "$built.part"
        mkdir -p "$built.part"
        pgvector_from_given "$built.part" || pgvector_from_package "$built.part" || pgvector_from_source "$built.part" ||
            die "no way to get pgvector here: install it for PostgreSQL $PG_MAJOR by hand (its README tells how) and repeat"
        mv "$built.part" "$built"
    fi
    step "installing pgvector $(sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$built/vector.control") into the copy"
    if [ "$PG_PRIVATE" != "$PG_SOURCE" ]; then
        rm -f "$extensions"/vector--*.sql
        cp "$built/vector.so" "$("$PG_PRIVATE" --pkglibdir)/"
        cp "$built"/vector*.sql "$built/vector.control" "$extensions/"
    else
        as_root cp "$built/vector.so" "$("$PG_PRIVATE" --pkglibdir)/"
        as_root cp "$built"/vector*.sql "$built/vector.control" "$extensions/"
    fi
}

pgvector_from_given() {
    [ -n "${PGVECTOR:-}" ] || return 1
    local work=$STATE/pgvector/given-$PG_MAJOR
    rm -rf "$work"
    cp -r "$PGVECTOR" "$work"
    build_pgvector "$work" "$1" || die "that pgvector does not build for PostgreSQL $PG_MAJOR"
}

# build_pgvector SOURCE DIRECTORY: without OPTFLAGS it is built for any processor; without LLVM no clang of one certain version is needed.
build_pgvector() {
    run_logged "$LOGS/pgvector.log" "building pgvector for PostgreSQL $PG_MAJOR" \
        make -C "$1" -j "$(nproc)" OPTFLAGS="" with_llvm=no PG_CONFIG="$PG_SOURCE" &&
        cp "$1/vector.so" "$1/vector.control" "$1"/sql/vector--*.sql "$2/" &&
        rm -rf "$1"
}

pgvector_from_package() {
    local package=postgresql-$PG_MAJOR-pgvector work=$STATE/pgvector/package-$PG_MAJOR
    [ "$("$PG_SOURCE" --pkglibdir)" = "/usr/lib/postgresql/$PG_MAJOR/lib" ] && has_candidate "$package" || return 1
    rm -rf "$work"
    mkdir -p "$work"
    # Unpacked, not installed: the system's Postgres stays as it is, and no root is needed.
    (cd "$work" && run_logged "$LOGS/pgvector.log" "fetching the package $package" apt-get -q -o APT::Sandbox::User=root download "$package") &&
        dpkg-deb -x "$work"/*.deb "$work" &&
        cp "$work/usr/lib/postgresql/$PG_MAJOR/lib/vector.so" "$work/usr/share/postgresql/$PG_MAJOR/extension"/vector* "$1/" &&
        rm -rf "$work"
}

pgvector_from_source() {
    local sources=$STATE/pgvector/source work=$STATE/pgvector/build-$PG_MAJOR archive
    # pgvector $PGVECTOR_PINNED does not compile for Postgres 18.
    case $PG_MAJOR in
    15 | 16 | 17) archive=$(fetch_pgvector "$sources/pinned" trixie "$PGVECTOR_PINNED") || archive=$(fetch_pgvector "$sources/newest" sid "") ;;
    *) archive=$(fetch_pgvector "$sources/newest" sid "") ;;
    esac || return 1
    rm -rf "$work"
    mkdir -p "$work"
    tar -xf "$archive" -C "$work" --strip-components=1
    build_pgvector "$work" "$1"
}

# fetch_pgvector DIRECTORY SUITE VERSION: the source package's archive, checked by apt. An empty VERSION means the newest.
fetch_pgvector() {
    local directory=$1 suite=$2 version=$3 found
    found=$(compgen -G "$directory/pgvector_*.orig.tar.*" | sed -n 1p) && [ -n "$found" ] && { echo "$found"; return; }
    choose_suite "$directory" "$suite" deb-src || return 1
    run_logged "$LOGS/pgvector.log" "reading Debian's list of source packages ($suite)" "${SUITE_APT[@]}" update || return 1
    if [ -n "$version" ]; then
        version=$("${SUITE_APT[@]}" -qq source --print-uris pgvector 2>/dev/null | sed -n "s/.*pgvector_\($version-[^_ ]*\)\.dsc.*/=\1/p")
        [ -n "$version" ] || say "    pgvector $PGVECTOR_PINNED is no longer in $suite, taking what there is"
    fi
    (cd "$directory" && run_logged "$LOGS/pgvector.log" "fetching pgvector's source package" \
        "${SUITE_APT[@]}" source --download-only "pgvector$version") || return 1
    rm -rf "$directory/lists" "$directory/cache"
    compgen -G "$directory/pgvector_*.orig.tar.*" | sed -n 1p
}

# ---- pgrx

configure_pgrx() {
    PGRX_HOME=$CLONE/pg$PG_MAJOR/pgrx
    export PGRX_HOME
    grep -qsF "\"$PG_PRIVATE\"" "$PGRX_HOME/config.toml" ||
        run_logged "$LOGS/pgrx-init.log" "telling pgrx about it" "$CARGO_PGRX" pgrx init "--pg$PG_MAJOR=$PG_PRIVATE" ||
        die "cargo pgrx init failed"
    # pgrx's tests ask for sudo also where they are root already.
    mkdir -p "$CLONE/bin"
    rm -f "$CLONE/bin/sudo"
    if is_root; then ln -s "$ROOT/scripts/sudo-as-root.sh" "$CLONE/bin/sudo"; fi
}

# Copies of clones that are gone.
prune_clones() {
    local other
    for other in "$CLONES"/*/; do
        other=${other%/}
        [ "$other" != "$CLONE" ] && [ -r "$other/path" ] && [ ! -e "$(cat "$other/path")" ] || continue
        flock -n "$other/lock" true || continue
        CLUSTERS="$other/run" "$ROOT/scripts/cluster.sh" stop-all && rm -rf "$other"
    done
}

check_rust
lock "$STATE/lock" "another set-up is at work; waiting for it to finish" SETUP
mkdir -p "$CLONE" "$LOGS"
printf '%s\n' "$ROOT" >"$CLONE/path"
install_system_packages
PG_MAJOR=$(major_of "$PG_SOURCE")
install_cargo_pgrx
make_private_postgres
install_pgvector
configure_pgrx
prune_clones

{
    printf 'export %s=%q\n' PG_MAJOR "$PG_MAJOR" PG_SOURCE "$PG_SOURCE" PG_PRIVATE "$PG_PRIVATE" PGRX_HOME "$PGRX_HOME"
    # Without the linker flag that cargo-pgrx adds, all cargo commands share their artefacts.
    printf 'export %s=%q\n' CARGO_PGRX_DISABLE_GC_SECTIONS_WORKAROUND 1
    printf 'PATH=%q:%q:%q:$PATH\n' "$(dirname "$CARGO_PGRX")" "$("$PG_PRIVATE" --bindir)" "$CLONE/bin"
} >"$CLONE/environment"
