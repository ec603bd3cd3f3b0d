"""Statements around a call, and settings that it runs under. A column called w is what a call returned."""

from calls import aggregated, quoted, written


def of(function, given, values, random):
    """A statement with the call in some place of it; `simple` ones hold no operators and casts of the statement's own."""
    if function.kind == "a":
        return _of_aggregate(function, values, random), False
    call = written(function, given)
    if function.returns_set or function.result in ("record", "exemplar_fit") and random.random() < 0.6:
        return _of_rows(function, call, given, values, random)
    form = random.choice(list(_SCALAR) + ["select"] * 6)
    if form == "select":
        return f"SELECT {call} AS w", True
    return _SCALAR[form](function, call, given, values, random), form in ("opaque", "definer", "prepared", "cursor")


def _of_rows(function, call, given, values, random):
    t = values.target
    form = random.choice(["plain"] * 5 + ["joined", "lateral", "cursor", "limited", "selected", "counted"])
    if form == "joined" and function.returns_set:
        return f"SELECT t.*, w.* FROM {call} w JOIN {t.relation} t ON t.ctid = w.ctid AND t.tableoid = w.tableoid", False
    if form == "lateral":
        row = {name: "r.v" for name in ("exemplar", "hint") if name in given and random.random() < 0.7}
        return f"SELECT w.* FROM (SELECT {t.vector} AS v FROM {t.relation} t LIMIT 3) r, LATERAL {written(function, given, row)} w", False
    if form == "cursor":
        return f"DECLARE c CURSOR FOR SELECT w.* FROM {call} w; FETCH 1 FROM c; MOVE 1 FROM c; FETCH 2 FROM c; CLOSE c", True
    if form == "limited":
        return f"SELECT w.* FROM {call} w LIMIT 1", True
    if form == "selected":
        return f"SELECT {call}", True
    if form == "counted":
        return f"SELECT count(*) FROM {call} w, {call} x", True
    return f"SELECT w.* FROM {call} w", True


def _of_aggregate(function, values, random):
    t, call = values.target, aggregated(function, values, random)
    return random.choice([
        f"SELECT {call} AS w FROM {t.relation} t",
        f"SELECT {call} AS w FROM {t.relation} t",
        f"SELECT t.id % 3, {call} AS w FROM {t.relation} t GROUP BY t.id % 3, t.id" if " OVER " not in call else f"SELECT {call} AS w FROM {t.relation} t LIMIT 5",
        f"SELECT {call} AS w FROM (SELECT * FROM {t.relation} WHERE false) t",
        f"SELECT (SELECT {call} FROM {t.relation} t WHERE t.id % 3 = g) AS w FROM generate_series(0, 2) g",
    ])


# ---- places of an expression

def _order(function, call, given, values, random):
    operator = random.choice(["<#>", "<=>", "<->"])
    t = values.target
    column = random.choice([f't."{t.column}"', t.vector])
    return f"SELECT t.ctid FROM {t.relation} t ORDER BY {column} {operator} {random.choice([call, f'(SELECT {call})'])} LIMIT 5"


def _each_row(function, call, given, values, random):
    t = values.target
    row = {name: random.choice(["r.v", "r.v", "(SELECT r.v)"]) for name in ("exemplar", "hint", "neutral_hint") if name in given}
    row |= {name: "ARRAY[r.v]" for name in ("exemplars", "hints", "negatives") if name in given and random.random() < 0.5}
    row |= {"seed": "r.n"} if "seed" in given else {}
    return f"SELECT {written(function, given, row)} AS w FROM (SELECT {t.vector} AS v, row_number() OVER () AS n FROM {t.relation} t LIMIT 3) r"


def _plpgsql(function, call, given, values, random):
    body = f"""DECLARE r pg_catalog.text; BEGIN
        FOR i IN 1..2 LOOP
            BEGIN SELECT pg_catalog.format('%s', {call}) INTO r;
            EXCEPTION WHEN OTHERS THEN IF SQLSTATE LIKE 'XX%' OR SQLSTATE LIKE 'ZZ%' THEN RAISE; END IF; END;
        END LOOP; END"""
    return f"DO {quoted(body)}"


_SCALAR = {
    "order": _order,
    "order2": _order,
    "each_row": _each_row,
    "plpgsql": _plpgsql,
    "repeated": lambda f, call, g, v, r: f"SELECT {call} AS w FROM generate_series(1, 30) s",
    "case": lambda f, call, g, v, r: f"SELECT CASE WHEN s % 2 = 0 THEN {call} END AS w FROM generate_series(1, 4) s",
    "union": lambda f, call, g, v, r: f"SELECT {call} AS w UNION ALL SELECT {call}",
    "exists": lambda f, call, g, v, r: f"SELECT 1 WHERE EXISTS (SELECT 1 FROM {v.target.relation} t WHERE {call} IS NOT NULL) OR false",
    "grouped": lambda f, call, g, v, r: f"SELECT count(*) AS n, {call} AS w FROM {v.target.relation} t GROUP BY 2",
    "beside": lambda f, call, g, v, r: f"SELECT fuzz.{r.choice(['inlined', 'restricted', 'unsafe', 'opaque'])}(t.ctid::pg_catalog.text), {call} AS w FROM {v.target.relation} t LIMIT 3",
    "around": lambda f, call, g, v, r: f"SELECT fuzz.{r.choice(['inlined', 'restricted', 'unsafe', 'opaque'])}({call}) AS w",
    "opaque": lambda f, call, g, v, r: f"SELECT fuzz.opaque({call}) AS w",
    "where": lambda f, call, g, v, r: f"SELECT t.ctid FROM {v.target.relation} t WHERE {v.target.vector} <#> {call} < 0 LIMIT 5",
    "view": lambda f, call, g, v, r: f"CREATE TEMP VIEW session_view AS SELECT t.ctid AS place, {call} AS w FROM {v.target.relation} t; SELECT w FROM session_view LIMIT 3",
    "cursor": lambda f, call, g, v, r: f"DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT {call} AS w; FETCH ALL FROM c; FETCH BACKWARD 1 FROM c; CLOSE c",
    "prepared": lambda f, call, g, v, r: f"PREPARE p AS SELECT {call} AS w; EXECUTE p; EXECUTE p; DEALLOCATE p",
    "explained": lambda f, call, g, v, r: f"EXPLAIN (ANALYZE, VERBOSE, COSTS OFF) SELECT {call} AS w FROM {v.target.relation} t",
    "created": lambda f, call, g, v, r: f"CREATE TEMP TABLE session_made AS SELECT {call} AS w; SELECT * FROM session_made",
    "recursive": lambda f, call, g, v, r: f"WITH RECURSIVE x AS (SELECT 1 AS n, {call} AS w UNION ALL SELECT n + 1, w FROM x WHERE n < 3) SELECT w FROM x",
    "ranked": lambda f, call, g, v, r: f"SELECT {call} AS w, rank() OVER (ORDER BY t.id) FROM {v.target.relation} t LIMIT 3",
    "listed": lambda f, call, g, v, r: f"SELECT column1 AS w FROM (VALUES ({call}), ({call})) x",
    "cte": lambda f, call, g, v, r: f"WITH q AS {r.choice(['', 'MATERIALIZED', 'NOT MATERIALIZED'])} (SELECT {call} AS w) SELECT q.w FROM q, {v.target.relation} t LIMIT 3",
    "deleted": lambda f, call, g, v, r: f"DELETE FROM {v.target.relation} t WHERE t.id < 9 RETURNING {call} AS w",
    "saved": lambda f, call, g, v, r: f"SAVEPOINT s; SELECT {call} AS w; ROLLBACK TO s; SELECT {call} AS w; RELEASE s",
    "after_writes": lambda f, call, g, v, r: f"DELETE FROM fuzz.heap WHERE id % 2 = 0; UPDATE fuzz.heap SET v = v WHERE id < 20; SAVEPOINT s; SELECT {call} AS w",
    "definer": lambda f, call, g, v, r: f"CREATE FUNCTION fuzz.definer() RETURNS {'public.' if f.result in ('vector', 'exemplar_fit') else 'pg_catalog.'}{f.result.replace('double precision', 'float8')} "
                                          f"LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS {quoted('SELECT ' + call)}; SELECT fuzz.definer() AS w",
    "indexed": lambda f, call, g, v, r: f"CREATE INDEX ON fuzz.two ((pg_catalog.md5({call}::pg_catalog.text)))",
}

_PARALLEL = ("SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL max_parallel_workers_per_gather = 2; ")
_JIT = "SET LOCAL jit = on; SET LOCAL jit_above_cost = 0; SET LOCAL jit_inline_above_cost = 0; SET LOCAL jit_optimize_above_cost = 0; "


class Surroundings:
    """Settings that a server has, among them those of the extension."""

    def __init__(self, connection):
        self.settings = connection.query("SELECT name, vartype, min_val, max_val, enumvals FROM pg_catalog.pg_settings WHERE name LIKE 'hinted\\_exemplar.%'")
        self.forced = connection.value("SELECT name FROM pg_catalog.pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query')")

    def some(self, random, is_simple):
        """SQL that changes the surroundings within a transaction."""
        parallel = _PARALLEL + f"SET LOCAL {self.forced} = on; "
        sql = random.choice([
            "", "", "", "", "", "", parallel, _JIT, parallel + _JIT, "SET LOCAL work_mem = '64kB'; ", "SET LOCAL enable_seqscan = off; ",
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; ", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; ", "SET TRANSACTION READ ONLY; ",
            "SET LOCAL plan_cache_mode = force_generic_plan; ", "SET LOCAL row_security = off; ", "SET LOCAL enable_indexscan = off; ", "SET LOCAL client_min_messages = debug5; ",
            "SET LOCAL max_stack_depth = '100kB'; ", "SET LOCAL extra_float_digits = -15; ", "SET LOCAL search_path = ''; ", "SET LOCAL default_transaction_read_only = on; ",
        ])
        for name, kind, least, most, names in self.settings:
            if random.random() < 0.1:
                sql += f"SET LOCAL {name} = {quoted(_setting(random, kind, least, most, names))}; "
        if random.random() < 0.2:
            sql += f"SET LOCAL ROLE {random.choice(['fuzz_owner', 'fuzz_reader', 'fuzz_column', 'fuzz_tenant', 'fuzz_stranger'])}; "
        if is_simple and random.random() < 0.25:
            sql += "SET LOCAL search_path = hostile, fuzz, public, pg_catalog; "
        if random.random() < 0.1:
            sql += f"SET LOCAL statement_timeout = {random.choice([1, 2, 5, 10, 20, 50])}; "
        return sql


def _setting(random, kind, least, most, names):
    if kind == "bool":
        return random.choice(["on", "off"])
    if kind in ("integer", "real"):
        return str(random.choice([least, most, least if kind == "real" else str(int(least) + 1)]))
    return random.choice(names.strip("{}").split(",")) if names else "x"
