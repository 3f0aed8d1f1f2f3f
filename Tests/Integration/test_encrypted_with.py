"""Keys and marks by statements: ENCRYPTED WITH through one proxy, seen by another, and a server that tampers with what is recorded."""

import os
import signal
import subprocess
import time

import psycopg
import pytest

from cloister_testlib.tap import Tap
from conftest import binaries, free_port, running_stack

CONFIG = """
columns:
  public.configured:
    a: { type: varchar(5), encryption: randomized, key: file }
"""
KEY = "CREATE COLUMN ENCRYPTION KEY {} WITH VALUES (COLUMN_MASTER_KEY = dev, ALGORITHM = 'RSA_OAEP')"
SECRET = "Xanthippe-4711"
CLAUSE = "ENCRYPTED WITH (COLUMN_ENCRYPTION_KEY = {}, ENCRYPTION_TYPE = {}, ALGORITHM = 'AEAD_AES_256_CBC_HMAC_SHA_256')"


class Proxy:
    """A proxy of the stack's database besides its own, behind a relay that keeps what the server is sent."""

    def __init__(self, stack, name, change=lambda text: text):
        self.stack, self.name, self.port = stack, name, free_port()
        self.tap = Tap(stack.direct_port)
        text = (stack.dir / "cloister.yaml").read_text()
        text = text.replace(f"listen: 127.0.0.1:{stack.proxy_port}", f"listen: 127.0.0.1:{self.port}")
        text = text.replace(f"server: 127.0.0.1:{stack.direct_port}", f"server: 127.0.0.1:{self.tap.port}")
        self.config = stack.dir / f"{name}.yaml"
        self.config.write_text(change(text))
        self.log_file = stack.dir / f"{name}.log"
        self.process = None

    def start(self):
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen([binaries() / "cloister", "proxy", "--config", self.config], stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.client().close()
                return True
            except psycopg.OperationalError:
                time.sleep(0.1)
        return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)

    def client(self, **more):
        return self.stack._connect(self.port, self.stack.environment["PGUSER"], self.stack.environment["PGPASSWORD"], **more)

    @property
    def log(self):
        return self.log_file.read_text(errors="replace")


@pytest.fixture(scope="module")
def stack():
    with running_stack(CONFIG) as running:
        yield running


@pytest.fixture(scope="module")
def second(stack):
    proxy = Proxy(stack, "second")
    assert proxy.start(), proxy.log
    yield proxy
    proxy.stop()
    proxy.tap.close()


def eventually(check, seconds=15):
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "not within the time"
        time.sleep(0.1)


def state_of(error):
    return error.value.diag.sqlstate, error.value.diag.message_primary


def marks(stack, cloister):
    return cloister("columns", "list", "--config", stack.dir / "cloister.yaml").stdout


def test_the_file_is_signed_with_limits(stack, cloister):
    assert "public.configured.a  randomized varchar(5), key file  by configuration  without a column" in marks(stack, cloister)


def test_keys_and_tables_in_both_protocols(stack, second):
    with second.client() as client:
        assert client.execute(KEY.format("k1")).statusmessage == "CREATE COLUMN ENCRYPTION KEY"  # simple
        assert client.execute(KEY.format("k2"), prepare=True).statusmessage == "CREATE COLUMN ENCRYPTION KEY"  # extended
        second.tap.mark()
        client.execute(f"CREATE TABLE simple (id int PRIMARY KEY, name varchar(20) {CLAUSE.format('k1', 'Randomized')} NOT NULL,"
                       f" mail text {CLAUSE.format('k2', 'Deterministic')})")
        client.execute(f"CREATE TABLE extended (id int, born date {CLAUSE.format('k1', 'RANDOMIZED')})", prepare=True)
        client.execute(f"ALTER TABLE extended ADD COLUMN note text {CLAUSE.format('k2', 'RANDOMIZED')}")
        client.execute("INSERT INTO simple VALUES (1, %s, %s), (2, 'Ada', 'a@x')", [SECRET, SECRET + "@x"])
        client.execute(f"INSERT INTO extended VALUES (1, '1815-12-10', '{SECRET}')")
    sent = second.tap.sent()
    assert b"ENCRYPTED WITH" not in sent.upper() and SECRET.encode() not in sent and b"1815-12-10" not in sent
    with stack.superuser() as server:
        types = dict(server.execute("SELECT attname, format_type(atttypid, -1) FROM pg_attribute WHERE attrelid = 'simple'::regclass AND attnum > 1"
                                    " AND NOT attisdropped").fetchall())
        assert types == {"name": "enc_varchar", "mail": "det_text"}
    # The stack's own proxy has learnt it, and compares through the enclave.
    with stack.proxy() as client:
        assert client.execute("SELECT id FROM simple WHERE name > 'B' AND mail = %s", [SECRET + "@x"]).fetchall() == [(1,)]
        assert client.execute("SELECT note FROM extended WHERE born < '1900-01-01'").fetchall() == [(SECRET,)]
        with pytest.raises(psycopg.errors.StringDataRightTruncation):
            client.execute("INSERT INTO simple VALUES (3, 'longer than twenty characters')")


def test_a_transaction_that_rolls_back_leaves_a_mark(stack, cloister):
    with stack.proxy(autocommit=False) as client:
        client.execute(f"CREATE TABLE undone (a text {CLAUSE.format('k1', 'RANDOMIZED')})")
        client.execute("INSERT INTO undone VALUES ('x')")
        client.rollback()
    assert "public.undone.a  randomized text, key k1  by ddl  without a column" in marks(stack, cloister)
    with stack.proxy() as client:
        # The mark holds: another table of that name can't have the column otherwise.
        with pytest.raises(psycopg.Error) as error:
            client.execute(f"CREATE TABLE undone (a text {CLAUSE.format('k2', 'RANDOMIZED')})")
        assert state_of(error)[1] and error.value.diag.sqlstate == "42601"
        environment = {**os.environ, "PGUSER": stack.environment["CLOISTER_SUPERUSER"], "PGPASSWORD": stack.environment["CLOISTER_SUPERUSER_PASSWORD"]}
        config = stack.dir / "cloister.yaml"
        refused = cloister("columns", "forget", "public.simple.name", "--config", config, env=environment, check=False)
        assert refused.returncode == 1 and "CL1060" in refused.stderr
        cloister("columns", "forget", "public.undone.a", "--config", config, env=environment)
        assert "undone" not in marks(stack, cloister)
        eventually(lambda: client.execute("SELECT 1") and not _refused(client, "CREATE TABLE undone (a int)"))
        client.execute("DROP TABLE undone")


def _refused(client, statement):
    try:
        client.execute(statement)
        return False
    except psycopg.Error:
        return True


@pytest.mark.parametrize(
    "statement, sqlstate",
    [
        (KEY.format("k1"), "42710"),
        ("CREATE COLUMN MASTER KEY dev WITH (KEY_STORE_PROVIDER_NAME = 'file', KEY_PATH = 'dev')", "42710"),
        ("CREATE COLUMN MASTER KEY stranger", "42704"),
        ("CREATE COLUMN ENCRYPTION KEY k WITH VALUES (COLUMN_MASTER_KEY = stranger)", "42704"),
        ("CREATE COLUMN ENCRYPTION KEY k WITH VALUES (COLUMN_MASTER_KEY = dev, ENCRYPTED_VALUE = 0x01)", "42601"),
        ("DROP COLUMN ENCRYPTION KEY k1", "2BP01"), ("DROP COLUMN MASTER KEY dev", "2BP01"), ("DROP COLUMN ENCRYPTION KEY nosuch", "42704"),
        (f"CREATE TABLE other (a text {CLAUSE.format('nosuch', 'RANDOMIZED')})", "42704"),
        (f"CREATE TABLE IF NOT EXISTS simple (other text {CLAUSE.format('k1', 'RANDOMIZED')})", "42601"),
        ("CREATE TABLE other (a varchar(9) ENCRYPTED WITH (column_encryption_key = k1, collation = 'de'))", "42710"),
    ],
)
def test_refusals(stack, statement, sqlstate):
    with stack.proxy() as client:
        for prepare in (False, True):
            with pytest.raises(psycopg.Error) as error:
                client.execute(statement, prepare=prepare)
            assert error.value.diag.sqlstate == sqlstate, error.value
        assert client.execute("SELECT 1").fetchall() == [(1,)]


def test_keys_that_nothing_uses_are_dropped(stack):
    with stack.proxy() as client:
        client.execute(KEY.format("idle"))
        assert client.execute("DROP COLUMN ENCRYPTION KEY idle").statusmessage == "DROP COLUMN ENCRYPTION KEY"
        client.execute("DROP CLIENT ENCRYPTION KEY IF EXISTS idle")


def test_a_new_master_key(stack):
    """Made in the vault because the configuration trusts its name."""
    proxy = Proxy(stack, "third", lambda text: text.replace("trusted_master_keys: [dev]", "trusted_master_keys: [dev, cmk]"))
    assert proxy.start(), proxy.log
    try:
        with proxy.client() as client:
            client.execute("CREATE CLIENT MASTER KEY cmk WITH (KEY_STORE = localkms, KEY_PATH = \"cmk\", ALGORITHM = RSA_2048)")
            client.execute("CREATE CLIENT ENCRYPTION KEY k3 WITH VALUES (CLIENT_MASTER_KEY = cmk, ALGORITHM = AEAD_AES_256_CBC_HMAC_SHA256)")
            client.execute("DROP COLUMN ENCRYPTION KEY k3")
            client.execute("DROP COLUMN MASTER KEY cmk")
    finally:
        proxy.stop()


def test_it_must_be_allowed(stack):
    proxy = Proxy(stack, "fourth", lambda text: text.replace(", ddl: true", ""))
    assert proxy.start(), proxy.log
    try:
        with proxy.client() as client:
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="statements about keys"):
                client.execute(KEY.format("k9"))
            # What others marked is known here too.
            assert client.execute("SELECT name FROM simple WHERE id = 1").fetchall() == [(SECRET,)]
    finally:
        proxy.stop()


def tamperings(server):
    """What an administrator of the server could do to the recorded marks: name, change, what undoes it."""
    server.execute("DROP TABLE IF EXISTS kept, kept_manifests")
    server.execute("CREATE TABLE kept AS SELECT * FROM cloister.columns")
    server.execute("CREATE TABLE kept_manifests AS SELECT * FROM cloister.column_manifests")
    yield "CL3027", "DELETE FROM cloister.columns WHERE path = 'public.simple.name'"
    yield "CL3027", "DELETE FROM cloister.column_manifests"
    yield "CL3026", "UPDATE cloister.columns SET metadata = convert_to(replace(convert_from(metadata, 'UTF8'), 'randomized', 'deterministic'), 'UTF8')"
    yield "CL3026", ("INSERT INTO cloister.columns SELECT 'public.simple.id', convert_to(replace(convert_from(metadata, 'UTF8'), '\"name\"', '\"id\"'), 'UTF8'),"
                     " master_key, signature FROM cloister.columns WHERE path = 'public.simple.name'")


def restore(server):
    server.execute("DELETE FROM cloister.columns; DELETE FROM cloister.column_manifests;"
                   " INSERT INTO cloister.columns SELECT * FROM kept; INSERT INTO cloister.column_manifests SELECT * FROM kept_manifests;"
                   " NOTIFY cloister_marks")


def test_tampering_is_noticed_and_survived(stack, second):
    with stack.superuser() as server:
        for number, (code, change) in enumerate(list(tamperings(server))):
            before = second.log.count("are refused")
            server.execute(change + "; NOTIFY cloister_marks")
            eventually(lambda: second.log.count("are refused") > before)
            assert code in second.log.splitlines()[-1]
            # What is known stays marked, whatever the server says now.
            with second.client() as client:
                second.tap.mark()
                client.execute("INSERT INTO simple (id, name) VALUES (7, %s)", [SECRET])
                assert client.execute("DELETE FROM simple WHERE id = 7 RETURNING name").fetchall() == [(SECRET,)]
                assert SECRET.encode() not in second.tap.sent()
                # What is not known can't be judged.
                with stack.direct() as plain:
                    plain.execute(f"CREATE TABLE fresh{number} (name text)")
                with pytest.raises(psycopg.Error, match="mark|manifest"):
                    client.execute(f"INSERT INTO fresh{number} VALUES ('x')")
                # A proxy that starts now refuses to.
                other = Proxy(stack, "refusing")
                assert not other.start() and code in other.log
                other.stop()
                other.log_file.unlink()
                restore(server)
                eventually(lambda: not _refused(client, f"SELECT FROM fresh{number}"))


def test_an_older_manifest_is_noticed(stack, second):
    with stack.superuser() as server:
        list(tamperings(server))  # keeps the present state
        with stack.proxy() as client:
            client.execute(f"CREATE TABLE newest (a text {CLAUSE.format('k1', 'RANDOMIZED')})")
        with second.client() as client:
            eventually(lambda: not _refused(client, "INSERT INTO newest VALUES ('first')"))
            before = second.log.count("CL3028")
            restore(server)
            eventually(lambda: second.log.count("CL3028") > before)
            # The server forgets the mark and calls the column text.
            server.execute("ALTER TABLE newest RENAME TO hidden")
            with stack.direct() as plain:
                plain.execute("CREATE TABLE newest (a text)")
            second.tap.mark()
            client.execute(f"INSERT INTO newest VALUES ('{SECRET}')")  # a cell, which PostgreSQL makes text of
            assert SECRET.encode() not in second.tap.sent()
            assert server.execute("SELECT left(a, 4) FROM newest").fetchall() == [("\\x01",)]
