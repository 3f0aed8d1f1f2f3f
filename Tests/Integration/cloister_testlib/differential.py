"""What the differential tests share: the tables of every type, encrypted through the proxy and plain past it, and the comparison.

`r` has every type randomized, `d` every type deterministic that has an equality, both with unmarked `id` and `grp`; `k` and `kd` are
their partners for joins; `u` has constraints. The twin's tables have the same names in schema `plain`.
"""

import decimal
import random
import re

import psycopg

TYPES = {
    "boolean": "b", "int2": "i2", "int4": "i4", "int8": "i8", "float4": "f4", "float8": "f8", "numeric": "n", "text": "t", "varchar": "v",
    "bpchar": "c", "bytea": "by", "date": "da", "time": "ti", "timetz": "tt", "timestamp": "ts", "timestamptz": "tz", "interval": "iv",
    "uuid": "u", "inet": "ip",
}
STORED = {"json": "j", "jsonb": "jb"}  # no operators
DECLARED = {"bpchar": "char(5)"}
LIMITED = {"v": "varchar(5)", "c": "char(4)", "n": "numeric(6,2)", "ti": "time(1)", "ts": "timestamp(0)", "tz": "timestamptz(2)"}


def mark(name, kind, scheme, key):
    return f'\n    {name}: {{ type: "{DECLARED.get(kind, kind)}", encryption: {scheme}, key: {key} }}'


def marks(types, scheme, key):
    return "".join(mark(name, kind, scheme, key) for kind, name in types.items())


ODD = ("'\"Name\"'", "'\"from\"'")
CONFIG = f"""
columns:
  public.r: {marks(TYPES | STORED, "randomized", "kr")}
  public.k: {marks(TYPES, "randomized", "kr")}
  public.d: {marks(TYPES, "deterministic", "kd")}
  public.kd: {marks(TYPES, "deterministic", "kd")}
  public.l: {"".join(mark(name, kind, "randomized", "kl") for name, kind in LIMITED.items())}
  public.u:
    code: {{ type: text, encryption: randomized, key: kr }}
    tag: {{ type: int4, encryption: deterministic, key: kd }}
    need: {{ type: date, encryption: randomized, key: kr }}
  public.p: {mark("t", "text", "randomized", "kr")}
  public.p1: {mark("t", "text", "randomized", "kr")}
  public.p2: {mark("t", "text", "randomized", "kr")}
  public.parent: {mark("t", "text", "randomized", "kr")}
  public.child: {mark("t", "text", "randomized", "kr")}{mark("more", "int4", "deterministic", "kd")}
  public.made: {mark("t", "text", "randomized", "kr")}{mark("x", "int4", "deterministic", "kd")}
  other.r: {mark("t", "text", "deterministic", "kd")}
  '"Odd"."Ta ble"':{mark(ODD[0], "text", "randomized", "kr")}{mark(ODD[1], "int4", "randomized", "kr")}
"""

LONG = "".join(map(chr, random.Random(1).choices(range(33, 127), k=100_000)))  # does not compress, as cells do not
UNICODE = "Zoë 日本語 \U0001f600 ﷽ \u0301e"

# A value of each type for each row, a NULL among them; written as SQL so that both sides read the same spelling.
VALUES = {
    "boolean": ["true", "false", "'yes'", "'off'", "true", "NULL", "'t'", "false"],
    "int2": ["1", "-32768", "32767", "0", "1", "NULL", "' 7 '", "-1"],
    "int4": ["1", "-2147483648", "2147483647", "0", "1", "NULL", "'42'", "-1"],
    "int8": ["1", "-9223372036854775808", "9223372036854775807", "0", "1", "NULL", "3000000000", "-1"],
    "float4": ["1.5", "'-3.4028235e38'", "'NaN'", "'-0.0'", "1.50", "NULL", "'Infinity'", "'1e-45'"],
    "float8": ["1", "-1.7976931348623157e308", "'NaN'", "'-0.0'", "1.0", "NULL", "'Infinity'", "5e-324"],
    "numeric": ["1.50", "-99999999999999999999.000000000000000001", "'NaN'", "0.00", "1.5", "NULL", "1e-20", "'Infinity'"],
    "text": ["'alpha'", "''", f"'{UNICODE}'", "'Alpha'", "'alpha'", "NULL", "'it''s'", "E'tab\\there\\\\'"],
    "varchar": ["'alpha'", "''", "'ÄÖÜ'", "'Alpha '", "'alpha'", "NULL", "'b'", "'alphabet'"],
    "bpchar": ["'alpha'", "''", "'ÄÖ'", "'Alpha'", "'alpha'", "NULL", "'b'", "'alp'"],
    "bytea": ["'\\x00ff'", "''", "'\\xDEADBEEF'", "'abc'", "'\\x00ff'", "NULL", "'a\\\\b'", "'\\000'"],
    "date": ["'2020-02-29'", "'4713-01-01 BC'", "'5874897-12-31'", "'infinity'", "'2020-02-29'", "NULL", "'-infinity'", "'January 8, 1999'"],
    "time": ["'12:34:56.789'", "'00:00:00'", "'24:00:00'", "'23:59:59.999999'", "'12:34:56.789'", "NULL", "'04:05 PM'", "'040506'"],
    "timetz": ["'12:34:56+02'", "'00:00:00-12'", "'24:00:00+00'", "'23:59:59.999999+15:59'", "'12:34:56+02:00'", "NULL", "'10:34:56Z'", "'04:05:06-08:00'"],
    "timestamp": ["'2020-02-29 12:34:56.789'", "'4713-01-01 00:00:00 BC'", "'294276-12-31 23:59:59.999999'", "'infinity'",
                  "'2020-02-29 12:34:56.789'", "NULL", "'-infinity'", "'1999-01-08 04:05:06'"],
    "timestamptz": ["'2020-02-29 12:34:56+02'", "'4714-11-24 00:00:00+00 BC'", "'294276-12-31 23:59:59.999999+00'", "'infinity'",
                    "'2020-02-29 10:34:56Z'", "NULL", "'-infinity'", "'1999-01-08 04:05:06 Europe/Berlin'"],
    "interval": ["'1 day'", "'-178000000 years'", "'178000000 years'", "'0'", "'1 day'", "NULL", "'24 hours'", "'P1Y2M3DT4H5M6.7S'"],
    "uuid": ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
             "'{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A12}'", "'a0eebc999c0b4ef8bb6d6bb9bd380a11'", "NULL",
             "'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'00000000-0000-0000-0000-000000000001'"],
    "inet": ["'192.168.0.1'", "'0.0.0.0/0'", "'::1'", "'192.168.0.0/16'", "'192.168.0.1/32'", "NULL", "'10.1.2.3/8'", "'2001:db8::/32'"],
    "json": ["'{\"a\": 1}'", "'[]'", "'  \"x\"  '", "'null'", "'{\"a\": 1}'", "NULL", "'1.50'", "'{\"b\":[1,{\"c\":\"ü\"}],\"b\":2}'"],
    "jsonb": ["'{\"a\": 1}'", "'[]'", "'  \"x\"  '", "'null'", "'{\"a\": 1}'", "NULL", "'1.50'", "'{\"b\":[1,{\"c\":\"ü\"}],\"b\":2}'"],
}
ROWS = 8

# Deterministic columns keep one form of equal values (docs/values.md).
NORMAL = {
    "numeric": {"1.50": "1.5", "0.00": "0"}, "float4": {"'-0.0'": "0"}, "float8": {"'-0.0'": "0"}, "interval": {"'24 hours'": "'1 day'"},
    "bpchar": {"''": "'empty'", "'ÄÖ'": "'ÄÖÜß!'", "'b'": "'bbbbb'", "'alp'": "'alphb'"},
}


def stored(table, kind, row):
    written = VALUES[kind][row]
    return NORMAL.get(kind, {}).get(written, written) if table in ("d", "kd") else written


def setup():
    for table in ("r", "d", "k", "kd"):
        types = TYPES | STORED if table == "r" else TYPES
        yield f"CREATE TABLE {table} (id int4 PRIMARY KEY, grp int4, {', '.join(f'{name} {DECLARED.get(kind, kind)}' for kind, name in types.items())})"
        for row in range(ROWS if table in "rd" else 4):
            values = ", ".join(stored(table, kind, row if table in "rd" else row * 2) for kind in types)
            yield f"INSERT INTO {table} VALUES ({row}, {row % 3}, {values})"
    for name in TYPES.values():
        yield f"CREATE INDEX r_{name} ON r ({name})"
        yield f"CREATE INDEX d_{name} ON d {'USING hash' if name in ('t', 'i4') else ''} ({name})"
    yield "CREATE INDEX k_t ON k (t)"
    yield "CREATE TABLE u (id int4 PRIMARY KEY, code text UNIQUE, tag int4 UNIQUE, need date NOT NULL)"
    yield "INSERT INTO u VALUES (1, 'one', 1, '2000-01-01'), (2, 'two', 2, '2000-01-02'), (3, NULL, NULL, '2000-01-03')"
    yield f"CREATE TABLE l (id int4 PRIMARY KEY, {', '.join(f'{name} {kind}' for name, kind in LIMITED.items())})"
    yield "INSERT INTO l VALUES (1, 'abc', 'xy', 1.005, '12:00:00.06', '2020-01-01 00:00:00.5', '2020-01-01 00:00:00.005Z')"


def make_twins(stack):
    """The tables on both sides."""
    with stack.proxy() as client, stack.direct() as twin:
        twin.execute("CREATE SCHEMA plain; SET search_path = plain")
        for statement in setup():
            client.execute(statement)
            twin.execute(plain(statement))


def plain(statement):
    """A definition for the twin: the server's default collation must not decide, since encrypted text compares by code point."""
    statement = statement.replace('"Odd"', '"Odd twin"')
    if not re.match(r"CREATE (TEMP |TEMPORARY |UNLOGGED )?TABLE|ALTER TABLE", statement):
        return statement
    return re.sub(r"( (?:text|varchar(?:\(\d+\))?|char\(\d+\)))(?=[ ,)])", r'\1 COLLATE "C"', statement)


def outcome(connection, statement, parameters=None, binary=False):
    """('rows', columns, rows, tag) or ('error', SQLSTATE, message)."""
    with connection.cursor(binary=binary) as cursor:
        try:
            cursor.execute(statement, parameters if parameters is not None or not binary else [])
            columns = [(column.name, column.type_code) for column in cursor.description or []]
            rows = [tuple(same(value) for value in row) for row in cursor.fetchall()] if cursor.description else []
            return "rows", columns, rows, cursor.statusmessage
        except psycopg.DataError as error:
            if error.sqlstate is None:  # psycopg can't hold infinity or BC dates: compare what came over the wire
                result = cursor.pgresult
                return "wire", [[result.get_value(row, column) for column in range(result.nfields)] for row in range(result.ntuples)]
            return "error", error.sqlstate, str(error)
        except psycopg.Error as error:
            return "error", error.sqlstate, str(error)


def same(value):
    """NaN equals itself; -0.0 is not 0.0; a Decimal's scale counts."""
    if isinstance(value, (float, decimal.Decimal)):
        return repr(value)
    return value


# The result has the column's type where PostgreSQL finds a wider one for column and constant, or text for varchar.
OTHER_TYPE = {(23, 21), (25, 1043), (25, 1042), (1700, 20), (1700, 23), (20, 23)}


def differ(ours, theirs):
    if ours[0] == theirs[0] == "rows" and len(ours[1]) == len(theirs[1]):
        alike = all(a[0] == b[0] and (a[1] == b[1] or (b[1], a[1]) in OTHER_TYPE) for a, b in zip(ours[1], theirs[1]))
        return not alike or ours[2:] != theirs[2:]
    if ours[0] == theirs[0] == "error":
        return ours[1] != theirs[1]
    return ours != theirs


def refusal(ours):
    """The code of our refusal, or None."""
    found = re.search(r"\bCL[26]\d{3}\b", ours[2]) if ours[:2] == ("error", "0A000") else None
    return found[0] if found else None


def compare(sides, statements, binary=False, refused=()):
    """Each statement in a transaction that is rolled back; what differs, as text. `refused`: {statement: code}."""
    client, twin = sides
    failures = []
    for written in statements:
        statement = written.replace("%", "%%") if binary else written  # with parameters % stands for one
        for side in sides:
            side.execute("BEGIN")
        ours, theirs = outcome(client, statement, None, binary), outcome(twin, plain(statement), None, binary)
        for side in sides:
            side.execute("ROLLBACK")
        if written in refused:
            if refusal(ours) != refused[written]:
                failures.append((statement, f"not refused with {refused[written]}", ours))
        elif differ(ours, theirs):
            failures.append((statement, ours, theirs))
    return failures


def script(sides, statements, refused=()):
    """The statements in order, without a transaction around them."""
    failures = []
    for statement in statements:
        ours = outcome(sides[0], statement)
        if statement in refused:
            if refusal(ours) != refused[statement]:
                failures.append((statement, f"not refused with {refused[statement]}", ours))
            continue
        theirs = outcome(sides[1], plain(statement))
        if differ(ours, theirs):
            failures.append((statement, ours, theirs))
        assert sides[0].info.transaction_status == sides[1].info.transaction_status, statement
    return failures


def shown(failures):
    return f"{len(failures)} statements\n" + "\n".join(f"{statement}\n    {str(ours)[:500]}\n    {str(theirs)[:500]}" for statement, ours, theirs in failures)
