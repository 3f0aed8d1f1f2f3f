"""Real drivers through the proxy alone: authentication methods, psycopg in both formats, pipelines, pgbench in three
protocols; and marked columns as far as they need no enclave (deterministic equality, storing, showing)."""

import datetime
import decimal
import pathlib
import signal
import subprocess
import uuid

import psycopg
import pytest
from cloister_testlib import wire
from conftest import binaries

MARKS = [
    f"public.people.{column}:{kind}:{scheme}:{key}"
    for column, kind, scheme, key in [
        ("id", "text", "deterministic", 7), ("age", "int4", "randomized", 8), ("name", "text", "randomized", 8),
        ("born", "date", "randomized", 8), ("weight", "numeric", "randomized", 8), ("score", "float8", "randomized", 8),
        ("seen", "timestamptz", "randomized", 8), ("tag", "uuid", "deterministic", 7), ("photo", "bytea", "randomized", 8),
        ("alive", "boolean", "randomized", 8), ("number", "int8", "deterministic", 7),
    ]
]
ROWS = [
    ("p1", 42, "Ada 'L'\\", datetime.date(1815, 12, 10), decimal.Decimal("1.50"), 0.1, datetime.datetime(2024, 2, 29, 12, 0, tzinfo=datetime.timezone.utc),
     uuid.UUID(int=1), b"\x00\xff\\", True, 1 << 40, "London"),
    ("p2", None, None, None, None, None, None, None, None, None, None, None),
    ("p3", -7, "é\t\n", datetime.date(1, 1, 1), decimal.Decimal("NaN"), float("inf"), datetime.datetime(1999, 1, 1, tzinfo=datetime.timezone.utc),
     uuid.UUID(int=2), b"", False, -1, "Rome"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def patience():
    """A test that hangs fails."""

    def give_up(*_):
        raise TimeoutError("the test hangs")

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(90)
    yield
    signal.alarm(0)


@pytest.fixture(scope="module")
def server():
    with wire.cluster() as running:
        running.sql("grant create on schema public to public")
        yield running


@pytest.fixture(scope="module")
def proxy(server):
    with wire.proxy(binaries(), server.port, *MARKS) as running:
        yield running


def connect(proxy, user="trusty", **more):
    return psycopg.connect(host="127.0.0.1", port=proxy.port, user=user, dbname="postgres", autocommit=True, **more)


@pytest.mark.parametrize("user", ["trusty", "hashed", "salty", "plain"])
def test_authentication_passes_through(proxy, user):
    password = {} if user == "trusty" else {"password": "secret"}
    with connect(proxy, user, **password) as connection:
        assert connection.execute("select current_user").fetchone() == (user,)
    if password:
        with pytest.raises(psycopg.OperationalError, match="authentication failed"):
            connect(proxy, user, password="wrong")


def test_06_channel_binding_required_is_a_clear_error(proxy):
    with pytest.raises(psycopg.OperationalError, match="channel binding"):
        connect(proxy, "salty", password="secret", channel_binding="require")


def test_ssl_required_is_a_clear_error(proxy):
    with pytest.raises(psycopg.OperationalError, match="SSL"):
        connect(proxy, sslmode="require")


@pytest.mark.parametrize("binary", [False, True])
def test_types_and_pipelines(proxy, binary):
    with connect(proxy) as connection:
        cursor = connection.cursor(binary=binary)
        row = (1, 2**40, "x", b"\0", 0.5, datetime.date(2024, 2, 29), decimal.Decimal("1.25"), None)
        placeholders = "%s, %s, %s, %s, %s, %s, %s, %s::text"
        assert cursor.execute(f"select {placeholders}", row).fetchone() == row
        with connection.pipeline() as pipeline:
            cursors = [connection.execute("select %s::int", (n,)) for n in range(50)]
            pipeline.sync()
            assert [c.fetchone()[0] for c in cursors] == list(range(50))
            failing = connection.execute("select 1/%s", (0,))
            with pytest.raises(psycopg.errors.DivisionByZero):
                pipeline.sync()
                failing.fetchone()
        assert connection.execute("select 1").fetchone() == (1,)


def test_server_side_cursors_and_copy(proxy):
    with connect(proxy) as connection, connection.transaction():
        with connection.cursor("c") as cursor:
            cursor.itersize = 7
            assert [n for n, in cursor.execute("select generate_series(1, 100)")] == list(range(1, 101))
        connection.execute("create temp table t (a int, b text)")
        with connection.cursor().copy("copy t from stdin (format binary)") as copy:
            copy.set_types(["int4", "text"])
            for n in range(1000):
                copy.write_row((n, str(n)))
        assert connection.execute("select count(*), max(a) from t").fetchone() == (1000, 999)


def test_notifications(proxy):
    with connect(proxy) as listener, connect(proxy) as speaker:
        listener.execute("listen ch")
        speaker.execute("notify ch, 'x'")
        assert next(listener.notifies(timeout=5)).payload == "x"


@pytest.mark.parametrize("mode", ["simple", "extended", "prepared"])
def test_pgbench(proxy, server, mode):
    direct = ["-h", "127.0.0.1", "-U", "postgres", "postgres"]
    if server.sql("select to_regclass('pgbench_accounts') is null") == "t":
        subprocess.run(["pgbench", "-p", str(server.port), "-i", "-q", *direct], check=True, capture_output=True, timeout=60)
    ran = subprocess.run(
        ["pgbench", "-p", str(proxy.port), "-M", mode, "-c", "4", "-t", "100", "-n", *direct], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "number of transactions actually processed: 400/400" in ran.stdout


# Marked columns


@pytest.fixture(scope="module")
def people(server, proxy):
    """The table with three rows, created and filled through the proxy."""
    if not pathlib.Path("/usr/share/postgresql/15/extension/cloister.control").exists():
        pytest.skip("the extension is not installed")
    server.sql("create extension cloister")
    with connect(proxy) as connection:
        connection.execute(
            "create table people (id text primary key, age int, name text, born date, weight numeric, score float8,"
            "seen timestamptz, tag uuid, photo bytea, alive boolean, number int8, city text)"
        )
        # In one transaction with the pipeline: the catalog is refreshed in between.
        with connection.pipeline():
            for row in ROWS:
                connection.execute("insert into people values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)", row)
    return proxy


def same(read, written):
    return repr(read) == repr(written)  # NaN


def test_the_server_holds_cells_only(people, server):
    types = server.sql("select string_agg(format_type(atttypid, atttypmod), ',' order by attnum) from pg_attribute where attrelid = 'people'::regclass and attnum > 0")
    assert types == (
        "det_text(7),enc_int4(8),enc_text(8),enc_date(8),enc_numeric(8),enc_float8(8),enc_timestamptz(8),det_uuid(7),"
        "enc_bytea(8),enc_boolean(8),det_int8(7),text"
    )
    dump = server.sql("select * from people")
    assert "p1" not in dump and "Ada" not in dump and "London" in dump


@pytest.mark.parametrize("binary", [False, True])
def test_rows_come_back_as_written(people, binary):
    with connect(people, options="-c timezone=UTC") as connection:
        cursor = connection.cursor(binary=binary).execute("select * from people order by city")
        assert [column.type_code for column in cursor.description] == [25, 23, 25, 1082, 1700, 701, 1184, 2950, 17, 16, 20, 25]
        rows = {row[0]: row for row in cursor.fetchall()}
        assert all(same(rows[row[0]], row) for row in ROWS)


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("prepare", [False, True])
def test_deterministic_columns_are_found_by_equality(people, binary, prepare):
    with connect(people) as connection:
        cursor = connection.cursor(binary=binary)
        for _ in range(3):
            assert cursor.execute("select age from people where id = %s", ("p1",), prepare=prepare).fetchall() == [(42,)]
            assert cursor.execute("select id from people where number = %s", (-1,), prepare=prepare).fetchall() == [("p3",)]
            assert cursor.execute("select id from people where tag = %s", (uuid.UUID(int=1),), prepare=prepare).fetchall() == [("p1",)]
        assert cursor.execute("select id from people where id in ('p1', 'p3') order by city").fetchall() == [("p1",), ("p3",)]


def test_bad_values_are_refused_in_order_and_never_sent(people, server):
    with connect(people) as connection:
        for statement, parameters, error in [
            ("insert into people (id, age) values ('x', 'secretnumber')", None, psycopg.errors.InvalidTextRepresentation),
            ("insert into people (id, age) values (%s, %s)", ("x", "secretnumber"), psycopg.errors.InvalidTextRepresentation),
            ("insert into people (id, age) values (%s, %s)", ("x", 1 << 40), psycopg.errors.NumericValueOutOfRange),
            ("insert into people (id, born) values ('x', 'secretnumber')", None, psycopg.errors.InvalidDatetimeFormat),
            ("select age + 987654 from people", None, psycopg.errors.FeatureNotSupported),
        ]:
            with pytest.raises(error):
                connection.execute(statement, parameters)
            assert connection.execute("select 1").fetchone() == (1,)
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("insert into people (id) values ('p1')")
    log = pathlib.Path(server.folder / "log").read_text(encoding="utf8")
    assert "secretnumber" not in log and "987654" not in log


@pytest.mark.parametrize(("options", "lines"), [
    ("", "c1\t5\tB\\tx\nc2\t\\N\t\\N\n"),
    ("(format csv, header, null 'none')", 'id,age,name\nc1,5,"B\tx"\nc2,none,none\n'),
    ("(format csv, delimiter ';', quote '''', escape '\\')", "c1;5;'B\tx'\nc2;;\n"),
])  # fmt: skip
def test_18_copy_in_encrypts(people, options, lines):
    with connect(people) as connection:
        with connection.cursor().copy(f"copy people (id, age, name) from stdin {options}") as copy:
            for at in range(0, len(lines), 5):
                copy.write(lines[at : at + 5])
        assert connection.execute("select id, age, name from people where id = 'c1'").fetchall() == [("c1", 5, "B\tx")]
        assert connection.execute("select id, age, name from people where id = 'c2'").fetchall() == [("c2", None, None)]
        assert connection.execute("delete from people where id in ('c1', 'c2')").rowcount == 2


def test_18_bad_copy_rows_are_named(people):
    with connect(people) as connection:
        with pytest.raises(psycopg.errors.InvalidTextRepresentation, match="row 2"):
            with connection.cursor().copy("copy people (id, age) from stdin") as copy:
                copy.write("c1\t5\nc2\tfive\n")
        assert connection.execute("select count(*) from people where id = 'c1'").fetchone() == (0,)
        with pytest.raises(psycopg.errors.BadCopyFileFormat):
            with connection.cursor().copy("copy people (id, age) from stdin (format binary)") as copy:
                copy.write(b"")


def test_18_copies_in_every_direction_and_format(people):
    with connect(people) as connection, connection.transaction(force_rollback=True):
        for form in ("text", "csv", "binary"):
            connection.execute("delete from people where id in ('copied 1', 'copied 2')")
            with connection.cursor().copy(f"copy people (id, age) from stdin (format {form})") as copy:
                if form == "binary":
                    copy.set_types(["text", "int4"])
                    copy.write_row(("copied 1", 41))
                    copy.write_row(("copied 2", None))
                else:
                    copy.write("copied 1\t41\ncopied 2\t\\N\n" if form == "text" else 'copied 1,41\n"copied 2",\n')
            wanted = "copy (select id, age from people where id in ('copied 1', 'copied 2') order by age) to stdout"
            with connection.cursor().copy(f"{wanted} (format {form})") as copy:
                if form == "binary":
                    copy.set_types(["text", "int4"])
                    assert list(copy.rows()) == [("copied 1", 41), ("copied 2", None)]
                else:
                    assert b"".join(copy) == (b"copied 1\t41\ncopied 2\t\\N\n" if form == "text" else b"copied 1,41\ncopied 2,\n")


def test_23_positions_point_into_the_clients_text(people):
    with connect(people) as connection:
        text = "insert into people (id, age, city) values ('é1', 5, 'x' + 1 || nonsense)"
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(text)
        position = int(caught.value.diag.statement_position)
        assert text[position - 1 :].startswith(("+", "nonsense", "'x'"))


def test_25_text_values_follow_the_settings(people):
    with connect(people) as connection:
        connection.execute("set datestyle = 'German'; set extra_float_digits = 0")
        cursor = connection.execute("select born, score from people where id = 'p1'")
        assert cursor.pgresult.get_value(0, 0) == b"10.12.1815"
        with wire.Client(people.port, options="-c datestyle=German -c timezone=Asia/Tokyo -c bytea_output=escape") as raw:
            raw.send(wire.query("select born, seen, photo from people where id = 'p1'"))
            row = wire.values(next(body for kind, body in raw.until(b"Z") if kind == b"D"))
            assert row == [b"10.12.1815", b"29.02.2024 21:00:00 JST", b"\\000\\377\\\\"]
            raw.send(wire.query("begin; set local bytea_output = 'hex'"), wire.query("select photo from people where id = 'p1'"), wire.query("rollback"),
                     wire.query("select photo from people where id = 'p1'"))  # fmt: skip
            rows = [wire.values(body) for _ in range(4) for kind, body in raw.until(b"Z") if kind == b"D"]
            assert rows == [[b"\\x00ff5c"], [b"\\000\\377\\\\"]]


def test_own_ddl_is_seen_at_once(people):
    with connect(people) as connection, connection.transaction(force_rollback=True):
        connection.execute("create table other (a int)")
        connection.execute("insert into other values (%s)", (1,))
        assert connection.execute("select o.a, p.age from other o, people p where p.id = 'p1'").fetchall() == [(1, 42)]


def test_row_limits_and_cursors_decrypt(people):
    with wire.Client(people.port) as client:
        client.send(wire.parse("", "select id from people order by city"), wire.bind("p", ""), wire.execute("p", 1), wire.execute("p", 1), wire.SYNC)
        rows = [wire.values(body) for kind, body in client.until(b"Z") if kind == b"D"]
        assert rows == [[b"p1"], [b"p3"]]
        client.send(wire.query("begin; declare c cursor for select id from people order by city; fetch 2 from c; commit"))
        assert [wire.values(body) for kind, body in client.until(b"Z") if kind == b"D"] == [[b"p1"], [b"p3"]]


def test_jdbc_style_execute_without_describe(people):
    with wire.Client(people.port) as client:
        client.send(wire.parse("s", "select id, age from people where id = $1"), wire.SYNC)
        client.kinds()
        for _ in range(3):
            client.send(wire.bind("", "s", b"p1", results=[1]), wire.execute(""), wire.SYNC)
            messages = client.until(b"Z")
            assert "".join(kind.decode() for kind, _ in messages) == "2DCZ"
            assert wire.values(messages[1][1]) == [b"p1", b"\0\0\0\x2a"]


def test_a_tampered_cell_is_an_error(people, server):
    with connect(people) as connection:
        connection.execute("insert into people (id, city) values ('victim', 'tampered')")
        cell = server.sql("select id from people where city = 'tampered'")
        flipped = cell[:-1] + ("0" if cell[-1] != "0" else "1")
        server.sql(f"update people set id = '{flipped}' where city = 'tampered'")
        with pytest.raises(psycopg.errors.DataCorrupted, match='"id"'):
            connection.execute("select id from people where city = 'tampered'")
        assert connection.execute("delete from people where city = 'tampered'").rowcount == 1
