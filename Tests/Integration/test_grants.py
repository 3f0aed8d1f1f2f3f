"""`enclave.sessions: granted`: the enclave serves the sessions that a proxy vouched for, and no session past it."""

import contextlib
import os
import signal
import time

import psycopg
import pytest

from test_liveness import enclave_pid

MARKS = """
columns:
  public.people:
    name: { type: text, encryption: randomized, key: kn }
    age: { type: int4, encryption: randomized, key: ka }
    tag: { type: text, encryption: deterministic, key: kt }
  public.big:
    v: { type: int4, encryption: randomized, key: ka }
"""
UNGRANTED = "YE006"
REFUSED = "YE004"
LIMIT = "YE007"


def config(**enclave):
    return "enclave: { " + ", ".join(f"{key}: {value}" for key, value in enclave.items()) + " }\n" + MARKS


def fill(stack):
    with stack.proxy() as client:
        client.execute("CREATE TABLE people (id int PRIMARY KEY, name text, age int, tag text)")
        client.execute("INSERT INTO people VALUES (1, 'ada', 36, 'x'), (2, 'bob', 41, 'y'), (3, 'eve', 29, 'x'), (4, NULL, NULL, NULL)")
        client.execute("CREATE INDEX people_age ON people (age)")
        client.execute("CREATE TABLE big (id int PRIMARY KEY, v int)")
        with client.cursor().copy("COPY big FROM STDIN") as copy:
            for n in range(20000):
                copy.write_row((n, n * 7919 % 20011))
        client.execute("ANALYZE big")


@pytest.fixture(scope="module")
def stack(make_stack):
    with make_stack(config(sessions="granted")) as stack:
        fill(stack)
        yield stack


def refused(connection, statement, code=UNGRANTED, parameters=None):
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(statement, parameters)
    assert caught.value.sqlstate == code, caught.value


COMPARISONS = [
    "SELECT id FROM people ORDER BY age", "SELECT a.id FROM people a JOIN people b ON a.age = b.age AND a.id < b.id", "SELECT DISTINCT name FROM people",
    "SELECT count(*) FROM people a, people b WHERE a.age < b.age", "SELECT max(age) FROM people", "SELECT name, count(*) FROM people GROUP BY name",
    "SELECT id FROM people WHERE name = (SELECT name FROM people WHERE id = 1)", "SELECT rank() OVER (ORDER BY age) FROM people",
    "SELECT id FROM people WHERE age IN (SELECT age FROM people)", "SELECT least(a.age, b.age) FROM people a, people b",
]


def test_sessions_of_the_proxy_are_served(stack):
    for binary in (False, True):
        with stack.proxy() as client:
            assert client.execute("SELECT id FROM people WHERE age > 30 ORDER BY age", binary=binary).fetchall() == [(1,), (2,)]
            assert client.execute("SELECT id FROM people WHERE name LIKE %s", ["a%"]).fetchall() == [(1,)]
            with client.pipeline():
                first = client.execute("SELECT id FROM people WHERE age = %s", [41])
                second = client.execute("SELECT count(*) FROM people WHERE tag = %s", ["x"])
            assert (first.fetchall(), second.fetchall()) == ([(2,)], [(2,)])
            for statement in COMPARISONS:
                client.execute(statement)
            with client.transaction():
                client.execute("SAVEPOINT s")
                client.execute("SELECT id FROM people ORDER BY name")


@pytest.mark.parametrize("superuser", [False, True])
def test_sessions_past_the_proxy_are_not(stack, superuser):
    with (stack.superuser if superuser else stack.direct)() as admin:
        admin.execute("SET enable_indexscan = off; SET enable_indexonlyscan = off")
        for statement in COMPARISONS:
            refused(admin, statement)
        # What needs no comparison is as before.
        assert admin.execute("SELECT count(*), count(age) FROM people").fetchone() == (4, 3)
        assert admin.execute("SELECT count(*) FROM people WHERE tag = (SELECT tag FROM people WHERE id = 1)").fetchone() == (2,)


def test_operands_are_bound_to_their_session(stack):
    """A constant of one client's query is no use to another, vouched for or not."""
    with stack.proxy() as client, stack.proxy() as other, stack.direct() as admin:
        client.execute("CREATE TABLE seen (q text)")
        client.execute("PREPARE p AS SELECT count(*) FROM people WHERE age < 40")
        [operand] = [row[0] for row in client.execute("SELECT statement FROM pg_prepared_statements WHERE name = 'p'").fetchall()]
        cell = operand.split("'")[1]
        assert client.execute("SELECT count(*) FROM people WHERE age < 40").fetchone() == (2,)
        # The same cell in another session, put there by the server.
        admin.execute("CREATE FUNCTION replay() RETURNS bigint LANGUAGE plpgsql AS $$ DECLARE n bigint; BEGIN"
                      f" EXECUTE 'SELECT count(*) FROM people WHERE age < ''{cell}''::enc_int4' INTO n; RETURN n; END $$")
        refused(admin, "SELECT replay()")
        refused(other, "SELECT replay()", REFUSED)
        assert client.execute("SELECT replay()").fetchone() == (2,)


def test_forged_and_replayed_grants(stack):
    """What a proxy said for one connection is of no use on another."""
    with stack.superuser() as admin, stack.superuser() as second:
        ask = "SELECT cloister.enclave_tunnel(%s::bytea)"
        challenge = admin.execute(ask, [b"\x08"]).fetchone()[0]
        assert challenge[:1] == b"\x09" and len(challenge) == 33
        assert admin.execute(ask, [b"\x0a" + bytes(48)]).fetchone()[0] == b"\x07\x09"
        # JOIN names a process: only that of a vouched-for session.
        assert admin.execute(ask, [b"\x0c" + second.info.backend_pid.to_bytes(4, "big")]).fetchone()[0] == b"\x07\x09"
        refused(admin, "SELECT max(age) FROM people")


def test_parallel_workers_are_served(stack):
    settings = ("SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET parallel_leader_participation = off;"
                " SET max_parallel_workers_per_gather = 2; SET force_parallel_mode = on")
    with stack.proxy() as client:
        client.execute(settings)
        plan = "\n".join(row[0] for row in client.execute("EXPLAIN ANALYZE SELECT count(*) FROM big WHERE v < 1000").fetchall())
        assert "Workers Launched: " in plan and "Workers Launched: 0" not in plan, plan
        expected = sum(1 for n in range(20000) if n * 7919 % 20011 < 1000)
        assert client.execute("SELECT count(*) FROM big WHERE v < 1000").fetchone() == (expected,)
    with stack.direct() as admin:
        admin.execute(settings)
        refused(admin, "SELECT count(*) FROM big a WHERE a.v < (SELECT v FROM big WHERE id = 5)")


def test_maintenance(stack):
    with stack.superuser() as admin:
        for statement in ("VACUUM ANALYZE big", "CREATE INDEX big_v ON big (v)", "REINDEX TABLE big", "CLUSTER big USING big_v", "VACUUM FULL people",
                          "CREATE INDEX CONCURRENTLY people_name ON people (name)", "DROP INDEX big_v, people_name"):
            admin.execute(statement)
        admin.execute("SET max_parallel_maintenance_workers = 2; SET min_parallel_table_scan_size = 0; ALTER TABLE big SET (parallel_workers = 2)")
        admin.execute("CREATE INDEX big_parallel ON big (v)")
        admin.execute("DROP INDEX big_parallel")
        refused(admin, "SELECT v FROM big ORDER BY v LIMIT 1")


def test_maintenance_can_be_refused(make_stack):
    with make_stack(config(sessions="granted", maintenance="false")) as stack:
        fill(stack)
        with stack.superuser() as admin:
            refused(admin, "CREATE INDEX ON big (v)")
            refused(admin, "REINDEX TABLE people")
            admin.execute("VACUUM people")
        with stack.proxy() as client:
            client.execute("CREATE INDEX big_v ON big (v)")
            client.execute("REINDEX TABLE people")


def test_sessions_come_back(stack):
    """After a cancelled question and after a restart of the enclave the proxy vouches again by itself."""
    with stack.proxy() as client:
        assert client.execute("SELECT count(*) FROM people WHERE age > 30").fetchone() == (2,)
        client.execute("SET statement_timeout = '30ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            client.execute("SELECT count(*) FROM big a JOIN big b ON a.v < b.v")
        client.execute("SET statement_timeout = 0")
        assert client.execute("SELECT count(*) FROM people WHERE age > 30").fetchone() == (2,)
        os.kill(enclave_pid(stack), signal.SIGKILL)
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(psycopg.Error):
                assert client.execute("SELECT count(*) FROM people WHERE age > 30").fetchone() == (2,)
                break
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_limits(make_stack):
    with make_stack(config(comparisons_per_session=500)) as stack:
        with stack.proxy() as client:
            client.execute("CREATE TABLE big (id int, v int)")
            client.execute("INSERT INTO big SELECT n, 1 FROM generate_series(1, 100) n")
            for _ in range(4):
                client.execute("SELECT count(*) FROM big WHERE v < 0")
            refused(client, "SELECT count(*) FROM big a JOIN big b ON a.v < b.v", LIMIT)
            refused(client, "SELECT count(*) FROM big WHERE v < 0", LIMIT)
        with stack.proxy() as client:
            client.execute("SELECT count(*) FROM big WHERE v < 0")
        assert "reached the limit of 500 operations under key" in stack.log("tee")
