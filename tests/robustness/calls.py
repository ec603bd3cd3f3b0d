"""Calls of every function of the extension, as the catalog describes them: arguments from mild to hostile, in every place of a statement."""

import dataclasses

MILD_KINDS = ["mild", "mild", "near", "cone", "one"]
HOSTILE_KINDS = ["zero", "huge", "tiny", "subnormal", "mixed", "line", "opposite"]
WIDTHS = [1, 2, 3, 7, 9, 100, 1000, 2000, 4000, 15999, 16000]


@dataclasses.dataclass(frozen=True)
class Argument:
    """An argument of a function; `default` is SQL or None."""

    name: str
    type: str
    optional: bool


@dataclasses.dataclass(frozen=True)
class Function:
    """A function of the extension. `kind` is f or a (an aggregate)."""

    name: str
    kind: str
    returns_set: bool
    result: str
    arguments: tuple


def functions(connection):
    """All that belong to the extension, read from the catalog."""
    rows = connection.query(
        """SELECT p.oid::pg_catalog.regproc, p.prokind, p.proretset, pg_catalog.format_type(p.prorettype, NULL), p.pronargs, p.pronargdefaults,
                  pg_catalog.array_to_string(p.proargnames, ','),
                  (SELECT pg_catalog.string_agg(pg_catalog.format_type(t, NULL), ',' ORDER BY i) FROM pg_catalog.unnest(p.proargtypes) WITH ORDINALITY x(t, i))
           FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_depend d ON d.objid = p.oid AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.deptype = 'e'
                JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
           WHERE e.extname = 'hinted_exemplar' ORDER BY p.oid"""
    )
    found = []
    for name, kind, returns_set, result, count, defaults, names, types in rows:
        count, defaults = int(count), int(defaults)
        names = (names.split(",") if names else [""] * count)[:count]
        types = [simple(name) for name in types.split(",")] if types else []
        arguments = tuple(Argument(names[i], types[i], i >= count - defaults) for i in range(count))
        found.append(Function(name.rpartition(".")[2], kind, returns_set == "t", simple(result), arguments))
    return found


def simple(type_name):
    """A type without its schema, where it is pgvector's or shadowed."""
    return type_name.rpartition(".")[2].strip('"')


class Values:
    """Makes the SQL of values for one call."""

    def __init__(self, random, target, others, hostility):
        self.random, self.target, self.others, self.hostility = random, target, others, hostility

    def is_hostile(self):
        return self.random.random() < self.hostility

    def of(self, argument):
        """The SQL of a value for an argument; NotImplementedError for a type that nothing is known of."""
        make = getattr(self, "make_" + argument.type.replace("[]", "_array").replace(" ", "_"), None)
        if make is None:
            raise NotImplementedError(f"nothing generates the type {argument.type} of the argument {argument.name}: add it to tests/robustness/calls.py")
        if self.is_hostile() and self.random.random() < 0.15:
            return "NULL"
        return make(argument)

    def pick(self, mild, hostile):
        return str(self.random.choice(hostile if self.is_hostile() else mild))

    # ---- what names something

    def make_regclass(self, _):
        return quoted(self.pick([self.target.relation], [self.random.choice(self.others).relation, "0", "4294967295", "pg_catalog.pg_proc_oid_index"]))

    def make_name(self, _):
        column = self.target.column.replace('""', '"')
        return quoted(self.pick([column], ["", "id", "tableoid", "ctid", "xmin", "no such column", 'a"b', "v' OR true --", "é" * 31, "V"]))

    def make_text(self, argument):
        known = {
            "loss": ["squared_hinge", "logistic"],
            "objective": ["adaptive", "cosine"],
            "key": ["id", "tag", "ctid", "tableoid"],
        }
        if "filter" in argument.name:
            mild = ["id % 2 = 0", "id < 50", "true", "tag = 'tag1'", "id IN (SELECT 3)", "v IS NOT NULL"]
            hostile = ["", " ", "false", "NULL", "id", "1/(id-3) > 0", "true) OR (true", "true; DROP TABLE fuzz.heap", "true -- ", "true /*", "(", "$1", "exists(select 1)",
                       "pg_sleep(0.001) IS NOT NULL", "count(*) > 1", "row_number() over () > 1", "generate_series(1,2) = 1", "t.id > 0", "true LIMIT 1", "random() < 0.5",
                       "v <#> '[1]' < 0", "'\\' = ''", "id = ANY('{1,2,3}')", "U&'\\0061' = 'a'", "id < " + "1+" * 300 + "1"]
        elif argument.name in known:
            mild, hostile = known[argument.name], ["", " ", "Squared_Hinge", "%s%n", "é" * 100, "no such thing", "'; --", "v", "{}"]
        else:
            mild, hostile = ["x"], ["", "'", "\\", "é" * 1000, "%s"]
        return quoted(self.pick(mild, hostile))

    # ---- numbers

    def make_integer(self, argument):
        mild = {"sample_size": [1, 5, 40, 300, 1000], "k": [1, 3, 20], "expand": [0, 1, 5, 20], "max_iter": [1, 5, 100]}.get(argument.name, [0, 1, 2, 17])
        return self.pick(mild, [0, -1, 1, 2, 100000, 2147483647, -2147483648])

    def make_bigint(self, argument):
        hostile = [0, -1, 100000, 2**31 - 1, 2**31, 2**32, 2**53 + 1, 2**62, 2**63 - 1, -(2**63) + 1]
        return self.make_integer(argument) if self.random.random() > self.hostility else self.pick([self.random.randrange(1000)], hostile)

    make_smallint = make_integer

    def make_double_precision(self, argument):
        mild = {"tol": [1e-6, 1e-3, 1e-9], "neutral_fraction": [0, 0.5, 1], "expected_share": [0.01, 0.1, 0.5]}.get(argument.name, [0.1, 0.5, 1, 2, 10])
        hostile = ["0", "-0", "-1", "1e-323", "1e-300", "1e-163", "1e-155", "1e20", "1e38", "1e155", "1e200", "1e300", "1.7e308", "NaN", "Infinity", "-Infinity", "1e-17", "1.0000000001"]
        return quoted(self.pick(mild, hostile))

    make_real = make_double_precision

    def make_boolean(self, _):
        return self.random.choice(["true", "false", "NULL"])

    def make_oid(self, _):
        return self.pick([1], [0, 4294967295])

    def make_double_precision_array(self, argument):
        if self.is_hostile():
            return quoted(self.random.choice(["{}", "{NULL}", "{1,NULL}", "{{1,2},{3,4}}", "[5:6]={1,2}", "{NaN}", "{Infinity,1}", "{-1,1}", "{0}", "{0,0}", "{1e308,1e308}", "{1e-163}",
                                              "{1e155,1}", "{1e-300,1e300}", "{1}", "{1,1,1,1,1,1,1,1,1,1,1,1,1}"]))
        return quoted("{" + ",".join(str(self.random.choice([0.5, 1, 2])) for _ in range(self.random.choice([1, 1, 2, 3, 5]))) + "}")

    make_real_array = make_double_precision_array
    make_bigint_array = make_integer_array = make_double_precision_array

    # ---- vectors

    def width(self):
        return int(self.pick([self.target.dimensions], WIDTHS + [self.target.dimensions] * 6))

    def kind(self):
        return self.pick(MILD_KINDS, HOSTILE_KINDS)

    def make_vector(self, _):
        chance = self.random.random()
        if chance < 0.25:
            return self.target.row(self.random.randrange(12))
        if self.is_hostile() and chance < 0.4:
            return quoted(self.random.choice(["[0]", "[]", "[NaN]", "[1e39]", "[1,2,3]", "[0,0,0,0,0,0,0,0]", "[1e-46,0,0,0,0,0,0,0]", "{1}", "[3.4e38,-3.4e38,3.4e38,0,0,0,0,1]"]))
        if chance < 0.6 and self.target.dimensions <= 8:
            return quoted("[" + ",".join(f"{self.random.uniform(-1, 1):.3g}" for _ in range(self.target.dimensions)) + "]")
        return f"fuzz.v('{self.kind()}', {self.width()}, {self.random.randrange(50)})"

    def make_vector_array(self, argument):
        chance = self.random.random()
        if chance < 0.15:
            return self.target.all_rows
        if self.is_hostile():
            one, other = self.make_vector(argument), self.make_vector(argument)
            return self.random.choice(["'{}'", "'{NULL}'", '\'{NULL,"[1,2]"}\'', "'{{\"[1,2]\"},{\"[3,4]\"}}'", "'[7:8]={\"[1,2]\",\"[2,1]\"}'", f"ARRAY[{one}, {other}]::public.vector[]",
                                       f"ARRAY[{one}, NULL, {other}]::public.vector[]", f"ARRAY[ARRAY[{one}]]::public.vector[]",
                                       f"fuzz.vs('{self.kind()}', {self.width()}, {self.random.choice([0, 1, 7, 100, 300])}, {self.random.randrange(50)})"])
        if chance < 0.4:
            return f"ARRAY[{self.make_vector(argument)}, {self.make_vector(argument)}]::public.vector[]"
        return f"fuzz.vs('{self.kind()}', {self.target.dimensions}, {self.random.choice([1, 2, 3, 5, 20])}, {self.random.randrange(50)})"

    def make_halfvec(self, argument):
        return f"({self.make_vector(argument)})::public.halfvec"

    def make_sparsevec(self, argument):
        return f"({self.make_vector(argument)})::public.sparsevec"

    def make_internal(self, _):
        return "NULL"


def quoted(text):
    """A literal of no type."""
    return ("E" if "\\" in text else "") + "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def call(function, values, random):
    """The SQL of one call and the arguments that it gives."""
    given, chance = {}, random.choice([0.05, 0.2, 0.5])
    wanted = {"exemplar", "hint", "exemplars", "hints"} & {argument.name for argument in function.arguments}
    sure = random.choice(sorted(wanted)) if wanted else None
    for position, argument in enumerate(function.arguments):
        if not argument.optional or argument.name == sure or random.random() < chance:
            given[argument.name or position] = (argument, values.of(argument))
    if random.random() < 0.3 and given:
        # All but one are as they should be.
        name = random.choice(list(given))
        values.hostility, before = 1.0, values.hostility
        given[name] = (given[name][0], values.of(given[name][0]))
        values.hostility = before
    counts = {plural: random.choice([1, 2, 3, 7]) for plural in ("exemplars", "counter_exemplars")}
    # As many weights as there are examples, and reasons, or all of these calls would be refused for that alone.
    for plural, weights in (("exemplars", "exemplar_weights"), ("counter_exemplars", "counter_exemplar_weights"), ("counter_exemplars", "reasons")):
        if weights in given and not values.is_hostile():
            given.pop(plural[:-1], None)
            n, d = counts[plural], values.target.dimensions
            if plural not in given and random.random() < 0.8:
                given[plural] = (next(a for a in function.arguments if a.name == plural), "")
            if plural in given:
                given[plural] = (given[plural][0], f"fuzz.vs('{values.kind()}', {d}, {n}, {random.randrange(50)})")
                weight = values.pick(["1", "0.5", "2"], ["0", "1e-163", "1e155", "1e308", "1e-320"])
                same = f"fuzz.vs('{values.kind()}', {d}, {n}, {random.randrange(50)})" if weights == "reasons" else quoted("{" + ",".join([weight] * n) + "}")
                given[weights] = (given[weights][0], same)
    return given


def written(function, given, replace=None):
    """The call as SQL, with `replace` in the place of some arguments."""
    arguments = []
    for position, argument in enumerate(function.arguments):
        key = argument.name or position
        if key in given:
            sql = (replace or {}).get(key, given[key][1])
            arguments.append(f"{argument.name} => {sql}" if argument.name else sql)
    return f"public.{function.name}({', '.join(arguments)})"


def aggregated(function, values, random):
    """A call of an aggregate over the rows of a target, and a second of its forms."""
    target, arguments = values.target, []
    for argument in function.arguments:
        if argument.type == "vector" and not arguments:
            sql = target.vector
        elif argument.type == "boolean":
            sql = random.choice(["t.id % 3 = 0", "t.id < 5", "NULLIF(t.id % 3, 0) = 1", "true", "false", "NULL", "t.id > 1000"])
        else:
            sql = values.of(argument)
        arguments.append(sql)
    inside = ("DISTINCT " if random.random() < 0.1 else "") + ", ".join(arguments) + (f" ORDER BY t.\"{target.column}\"" if random.random() < 0.1 else "")
    behind = random.choice(["", "", "", " FILTER (WHERE t.id < 20)", " OVER (ORDER BY t.id ROWS 5 PRECEDING)", " OVER (PARTITION BY t.id % 4)"])
    return f"public.{function.name}({inside}){behind}"
