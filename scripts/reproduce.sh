#!/usr/bin/env bash
# Builds the packages of the last commit twice and compares them byte for byte: in two folders of other names, with the crates elsewhere, another time zone,
# another language and other permissions. Takes two whole builds.
#
# usage: scripts/reproduce.sh [KIND...]        (deb pgxn image, or what is named; PG_CONFIG=.../pg_config names the Postgres)

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ $# -gt 0 ] || set -- deb pgxn image
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
mkdir -p "$place/one" "$place/another folder/of a longer name"

# cargo_home DIRECTORY: one in another place, with the crates that are here already.
cargo_home() {
    local entry
    mkdir -p "$1"
    for entry in "${CARGO_HOME:-$HOME/.cargo}"/*; do ln -s "$entry" "$1/"; done
}

# What is committed meanwhile is of neither.
git clone --quiet "$ROOT" "$place/one/clone"
(umask 077 && git clone --quiet "$place/one/clone" "$place/another folder/of a longer name/clone")

# build FOLDER SETTING...: what is built of the clone there; the clone's own scripts build it.
build() {
    local clone=$1/clone kind
    shift
    for kind in $KINDS; do
        # This clone's lock, folders and environment are not the other's.
        env -u HINTED_EXEMPLAR_LOCKED -u ROOT -u RUN -u LOGS -u PG_PRIVATE -u PGRX_HOME -u CARGO_TARGET_DIR "$@" "$clone/scripts/package.sh" "$kind"
    done
}

KINDS=$*
(umask 022 && build "$place/one" TZ=UTC LC_ALL=C)
cargo_home "$place/crates elsewhere"
(umask 077 && build "$place/another folder/of a longer name" TZ=Asia/Tokyo LC_ALL=C.UTF-8 CARGO_HOME="$place/crates elsewhere")

packages() { (cd "$1/clone/target/packages" && find . -type f -exec stat -c '%A %s %n' {} + | LC_ALL=C sort -k3 && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum); }
packages "$place/one" >"$place/first"
packages "$place/another folder/of a longer name" >"$place/second"
[ -s "$place/first" ] || die "nothing was built"
if ! diff -u "$place/first" "$place/second" >&2; then
    [ -z "${KEEP:-}" ] || { trap - EXIT; say "kept: $place"; }
    die "the packages differ"
fi
grep -v '^-' "$place/first"
say "built twice, the packages are the same bytes"
