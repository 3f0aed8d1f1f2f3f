"""What a backend does when the enclave is absent, dies, stops, lies or is short of slots: an error in time, never a hang, a
wrong answer or a restart of the server. Run by run.sh against its private cluster; evaluator.py plays the enclave.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

import cells

HERE = Path(__file__).parent
FOLDER = Path(os.environ.get("CLOISTER_TEST_FOLDER", "/nonexistent"))
PG_DUMP = "/usr/lib/postgresql/15/bin/pg_dump"

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="run by test/run.sh")

writer, operands = cells.Writer(b"liveness"), cells.Writer(b"lv-oprnd")


def stored(number):
    return "\\x" + writer.seal(cells.canonical("int4", str(number)), "int4", 7).hex()


def operand(number):
    return "\\x" + operands.seal(cells.canonical("int4", str(number)), "int4", 7, cells.OPERAND).hex()


def connect(socket=None, deadline=10000, **settings):
    connection = psycopg.connect(autocommit=True)
    if socket:
        connection.execute(f"SET cloister.socket = '{socket}'")
    connection.execute(f"SET cloister.deadline = {deadline}")
    for name, value in settings.items():
        connection.execute(f"SET {name} = {value}")
    return connection


@contextmanager
def evaluator(mode="normal", after=0, slots=64, socket=None):
    """An evaluator at its own socket; yields (socket, process)."""
    socket = socket or FOLDER / f"{mode}-{time.monotonic_ns()}.sock"
    process = subprocess.Popen(
        [sys.executable, HERE / "evaluator.py", socket, "--mode", mode, "--after", str(after), "--slots", str(slots)],
        stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    try:
        yield str(socket), process
    finally:
        process.kill()
        process.wait()


@contextmanager
def fails(sqlstate, code="", within=2.0, after=0.0):
    """The block raises an error of the SQLSTATE and CL code, in the time: far below the deadline, yet fit for a busy machine."""
    start = time.monotonic()
    with pytest.raises(psycopg.Error) as caught:
        yield
    elapsed = time.monotonic() - start
    assert (caught.value.sqlstate, code in str(caught.value)) == (sqlstate, True), str(caught.value)
    assert after <= elapsed < within, elapsed


def ask(connection):
    """One comparison."""
    return connection.execute("SELECT %s::enc_int4 < %s::enc_int4", (stored(1), operand(2))).fetchone()[0]


# A statement of many thousand comparisons, which are the evaluator's work for seconds.
LONG = "SELECT count(*) FROM live a, live b, live c WHERE a.x < b.x AND b.x < c.x"


@pytest.fixture(scope="session", autouse=True)
def server():
    """A table of 200 stored cells; the same server is there at the end."""
    with connect() as connection:
        started = connection.execute("SELECT pg_postmaster_start_time()").fetchone()
        connection.execute("CREATE EXTENSION IF NOT EXISTS cloister")
        connection.execute("CREATE TABLE live (id int4, x enc_int4(7))")
        for number in range(200):
            connection.execute("INSERT INTO live VALUES (%s, %s)", (number, stored(number)))
        connection.execute("CREATE TABLE keyed (x enc_int4(7) UNIQUE)")
        connection.execute("INSERT INTO keyed SELECT x FROM live")
    yield
    with connect() as connection:
        assert connection.execute("SELECT pg_postmaster_start_time()").fetchone() == started
        assert ask(connection)
        assert connection.execute("SELECT count(*) FROM live a JOIN keyed b USING (x)").fetchone() == (200,)
    assert "was terminated by signal" not in (FOLDER / "log").read_text()


@pytest.fixture
def other():
    with connect() as connection:
        yield connection


# ---- gone ----

def test_absent_enclave_is_an_error_at_once():
    with connect("/nonexistent/enclave") as connection:
        with fails("YE001", "CL7010"):
            ask(connection)
        assert connection.execute("SELECT count(*) FROM live").fetchone() == (200,)


def test_killed_in_the_middle_of_a_query():
    with evaluator() as (socket, process), connect(socket) as connection:
        threading.Timer(0.3, process.kill).start()
        with fails("YE001", after=0.2):
            connection.execute(LONG)


@pytest.mark.parametrize("after", [0, 1, 50])
def test_dies_with_a_call_in_hand(after):
    with evaluator("die", after) as (socket, _), connect(socket) as connection:
        with fails("YE001"):
            connection.execute(LONG)


def test_restarted_enclave_is_found_silently():
    with evaluator() as (socket, process), connect(socket) as connection:
        assert ask(connection)
        boot = connection.execute("SELECT boot_id FROM cloister.enclave_status()").fetchone()
        process.kill()
        process.wait()
        with evaluator(socket=socket):
            assert ask(connection)
            assert connection.execute("SELECT cloister.enclave_tunnel('\\x0102')").fetchone() == (b"\2\1",)
            assert connection.execute("SELECT boot_id FROM cloister.enclave_status()").fetchone() != boot
            assert connection.execute("SELECT connects, connected FROM cloister.enclave_status()").fetchone() == (2, True)
        assert connection.execute("SELECT connected FROM cloister.enclave_status()").fetchone() == (False,)
        with fails("YE001", "CL7010"):
            connection.execute("SELECT cloister.enclave_tunnel('\\x0102')")


def test_parallel_workers_report_it_too():
    settings = dict(parallel_setup_cost=0, parallel_tuple_cost=0, min_parallel_table_scan_size=0, max_parallel_workers_per_gather=2,
                    parallel_leader_participation="off")
    with evaluator() as (socket, process), connect(socket, **settings) as connection:
        connection.execute("CREATE TABLE wide AS SELECT a.x FROM live a, generate_series(1, 500)")
        connection.execute("ALTER TABLE wide SET (parallel_workers = 2)")
        plan = connection.execute("EXPLAIN SELECT count(*) FROM wide WHERE x < (SELECT x FROM live LIMIT 1)").fetchall()
        assert "Workers Planned: 2" in str(plan)
        threading.Timer(0.3, process.kill).start()
        with fails("YE001"):
            connection.execute("SELECT count(*) FROM wide WHERE x < (SELECT x FROM live LIMIT 1)")
        connection.execute("DROP TABLE wide")


# ---- silent ----

def test_stopped_enclave_meets_the_deadline():
    with evaluator() as (socket, process), connect(socket, deadline=500) as connection:
        assert ask(connection)
        threading.Timer(0.2, process.send_signal, [signal.SIGSTOP]).start()
        with fails("YE002", "CL7012", after=0.6):
            connection.execute(LONG)
        process.send_signal(signal.SIGCONT)
        assert ask(connection)


def test_statement_timeout_in_a_wait():
    with evaluator("mute", slots=1) as (socket, _), connect(socket, statement_timeout=200) as connection:
        with fails("57014", "statement timeout", after=0.2):
            ask(connection)
        # and its slot is free at once, though the session asks nothing more
        with connect(socket, deadline=400) as another, fails("YE002", "CL7012", after=0.4):
            ask(another)


def test_statement_timeout_while_waiting_for_a_slot():
    with evaluator("noslot") as (socket, _), connect(socket, statement_timeout=200) as connection:
        with fails("57014", after=0.2):
            ask(connection)


def test_cancel_in_a_wait(other):
    with evaluator("mute") as (socket, _), connect(socket) as connection:
        pid = connection.info.backend_pid
        threading.Timer(0.2, other.execute, ["SELECT pg_cancel_backend(%s)", (pid,)]).start()
        with fails("57014", "user request", after=0.2):
            ask(connection)
        # the session lives on, with an enclave that answers
        connection.execute("RESET cloister.socket")
        assert ask(connection)


def test_terminate_in_a_call(other):
    with evaluator("mute", slots=1) as (socket, _), connect(socket) as connection:
        pid = connection.info.backend_pid
        threading.Timer(0.2, other.execute, ["SELECT pg_terminate_backend(%s)", (pid,)]).start()
        with fails("57P01", after=0.2):
            ask(connection)
        # its slot is free again: the next backend gets it
        with connect(socket, deadline=300) as another, fails("YE002", "CL7012", after=0.3):
            ask(another)


def test_an_abandoned_call_gives_the_slot_back():
    with evaluator("mute", slots=1) as (socket, _), connect(socket, deadline=400) as first, connect(socket, deadline=400) as second:
        for connection in [first, second, first, second]:
            with fails("YE002", "CL7012"):
                ask(connection)


def test_a_caught_error_gives_the_slot_back():
    with evaluator("mute", after=1, slots=1) as (socket, _), connect(socket, deadline=200) as connection:
        assert ask(connection)
        connection.execute(f"""DO $$ BEGIN
            PERFORM '{stored(1)}'::enc_int4 < '{operand(2)}'::enc_int4 FROM live;
          EXCEPTION WHEN SQLSTATE 'YE002' THEN NULL; END $$""")
        assert connection.execute("SELECT connected, calls FROM cloister.enclave_status()").fetchone() == (False, 1)


def test_no_hang_with_a_buffer_locked(other):
    """nbtree compares with an index page locked, where interrupts are held off: the deadline ends it."""
    with evaluator("mute", after=2) as (socket, _), connect(socket, deadline=600) as connection:
        results = []

        def insert():
            with fails("YE002", "CL7012", after=0.5):
                connection.execute("INSERT INTO keyed VALUES (%s)", (stored(1000),))
            results.append(True)

        thread = threading.Thread(target=insert)
        thread.start()
        time.sleep(0.2)
        start = time.monotonic()
        other.execute("INSERT INTO keyed VALUES (%s)", (stored(2000),))  # may have to wait for the page, not longer
        assert time.monotonic() - start < 2.0
        thread.join()
        assert results
        other.execute("DELETE FROM keyed WHERE x = %s::enc_int4", (operand(2000),))


# ---- slots ----

def test_more_backends_than_slots():
    with evaluator(slots=2) as (socket, _), connect(socket) as a, connect(socket) as b, connect(socket, deadline=300) as c:
        assert ask(a) and ask(b)
        with fails("YE002", "CL7013", after=0.3):
            ask(c)
        assert ask(a) and ask(b)
        c.execute("SET cloister.deadline = 3000")
        threading.Timer(0.3, a.close).start()
        assert ask(c) and ask(b)


def test_many_backends_at_once():
    with evaluator(slots=8) as (socket, _):
        answers = []

        def work():
            with connect(socket, deadline=20000) as connection:
                answers.append(connection.execute("SELECT count(*) FROM live WHERE x < %s::enc_int4", (operand(50),)).fetchone()[0])

        threads = [threading.Thread(target=work) for _ in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [50] * 24


# ---- keys ----

def test_a_missing_key_is_asked_for_again():
    with evaluator("nokey", after=4) as (socket, _), connect(socket) as connection:
        start = time.monotonic()
        assert ask(connection)
        assert 0.15 < time.monotonic() - start < 2
        assert connection.execute("SELECT key_waits FROM cloister.enclave_status()").fetchone() == (4,)


def test_a_missing_key_ends_at_the_deadline():
    with evaluator("nokey", after=1000) as (socket, _), connect(socket, deadline=300) as connection:
        with fails("YE003", "CL7015", after=0.2):
            ask(connection)
        connection.execute("SET cloister.deadline = 10000")
        connection.execute("SET statement_timeout = 200")
        with fails("57014", after=0.2):
            ask(connection)


def test_a_missing_key_under_a_lock_is_an_error_at_once():
    with evaluator("nokey", after=1000) as (socket, _), connect(socket) as connection:
        with fails("YE003", "CL7015"):
            connection.execute("INSERT INTO keyed VALUES (%s)", (stored(3000),))


# ---- lies ----

@pytest.mark.parametrize("mode", ["magic", "version", "index", "unsealed", "short"])
def test_bad_welcome(mode):
    with evaluator(mode) as (socket, _), connect(socket) as connection:
        with fails("YE001", "CL7014"):
            ask(connection)


def test_closes_at_once():
    with evaluator("eof") as (socket, _), connect(socket) as connection:
        with fails("YE001", "CL7010"):
            ask(connection)


@pytest.mark.parametrize("mode", ["value", "status", "state"])
def test_garbage_answers(mode):
    with evaluator(mode, after=3) as (socket, _), connect(socket) as connection:
        assert ask(connection) and ask(connection) and ask(connection)
        with fails("YE001", "CL7014"):
            ask(connection)
        connection.execute("RESET cloister.socket")
        assert ask(connection)


def test_an_answer_longer_than_the_slot():
    with evaluator("length") as (socket, _), connect(socket) as connection:
        with fails("YE001", "CL7014"):
            connection.execute("SELECT cloister.enclave_tunnel('\\x01')")


def test_failures_leak_nothing():
    with connect("/nonexistent/enclave", deadline=100) as connection, connect() as other:
        def resources():
            folder = Path(f"/proc/{connection.info.backend_pid}")
            return len(list((folder / "fd").iterdir())), (folder / "maps").read_text().count("memfd")

        with pytest.raises(psycopg.Error):
            ask(connection)
        before = resources()
        for mode in ["magic", "unsealed", "eof", "noslot", "mute", "value", "normal"]:
            with evaluator(mode) as (socket, _):
                connection.execute(f"SET cloister.socket = '{socket}'")
                for _ in range(3):
                    if mode == "normal":
                        connection.execute("SET cloister.deadline = 10000")  # this one shall succeed, on a busy machine too
                        assert ask(connection)
                    else:
                        with pytest.raises(psycopg.Error):
                            ask(connection)
        with pytest.raises(psycopg.Error):
            ask(connection)
        assert resources() == before
        assert ask(other)


# ---- what else the extension promises ----

def test_spinning_can_be_turned_off():
    with connect() as connection:
        connection.execute("SET cloister.spin = 0")
        for _ in range(20):
            ask(connection)
        assert connection.execute("SELECT calls, spin_successes FROM cloister.enclave_status()").fetchone() == (20, 0)


def test_refused_plaintext_is_not_in_the_log():
    marker = f"marker{time.monotonic_ns()}"
    with connect() as connection:
        connection.execute("SET log_parameter_max_length_on_error = -1")
        with fails("22P02", "CL7001"):
            connection.execute(f"INSERT INTO live VALUES (1, '{marker}')")
        with fails("22P02", "CL7001"):
            connection.execute("INSERT INTO live VALUES (1, %s)", (marker,))
        with fails("22P03", "CL7001"):
            connection.execute("INSERT INTO live VALUES (1, %b::enc_int4)", (RawCell(marker.encode()),))
        with fails("22P02", "CL7001"):
            connection.execute(f"DO $$ BEGIN INSERT INTO live VALUES (1, '{marker}'); END $$")
        with fails("22P02", "CL7001"), connection.cursor().copy("COPY live FROM STDIN") as copy:
            copy.write(f"1\t{marker}\n")
    assert marker not in (FOLDER / "log").read_text()


class RawCell:
    """Bytes sent as a binary enc_int4."""

    def __init__(self, data):
        self.data = data


class RawCellDumper(psycopg.adapt.Dumper):
    format = psycopg.pq.Format.BINARY

    def dump(self, value):
        return value.data


psycopg.adapters.register_dumper(RawCell, RawCellDumper)


def test_ddl_is_announced(other):
    other.execute("LISTEN cloister_ddl")

    def heard():
        return len(list(other.notifies(timeout=0.3)))

    with connect() as connection:
        connection.execute("CREATE ROLE plain LOGIN")
        connection.execute("GRANT CREATE ON SCHEMA public TO plain")
        heard()
        connection.execute("SET ROLE plain")
        connection.execute("CREATE TABLE announced (a int4)")
        assert heard() == 1
        with connection.transaction():
            connection.execute("ALTER TABLE announced ADD b int4")
            connection.execute("ALTER TABLE announced ADD c int4")
        assert heard() == 1
        with pytest.raises(ZeroDivisionError), connection.transaction():
            connection.execute("DROP TABLE announced")
            raise ZeroDivisionError
        assert heard() == 0
        connection.execute("CREATE TEMP TABLE unannounced (a int4)")
        connection.execute("CREATE INDEX ON announced (a)")
        connection.execute("INSERT INTO announced VALUES (1)")
        assert heard() == 0
        # a transaction that has notified could not be prepared
        connection.execute("BEGIN")
        connection.execute("ALTER TABLE announced ADD d int4")
        connection.execute("PREPARE TRANSACTION 'two phases'")
        connection.execute("COMMIT PREPARED 'two phases'")
        connection.execute("DROP TABLE announced, unannounced")
        assert heard() == 1
        connection.execute("RESET ROLE")
        connection.execute("REVOKE CREATE ON SCHEMA public FROM plain")
        connection.execute("DROP ROLE plain")


def test_dump_and_restore(other):
    other.execute("CREATE TABLE dumped (x enc_int4(7) PRIMARY KEY, d det_int4(7))")
    other.execute("INSERT INTO dumped SELECT x FROM live WHERE id < 20")
    other.execute("INSERT INTO cloister.master_keys VALUES ('dumped', 'file', 'pub')")
    other.execute("INSERT INTO cloister.column_keys VALUES (7, 'dumped', '{}')")
    other.execute("INSERT INTO cloister.column_key_values VALUES (7, 'dumped', '1', '2')")
    script = subprocess.run([PG_DUMP, "-t", "dumped", "-e", "cloister", "-t", "cloister.*"], capture_output=True, check=True, text=True).stdout
    assert "enc_int4(7)" in script and "CREATE EXTENSION" in script and "CREATE TYPE" not in script
    other.execute("CREATE DATABASE restored")
    subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", "restored"], input=script, check=True, text=True, stdout=subprocess.DEVNULL)
    with psycopg.connect(dbname="restored") as restored:
        assert restored.execute("SELECT count(DISTINCT x) FROM dumped").fetchone() == (20,)
        assert restored.execute("SELECT key_id, master_key FROM cloister.column_key_values").fetchone() == (7, "dumped")
    other.execute("DROP DATABASE restored")
    other.execute("DROP TABLE dumped")
    other.execute("DELETE FROM cloister.column_keys")
    other.execute("DELETE FROM cloister.master_keys")
