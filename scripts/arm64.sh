#!/usr/bin/env bash
# Compiles the core for arm64 and runs its tests as such, emulated: all paths through the kernels, NEON among them, must give the same bits.
# A Rust toolchain brings the standard library of its own machine only, so Debian's newest compiler is unpacked, with that for arm64
# beside it; it is not installed. Needs Debian, on x86-64, and 1 GB.
#
# usage: scripts/arm64.sh [ARGUMENT...]        (for cargo test: --release tests what users get)

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ "$(uname -m)" = x86_64 ] || die "this machine is not x86-64; on arm64, make test is all it takes"
command -v cargo >/dev/null || die "no Rust toolchain found. Install one with rustup (https://rustup.rs) and repeat."
place=$STATE/arm64 target=aarch64-unknown-linux-gnu libraries=/usr/aarch64-linux-gnu
lock "$STATE/arm64.lock" "another run prepares this; waiting for it to finish" ARM64
trap 'rm -rf "$place.new"' EXIT

has_tools() {
    local tool
    # Asked for several at once, command -v is content with one of them.
    for tool in cc aarch64-linux-gnu-gcc qemu-aarch64; do command -v "$tool" >/dev/null || return 1; done
    [ -e "$libraries/lib/crt1.o" ] && [ -e "$libraries/lib/ld-linux-aarch64.so.1" ]
}

# Debian's cross compiler links, its emulator runs what was linked.
install_tools() {
    local command=(as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends
        gcc libc6-dev gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user)
    ! has_tools || return 0
    run_logged "$LOGS/arm64-tools.log" "installing a cross compiler and an emulator" "${command[@]}" && return
    run_logged "$LOGS/arm64-tools.log" "reading the lists of packages" as_root apt-get -q update &&
        run_logged "$LOGS/arm64-tools.log" "once more with new lists" "${command[@]}"
}

# One that is there may have become too old.
has_compiler() {
    local wanted have
    wanted=$(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' "$ROOT/Cargo.toml")
    [ -x "$place/rustc" ] && have=$("$place/rustc" --version | cut -d' ' -f2) && printf '%s\n' "$wanted" "$have" | sort -V -C
}

# The compiler with all that it is linked against: it is newer than the libraries here. From testing, because there, other than in
# sid, a package is always of the same version for all machines, which the two standard libraries must be.
unpack_compiler() {
    local work=$place.new package
    ! has_compiler || return 0
    rm -rf "$work"
    mkdir -p "$work/packages" "$work/root"
    # As on a system without any packages.
    touch "$work/status"
    choose_suite "$work" testing deb -o "Dir::State::status=$work/status" \
        -o APT::Architecture=amd64 -o APT::Architectures::=amd64 -o APT::Architectures::=arm64 ||
        die "this is no Debian: there is no compiler for arm64 to be had"
    run_logged "$LOGS/arm64-compiler.log" "reading Debian's lists of packages (testing)" "${SUITE_APT[@]}" update || return 1
    run_logged "$LOGS/arm64-compiler.log" "fetching a compiler for arm64 (150 MB)" \
        "${SUITE_APT[@]}" install -y --no-install-recommends --download-only libstd-rust-dev:amd64 || return 1
    (cd "$work/packages" && run_logged "$LOGS/arm64-compiler.log" "fetching its standard library" "${SUITE_APT[@]}" download \
        rustc:amd64 libstd-rust-dev:arm64) || return 1
    # What is called with || after it goes on after a failure, unless told.
    for package in "$work"/cache/archives/*.deb "$work"/packages/*.deb; do dpkg-deb -x "$package" "$work/root" || return 1; done
    cat >"$work/rustc" <<'END'
#!/bin/sh
root=$(dirname "$0")/root/usr
exec "$root/lib64/ld-linux-x86-64.so.2" --library-path "$root/lib/x86_64-linux-gnu" "$root/bin/rustc" --sysroot "$root" "$@"
END
    chmod +x "$work/rustc"
    rm -rf "$place"
    mkdir "$place"
    mv "$work/root" "$work/rustc" "$place/"
    rm -rf "$work"
}

mkdir -p "$LOGS"
printf '%s\n' "$ROOT" >"$CLONE/path"
install_tools || die "installing system packages failed"
unpack_compiler || die "getting a compiler for arm64 failed"
has_compiler || die "Debian's $("$place/rustc" --version) is too old"
step "the core's tests on arm64, compiled by $("$place/rustc" --version)"
cd "$ROOT"
# What is set for this machine's own compiler.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER
export RUSTC=$place/rustc CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$ROOT/target}/arm64
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L $libraries"
cargo test --locked -p exemplar-svm -p row-sampling --lib --target "$target" "$@"
