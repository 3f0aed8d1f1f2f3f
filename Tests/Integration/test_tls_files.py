"""TLS as configured: `cloister proxy` before a server with ssl=on, verify-full on both sides and on the proxy's own connection,
certificates replaced while sessions stay open, JDBC, Unix sockets."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

import psycopg
import pytest
import yaml
from cloister_testlib.certificates import Authority, give_to_postgres
from conftest import binaries, free_port

JDBC = pathlib.Path("/usr/share/java/postgresql.jar")
COLUMNS = "columns: { public.notes: { body: { type: text, encryption: deterministic, key: notes } } }"


@pytest.fixture(scope="module")
def folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="cloister-tls-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def ca(folder):
    return Authority(folder, "ca")


@pytest.fixture(scope="module")
def stack(make_stack, folder, ca):
    """A stack whose server takes encrypted connections only, also from the proxy's own role."""
    with make_stack(COLUMNS) as running:
        with running.proxy() as client:
            client.execute("CREATE TABLE notes (id int, body text)")
            client.execute("INSERT INTO notes VALUES (1, 'over the wire')")
        identity = ca.issue("server", "db", "localhost", "127.0.0.1")
        give_to_postgres(*identity)
        with running.superuser() as admin:
            admin.execute("ALTER SYSTEM SET ssl = on")
            admin.execute(f"ALTER SYSTEM SET ssl_cert_file = '{identity[0]}'")
            admin.execute(f"ALTER SYSTEM SET ssl_key_file = '{identity[1]}'")
            admin.execute("SELECT pg_reload_conf()")
            running.sockets = admin.execute("SHOW unix_socket_directories").fetchone()[0].split(",")[0]
        yield running


@contextlib.contextmanager
def configured(stack, folder, listen=None, server=None, **sections):
    """`cloister proxy` with the stack's configuration but these addresses and TLS sections; gives (port, process, log)."""
    port = free_port()
    config = yaml.safe_load((stack.dir / "cloister.yaml").read_text())
    config["proxy"].update(listen=listen or f"127.0.0.1:{port}", **sections)
    if server:
        config["proxy"]["server"] = server
    file = stack.dir / f"tls-{port}.yaml"
    file.write_text(yaml.safe_dump(config))
    log = folder / f"proxy-{port}.log"
    with open(log, "w", encoding="utf8") as output:
        process = subprocess.Popen([binaries() / "cloister", "proxy", "--config", file], stderr=output, stdout=output)
        try:
            deadline = time.monotonic() + 20
            while "listening" not in log.read_text():
                assert process.poll() is None and time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
            yield port, process, log
        finally:
            process.terminate()
            process.wait(40)


def sections(folder, ca, **server):
    certificate, key = ca.issue("proxy", "first", "localhost", "127.0.0.1")
    return {
        "tls": {"mode": "require", "certificate": str(certificate), "key": str(key)},
        "server_tls": {"mode": "verify-full", "root": str(ca.file), **server},
    }


def connect(stack, port, **more):
    values = stack.environment
    return psycopg.connect(
        **{"host": "localhost", "port": port, "user": values["PGUSER"], "password": values["PGPASSWORD"], "dbname": values["PGDATABASE"],
           "connect_timeout": 20, "autocommit": True, "channel_binding": "disable", **more}
    )


def shown(port):
    """The common name of the certificate that the proxy shows now."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["postgresql"])
    with socket.create_connection(("127.0.0.1", port), 10) as plain, context.wrap_socket(plain) as wrapped:
        from cryptography import x509

        return x509.load_der_x509_certificate(wrapped.getpeercert(True)).subject.rfc4514_string()


def test_verify_full_on_every_connection(stack, folder, ca):
    with configured(stack, folder, **sections(folder, ca)) as (port, _, log):
        with connect(stack, port, sslmode="verify-full", sslrootcert=str(ca.file)) as client:
            assert client.execute("SELECT body FROM notes WHERE body = 'over the wire'").fetchall() == [("over the wire",)]
            roles = dict(
                stack.superuser().execute(
                    "SELECT usename, bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) "
                    "WHERE application_name <> 'cloister' OR backend_start > now() - interval '30 s' GROUP BY 1"
                ).fetchall()
            )
            assert roles[stack.environment["PGUSER"]] and client.pgconn.ssl_in_use
        with stack.superuser() as admin:
            own = admin.execute(
                "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'cloister' "
                "ORDER BY backend_start DESC LIMIT 1"
            ).fetchone()
            assert own == (True,), "the proxy's own connection is not encrypted"
        assert "BEGIN" not in log.read_text()


def test_06_channel_binding_needs_the_servers_certificate(stack, folder, ca):
    own = sections(folder, ca)
    with configured(stack, folder, **own) as (port, _, _):
        with pytest.raises(psycopg.OperationalError, match="channel_binding=disable"):
            connect(stack, port, sslmode="require", channel_binding="prefer")
        with pytest.raises(psycopg.OperationalError, match="channel binding is required"):
            connect(stack, port, sslmode="require", channel_binding="require")
    with stack.superuser() as admin:
        for key, setting in (("certificate", "ssl_cert_file"), ("key", "ssl_key_file")):
            own["tls"][key] = admin.execute(f"SHOW {setting}").fetchone()[0]
    with configured(stack, folder, **own) as (port, _, _):
        with connect(stack, port, sslmode="verify-full", sslrootcert=str(ca.file), channel_binding="require") as client:
            assert client.execute("SELECT body FROM notes").fetchall() == [("over the wire",)]


@pytest.mark.parametrize("what", ["root", "host"])
def test_the_proxys_own_connection_verifies_too(stack, folder, ca, what):
    more = {"root": str(Authority(folder, "another").file)} if what == "root" else {}
    elsewhere = ca.issue("elsewhere", "db", "db.example.org")
    config = yaml.safe_load((stack.dir / "cloister.yaml").read_text())
    config["proxy"].update(listen=f"127.0.0.1:{free_port()}", server_tls={"mode": "verify-full", "root": str(ca.file), **more})
    give_to_postgres(*elsewhere)
    file = stack.dir / "tls-wrong.yaml"
    file.write_text(yaml.safe_dump(config))
    with stack.superuser() as admin:
        good = admin.execute("SHOW ssl_cert_file").fetchone()[0], admin.execute("SHOW ssl_key_file").fetchone()[0]
        try:
            if what == "host":
                admin.execute(f"ALTER SYSTEM SET ssl_cert_file = '{elsewhere[0]}'")
                admin.execute(f"ALTER SYSTEM SET ssl_key_file = '{elsewhere[1]}'")
                admin.execute("SELECT pg_reload_conf()")
                time.sleep(0.3)
            ran = subprocess.run([binaries() / "cloister", "proxy", "--config", file], capture_output=True, text=True, timeout=30, check=False)
        finally:
            admin.execute(f"ALTER SYSTEM SET ssl_cert_file = '{good[0]}'")
            admin.execute(f"ALTER SYSTEM SET ssl_key_file = '{good[1]}'")
            admin.execute("SELECT pg_reload_conf()")
            time.sleep(0.3)
    assert ran.returncode != 0
    assert ("certificate verify failed" if what == "root" else "does not match host name") in ran.stderr


def test_certificates_are_replaced_under_open_sessions(stack, folder, ca):
    own = sections(folder, ca)
    with configured(stack, folder, **own) as (port, process, log):
        with connect(stack, port, sslmode="require") as client:
            assert shown(port) == "CN=first"
            ca.issue("proxy", "second", "localhost", "127.0.0.1")
            process.send_signal(signal.SIGHUP)
            deadline = time.monotonic() + 10
            while shown(port) != "CN=second":
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
            assert client.execute("SELECT 1").fetchone() == (1,)

            # By itself, too, when the files have changed.
            ca.issue("proxy", "third", "localhost", "127.0.0.1")
            deadline = time.monotonic() + 10
            while shown(port) != "CN=third":
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)

            # A broken file changes nothing, and the log names it without a byte of it.
            key = pathlib.Path(own["tls"]["key"])
            secret = key.read_text().splitlines()[1]
            key.write_text("-----BEGIN PRIVATE KEY-----\n" + secret + "\n")
            process.send_signal(signal.SIGHUP)
            deadline = time.monotonic() + 10
            while "TLS stays as it was" not in log.read_text():
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
            assert "CL5043" in log.read_text() and str(key) in log.read_text() and secret not in log.read_text()
            assert shown(port) == "CN=third"
            assert client.execute("SELECT 2").fetchone() == (2,)


def test_a_key_of_another_certificate_stops_the_start(stack, folder, ca):
    own = sections(folder, ca)
    own["tls"]["key"] = str(ca.issue("unrelated", "unrelated")[1])
    config = yaml.safe_load((stack.dir / "cloister.yaml").read_text())
    config["proxy"].update(listen=f"127.0.0.1:{free_port()}", **own)
    file = stack.dir / "tls-mismatch.yaml"
    file.write_text(yaml.safe_dump(config))
    ran = subprocess.run([binaries() / "cloister", "proxy", "--config", file], capture_output=True, text=True, timeout=30, check=False)
    assert ran.returncode != 0 and "CL5043" in ran.stderr and "unrelated.key" in ran.stderr


@pytest.mark.skipif(not JDBC.exists() or not shutil.which("javac"), reason="needs a JDK and libpostgresql-jdbc-java")
def test_jdbc_verify_full(stack, folder, ca, tmp_path):
    subprocess.run(["javac", "-d", tmp_path, pathlib.Path(__file__).with_name("Tour.java")], check=True)
    (tmp_path / "statements").write_text("SELECT body FROM notes WHERE body = 'over the wire'\n")
    values = stack.environment
    with configured(stack, folder, **sections(folder, ca)) as (port, _, _):
        url = f"jdbc:postgresql://localhost:{port}/{values['PGDATABASE']}?sslmode=verify-full&sslrootcert={ca.file}"
        ran = subprocess.run(
            ["java", "-cp", f"{tmp_path}:{JDBC}", "Tour", url, values["PGUSER"], tmp_path / "statements"],
            env={**os.environ, "PGPASSWORD": values["PGPASSWORD"]}, capture_output=True, text=True, timeout=120, check=False,
        )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "over the wire\n--\n" * 2


def test_24_unix_sockets_on_both_sides(stack, folder):
    with socket.socket(socket.AF_UNIX) as probe:
        probe.bind(str(folder / ".s.PGSQL.6543"))  # a socket that a dead proxy left is taken over
    with configured(
        stack, folder, listen=f"{folder}/.s.PGSQL.6543", server=f"{stack.sockets}/.s.PGSQL.{stack.direct_port}"
    ):
        with connect(stack, 6543, host=str(folder)) as client:
            assert client.execute("SELECT body FROM notes").fetchall() == [("over the wire",)]
            assert client.execute("SELECT inet_server_addr()").fetchone() == (None,)
