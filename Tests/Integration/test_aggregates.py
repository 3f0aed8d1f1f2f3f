"""SUM, AVG, STDDEV and VARIANCE through the proxy: keys made by the command with and without them, results as on a plaintext
twin, groups that are too small, and what would show more than a group's result."""

import decimal
import os
import random

import psycopg
import pytest
from cloister_testlib.tap import tapped_proxy
from conftest import binaries, free_port, run_cloister, running_stack

TYPES = {"i2": "int2", "i4": "int4", "i8": "int8", "n": "numeric", "n2": "numeric(12,3)", "f4": "float4", "f8": "float8"}
OTHERS = {"t": "text", "d": "date", "v": "interval"}
FUNCTIONS = ["sum", "avg", "stddev", "stddev_pop", "stddev_samp", "variance", "var_pop", "var_samp"]
LEAST = 4
DEFINITION = "id int PRIMARY KEY, grp int, note text, s int4, " + ", ".join(f"{name} {kind}" for name, kind in {**TYPES, **OTHERS}.items())
COLUMNS = (
    "columns:\n  public.pay:\n    s: { type: int4, encryption: deterministic, key: ids }\n"
    + "".join(f"    {name}: {{ type: '{kind}', encryption: randomized, key: pay }}\n" for name, kind in {**TYPES, **OTHERS}.items())
    + "  public.fives:\n    a: { type: int4, encryption: randomized, key: fives }\n"
    + "  public.never:\n    a: { type: int4, encryption: randomized, key: never }\n"
)


def number(kind, rng):
    match kind:
        case "int2" | "int4" | "int8":
            limit = 1 << int(kind[3:]) * 8 - 1
            return rng.randrange(-limit, limit) // (100 if kind == "int8" else 1)
        case "numeric":
            return decimal.Decimal(rng.randrange(-(10**20), 10**20)).scaleb(-rng.randrange(12))
        case "numeric(12,3)":
            return decimal.Decimal(rng.randrange(-(10**9), 10**9)).scaleb(-3)
        case "float4":
            return rng.randrange(-(2**20), 2**20) / 64
    return rng.uniform(-1e9, 1e9)


def rows():
    rng = random.Random(7)
    for row in range(80):
        numbers = [None if rng.randrange(9) == 0 else number(kind, rng) for kind in TYPES.values()]
        yield (row, None if row % 13 == 12 else row % 4, "xyz"[row % 3], row, *numbers, "text", "2020-01-01", "1 day")


class Sides:
    """A session through a proxy, and one past it on the twin in schema `plain`."""

    def __init__(self, stack, port, tap):
        self.tap = tap
        self.ours = stack.proxy(port=port)
        self.theirs = stack.direct(options="-c search_path=plain")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ours.close()
        self.theirs.close()

    def same(self, sql, parameters=None):
        """In text and in binary, by the simple and the extended protocol: values and types."""
        answers = []
        for side in (self.ours, self.theirs):
            seen = []
            for binary, prepare in ((False, False), (False, True), (True, True)):
                cursor = side.execute(sql, parameters, prepare=prepare, binary=binary)
                seen.append(([(c.name, c.type_code) for c in cursor.description], cursor.fetchall()))
            answers.append(seen)
        assert answers[0] == answers[1], sql
        return answers[0][0][1]

    def refused(self, sql, state, code, parameters=None):
        """By the proxy or by the enclave; what the error says."""
        self.tap.mark()
        with pytest.raises(psycopg.Error) as failure:
            self.ours.execute(sql, parameters)
        error = failure.value
        told = f"{error.diag.message_primary} {error.diag.message_detail} {error.diag.message_hint}"
        assert (error.sqlstate, code in told) == (state, True), f"{sql}: {error.sqlstate} {told}"
        return told


@pytest.fixture(scope="module")
def stack():
    """Its keys are made by the command, as an administrator would make them, before a proxy with these columns starts."""
    with running_stack("columns: {}\n") as running:
        running.config = running.dir / "aggregates.yaml"
        text = (running.dir / "cloister.yaml").read_text()
        running.config.write_text(text[: text.index("columns:")] + COLUMNS)
        values = running.environment
        running.administrator = {**os.environ, "PGUSER": values["CLOISTER_SUPERUSER"], "PGPASSWORD": values["CLOISTER_SUPERUSER_PASSWORD"]}
        for arguments in (["pay", "--aggregate", "--minimum-group", LEAST], ["fives", "--aggregate"], ["never"], ["ids"]):
            keys(running, *arguments)
        with running.superuser() as boss:
            boss.execute(f"CREATE SCHEMA plain AUTHORIZATION {values['PGUSER']}")
        yield running


def keys(stack, *arguments, check=True):
    return run_cloister("keys", "create-column", *arguments, "--config", stack.config, env=stack.administrator, check=check)


@pytest.fixture(scope="module")
def sides(stack):
    port = free_port()
    with tapped_proxy(stack, binaries() / "cloister", port, stack.config) as (tap, _), Sides(stack, port, tap) as found:
        for side in (found.ours, found.theirs):
            side.execute(f"CREATE TABLE pay ({DEFINITION})")
            side.cursor().executemany(f"INSERT INTO pay VALUES ({', '.join(['%s'] * (4 + len(TYPES) + len(OTHERS)))})", list(rows()))
            for table in ("fives", "never"):
                side.execute(f"CREATE TABLE {table} (id int, a int4)")
                side.cursor().executemany(f"INSERT INTO {table} VALUES (%s, %s)", [(n, n * 10) for n in range(6)])
        yield found


@pytest.mark.parametrize("column", TYPES)
def test_results_are_postgresqls(sides, column):
    calls = ", ".join(f"{name}({column}) AS {name}" for name in FUNCTIONS)
    (row,) = sides.same(f"SELECT {calls} FROM (SELECT * FROM pay ORDER BY id) p")
    assert None not in row
    # Sums of floats depend on the order.
    ordered = ", ".join(f"{name}({column} ORDER BY id)" for name in FUNCTIONS)
    groups = sides.same(f"SELECT grp, count({column}), {ordered} FROM pay GROUP BY grp ORDER BY grp")
    assert len(groups) == 5 and all(None not in group[1:] for group in groups)


def test_clauses(sides):
    assert len(sides.same("SELECT grp, note, sum(i4), avg(i8) FROM pay GROUP BY GROUPING SETS ((grp), (note), ()) ORDER BY 1, 2")) == 9
    sides.same("SELECT sum(i4) FILTER (WHERE id > 20), avg(n) FILTER (WHERE n > %s), stddev(f8 ORDER BY id) FROM pay", (0,))
    sides.same("SELECT grp, sum(i4) AS total FROM pay WHERE i4 > %s GROUP BY grp HAVING count(*) > 2 AND min(i4) < %s ORDER BY grp", (-(10**9), 10**9))
    sides.same("SELECT grp, sum(i4) FROM pay GROUP BY grp HAVING count(i4) >= 4 ORDER BY max(i4), grp")
    sides.same("SELECT o.grp, o.total, o.n FROM (SELECT grp, sum(n2) AS total, count(*) AS n FROM pay GROUP BY grp) o WHERE o.n > 3 ORDER BY o.grp")
    sides.same("WITH w AS (SELECT note, avg(i2) AS mean FROM pay GROUP BY note) SELECT mean, note FROM w ORDER BY note")
    # No value at all is NULL, whatever the minimum is.
    assert sides.same("SELECT sum(i4), avg(n), stddev(f8), sum(f4) FROM pay WHERE id < 0") == [(None,) * 4]
    assert sides.same("SELECT sum(i4) FROM pay WHERE i4 IS NULL") == [(None,)]
    # As many as the policy asks for; all alike.
    sides.same(f"SELECT sum(i4), var_pop(i4) FROM (SELECT * FROM pay WHERE i4 IS NOT NULL ORDER BY id LIMIT {LEAST}) p")
    assert sides.same("SELECT sum(a), avg(a) FROM fives") == [(150, 25)]


def test_small_groups_are_refused(sides):
    few = "(SELECT * FROM pay WHERE i4 IS NOT NULL AND n IS NOT NULL ORDER BY id LIMIT {})"
    for function in FUNCTIONS:
        sides.refused(f"SELECT {function}(i4) FROM {few.format(LEAST - 1)} p", "YE005", "CL7025")
    sides.refused(f"SELECT avg(n) FROM {few.format(1)} p", "YE005", "CL7025")
    sides.refused("SELECT id, sum(i4) FROM pay GROUP BY id", "YE005", "CL7025")
    # NULLs do not count, and FILTER's rows are the group.
    sides.refused("SELECT sum(i4) FILTER (WHERE id = 3) FROM pay", "YE005", "CL7025")
    # The default of the command is five.
    sides.refused("SELECT sum(a) FROM fives WHERE id < 4", "YE005", "CL7025")
    assert sides.same("SELECT sum(a) FROM fives WHERE id < 5") == [(100,)]


def test_a_row_counts_once(sides):
    """So do rows that one constant was given to: they hold one cell. Those of one INSERT each have their own."""
    sides.refused("SELECT sum(p.i4) FROM pay p JOIN fives f ON true", "YE004", "CL7026")
    sides.refused("SELECT sum(i4) FROM (SELECT * FROM pay UNION ALL SELECT * FROM pay) p", "YE004", "CL7026")
    for side in (sides.ours, sides.theirs):
        side.execute("INSERT INTO fives VALUES (10, 7), (11, 7), (12, 7)")
        side.execute("INSERT INTO fives SELECT v.id, v.a FROM (VALUES (13, 7), (14, 7)) v (id, a)")
    assert sides.same("SELECT sum(a), stddev(a) FROM fives WHERE id >= 10") == [(35, 0)]
    for side in (sides.ours, sides.theirs):
        side.execute("UPDATE fives SET a = 8 WHERE id >= 10")
    sides.refused("SELECT sum(a) FROM fives WHERE id >= 10", "YE004", "CL7026")
    for side in (sides.ours, sides.theirs):
        side.execute("DELETE FROM fives WHERE id >= 10")


def test_off_unless_the_key_says_so(sides):
    for function in FUNCTIONS:
        assert "create-column NAME --amend" in sides.refused(f"SELECT {function}(a) FROM never", "YE005", "CL7018")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT sum(i4) OVER () FROM pay", "SELECT avg(i4) OVER (PARTITION BY grp ORDER BY id) FROM pay", "SELECT sum(DISTINCT i4) FROM pay",
        "SELECT avg(DISTINCT n) FROM pay", "SELECT sum(s) FROM pay", "SELECT avg(s) FROM pay", "SELECT sum(v) FROM pay", "SELECT avg(t) FROM pay",
        "SELECT sum(i4 + 1) FROM pay", "SELECT sum(i4)::text FROM pay", "SELECT sum(i4) + 1 FROM pay", "SELECT sum(i4) = 5 FROM pay",
        "SELECT grp FROM pay GROUP BY grp HAVING sum(i4) > 0", "SELECT grp, sum(i4) FROM pay GROUP BY grp ORDER BY sum(i4)",
        "SELECT grp, sum(i4) FROM pay GROUP BY grp ORDER BY 2", "SELECT round(avg(n), 2) FROM pay", "SELECT coalesce(sum(i4), 0) FROM pay",
        "SELECT DISTINCT sum(i4) FROM pay GROUP BY grp", "SELECT x FROM (SELECT sum(i4) AS x FROM pay) q WHERE x IS NOT NULL",
        "SELECT max(x) FROM (SELECT sum(i4) AS x FROM pay GROUP BY grp) q", "SELECT sum(x) FROM (SELECT sum(i4) AS x FROM pay GROUP BY grp) q",
        "INSERT INTO pay (id, i8) SELECT 100, sum(i4) FROM pay", "UPDATE pay SET i8 = (SELECT sum(i4) FROM pay)",
        "SELECT id FROM pay WHERE i8 < (SELECT sum(i4) FROM pay)", "SELECT sum(i4) FROM pay UNION SELECT 1",
    ],
)  # fmt: skip
def test_what_would_show_more_is_refused(sides, sql):
    sides.refused(sql, "0A000", "CL6")
    assert b"pay" not in sides.tap.sent().replace(b"pg_catalog", b"")


def test_out_of_range(sides):
    """As PostgreSQL: the sum of bigints is numeric, of floats it can overflow."""
    for side in (sides.ours, sides.theirs):
        side.execute("BEGIN")
        rows = ", ".join(f"({n}, 9, 3e38, 9223372036854775807)" for n in range(200, 206))
        side.execute(f"INSERT INTO pay (id, grp, f4, i8) VALUES {rows}")
    try:
        assert sides.same("SELECT sum(i8), avg(i8) FROM pay WHERE grp = 9")[0][0] == 6 * (2**63 - 1)
        for side in (sides.ours, sides.theirs):
            with pytest.raises(psycopg.errors.NumericValueOutOfRange):
                side.execute("SELECT sum(f4) FROM pay WHERE grp = 9")
    finally:
        for side in (sides.ours, sides.theirs):
            side.execute("ROLLBACK")


def test_arguments(stack):
    for arguments, words in (
        (["x", "--minimum-group", "3"], "--minimum-group goes with --aggregate"), (["x", "--aggregate", "--no-aggregate"], "either"),
        (["x", "--aggregate", "--no-enclave"], "--no-enclave"), (["pay", "--amend", "--aggregate", "--minimum-group", "1"], "2"),
    ):  # fmt: skip
        ran = keys(stack, *arguments, check=False)
        assert ran.returncode != 0 and words in ran.stderr, ran.stderr
    listed = run_cloister("keys", "list", "--config", stack.config, env=stack.administrator).stdout
    assert f"aggregate of at least {LEAST}" in listed and "aggregate of at least 5" in listed and listed.count("aggregate") == 2


def test_amended_keys(stack):
    """Runs last: a proxy that starts later releases the keys with their new policies."""
    keys(stack, "never", "--amend", "--aggregate", "--minimum-group", "6")
    keys(stack, "fives", "--amend", "--no-aggregate")
    keys(stack, "pay", "--amend")  # keeps what it had
    port = free_port()
    with tapped_proxy(stack, binaries() / "cloister", port, stack.config) as (tap, _), Sides(stack, port, tap) as later:
        assert later.same("SELECT sum(a) FROM never") == [(150,)]
        later.refused("SELECT sum(a) FROM never WHERE id > 0", "YE005", "CL7025")
        later.refused("SELECT sum(a) FROM fives", "YE005", "CL7018")
        assert later.same("SELECT sum(i4) FROM pay")[0][0] is not None
