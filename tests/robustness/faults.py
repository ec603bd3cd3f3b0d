"""Faults brought about on purpose: sessions that are cancelled, ended and killed, short timeouts, no memory, tables that are altered and moved
while they are read. Every call ends in the right answer or a clean error, and the server lives.

usage: faults.py [CASE...]   (PGHOST and the like say which server; PGDATABASE is filled anew; ROUNDS=0.1 is a tenth of the work)
"""

import os
import sys
import time
import traceback

import altered
import interrupted
import libpq
import limited
import stored
from common import Checks, fill

CASES = {
    "cancel": interrupted.cancelled,
    "terminate": interrupted.terminated,
    "timeout": interrupted.timed_out,
    "memory": limited.out_of_memory,
    "flat": limited.flat_memory,
    "ddl": altered.ddl,
    "extension": altered.extension,
    "toast": stored.toast_states,
    "snapshots": stored.old_snapshots,
    "prepared": stored.two_phases,
    "kill": interrupted.killed,
}


def main():
    names = sys.argv[1:] or list(CASES)
    checks = Checks(float(os.environ.get("ROUNDS") or 1))
    watch = libpq.Connection()
    fill(watch)
    started = watch.value("SELECT pg_postmaster_start_time()")
    for name in names:
        since = time.monotonic()
        try:
            CASES[name](checks)
        except Exception:
            traceback.print_exc()
            checks.failed += 1
            print(f"FAILED  {name} came to no end")
        if name != "kill":
            try:
                checks.that(f"{name}: no session but those meant to has ended", watch.value("SELECT 1") == "1")
            except libpq.Lost:
                checks.that(f"{name}: no session but those meant to has ended", False)
                watch = libpq.connect_patiently()
        else:
            watch = libpq.connect_patiently()
        print(f"        {name} took {time.monotonic() - since:.1f} s", flush=True)
    checks.that("the postmaster is the same", libpq.connect_patiently().value("SELECT pg_postmaster_start_time()") == started)
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
