"""ValueCodec against PostgreSQL itself: real, char(n), time, timetz, interval, inet, json, jsonb."""

import random
import re
import struct

import pytest
from cloister_testlib.values import (  # noqa: F401  (fixtures)
    SCALE, TYPES, check_binary, check_input, check_output, compare, configure, db, h, probe, server, server_answers, with_mutants)

# --- real --------------------------------------------------------------------------------------------------------------

FLOATS = """0 -0 1 -1 .5 5. . 1e 1e5 1E-5 1e6 1e7 123456 1234567 0.0001 0.00001 16777217 1e-45 1.4e-45 7e-46 7.1e-46 1e-46 3.4028235e38 3.4028236e38 3.5e38 1e39 -1e39
    1.17549435e-38 nan NaN -nan +nan inf -inf infinity infinit nanx 0x10 0x1p3 0x1.8p1 0x 0x1p-149 0x1p-150 0x1.000001p-150 0x1.ffffffp127 0x1.fffffep127 1..2 --1 1_0
    8388609.5 8388608.5 16777216.9999999999 16777217.0000000000000000000001 0.1 0.3 3.14159265358979""".split()


@pytest.mark.parametrize("extra", ["1", "0", "-3", "-15"])
def test_float4(db, probe, extra):
    configure(db, probe, {"extra_float_digits": extra})
    rng = random.Random(50)
    texts = list(FLOATS) + ["", " ", " 1 ", "1 2"]
    for _ in range(1500 * SCALE):
        texts.append(repr(struct.unpack(">f", rng.randbytes(4))[0]))
        texts.append(f"{rng.uniform(-1000, 1000):.{rng.randrange(20)}f}")
        texts.append(f"{rng.randrange(10 ** rng.randrange(1, 20))}e{rng.randrange(-60, 45)}")
    # Half-way between two neighbours, exactly and nearly: where reading through double precision goes wrong.
    for _ in range(500):
        bits = rng.randrange(1 << 30)
        low, high = (struct.unpack(">f", struct.pack(">I", bits + n))[0] for n in (0, 1))
        middle = (low + high) / 2
        texts += [f"{middle:.170f}".rstrip("0"), f"{middle:.170f}1"]
    values = check_input(db, probe, "float4", with_mutants(rng, texts, 0.5), refusals=lambda t, _: b"nan(" in t.lower())
    for exponent in range(-149, 128):
        bits = struct.unpack(">i", struct.pack(">f", 2.0 ** exponent))[0]
        values += [struct.pack(">i", bits + delta) for delta in (-1, 0, 1) if bits + delta >= 0]
    values += [struct.pack(">I", rng.randrange(1 << 32)) for _ in range(4000)]
    check_output(db, probe, "float4", [v for v in values if v[1] < 0x80 or v[0] & 0x7f != 0x7f])


# --- time, timetz ------------------------------------------------------------------------------------------------------

TIMES = """00:00|01:00|01:00:00|23:59:59.999999|24:00|24:00:00|24:00:00.01|23:59:60|23:59:60.01|24:01|25:00|12:60|12:30:61|4:05|04:05:06.789|040506|040506.789|0405|04|4|040|405|04050|0405061|04:05 AM|04:05 PM
12:00 AM|12:00 PM|13:00 PM|0:00 AM|12:30:15.1234565|12:30:15.9999999|23:59:59.9999999|12:30.5|:12|12:|12:30:|12:30:15.|allballs|allballs UTC|now|today|epoch|infinity|noon
04:05:06+02|04:05:06-08:00|04:05:06 -0800|04:05:06+15:59:59|04:05:06+16|040506+08|040506-08|0405-08|04:05 UTC|04:05 Z|04:05Z|04:05 zulu|04:05 PST|04:05:06.789 PST8PDT|04:05 Europe/Berlin|2001-07-01 04:05 Europe/Berlin
2001-01-01 04:05 Europe/Berlin|04:05 Etc/GMT+5|04:05 UTC+3|2003-04-12 04:05:06 America/New_York|2001-07-01 04:05|2001-12-27 04:05|2001-13-01 04:05|2001.12.27 04:05|27.12.2001 04:05|12/27/2001 04:05|Jul-27-2001 04:05
20011227 040506|20011227 04:05:06|J2452271 04:05|J2452271T040506|t040506|T04:05:06|t 040506.5|T0405|y2001 04:05|y2001m12d27 04:05|h04 mm05 s06|h04mm05s06.5|04:05 BC|04:05 AD|2001-01-01 04:05 BC|Mon 04:05|Jan 04:05|04:05 at|on 04:05
04:05 dst|04:05 UTC dst|04:05+1 dst|04:05+1+2|04:05 04:05|+04:05|-04:05|04:05:06.|.5|1.5|123.5|1234.5|123456.5||  |x|04:05 x|2001-07-01|04:05 2001-07-01|2001-07-01 04:05+02|2001 04:05|04:05 2001|2001-07 04:05|12 30|99999999999:00
04:05 America/Does_not_exist|07-01 04:05|July 1 2001 04:05|1 July 2001 04:05|04:05 <+05>-05|04:05 foo5|04:05 localtime|04:05:06 +0530|04:05+05:30:15|04:05+24|04:05-15:60|04:05 + 5|040506 AM|130506 PM|04:05,|(04:05)""".replace("\n", "|").split("|")


def random_time(rng):
    text = f"{rng.randrange(25):02d}:{rng.randrange(60):02d}" + rng.choice(["", f":{rng.randrange(61):02d}", f":{rng.randrange(60):02d}.{rng.randrange(10 ** 9)}"])
    return text + rng.choice(["", "", " AM", " PM", "+02", "-05:30", " Z", "+1:2:3", " UTC", " Asia/Kolkata"])


def clock(db, zone):
    """Where 0A000 is right: the server's clock or its zone abbreviations decide, a POSIX zone lacks its rules, a timetz has no
    offset in a zone with summer time; and wherever the server fails as well."""
    abbreviations = {row[0].lower() for row in db.execute("SELECT abbrev FROM pg_timezone_abbrevs")}

    def allowed(text, answer):
        text = text.decode().lower()
        if answer.startswith("ok") and len(answer) == 27 and abs(int.from_bytes(bytes.fromhex(answer[19:]), signed=True)) >= 57600:
            return True
        return (answer.startswith("err") or (abbreviations | {"now", "localtime"}) & set(re.findall("[a-z]+", text)) or re.search(r"[a-z_/.]+[-+]?[0-9:]+[a-z_/.:]", text)
                or zone == "Europe/Berlin" and not re.search(r"[-+]|z|utc|/[a-z]", text))

    return allowed


@pytest.mark.parametrize("kind", ["time", "timetz"])
@pytest.mark.parametrize("style,zone", [("ISO, MDY", "UTC"), ("SQL, DMY", "Asia/Kolkata"), ("Postgres, YMD", "Europe/Berlin"), ("German, DMY", "<-03:30>+03:30")])
def test_times(db, probe, kind, style, zone):
    configure(db, probe, {"DateStyle": style, "TimeZone": zone})
    rng = random.Random(f"{kind}{style}")
    texts = TIMES + [random_time(rng) for _ in range(700 * SCALE)]
    values = check_input(db, probe, kind, with_mutants(rng, texts, 1.5), refusals=clock(db, zone))
    values = [v for v in values if len(v) == 8 or abs(struct.unpack(">qi", v)[1]) < 57600]  # the server makes others, and then does not read them
    if kind == "time":
        values += [struct.pack(">q", rng.randrange(86400000001) // 10 ** rng.randrange(11)) for _ in range(300)]
    else:
        values += [struct.pack(">qi", rng.randrange(86400000001), rng.choice([rng.randrange(-57599, 57600), rng.randrange(-959, 960) * 60, rng.randrange(-15, 16) * 3600])) for _ in range(300)]
    check_output(db, probe, kind, values)


def test_time_without_offset_needs_a_lasting_one(db, probe):
    configure(db, probe, {"TimeZone": "Europe/Berlin"})
    assert probe.ask([f"in timetz {h(b'12:00')}"]) == ["err 0A000"]
    assert probe.ask([f"in time {h(b'12:00')}"]) == ["ok " + struct.pack(">q", 12 * 3600 * 10 ** 6).hex()]
    configure(db, probe, {"TimeZone": "America/Sao_Paulo"})  # summer time until 2019
    check_input(db, probe, "timetz", ["12:00", "2018-12-31 12:00", "2018-06-01 12:00"])


@pytest.mark.parametrize("kind,size", [("time", 8), ("timetz", 12), ("interval", 16)])
def test_binary_times(db, probe, kind, size):
    rng = random.Random(size)
    values = [rng.randbytes(rng.choice([size] * 6 + [0, size - 1, size + 1, 8])) for _ in range(300)]
    for time in (-1, 0, 86400000000, 86400000001):
        values.append(struct.pack(">q", time) + b"\0" * (size - 8))
        values.append(struct.pack(">q", time) + b"\0" * max(0, size - 9))
    for zone in (-57600, -57599, 57599, 57600):
        values.append(struct.pack(">qi", 5, zone))
    check_binary(db, probe, kind, values)


# --- interval ----------------------------------------------------------------------------------------------------------

INTERVALS = """1 day|1 day 2:03|1 day 2:03:04|01:00|+02:00|-08:00|-1 +02:03|-1 days +02:03|10 years -11 month -12 days +13:14|5 hours ago|1 year 2 mons 3 days 4:05:06 ago|@ 1 minute|@ 34 years|6 years|5 months 12 hours|1.5 weeks
1.5 months|1.5 years|2.5 days|0.5 hours|1.5 minutes|1.123456789 seconds|1 2:3|1 2:3:4.5|1-2|-1-2|1-2 3 4:05:06|-1-2 3 4:05:06|-1-2 -3 -4:05:06|1-12|1--2|P1Y|P1Y2M3DT4H5M6S|P-1Y|PT-1H|P1W|P1.5W|P1.5M|P0.5Y|PT0.5S|PT1.5H|P1Y2W3D|P1Y1Y
P20010203|P20010203T040506|P0001-02-03|P0001-02-03T04:05:06|P0001-02|P0001|P2001T04|PT04:05|PT04:05:06.5|PT040506|PT040506.5|P|PT|P1|PT1|P1S|PT1Y|P1H|P1Y T1H|P1Yx|p1y|P1e2D|P1E2D|P.5D|P-.5D|P1.D|P-1-2|P1-2-3|P1-2-3-4|P1YT|P1Y2001-02
1 century|2 decades|3 millennia|1 millennium|1.5 decades|1 mil|2 c|5 ms|5 msec|5 us|5 usec|5 microseconds|5 milliseconds|1.5 ms|1.5 us|7 microsecondsabc|5 quarter|5 qtr|1 dec|1 decs|1 cent|1 w|2 wks|1 h|1 hr|2 hrs|1 m|1 min|1 mon|1 s|1 sec|1 y|1 yr
5 mm|5 j|5 dow|5 timezone|5 jan|5 bc|5 am|epoch|infinity|-infinity|now|allballs|at 5 days|5 days on|5|5.5|-5|+5|5 5|5 days 5|5 days 5 hours 5|5 days 5 days|1 hour 1 hour|1:00 2:00|1 day 1:00 5 secs|1 min 1:00|ago|5 ago|5 days ago ago|ago 5 days|5 ago days
days|day 5|days days 5|5 days days|1 2 3 4|1 hour 30|30:15.5|30:15|1:2:3:4|1::2|:5|5:|1:60|1:59:60|1:59:61|-1:59|+1:59|-1:59:59.5|1:2:3.|1.5:2|100:00|2562047788:00:54.775807|2562047788:00:54.775808|-2562047788:00:54.775808|-2562047788:00:54.775809
2147483647 days|2147483648 days|-2147483648 days|-2147483649 days|178956970 years|178956971 years|178956970 years 8 mons|-178956970 years -8 mons|-178956970 years -9 mons|2147483647 mons|2147483648 mons|9223372036854775807 us|9223372036854775808 us
-9223372036854775808 us|-9223372036854775809 us|9223372036854775807 secs|0.1 mons|0.9999999 mons|0.33 months|1.999999 days|0.0000005 secs|0.0000015 secs|-0.0000005 secs|.5 days|5. days|. days|-.5 days|+.5 days|- 5 days|-  5 days|5.5.5 days|1e5 days|1,5 days
1 day, 2 hours|(1 day)|1-day|1 day-2 hours|1day|1day2hours|1day 2hours|-1day -2hours|1y2mon3d4h5m6s||  |x|5 x|1 year x|306783378 weeks|306783379 weeks|2147483647 years|214748364 decades|214748365 decades|2147483 millennium|0.5 century|0.05 millennium|-0.5 year
-1 year -2 mons +3 days -04:05:06|1 day -1 sec|-1 day 1 sec|1 year -1 sec|-00:00:01|00:00:00.000001|-1 days -00:00:00.5|1 mon -1 day|1 year 1 day 1 sec|-1 year -1 mon|1 sec ago|1.5 sec ago|-1 sec ago|0 sec|0:0:0 ago|1 sec|1 min|-1 min|2 sec|1.000001 sec|-1.5 sec""".replace("\n", "|").split("|")
UNITS = "year years y mon months day days d hour hours h min minutes sec seconds s week weeks ms us decade century millennium".split()


def random_interval(rng):
    parts = []
    for _ in range(rng.randrange(1, 5)):
        number = rng.choice([str(rng.randrange(100)), str(rng.randrange(-50, 50)), f"{rng.uniform(-20, 20):.{rng.randrange(1, 12)}f}", f"+{rng.randrange(9)}", str(rng.randrange(-10 ** 12, 10 ** 12))])
        parts.append(rng.choice([f"{number} {rng.choice(UNITS)}", f"{number}{rng.choice(UNITS)}", number, f"{rng.choice(['', '-', '+'])}{rng.randrange(30)}:{rng.randrange(60):02d}",
                                 f"{rng.choice(['', '-'])}{rng.randrange(30)}:{rng.randrange(60):02d}:{rng.randrange(60):02d}.{rng.randrange(10 ** 7)}", f"{rng.choice(['', '-'])}{rng.randrange(20)}-{rng.randrange(13)}"]))
    return " ".join(parts) + rng.choice(["", "", "", " ago"])


def random_iso(rng):
    number = lambda: rng.choice([str(rng.randrange(100)), str(rng.randrange(-50, 50)), f"{rng.uniform(-20, 20):.{rng.randrange(1, 9)}f}"])
    text = "P" + "".join(number() + unit for unit in "YMWD" if rng.random() < 0.4)
    return text + ("T" + "".join(number() + unit for unit in "HMS" if rng.random() < 0.5) if rng.random() < 0.7 else "")


@pytest.mark.parametrize("style", ["postgres", "postgres_verbose", "sql_standard", "iso_8601"])
def test_intervals(db, probe, style):
    configure(db, probe, {"IntervalStyle": style})
    rng = random.Random(style)
    texts = INTERVALS + [random_interval(rng) for _ in range(1500 * SCALE)] + [random_iso(rng) for _ in range(500 * SCALE)]
    values = check_input(db, probe, "interval", with_mutants(rng, texts, 1.0))
    values += [struct.pack(">qii", rng.randrange(-2 ** 63, 2 ** 63) >> rng.randrange(60), rng.randrange(-2 ** 31, 2 ** 31) >> rng.randrange(31), rng.randrange(-2 ** 31, 2 ** 31) >> rng.randrange(31)) for _ in range(1500)]
    values += [struct.pack(">qii", t, d, m) for t in (-2 ** 63, 2 ** 63 - 1, 0, -1, 1, 10 ** 6, -10 ** 6) for d in (-2 ** 31, 2 ** 31 - 1, 0, 1, -1) for m in (-2 ** 31, 2 ** 31 - 1, 0, 1, -1, 12, -12)]
    check_output(db, probe, "interval", values)


FIELDS = ["year", "month", "day", "hour", "minute", "second", "year to month", "day to hour", "day to minute", "day to second", "hour to minute", "hour to second", "minute to second"]


@pytest.mark.parametrize("fields", FIELDS + ["second(2)", "day to second(3)", "(0)", "(4)"])
def test_interval_fields(db, probe, fields):
    """A literal of a restricted interval type, and a value that is assigned to one."""
    name = f"interval{fields}" if fields.startswith("(") else f"interval {fields}"
    db.execute(f"DROP TABLE IF EXISTS limited; CREATE TABLE limited (c {name})")
    typmod = db.execute("SELECT atttypmod FROM pg_attribute WHERE attrelid = 'limited'::regclass AND attname = 'c'").fetchone()[0]
    rng = random.Random(fields)
    texts = ["5", "1-2", "1:2", "1:2:3", "1 2:3", "1.5", "-5", "1 day 5", "5 hours", "1:2.5", "90:30", "1 2", "1.9999999", "-1:2:3.987654"] + [random_interval(rng) for _ in range(200)]
    texts = [t.encode() for t in texts]
    db.execute(f"""CREATE OR REPLACE FUNCTION literal(t text) RETURNS bytea LANGUAGE plpgsql AS
        $$ DECLARE answer bytea; BEGIN EXECUTE format('SELECT interval_send(%L::{name})', t) INTO answer; RETURN answer; END $$""")
    expected = server_answers(db, "SELECT literal(convert_from($1, 'UTF8'))", texts)
    compare(texts, expected, probe.ask([f"in interval {h(t)} {typmod}" for t in texts]))
    values = check_input(db, probe, "interval", texts)
    answers = []
    for value in values:
        result = db.pgconn.exec_params(f"SELECT interval_send($1::interval::{name})".encode(), [value], [1186], [1], 1)
        answers.append("ok " + result.get_value(0, 0).hex())
    compare(values, answers, probe.ask([f"limit interval {typmod} implicit {h(v)}" for v in values]))


# --- inet --------------------------------------------------------------------------------------------------------------

INETS = """1.2.3.4|1.2.3.4/32|1.2.3.4/24|1.2.3.4/0|1.2.3.4/33|1.2.3.4/|1.2.3/24|1.2.3|1.2/16|1/8|10/8|10/9|10.1/16|10.1/17|1.2.3./24|1.2.3.4.|1.2.3.4./8|1.2.3.4.5|256.1.1.1|01.02.03.04|001.1.1.1|0001.1.1.1|1..2.3|.1.2.3|1.2.3.4/024|1.2.3.4/ 8|1.2.3.4 /8
 1.2.3.4|1.2.3.4 |1.2.3.4/8x|1.2.3.4/-1|1.2.3.4/99999999999|0.0.0.0/0|255.255.255.255|/8||1.2.3.x|0x1.2.3.4|::|::1|1::|::1/128|::1/64|::/0|::1/129|::1/|::1/064|::1/0|1:2:3:4:5:6:7:8|1:2:3:4:5:6:7:8/64|1:2:3:4:5:6:7|1:2:3:4:5:6:7:8:9|1:2:3:4:5:6:7:8:9:a
1:2:3:4:5:6:7::|::2:3:4:5:6:7:8|1::8|1::2::3|:::|::1::|:1|1:|1:2:3:4:5:6:7:8:|1:2:3:4:5:6:7:|12345::|abcd:ef01::|ABCD::EF01|g::|::ffff:1.2.3.4|::1.2.3.4|::ffff:1.2.3.4/120|::1.2.3|::1.2|::1.2.3.4.5|::1.02.3.4|::256.1.1.1|1:2:3:4:5:6:1.2.3.4|1:2:3:4:5:6:7:1.2.3.4
1:2:3:4:5:1.2.3.4|::1.2.3.4/|::1.2.3.4/129|::1.2.3.4/33|::1.2./24|::1./8|2001:db8::/32|fe80::1%eth0|::ffff:0:0|::fffe:1.2.3.4|0:0:0:0:0:ffff:102:304|0:0:0:0:0:0:102:304|0:0:0:0:0:0:0:2|0:0:0:0:0:0:1:0|1:0:0:2:0:0:0:3|1:0:0:0:2:0:0:3|0:0:1:0:0:1:0:0|1:0:2:0:3:0:4:0""".replace("\n", "|").split("|")


def test_inet(db, probe):
    rng = random.Random(60)
    texts = list(INETS)
    for _ in range(1200 * SCALE):
        texts.append(".".join(str(rng.randrange(300)) for _ in range(rng.choice([4, 4, 4, 3, 2, 1]))) + rng.choice(["", f"/{rng.randrange(40)}"]))
        groups = [f"{rng.choice([0, 0, 0, 1, rng.randrange(65536)]):x}" for _ in range(rng.choice([8, 8, 8, 7, 6, 3, 2]))]
        at = rng.randrange(len(groups) + 1)
        text = ":".join(groups[:at]) + rng.choice(["::", ":", "::"]) + ":".join(groups[at:])
        texts.append(text + rng.choice(["", f"/{rng.randrange(140)}", ":1.2.3.4"]))
    values = check_input(db, probe, "inet", with_mutants(rng, texts, 1.0))
    for _ in range(1500):
        size = rng.choice([4, 16])
        address = bytes(rng.choice([0, 0, 0, 255, 1, rng.randrange(256)]) for _ in range(size))
        values.append(bytes([2 if size == 4 else 3, rng.randrange(size * 8 + 1), 0, size]) + address)
    check_output(db, probe, "inet", values)
    damaged = [bytes(b if rng.random() > 0.1 else rng.randrange(256) for b in v)[:rng.choice([99, 99, 99, 3, 7, 19])] + rng.choice([b"", b"", b"\0"]) for v in rng.sample(values, 600)]
    check_binary(db, probe, "inet", damaged + [b"", b"\2", b"\2\x20", b"\2\x20\0", b"\2\x20\1\4abcd"])


# --- json, jsonb -------------------------------------------------------------------------------------------------------

JSONS = r"""null|true|false|nul|nulll|True|1|-1|0|-0|-0.0|01|1.|.5|1.5|1e5|1E+5|1e-5|1e|1e+|1.e5|-|--1|+1|1x|1_000|0x10|NaN|Infinity|1e400|1e131071|1e131072|1e-16383|1e-16384|1.10|100000000000000000000.000|""|"a"|"a|a"|"\"|"\""|"\\"|"\/"|"\b\f\n\r\t"
"\u0041"|"\u00e9"|"\u20ac"|"\ud83d\ude00"|"\ud83d"|"\ude00"|"\ud83dx"|"\ud83d\n"|"\ud83d\ud83d"|"\u0000"|"a\u0000b"|"\u000g"|"\u00"|"\x"|"\u001f"|"\u007f"|"é€😀"|"a	b"|"  "|[]|[ ]|[1]|[1,2]|[1,]|[,1]|[1 2]|[|]|[[]]|[[[1]]]|{}|{ }|{"a":1}|{"a" : 1 , "b" : [ ] }
{"a"}|{"a":}|{a:1}|{1:2}|{"a":1,}|{,"a":1}|{"a":1 "b":2}|{"a":1,"a":2}|{"b":1,"a":2}|{"aa":1,"b":2,"c":3}|{"é":1,"zz":2,"z":3}|{"a":{"b":{"c":[1,{"d":null}]}}}|{"a":1}}|[1]]|{"a":1]|[1}|{"\u0061":1,"a":2}|{"":1}|{"a":1}x|1 2|"a" "b"|[1][2]| 1 |	1
//|/*x*/1|'a'|{"a":1, "b":2, "a":{"c":3}, "b":4}|{"c":1,"bb":2,"aaa":3,"a":4}|[1.0,1.00,1e2,1.5e3,-1e-2]|{"a":"x\\y\"z"}|"<>&'"|[null,true,false]|{"a":[]}|[{}]|{"k":1.000}|tru|truefalse|true false|[true,]|-1.5E-3|1e1000000|9999999999999999999999999""".replace("\n", "|").split("|")


def random_json(rng, depth=0):
    kind = rng.randrange(8 if depth < 4 else 5)
    blank = lambda: rng.choice(["", "", " ", "\n", "\t "])
    if kind == 0:
        return rng.choice(["null", "true", "false"])
    if kind in (1, 2):
        return rng.choice([str(rng.randrange(-100, 100)), f"{rng.uniform(-10, 10):.{rng.randrange(6)}f}", f"{rng.randrange(100)}e{rng.randrange(-20, 20)}"])
    if kind in (3, 4):
        return '"' + "".join(rng.choice(["a", "b", "é", "€", "\\n", "\\\"", "\\\\", "\\u0041", "\\u20ac", "\\ud83d\\ude00", "😀", " "]) for _ in range(rng.randrange(5))) + '"'
    if kind in (5, 6):
        members = []
        for _ in range(rng.randrange(5)):
            key = "".join(rng.choice("abé") for _ in range(rng.randrange(4)))
            members.append(f'{blank()}"{key}"{blank()}:{blank()}{random_json(rng, depth + 1)}{blank()}')
        return "{" + ",".join(members) + "}"
    return "[" + ",".join(blank() + random_json(rng, depth + 1) for _ in range(rng.randrange(5))) + "]"


@pytest.mark.parametrize("kind", ["json", "jsonb"])
def test_json(db, probe, kind):
    rng = random.Random(70)
    texts = JSONS + [random_json(rng) for _ in range(1500 * SCALE)] + ["[" * 1000 + "]" * 1000, "[" * 1000, '{"a":' * 500 + "1" + "}" * 500]
    values = check_input(db, probe, kind, with_mutants(rng, texts, 1.5))
    check_output(db, probe, kind, values)
    damaged = [v[:rng.randrange(len(v) + 1)] if rng.random() < 0.3 else bytes([rng.choice([0, 1, 2])]) + v[1:] for v in rng.sample(values, 300)]
    check_binary(db, probe, kind, [v for v in damaged + [b"", b"\1", b"\1 [1 , 2.0]", b"\2[]"] if b"\\u" not in v])


def test_deep_json_is_refused(probe):
    text = b"[" * 100000
    assert probe.ask([f"in json {h(text)}", f"in jsonb {h(text)}"]) == ["err 54001", "err 54001"]


# --- char(n) -----------------------------------------------------------------------------------------------------------


def test_bpchar_keeps_its_blanks(db, probe):
    check_output(db, probe, "bpchar", check_input(db, probe, "bpchar", ["", " ", "a", "a  ", "  a", "é "]))
