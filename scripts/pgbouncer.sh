#!/usr/bin/env bash
# Prints a PgBouncer that keeps prepared statements in transaction mode (1.21 or newer), for tests alone: the system's, or that of Debian's
# unstable suite, unpacked with the libraries that it wants and not installed.
#
# usage: scripts/pgbouncer.sh

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

place=$STATE/pgbouncer
program=$place/pgbouncer

is_new() { printf '%s\n' 1.21 "$("$1" --version 2>/dev/null | sed -n 's/^PgBouncer //p')" | sort -V -C; }

from_unstable() {
    local work=$place.new package loader
    rm -rf "$work"
    mkdir -p "$work/root"
    touch "$work/status"
    choose_suite "$work" sid deb -o "Dir::State::status=$work/status" || return 1
    run_logged "$LOGS/pgbouncer.log" "reading Debian's lists of packages (sid)" "${SUITE_APT[@]}" update || return 1
    run_logged "$LOGS/pgbouncer.log" "fetching PgBouncer, for tests only" \
        "${SUITE_APT[@]}" install -y --no-install-recommends --download-only pgbouncer || return 1
    for package in "$work"/cache/archives/{pgbouncer,lib}*.deb; do dpkg-deb -x "$package" "$work/root" || return 1; done
    loader=$(find "$work/root" -name 'ld-linux*.so.*' | sed -n 1p)
    [ -n "$loader" ] || return 1
    rm -rf "$place" "$work/cache" "$work/lists"
    mv "$work" "$place"
    # Its libraries are newer than this system's, the loader of programs among them.
    printf '#!/bin/sh\nexec %q --library-path %q %q "$@"\n' "$place${loader#"$work"}" "$place/root/usr/lib/$(gcc -print-multiarch)" \
        "$place/root/usr/sbin/pgbouncer" >"$program"
    chmod 755 "$program"
}

if system=$(command -v pgbouncer) && is_new "$system"; then
    echo "$system"
    exit
fi
is_new "$program" || from_unstable >&2 || die "no PgBouncer of 1.21 or newer can be had here"
is_new "$program" || die "that PgBouncer does not run here"
echo "$program"
