"""Statements of statements/*.sql through the proxy and on a plaintext twin: the same rows in the same order, columns, command tags,
SQLSTATEs and transaction states; by the simple protocol, and single ones by the extended one with results in text and in binary.

One line is one transaction that is rolled back; ` ;; ` parts its statements. `CL6001| …`: the proxy must refuse the (first) statement
with this code. `pending| …`: not yet as on the twin; one that is as on the twin fails the test, so that the list shrinks.
"""

import concurrent.futures
import pathlib

import pytest

from cloister_testlib.twins import Parameter, Step, make_twin, run, twins
from conftest import running_stack

FOLDER = pathlib.Path(__file__).parent / "statements"
TYPES = {
    "b": "boolean", "i2": "int2", "i4": "int4", "i8": "int8", "f4": "float4", "f8": "float8", "n": "numeric", "t": "text", "v": "varchar",
    "c": "char(6)", "by": "bytea", "da": "date", "ti": "time", "tt": "timetz", "ts": "timestamp", "tz": "timestamptz", "iv": "interval",
    "u": "uuid", "ip": "inet",
}
LIMITED = {"v": "varchar(5)", "c": "char(4)", "n": "numeric(6,2)", "ti": "time(1)", "ts": "timestamp(0)", "tz": "timestamptz(2)", "iv": "interval(0)"}
COPIED = b"50\tcopied\t5\n51\t\\N\t\\N\n"


def _marks(table, columns, scheme, key):
    quoted = lambda name: f"'{name}'" if '"' in name else name
    return f"  {quoted(table)}:\n" + "".join(
        f"    {quoted(name)}: {{ type: '{kind}', encryption: {scheme}, key: {key} }}\n" for name, kind in columns.items()
    )


CONFIG = "columns:\n" + "".join([
    _marks("public.r", {**TYPES, "j": "json", "jb": "jsonb"}, "randomized", "kr"),
    _marks("public.d", TYPES, "deterministic", "kd"),
    _marks("public.l", LIMITED, "randomized", "kl"),
    *(_marks(f"public.{name}", {"t": "text", "w": "int4"}, "randomized", "kr") for name in ("p", "p1", "p2")),
    _marks('"Odd"."Ta ble"', {'"Name"': "text", '"from"': "int4"}, "randomized", "kr"),
    _marks("public.w", {"name": "text", "score": "int4"}, "randomized", "kr"),
    _marks("public.f", {"name": "text"}, "randomized", "kr"),
    _marks("public.later", {"v": "varchar(5)"}, "randomized", "kl"),
    _marks("public.later_s", {"s": "int4"}, "randomized", "kr"),
])
FILES = ["operations", "statements", "types", "names"]


def lines(name):
    """(line, what is expected: None, a code or "pending", statements)."""
    for line in (FOLDER / f"{name}.sql").read_text(encoding="utf8").splitlines():
        expected, _, text = line.partition("| ") if line.startswith(("CL", "pending|")) else ("", "", line)
        yield line, expected or None, text.split(" ;; ")


@pytest.fixture(scope="module")
def stack():
    with running_stack(CONFIG) as stack:
        make_twin(stack)
        yield stack


@pytest.fixture(scope="module")
def pair(stack):
    with twins(stack) as pair:
        for statement in (FOLDER / "setup.sql").read_text(encoding="utf8").splitlines():
            pair.both(statement)
        pair.both("SET statement_timeout = '20s'; SET TimeZone = 'UTC'")
        yield pair


def _short(outcomes):
    return "; ".join(f"{o.kind} {o.code} {o.message} {o.tag} {[c[:5] for c in o.columns]} {o.rows}" for o in outcomes or [])[:500]


def compare(pair, statements, expected, form):
    """What is wrong with a line, or None."""
    for side in (pair.ours, pair.theirs):
        run(side, Step("BEGIN"))
    try:
        for statement in statements:
            parameters, binary = ((), form == "binary") if form != "simple" else (None, False)
            ours, theirs, difference = pair.compare(Step(statement, parameters, binary, COPIED))
            if expected and expected.startswith("CL"):
                code = ours[0].code if ours[0].kind == "refusal" else None
                return None if code == expected else f"expected {expected}\n    proxy: {_short(ours)}"
            if theirs is None:
                return f"refused\n    proxy: {_short(ours)}"
            if difference:
                return f"{difference}\n    proxy: {_short(ours)}\n    twin:  {_short(theirs)}"
    finally:
        pair.settle()
    return None


@pytest.mark.parametrize("form", ["simple", "text", "binary"])
@pytest.mark.parametrize("name", FILES)
def test_statements(pair, name, form):
    wrong = []
    for line, expected, statements in lines(name):
        if form != "simple" and (len(statements) > 1 or statements[0].startswith(("COPY", "FETCH"))):
            continue
        problem = compare(pair, statements, expected, form)
        if expected == "pending":
            if not problem and form == "simple":
                wrong.append(f"{line}\n    is as on the twin: take it off the list")
        elif problem:
            wrong.append(f"{line}\n    {problem}")
    assert not wrong, f"{len(wrong)} lines\n" + "\n".join(wrong)


def test_there_are_enough():
    found = [statement for name in FILES for _, _, statements in lines(name) for statement in statements]
    assert len(found) == len([s for s in found if s.strip()]) and len(set(found)) >= 600


def test_ddl_of_other_sessions(stack, pair):
    """Sessions that create and drop tables all the time: no statement of any fails for what the others do."""

    def work(number):
        with twins(stack) as own:
            lines = [f"CREATE TABLE other_{number} AS SELECT id, t FROM r", f"SELECT id FROM other_{number} WHERE t = 'alpha' ORDER BY id", f"DROP TABLE other_{number}"]
            return [problem for _ in range(15) for line in lines if (problem := own.compare(Step(line))[2])] + [
                outcome for line in lines for outcome in run(own.ours, Step(line)) if outcome.kind != "rows"
            ]

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        assert list(pool.map(work, range(3))) == [[]] * 3


def test_spare_parameters(pair):
    """Parse may declare parameters that the text does not use; with a type they take values, without one they are an error."""
    sql = "SELECT id FROM r WHERE t = 'alpha' ORDER BY id"
    used = "SELECT id FROM r WHERE t = $1 ORDER BY id"
    spare = Parameter(25, b"alpha")
    for step in (Step(sql, (spare,)), Step(used, (spare, spare)), Step(used, (spare, Parameter(23, b"7"), Parameter(16, None)), binary=True),
                 Step(sql, (Parameter(0, b"x"),)), Step(used, (spare, Parameter(0, b"x")))):
        ours, theirs, difference = pair.compare(step)
        assert theirs is not None and difference is None, (step, ours, theirs, difference)
