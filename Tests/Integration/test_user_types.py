"""Domains and enums: statements/user_types.sql through the proxy and on the plaintext twin, parameters in both formats, what other
sessions add, columns marked by ENCRYPTED WITH; and what the server must not see."""

import psycopg
import pytest

from cloister_testlib.twins import Parameter, Step, make_twin, run, twins
from conftest import running_stack
from test_twin_statements import compare, lines

CONFIG = """
types:
  public.mood: { kind: enum }
  public.size: { kind: enum }
  public.posint: { kind: domain, base: int, not_null: true, check: VALUE > 0, default: '1' }
  public.shortname: { kind: domain, base: varchar(10), check: "VALUE <> ''" }
  public.nickname: { kind: domain, base: public.shortname, check: ["VALUE NOT LIKE '%@%'", VALUE <> 'root'] }
  public.price: { kind: domain, base: 'numeric(6,2)', check: VALUE BETWEEN 0 AND 1000 }
  public.anytext: { kind: domain, base: text }
  public.email: { kind: domain, base: text, check: VALUE ~ '@' }
  public.later: { kind: domain, base: text, not_null: true }
columns:
  public.e:
    mood:  { type: public.mood, encryption: randomized, key: moods }
    size:  { type: public.size, encryption: deterministic, key: sizes }
    level: { type: public.posint, encryption: randomized, key: k }
    nick:  { type: public.nickname, encryption: randomized, key: k }
    price: { type: public.price, encryption: randomized, key: k }
    free:  { type: public.anytext, encryption: randomized, key: k }
  public.f:
    mood:  { type: public.mood, encryption: randomized, key: moods }
  public.g:
    mood:  { type: public.mood, encryption: randomized, key: moods }
    level: { type: public.posint, encryption: randomized, key: k }
  public.h:
    mail:  { type: public.email, encryption: randomized, key: k }
    words: { type: text, encryption: randomized, key: k }
"""
SETUP = """
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')
CREATE TYPE size AS ENUM ('S', 'L')
CREATE DOMAIN posint AS int DEFAULT 1 NOT NULL CHECK (VALUE > 0)
CREATE DOMAIN shortname AS varchar(10) CHECK (VALUE <> '')
CREATE DOMAIN nickname AS shortname CHECK (VALUE NOT LIKE '%@%') CHECK (VALUE <> 'root')
CREATE DOMAIN price AS numeric(6,2) CHECK (VALUE BETWEEN 0 AND 1000)
CREATE DOMAIN anytext AS text
CREATE DOMAIN email AS text CHECK (VALUE ~ '@')
CREATE TABLE e (id int4 PRIMARY KEY, mood mood, size size DEFAULT 'S', level posint, nick nickname, price price, free anytext)
INSERT INTO e VALUES (1, 'ok', 'S', 5, 'ann', 9.5, 'x'), (2, 'sad', 'L', 3, 'bob', 0, 'y'), (3, NULL, NULL, 10, NULL, NULL, NULL), (4, 'ok', 'S', 7, 'al', 1000, 'x')
CREATE TABLE f (id int4, mood mood)
INSERT INTO f VALUES (1, 'ok'), (2, 'happy')
CREATE VIEW ev AS SELECT id, mood FROM e
"""
COPIED = b"50\thappy\tL\t5\tcy\t1.5\n51\t\\N\t\\N\t6\t\\N\t\\N\n"


@pytest.fixture(scope="module")
def stack():
    with running_stack(CONFIG) as stack:
        make_twin(stack)
        yield stack


@pytest.fixture(scope="module")
def pair(stack):
    with twins(stack) as pair:
        for statement in SETUP.strip().splitlines():
            pair.both(statement)
        pair.learn_types()
        yield pair


@pytest.mark.parametrize("form", ["simple", "text", "binary"])
def test_statements(pair, form, monkeypatch):
    monkeypatch.setattr("test_twin_statements.COPIED", COPIED)
    wrong = []
    for line, expected, statements in lines("user_types"):
        if form != "simple" and (len(statements) > 1 or statements[0].startswith("COPY")):
            continue
        if problem := compare(pair, statements, expected, form):
            wrong.append(f"{line}\n    {problem}")
    assert not wrong, f"{len(wrong)} lines\n" + "\n".join(wrong)


def test_there_are_enough():
    assert sum(len(statements) for _, _, statements in lines("user_types")) >= 100


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("sql,values", [
    ("SELECT id, mood FROM e WHERE mood = $1 ORDER BY id", [b"ok"]),
    ("SELECT id, mood FROM e WHERE mood = $1::mood ORDER BY id", [b"ok"]),
    ("SELECT id FROM e WHERE mood = $1", [b"bad"]),
    ("SELECT id FROM e WHERE mood = $1", [None]),
    ("INSERT INTO e (id, mood) VALUES (90, $1) RETURNING mood", [b"happy"]),
    ("INSERT INTO e (id, mood) VALUES (90, $1) RETURNING mood", [b"bad"]),
    ("UPDATE e SET mood = $1 WHERE mood = $2 RETURNING id, mood", [b"happy", b"ok"]),
    ("SELECT id FROM e WHERE size = $1 ORDER BY id", [b"L"]),
    ("SELECT id FROM e WHERE nick = $1", [b"ann"]),
    ("INSERT INTO e (id, nick) VALUES (90, $1)", [b"root"]),
    ("SELECT id FROM e WHERE mood = ANY ($1) ORDER BY id", [b"{ok,sad}"]),
])
def test_parameters(pair, sql, values, binary):
    """Undeclared parameters: text; and results in text and binary. A label in binary is its bytes."""
    parameters = tuple(Parameter(0, value, value if binary and value and b"{" not in value else None) for value in values)
    for side in (pair.ours, pair.theirs):
        run(side, Step("BEGIN"))
    try:
        ours, theirs, difference = pair.compare(Step(sql, parameters, binary))
        assert theirs is not None and difference is None, (ours, theirs, difference)
    finally:
        pair.settle()


def test_declared_parameters(pair):
    """A parameter declared as the enum (drivers that know it) works; as text it has no operator, as on the twin."""
    own, other = ({name: oid for oid, name in names.items()} for names in pair.names)
    sql = "SELECT id, mood FROM e WHERE mood = $1 ORDER BY id"
    ours = run(pair.ours, Step(sql, (Parameter(own["mood"], b"ok", b"ok"),), True))[0]
    theirs = run(pair.theirs, Step(sql, (Parameter(other["mood"], b"ok", b"ok"),), True))[0]
    assert ours.kind == "rows" and ours.rows == theirs.rows
    difference = pair.compare(Step(sql, (Parameter(25, b"ok"),)))
    assert difference[1] is not None and difference[2] is None, difference


def test_descriptions(pair):
    """ParameterDescription and RowDescription name the enum's own type."""
    name = b"described"
    pair.ours.prepare(name, b"SELECT mood, COALESCE(mood, 'ok'), mood::text FROM e WHERE mood = $1 AND id = $2")
    known = pair.ours.describe_prepared(name)
    types = {name: oid for oid, name in pair.names[0].items()}
    assert [known.param_type(0), known.param_type(1)] == [types["mood"], 23]
    assert [known.ftype(i) for i in range(3)] == [types["mood"], types["mood"], 25]
    run(pair.ours, Step("DEALLOCATE described"))


def test_added_labels_are_known_to_all(stack, pair):
    with stack.proxy() as one, stack.proxy() as two:
        one.execute("SELECT id FROM e WHERE mood = 'ok'")
        two.execute("ALTER TYPE mood ADD VALUE 'added'")
        one.execute("INSERT INTO f VALUES (7, 'added')")
        assert two.execute("SELECT mood FROM f WHERE mood = 'added'").fetchall() == [("added",)]
        one.execute("DELETE FROM f WHERE id = 7")


def test_encrypted_with(stack, pair):
    """The declared type is remembered by the signed mark: another proxy session and a reload know the enum and the domain."""
    clause = "ENCRYPTED WITH (column_encryption_key = {})"
    with stack.proxy() as client:
        client.execute("CREATE TYPE tone AS ENUM ('low', 'high')")
        client.execute("CREATE COLUMN ENCRYPTION KEY tones WITH VALUES (COLUMN_MASTER_KEY = dev, ALGORITHM = 'RSA_OAEP')")
        client.execute(f"CREATE TABLE w (id int, tone tone {clause.format('tones')}, level posint {clause.format('k')})")
        client.execute("INSERT INTO w (id, tone) VALUES (1, 'high')")
        for sql, state in (("INSERT INTO w VALUES (2, 'none')", "22P02"), ("INSERT INTO w VALUES (2, 'low', 0)", "23514"),
                           ("INSERT INTO w VALUES (2, 'low', NULL)", "23502"), ("SELECT FROM w ORDER BY tone", "0A000"), ("DROP TYPE tone", "0A000")):
            with pytest.raises(psycopg.Error) as caught:
                client.execute(sql)
            assert caught.value.sqlstate == state, sql
        assert client.execute("SELECT tone, level FROM w").fetchall() == [("high", 1)]
        with pytest.raises(psycopg.Error) as caught:
            client.execute(f"CREATE TABLE w2 (words text[] {clause.format('k')})")
        assert "array" in str(caught.value)
        client.execute("CREATE DOMAIN unknown_domain AS int CHECK (VALUE > 4)")
        with pytest.raises(psycopg.Error) as caught:
            client.execute(f"CREATE TABLE w2 (level unknown_domain {clause.format('k')})")
        assert "types" in str(caught.value)
        client.execute("DROP TABLE w")
        client.execute("DROP TYPE tone")


def test_labels_are_cells_in_the_server(stack, pair):
    with stack.superuser() as boss:
        rows = boss.execute("SELECT row_to_json(e)::text FROM e").fetchall()
        assert rows and not [row for (row,) in rows if "ok" in row or "ann" in row]
        told = boss.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'e'::regclass").fetchall()
        assert len([row for (row,) in told if "CHECK" in row]) >= 5 and not [row for (row,) in told if "root" in row]
