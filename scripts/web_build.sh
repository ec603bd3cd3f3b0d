#!/usr/bin/env bash
# Builds hinted-exemplar-web, or with --where prints where it is then. --release takes three times as long to build.

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

profile=debug options=() where=
for option; do
    case $option in
    --release) profile=release options=(--release) ;;
    --where) where=yes ;;
    *) die "usage: scripts/web_build.sh [--release] [--where]" ;;
    esac
done
cd "$ROOT/crates/hinted-exemplar-web"
[ -n "$where" ] || cargo build "${options[@]}"
echo "$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/$profile/hinted-exemplar-web"
