#!/usr/bin/env bash
# Compiles the core for arm64 and runs its tests as such, emulated: all paths through the kernels, NEON among them, must give the same bits.
# A Rust toolchain brings the standard library of its own machine only, so Debian's newest compiler is unpacked, with that for arm64
# beside it; it is not installed. Needs Debian, on x86-64, and 1 GB.
#
# usage: scripts/arm64.sh

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ "$(uname -m)" = x86_64 ] || die "this machine is not x86-64; on arm64, make test is all it takes"
place=$STATE/arm64 target=aarch64-unknown-linux-gnu
lock "$STATE/arm64.lock" "another run prepares this; waiting for it to finish" ARM64

# Debian's cross compiler links, its emulator runs what was linked.
install_tools() {
    local command=(as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends
        gcc gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user)
    if command -v aarch64-linux-gnu-gcc qemu-aarch64 >/dev/null && [ -d /usr/aarch64-linux-gnu ]; then return; fi
    run_logged "$LOGS/arm64-tools.log" "installing a cross compiler and an emulator" "${command[@]}" && return
    run_logged "$LOGS/arm64-tools.log" "reading the lists of packages" as_root apt-get -q update &&
        run_logged "$LOGS/arm64-tools.log" "once more with new lists" "${command[@]}"
}

# The compiler with all that it is linked against: it is newer than the libraries here.
unpack_compiler() {
    local work=$place.new package
    [ ! -x "$place/rustc" ] || return 0
    rm -rf "$work"
    mkdir -p "$work/packages" "$work/root"
    # As on a system without any packages.
    touch "$work/status"
    choose_suite "$work" sid deb -o "Dir::State::status=$work/status" \
        -o APT::Architecture=amd64 -o APT::Architectures::=amd64 -o APT::Architectures::=arm64 ||
        die "this is no Debian: there is no compiler for arm64 to be had"
    run_logged "$LOGS/arm64-compiler.log" "reading Debian's lists of packages (sid)" "${SUITE_APT[@]}" update || return 1
    run_logged "$LOGS/arm64-compiler.log" "fetching a compiler for arm64" "${SUITE_APT[@]}" install -y --no-install-recommends --download-only \
        libstd-rust-dev:amd64 || return 1
    (cd "$work/packages" && run_logged "$LOGS/arm64-compiler.log" "fetching its standard library" "${SUITE_APT[@]}" download \
        rustc:amd64 libstd-rust-dev:arm64) || return 1
    for package in "$work"/cache/archives/*.deb "$work"/packages/*.deb; do dpkg-deb -x "$package" "$work/root"; done
    rm -rf "$work/lists" "$work/cache" "$work/packages" "$work/sources.list" "$work/status"
    cat >"$work/rustc" <<'END'
#!/bin/sh
root=$(dirname "$0")/root/usr
exec "$root/lib64/ld-linux-x86-64.so.2" --library-path "$root/lib/x86_64-linux-gnu" "$root/bin/rustc" --sysroot "$root" "$@"
END
    chmod +x "$work/rustc"
    rm -rf "$place"
    mv "$work" "$place"
}

install_tools || die "installing system packages failed"
unpack_compiler || die "getting a compiler for arm64 failed"
step "the core's tests on arm64, compiled by $("$place/rustc" --version)"
cd "$ROOT"
export RUSTC=$place/rustc CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$ROOT/target}/arm64 CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu"
cargo test --locked --no-default-features --lib --target "$target"
