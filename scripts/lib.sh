# shellcheck shell=bash
# What the other scripts share: messages, running things as the right user, where state is kept. Sourced, not run.

set -euo pipefail
umask 022
# Programs like psql take an interrupt as theirs and go on: what called them must not.
trap 'exit 130' INT TERM HUP

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
EXTENSION=hinted_exemplar
PGRX_VERSION=0.18.1
export ROOT EXTENSION PGRX_VERSION

# A user's own connection settings, psql habits and back traces must not leak into private clusters and expected outputs. A script that
# sets USES_SERVER works with the server that the caller's settings name.
for variable in $(compgen -e PG); do
    case $variable in
    PG_CONFIG | PG_CONFIGS | PGVECTOR | PGVECTORS | PGRX_*) ;;
    PGHOST | PGPORT | PGUSER | PGPASSWORD | PGPASSFILE) [ -n "${USES_SERVER:-}" ] || unset "$variable" ;;
    *) unset "$variable" ;;
    esac
done
unset variable RUST_BACKTRACE CDPATH
export PGCLIENTENCODING=UTF8 PSQLRC=/dev/null

# Debian gives the system's own programs (runuser among them) to root's PATH only, and sudo or su may keep the caller's.
for directory in /usr/sbin /sbin; do
    case :$PATH: in *:$directory:*) ;; *) PATH=$PATH:$directory ;; esac
done
unset directory

# Rust's installer changes only the shells that are started after it.
if ! command -v cargo >/dev/null && [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
    PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH
fi

# ---- messages

say() { printf '%s\n' "$*" >&2; }
step() { say "==> $*"; }
die() { say "error: $*"; exit 1; }

# elapsed SINCE: the seconds since an earlier value of EPOCHREALTIME, with one decimal.
elapsed() {
    local tenths=$((${EPOCHREALTIME/[.,]/} / 100000 - ${1/[.,]/} / 100000))
    printf '%d.%d' $((tenths / 10)) $((tenths % 10))
}

# run_logged LOG MESSAGE COMMAND...: the command's output goes to LOG; a line every 20 seconds shows that it is still at work,
# and if it fails, the end of the log says why.
run_logged() {
    local log=$1 message=$2 since=$EPOCHREALTIME status=0 pulse
    shift 2
    mkdir -p "$(dirname "$log")"
    step "$message"
    : >"$log"
    # Waits by the shell's own read, so that no sleep is left behind.
    (
        exec {never}<> <(:)
        while kill -0 $$ 2>/dev/null; do
            for _ in {1..10}; do read -r -t 2 -u "$never" || kill -0 $$ 2>/dev/null || exit 0; done
            say "    ... $(elapsed "$since") s: $(tail -n 1 "$log" | tr -d '\r' | cut -c1-100)"
        done
    ) </dev/null &
    pulse=$!
    "$@" >>"$log" 2>&1 || status=$?
    kill "$pulse" 2>/dev/null || true
    wait "$pulse" 2>/dev/null || true
    if [ "$status" = 0 ]; then
        say "    done in $(elapsed "$since") s"
    else
        say "    FAILED after $(elapsed "$since") s; the end of $log:"
        tail -n "${LOG_TAIL:-60}" "$log" | sed 's/^/    | /' >&2
    fi
    return "$status"
}

# ---- users

is_root() { [ "$(id -u)" = 0 ]; }

# as_root COMMAND...: directly or by sudo; fails, saying what to run, where neither is possible.
as_root() {
    if is_root; then
        "$@"
    elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
        sudo "$@"
    else
        die "this needs root and there is no sudo: run it as root and then repeat what you did:
    $*"
    fi
}

# Postgres refuses to run as root.
choose_server_user() {
    if ! is_root; then
        SERVER_USER=$(id -un)
    elif getent passwd postgres >/dev/null; then
        SERVER_USER=postgres
    else
        SERVER_USER=nobody
    fi
}
choose_server_user

# as_server COMMAND...: from a directory that any user may be in.
as_server() {
    if is_root; then
        (cd / && runuser -u "$SERVER_USER" -- "$@")
    else
        (cd / && "$@")
    fi
}

# ---- packages

# choose_suite DIRECTORY SUITE TYPE [OPTION...]: sets SUITE_APT to an apt-get for packages of another suite of Debian, of type deb or deb-src, from
# the mirror that this Debian is configured with. Its lists are kept in DIRECTORY, apart from the system's.
choose_suite() {
    local directory=$1 suite=$2 type=$3 origin mirror
    shift 3
    grep -qx 'ID=debian' /etc/os-release && command -v apt-get >/dev/null || return 1
    # Origins are known only once lists have been read.
    for origin in 'Origin: Debian' 'Created-By: Packages'; do
        mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE)' 'Created-By: Packages' "$origin" |
            awk '!/security|backports/ && !found++ { print $1 }')
        [ -z "$mirror" ] || break
    done
    [ -n "$mirror" ] || return 1
    mkdir -p "$directory/lists/partial" "$directory/cache/archives/partial"
    echo "$type [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$directory/sources.list"
    # shellcheck disable=SC2034 # for the caller
    SUITE_APT=(apt-get -q -o "Dir::Etc::SourceList=$directory/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o "Dir::State::Lists=$directory/lists" -o "Dir::Cache=$directory/cache" -o APT::Sandbox::User=root "$@")
}

# ---- places

# All that is fetched or built outside target/. Under root it must be readable for the server's user, so not below /root.
if [ -n "${HINTED_EXEMPLAR_CACHE:-}" ]; then
    STATE=$HINTED_EXEMPLAR_CACHE
elif is_root; then
    STATE=/var/cache/hinted_exemplar
else
    STATE=${XDG_CACHE_HOME:-$HOME/.cache}/hinted_exemplar
fi
# What belongs to this clone alone, so that two clones don't disturb one another.
CLONES=$STATE/clones
CLONE=$CLONES/$(printf '%s' "$ROOT" | sha256sum | cut -c1-12)
RUN=$CLONE/run
LOGS=$CLONE/logs
export STATE RUN LOGS

# lock NAME MESSAGE: waits for other runs; the lock ends with this process and those that inherit the descriptor.
lock() {
    local file=$1 message=$2 descriptor
    mkdir -p "$(dirname "$file")"
    exec {descriptor}>"$file"
    if ! flock -n "$descriptor"; then
        say "$message"
        flock "$descriptor"
    fi
    printf -v "LOCK_$3" '%s' "$descriptor"
}

# One run at a time in a clone. Scripts that are called by one that holds the lock don't take it again.
lock_clone() {
    [ -z "${HINTED_EXEMPLAR_LOCKED:-}" ] || return 0
    lock "$CLONE/lock" "another run is at work in this clone; waiting for it to finish" CLONE
    export HINTED_EXEMPLAR_LOCKED=$LOCK_CLONE
}

# What setup.sh found out: PG_MAJOR, PG_SOURCE (the pg_config of the Postgres that the private copy is made of), PG_PRIVATE (that of
# the copy), PGRX_HOME, and a PATH with cargo-pgrx and the copy's programs.
load_environment() {
    [ -r "$CLONE/environment" ] || die "not set up yet: run make setup"
    # shellcheck source=/dev/null
    . "$CLONE/environment"
    # That user may have come with the packages.
    choose_server_user
}

# ---- the extension, built and installed

# real_config PG_CONFIG: the pg_config beside the programs; Debian's on the PATH is a script that stands in for the newest.
real_config() {
    local real
    real=$("$1" --bindir)/pg_config
    if [ -x "$real" ]; then echo "$real"; else echo "$1"; fi
}

major_of() { "$1" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/'; }

# built_pgvector PG_CONFIG: the folder of the pgvector that setup.sh has built for it, for all clones.
built_pgvector() { echo "$STATE/pgvector/pg$(major_of "$1")-$("$1" | sha256sum | cut -c1-12)"; }

# source_of PG_CONFIG: for a clone's private copy, that of the Postgres that it is a copy of.
source_of() { echo "${1#"$CLONES"/*/pg*/tree}"; }

# stage_of PG_CONFIG: the folder that holds what was built for it: lib/ and extension/.
stage_of() {
    local source
    source=$(source_of "$1")
    echo "${CARGO_TARGET_DIR:-$ROOT/target}/stage/pg$(major_of "$source")-$("$source" | sha256sum | cut -c1-12)"
}

# The one version of all: Cargo.toml's.
version() { sed -n '/^\[workspace.package\]/,/^\[/ s/^version *= *"\(.*\)"/\1/p' "$ROOT/Cargo.toml"; }

# is_current FILE: made, and no source is newer?
is_current() {
    local sources=() name
    for name in Cargo.toml Cargo.lock "$EXTENSION.control" .cargo src crates sql; do
        [ ! -e "$ROOT/$name" ] || sources+=("$ROOT/$name")
    done
    [ -e "$1" ] && [ -z "$(find "${sources[@]}" -newer "$1" -print -quit)" ]
}

# is_staged PG_CONFIG: is what was built for it current?
is_staged() { is_current "$(stage_of "$1")/done"; }

# The compiler's flags, in the form whose words may hold spaces: no folder of the one who builds may stand in the library.
encoded_flags() {
    local flags sources
    read -r -a flags <<<"${RUSTFLAGS:-}"
    for sources in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/; do
        [ ! -d "$sources" ] || flags+=("--remap-path-prefix=${sources%/}=crates")
    done
    flags+=("--remap-path-prefix=$(rustc --print sysroot)=rust" "--remap-path-prefix=${CARGO_TARGET_DIR:-$ROOT/target}=target"
        "--remap-path-prefix=$ROOT=$EXTENSION")
    local IFS=$'\x1f'
    printf '%s' "${flags[*]}"
}

# stage_extension: builds it, as users get it, into the folder of the Postgres that is set up. Always with the private copy's pg_config:
# pgrx builds its bindings anew when it is told of another one.
stage_extension() {
    local stage work built script
    ! is_staged "$PG_SOURCE" || return 0
    stage=$(stage_of "$PG_SOURCE") work=$(stage_of "$PG_SOURCE").new
    rm -rf "$work" "$stage/done"
    mkdir -p "$work/lib" "$work/extension" "$stage"
    touch "$work/done"
    (
        cd "$ROOT"
        CARGO_ENCODED_RUSTFLAGS=$(encoded_flags) cargo pgrx package --pg-config "$PG_PRIVATE" \
            --no-default-features --features "pg$PG_MAJOR" --out-dir "$work/root"
    ) || return 1
    built=$work/root$("$PG_PRIVATE" --sharedir)/extension
    cp "$work/root$("$PG_PRIVATE" --pkglibdir)/$EXTENSION".* "$work/lib/" &&
        cp "$built/$EXTENSION.control" "$work/extension/" &&
        cp "$built/$EXTENSION--$(version).sql" "$work/generated.sql" || return 1
    # Released scripts are frozen; a version that is not has what was generated.
    cp "$work/generated.sql" "$work/extension/$EXTENSION--$(version).sql"
    for script in "$ROOT/sql/$EXTENSION"--*.sql; do [ ! -e "$script" ] || cp "$script" "$work/extension/"; done
    rm -rf "$work/root" "$stage" && mv "$work" "$stage"
}

# put MODE FILE DIRECTORY: by rename, so that sessions which have the old library mapped keep it. Rewriting its inode would crash them.
put() {
    local target=$3/${2##*/}
    "${AS_OWNER[@]}" install -m "$1" "$2" "$target.new$$" && "${AS_OWNER[@]}" mv -f "$target.new$$" "$target"
}

# owner_of DIRECTORY...: sets AS_OWNER to what may write there: nothing, or a way to be root.
owner_of() {
    local directory
    AS_OWNER=()
    for directory; do
        while [ ! -e "$directory" ]; do directory=$(dirname "$directory"); done
        [ -w "$directory" ] || AS_OWNER=(as_root)
    done
}

# install_staged PG_CONFIG: below DESTDIR if that is set. The library comes before what calls it.
install_staged() {
    local stage library extension file
    stage=$(stage_of "$1") library=${DESTDIR:-}$("$1" --pkglibdir) extension=${DESTDIR:-}$("$1" --sharedir)/extension
    owner_of "$library" "$extension"
    "${AS_OWNER[@]}" install -d -m 755 "$library" "$extension" || return 1
    for file in "$stage/lib"/*; do put 644 "$file" "$library" || return 1; done
    for file in "$stage/extension"/*.sql "$stage/extension"/*.control; do put 644 "$file" "$extension" || return 1; done
}

# install_extension: builds it and installs it into the private copy.
install_extension() { stage_extension && install_staged "$PG_PRIVATE"; }

# python_with NAME "MODULES" PACKAGE...: sets PYTHON to one that has these modules, in a virtual environment of this name that is made once.
python_with() {
    local venv=$STATE/$1-venv log=$LOGS/$1-venv.log modules=$2
    shift 2
    command -v python3 >/dev/null || die "python3 is needed for what this compares with"
    PYTHON=$venv/bin/python
    "$PYTHON" -c "import $modules" 2>/dev/null || run_logged "$log" "installing $* for comparison" \
        bash -c 'venv=$1; shift; python3 -m venv "$venv" && "$venv/bin/pip" install --quiet "$@"' - "$venv" "$@" || die "pip failed"
}
