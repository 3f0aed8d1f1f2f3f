"""Every type on marked columns, through the proxy, and on a plaintext twin, past it: rows, order, column names and types, command tags
and SQLSTATEs must be the same, in both result formats, with index paths forced and with sequential ones.
"""

import datetime
import decimal
import ipaddress
import uuid

import test_differential_names
import test_differential_operations
import test_differential_statements
from cloister_testlib.differential import LONG, STORED, TYPES, UNICODE, VALUES, compare, differ, outcome, shown, stored


def literal_spellings():
    """Comparisons of each type with its own values in several spellings."""
    for kind, name in TYPES.items():
        picked = VALUES[kind]
        for operator in ("=", "<>", "<", "<=", ">", ">="):
            yield f"SELECT id FROM r WHERE {name} {operator} {picked[0]} ORDER BY id"
            yield f"SELECT id FROM r WHERE {picked[3]} {operator} {name} ORDER BY id"
        for value in picked:
            if value != "NULL":
                text = value if value.startswith(("'", "E'")) else f"'{value}'"
                yield f"SELECT id FROM r WHERE {name} = {text}::{kind} ORDER BY id"
                yield f"SELECT id FROM d WHERE {name} = {kind} {text} ORDER BY id"
                yield f"SELECT id FROM d WHERE {name} = CAST({text} AS {kind}) ORDER BY id"
        yield f"SELECT id, {name} FROM r ORDER BY {name}, id"
        yield f"SELECT id, {name} FROM r ORDER BY {name} DESC NULLS LAST, id DESC"
        yield f"SELECT {name}, id FROM r ORDER BY 1 NULLS FIRST, 2"
        yield f"SELECT id, {name} FROM d ORDER BY id"
        yield f"SELECT id FROM r WHERE {name} BETWEEN {picked[1]} AND {picked[0]} ORDER BY id"
        yield f"SELECT id FROM r WHERE {name} NOT BETWEEN SYMMETRIC {picked[0]} AND {picked[3]} ORDER BY id"
        yield f"SELECT id FROM r WHERE {name} IN ({picked[0]}, {picked[1]}, {picked[6]}) ORDER BY id"
        yield f"SELECT id FROM d WHERE {name} IN ({picked[0]}, {picked[2]}) OR {name} IS NULL ORDER BY id"
        yield f"SELECT id FROM r WHERE {name} NOT IN ({picked[0]}, {picked[7]}) ORDER BY id"
        yield f"SELECT id FROM d WHERE {name} NOT IN ({picked[0]}, NULL) ORDER BY id"
        yield f"SELECT id FROM r WHERE {name} IS DISTINCT FROM {picked[0]} ORDER BY id"
        yield f"SELECT id FROM d WHERE {name} IS NOT DISTINCT FROM NULL ORDER BY id"
        yield f"SELECT {name}, count(*) FROM r GROUP BY {name} ORDER BY {name}"
        yield f"SELECT count(*) AS n FROM d GROUP BY {name} ORDER BY n"
        yield f"SELECT DISTINCT {name} FROM r ORDER BY {name}"
        yield f"SELECT count(DISTINCT {name}), count({name}) FROM d"
        yield f"SELECT id FROM d WHERE {name} = ANY (ARRAY[{picked[0]}, {picked[6]}]::{kind}[]) ORDER BY id"
        yield f"SELECT a.id, b.id FROM r a FULL JOIN k b ON a.{name} = b.{name} AND b.id > 0 ORDER BY 1, 2"
        yield f"SELECT id FROM r WHERE {name} IN (SELECT {name} FROM k) ORDER BY id"
        yield f"SELECT id FROM d WHERE NOT EXISTS (SELECT FROM kd WHERE kd.{name} = d.{name}) ORDER BY id"
        yield f"SELECT id FROM r WHERE {name} >= ALL (SELECT {name} FROM k WHERE {name} IS NOT NULL) ORDER BY id"
        yield f"SELECT id FROM r WHERE ({name}, id) < ({picked[0]}, 3) ORDER BY id"
        yield f"SELECT DISTINCT ON ({name}) {name}, id FROM r ORDER BY {name}, id DESC"
        yield f"INSERT INTO r (id, {name}) VALUES (90, {picked[7]}), (91, {picked[0]}), (92, NULL) RETURNING id, {name}"
        yield f"INSERT INTO k (id, {name}) SELECT id + 90, {name} FROM r WHERE {name} <> {picked[0]} RETURNING id"
        yield f"UPDATE d SET {name} = {stored('d', kind, 7)} WHERE {name} = {picked[0]} RETURNING id, {name}"
        yield f"DELETE FROM r WHERE {name} > {picked[0]} OR {name} IS NULL RETURNING id"
        if kind not in ("boolean", "bytea", "uuid"):  # no such aggregates in PostgreSQL 15
            yield f"SELECT min({name}), max({name}) FROM r"
        yield f"SELECT a.id, b.id FROM r a JOIN k b ON a.{name} = b.{name} ORDER BY 1, 2"
        yield f"SELECT a.id, b.id FROM d a LEFT JOIN kd b ON a.{name} = b.{name} ORDER BY 1, 2 NULLS FIRST"
        yield f"SELECT a.id, b.id FROM r a JOIN r b ON a.{name} < b.{name} ORDER BY 1, 2"
        yield f"SELECT id, rank() OVER (ORDER BY {name}), lag({name}) OVER (ORDER BY {name}, id) FROM r ORDER BY id"
        yield f"SELECT id, count(*) OVER (PARTITION BY {name}) FROM d ORDER BY id"
        yield f"SELECT {name} FROM r UNION SELECT {name} FROM k ORDER BY 1"
        yield f"SELECT count(*) FROM (SELECT {name} FROM d INTERSECT SELECT {name} FROM kd) q"
        yield f"SELECT coalesce({name}, {picked[0]}) FROM r ORDER BY id"
        yield f"SELECT greatest({name}, {picked[0]}), least({name}, {picked[3]}), nullif({name}, {picked[0]}) FROM r ORDER BY id"
        yield f"SELECT CASE WHEN {name} = {picked[0]} THEN {picked[1]} ELSE {name} END FROM d ORDER BY id"


def stored_only():
    """json and jsonb: values come back as they went in; nothing compares them."""
    for kind, name in STORED.items():
        yield f"SELECT id, {name} FROM r ORDER BY id"
        yield f"SELECT id FROM r WHERE {name} IS NOT NULL ORDER BY id"
        yield f"SELECT coalesce({name}, '{{}}') FROM r ORDER BY id"
        for picked in VALUES[kind] + ["'{'", "''", "'{\"a\": 01}'", "'[1,]'", "'\"\\u0000\"'", "'{\"\": {\"\": null}}'", "' 1e3 '"]:
            yield f"INSERT INTO r (id, {name}) VALUES (90, {picked}) RETURNING {name}"
            yield f"UPDATE r SET {name} = {picked} WHERE id < 2 RETURNING id, {name}"


# A cast to bpchar is taken for one to char(1).
REFUSED = {
    statement: "CL6012"
    for value in VALUES["bpchar"] if value != "NULL"
    for statement in (f"SELECT id FROM r WHERE c = {value}::bpchar ORDER BY id", f"SELECT id FROM d WHERE c = bpchar {value} ORDER BY id",
                      f"SELECT id FROM d WHERE c = CAST({value} AS bpchar) ORDER BY id")
}


def test_there_are_enough():
    statements = {*literal_spellings(), *stored_only(), *test_differential_operations.STATEMENTS, *test_differential_statements.STATEMENTS, *test_differential_names.STATEMENTS}

    written = {*test_differential_operations.STATEMENTS, *test_differential_statements.STATEMENTS, *test_differential_names.STATEMENTS}
    assert len(written) >= 600 and len(statements) > 1500


def test_every_type(sides, binary):
    failures = compare(sides, [*literal_spellings(), *stored_only()], binary, REFUSED)
    assert not failures, shown(failures)


D, T, Z = datetime.date, datetime.datetime, datetime.timezone
PARAMETERS = {
    "boolean": [True, False, None], "int2": [1, -32768, None], "int4": [1, 2147483647, -1, None], "int8": [1, -(2**63), 2**63 - 1, None],
    "float8": [1.0, -0.0, float("nan"), float("inf"), 5e-324, None],
    "numeric": [decimal.Decimal("1.500"), decimal.Decimal("-99999999999999999999.000000000000000001"), decimal.Decimal("NaN"), None],
    "text": ["alpha", "", UNICODE, "it's", LONG, None], "varchar": ["alpha", "", "ÄÖÜ", None], "bytea": [b"\x00\xff", b"", b"abc", None],
    "date": [D(2020, 2, 29), D(1, 1, 1), None], "timestamp": [T(2020, 2, 29, 12, 34, 56, 789000), None],
    "timestamptz": [T(2020, 2, 29, 10, 34, 56, tzinfo=Z.utc), T(2020, 2, 29, 12, 34, 56, tzinfo=Z(datetime.timedelta(hours=2))), None],
    "float4": [1.5, None], "bpchar": ["alpha", None], "time": [datetime.time(12, 34, 56, 789000), None],
    "timetz": [datetime.time(12, 34, 56, tzinfo=Z(datetime.timedelta(hours=2))), None], "interval": [datetime.timedelta(days=1), datetime.timedelta(hours=25), None],
    "inet": [ipaddress.ip_address("192.168.0.1"), ipaddress.ip_address("::1"), None],
    "uuid": [uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), uuid.UUID(int=0), None],
}
WITH_PARAMETER = [
    "SELECT id FROM r WHERE {c} = {p} ORDER BY id",
    "SELECT id FROM d WHERE {c} = {p}::{t} ORDER BY id",
    "SELECT id FROM d WHERE {c} <> CAST({p} AS {t}) ORDER BY id",
    "SELECT id FROM r WHERE {c} > {p} ORDER BY id",
    "SELECT id, {c} FROM r WHERE {c} IS DISTINCT FROM {p} ORDER BY {c}, id",
    "SELECT id FROM r WHERE {c} IN ({p}, {p}) ORDER BY id",
    "SELECT coalesce({c}, {p}) FROM r ORDER BY id",
    "INSERT INTO r (id, {c}) VALUES (100, {p}) RETURNING {c}",
    "INSERT INTO d (id, {c}) SELECT 100, {p} RETURNING {c}",
    "UPDATE r SET {c} = {p} WHERE id < 2 RETURNING id, {c}",
    "DELETE FROM d WHERE {c} = {p} RETURNING id",
]


def test_parameters(sides, binary):
    """Each twice, so that psycopg prepares; in a transaction that is rolled back."""
    failures = []
    for kind, values in PARAMETERS.items():
        for template in WITH_PARAMETER:
            if kind == "bpchar" and "{t}" in template:
                continue  # refused, as above
            if kind == "float4":
                template = template.replace("coalesce({c}, {p})", "coalesce({c}, {p}::float4)")  # else PostgreSQL's is a float8
            statement = template.format(c=TYPES[kind], t=kind, p="%b" if binary else "%t")
            for given in values:
                if kind == "numeric" and " d " in statement and given == decimal.Decimal("1.500"):
                    given = decimal.Decimal("1.5")
                found = []
                for side in sides:
                    side.execute("BEGIN")
                    both = [outcome(side, statement, [given] * statement.count("%"), binary) for _ in range(2 if statement.startswith("SELECT") else 1)]
                    side.execute("ROLLBACK")
                    found.append(both)
                if kind == "float8" and given == 0 and " d " in statement:
                    continue  # -0.0 is kept as 0.0
                if any(differ(*pair) for pair in zip(*found)):
                    failures.append((f"{statement} {given!r:.60}", *found))
    assert not failures, shown(failures)
