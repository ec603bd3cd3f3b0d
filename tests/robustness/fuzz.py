"""Generated calls against a server that must live: no crash, no internal error, no vector that is not finite and of length 1, none that
runs on after its time.

usage: fuzz.py [--calls N] [--seed S] [--only CALL] [--failures N]   (PGHOST and the like say which server; PGDATABASE is filled anew)
"""

import argparse
import collections
import json
import math
import os
import random
import re
import signal
import sys
import time

import calls
import libpq
import statements
import world
from common import cpu_seconds, fault

MOST_SECONDS = 5.0
LATE_SECONDS = 0.2
# After its timeout a statement gets this long before the client ends its backend.
PATIENCE = 30.0
# Of a unit vector of real numbers, 16,000 of them, written in nine digits.
TOLERANCE = 1e-4


# The OIDs of double precision and its arrays.
FLOATS = ("701", "1022")


class Failure(Exception):
    """What must not happen; its text says what."""


class Late(Failure):
    """A call that worked on after its time. A loaded machine can make that of one that did not, but not over and over."""


class Fuzzer:
    """One session that makes calls, and another that watches."""

    def __init__(self, seed):
        self.seed, self.states, self.messages, self.vectors, self.slowest = seed, collections.Counter(), collections.Counter(), 0, []
        self.watch = libpq.Connection()
        self.lacking = world.make(self.watch)
        self.functions = calls.functions(self.watch)
        self.surroundings = statements.Surroundings(self.watch)
        self.vector = self.watch.value("SELECT 'public.vector'::pg_catalog.regtype::pg_catalog.oid")
        self.tested = collections.Counter()
        self.connect()
        self.likely, self.all = world.targets(self.session)

    def connect(self):
        """A new session; after a crash when the server is back."""
        self.session = libpq.connect_patiently()
        world.join(self.session)
        self.session.query(f"SET statement_timeout = '{MOST_SECONDS}s'")
        if not self.is_watched():
            self.watch = libpq.connect_patiently()

    def is_watched(self):
        try:
            return self.watch.value("SELECT 1") == "1"
        except libpq.Lost:
            return False

    def make(self, number):
        """The statements of a call, by its number alone."""
        source = random.Random(f"{self.seed}:{number}")
        # What only aggregates call refuses every other call.
        weights = [0.3 if any(argument.type == "internal" for argument in function.arguments) else 12 for function in self.functions]
        function = source.choices(self.functions, weights)[0]
        target = source.choice(self.likely if source.random() < 0.9 else self.all)
        values = calls.Values(source, target, self.all, source.choice([0, 0, 0.05, 0.2, 0.5]))
        given = calls.call(function, values, source)
        sql, is_simple = statements.of(function, given, values, source)
        surroundings = self.surroundings.some(source, is_simple)
        self.tested.update((function.name, argument.name) for argument, _ in given.values())
        return f"BEGIN; {surroundings}", sql

    def run(self, number):
        """Makes a call and checks what comes of it; raises Failure."""
        before, sql = self.make(number)
        try:
            self.session.execute(before)
            busy, since = cpu_seconds(self.session.pid), time.monotonic()
            results = self.session.execute(sql, MOST_SECONDS + PATIENCE)
            # A loaded machine delays everyone: only the backend's own work counts where it can be told.
            took = time.monotonic() - since
            self.slowest = sorted([*self.slowest, (took, number)])[-5:]
            worked = cpu_seconds(self.session.pid)
            notices = self.session.notices
            self.session.execute("ROLLBACK; DEALLOCATE ALL; CLOSE ALL")
            took = took if worked is None else min(took, worked - busy)
        except libpq.Lost as lost:
            # Until the postmaster has seen it, it lets sessions in that it is about to end.
            time.sleep(1)
            self.connect()
            raise Failure(f"the server's process ended: {lost}") from None
        except libpq.Hung:
            self.end_backend()
            raise Failure(f"neither an answer nor a reaction to its timeout after {MOST_SECONDS + PATIENCE} s") from None
        if not self.is_watched():
            self.connect()
            raise Failure("the server has ended all sessions")
        limit = re.search(r"statement_timeout = (\d+)", before)
        # The limit is for each statement, and compiling is nothing that Postgres interrupts.
        allowed = (float(limit[1]) / 1000 if limit else MOST_SECONDS) * max(1, len(results)) + (1.5 if "jit = on" in before else 0)
        self.check(results, notices, took, allowed)

    def end_backend(self):
        """Ends a session that does not answer, if need be the hard way."""
        self.watch.execute(f"SELECT pg_terminate_backend({self.session.pid})")
        time.sleep(5)
        try:
            os.kill(self.session.pid, 0)
            os.kill(self.session.pid, signal.SIGKILL)
        except OSError:
            pass
        self.session.close()
        self.connect()

    def check(self, results, notices, took, limit):
        """Raises Failure for an answer that must not be."""
        for message in [*notices, *(result.error for result in results if result.error)]:
            text = str(message)
            if fault(message) or message.state == world.HOSTILE_STATE:
                raise Failure(text)
        for result in results:
            self.states[result.error.state if result.error else "00000"] += 1
            if result.error:
                self.messages[result.error.state + ": " + re.sub(r"[\d.]+|\"[^\"]*\"", "_", result.error.message)[:100]] += 1
            for name, kind, i in zip(result.names, result.types, range(len(result.names))):
                for row in result.rows:
                    self.check_value(name, kind, row[i])
        if took > limit + LATE_SECONDS:
            raise Late(f"it worked for {took:.2f} s under a timeout of {limit} s")

    def check_value(self, name, kind, value):
        """What a call returned has unit length and no number that is none."""
        if str(kind) in FLOATS and name != "v" and value and re.search("NaN|Infinity", value):
            raise Failure(f"{name} is {value[:100]}")
        if value is None or name not in ("w", "weights", "hinted_exemplar_report"):
            return
        if str(kind) == self.vector:
            numbers = json.loads(value) if "N" not in value and "I" not in value else [math.nan]
        elif name == "w" and value.startswith("{") and '"weights"' in value:
            numbers = json.loads(value)["weights"]
            numbers = json.loads(numbers) if isinstance(numbers, str) else numbers
        else:
            return
        self.vectors += 1
        length = math.sqrt(math.fsum(number * number for number in numbers))
        if not abs(length - 1) < TOLERANCE:
            raise Failure(f"a vector of length {length}: {value[:200]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", type=int, help="make just the call with this number")
    parser.add_argument("--messages", action="store_true", help="print which errors there were")
    parser.add_argument("--failures", type=int, default=10, help="stop after so many different ones")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    fuzzer = Fuzzer(options.seed)
    for lack in fuzzer.lacking:
        print(f"without what needs this: {lack}")
    failures, since, done = collections.Counter(), time.monotonic(), 0
    for number in range(options.calls) if options.only is None else [options.only]:
        if options.only is not None:
            print("\n".join(fuzzer.make(number)))
        try:
            for more in (2, 1, 0):
                try:
                    fuzzer.run(number)
                    break
                except Late:
                    if not more:
                        raise
        except KeyboardInterrupt:
            print("interrupted: what follows is of the calls until then")
            break
        except Failure as failure:
            kind = re.sub(r"\d+(\.\d+)?", "N", str(failure).split("\n")[0])[:80]
            failures[kind] += 1
            if failures[kind] <= 2:
                print(f"FAILED  call {number} of seed {options.seed}: {failure}\n" + "".join(f"    {sql}\n" for sql in fuzzer.make(number)), flush=True)
        done += 1
        if len(failures) >= options.failures:
            break
    untested = {(f.name, a.name) for f in fuzzer.functions for a in f.arguments if f.kind == "f"} - set(fuzzer.tested)
    if options.only is None and done >= 300 * len(fuzzer.functions) and untested:
        failures["arguments that were never given: " + ", ".join(map(str, untested))] += 1
    print(f"{done} calls in {time.monotonic() - since:.0f} s, {fuzzer.vectors} vectors of length 1; answers by SQLSTATE: {dict(fuzzer.states.most_common())}")
    print("slowest: " + ", ".join(f"call {number} {took:.2f} s" for took, number in reversed(fuzzer.slowest)))
    for message, count in fuzzer.messages.most_common() if options.messages else []:
        print(f"    {count:6} {message}")
    for kind, count in failures.most_common():
        print(f"{count} times: {kind}")
    print(f"{done - sum(failures.values())} passed, {sum(failures.values())} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
