"""Many clients at once: hinted queries, searches, inserts, updates and VACUUM by pgbench; no error, checked answers, and the figures beside plain
nearest neighbour.

usage: load.py [--seconds N] [--clients N...]   (PGHOST and the like say which server; PGDATABASE is filled anew)
"""

import argparse
import glob
import os
import re
import subprocess
import sys
import tempfile

import libpq

_DATA = """
CREATE EXTENSION hinted_exemplar CASCADE;
CREATE FUNCTION v(d int, seed int) RETURNS vector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT array_agg(sin(i * 12.9898 + seed * 78.233 + (seed % 7) * i)::float4 ORDER BY i)::vector FROM generate_series(1, d) i $$;
CREATE TABLE items (id bigserial, tag text, embedding vector(128)) WITH (autovacuum_vacuum_scale_factor = 0.02);
INSERT INTO items (tag, embedding) SELECT 'tag' || i % 20, v(128, i) FROM generate_series(1, 20000) i;
CREATE INDEX ON items USING hnsw (embedding vector_ip_ops) WITH (m = 8, ef_construction = 32);
CREATE INDEX ON items (id);
ANALYZE items;
"""

_ROW = "\\set id random(1, 20000)\n\\set other random(1, 20000)\n"
_EXAMPLE = "(SELECT embedding FROM items WHERE id = :id ORDER BY id LIMIT 1)"

# The weight is how often a client chooses it.
_SCRIPTS = {
    "plain": (4, _ROW + f"SELECT id FROM items ORDER BY embedding <#> {_EXAMPLE} LIMIT 10;"),
    "hinted": (4, _ROW + f"SELECT id FROM items ORDER BY embedding <#> (SELECT hinted_exemplar('items', 'embedding', exemplar => coalesce({_EXAMPLE}, v(128, 1)), hint => v(128, :other))) LIMIT 10;"),
    "search": (2, _ROW + f"SELECT ctid FROM hinted_exemplar_search('items', 'embedding', exemplar => coalesce({_EXAMPLE}, v(128, 1)), hint => v(128, :other), k => 10);"),
    "insert": (4, _ROW + "INSERT INTO items (tag, embedding) VALUES ('new', v(128, :id + :other));"),
    "update": (3, _ROW + "UPDATE items SET embedding = v(128, :other), tag = 'updated' WHERE id = :id;"),
    "delete": (1, _ROW + "DELETE FROM items WHERE id = :id AND :id % 4 = 0;"),
    # Divides by zero unless all rows that the snapshot sees were fitted against, which plain SQL collects.
    "checked": (1, _ROW + """BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT 1 / (hinted_exemplar('items', 'embedding', exemplar => v(128, :id), sample_size => 100000) <=>
            exemplar_svm(ARRAY[v(128, :id)], array_agg(embedding)) < 1e-5)::int FROM items;
COMMIT;"""),
    "vacuum": (0.2, "VACUUM items;"),
}


def measure(clients, seconds, folder):
    """Runs pgbench; its output, and latencies in milliseconds by script."""
    command = ["pgbench", "-n", "-c", str(clients), "-j", "2", "-T", str(seconds), "-l", "--log-prefix", os.path.join(folder, "log")]
    scale = 10
    for name, (weight, sql) in _SCRIPTS.items():
        path = os.path.join(folder, name + ".sql")
        with open(path, "w", encoding="utf8") as file:
            file.write(sql + "\n")
        command += ["-f", f"{path}@{int(weight * scale)}"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    latencies = {name: [] for name in _SCRIPTS}
    for path in glob.glob(os.path.join(folder, "log.*")):
        with open(path, encoding="ascii") as file:
            for line in file:
                fields = line.split()
                if fields[2].isdigit():
                    latencies[list(_SCRIPTS)[int(fields[3])]].append(int(fields[2]) / 1000)
        os.remove(path)
    return run, latencies


def percentile(sorted_values, share):
    """The value that a share of them does not exceed."""
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 4, 16, 64])
    options = parser.parse_args()
    watch = libpq.Connection()
    watch.query(_DATA)
    passed = failed = 0
    for clients in options.clients:
        with tempfile.TemporaryDirectory() as folder:
            run, latencies = measure(clients, options.seconds, folder)
        errors = [line for line in run.stderr.splitlines() if re.search(r"error|abort|fatal|panic", line, re.I)]
        good = run.returncode == 0 and not errors and all(latencies[name] for name in ("plain", "hinted", "search"))
        passed, failed = passed + good, failed + (not good)
        rate = re.search(r"tps = ([\d.]+)", run.stdout)
        print(f"{'ok     ' if good else 'FAILED '} {clients} clients for {options.seconds} s: {rate[1] if rate else 0} transactions a second")
        for line in errors[:5]:
            print(f"    {line}")
        print(f"    {'':9}{'count':>8}{'a second':>10}{'median ms':>11}{'95 %':>9}{'99 %':>9}{'most':>9}")
        for name, values in latencies.items():
            if values:
                values.sort()
                figures = "".join(f"{percentile(values, share):9.1f}" for share in (0.95, 0.99)) + f"{values[-1]:9.1f}"
                print(f"    {name:9}{len(values):8}{len(values) / options.seconds:10.1f}{percentile(values, 0.5):11.1f}{figures}")
        sys.stdout.flush()
        try:
            watch.value("SELECT 1")
        except libpq.Lost:
            failed += 1
            print("FAILED  the server has ended all sessions")
            watch = libpq.Connection()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
