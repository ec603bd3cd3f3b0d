#!/usr/bin/env bash
# What takes longer than a test: generated calls, faults brought about, many clients; each in a private throwaway cluster.
#
# usage: scripts/robustness.sh fuzz      (CALLS=100000 calls of SEED=...; ONLY=... repeats the one with this number)
#        scripts/robustness.sh faults    (CASES="cancel memory" for some; ROUNDS=... times as much)
#        scripts/robustness.sh load      (DURATION=60 seconds with each number of clients, 10 by default; CLIENTS="4 16" for those)

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

what=${1:-}
case $what in fuzz | faults | load) ;; *) die "usage: scripts/robustness.sh fuzz|faults|load" ;; esac
command -v python3 >/dev/null || die "python3 is needed"
"$ROOT/scripts/install.sh" private
lock_clone
load_environment
trap '"$ROOT/scripts/cluster.sh" stop "$what"' EXIT
export SETTINGS="max_connections = 120
max_prepared_transactions = 10
${SETTINGS:-}"
"$ROOT/scripts/cluster.sh" start "$what"
reach=$("$ROOT/scripts/cluster.sh" env "$what")
eval "$reach"
# Its database is called like it. Limits on a server's memory are for its own user to set.
AS_SERVER=
if is_root; then AS_SERVER="runuser -u $SERVER_USER --"; fi
export AS_SERVER
robustness() { python3 -B "$ROOT/tests/robustness/$what.py" "$@"; }
case $what in
fuzz) robustness --calls "${CALLS:-100000}" --seed "${SEED:-$(date +%s)}" ${ONLY:+--only "$ONLY"} ;;
faults)
    read -r -a cases <<<"${CASES:-}"
    robustness "${cases[@]}"
    ;;
load)
    read -r -a clients <<<"${CLIENTS:-1 4 16 64}"
    robustness --seconds "${DURATION:-10}" --clients "${clients[@]}"
    ;;
esac
