#!/usr/bin/env bash
# The packages: what is in them, and that they work from there. The Debian package is installed by dpkg into a copy of this clone's Postgres,
# used, replaced under a living session and removed; on PostgreSQL 18 the folder of the extension image is found by the server's own paths.

# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/tools/scratch_root.sh
. "$ROOT/tests/tools/scratch_root.sh"

if ! command -v python3 >/dev/null; then
    echo "skipped packages: their notices are written by python3"
    echo "0 passed, 0 failed, 1 skipped"
    exit
fi

config=$(command -v pg_config)
major=$(pg_config --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
bindir=$(pg_config --bindir)
packages=${CARGO_TARGET_DIR:-$ROOT/target}/packages
place=$(mktemp -d /tmp/hinted_exemplar.XXXXXX)
chmod 755 "$place"
library=$(pg_config --pkglibdir) extensions=$(pg_config --sharedir)/extension
hide() {
    mkdir "$place/library" "$place/extensions"
    mv "$library"/hinted_exemplar.* "$place/library/" && mv "$extensions"/hinted_exemplar[.-]* "$place/extensions/"
}
clean_up() {
    [ ! -d "$place/library" ] || mv "$place/library"/* "$library/"
    [ ! -d "$place/extensions" ] || mv "$place/extensions"/* "$extensions/"
    "$ROOT/scripts/cluster.sh" stop packages
    rm -rf "$place"
}
trap clean_up EXIT

package() { PG_CONFIG=$config "$ROOT/scripts/package.sh" "$1" >"$place/log" 2>&1; }
holds() { dpkg-deb -c "$deb" | awk '{ print $6 }' | grep -q "^\.$1\$"; }

# use BINDIR: a server of the programs there, and a table to search.
use() {
    start_from packages "$1" || return 1
    query "CREATE EXTENSION hinted_exemplar CASCADE;
           CREATE TABLE items AS SELECT i AS id, ('[' || i % 7 || ',' || i % 5 || ',1]')::vector AS v FROM generate_series(1, 300) i" >/dev/null
}
call="SELECT md5(vector_send(hinted_exemplar('items', 'v', exemplar => '[1,2,1]', hint => '[0,1,0]')))"

# ---- Debian

if has_scratch_root; then
    check "make deb" package deb
    deb=$(tail -n 1 "$place/log")
    for file in "/usr/lib/postgresql/$major/lib/hinted_exemplar.so" "/usr/share/postgresql/$major/extension/hinted_exemplar.control" \
        "/usr/share/doc/postgresql-$major-hinted-exemplar/copyright" "/usr/share/doc/postgresql-$major-hinted-exemplar/THIRD-PARTY-NOTICES.gz"; do
        check "has $file" holds "$file"
    done
    dpkg-deb -x "$deb" "$place/unpacked"
    check "no folder of its builder is inside" [ "$(grep -rlF -e "$ROOT" -e "${CARGO_HOME:-$HOME/.cargo}" "$place/unpacked" | wc -l)" = 0 ]
    check "its notices name what is linked" [ "$(zgrep -c -E '^(pgrx|ndarray|serde) [0-9]' "$place/unpacked"/usr/share/doc/*/THIRD-PARTY-NOTICES.gz)" = 3 ]
    if command -v lintian >/dev/null; then
        TMPDIR=$place lintian --allow-root --no-cfg --fail-on error,warning "$deb" >"$place/lintian" 2>&1 && verdict=0 || verdict=1
        check "lintian has nothing to say" [ "$verdict" = 0 ] || cat "$place/lintian"
    fi
    first=$(sha256sum <"$deb")
    check "made again" package deb
    check "it is the same, to the byte" [ "$(sha256sum <"$deb")" = "$first" ]

    make_root "$place/root"
    before=$(cd "$place/root" && find . | sort)
    system() { dpkg_in "$place/root" "$@" >"$place/log" 2>&1; }
    check "dpkg installs it" system -i "$deb"
    check "a server there has the extension" use "$place/root/usr/lib/postgresql/$major/bin"
    answer=$(query "$call")
    check "and fits" [ ${#answer} = 32 ]
    mkfifo "$place/commands"
    psql -X -q -A -t -v ON_ERROR_STOP=1 <"$place/commands" >"$place/answers" 2>&1 &
    exec {commands}>"$place/commands"
    echo "$call;" >&"$commands"
    for _ in {1..200}; do [ -s "$place/answers" ] && break; sleep 0.05; done
    check "dpkg replaces it under a session" system -i "$deb"
    echo "$call;" >&"$commands"
    exec {commands}>&-
    wait $! || true
    check "which goes on" [ "$(grep -c "^$answer\$" "$place/answers")" = 2 ]
    query "DROP EXTENSION hinted_exemplar" >/dev/null
    check "dpkg removes it" system -P "postgresql-$major-hinted-exemplar"
    rm -rf "$place/root/var"
    check "and leaves nothing" [ "$(cd "$place/root" && find . | sort | grep -v -e '^\./etc' -e '^\./var')" = "$(grep -v -e '^\./etc' -e '^\./var' <<<"$before")" ]
    "$ROOT/scripts/cluster.sh" stop packages
else
    echo "skipped: no .deb is made here"
fi

# ---- the extension image's folder

check "the folder of an image" package image
image=$packages/image-pg$major
check "has the licences" [ -s "$image/licenses/THIRD-PARTY-NOTICES" ]
if [ "$major" -ge 18 ]; then
    # What is in the server's own directories stands aside meanwhile.
    hide
    cp -a "$image" "$place/extension"
    export SETTINGS="extension_control_path = '\$system:$place/extension/share'
dynamic_library_path = '\$libdir:$place/extension/lib'"
    check "PostgreSQL $major finds it by its paths" use "$bindir"
    check "and fits" [ "$(query "$call" | wc -c)" = 33 ]
else
    echo "skipped: extension_control_path came with PostgreSQL 18"
fi

# ---- PGXN

version=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$image/share/extension/hinted_exemplar.control")
meta() { python3 -c 'import json, sys; m = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$ROOT/META.json" "$1"; }
check "META.json has the version" [ "$(meta 'm["version"]')" = "$version" ]
check "twice" [ "$(meta 'm["provides"]["hinted_exemplar"]["version"]')" = "$version" ]
check "and names a file that is there" [ -e "$ROOT/$(meta 'm["provides"]["hinted_exemplar"]["file"]')" ]
finish
