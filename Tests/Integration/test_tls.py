"""TLS on both sides of the proxy: real handshakes of psql, psycopg and Python's ssl, before a PostgreSQL that has its own certificate.

The proxy runs without configuration (proxy-harness) for what each mode does; test_tls_files.py has the configured one."""

import contextlib
import pathlib
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time

import psycopg
import pytest
from cloister_testlib import wire
from cloister_testlib.certificates import Authority, give_to_postgres
from cloister_testlib.wire import fields, query, values
from conftest import binaries

SSLMODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]


class Files:
    """Every certificate of this file's tests."""

    def __init__(self, folder):
        self.folder = folder
        self.ca = Authority(folder, "ca")
        self.other = Authority(folder, "other")
        self.clients = Authority(folder, "clients")
        self.server = self.ca.issue("server", "db", "localhost", "127.0.0.1")
        self.elsewhere = self.ca.issue("elsewhere", "db", "db.example.org")
        self.stranger = self.other.issue("stranger", "db", "localhost", "127.0.0.1")
        self.proxy = self.ca.issue("proxy", "proxy", "localhost", "127.0.0.1")
        self.trusty = self.clients.issue("trusty", "trusty")
        self.forged = self.other.issue("forged", "trusty")


@pytest.fixture(scope="module")
def files():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cloister-tls-", dir="/tmp"))
    folder.chmod(0o755)
    yield Files(folder)
    shutil.rmtree(folder, ignore_errors=True)


class Server:
    """A cluster with ssl=on; `show` changes its certificate, `demand` its pg_hba.conf."""

    def __init__(self, running, files):
        self.running = running
        self.port = running.port
        self.hba = running.folder / "data/pg_hba.conf"
        self.plain_hba = self.hba.read_text()
        give_to_postgres(*files.server, *files.elsewhere, *files.stranger)
        with open(running.folder / "data/postgresql.conf", "a", encoding="utf8") as conf:
            conf.write(f"ssl=on\nssl_ca_file='{files.clients.file}'\ninclude_if_exists 'identity.conf'\n")
        self.show(files.server)

    def show(self, identity):
        conf = self.running.folder / "data/identity.conf"
        conf.write_text(f"ssl_cert_file='{identity[0]}'\nssl_key_file='{identity[1]}'\n")
        give_to_postgres(conf)
        self.reload()

    def demand(self, kind="host", more=""):
        self.hba.write_text(self.plain_hba.replace("host all all 127.0.0.1/32 trust", f"{kind} all all 127.0.0.1/32 trust {more}"))
        self.reload()

    def reload(self):
        wire.as_postgres(wire.POSTGRES / "pg_ctl", "-D", self.running.folder / "data", "reload")
        time.sleep(0.15)


@pytest.fixture(scope="module")
def server(files):
    with wire.cluster() as running:
        yield Server(running, files)


@pytest.fixture(autouse=True)
def plain(request):
    """Every test finds the server with its own certificate and open to all."""
    yield
    if "server" in request.fixturenames:
        server, files = request.getfixturevalue("server"), request.getfixturevalue("files")
        server.demand()
        server.show(files.server)


@pytest.fixture(scope="module")
def secured(files, server):
    """Clients may use TLS, the server must."""
    arguments = ["tls=allow", f"cert={files.proxy[0]}", f"key={files.proxy[1]}"]
    with wire.proxy(binaries(), server.port, *arguments, "server_tls=verify-full", f"root={files.ca.file}") as running:
        yield running


@contextlib.contextmanager
def proxy_with(files, server, *more, tls="require"):
    arguments = [f"tls={tls}", f"cert={files.proxy[0]}", f"key={files.proxy[1]}"]
    with wire.proxy(binaries(), server.port, *arguments, *more) as running:
        yield running


def connect(port, **more):
    return psycopg.connect(
        **{"host": "127.0.0.1", "port": port, "user": "trusty", "dbname": "postgres", "connect_timeout": 10, "autocommit": True, **more}
    )


def server_sees_tls(connection):
    return connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()[0]


def trusting(files):
    """What a client of the proxy knows, for Python's ssl."""
    context = ssl.create_default_context(cafile=files.ca.file)
    context.check_hostname = True
    return context


class TLSClient(wire.Client):
    """A bare client inside TLS: after SSLRequest, or directly."""

    def __init__(self, port, context, direct=False):
        super().__init__(port, connect=False)
        if not direct:
            self.send(wire.SSL_REQUEST)
            assert self.socket.recv(1) == b"S"
        self.socket = context.wrap_socket(self.socket, server_hostname="localhost")


# Towards clients


@pytest.mark.parametrize("mode", SSLMODES)
def test_each_sslmode_of_libpq(files, secured, mode):
    with connect(secured.port, sslmode=mode, sslrootcert=str(files.ca.file)) as connection:
        assert connection.pgconn.ssl_in_use == (mode in SSLMODES[2:])
        assert connection.execute("SELECT 40 + 2").fetchone() == (42,)
        assert server_sees_tls(connection)


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_a_client_refuses_a_proxy_of_another_ca(files, secured, mode):
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        connect(secured.port, sslmode=mode, sslrootcert=str(files.other.file))


def test_psql_verify_full(files, secured):
    url = f"host=localhost port={secured.port} user=trusty dbname=postgres sslmode=verify-full sslrootcert={files.ca.file}"
    ran = subprocess.run(["psql", "-XAt", url, "-c", r"\conninfo", "-c", "SELECT 1"], capture_output=True, text=True, timeout=20, check=True)
    assert "SSL connection (protocol: TLSv1.3" in ran.stdout


def test_plaintext_is_told_what_is_missing(files, server):
    with proxy_with(files, server) as proxy:
        with wire.Client(proxy.port, connect=False) as client:
            client.send(wire.startup(user="trusty", database="postgres"))
            kind, body = client.receive()
            assert (kind, fields(body)["S"], fields(body)["C"]) == (b"E", "FATAL", "28000")
            assert client.ends()
        with pytest.raises(psycopg.OperationalError, match="encrypted connections only"):
            connect(proxy.port, sslmode="disable")
        with connect(proxy.port, sslmode="require") as connection:
            assert not server_sees_tls(connection)  # server_tls is off here


def test_channel_binding_is_refused_by_the_client(files, server):
    """libpq itself says so: the offer has no mechanism with channel binding."""
    with proxy_with(files, server) as proxy:
        with pytest.raises(psycopg.OperationalError, match="channel binding is required"):
            connect(proxy.port, user="salty", password="secret", sslmode="require", channel_binding="require")
        with connect(proxy.port, user="salty", password="secret", sslmode="require", channel_binding="prefer") as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("salty",)


def test_old_versions_are_not_spoken(files, secured):
    context = trusting(files)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    with TLSClient(secured.port, context) as client:
        assert client.socket.version() == "TLSv1.2"
    with pytest.warns(DeprecationWarning):
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        TLSClient(secured.port, context)


def test_02_injected_bytes_never_reach_the_server(files, secured):
    """CVE-2021-23214: with the request, and just after it in a packet of its own."""
    with wire.Client(secured.port, connect=False) as client:
        client.send(wire.SSL_REQUEST + wire.startup(user="trusty", database="postgres"))
        kind, body = client.receive()
        assert (kind, fields(body)["C"]) == (b"E", "08P01")
        assert client.ends()
    with wire.Client(secured.port, connect=False) as client:
        client.send(wire.SSL_REQUEST)
        client.send(wire.startup(user="trusty", database="postgres") + query("SELECT 'injected'"))
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while more := client.socket.recv(4096):
                answer += more
        assert b"injected" not in answer and b"server_version" not in answer


def test_03_direct_tls_needs_alpn(files, secured):
    context = trusting(files)
    context.set_alpn_protocols(["postgresql"])
    with TLSClient(secured.port, context, direct=True) as client:
        assert client.socket.selected_alpn_protocol() == "postgresql"
        client.send(wire.startup(user="trusty", database="postgres"))
        assert client.kinds().endswith("KZ")
    for names in ([], ["http/1.1"]):
        context = trusting(files)
        if names:
            context.set_alpn_protocols(names)
        with TLSClient(secured.port, context, direct=True) as client:
            with contextlib.suppress(OSError):
                client.send(wire.startup(user="trusty", database="postgres"))
            try:
                assert client.receive() is None
            except ssl.SSLError:
                pass


def test_03_alpn_is_answered_after_ssl_request_too(files, secured):
    context = trusting(files)
    context.set_alpn_protocols(["postgresql"])
    with TLSClient(secured.port, context) as client:
        assert client.socket.selected_alpn_protocol() == "postgresql"
        client.send(wire.startup(user="trusty", database="postgres"))
        assert client.kinds().endswith("KZ")


def test_no_request_is_answered_inside_tls(files, secured):
    for request in (wire.SSL_REQUEST, wire.GSSENC_REQUEST):
        with TLSClient(secured.port, trusting(files)) as client:
            client.send(request)
            kind, body = client.receive()
            assert (kind, fields(body)["C"]) == (b"E", "08P01")


# Client certificates


def certified(identity):
    return {"sslcert": str(identity[0]), "sslkey": str(identity[1])}


def test_client_certificates_may_be_required(files, server):
    with proxy_with(files, server, "clients=require", f"ca={files.clients.file}", "name=user") as proxy:
        with connect(proxy.port, sslmode="require", **certified(files.trusty)) as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("trusty",)
        with pytest.raises(psycopg.OperationalError):
            connect(proxy.port, sslmode="require", sslcert="/nonexistent", sslkey="/nonexistent")
        with pytest.raises(psycopg.OperationalError):
            connect(proxy.port, sslmode="require", **certified(files.forged))
        with pytest.raises(psycopg.OperationalError, match="certificate is not for this user"):
            connect(proxy.port, user="postgres", sslmode="require", **certified(files.trusty))


def test_client_certificates_may_be_optional(files, server):
    with proxy_with(files, server, "clients=verify", f"ca={files.clients.file}") as proxy:
        for more in (certified(files.trusty), {"sslcert": "/nonexistent", "sslkey": "/nonexistent"}):
            with connect(proxy.port, sslmode="require", **more) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
        with pytest.raises(psycopg.OperationalError):
            connect(proxy.port, sslmode="require", **certified(files.forged))


# Towards the server: (what it shows, whether a session comes about, whether the server sees TLS) for each sslmode


GOOD = {"disable": False, "allow": False, "prefer": True, "require": True, "verify-ca": True, "verify-full": True}
# A root that is given is used in every mode, as in libpq; prefer then falls back to plaintext, as libpq does.
WRONG_CA = {"disable": False, "allow": False, "prefer": False, "require": None, "verify-ca": None, "verify-full": None}
WRONG_HOST = {**GOOD, "verify-full": None}


@pytest.mark.parametrize("mode", SSLMODES)
def test_sslmode_towards_the_server(files, server, mode):
    with wire.proxy(binaries(), server.port, f"server_tls={mode}", f"root={files.ca.file}") as proxy:
        for identity, expected in ((files.server, GOOD), (files.stranger, WRONG_CA), (files.elsewhere, WRONG_HOST)):
            server.show(identity)
            if expected[mode] is None:
                with pytest.raises(psycopg.OperationalError, match="certificate is not"):
                    connect(proxy.port)
            else:
                with connect(proxy.port) as connection:
                    assert server_sees_tls(connection) == expected[mode], identity
            # libpq, asked directly, comes to the same end.
            try:
                with connect(server.port, sslmode=mode, sslrootcert=str(files.ca.file)) as connection:
                    outcome = server_sees_tls(connection)
            except psycopg.OperationalError:
                outcome = None
            assert outcome == expected[mode], identity


def test_without_a_root_require_takes_any_certificate(files, server):
    server.show(files.stranger)
    with wire.proxy(binaries(), server.port, "server_tls=require") as proxy, connect(proxy.port) as connection:
        assert server_sees_tls(connection)


def test_allow_and_prefer_follow_pg_hba(files, server):
    """libpq's rule: the other kind of connection is tried when the server rejects the first."""
    for mode in ("allow", "prefer", "disable", "require"):
        with wire.proxy(binaries(), server.port, f"server_tls={mode}") as proxy:
            for kind, encrypted in (("hostssl", True), ("hostnossl", False)):
                server.demand(kind)
                if mode == ("disable" if encrypted else "require"):
                    with pytest.raises(psycopg.OperationalError, match="no pg_hba.conf entry"):
                        connect(proxy.port)
                    continue
                with connect(proxy.port) as connection:
                    assert server_sees_tls(connection) == encrypted
            server.demand()


def test_a_server_without_tls(files):
    with wire.cluster() as server:
        with wire.proxy(binaries(), server.port, "server_tls=prefer") as proxy, connect(proxy.port) as connection:
            assert not server_sees_tls(connection)
        with wire.proxy(binaries(), server.port, "server_tls=require") as proxy:
            with pytest.raises(psycopg.OperationalError, match="does not offer TLS"):
                connect(proxy.port)


def test_the_proxy_shows_its_certificate_to_the_server(files, server):
    server.demand("hostssl", "clientcert=verify-ca")
    with wire.proxy(binaries(), server.port, "server_tls=require") as proxy:
        with pytest.raises(psycopg.OperationalError, match="client certificate"):
            connect(proxy.port)
    identity = [f"server_cert={files.trusty[0]}", f"server_key={files.trusty[1]}"]
    with wire.proxy(binaries(), server.port, "server_tls=require", *identity) as proxy, connect(proxy.port) as connection:
        shown = connection.execute("SELECT client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
        assert shown == ("/CN=trusty",)


class Scripted:
    """A server of one connection that answers SSLRequest with given bytes and keeps what comes then."""

    def __init__(self, answer):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.got = b""
        self.thread = threading.Thread(target=self.serve, args=(answer,), daemon=True)
        self.thread.start()

    def serve(self, answer):
        connection, _ = self.listener.accept()
        with connection:
            connection.settimeout(5)
            self.got = connection.recv(8)
            connection.sendall(answer)
            with contextlib.suppress(OSError):
                while more := connection.recv(4096):
                    self.got += more


@pytest.mark.parametrize("answer", [b"SR\0\0\0\x08\0\0\0\0", b"NR\0\0\0\x08\0\0\0\0", b"E\0\0\0\x08SFATAL\0\0", b"x"])
def test_a_server_that_speaks_before_tls_is_not_believed(answer):
    """CVE-2021-23222, CVE-2024-10977."""
    server = Scripted(answer)
    with wire.proxy(binaries(), server.port, "server_tls=prefer") as proxy:
        with wire.Client(proxy.port, connect=False) as client:
            client.send(wire.startup(user="trusty", database="postgres"))
            kind, body = client.receive()
            assert (kind, fields(body)["C"]) == (b"E", "08P01")
            assert client.ends()
    server.thread.join(5)
    assert server.got == wire.SSL_REQUEST


# Sessions inside TLS


def test_19_cancel_over_tls(files, secured):
    with connect(secured.port, sslmode="require") as connection:
        timer = threading.Timer(0.5, lambda: connection.cancel_safe(timeout=10))
        timer.start()
        started = time.monotonic()
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("SELECT pg_sleep(20)")
        assert time.monotonic() - started < 10
        timer.join()
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_19_a_plaintext_cancel_is_dropped_where_tls_is_required(files, server):
    with proxy_with(files, server) as proxy, TLSClient(proxy.port, trusting(files)) as client:
        client.send(wire.startup(user="trusty", database="postgres"))
        key = next(body for kind, body in client.until(b"Z") if kind == b"K")
        client.send(query("SELECT pg_sleep(1.5)"))
        with wire.Client(proxy.port, connect=False) as other:
            other.send(struct.pack("!ii", 16, 80877102) + key)
            assert other.ends()
        assert client.kinds() == "TDCZ"


def test_20_the_end_of_a_session_is_told_inside_tls(files, secured):
    with TLSClient(secured.port, trusting(files)) as client:
        client.send(wire.startup(user="trusty", database="postgres"))
        client.until(b"Z")
        client.send(wire.message(b"X"))
        assert client.receive() is None  # an end without close_notify would raise SSLEOFError


def test_20_a_client_that_sends_close_notify_gets_its_answers(files, secured):
    """Half-close inside TLS: what was asked before is answered."""
    with TLSClient(secured.port, trusting(files)) as client:
        client.send(wire.startup(user="trusty", database="postgres"))
        client.until(b"Z")
        client.send(query("SELECT pg_sleep(0.5), 'late'"))
        raw = client.socket
        with contextlib.suppress(ssl.SSLError, TimeoutError):
            raw.settimeout(0.05)
            raw.unwrap()
    # Whatever of it the client could still read, the session ends on both sides.
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with connect(secured.port) as connection:
            left = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%late%' AND pid <> pg_backend_pid()")
            if left.fetchone() == (0,):
                return
        time.sleep(0.1)
    raise AssertionError("the server's session is still there")


def test_20_a_client_that_vanishes_takes_its_session_along(files, secured):
    client = TLSClient(secured.port, trusting(files))
    client.send(wire.startup(user="trusty", database="postgres"))
    client.until(b"Z")
    client.send(query("SELECT 'vanished'"))
    client.until(b"Z")
    client.socket.close()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with connect(secured.port) as connection:
            left = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%vanished%' AND pid <> pg_backend_pid()")
            if left.fetchone() == (0,):
                return
        time.sleep(0.1)
    raise AssertionError("the server's session is still there")


def test_20_a_drain_is_told_inside_tls(files, server):
    with proxy_with(files, server, "drain=3", "server_tls=require") as proxy, TLSClient(proxy.port, trusting(files)) as client:
        client.send(wire.startup(user="trusty", database="postgres"))
        client.until(b"Z")
        proxy.process.terminate()
        kind, body = client.receive()
        assert (kind, fields(body)["C"]) == (b"E", "57P01")
        assert client.receive() is None
        assert proxy.process.wait(10) == 0


def test_21_backpressure_inside_tls(files, server):
    """A reader that stops does not fill the proxy's memory, and gets everything in the end."""
    with proxy_with(files, server, "server_tls=require") as proxy, TLSClient(proxy.port, trusting(files)) as client:
        client.socket.settimeout(60)
        client.send(wire.startup(user="trusty", database="postgres"))
        client.until(b"Z")
        before = proxy.memory()
        client.send(query("SELECT repeat('x', 1000) FROM generate_series(1, 100000)"))
        time.sleep(2)
        assert proxy.memory() - before < 40_000
        messages = client.until(b"Z")
        assert sum(kind == b"D" for kind, _ in messages) == 100_000
        assert values(messages[1][1]) == [b"x" * 1000]


def test_22_large_messages_stream_inside_tls(files, secured):
    with connect(secured.port, sslmode="require") as connection:
        big = "y" * 20_000_000
        assert connection.execute("SELECT length(%s::text), %s::text", (big, big)).fetchone() == (len(big), big)


def test_many_handshakes_at_once(files, secured):
    def one(_):
        with connect(secured.port, sslmode="verify-full", host="localhost", sslrootcert=str(files.ca.file)) as connection:
            return connection.execute("SELECT 7").fetchone()[0]

    import concurrent.futures

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert list(pool.map(one, range(48))) == [7] * 48
