# shellcheck shell=bash
# A copy of this clone's Postgres that dpkg takes for a system of its own. Sourced.

# Of a Postgres that is only unpacked somewhere, there is no package that a .deb could go with.
has_scratch_root() {
    local bindir major tree
    bindir=$(pg_config --bindir) major=$(pg_config --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
    tree=${bindir%/usr/lib/postgresql/*}
    command -v dpkg-shlibdeps >/dev/null && { [ "$(id -u)" = 0 ] || command -v fakeroot >/dev/null; } &&
        [[ $bindir = "$tree/usr/lib/postgresql/$major/bin" && $tree = */pg$major/tree ]]
}

# make_root DIRECTORY: less what this clone has installed there.
make_root() {
    local bindir
    bindir=$(pg_config --bindir)
    cp -a "${bindir%/usr/lib/postgresql/*}" "$1"
    rm -f "$1$(pg_config_below --pkglibdir)"/hinted_exemplar* "$1$(pg_config_below --sharedir)/extension"/hinted_exemplar*
    mkdir -p "$1/var/lib/dpkg/"{info,updates,triggers}
    touch "$1/var/lib/dpkg/status"
}

# pg_config_below OPTION: the directory, as seen from the root of this clone's Postgres.
pg_config_below() { pg_config "$1" | sed 's,^.*\(/usr/\(lib\|share\)/postgresql/\),\1,'; }

# dpkg_in DIRECTORY ARGUMENT...: Postgres and pgvector are there, but not as packages.
dpkg_in() {
    local root=$1 as_root=()
    shift
    [ "$(id -u)" = 0 ] || as_root=(fakeroot)
    PATH=$PATH:/usr/sbin:/sbin "${as_root[@]}" dpkg --root="$root" --force-not-root --force-depends --force-script-chrootless "$@"
}

# start_from NAME BINDIR: a cluster of the programs there, which the environment then points to.
start_from() {
    PROGRAMS=$2 "$ROOT/scripts/cluster.sh" start "$1" >/dev/null 2>&1 || return 1
    eval "$("$ROOT/scripts/cluster.sh" env "$1")"
    PATH=$2:$PATH
}
