#!/usr/bin/env bash
# Fuzzes what decodes bytes, with libFuzzer and AddressSanitizer: the targets of fuzz/, which `cargo fuzz run` takes too. Neither cargo-fuzz nor a
# nightly compiler is needed; a stable one is told to accept the options.
#
# usage: scripts/fuzz_bytes.sh [TARGET...]        (DURATION=60 seconds each)

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$ROOT/fuzz" || exit
[ $# -gt 0 ] || set -- page value
built=${CARGO_TARGET_DIR:-$ROOT/target}/fuzz
host=$(rustc -vV | sed -n 's/^host: //p')
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
coverage+=" -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"
RUSTC_BOOTSTRAP=1 RUSTFLAGS="--cfg fuzzing $coverage -Zsanitizer=address -Ccodegen-units=1" \
    run_logged "$LOGS/fuzz_bytes.log" "building the fuzz targets" cargo build --release --target "$host" --target-dir "$built" || die "the build failed"
for target; do
    step "fuzzing $target for ${DURATION:-60} s"
    mkdir -p "$built/corpus/$target" "$built/artifacts"
    "$built/$host/release/$target" -max_total_time="${DURATION:-60}" -print_final_stats=1 -artifact_prefix="$built/artifacts/" \
        "$built/corpus/$target" "$ROOT/fuzz/corpus/$target" 2>&1 | grep -E '^stat::|DONE|ERROR|panicked|Test unit|SUMMARY' ||
        die "$target failed: see $built/artifacts"
done
