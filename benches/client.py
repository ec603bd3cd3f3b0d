"""What a client does without the extension: fetch 1000 rows over the socket, fit LinearSVC, send w back; and the memory of a fit in
the server. Prints one figure per line: name, tab, value.

usage: python client.py        finds the server by PGHOST and so on; needs to read the server's files below /proc

The rows' places are given, so that finding them costs the client nothing, and they come in pgvector's binary form.
"""
import re
import time

import numpy as np
import psycopg
from sklearn.svm import LinearSVC

RUNS = 21


def vectors(values):
    """pgvector's binary form: two int16, then big-endian float32."""
    d = int.from_bytes(values[0][:2], "big")
    return np.frombuffer(b"".join(values), ">i2").reshape(len(values), -1)[:, 2:].copy().view(">f4").reshape(-1, d).astype(np.float32)


def by_client(connection):
    connection.execute("SET max_parallel_workers_per_gather = 0")
    connection.execute("SELECT sum(vector_norm(embedding)) FROM t").fetchone()
    places = [row[0] for row in connection.execute("SELECT tids::text[] FROM places ORDER BY s").fetchall()]
    exemplar = vectors([connection.cursor(binary=True).execute("SELECT embedding FROM base LIMIT 1").fetchone()[0]])
    figures = []
    for tids in places + places:
        start = time.perf_counter()
        rows = connection.cursor(binary=True).execute("SELECT embedding FROM t WHERE ctid = ANY (%s::tid[])", [tids]).fetchall()
        X = np.vstack([exemplar, vectors([row[0] for row in rows])])
        fetched = time.perf_counter()
        X /= np.linalg.norm(X, axis=1, keepdims=True)
        svc = LinearSVC(C=0.5, class_weight="balanced", tol=1e-6, max_iter=100000).fit(X, np.r_[1.0, -np.ones(len(rows))])
        fitted = time.perf_counter()
        connection.execute("SELECT %s::text::vector", ["[" + ",".join(map(str, svc.coef_[0])) + "]"]).fetchone()
        figures.append(1e3 * np.array([time.perf_counter() - start, fetched - start, fitted - fetched]))
    return np.median(figures[-RUNS:], axis=0)


def status(pid):
    with open(f"/proc/{pid}/status") as file:
        return {key: int(kb) for key, kb in re.findall(r"^(\w+):\s+(\d+) kB$", file.read(), re.M)}


def memory(table, base, sample):
    """The most memory of its own that a connection takes during a fit, beyond what it has before, in kB. Pages of the server's shared
    memory count for a connection once it has touched them, so the second of two equal calls is measured."""
    with psycopg.connect(autocommit=True) as connection:
        pid = connection.info.backend_pid
        call = f"SELECT hinted_exemplar('{table}', 'embedding', exemplar => (SELECT embedding FROM {base} LIMIT 1), hint => (SELECT embedding FROM {base} OFFSET 1 LIMIT 1), sample_size => %s)"
        connection.execute(call, [1]).fetchone()
        before = status(pid)["RssAnon"]
        connection.execute(call, [sample]).fetchone()
        with open(f"/proc/{pid}/clear_refs", "w") as file:
            file.write("5")
        connection.execute(call, [sample]).fetchone()
        after = status(pid)
        return after["VmHWM"] - after["RssShmem"] - after["RssFile"] - before


def main():
    with psycopg.connect(autocommit=True) as connection:
        for name, ms in zip(["client", "client_fetch", "client_fit"], by_client(connection)):
            print(name, ms, sep="\t")
    for name, table, base, sample, d in [("memory_1000x512", "t", "base", 1000, 512), ("memory_10000x1536", "wide", "wide_base", 10000, 1536)]:
        print(name, memory(table, base, sample) / (sample * d * 4 / 1024), sep="\t")


main()
