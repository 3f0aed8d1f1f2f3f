"""PostgreSQL's protocol by hand, a private plain cluster, and the proxy alone (proxy-harness): for test_protocol*.py."""

import contextlib
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import time

POSTGRES = pathlib.Path("/usr/lib/postgresql/15/bin")
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
GSSENC_REQUEST = struct.pack("!ii", 8, 80877104)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def as_postgres(*command):
    """Runs a command as the user postgres where we are root (initdb refuses to be)."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    return subprocess.run([*prefix, *map(str, command)], check=True, capture_output=True, text=True, timeout=60)


class Cluster:
    """Users trusty, hashed (md5) and salty (SCRAM) with password `secret`; superuser postgres."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        as_postgres(POSTGRES / "initdb", "-D", self.folder / "data", "-A", "trust", "-U", "postgres", "--no-locale", "-E", "UTF8")
        (self.folder / "data/pg_hba.conf").write_text(
            "host all hashed 127.0.0.1/32 md5\nhost all salty 127.0.0.1/32 scram-sha-256\nhost all plain 127.0.0.1/32 password\n"
            "host all all 127.0.0.1/32 trust\n"
        )
        with open(self.folder / "data/postgresql.conf", "a", encoding="utf8") as conf:
            conf.write(f"port={self.port}\nlisten_addresses='127.0.0.1'\nunix_socket_directories='{folder}'\nfsync=off\n")
        as_postgres(POSTGRES / "pg_ctl", "-D", self.folder / "data", "-l", self.folder / "log", "-w", "start")
        self.sql(
            "create user trusty; set password_encryption = 'md5'; create user hashed password 'secret';"
            "set password_encryption = 'scram-sha-256'; create user salty password 'secret'; create user plain password 'secret'"
        )

    def sql(self, text):
        return subprocess.run(
            ["psql", "-XAtq", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-c", text, "postgres"],
            check=True, capture_output=True, text=True, timeout=30,
        ).stdout.strip()

    def stop(self):
        as_postgres(POSTGRES / "pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop")


@contextlib.contextmanager
def cluster():
    folder = tempfile.mkdtemp(prefix="cloister-wire-")
    os.chmod(folder, 0o755)
    server = Cluster(folder)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


class Proxy:
    """proxy-harness in front of a server port; `arguments`: options and marks (see Tests/Tools/proxy-harness)."""

    def __init__(self, binaries, server_port, *arguments):
        self.port = free_port()
        self.process = subprocess.Popen(
            [binaries / "proxy-harness", f"127.0.0.1:{self.port}", f"127.0.0.1:{server_port}", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.02)
        raise AssertionError("the proxy does not listen")

    def memory(self):
        """Resident kilobytes."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1])
        raise AssertionError("the proxy is gone")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()


@contextlib.contextmanager
def proxy(binaries, server_port, *arguments):
    running = Proxy(binaries, server_port, *arguments)
    try:
        yield running
    finally:
        running.stop()


def message(kind, body=b""):
    return kind + struct.pack("!i", len(body) + 4) + body


def startup(version=3 << 16, **options):
    body = struct.pack("!i", version) + b"".join(k.encode() + b"\0" + v.encode() + b"\0" for k, v in options.items()) + b"\0"
    return struct.pack("!i", len(body) + 4) + body


def query(text):
    return message(b"Q", text.encode() + b"\0")


def parse(name, text, *types):
    return message(b"P", name.encode() + b"\0" + text.encode() + b"\0" + struct.pack(f"!h{len(types)}I", len(types), *types))


def bind(portal, statement, *values, results=()):
    body = portal.encode() + b"\0" + statement.encode() + b"\0" + struct.pack("!hh", 0, len(values))
    for value in values:
        body += struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value
    return message(b"B", body + struct.pack(f"!h{len(results)}h", len(results), *results))


def describe(kind, name):
    return message(b"D", kind + name.encode() + b"\0")


def close(kind, name):
    return message(b"C", kind + name.encode() + b"\0")


def execute(portal, limit=0):
    return message(b"E", portal.encode() + b"\0" + struct.pack("!i", limit))


SYNC = message(b"S")
FLUSH = message(b"H")
COPY_DONE = message(b"c")


class Client:
    """One connection, messages as (type, body)."""

    def __init__(self, port, user="trusty", connect=True, **options):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.settimeout(10)
        self.pending = bytearray()
        self.key = None
        if connect:
            self.send(startup(user=user, database="postgres", **options))
            for kind, body in self.until(b"Z"):
                if kind == b"K":
                    self.key = body

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *messages):
        self.socket.sendall(b"".join(messages))

    def receive(self):
        """The next message; None at the end of the stream."""
        while len(self.pending) < 5 or len(self.pending) < 1 + struct.unpack("!i", self.pending[1:5])[0]:
            try:
                more = self.socket.recv(1 << 16)
            except ConnectionResetError:
                more = b""
            if not more:
                return None
            self.pending += more
        length = 1 + struct.unpack("!i", self.pending[1:5])[0]
        kind, body = bytes(self.pending[:1]), bytes(self.pending[5:length])
        del self.pending[:length]
        return kind, body

    def until(self, *kinds):
        """Messages up to and with the first of one of these types, or to the end of the stream."""
        messages = []
        while (received := self.receive()) is not None:
            messages.append(received)
            if received[0] in kinds:
                break
        return messages

    def kinds(self, *until):
        return b"".join(kind for kind, _ in self.until(*(until or (b"Z",)))).decode()

    def ends(self):
        return self.receive() is None


def fields(body):
    """An error's fields by letter."""
    return {part[:1].decode(): part[1:].decode() for part in body.split(b"\0") if part}


def columns(body):
    """RowDescription as (name, type OID, size, modifier, format)."""
    count, rest = struct.unpack("!h", body[:2])[0], body[2:]
    described = []
    for _ in range(count):
        name, rest = rest.split(b"\0", 1)
        _, _, oid, size, modifier, code = struct.unpack("!IhIhih", rest[:18])
        described.append((name.decode(), oid, size, modifier, code))
        rest = rest[18:]
    return described


def values(body):
    """DataRow as a list of bytes or None."""
    count, rest, row = struct.unpack("!h", body[:2])[0], body[2:], []
    for _ in range(count):
        length, rest = struct.unpack("!i", rest[:4])[0], rest[4:]
        row.append(None if length < 0 else rest[:length])
        rest = rest[max(length, 0) :]
    return row
