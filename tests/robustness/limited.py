"""No memory, and memory that must not grow."""

import os
import random
import resource
import shutil
import subprocess
import time

import libpq
from common import fault

# Large in what they keep, each in another place.
_GREEDY = {
    "aggregate": "SELECT exemplar_svm_agg(embedding, NULLIF(id % 3, 2) = 0) FROM wide, generate_series(1, 2)",
    "fit": "SELECT hinted_exemplar('wide', 'embedding', exemplar => v(768, 5), sample_size => 4000)",
    "expand": "SELECT hinted_exemplar('items', 'embedding', exemplar => v(64, 5), sample_size => 12000, expand => 8000)",
    "report": "SELECT length(hinted_exemplar_report('wide', 'embedding', exemplars => (SELECT array_agg(embedding) FROM wide WHERE id < 700), "
    "counter_exemplars => (SELECT array_agg(embedding) FROM wide WHERE id BETWEEN 800 AND 1500))::text)",
    "given": "SELECT exemplar_svm((SELECT array_agg(embedding) FROM wide WHERE id < 500), (SELECT array_agg(embedding) FROM wide WHERE id > 500))",
    "search": "SELECT count(*) FROM hinted_exemplar_search('items', 'embedding', exemplar => v(64, 5), k => 5000, sample_size => 5000)",
    "precision": "SELECT average_precision(id % 3 = 0) FROM items, generate_series(1, 100)",
    "huge": "SELECT hinted_exemplar('wide', 'embedding', exemplar => v(768, 5), sample_size => 2147483647, expand => 2147483647)",
}

# Out of memory, or refused before it is asked for.
_CLEAN = {"53200", "53400", "54000", "22023", "22003"}
_MEGABYTE = 1 << 20


def _memory(pid):
    """Address space and resident memory of a process in bytes."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        size, resident = file.read().split()[:2]
    return int(size) * resource.getpagesize(), int(resident) * resource.getpagesize()


def out_of_memory(checks):
    """One backend's address space is limited, from what it has upward in steps, until it answers."""
    if not shutil.which("prlimit"):
        print("skipped memory: there is no prlimit")
        return
    for name, sql in _GREEDY.items():
        answered, clean, ended, other, room = 0, 0, 0, [], 0.25
        while answered < 2 and room < 2000:
            session = libpq.connect_patiently()
            session.query("SET jit = off; SET max_parallel_workers_per_gather = 0; SELECT hinted_exemplar('part0', 'embedding', exemplar => v(8, 5))")
            limit = _memory(session.pid)[0] + int(room * _MEGABYTE)
            subprocess.run([*os.environ.get("AS_SERVER", "").split(), "prlimit", f"--pid={session.pid}", f"--as={limit}:{limit}"], check=True)
            try:
                result = session.execute(sql, 120)[0]
                if not result.error:
                    answered += 1
                elif result.error.state in _CLEAN and not fault(result.error):
                    clean += 1
                    answered += name == "huge" and result.error.state == "54000"
                elif name == "huge" and result.error.state == "55000":
                    answered += 1
                else:
                    other.append(str(result.error))
                # The session goes on.
                if session.value("SELECT 1") != "1":
                    other.append("the session is of no use")
            except libpq.Lost:
                ended += 1
                # Until the postmaster has seen it, it lets sessions in that it is about to end.
                time.sleep(1)
            session.close()
            room *= 1.25 if checks.rounds >= 1 else 2
        checks.that(f"memory, {name}: {answered} answers, {clean} clean errors, {ended} times the server's end {other[:2]}", not ended and not other and answered)


def flat_memory(checks):
    """Calls in one backend, a tenth of them refused, and no memory that grows."""
    source, session = random.Random(5), libpq.Connection()
    session.query("CREATE TEMP TABLE few AS SELECT * FROM part0 WHERE id < 60")
    forms = [
        "SELECT hinted_exemplar('few', 'embedding', exemplar => v(8, {n}))",
        "SELECT hinted_exemplar('few', 'embedding', exemplar => v(8, {n}), hint => v(8, 3), counter_exemplars => ARRAY[v(8, 4)], reasons => ARRAY[v(8, 2)])",
        "SELECT hinted_exemplar('part0', 'embedding', hint => v(8, {n}), sample_size => 50, seed => {n}, expand => 3)",
        "SELECT hinted_exemplar_report('few', 'embedding', exemplar => v(8, {n}))",
        "SELECT * FROM hinted_exemplar_fit('few', 'embedding', exemplar => v(8, {n}))",
        "SELECT * FROM hinted_exemplar_search('part0', 'embedding', exemplar => v(8, {n}), sample_size => 50)",
        "SELECT exemplar_svm_agg(embedding, id % 3 = 0) FROM few",
        "SELECT exemplar_svm(ARRAY[v(8, {n})], (SELECT array_agg(embedding) FROM few))",
        "SELECT hinted_exemplar('few', 'embedding', exemplar => v(7, {n}))",
        "SELECT hinted_exemplar('few', 'id', exemplar => v(8, {n}), lambda => 'NaN')",
    ]
    count, resident, first = checks.times(100000), [], None
    for i in range(count):
        session.execute(source.choice(forms).format(n=source.randrange(1000)))
        if i >= count // 10 and i % (count // 10) == 0 or i == count - 1:
            resident.append(_memory(session.pid)[1] // 1024)
            first = first or resident[0]
    checks.that(f"flat: resident memory over {count} calls, in kB: {resident}", resident[-1] - first < 4096)
