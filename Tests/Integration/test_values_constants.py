"""ConstantFunctions against PostgreSQL itself: the same expression on the server, and the same type and bytes from both.

What the proxy does not compute it refuses (0A000). A refusal is right wherever the server fails too, and where the test expects
one; how many expressions were computed is checked as well, so that refusing everything does not pass.
"""

import itertools
import random

import pytest
from cloister_testlib.values import SCALE, configure, db, h, probe, server  # noqa: F401  (fixtures)

VALUES = {
    "int2": ["0", "1", "-1", "7", "32767", "-32768"],
    "int4": ["0", "1", "-1", "30", "365", "-7", "2147483647", "-2147483648"],
    "int8": ["0", "3", "-1", "9223372036854775807", "-9223372036854775808", "3000000000"],
    "numeric": ["0", "1", "-1.5", "0.001", "10.00", "123456789.987654321", "1e20", "-7e-10", "99999999", "3", "0.3333", "NaN", "12345678901234567890.5"],
    "float4": ["0", "1.5", "-0.1", "3e38", "1e-40", "NaN", "Infinity"],
    "float8": ["0", "1.5", "-0.1", "1e308", "1e-308", "3", "0.1", "NaN", "-Infinity"],
    "date": ["2020-01-31", "2020-02-29", "1999-12-31", "infinity", "4714-11-24 BC", "5874897-12-31", "2021-03-14", "0001-01-01 BC"],
    "time": ["00:00", "12:34:56.789", "23:59:59.999999", "24:00"],
    "timestamp": ["2020-01-31 12:00", "2021-03-14 02:30", "1969-12-31 23:59:59.5", "infinity", "294276-12-31 23:59:59", "4714-11-24 00:00 BC", "0044-03-15 10:00 BC"],
    "timestamptz": ["2021-03-13 12:00-05", "2021-03-14 02:30-05", "2021-11-07 01:30-04", "2020-01-31 12:00Z", "-infinity", "2021-11-06 05:00Z", "0044-03-15 10:00Z BC"],
    "interval": ["1 month", "1 year", "-1 day", "1 mon -1 day 12:00", "25:00", "0.5 sec", "-1 year 2 mons 3 days -4:05:06.789", "2147483647 days", "100 years", "1 day 1 us"],
    "text": ["", "abc", "  Ab c  ", "x1y2 z", "éa", "😀ab", "A"],
    "varchar": ["abc ", ""],
    "bpchar": ["ab  ", " x "],
    "boolean": ["t", "f"],
    "bytea": ["\\x00ff", ""],
    "uuid": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    "inet": ["1.2.3.4"],
}
UNKNOWN = ["1", "2020-01-31", "1 day", "12:00", "x", "2020-01-31 12:00", "1.5", "-3"]
SETTINGS = [{"TimeZone": "America/New_York", "DateStyle": "ISO, MDY", "IntervalStyle": "postgres"},
            {"TimeZone": "Europe/Berlin", "DateStyle": "SQL, DMY", "IntervalStyle": "sql_standard"}]


def quote(text):
    return "'" + text.replace("'", "''") + "'"


def prepare(db):
    db.execute("""CREATE OR REPLACE FUNCTION compute(expression text) RETURNS text LANGUAGE plpgsql AS $$
        DECLARE kind regtype; answer bytea;
        BEGIN
            EXECUTE 'SELECT pg_typeof(' || expression || ')' INTO kind;
            EXECUTE 'SELECT ' || (SELECT typsend::text FROM pg_type WHERE oid = kind) || '(' || expression || ')' INTO answer;
            RETURN 'ok ' || (SELECT typname FROM pg_type WHERE oid = kind) || ':' || CASE WHEN answer IS NULL THEN 'null' WHEN answer = '' THEN '-' ELSE encode(answer, 'hex') END;
        EXCEPTION WHEN OTHERS THEN RETURN 'err ' || sqlstate;
        END $$""")


def run(db, probe, calls, now=0):
    """`calls`: (name, isOperator, [(type or None, text or None)], SQL). Returns (SQL, server's answer, ours)."""
    prepare(db)
    constants = sorted({(kind, text) for _, _, arguments, _ in calls for kind, text in arguments if kind and text is not None})
    read = probe.ask([f"in {kind} {h(text.encode())}" for kind, text in constants])
    canonical = {}
    for constant, answer in zip(constants, read):
        assert answer.startswith("ok"), constant
        canonical[constant] = answer[3:]
    requests = []
    for name, is_operator, arguments, _ in calls:
        fields = [f"{kind or 'unknown'}:{'null' if text is None else canonical[kind, text] if kind else h(text.encode())}" for kind, text in arguments]
        requests.append(" ".join(["call", name, "operator" if is_operator else "function", str(now), *fields]))
    ours = []
    for answer in probe.ask(requests):
        if answer.startswith("ok"):
            kind, value = bytes.fromhex(answer[3:]).decode().split(":")
            answer = f"ok {kind.replace('boolean', 'bool')}:{value}"
        ours.append(answer)
    theirs = [row[0] for row in db.execute("SELECT compute(e) FROM unnest(%s::text[]) WITH ORDINALITY t(e, n) ORDER BY n", ([c[3] for c in calls],)).fetchall()]
    return [(sql, a, b) for (_, _, _, sql), a, b in zip(calls, theirs, ours)]


def check(results, least):
    # A NULL's type is of no use to anyone, and the proxy doesn't tell it.
    null = lambda a, b: a.endswith(":null") and b.endswith(":null")
    wrong = [r for r in results if r[1] != r[2] and r[2] != "err 0A000" and not null(r[1], r[2])]
    assert not wrong, f"{len(wrong)} of {len(results)} differ, such as {wrong[:15]}"
    computed = sum(1 for r in results if r[2].startswith("ok"))
    assert computed >= least, f"only {computed} of {len(results)} were computed"
    return results


def constant(kind, text):
    return "NULL" if text is None else quote(text) + (f"::{kind}" if kind else "")


def call(name, *arguments):
    return name, False, list(arguments), f"{name}({', '.join(constant(*a) for a in arguments)})"


@pytest.mark.parametrize("settings", SETTINGS, ids=["NewYork", "Berlin"])
@pytest.mark.parametrize("operator", ["+", "-", "*", "/", "%", "||"])
def test_operators(db, probe, operator, settings):
    configure(db, probe, settings)
    rng = random.Random(operator)
    pool = [(kind, text) for kind, texts in VALUES.items() for text in texts] + [(None, text) for text in UNKNOWN]
    calls = []
    for left, right in itertools.product(pool, pool):
        if rng.random() < 0.6:
            calls.append((operator, True, [left, right], f"{constant(*left)} {operator} {constant(*right)}"))
    least = {"+": 700, "-": 700, "*": 600, "/": 500, "%": 150, "||": 900}[operator]
    results = check(run(db, probe, calls), least)
    # Where the server computes, ours may refuse only what is listed here.
    refused = [r[0] for r in results if r[1].startswith("ok") and r[2] == "err 0A000"]
    allowed = ("NaN", "Infinity", "nfinity", "inet", "timetz", "|| ")
    unexpected = [sql for sql in refused if not any(word in sql for word in allowed)]
    assert len(unexpected) <= len(results) // 20, unexpected[:30]


def test_unary(db, probe):
    calls = [("-", True, [(kind, text)], f"- {constant(kind, text)}") for kind in ("int2", "int4", "int8", "numeric", "float4", "float8", "interval") for text in VALUES[kind]]
    check(run(db, probe, calls), 40)


def test_numeric_arithmetic(db, probe):
    rng = random.Random(81)
    calls = []
    for _ in range(2500 * SCALE):
        operator = rng.choice("+-*/%")
        pair = [("numeric", rng.choice(["", "-"]) + str(rng.randrange(10 ** rng.randrange(1, 40))) + rng.choice(["", "." + "".join(rng.choices("0123456789", k=rng.randrange(1, 25)))])) for _ in range(2)]
        calls.append((operator, True, pair, f"{constant(*pair[0])} {operator} {constant(*pair[1])}"))
    check(run(db, probe, calls), 2200)


@pytest.mark.parametrize("settings", SETTINGS, ids=["NewYork", "Berlin"])
def test_date_arithmetic(db, probe, settings):
    configure(db, probe, settings)
    rng = random.Random(82)
    calls = []
    for _ in range(3000 * SCALE):
        kind = rng.choice(["date", "timestamp", "timestamptz", "time", "interval"])
        stamp = f"{rng.choice([rng.randrange(1, 9999), rng.randrange(1960, 2040)]):04d}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}"
        clock = f"{rng.randrange(24):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}.{rng.randrange(10 ** 6):06d}"
        span = f"{rng.randrange(-30, 30)} mons {rng.randrange(-400, 400)} days {rng.choice(['', '-'])}{clock}"
        left = (kind, {"date": stamp, "timestamp": f"{stamp} {clock}", "timestamptz": f"{stamp} {clock}", "time": clock, "interval": span}[kind])
        right = rng.choice([("interval", f"{rng.randrange(-30, 30)} mons {rng.randrange(-400, 400)} days {clock}"), ("int4", str(rng.randrange(-1000, 1000))), ("float8", str(rng.uniform(-9, 9))), ("numeric", f"{rng.uniform(-9, 9):.3f}"), (kind, left[1])])
        operator = rng.choice("+-*/" if kind == "interval" else "+-")
        calls.append((operator, True, [left, right], f"{constant(*left)} {operator} {constant(*right)}"))
    check(run(db, probe, calls), 1100)


@pytest.mark.parametrize("settings", SETTINGS, ids=["NewYork", "Berlin"])
def test_functions(db, probe, settings):
    configure(db, probe, settings)
    rng = random.Random(83)
    pool = [(kind, text) for kind, texts in VALUES.items() for text in texts] + [(None, text) for text in UNKNOWN]
    texts = [("text", t) for t in VALUES["text"]] + [("varchar", "abc "), ("bpchar", "ab  "), (None, "  Xy z "), (None, "ÄB"), ("text", None)]
    numbers = [("int4", str(n)) for n in (-3, -1, 0, 1, 2, 3, 5, 100)] + [("int2", "2"), (None, "2"), ("int8", "2"), ("int4", "2147483647"), ("int4", "-2147483648")]
    calls = []
    for name in ("lower", "upper", "initcap", "trim", "btrim", "ltrim", "rtrim", "length", "char_length", "abs", "round", "floor", "ceil", "ceiling"):
        calls += [call(name, value) for value in pool]
    for text in texts:
        calls += [call(name, text, chars) for name in ("btrim", "ltrim", "rtrim") for chars in ((None, "a b"), (None, ""), ("text", "é😀"), ("text", " x"))]
        for n in numbers:
            calls += [call(name, text, n) for name in ("left", "right", "substr", "substring")]
            if abs(int(n[1])) < 1000:
                calls.append(call("repeat", text, n))
            calls += [call("substring", text, n, m) for m in numbers if rng.random() < 0.5]
        calls += [call("replace", text, (None, a), (None, b)) for a in ("a", "", "b c", "é") for b in ("", "xx")]
    for value in pool:
        calls.append(call("concat", value, ("text", None), (None, "y"), value))
    calls += [call("round", (kind, text), n) for kind in ("numeric", "int4", "float8") for text in VALUES[kind] for n in numbers]
    units = "microseconds milliseconds second minute hour day week month quarter year decade century millennium Week bogus".split()
    moments = [(kind, text) for kind in ("date", "timestamp", "timestamptz") for text in VALUES[kind]]
    moments += [("timestamptz", f"{rng.randrange(1, 3000):04d}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d} {rng.randrange(24)}:{rng.randrange(60)}:01.234567") for _ in range(60)]
    calls += [call("date_trunc", (None, unit), moment) for unit in units for moment in moments]
    results = check(run(db, probe, calls), 1500)
    refused = [r[0] for r in results if r[1].startswith("ok") and r[2] == "err 0A000"]
    assert len(refused) <= len(results) // 8, refused[::20]


def test_make(db, probe):
    rng = random.Random(84)
    number = lambda *range_: ("int4", str(rng.randrange(*range_)))
    calls = []
    for _ in range(600):
        date = [number(-50, 3000), number(0, 14), number(0, 33)]
        calls.append(call("make_date", *date))
        calls.append(call("make_timestamp", *date, number(0, 26), number(0, 61), ("float8", str(round(rng.uniform(-1, 61), rng.randrange(9))))))
        calls.append(call("make_interval", *[number(-1000, 1000) for _ in range(rng.randrange(7))]))
        calls.append(call("make_interval", *[number(-100, 100) for _ in range(6)], ("float8", str(rng.uniform(-1000, 1000)))))
    calls += [call("make_date", *[("int4", n) for n in date]) for date in (("2147483647", "1", "1"), ("5874897", "12", "31"), ("5874898", "1", "1"), ("-4714", "11", "24"), ("-4714", "11", "23"), ("0", "1", "1"), ("-2147483648", "1", "1"))]
    calls += [call("make_timestamp", *[("int4", n) for n in ("2020", "1", "1", "24", "0")], ("float8", s)) for s in ("0", "0.5", "NaN", "60")]
    calls += [call("make_timestamp", *[("int4", n) for n in ("2020", "1", "1", "23", "59")], ("float8", s)) for s in ("60", "59.9999999", "60.1", "NaN", "Infinity")]
    calls += [call("make_interval", ("int4", "178956970"), ("int4", "7")), call("make_interval", ("int4", "178956970"), ("int4", "8"))]
    check(run(db, probe, calls), 1200)


def test_the_clock(db, probe):
    """Each clock function at one instant, in the session's zone."""
    for settings in SETTINGS:
        configure(db, probe, settings)
        with db.transaction():
            now = db.execute("SELECT (extract(epoch FROM now()) * 1000000)::int8 - 946684800000000").fetchone()[0]
            calls = [(name, False, [], sql) for name, sql in [("now", "now()"), ("transaction_timestamp", "transaction_timestamp()"), ("current_timestamp", "current_timestamp"), ("current_date", "current_date"),
                                                               ("localtimestamp", "localtimestamp"), ("current_time", "current_time"), ("localtime", "localtime")]]
            results = run(db, probe, calls, now)
        assert all(a == b for _, a, b in results), results
