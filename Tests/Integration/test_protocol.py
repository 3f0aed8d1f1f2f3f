"""The proxy under raw sockets, before a plain server: what design/protocol-checklist.md lists of startup, ordering,
statements, COPY, cancel, closing and load. Numbers in names and comments are its lines."""

import concurrent.futures
import signal
import socket
import struct
import threading
import time

import pytest
from cloister_testlib import wire
from cloister_testlib.wire import COPY_DONE, FLUSH, SYNC, bind, close, describe, execute, fields, message, parse, query, values
from conftest import binaries


@pytest.fixture(autouse=True)
def patience():
    """A test that hangs fails."""

    def give_up(*_):
        raise TimeoutError("the test hangs")

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(60)
    yield
    signal.alarm(0)


@pytest.fixture(scope="module")
def server():
    with wire.cluster() as running:
        yield running


@pytest.fixture(scope="module")
def proxy(server):
    with wire.proxy(binaries(), server.port, "drain=3") as running:
        yield running


@pytest.fixture
def client(proxy):
    with wire.Client(proxy.port) as connected:
        yield connected


def raw(proxy):
    return wire.Client(proxy.port, connect=False)


# Startup


@pytest.mark.parametrize("length", [-1, 0, 4, 7, 10_001, 0x7FFFFFFF])
def test_01_startup_lengths_are_checked(proxy, length):
    with raw(proxy) as client:
        client.send(struct.pack("!i", length))
        kind, body = client.receive()
        assert (kind, fields(body)["C"]) == (b"E", "08P01")
        assert client.ends()


def test_01_options_reach_the_server(proxy):
    with wire.Client(proxy.port, options="-c work_mem=123kB") as client:
        client.send(query("show work_mem"))
        assert values(client.until(b"Z")[1][1]) == [b"123kB"]


def test_02_encryption_requests_are_declined_once_each(proxy):
    with raw(proxy) as client:
        client.send(wire.GSSENC_REQUEST)
        assert client.socket.recv(10) == b"N"
        client.send(wire.SSL_REQUEST)
        assert client.socket.recv(10) == b"N"
        client.send(wire.startup(user="trusty", database="postgres"))
        assert client.kinds().endswith("KZ")
    with raw(proxy) as client:
        client.send(wire.SSL_REQUEST)
        client.socket.recv(10)
        client.send(wire.SSL_REQUEST)
        assert client.receive()[0] == b"E"


def test_02_bytes_with_ssl_request_are_refused(proxy):
    with raw(proxy) as client:
        client.send(wire.SSL_REQUEST + wire.startup(user="trusty", database="postgres"))
        kind, body = client.receive()
        assert (kind, fields(body)["C"]) == (b"E", "08P01")
        assert client.ends()


def test_03_direct_tls_is_not_answered_in_plaintext(proxy):
    with raw(proxy) as client:
        client.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32))
        assert client.receive()[0] == b"E"
        assert client.ends()


def test_04_protocol_32_is_negotiated_by_the_server(proxy):
    with raw(proxy) as client:
        client.send(wire.startup(version=3 << 16 | 2, user="trusty", database="postgres", **{"_pq_.unheard": "of"}))
        first = client.receive()
        assert first[0] == b"v" and b"_pq_.unheard" in first[1]
        assert client.kinds().endswith("KZ")


def test_05_a_second_startup_ends_the_session(proxy):
    with raw(proxy) as client:
        client.send(wire.startup(user="salty", database="postgres"))
        assert client.receive()[0] == b"R"
        client.send(wire.startup(user="postgres", database="postgres"))
        kind, body = client.receive()
        assert (kind, fields(body)["C"]) == (b"E", "08P01")
        assert client.ends()


def test_05_after_a_failed_password_a_query_gets_the_end(proxy):
    with raw(proxy) as client:
        client.send(wire.startup(user="plain", database="postgres"))
        assert client.receive() == (b"R", struct.pack("!i", 3))
        client.send(message(b"p", b"wrong\0"))
        kind, body = client.receive()
        assert (kind, fields(body)["C"]) == (b"E", "28P01")
        try:
            client.send(query("select 1"))
        except OSError:
            pass
        assert client.ends()


def test_06_scram_is_offered_without_channel_binding(proxy):
    with raw(proxy) as client:
        client.send(wire.startup(user="salty", database="postgres"))
        assert client.receive() == (b"R", struct.pack("!i", 10) + b"SCRAM-SHA-256\0\0")


def test_24_replication_is_refused(proxy):
    with raw(proxy) as client:
        client.send(wire.startup(user="postgres", replication="database", database="postgres"))
        kind, body = client.receive()
        assert (kind, fields(body)["C"]) == (b"E", "0A000")


# Ordering


def test_08_one_ready_per_sync_after_errors(client):
    client.send(parse("", "select"), parse("", "selec"), bind("", ""), execute(""), SYNC, parse("", "select 1"), bind("", ""), execute(""), SYNC, SYNC)
    assert client.kinds() == "1EZ"
    assert client.kinds() == "12DCZ"
    assert client.kinds() == "Z"


def test_09_flush_without_sync(client):
    client.send(parse("f", "select 1"), describe(b"S", "f"), FLUSH)
    assert client.kinds(b"T") == "1tT"
    client.send(bind("", "f"), execute(""), FLUSH)
    assert client.kinds(b"C") == "2DC"
    client.send(SYNC)
    assert client.kinds() == "Z"


def test_11_notices_and_parameters_come_between_rows(client):
    client.send(query("do $$ begin raise notice 'a'; end $$; select 1; set timezone to 'Asia/Tokyo'; select 2"))
    assert client.kinds() == "NCTDCCTDCSZ"


def test_07_a_pipeline_in_an_implicit_transaction_fails_as_one(client, server):
    server.sql("drop table if exists implicit; create table implicit (a int); grant all on implicit to trusty")
    client.send(parse("", "insert into implicit values (1)"), bind("", ""), execute(""), parse("", "nonsense"), bind("", ""), execute(""), SYNC)
    assert client.kinds() == "12CEZ"
    assert server.sql("select count(*) from implicit") == "0"


# Statements and portals


def test_12_the_unnamed_statement_ends_at_the_next_query(client):
    client.send(parse("", "select 1"), SYNC, query("select 2"), bind("", ""), SYNC)
    assert client.kinds() == "1Z"
    assert client.kinds() == "TDCZ"
    messages = client.until(b"Z")
    assert [kind for kind, _ in messages] == [b"E", b"Z"]
    assert fields(messages[0][1])["C"] == "26000"


def test_12_a_failed_parse_registers_nothing(client):
    client.send(parse("gone", "selec"), SYNC, bind("", "gone"), SYNC)
    assert client.kinds() == "EZ"
    assert client.kinds() == "EZ"


def test_13_discard_all_spares_later_statements(client):
    client.send(parse("early", "select 1"), SYNC)
    assert client.kinds() == "1Z"
    client.send(query("deallocate all"), parse("late", "select 2"), SYNC, bind("", "late"), execute(""), SYNC, bind("", "early"), SYNC)
    assert client.kinds() == "CZ"
    assert client.kinds() == "1Z"
    assert client.kinds() == "2DCZ"
    assert client.kinds() == "EZ"


def test_14_describe_alone(client):
    client.send(parse("d", "select $1::int4, $2::text"), SYNC)
    assert client.kinds() == "1Z"
    client.send(describe(b"S", "d"), SYNC)
    parameters, rows, _ = client.until(b"Z")
    assert parameters == (b"t", struct.pack("!hII", 2, 23, 25))
    assert [column[1:] for column in wire.columns(rows[1])] == [(23, 4, -1, 0), (25, -1, -1, 0)]
    client.send(bind("p", "d", b"1", b"x", results=[1, 0]), describe(b"P", "p"), SYNC)
    assert [column[4] for column in wire.columns(client.until(b"Z")[1][1])] == [1, 0]


def test_15_row_limits(client):
    client.send(parse("", "select generate_series(1, 5)"), bind("p", ""), execute("p", 2), execute("p", 2), execute("p", 2), execute("p", 2), SYNC)
    assert client.kinds() == "12DDsDDsDCCZ"


def test_15_sql_cursors(client):
    client.send(query("begin; declare c cursor for select generate_series(1, 4)"), query("fetch 2 from c"), query("move 1 from c"))
    assert client.kinds() == "CCZ"
    assert client.kinds() == "TDDCZ"
    assert client.kinds() == "CZ"
    client.send(execute("c", 1), SYNC, query("rollback"))
    assert client.kinds() == "DsZ"
    assert client.kinds() == "CZ"


def test_16_a_changed_result_type_is_an_error_and_no_more(client, server):
    server.sql("drop table if exists changing; create table changing (a int); insert into changing values (1); grant all on changing to trusty")
    client.send(parse("c", "select * from changing"), bind("", "c"), execute(""), SYNC)
    assert client.kinds() == "12DCZ"
    server.sql("alter table changing add b int")
    client.send(bind("", "c"), execute(""), SYNC)
    assert "E" in client.kinds()
    client.send(parse("c2", "select * from changing"), bind("", "c2"), execute(""), SYNC)
    assert client.kinds() == "12DCZ"


def test_close_answers_for_names_that_do_not_exist(client):
    client.send(close(b"S", "never"), close(b"P", "never"), SYNC)
    assert client.kinds() == "33Z"


# COPY


def test_17_sync_during_copy_is_ignored(client):
    client.send(query("create temp table t (a int)"))
    client.kinds()
    client.send(parse("", "copy t from stdin"), bind("", ""), execute(""), SYNC)
    assert client.kinds(b"G") == "12G"
    client.send(message(b"d", b"1\n"), FLUSH, SYNC, COPY_DONE, SYNC)
    assert client.kinds() == "CZ"
    client.send(query("select count(*) from t"))
    assert values(client.until(b"Z")[1][1]) == [b"1"]


def test_17_after_a_copy_error_the_session_goes_on(client):
    client.send(query("create temp table t (a int)"))
    client.kinds()
    client.send(query("copy t from stdin"), message(b"d", b"1\n"), message(b"d", b"x\n"), message(b"d", b"3\n"), COPY_DONE, query("select 1"))
    assert client.kinds() == "GEZ"
    assert client.kinds() == "TDCZ"


def test_copy_both_ways(client):
    client.send(query("create temp table t (a int, b text)"))
    client.kinds()
    data = b"".join(b"%d\tvalue %d\n" % (n, n) for n in range(20_000))
    client.send(query("copy t from stdin"), *(message(b"d", data[at : at + 8191]) for at in range(0, len(data), 8191)), COPY_DONE)
    assert client.kinds() == "GCZ"
    client.send(query("copy t to stdout"))
    assert b"".join(body for kind, body in client.until(b"Z") if kind == b"d") == data


# Cancel, close, load


def test_19_cancel_uses_the_real_key(proxy, client):
    client.send(query("select 1"))
    client.kinds()
    client.send(query("select pg_sleep(30)"))
    time.sleep(0.5)
    with raw(proxy) as canceller:
        canceller.send(struct.pack("!ii", 16, 80877102) + client.key)
        assert canceller.ends()
    messages = client.until(b"Z")
    assert fields(messages[-2][1])["C"] == "57014"
    # It has hit that query and none after it.
    client.send(query("select pg_sleep(0.2)"))
    assert client.kinds() == "TDCZ"


def test_19_cancel_with_a_wrong_key_does_nothing(proxy, client):
    with raw(proxy) as canceller:
        canceller.send(struct.pack("!ii", 16, 80877102) + client.key[:4] + b"\0\0\0\1")
        assert canceller.ends()
    client.send(query("select 1"))
    assert client.kinds() == "TDCZ"


def test_20_a_fatal_error_reaches_the_client(client, server):
    client.send(query("select pg_backend_pid()"))
    pid = values(client.until(b"Z")[1][1])[0].decode()
    server.sql(f"select pg_terminate_backend({pid})")
    kind, body = client.receive()
    assert (kind, fields(body)["C"]) == (b"E", "57P01")
    assert client.ends()


def backends(server):
    return int(server.sql("select count(*) from pg_stat_activity where usename = 'trusty'"))


def eventually(condition, seconds=5):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_20_terminate_and_vanishing_end_the_backend(proxy, server):
    eventually(lambda: backends(server) == 0)
    polite, rude = wire.Client(proxy.port), wire.Client(proxy.port)
    assert backends(server) == 2
    polite.send(message(b"X"))
    rude.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    rude.socket.close()
    eventually(lambda: backends(server) == 0)
    assert polite.ends()


def test_20_half_close_still_gets_the_answer(proxy):
    with wire.Client(proxy.port) as client:
        client.send(query("select pg_sleep(0.3), 42"))
        client.socket.shutdown(socket.SHUT_WR)
        assert client.kinds().startswith("TDCZ")
        assert client.ends()


def test_20_sigterm_drains(server):
    running = wire.Proxy(binaries(), server.port, "drain=5")
    idle, busy = wire.Client(running.port), wire.Client(running.port)
    busy.send(query("select pg_sleep(1)"))
    time.sleep(0.2)
    running.process.send_signal(signal.SIGTERM)
    assert fields(idle.until(b"E")[-1][1])["C"] == "57P01"
    assert idle.ends()
    assert busy.kinds() == "TDCZ"
    assert fields(busy.until(b"E")[-1][1])["C"] == "57P01"
    assert running.process.wait(8) == 0


def test_20_the_drain_has_a_deadline(server):
    running = wire.Proxy(binaries(), server.port, "drain=1")
    with wire.Client(running.port) as busy:
        busy.send(query("select pg_sleep(60)"))
        time.sleep(0.2)
        began = time.monotonic()
        running.process.send_signal(signal.SIGTERM)
        assert fields(busy.until(b"E")[-1][1])["C"] == "57P01"
        assert running.process.wait(8) == 0
        assert 0.8 < time.monotonic() - began < 6


def test_21_a_slow_reader_stops_the_server(proxy):
    with wire.Client(proxy.port) as client:
        before = proxy.memory()
        client.send(query("select repeat('x', 1000000) from generate_series(1, 150)"))
        time.sleep(1.5)
        assert proxy.memory() - before < 40_000  # of 150 MB
        assert client.kinds().count("D") == 150


def test_21_pipelining_without_reading_neither_deadlocks_nor_grows(proxy):
    with wire.Client(proxy.port) as client:
        client.send(parse("s", "select repeat('x', 100000)"), SYNC)
        client.kinds()
        before = proxy.memory()
        batches = 1_000
        stop = threading.Event()

        def send():
            for _ in range(batches):
                if stop.is_set():
                    return
                client.send(bind("", "s"), execute(""), SYNC)

        client.socket.settimeout(60)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            sender = pool.submit(send)
            time.sleep(1)
            grown = proxy.memory() - before
            received = 0
            try:
                for _ in range(batches):
                    assert client.kinds() == "2DCZ"
                    received += 1
            finally:
                stop.set()
            sender.result(10)
        assert received == batches
        assert grown < 40_000


def test_22_large_messages_stream(proxy):
    with wire.Client(proxy.port) as client:
        client.socket.settimeout(60)
        value = b"x" * 100_000_000
        before = proxy.memory()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            sending = pool.submit(client.send, parse("", "select length($1)", 25), bind("", "", value), execute(""), SYNC)
            sending.result(60)
        messages = client.until(b"Z")
        assert values(next(body for kind, body in messages if kind == b"D")) == [b"100000000"]
        assert proxy.memory() - before < 60_000


def test_22_nothing_is_buffered_before_authentication(proxy):
    with raw(proxy) as client:
        client.send(wire.startup(user="salty", database="postgres"))
        client.receive()
        client.send(b"p" + struct.pack("!i", 0x3FFFFFFF))
        kind, body = client.receive()
        assert (kind, fields(body)["C"]) == (b"E", "08P01")


def test_24_function_calls_large_objects_notifications(client):
    client.send(query("select 'lo_creat'::regproc::oid"))
    oid = int(values(client.until(b"Z")[1][1])[0])
    client.send(message(b"F", struct.pack("!Ihhhii", oid, 1, 1, 1, 4, 0x60000) + struct.pack("!h", 1)))
    assert client.kinds() == "VZ"
    client.send(query("listen ch"), query("notify ch, 'hello'"))
    assert client.kinds() == "CZ"
    assert "A" in client.kinds()


def test_25_settings_from_the_server_reach_the_client(client):
    client.send(query("begin; set local datestyle to german"), query("rollback"))
    assert "S" in client.kinds()
    assert "S" in client.kinds()


def test_a_full_proxy_says_so(server):
    with wire.proxy(binaries(), server.port, "limit=1") as running:
        time.sleep(0.3)  # the harness's own probe is gone
        with wire.Client(running.port), wire.Client(running.port, connect=False) as other:
            other.send(wire.startup(user="trusty", database="postgres"))
            kind, body = other.receive()
            assert (kind, fields(body)["C"]) == (b"E", "53300")


def test_a_client_that_never_authenticates_is_ended(server):
    with wire.proxy(binaries(), server.port, "timeout=1") as running, wire.Client(running.port, connect=False) as silent:
        kind, body = silent.receive()
        assert (kind, fields(body)["C"]) == (b"E", "57014")
        assert silent.ends()


def test_an_unreachable_server_is_told():
    with wire.proxy(binaries(), 1) as running, wire.Client(running.port, connect=False) as client:
        client.send(wire.startup(user="trusty"))
        kind, body = client.receive()
        assert (kind, fields(body)["C"]) == (b"E", "08006")


def test_everything_works_byte_by_byte(client):
    for byte in parse("", "select $1::int + 1") + bind("", "", b"41") + describe(b"P", "") + execute("") + SYNC:
        client.socket.sendall(bytes([byte]))
    messages = client.until(b"Z")
    assert "".join(kind.decode() for kind, _ in messages) == "12TDCZ"
    assert values(messages[3][1]) == [b"42"]
