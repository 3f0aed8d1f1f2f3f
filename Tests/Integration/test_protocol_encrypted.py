"""The protocol's order on encrypted statements: whatever messages a client sends, it gets what a plain server would send.

Random pipelines go to the proxy (marked table `e`) and past it to a plaintext twin; both transcripts must be equal, message by
message, with the client's types in every description. A refused statement stands opposite a syntax error. Then: cancel, vanishing clients,
many connections, broken COPYs.
"""

import concurrent.futures
import random
import struct
import time

import pytest

from cloister_testlib import rawclient as wire
from conftest import running_stack

CONFIG = """
columns:
  public.e:
    v: { type: text, encryption: randomized, key: k }
    n: { type: int4, encryption: randomized, key: k }
    d: { type: text, encryption: deterministic, key: kd }
"""
ROWS = "(1, 'one', 10, 'x', 'a'), (2, 'two', 20, 'y', 'b'), (3, 'three', 30, 'x', 'c'), (4, NULL, NULL, NULL, NULL), (5, 'five', 50, 'x', 'e')"
REFUSED = "SELECT lower(v) FROM e WHERE v = 'x'"

# (text, number of parameters)
STATEMENTS = [
    ("SELECT id, v FROM e WHERE v > $1 ORDER BY id", 1),
    ("SELECT v, n, d FROM e ORDER BY v, id", 0),
    ("SELECT n, id FROM e WHERE n = $1 OR id = 1 ORDER BY id", 1),
    ("INSERT INTO e (id, v, n) VALUES ($1, $2, 7)", 2),
    ("INSERT INTO e (id, v, n) VALUES (2, 'again', 7)", 0),
    ("INSERT INTO e (id, v, d) SELECT id + 1000, v, d FROM e WHERE d = $1 RETURNING id, v", 1),
    ("UPDATE e SET v = $1 WHERE v = $1 RETURNING id, v", 1),
    ("UPDATE e SET n = NULL WHERE d = 'a'", 0),
    ("DELETE FROM e WHERE v = $1 RETURNING v", 1),
    ("SELECT 10 / (id - 3), v FROM e ORDER BY id", 0),
    ("SELECT count(*), max(v) FROM e WHERE d IN ($1, 'b')", 1),
    ("SELECT $1::text AS plain", 1),
    ("SELECT id FROM e WHERE n = 'abc'", 0),
    ("SELECT id FROM e WHERE nothing = 'x'", 0),
    (REFUSED, 0),
    (REFUSED, 0),
    ("SELEC 1", 0),
    ("", 0),
    ("SELECT 1 AS one", 0),
    ("BEGIN", 0), ("COMMIT", 0), ("ROLLBACK", 0), ("BEGIN", 0), ("SAVEPOINT s", 0), ("ROLLBACK TO s", 0),
    ("DECLARE c CURSOR FOR SELECT id, v FROM e ORDER BY v", 0),
    ("FETCH 2 FROM c", 0),
    ("CREATE TEMP TABLE made AS SELECT id, v AS w FROM e", 0),
    ("SELECT w FROM made WHERE w = $1", 1),
    ("DROP TABLE made", 0),
    ("DEALLOCATE ALL", 0),
    ("SET DateStyle = 'ISO, DMY'", 0),
    ("EXPLAIN (COSTS OFF) SELECT id FROM e WHERE id = 1", 0),
]
SIMPLE = ["SELECT id, v FROM e WHERE v <> 'two' ORDER BY id; SELECT d FROM e WHERE n = 20", "INSERT INTO e (id, v) VALUES (77, 'q'); SELECT v FROM e WHERE id = 77",
          "BEGIN; UPDATE e SET v = 'changed' WHERE id = 1; ROLLBACK; SELECT v FROM e WHERE id = 1", "SELECT 1; SELECT 1/0; SELECT 2"]
VALUES = [b"one", b"two", b"three", b"", None, b"20", b"a"]


def random_messages(source):
    """One session's messages, in batches that end with Sync, for the encrypted and for the plain side."""
    batches, parameters = [], {}
    for _ in range(source.randrange(2, 6)):
        batch = []
        for _ in range(source.randrange(1, 9)):
            name, portal = source.choice(["", "", "a", "b"]), source.choice(["", "", "p"])
            text, count = source.choice(STATEMENTS)
            what = source.random()
            if what < 0.40:
                parameters[name] = count
                batch.append(("parse", text, name))
                if what < 0.33:
                    values = [source.choice(VALUES) for _ in range(count)]
                    batch.append(("bind", values, portal, name, source.choice([(), (), (1,)]) if count else ()))
                    if what < 0.15:
                        batch.append(("describe", "P", portal))
                    batch.append(("execute", portal, source.choice([0, 0, 0, 1, 2])))
            elif what < 0.55:
                values = [source.choice(VALUES) for _ in range(parameters.get(name, 0) + (source.random() < 0.03))]
                batch.append(("bind", values, portal, name, ()))
                batch.append(("execute", portal, source.choice([0, 0, 1])))
            elif what < 0.65:
                batch.append(("execute", portal, source.choice([0, 1, 2])))
            elif what < 0.75:
                batch.append(("describe", *source.choice([("S", name), ("P", portal)])))
            elif what < 0.82:
                batch.append(("close", *source.choice([("S", name), ("P", portal)])))
            elif what < 0.87:
                batch.append(("flush",))
            elif what < 0.93:
                batch.append(("query", source.choice(SIMPLE + [text for text, count in STATEMENTS if not count])))
            else:
                batch.append(("sync",))
        batches.append(batch + [("sync",)])
    return batches


def encode(step, plain):
    what, *rest = step
    if what == "parse":
        text = "SELEC refused" if plain and rest[0] == REFUSED else rest[0]
        return wire.parse(text, rest[1])
    if what == "query":
        return wire.query("SELEC refused" if plain and rest[0] == REFUSED else rest[0])
    if what == "bind":
        values, portal, name, results = rest
        return wire.bind(values, portal, name, results=results)
    if what == "execute":
        return wire.execute(rest[0], rest[1])
    if what == "describe":
        return wire.describe(*rest)
    if what == "close":
        return wire.close(*rest)
    return wire.FLUSH if what == "flush" else wire.SYNC


def shown(message):
    """A message as it must be the same on both sides: no table OIDs, no error texts."""
    if message.kind == "T":
        count, rest, columns = struct.unpack(">H", message.body[:2])[0], message.body[2:], []
        for _ in range(count):
            name, rest = rest.split(b"\0", 1)
            _, _, oid, size, _, form = struct.unpack(">IhIhih", rest[:18])
            columns.append(f"{name.decode()}/{oid}/{size}/{form}")
            rest = rest[18:]
        return f"T:{','.join(columns)}"
    if message.kind == "t":
        count = struct.unpack(">H", message.body[:2])[0]
        return f"t:{struct.unpack(f'>{count}I', message.body[2:])}"
    if message.word == "E:0A000":
        return "E:42601"  # what stands for the refused statement on the other side
    return message.word


# Twelve Closes and a Sync: answered in any state of the transaction, and by no batch.
END = wire.close("S", "nothing") * 12 + wire.SYNC


def transcript(client, batches, plain):
    lines = []
    for batch in batches:
        client.send(b"".join(encode(step, plain) for step in batch) + END)
        while lines[-13:-1] != ["3"] * 12 or not lines[-1].startswith("Z"):
            try:
                message = client.receive()
            except (EOFError, TimeoutError, ConnectionError) as error:
                return lines + [repr(error)]
            if message.kind not in "NSA":
                lines.append(shown(message))
        lines.append("end of batch")
    return lines


@pytest.fixture(scope="module")
def stack():
    with running_stack(CONFIG) as stack:
        with stack.proxy() as client, stack.direct() as twin:
            twin.execute("CREATE SCHEMA plain")
            twin.execute("SET search_path = plain")
            for side, collation in ((client, ""), (twin, ' COLLATE "C"')):
                side.execute(f"CREATE TABLE e (id int4 PRIMARY KEY, v text{collation}, n int4, w text, d text{collation})")
                side.execute("CREATE INDEX ON e (v)")
        yield stack


def fresh(stack):
    with stack.proxy() as client, stack.direct() as twin:
        twin.execute("SET search_path = plain")
        for side in (client, twin):
            side.execute("TRUNCATE e")
            side.execute(f"INSERT INTO e VALUES {ROWS}")


@pytest.mark.parametrize("seed", range(12))
def test_random_pipelines(stack, seed):
    source = random.Random(seed)
    for round in range(8):
        fresh(stack)
        batches = random_messages(source)
        with wire.connect(stack, timeout=5) as client, wire.connect(stack, stack.direct_port, timeout=5, search_path="plain") as twin:
            theirs = transcript(twin, batches, plain=True)
            ours = transcript(client, batches, plain=False)
        assert theirs == ours, f"seed {seed}, round {round}:\n" + "\n".join(map(str, batches))


@pytest.fixture
def client(stack):
    fresh(stack)
    with wire.connect(stack) as connected:
        yield connected


def test_refused_in_a_pipeline(client):
    good = wire.parse("SELECT v FROM e WHERE v = $1") + wire.bind((b"two",)) + wire.execute()
    refused = wire.parse(REFUSED) + wire.bind() + wire.execute()
    assert client.words(good, refused, good, wire.SYNC) == ["1", "2", "D:two", "C:SELECT 1", "E:0A000", "Z:I"]
    assert client.words(good, wire.SYNC, refused, wire.SYNC, good, wire.SYNC, syncs=3) == [
        "1", "2", "D:two", "C:SELECT 1", "Z:I", "E:0A000", "Z:I", "1", "2", "D:two", "C:SELECT 1", "Z:I"]
    assert client.is_silent()


def test_a_query_after_a_batch_without_sync(client):
    """PostgreSQL skips a Query too after an error in a batch; then there is one ReadyForQuery, the Sync's."""
    assert client.words(wire.execute("nothing"), wire.query("CREATE TEMP TABLE x AS SELECT v FROM e"), wire.parse("SELECT v FROM e WHERE v = $1"), wire.SYNC) == ["E:34000", "Z:I"]
    assert client.words(wire.parse("SELECT v FROM e WHERE v = 'two'", "q"), wire.query("SELECT v FROM e WHERE v = 'one'"), wire.SYNC, syncs=2) == [
        "1", "T", "D:one", "C:SELECT 1", "Z:I", "Z:I"]


def test_portals_with_row_limits(client):
    start = wire.parse("SELECT v, d FROM e WHERE v <> $1 ORDER BY v") + wire.bind((b"nothing",), portal="p")
    assert client.words(start, wire.execute("p", 2), wire.FLUSH, wire.execute("p", 1), wire.execute("p"), wire.execute("p"), wire.SYNC) == [
        "1", "2", "D:five|e", "D:one|a", "s", "D:three|c", "s", "D:two|b", "C:SELECT 1", "C:SELECT 0", "Z:I"]
    assert client.words(wire.execute("p"), wire.SYNC) == ["E:34000", "Z:I"]  # gone with its transaction


def test_an_error_in_the_middle_of_rows(client):
    lines = client.words(wire.query("SELECT 10 / (id - 3), v FROM (SELECT * FROM e ORDER BY id OFFSET 0) q"))
    assert lines == ["T", "D:-5|one", "D:-10|two", "E:22012", "Z:I"]
    assert client.words(wire.parse("SELECT 10 / (id - 3), v FROM (SELECT * FROM e ORDER BY id OFFSET 0) q"), wire.bind(), wire.execute(), wire.execute(), wire.SYNC) == [
        "1", "2", "D:-5|one", "D:-10|two", "E:22012", "Z:I"]


def test_descriptions_show_the_clients_types(client):
    client.send(wire.parse("UPDATE e SET v = $1, n = $2 WHERE v = $1 AND d <> $3 RETURNING n, v, d", "q"), wire.describe("S", "q"), wire.SYNC)
    answers = client.until()
    assert [shown(answer) for answer in answers] == ["1", "t:(25, 23, 25)", "T:n/23/4/0,v/25/-1/0,d/25/-1/0", "Z:I"]
    client.send(wire.bind((b"one", struct.pack(">i", 42), b"zz"), "", "q", formats=(0, 1, 1), results=(1, 0, 1)), wire.describe("P"), wire.execute(), wire.SYNC)
    answers = client.until()
    assert [shown(answer) for answer in answers if answer.kind != "D"] == ["2", "T:n/23/4/1,v/25/-1/0,d/25/-1/1", "C:UPDATE 1", "Z:I"]
    assert [answer.row for answer in answers if answer.kind == "D"] == [[struct.pack(">i", 42), b"one", b"a"]]


LONG = "SELECT count(*) FROM generate_series(1, 3000000) g, e a, e b WHERE CASE WHEN g > 0 THEN a.v < b.v ELSE a.v > b.v END"


def backends(stack):
    with stack.superuser() as superuser:
        return superuser.execute("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT count(*) FROM generate_series%' AND state = 'active'").fetchone()[0]


@pytest.mark.parametrize("extended", [False, True], ids=["simple", "extended"])
def test_cancel_of_a_long_encrypted_query(stack, client, extended):
    sent = wire.parse(LONG) + wire.bind() + wire.execute() + wire.SYNC if extended else wire.query(LONG)
    for _ in range(3):
        client.send(sent)
        time.sleep(0.2)
        begun = time.monotonic()
        client.cancel("127.0.0.1", stack.proxy_port)
        assert [answer.word for answer in client.until() if answer.kind in "EZ"] == ["E:57014", "Z:I"]
        assert time.monotonic() - begun < 3
    assert client.words(wire.query("SELECT v FROM e WHERE v = 'two'")) == ["T", "D:two", "C:SELECT 1", "Z:I"]


def test_clients_that_vanish(stack):
    with stack.superuser() as superuser:
        superuser.execute("ALTER ROLE app SET client_connection_check_interval = '100ms'")
    for _ in range(5):
        client = wire.connect(stack)
        client.send(wire.query(LONG))
        time.sleep(0.1)
        client.close()
    deadline = time.monotonic() + 10
    while backends(stack) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert backends(stack) == 0
    with wire.connect(stack) as client:
        assert client.words(wire.query("SELECT v FROM e WHERE v = 'two'"))[-2:] == ["C:SELECT 1", "Z:I"]


def test_two_hundred_connections(stack):
    fresh(stack)
    with stack.superuser() as superuser:
        limit = int(superuser.execute("SHOW max_connections").fetchone()[0]) - 10

    def one(number):
        with wire.connect(stack) as client:
            pipeline = b"".join(wire.parse("SELECT v FROM e WHERE v = $1 AND n < $2") + wire.bind((b"two", b"%d" % (21 + number))) + wire.execute() for _ in range(5))
            return client.words(pipeline, wire.SYNC)

    with concurrent.futures.ThreadPoolExecutor(min(200, limit)) as pool:
        for words in pool.map(one, range(200)):
            assert words == ["1", "2", "D:two", "C:SELECT 1"] * 5 + ["Z:I"]


def test_copies_that_break(stack, client):
    copy = wire.query("COPY e (id, v) FROM STDIN")
    rows = [wire.message("d", b"".join(b"%d\tvalue %d\n" % (number, number) for number in range(start, start + 1000))) for start in range(10_000, 30_000, 1000)]
    assert client.words(copy, *rows, wire.message("f", wire.text("enough"))) == ["G", "E:57014", "Z:I"]
    assert client.words(copy, *rows, wire.message("d", b"1\tdouble\n"), wire.message("c")) == ["G", "E:23505", "Z:I"]
    assert client.words(copy, rows[0], wire.message("d", b"5\n"), *rows[1:], wire.message("c")) == ["G", "E:22P04", "Z:I"]
    assert client.words(copy, rows[0], wire.query("SELECT 1"), wire.SYNC, syncs=2) == ["G", "E:08P01", "Z:I", "Z:I"]
    with wire.connect(stack) as other:
        other.send(copy, *rows)
    assert client.words(wire.query("SELECT count(*) FROM e")) == ["T", "D:5", "C:SELECT 1", "Z:I"]
    assert client.words(copy, *rows, wire.message("c")) == ["G", "C:COPY 20000", "Z:I"]
    assert client.words(wire.query("DELETE FROM e WHERE v LIKE 'value 1%'")) == ["C:DELETE 10000", "Z:I"]
    assert client.words(wire.query("DELETE FROM e WHERE v >= 'value' AND v < 'valuf'")) == ["C:DELETE 10000", "Z:I"]
