"""ValueCodec against PostgreSQL itself: thousands of values per type and setting, both ways.

The Swift side is the executable value-probe (Tests/Tools/value-probe); the server is a private PostgreSQL 15 cluster. For
every text the server and the probe must give the same binary form or the same SQLSTATE; for every binary value the same
text under each setting. What ValueCodec refuses (0A000) is counted apart and only allowed where the test says so.
"""

import random
import re
import string
import struct

import psycopg
import pytest
from cloister_testlib.values import (  # noqa: F401  (fixtures)
    OIDS, SCALE, TYPES, check_binary, check_input, check_output, compare, configure, db, h, mutate, probe, server, with_mutants)


# --- integers, boolean, uuid, bytea, text ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind,bits", [("int2", 16), ("int4", 32), ("int8", 64)])
def test_integers(db, probe, kind, bits):
    rng = random.Random(bits)
    edge = 1 << (bits - 1)
    numbers = [0, 1, -1, edge, edge - 1, -edge, -edge - 1, edge * 10] + [rng.randrange(-edge, edge) >> rng.randrange(bits) for _ in range(2000 * SCALE)]
    texts = [f"{rng.choice(['', ' ', chr(9), chr(11)])}{rng.choice(['', '+']) if n >= 0 else ''}{n}{rng.choice(['', ' ', chr(10)])}" for n in numbers]
    texts += ["", " ", "-", "+", "- 1", "1 2", "0x10", "1_000", "00000000000000000000001", "99999999999999999999x", "1.0", "1e3", "--1", "+-1"]
    values = check_input(db, probe, kind, with_mutants(rng, texts))
    check_output(db, probe, kind, values)


def test_boolean(db, probe):
    words = ["true", "false", "yes", "no", "on", "off", "1", "0", "o", "2", "10", "", " ", "tr ue", "truee", "TRUE", "oFF"]
    texts = words + [w[:n] for w in words for n in range(len(w))] + [f" \t{w}\n" for w in words]
    rng = random.Random(1)
    check_output(db, probe, "boolean", check_input(db, probe, "boolean", with_mutants(rng, texts, 5)))


def test_uuid(db, probe):
    rng = random.Random(2)
    texts = []
    for _ in range(1500 * SCALE):
        digits = rng.randbytes(16).hex()
        out = ""
        for n in range(0, 32, 4):
            out += digits[n:n + 4] + (rng.choice(["", "-"]) if n < 28 else "")
        if rng.random() < 0.3:
            out = "{" + out + "}"
        texts.append(out.upper() if rng.random() < 0.3 else out)
    check_output(db, probe, "uuid", check_input(db, probe, "uuid", with_mutants(rng, texts)))


@pytest.mark.parametrize("output", ["hex", "escape"])
def test_bytea(db, probe, output):
    configure(db, probe, {"bytea_output": output})
    rng = random.Random(3)
    texts = ["", "\\x", "\\xa", "\\x0", "\\x 0a\n0b", "\\x0 a", "\\X00", "\\", "\\\\", "\\1", "\\400", "\\377", "\\08", "\\x0g", "\\xg0", "é\\\\é", "\\x00\v"]
    for _ in range(1500 * SCALE):
        data = rng.randbytes(rng.randrange(20))
        texts.append("\\x" + rng.choice(["", " "]).join(f"{b:02x}" for b in data))
        texts.append("".join(f"\\{b:03o}" if b < 32 or b > 126 else "\\\\" if b == 92 else chr(b) for b in data))
    values = check_input(db, probe, "bytea", with_mutants(rng, texts))
    check_output(db, probe, "bytea", values + [bytes([b]) for b in range(256)])


@pytest.mark.parametrize("kind", ["text", "varchar", "bpchar"])
def test_text_is_utf8(db, probe, kind):
    rng = random.Random(4)
    good = ["", " ", "abc", "é", "€", "😀", "\U0010ffff", "a\u0300", "\ufeff", "\ud7ff", "\ue000", "日本語"]
    values = check_input(db, probe, kind, good)
    check_output(db, probe, kind, values)
    # What is no UTF-8, through Bind, where the server checks it.
    bad = [b"\x80", b"\xc0\x80", b"\xc1\xbf", b"\xe0\x80\x80", b"\xe0\x9f\xbf", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf0\x80\x80\x80",
           b"\xf0\x8f\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xff", b"a\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"a\x00b", b"\xc3("]
    bad += [rng.randbytes(rng.randrange(1, 6)) for _ in range(400)]
    expected = []
    for value in bad:
        result = db.pgconn.exec_params(b"SELECT $1", [value], [OIDS[kind]], [1], 1)
        state = result.error_field(psycopg.pq.DiagnosticField.SQLSTATE)
        expected.append("err " + state.decode() if state else "ok " + h(result.get_value(0, 0)))
    compare(bad, expected, probe.ask([f"in {kind} {h(v)}" for v in bad]))
    compare(bad, expected, probe.ask([f"recv {kind} {h(v)}" for v in bad]))


# --- floating point and numeric ----------------------------------------------------------------------------------------

FLOATS = """0 -0 1 -1 .5 5. . 1e 1e+ 1e5 1E-5 1e15 1e16 123456789012345 1234567890123456 0.0001 0.00001 1e23 9007199254740993 5e-324 2e-324 3e-324
    1e-400 1e400 -1e400 1.7976931348623157e308 1.7976931348623159e308 2.2250738585072014e-308 4.9406564584124654e-324 nan NaN -nan +nan inf -inf +inf
    infinity -Infinity infinit infinityx nanx 0x10 0x1p3 0x1.8p1 0x 0xg 0x.8 0x1.p-2 0x1p 0x1p99999 0x0.p1 1e0005 00001 1..2 1.2.3 --1 +-1
    0.1e-999999999999999999999 0e999999999999 1e-324 123e-326 1_0 1,0""".split()


@pytest.mark.parametrize("extra", ["1", "3", "0", "-3", "-14", "-15"])
def test_float8(db, probe, extra):
    configure(db, probe, {"extra_float_digits": extra})
    rng = random.Random(5)
    texts = list(FLOATS) + ["", " ", " 1 ", "1 2", "\t1e2\n"]
    for _ in range(1500 * SCALE):
        texts.append(repr(struct.unpack("d", rng.randbytes(8))[0]))
        texts.append(f"{rng.uniform(-1000, 1000):.{rng.randrange(20)}f}")
        texts.append(f"{rng.randrange(10 ** rng.randrange(1, 30))}e{rng.randrange(-340, 310)}")
        texts.append(str(rng.randrange(10 ** rng.randrange(1, 40))) + "." + str(rng.randrange(10 ** rng.randrange(1, 40))))
        texts.append("0x%x.%xp%d" % (rng.randrange(1 << 60), rng.randrange(1 << 30), rng.randrange(-1090, 1000)))
    values = check_input(db, probe, "float8", with_mutants(rng, texts, 0.5), refusals=lambda t, _: b"nan(" in t.lower())
    # Powers of two and their neighbours, halves, borders, subnormals: where shortest forms go wrong.
    for exponent in range(-1074, 1024):
        bits = struct.unpack(">q", struct.pack(">d", 2.0 ** exponent))[0]
        values += [struct.pack(">q", bits + delta) for delta in (-1, 0, 1) if bits + delta >= 0]
    for power in range(-323, 309):
        bits = struct.unpack(">q", struct.pack(">d", float(f"1e{power}")))[0]
        values += [struct.pack(">q", bits + delta) for delta in (-1, 0, 1)]
    values += [struct.pack(">d", rng.randrange(1 << 53) / 4) for _ in range(2000)]
    values += [struct.pack(">q", rng.randrange(1 << rng.randrange(1, 53))) for _ in range(2000)]
    check_output(db, probe, "float8", values)


def numeric_text(rng):
    whole = "".join(rng.choices(string.digits, k=rng.randrange(rng.choice([2, 10, 40]))))
    part = "".join(rng.choices(string.digits + "000000", k=rng.randrange(rng.choice([2, 10, 40]))))
    exponent = rng.choice(["", "", "", f"e{rng.randrange(-40, 40)}", f"E+{rng.randrange(30)}"])
    return rng.choice(["", "-", "+", " "]) + whole + rng.choice(["", "."]) + part + exponent


def test_numeric(db, probe):
    rng = random.Random(6)
    texts = """0 -0 0.0 -0.000 1 1.0 1.10 .1 1. . -. 1e 1e5 1.5e-3 1e131071 1e131072 1e131073 1e-16383 1e-16384 1e-20000 0e-16383 0e-16384 0e131072
        0e999999 1e99999999999999999999 1e-99999999999999999999 1e1073741822 1e1073741823 nan NaN NANX inf +inf -inf Infinity -INFINITY infinit +nan -nan
        9999 10000 99999999 0.0001 0.00001 0.00000000000000000001 1_000 1..2 1.2.3 0x10 12345678901234567890.12345678901234567890""".split()
    texts += ["1e 5", "1e\t-5", "1 e5", "", " ", " 1 ", "+ 1", "- 1", "NaN x", " inf ", "1e+-5", "1e +5", "9" * 131072 + "." + "9" * 16383, "9" * 131073, "0." + "1" * 16384]
    texts += [numeric_text(rng) for _ in range(4000 * SCALE)]
    values = check_input(db, probe, "numeric", with_mutants(rng, texts, 0.7))
    check_output(db, probe, "numeric", [v for v in values if len(v) < 1000])


def test_numeric_binary(db, probe):
    """numeric_recv with every kind of damage."""
    rng = random.Random(7)
    values = []
    for _ in range(4000 * SCALE):
        count = rng.randrange(6)
        digits = [rng.choice([0, 0, 1, 10, 5000, 9999, rng.randrange(10000)]) for _ in range(count)]
        if rng.random() < 0.05 and digits:
            digits[rng.randrange(count)] = rng.choice([10000, 65535])
        sign = rng.choice([0, 0, 0, 0x4000, 0x4000, 0xc000, 0xd000, 0xf000, rng.choice([1, 0x8000, 0xe000])])
        scale = rng.choice([0, 1, 2, 3, 4, 5, 8, 20, 16383, rng.randrange(65536) if rng.random() < 0.1 else 3])
        weight = rng.choice([0, 1, 2, -1, -2, -4096, 32767, -32768, rng.randrange(-5, 6)])
        data = struct.pack(f">HhHH{count}H", count, weight, sign, scale, *digits)
        if rng.random() < 0.05:
            data = data[:-1] if rng.random() < 0.5 else data + b"\0\0"
        values.append(data)
    check_binary(db, probe, "numeric", values)


@pytest.mark.parametrize("kind,size", [("boolean", 1), ("int2", 2), ("int4", 4), ("int8", 8), ("float8", 8), ("uuid", 16), ("date", 4), ("timestamp", 8), ("timestamptz", 8), ("float4", 4)])
def test_binary_sizes_and_ranges(db, probe, kind, size):
    rng = random.Random(size)
    values = [rng.randbytes(rng.choice([size] * 6 + [0, size - 1, size + 1])) for _ in range(400)]
    if kind == "date":
        edges = [-2451545, 2145031948, 2147483647, -2147483648]
        values += [struct.pack(">i", max(-2 ** 31, min(2 ** 31 - 1, e + d))) for e in edges for d in (-1, 0, 1)]
    if kind.startswith("timestamp"):
        edges = [-211813488000000000, 9223371331200000000, 2 ** 63 - 1, -2 ** 63]
        values += [struct.pack(">q", max(-2 ** 63, min(2 ** 63 - 1, e + d))) for e in edges for d in (-1, 0, 1)]
    check_binary(db, probe, kind, values)


def test_equal_values_have_one_form(db, probe):
    """normalizedForEquality: equal for the server ⇔ equal bytes."""
    rng = random.Random(8)
    texts = ["0", "0.00", "-0", "1", "1.0", "1.000", "10", "10.0", "1e4", "10000.0", "0.1", "0.10", "0.0001", "0.00010", "nan", "NaN", "inf", "-inf", "100.0100"]
    kinds = [("numeric", [numeric_text(rng) for _ in range(200)]), ("float8", ["-nan", "1e-320"]), ("float4", ["-nan", "1e-40"])]
    kinds.append(("bpchar", ["", " ", "a", "a ", " a", "a  ", "é", "é "]))
    kinds.append(("jsonb", ["[1, 1.0]", "[1.0, 1]", '{"a": 1.10}', '{"a":1.1}', '"1.0"', '{"a": 1.1, "a": 1.10}']))
    spans = ["1 mon", "30 days", "720:00", "29 days 24:00", "-1 mon", "-30 days", "1 mon -30 days", "1 day -24:00", "1 year", "12 mons", "360 days", "1 day", "24:00", "23:59:60"]
    extremes = ["178956970 years 7 mons 2147483647 days 2562047788:00:54.775807", "-178956970 years -8 mons -2147483648 days -2562047788:00:54.775808"]
    spans += extremes + ["178956970 years 7 mons 2147483647 days 2562047788:00:54.775806", "178956970 years 7 mons 2147483646 days 2562047788:00:54.775807", "178956970 years 6 mons 2147483647 days 2562047788:00:54.775807"]
    spans += [f"{rng.randrange(-3, 4)} mons {rng.randrange(-40, 40)} days {rng.randrange(-50, 50)}:00" for _ in range(200)]
    kinds.append(("interval", spans))
    kinds.append(("timetz", ["12:00+00", "13:00+01", "11:00-01", "00:00+00", "24:00+00", "12:00Z", "12:00:00.0+00:00"]))
    kinds.append(("inet", ["1.2.3.4", "1.2.3.4/32", "1.2.3.0/24", "1.2.3.4/24", "::1", "::1/128", "::ffff:1.2.3.4", "0:0::1"]))
    for kind, extra in kinds:
        rows = db.execute(f"""SELECT v, {TYPES[kind][1]}(v::{kind}), dense_rank() OVER (ORDER BY v::{kind})
            FROM unnest(%s::text[]) AS t(v) WHERE ask('SELECT {TYPES[kind][1]}(convert_from($1, ''UTF8'')::{kind})', v::bytea) LIKE 'ok%%'""", (texts + extra,)).fetchall()
        forms = probe.ask([f"norm {kind} {h(row[1])}" for row in rows])
        assert len(rows) > 5
        classes = {}
        for row, form in zip(rows, forms):
            classes.setdefault(row[2], set()).add(form)
        assert all(len(found) == 1 for found in classes.values())
        assert len({next(iter(found)) for found in classes.values()}) == len(classes)


# --- dates and times ---------------------------------------------------------------------------------------------------

MONTHS = "January February March April May June July August September October November December".split()
ZONES = ["America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Casablanca", "Europe/Dublin",
         "Pacific/Apia", "Asia/Tehran", "America/St_Johns", "Antarctica/Troll", "Etc/GMT+5", "EST5EDT", "UTC", "Asia/Gaza"]
SHIFTS = ["+00", "-08", "+05:30", "+0530", "-3", "+1", "+14:59:59", "-15:59", "+16", "+15:60", "+24", "Z", "z", " UTC", " gmt", " zulu", "+ 5", " -5:30",
          "-07:00:01", "+05:00:60", "+99999999999"]
# From PostgreSQL's regression tests (date.sql, timestamp.sql, timestamptz.sql, horology.sql), whatever comes out.
REGRESSION = """1957-04-09|1996-02-29|1997-02-29|2000-04-02|2038-04-08|2039-04-09|2040-04-10 BC|January 8, 1999|1999-01-08|1999-01-18|1/8/1999|1/18/1999|18/1/1999
01/02/03|19990108|990108|1999.008|J2451187|January 8, 99 BC|99-Jan-08|1999-Jan-08|08-Jan-99|08-Jan-1999|Jan-08-99|Jan-08-1999|99-08-Jan|1999-08-Jan
99 Jan 08|1999 Jan 08|08 Jan 99|08 Jan 1999|Jan 08 99|Jan 08 1999|99 08 Jan|1999 08 Jan|99-01-08|08-01-99|08-01-1999|01-08-99|01-08-1999|99-08-01|1999-08-01
99 01 08|1999 01 08|08 01 99|08 01 1999|01 08 99|01 08 1999|99 08 01|1999 08 01|4714-11-24 BC|4714-11-23 BC|5874897-12-31|5874898-01-01|infinity|-infinity|epoch
Mon Feb 10 17:32:01 1997|Mon Feb 10 17:32:01.000001 1997|Mon Feb 10 17:32:01.999999 1997|Mon Feb 10 17:32:01.4 1997|Mon Feb 10 17:32:01.6 1997
1997-01-02|1997-01-02 03:04:05|1997-02-10 17:32:01-08|1997-02-10 17:32:01-0800|1997-02-10 17:32:01 -08:00|19970210 173201 -0800|1997-06-10 17:32:01 -07:00|2001-09-22T18:19:20
2000-03-15 08:14:01 GMT+8|2000-03-15 13:14:02 GMT-1|2000-03-15 12:14:03 GMT-2|2000-03-15 03:14:04 PST+8|2000-03-15 02:14:05 MST+7:00|Feb 10 17:32:01 1997 -0800|Feb 10 17:32:01 1997
Feb 10 5:32PM 1997|1997/02/10 17:32:01-0800|1997-02-10 17:32:01 PST|Feb-10-1997 17:32:01 PST|02-10-1997 17:32:01 PST|19970210 173201 PST|19970210 173201 America/New_York
97FEB10 5:32:01PM UTC|97/02/10 17:32:01 UTC|1997.041 17:32:01 UTC|19970710 173201 America/Does_not_exist|1997-06-10 18:32:01 PDT|Feb 16 17:32:01 0097 BC|Feb 16 17:32:01 0097
Feb 16 17:32:01 5097 BC|Feb 29 17:32:01 1996|Feb 29 17:32:01 1997|4714-11-24 00:00:00 BC|4714-11-23 23:59:59 BC|294276-12-31 23:59:59|294277-01-01 00:00:00|294277-01-01 00:00:00+00
4714-11-24 00:00:00+00 BC|4714-11-23 23:59:59+00 BC|4714-11-23 16:00:00-08 BC|4714-11-23 15:59:59-08 BC|294276-12-31 15:59:59-08|294276-12-31 16:00:00-08
Wed Jul 11 10:51:14 America/New_York 2001|Wed Jul 11 10:51:14 GMT-4 2001|Wed Jul 11 10:51:14 GMT+4 2001|Wed Jul 11 10:51:14 PST-03:00 2001|Wed Jul 11 10:51:14 PST+03:00 2001
J2452271+08|J2452271-08|J2452271.5+08|J2452271.5-08|J2452271 04:05:06+08|J2452271 04:05:06-08|J2452271T040506+08|J2452271T040506-08|J2452271T040506.789+08|J2452271T040506.789-08
12/27/2001 04:05:06.789 -08|20011227 040506+08|20011227 040506-08|20011227 040506.789+08|20011227 040506.789-08|20011227T040506+08|20011227T040506-08|20011227T040506.789+08
2001-12-27 04:05:06.789-08|2001.12.27 04:05:06.789-08|2001/12/27 04:05:06.789-08|12/27/2001 04:05:06.789-08|December 27, 2001 04:05:06.789-08|20011227T040506.789-08
y2001m02d04|y2001m12d27h04mm05s06.789+08|y2001m12d27h04mm05s06.789-08|y2001m12d27h04m05s06.789+08|2001-02-16 24:00:00|2001-02-16 24:00:01|2001-02-16 23:59:60|2001-02-16 23:60:00
2001-02-16 allballs|allballs|2001-02-16 12:00 AM|2001-02-16 12:00 PM|2001-02-16 13:00 PM|2001-02-16 0:00 PM|2001-02-16 T 12:00|2001-02-16 t120000|20010216T1200|2001-02-16T12|2001-02-16 12
2001-02-16 12:|2001-02-16 12:3|2001-02-16 1:2:3|2001-02-16 12:30.5|2001-02-16 12:30:|2001-02-16 12:30:15.|2001-02-16 12:30:15.5.5|2001-02-16 12:30:15.1234565|2001-02-16 12:30:15.9999999
2001-02-16 23:59:59.9999999|on 2001-02-16 at 12:30|2001-02-16, 12:30|(2001-02-16)|2001-02-16;|2001-02-16 12:30 dst|2001-02-16 12:30 UTC dst|2001-02-16 12:30 met dst|Thu 2001-02-16|thursday thursday 2001-02-16
2001-2-3|2001-02-30|2001-00-10|2001-10-00|2001-13-01|0000-01-01|0001-01-01|0001-01-01 BC|0000-01-01 BC|1-1-1|01-01-70|01-01-69|69-01-01|70-01-01|1.1.2001|13.1.2001|1.13.2001|31.12.1999
2001|200102|20010203|2001020|0102|010203|1010203|110010203|2001.45|2001.366|2000.366|2001.367|01.2001|1.5|.5|.|-|/|2001-|2001-02|2001-02-|2001--02-03|2001-02-03-04|feb|feb 2001|3 feb|3 feb 2001
2001-feb-3|3-feb-2001|feb-3-2001|3/feb/2001|3.feb.2001|feb.3.2001|3feb2001|feb3 2001|feb32001|2001feb3|+2001-02-03|-2001-02-03|2001-02-03 BC AD|2001-02-03 AD|2001-02-03 bc bc
epoch epoch|epoch 12:00|2001-02-03 epoch|epoch 2001-02-03|infinity infinity|infinity 2001-02-03|-infinity 12:30|+infinity|- infinity|now|today 12:00|2001-02-03 now|garbage today
j|jd 2451187|julian 2451187|julian2451187|j2451187.25|j 2451187.|j-1|j99999999999|j2147483647|y2001|m2|2001-02-03 j|2001-02-03 y|2001-02-03 dow 5|isoyear 2001|h12 2001-02-03|2001-02-03 h12 mm30 s15.5
2001-02-03 12:30 Europe/|2001-02-03 12:30 /Berlin|2001-02-03 12:30 europe/berlin|2001-02-03 12:30 EUROPE/BERLIN|2001-02-03 12:30 ../etc/passwd|2001-02-03 12:30 posix/Europe/Berlin|2001-02-03 Japan 12:30
2001-02-03 12:30 Etc/GMT-14|2001-02-03 12:30 foo5|2001-02-03 12:30 foo+5:30|2001-02-03 12:30 <x>5|2001-02-03 12:30 abc123def|2001-02-03 12:30 UTC+3|2001-02-03 12:30 UTC UTC|2001-02-03 12:30+1 UTC
2001-02-03 123015+05|2001-02-03 123015-05|2001-02-03 1230-05|2001-02-03 12-05|2001-02-03 995959|20010203T995959|20010203T9959|2001-02-03 t 9959|2001-02-03 6060|J2451187T123015|2001-02-03 12:30:15 2001
1 2 3 4|1 2|99999999999-01-01|2001-99999999999-01|2001-01-99999999999|2147483647-01-01|2147483648-01-01|1000000-01-01|100000-01-01|294276-01-01|2001-02-03 99999999999:00|2001-02-03 25:00
2001-02-03 12:30:15+05:30:30|2001-02-03 12:30:15+5:|2001-02-03 12:30:15+05:3|2001-02-03 12:30:15+530|2001-02-03 12:30:15+053015|2001-02-03 12:30:15+05.5|2001-02-03 12:30:15+05-30|2001-02-03 12:30:15 + 05"""


def random_date(rng):
    year = rng.choice([rng.randrange(1, 10000), rng.randrange(1900, 2100), rng.randrange(1900, 2100), rng.randrange(0, 100), rng.randrange(1, 300000), rng.randrange(5874800, 5874900)])
    month = rng.randrange(1, 13) if rng.random() < 0.97 else rng.randrange(0, 15)
    day = rng.randrange(1, 29) if rng.random() < 0.8 else rng.randrange(0, 33)
    name = MONTHS[(month - 1) % 12]
    name = rng.choice([name, name[:3], name.upper(), name[:3].lower()])
    y = rng.choice([str(year), f"{year:04d}", f"{year % 100:02d}"])
    m = rng.choice([str(month), f"{month:02d}"])
    d = rng.choice([str(day), f"{day:02d}"])
    style = rng.randrange(14)
    text = [
        f"{year:04d}-{month:02d}-{day:02d}", f"{y}-{m}-{d}", f"{m}/{d}/{y}", f"{d}/{m}/{y}", f"{d}.{m}.{y}", f"{d}-{m}-{y}", f"{d} {name} {y}", f"{name} {d}, {y}",
        f"{d}-{name}-{y}", f"{y}-{name}-{d}", f"{name}-{d}-{y}", f"{year:04d}{month:02d}{day:02d}", f"{year:04d}.{rng.randrange(1, 367):03d}", f"{y} {m} {d}"][style]
    if rng.random() < 0.1:
        text = f"{rng.choice(['Mon', 'tuesday', 'Thurs'])} {text}"
    return text


def random_time(rng):
    hour, minute, second = rng.randrange(25), rng.randrange(60), rng.randrange(61)
    fraction = rng.choice(["", "", f".{rng.randrange(10 ** 6)}", f".{rng.randrange(10 ** 9):09d}", "."])
    text = rng.choice([f"{hour}:{minute:02d}", f"{hour:02d}:{minute:02d}:{second:02d}{fraction}", f"{hour:02d}:{minute:02d}:{second:02d}{fraction}", f"{hour:02d}{minute:02d}{second:02d}{fraction}", f"{hour:02d}{minute:02d}"])
    if rng.random() < 0.15:
        text += rng.choice([" AM", " PM", "pm"])
    return text


def random_stamp(rng):
    text = random_date(rng)
    if rng.random() < 0.9:
        text = text + rng.choice([" ", " ", "T", "  "]) + random_time(rng)
        if rng.random() < 0.5:
            text += rng.choice(SHIFTS + [" " + zone for zone in ZONES])
    if rng.random() < 0.1:
        text += rng.choice([" BC", " AD"])
    return text


ABBREVIATIONS = set()


def clock_or_abbreviation(text, server):
    """What ValueCodec may refuse with 0A000: words of the clock, zone abbreviations, POSIX zones without rules; and
    anything the server refuses too."""
    text = text.decode().lower()
    words = set(re.findall(r"[a-z]+", text))
    return (server.startswith("err") or words & ({"now", "today", "tomorrow", "yesterday"} | ABBREVIATIONS)
            or re.search(r"[a-z_/.]+[-+]?[0-9:]+[a-z_/.:]", text))


STYLES = ["ISO, MDY", "ISO, DMY", "ISO, YMD", "SQL, MDY", "SQL, DMY", "Postgres, MDY", "Postgres, DMY", "German, DMY", "German, MDY", "SQL, YMD", "Postgres, YMD"]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("kind", ["date", "timestamp", "timestamptz"])
def test_dates_and_times(db, probe, kind, style):
    rng = random.Random(f"{kind} {style}")
    zone = rng.choice(ZONES)
    configure(db, probe, {"DateStyle": style, "TimeZone": zone})
    ABBREVIATIONS.update(row[0].lower() for row in db.execute("SELECT abbrev FROM pg_timezone_abbrevs"))
    texts = REGRESSION.replace("\n", "|").split("|")
    texts += [random_date(rng) if kind == "date" and rng.random() < 0.7 else random_stamp(rng) for _ in range(1500 * SCALE)]
    values = check_input(db, probe, kind, with_mutants(rng, texts, 0.7), refusals=clock_or_abbreviation)
    if kind == "date":
        values += [struct.pack(">i", n) for n in (-2451545, 2145031948, 2147483647, -2147483648, -730120, -730119, -730118)]
        values += [struct.pack(">i", rng.randrange(-2451545, 2145031949) >> rng.randrange(20)) for _ in range(1000)]
    else:
        edges = [-211813488000000000, 9223371331199999999, 2 ** 63 - 1, -2 ** 63, 0, -1, 1, 999999, -999999]
        values += [struct.pack(">q", n) for n in edges]
        values += [struct.pack(">q", rng.randrange(-211813488000000000, 9223371331200000000) >> rng.randrange(40)) for _ in range(1000)]
    check_output(db, probe, kind, values)


@pytest.mark.parametrize("zone", ZONES + ["Europe/London", "Pacific/Kiritimati", "America/Caracas", "<+05>-05", "<-03:30>+03:30", "FOO-2:30", "CET-1CEST,M3.5.0,M10.5.0/3", "posix/Asia/Tokyo"])
def test_time_zones(db, probe, zone):
    """Local times around every change of offset, both ways."""
    configure(db, probe, {"TimeZone": zone, "DateStyle": "ISO, MDY"})
    rng = random.Random(zone)
    texts = []
    for _ in range(800 * SCALE):
        year = rng.choice([rng.randrange(1850, 2100), rng.randrange(1, 3000), rng.randrange(2000, 2040)])
        texts.append(f"{year:04d}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d} {rng.randrange(24):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}")
    # The hours in which offsets change: every Sunday night of some years.
    changes = db.execute("""SELECT h::text FROM generate_series('2005-01-01'::timestamp, '2006-12-31', '30 minutes') h
        WHERE (h::timestamptz + interval '3 hours')::timestamp <> h + interval '3 hours' OR (h::timestamptz - interval '3 hours')::timestamp <> h - interval '3 hours'""").fetchall()
    texts += [row[0] for row in changes]
    # Every change since 1880.
    instants = db.execute("""WITH d AS (SELECT g, (g AT TIME ZONE current_setting('TimeZone')) - (g AT TIME ZONE 'UTC') AS o
        FROM generate_series('1880-01-01 UTC'::timestamptz, '2045-01-01 UTC', '1 day') g)
        SELECT extract(epoch FROM g)::int8 FROM (SELECT g, o, lead(o) OVER (ORDER BY g) AS n FROM d) x WHERE o <> n""").fetchall()
    values = check_input(db, probe, "timestamptz", texts)
    assert values
    for (instant,) in instants:
        for hour in range(-2, 27):
            values.append(struct.pack(">q", (instant - 946684800 + hour * 3600) * 1000000 + rng.randrange(-2, 3)))
    check_output(db, probe, "timestamptz", values)
    local = db.execute("SELECT to_char(to_timestamp(%s::int8 + x), 'YYYY-MM-DD HH24:MI:SS') FROM unnest(%s::int8[]) x", (0, [i + h * 1800 for (i,) in instants for h in range(-4, 54)])).fetchall()
    check_input(db, probe, "timestamptz", sorted({row[0] for row in local}))
    configure(db, probe, {"DateStyle": "Postgres, DMY"})
    check_output(db, probe, "timestamptz", values[:2000])


# --- conversions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", list(TYPES))
def test_assignment_casts(db, probe, source):
    """convert() against INSERT … SELECT of one type into a column of another."""
    configure(db, probe, {"TimeZone": "America/New_York", "DateStyle": "SQL, DMY"})
    rng = random.Random(source)
    texts = {
        "boolean": ["t", "f"], "uuid": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"], "bytea": ["", "\\x00ff", "abc"], "text": ["", "12", "é"], "varchar": ["", "x "],
        "date": ["infinity", "-infinity", "epoch", "4714-11-24 BC", "5874897-12-31", "294276-12-31", "294277-01-01"] + [f"{rng.randrange(1, 9999):04d}-03-{rng.randrange(1, 30):02d}" for _ in range(200)],
    }
    stamps = ["infinity", "-infinity", "epoch", "4714-11-24 00:00:00 BC", "294276-12-31 23:59:59.999999", "1999-12-31 23:59:59.999999", "2021-03-14 02:30", "2021-11-07 01:30"]
    texts["timestamp"] = texts["timestamptz"] = stamps + [f"{rng.randrange(1, 9999):04d}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d} {rng.randrange(24)}:{rng.randrange(60)}:{rng.random() * 59:.6f}" for _ in range(300)]
    numbers = [0, 1, -1, 32767, 32768, -32768, -32769, 2 ** 31 - 1, 2 ** 31, -2 ** 31, -2 ** 31 - 1, 2 ** 53 + 1, 2 ** 63 - 1, -2 ** 63]
    for kind, bits in [("int2", 15), ("int4", 31), ("int8", 63)]:
        texts[kind] = [str(n) for n in numbers if -2 ** bits <= n < 2 ** bits] + [str(rng.randrange(-2 ** bits, 2 ** bits)) for _ in range(100)]
    halves = [f"{n}.{f}" for n in (0, 1, 2, 3, 32767, -32768, 2147483647, -2147483648, 9223372036854775807, -9223372036854775808) for f in ("5", "49999", "50001", "0", "4999999999999999999")]
    texts["numeric"] = halves + ["-0.5", "-1.5", "NaN", "inf", "-inf", "1e400", "-1e400", "1e-400", "1e18", "1e19", "9223372036854775807.4", "0.00005", "99999.5"] + [numeric_text(rng) for _ in range(400)]
    texts["float4"] = ["0", "-0", "0.5", "1.5", "2.5", "-2.5", "NaN", "inf", "-inf", "3e38", "1e-45", "32767.5", "-32768.5", "2147483648", "9.2e18", "9.3e18", "0.1", "16777217"] + [repr(rng.uniform(-10 ** n, 10 ** n)) for n in range(1, 20) for _ in range(6)]
    texts["bpchar"] = ["", "x ", " x  ", "é "]
    texts["time"] = ["00:00", "23:59:59.999999", "24:00:00", "12:34:56.5"]
    texts["timetz"] = ["00:00+00", "24:00:00-05:30", "12:34:56.5+15:59:59"]
    texts["interval"] = ["0", "1 day", "-1 day", "25:00", "-0:00:01", "-24:00", "-25:00", "1 mon 3:00", "2562047788:00:54.775807", "-2562047788:00:54.775808"]
    texts["inet"] = ["1.2.3.4", "10.0.0.0/8", "::1", "2001:db8::/32", "::ffff:1.2.3.4"]
    texts["json"] = ["1", '{"b": 1, "a" : [1.0, 1e2], "b": 2}', '"x"', "null"]
    texts["jsonb"] = texts["json"]
    texts["float8"] = halves + ["-0", "-0.5", "0.5", "1.5", "2.5", "NaN", "inf", "-inf", "1e300", "5e-324", "3.5e38", "3.4e38", "1e-46", "9.2e18", "9.3e18", "0.1", "123456789.123456789"] + [repr(rng.uniform(-10 ** n, 10 ** n)) for n in range(1, 20) for _ in range(10)]
    values = check_input(db, probe, source, texts[source])
    # What the server's clock decides, and what PostgreSQL turns into NULL.
    clock = {("time", "timetz")}
    infinite = [struct.pack(">q", n) for n in (2 ** 63 - 1, -2 ** 63)] if source in ("timestamp", "timestamptz") else []
    for target, (name, send) in TYPES.items():
        db.execute(f"DROP TABLE IF EXISTS target; CREATE TABLE target (c {name})")
        db.execute(f"""CREATE OR REPLACE FUNCTION assign(v {TYPES[source][0]}) RETURNS text LANGUAGE plpgsql AS $$
            DECLARE answer bytea;
            BEGIN
                INSERT INTO target SELECT v RETURNING {send}(c) INTO answer;
                RETURN 'ok ' || coalesce(nullif(encode(answer, 'hex'), ''), '-');
            EXCEPTION WHEN OTHERS THEN RETURN 'err ' || sqlstate;
            END $$""")
        expected = []
        for value in values:
            result = db.pgconn.exec_params(b"SELECT assign($1)", [value], [OIDS[source]], [1], 0)
            expected.append(result.get_value(0, 0).decode())
        db.execute("DROP FUNCTION assign")
        got = probe.ask([f"cast {source} {target} {h(v)}" for v in values])
        if (source, target) in clock:
            assert set(got) == {"err 0A000"}
        elif source != target:
            refused = lambda asked, server: asked[1] in infinite and asked[0] in ("time", "timetz") and server == "ok -"
            compare([(target, v) for v in values], expected, got, refusals=refused)


PAIRS = [(a, b) for a in ("int2", "int4", "int8", "float4", "float8", "numeric") for b in ("int2", "int4", "int8", "float4", "float8", "numeric") if a != b]
PAIRS += [(a, b) for a in ("date", "timestamp", "timestamptz") for b in ("date", "timestamp", "timestamptz") if a != b]
PAIRS += [(a, b) for a in ("text", "varchar", "bpchar") for b in ("text", "varchar", "bpchar") if a != b] + [("time", "interval"), ("interval", "time")]


@pytest.mark.parametrize("source,target", PAIRS)
def test_comparisons_never_change_the_answer(db, probe, source, target):
    """A constant converted for comparison orders the column's values as PostgreSQL orders them against the constant itself."""
    configure(db, probe, {"TimeZone": "America/New_York"})
    rng = random.Random(f"{source}{target}")
    common = ["0", "1", "-1", "2", "100", "32767", "-32768"]
    real = ["0.5", "1.5", "0.1", "1.0", "1.10", "100.0", "NaN", "1e10", "123456789.123", "0.3", "9007199254740993", "0.10000000000000001"]
    days = ["2021-03-14", "2021-03-15", "2021-11-07", "2020-01-01", "infinity", "-infinity", "4714-11-24 BC"]
    times = ["2021-03-14 02:30", "2021-03-14 03:30", "2021-03-14 03:00", "2021-11-07 01:30", "2021-11-07 00:30", "2021-06-01 12:00", "2021-03-14", "2021-06-01"]
    pool = {"int2": common, "int4": common + ["70000"], "int8": common + ["70000", "9007199254740993", "9007199254740992", "3000000000"], "float8": common + real + ["-1e300"], "float4": common + real,
            "text": ["", "a", "a ", " ", "ab", "b"], "varchar": ["", "a", "a ", " ", "ab", "b"], "bpchar": ["", "a", "a ", " ", "ab", "b"],
            "time": ["00:00", "12:00", "24:00", "23:59:59.999999"], "interval": ["0", "12:00", "24:00", "1 day", "-1:00", "1 mon", "0.5 day"],
            "numeric": common + real + ["9223372036854775808", "-9223372036854775809", "32768", "Infinity", "-Infinity"], "date": days, "timestamp": days + times, "timestamptz": days + times}
    if source == "date" or target == "date":
        pool["date"] = days + ["2021-06-01", "2021-06-02"]
    constants = check_input(db, probe, source, pool[source])
    columns = check_input(db, probe, target, pool[target])
    converted = probe.ask([f"compare {source} {target} {h(c)}" for c in constants])
    accepted = 0
    for constant, answer in zip(constants, converted):
        assert answer.startswith("ok") or answer == "err 0A000", answer
        if not answer.startswith("ok"):
            continue
        accepted += 1
        new = bytes.fromhex(answer[3:].replace("-", ""))
        kind = target
        if target in ("int2", "int4", "int8") and new[0] == 0xff and len(new) >= 9:
            kind, new = "numeric", new[1:]  # a wide operand
        query = b"SELECT $1::%b < $2::%b, $1::%b = $2::%b" % (target.encode(), source.encode(), target.encode(), source.encode())
        other = b"SELECT $1::%b < $2::%b, $1::%b = $2::%b" % ((target.encode(), kind.encode()) * 2)
        for column in columns:
            native = db.pgconn.exec_params(query, [column, constant], [OIDS[target], OIDS[source]], [1, 1], 0)
            ours = db.pgconn.exec_params(other, [column, new], [OIDS[target], OIDS[kind]], [1, 1], 0)
            assert native.status == psycopg.pq.ExecStatus.TUPLES_OK, native.error_message
            assert [native.get_value(0, n) for n in (0, 1)] == [ours.get_value(0, n) for n in (0, 1)], (constant, column)
    if (source, target) not in [("float8", "numeric"), ("float4", "numeric"), ("bpchar", "varchar")]:
        assert accepted > 0
