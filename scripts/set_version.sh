#!/usr/bin/env bash
# Opens a version: its number wherever one stands, its heading in CHANGELOG.md, and the upgrade script from the version before, empty as yet.
#
# usage: scripts/set_version.sh VERSION
#        scripts/set_version.sh --check        fails where one place says something else, or where what was released has changed

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$ROOT" || exit
LOCKS=(Cargo.lock fuzz/Cargo.lock)
# Pages that name files of a release.
PAGES=(docs/installing.md docs/python.md)
FILES='s/\(hinted-exemplar_\|hinted_exemplar-\)[0-9]\+\.[0-9]\+\.[0-9]\+-/\1VERSION-/g'

# locked FILE: the versions of the crates that are here.
locked() { awk 'BEGIN { RS = "" } /^\[\[package/ && !/\nsource = / && !/"hinted-exemplar-fuzz"/ { match($0, /\nversion = "[^"]*/); print substr($0, RSTART + 12, RLENGTH - 12) }' "$1"; }

check() {
    local version tag script page wrong=()
    version=$(version)
    [ "$(grep -c "\"version\": \"$version\"" META.json)" = 2 ] || wrong+=("META.json has not twice \"$version\"")
    for file in "${LOCKS[@]}"; do [ "$(locked "$file" | sort -u)" = "$version" ] || wrong+=("$file has other versions: cargo metadata"); done
    [[ $(grep -m 1 '^## ' CHANGELOG.md) = "## $version ("*")" ]] || wrong+=("the first heading of CHANGELOG.md is not \"## $version (...)\"")
    for page in "${PAGES[@]}"; do
        [ -z "$(sed "${FILES//VERSION/$version}" "$page" | diff - "$page")" ] || wrong+=("$page names files of another version")
    done
    # What a release holds is what its databases have.
    for tag in $(git tag --list 'v[0-9]*' 2>/dev/null); do
        script=sql/$EXTENSION--${tag#v}.sql
        [ ! -e "$script" ] && wrong+=("$script is gone") || git diff --quiet "$tag" -- "$script" || wrong+=("$script is not what was released")
        for script in "sql/$EXTENSION--"*"--${tag#v}.sql"; do
            [ ! -e "$script" ] || git diff --quiet "$tag" -- "$script" || wrong+=("$script is not what was released")
        done
    done
    [ ${#wrong[@]} = 0 ] || die "$(printf '%s\n' "${wrong[@]}")"
}

open() {
    local new=$1 old lock page script
    old=$(version)
    [[ $new =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || die "a version is three numbers, as in 0.2.0"
    [ "$new" != "$old" ] && printf '%s\n' "$old" "$new" | sort -V -C || die "$new is not newer than $old"
    sed -i "/^\[workspace.package\]/,/^\[/ s/^version = .*/version = \"$new\"/" Cargo.toml
    sed -i "s/\"version\": \"$old\"/\"version\": \"$new\"/" META.json
    for lock in "${LOCKS[@]}"; do
        awk -v old="version = \"$old\"" -v new="version = \"$new\"" 'BEGIN { RS = ""; ORS = "\n\n" } !/\nsource = / { sub(old, new) } { print }' "$lock" |
            sed '$d' >"$lock.new"
        mv "$lock.new" "$lock"
    done
    for page in "${PAGES[@]}"; do sed -i "${FILES//VERSION/$new}" "$page"; done
    # A version that no one has needs no way from it.
    if [ -e "sql/$EXTENSION--$old.sql" ]; then
        script=sql/$EXTENSION--$old--$new.sql
        printf '%s\n' "-- complain if this is run by psql instead of by ALTER EXTENSION" \
            "\\echo Use \"ALTER EXTENSION $EXTENSION UPDATE TO '$new'\" to load this file. \\quit" >"$script"
        say "wrote $script: each change of SQL goes there too"
    fi
    awk -v heading="## $new (unreleased)" '/^## / && !done++ { print heading "\n\n- After installing: `ALTER EXTENSION hinted_exemplar UPDATE`\n" } { print }' \
        CHANGELOG.md >CHANGELOG.md.new
    mv CHANGELOG.md.new CHANGELOG.md
    check
    say "this is $new now"
}

case ${1:-} in
--check) check ;;
'' | -*) die "usage: scripts/set_version.sh VERSION | --check" ;;
*) open "$1" ;;
esac
