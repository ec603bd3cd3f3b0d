"""Sessions that are cancelled, ended or killed in the middle of a call."""

import os
import random
import signal
import threading
import time

import libpq
from common import STATEMENTS, answers, cpu_seconds

# Beyond this a statement has not reacted.
LATE_SECONDS = 0.2


def cancelled(checks):
    """Cancelled at random moments, over and over in one session, which then still gives the same answers."""
    source, session = random.Random(1), libpq.Connection()
    right = answers(session)
    met, wrong, latest = 0, [], 0.0
    for _ in range(checks.times(400)):
        sql = source.choice(STATEMENTS)
        session.send(sql)
        time.sleep(source.uniform(0, 0.15))
        busy = cpu_seconds(session.pid)
        session.cancel()
        result = session.results(60)[0]
        worked = cpu_seconds(session.pid)
        latest = max(latest, worked - busy if worked is not None else 0)
        if not result.error:
            wrong += [sql] if result.rows[0][0] != right[sql] else []
        elif result.error.state == "57014":
            met += 1
        else:
            wrong.append(f"{result.error} of {sql}")
    checks.that(f"cancel: {met} statements were met in the middle, and all others answered right {wrong[:3]}", met > 0 and not wrong)
    checks.that(f"cancel: the backend worked for {latest:.2f} s at most after it", latest < LATE_SECONDS)
    checks.that("cancel: the same session gives the same answers", answers(session) == right)


def terminated(checks):
    """Sessions that are ended from outside."""
    source, watch, wrong, ended = random.Random(2), libpq.Connection(), [], 0
    right = answers(watch)
    for _ in range(checks.times(60)):
        sql, session = source.choice(STATEMENTS), libpq.Connection()
        session.send(sql)
        time.sleep(source.uniform(0, 0.15))
        watch.query(f"SELECT pg_terminate_backend({session.pid})")
        try:
            result = session.results(60)[0]
            if result.error and result.error.state != "57P01" or not result.error and result.rows[0][0] != right[sql]:
                wrong.append(str(result.error or result.rows))
        except libpq.Lost as lost:
            ended += 1
            wrong += [] if "57P01" in str(lost) else [str(lost)]
        session.close()
    checks.that(f"terminate: {ended} sessions ended as they were told {wrong[:3]}", ended > 0 and not wrong)
    checks.that("terminate: other sessions give the same answers", answers(watch) == right)


def _limit(session, milliseconds):
    """Sets the timeout, under the one before, which ends this too where the machine is busy."""
    while error := session.execute(f"SET statement_timeout = {milliseconds}", 60)[0].error:
        if error.state != "57014":
            raise RuntimeError(error)


def timed_out(checks):
    """Thousands of statements under timeouts of 1 to 50 ms."""
    source, session = random.Random(3), libpq.Connection()
    right, wrong, met, latest = answers(session), [], 0, (0.0, "")
    for _ in range(checks.times(2500)):
        sql, limit = source.choice(STATEMENTS), source.randint(1, 50)
        _limit(session, limit)
        busy = cpu_seconds(session.pid)
        result = session.execute(sql, 60)[0]
        worked = cpu_seconds(session.pid)
        if worked is not None:
            latest = max(latest, (worked - busy - limit / 1000, sql))
        if result.error and result.error.state == "57014":
            met += 1
        elif result.error or result.rows[0][0] != right[sql]:
            wrong.append(f"{result.error or result.rows} of {sql}")
    _limit(session, 0)
    checks.that(f"timeout: {met} statements ended by it, and all others answered right {wrong[:3]}", met > 0 and not wrong)
    checks.that(f"timeout: the backend worked on for {latest[0]:.2f} s at most ({latest[1][:80]})", latest[0] < LATE_SECONDS)
    checks.that("timeout: the same session gives the same answers", answers(session) == right)


def killed(checks):
    """kill -9 of a backend in a fit makes Postgres restart all of them; then all is as before."""
    session = libpq.Connection()
    right = answers(session)
    for moment in (0.02, 0.1, 0.3):
        other = libpq.Connection()
        threading.Timer(moment, os.kill, (other.pid, signal.SIGKILL)).start()
        try:
            for _ in range(200):
                other.execute(STATEMENTS[1], 60)
            ended = False
        except libpq.Lost:
            ended = True
        other.close()
        checks.that(f"kill: the session was killed after {moment} s", ended)
        checks.that("kill: after recovery the answers are the same", _answers_in_the_end() == right)


def _answers_in_the_end():
    """What the statements answer when the server is back; a session of the first moment may still be ended with the others."""
    for _ in range(10):
        try:
            return answers(libpq.connect_patiently())
        except libpq.Lost:
            time.sleep(0.5)
    return None
