"""Type modifiers, arrays and LIKE patterns of ValueCodec against PostgreSQL itself."""

import random
import struct

import pytest
from cloister_testlib.values import (  # noqa: F401  (fixtures)
    OIDS, SCALE, check_input, compare, configure, db, h, probe, server, server_answers, with_mutants)


def modifier(db, name):
    db.execute("DROP TABLE IF EXISTS limited")
    db.execute(f"CREATE TABLE limited (c {name})")
    return db.execute("SELECT atttypmod FROM pg_attribute WHERE attrelid = 'limited'::regclass AND attname = 'c'").fetchone()[0]


def check_limit(db, probe, kind, send, name, values):
    """`values` (binary form) assigned to a column of type `name`, and cast to it."""
    typmod = modifier(db, name)
    base = {"bpchar": "text"}.get(kind, kind)
    db.execute(f"""CREATE OR REPLACE FUNCTION assign(v {base}) RETURNS text LANGUAGE plpgsql AS $$
        DECLARE answer bytea;
        BEGIN
            INSERT INTO limited SELECT v RETURNING {send}(c) INTO answer;
            RETURN 'ok ' || coalesce(nullif(encode(answer, 'hex'), ''), '-');
        EXCEPTION WHEN OTHERS THEN RETURN 'err ' || sqlstate;
        END $$""")
    db.execute(f"""CREATE OR REPLACE FUNCTION cast_it(v {base}) RETURNS text LANGUAGE plpgsql AS $$
        BEGIN
            RETURN 'ok ' || coalesce(nullif(encode({send}(v::{name}), 'hex'), ''), '-');
        EXCEPTION WHEN OTHERS THEN RETURN 'err ' || sqlstate;
        END $$""")
    for function, mode in (("assign", "implicit"), ("cast_it", "explicit")):
        expected = []
        for value in values:
            result = db.pgconn.exec_params(b"SELECT %b($1)" % function.encode(), [value], [OIDS[base]], [1], 0)
            expected.append(result.get_value(0, 0).decode())
        compare(values, expected, probe.ask([f"limit {kind} {typmod} {mode} {h(v)}" for v in values]))
    db.execute(f"DROP FUNCTION assign({base}); DROP FUNCTION cast_it({base})")


@pytest.mark.parametrize("kind,name", [(k, n) for k, n in (("varchar", "varchar(%d)"), ("bpchar", "char(%d)"))])
@pytest.mark.parametrize("length", [1, 3, 10])
def test_character_lengths(db, probe, kind, name, length):
    rng = random.Random(length)
    texts = ["", " ", "    ", "a", "ab", "abc", "abc ", "abc  x", "é", "éé", "é  ", "€uro", "😀😀😀 ", "😀😀😀😀"]
    texts += ["".join(rng.choice("ab é€😀  ") for _ in range(rng.randrange(14))) for _ in range(150 * SCALE)]
    check_limit(db, probe, kind, "textsend" if kind == "varchar" else "bpcharsend", name % length, [t.encode() for t in texts])


@pytest.mark.parametrize("limit", ["5,2", "5", "3,5", "3,-2", "1,0", "1,1", "10,10", "1000,1000", "1000,-1000", "2,3", "4,4", "8,4", "9,-4", "12,-3", "6,1", "7,8"])
def test_numeric_precision(db, probe, limit):
    rng = random.Random(limit)
    texts = ["0", "0.00", "-0", "NaN", "Infinity", "-Infinity", "0.5", "0.05", "0.005", "0.004999", "-0.005", "999.99", "999.995", "999.994", "99999", "99999.5", "0.00999", "0.009995",
             "0.0099949", "50", "49", "150", "99950", "99949", "0.9999", "0.99995", "0.99994999", "1e10", "1e-10", "5000", "4999.9999", "9999.5", "99999999.99995", "1e999", "5e1002", "4e999"]
    for _ in range(150 * SCALE):
        digits = rng.randrange(10 ** rng.randrange(1, 14))
        texts.append(f"{rng.choice(['', '-'])}{digits}e{-rng.randrange(-3, 14)}")
        texts.append(f"{'9' * rng.randrange(1, 8)}.{'9' * rng.randrange(1, 8)}{rng.randrange(10)}")
    values = check_input(db, probe, "numeric", texts)
    check_limit(db, probe, "numeric", "numeric_send", f"numeric({limit})", values)


@pytest.mark.parametrize("kind", ["timestamp", "timestamptz"])
@pytest.mark.parametrize("precision", range(0, 7))
def test_time_precision(db, probe, kind, precision):
    rng = random.Random(precision)
    values = [struct.pack(">q", n) for n in (0, 499999, 500000, -500000, -499999, -500001, 2 ** 63 - 1, -2 ** 63, 999999, 9223371331199999999, -211813488000000000)]
    values += [struct.pack(">q", rng.randrange(-10 ** 15, 10 ** 15)) for _ in range(80)]
    check_limit(db, probe, kind, f"{kind}_send", f"{kind}({precision})", values)


# --- arrays ------------------------------------------------------------------------------------------------------------

ARRAYS = r"""{}|{ }| {} |{{}}|{{},{}}|{a}|{a,b}|{ a , b }|{a b}|{"a","b"}|{"a" , "b"}|{"a"b}|{a"b"}|{a,"b"}|{""}|{,}|{a,}|{,a}|{NULL}|{null,NuLl}|{"NULL"}|{\NULL}|{N\ULL}|{NULL x}|{a\,b}|{a\}b}|{\"}|{\\}|{a\ }|{ \ a}
{{a,b},{c,d}}|{{a,b},{c}}|{{a},{b,c}}|{a,{b}}|{{a},b}|{{{1,2},{3,4}},{{5,6},{7,8}}}|{{{{{{1}}}}}}|{{{{{{{1}}}}}}}|{{1},{2},{3}}|{ {1} , {2} }|[1:2]={a,b}|[0:1]={a,b}|[2]={a,b}|[-1:0]={a,b}|[1:2]={a}|[1:3]={a,b}
[2:1]={a}|[1:2] = {a,b}|[1:2]= {a,b}|[1 :2]={a,b}|[1:2][1:1]={{a},{b}}|[0:1][2:2]={{a},{b}}|[1:2]{a,b}|[]={a}|[1:]={a}|[:1]={a}|[a]={a}|[1={a}|[1:1]=a|a|{|}|{a|a}|{a}}|{a}x|{a} |{a},{b}|{{a},{b}
"{a}"|{"a|{"a\"}|{"a\"b"}|{"a\\"}|{"{"}|{"}"}|{","}|{ "" }|{""x}|{x""}|{"" ""}|{a{b}|{a}b}|{{a}{b}}|{{a},}|{{a}b,c}|{[1]}|{(}|{'a'}|{a	b}|{	a	}|[+1:+2]={a,b}|[1:2][]={a}|[0:0][0:0][0:0]={{{x}}}|[1:1][1:1][1:1][1:1][1:1][1:1][1:1]={a}
{é,€}|{"é"}|{😀}||  |[1:2]={}|[1:0]={}|[2147483646:2147483647]={a,b}|[2147483647:2147483647]={a}""".replace("\n", "|").split("|")


def test_array_text(db, probe):
    rng = random.Random(31)
    texts = ARRAYS + [mutate_array(rng, rng.choice(ARRAYS)) for _ in range(3000 * SCALE)]
    texts = [t.encode() for t in texts]
    expected = server_answers(db, "SELECT array_send(convert_from($1, 'UTF8')::text[])", texts)
    got = probe.ask([f"array {h(t)}" for t in texts])
    compare(texts, expected, got, refusals=lambda text, _: b"7483" in text)
    values = [bytes.fromhex(e[3:]) for e in expected if e.startswith("ok")]
    assert len(values) > 200
    back = server_answers(db, "SELECT convert_to(convert_from($1, 'UTF8')::text[]::text, 'UTF8')", [t for t, e in zip(texts, expected) if e.startswith("ok")])
    compare(values, back, probe.ask([f"array-text {h(v)}" for v in values]))


def mutate_array(rng, text):
    text = list(text)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(text) + 1)
        if rng.random() < 0.6:
            text.insert(at, rng.choice('{}{},," \\[]:=ab1'))
        elif text:
            del text[at % len(text)]
    return "".join(text)


def test_array_binary(db, probe):
    rng = random.Random(32)
    values = []
    for _ in range(500 * SCALE):
        dims = rng.choice([[], [1], [2], [3], [2, 2], [1, 2, 2], [0], [1] * 6, [1] * 7])
        count = 1 if dims else 0
        body = struct.pack(">iii", len(dims), rng.choice([0, 0, 1, 1, 2]), 25)
        for size in dims:
            body += struct.pack(">ii", size, rng.choice([1, 1, 0, -5, 2 ** 31 - 1]))
            count *= size
        for _ in range(count):
            text = rng.choice([b"", b"a", b"NULL", b"a,b", b"x\\y", b'"', None])
            body += struct.pack(">i", -1) if text is None else struct.pack(">i", len(text)) + text
        if rng.random() < 0.2:
            at = rng.randrange(len(body))
            body = rng.choice([body[:at], body + b"\0", body[:at] + bytes([rng.randrange(256)]) + body[at + 1:]])
        values.append(body)
    expected = []
    for value in values:
        result = db.pgconn.exec_params(b"SELECT $1::text[]", [value], [1009], [1], 0)
        state = result.error_field(67)
        expected.append("err " + state.decode() if state else "ok " + h(result.get_value(0, 0)))
    got = probe.ask([f"array-text {h(v)}" for v in values])
    # The element type, and what the elements hold, are looked at elsewhere.
    kept = [(v, e, g) for v, e, g in zip(values, expected, got) if e not in ("err 42804", "err 22021") and v[8:12] == struct.pack(">i", 25)]
    compare(*zip(*kept))


def test_like_escape(db, probe):
    rng = random.Random(33)
    for escape in ["", "\\", "!", "%", "_", "é", "a", "ab", "😀", "\\\\"]:
        patterns = ["", "a%", "\\", "!", "!!", "!%a", "\\%", "!\\", "\\!", "é%é", "éé_", "%%", "%_", "ab\\"]
        patterns += ["".join(rng.choice("ab%_\\!é😀") for _ in range(rng.randrange(8))) for _ in range(100)]
        patterns = [p.encode() for p in patterns]
        expected = server_answers(db, f"SELECT convert_to(like_escape(convert_from($1, 'UTF8'), {quote(escape)}), 'UTF8')", patterns)
        compare(patterns, expected, probe.ask([f"like {h(p)} {h(escape.encode())}" for p in patterns]))


def quote(text):
    return "'" + text.replace("'", "''") + "'"
