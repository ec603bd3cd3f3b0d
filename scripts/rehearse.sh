#!/usr/bin/env bash
# Rehearses the release after the one that is written here, in a clone of the last commit that is thrown away: both versions are tagged, frozen,
# built and packed, and a server goes from one to the other as a user's does, under sessions that stay. Nothing is published. Takes one whole
# build and a small one; needs Debian's dpkg-dev.
#
# usage: scripts/rehearse.sh [VERSION]        (KEEP=1 keeps the packages of both; PG_CONFIG=.../pg_config names the Postgres)

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/lib.sh
. "$ROOT/tests/lib.sh"

here=$ROOT
old=$(version)
new=${1:-${old%.*}.$((${old##*.} + 1))}
place=$(mktemp -d "/tmp/$EXTENSION.XXXXXX")
chmod 755 "$place"
clone=$place/clone packages=$place/packages
mkdir "$packages"
clean_up() {
    [ ! -d "$clone" ] || in_clone "$clone/scripts/clean.sh" 2>/dev/null || true
    if [ -n "${KEEP:-}" ]; then rm -rf "$clone" "$place/root"; say "kept: $packages"; else rm -rf "$place"; fi
}
trap clean_up EXIT

# This clone's lock, folders and environment are not the other's.
in_clone() { (cd "$clone" && exec env -u HINTED_EXEMPLAR_LOCKED -u ROOT -u RUN -u LOGS -u PG_PRIVATE -u PGRX_HOME -u CARGO_TARGET_DIR "$@"); }

# part MESSAGE COMMAND...: one check, with its time; what it says is shown where it fails.
part() {
    local message=$1 since=$EPOCHREALTIME
    shift
    if "$@" >"$place/log" 2>&1 </dev/null; then
        check "$message ($(elapsed "$since") s)" true
    else
        check "$message" false
        tail -n 40 "$place/log" | sed 's/^/    | /'
    fi
}

commit() {
    git -C "$clone" add -A &&
        git -C "$clone" -c user.name="$(git log -1 --format=%an)" -c user.email="$(git log -1 --format=%ae)" commit -q -m "$1"
}
tag() { git -C "$clone" -c user.name=rehearsal -c user.email=rehearsal@localhost tag -a "v$1" -m "$1"; }

# pack VERSION: its packages, into $packages.
pack() { in_clone make deb && in_clone make dist && mv "$clone/target/packages"/*"$1"* "$packages/"; }
deb_of() { compgen -G "$packages/postgresql-*_$1-1_*.deb"; }

# ---- the version that is written here

git clone --quiet "$here" "$clone"
cd "$clone"
dated() { sed -i "s/^## $1 (unreleased)/## $1 ($(date -u +%F))/" CHANGELOG.md; }
dated "$old" && { git diff --quiet || commit "Date $old"; }
part "$old: one version everywhere" in_clone scripts/set_version.sh --check
if [ -z "$(git tag --list "v$old")" ]; then
    part "$old: built, its script frozen" in_clone make freeze
    git diff --quiet || commit "Freeze $old"
    tag "$old"
fi
# The same Postgres for all, found as setup finds it.
in_clone scripts/setup.sh
PG_CONFIG=$(in_clone bash -c '. scripts/lib.sh && load_environment && echo "$PG_SOURCE"')
export PG_CONFIG
check "$old: a frozen script is not written again" [ "$(in_clone make freeze >/dev/null 2>&1 && echo written)" = "" ]
part "$old: packed" pack "$old"

# ---- the next one: a function more, a comment and a cost that change

part "$new: opened" in_clone scripts/set_version.sh "$new"
upgrade=sql/$EXTENSION--$old--$new.sql
added="
CREATE FUNCTION hinted_exemplar_rehearsed() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN 'rehearsed';
COMMENT ON FUNCTION hinted_exemplar_rehearsed() IS 'only a rehearsal';"
changed="COMMENT ON FUNCTION hinted_exemplar_version() IS 'rehearsed';
ALTER FUNCTION hinted_exemplar_version() COST 2;"
printf '%s\n' "$added" >>sql/functions.sql
printf '%s\n' "$changed" >>sql/comments.sql
dated "$new"
# An upgrade script that lacks something must be found.
printf '%s\n' "$added" >>"$upgrade"
upgrade_test() {
    in_clone bash -c 'scripts/cluster.sh start rehearsal && eval "$(scripts/cluster.sh env rehearsal)" && tests/upgrade.sh'
}
part "$new: built, its script frozen" in_clone make freeze
upgrade_test >"$place/forgetful" 2>&1 || true
check "$new: an upgrade that forgets something is found out" grep -q "^FAILED  leaves what a new database has" "$place/forgetful"
printf '%s\n' "$changed" >>"$upgrade"
part "$new: one version everywhere" in_clone scripts/set_version.sh --check
part "$new: built anew" in_clone scripts/install.sh private
part "$new: its upgrade from $old leaves what a new database has" upgrade_test
commit "Release $new"
tag "$new"
check "$new: a frozen script is not written again" [ "$(in_clone make freeze >/dev/null 2>&1 && echo written)" = "" ]
part "$new: packed" pack "$new"
check "the frozen script of $old is in both packages" [ "$(for deb in "$packages"/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -xO --wildcards "*/$EXTENSION--$old.sql" | sha256sum; done | sort | uniq -c | awk '{ print $1 }')" = 2 ]
check "the package of $new says what is new" [ "$(dpkg-deb --fsys-tarfile "$(deb_of "$new")" | tar -xO --wildcards '*/changelog.Debian.gz' | zcat |
    head -n 1)" = "hinted-exemplar ($new-1) unstable; urgency=medium" ]
if command -v lintian >/dev/null; then
    part "lintian has nothing to say of either" env TMPDIR="$place" lintian --allow-root --no-cfg --fail-on error,warning "$packages"/*.deb
fi
sums() { (cd "$packages" && sha256sum -- *.deb *.zip >SHA256SUMS && sha256sum -c --quiet SHA256SUMS); }
part "their sums" sums

# ---- a server that goes from one to the other

part "a server goes from one to the other" in_clone scripts/upgrade_server.sh "$(deb_of "$old")" "$(deb_of "$new")"
cat "$place/log"
cat "$packages/SHA256SUMS"
finish
