#!/usr/bin/env bash
# Builds the Python package as for a release and installs it for the Python that is named, which has maturin and pip.
#
# usage: scripts/wheel.sh PYTHON

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rm -rf "$ROOT/target/wheel"
CARGO_ENCODED_RUSTFLAGS=$(encoded_flags)
export CARGO_ENCODED_RUSTFLAGS
"$ROOT/scripts/notices.py" --python >"$ROOT/python/THIRD-PARTY-NOTICES"
"$(dirname "$1")/maturin" build --release --interpreter "$1" --manifest-path "$ROOT/python/Cargo.toml" --out "$ROOT/target/wheel"
"$1" -m pip install --quiet --force-reinstall --no-deps "$ROOT"/target/wheel/*.whl
