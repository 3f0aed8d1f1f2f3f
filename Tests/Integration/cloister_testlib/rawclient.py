"""A PostgreSQL client (SCRAM) on a bare socket: every message is sent and shown as it is, so that tests can ask for exact order."""

import base64
import hashlib
import hmac
import os
import socket
import struct


def message(kind, body=b""):
    return kind.encode() + struct.pack(">I", len(body) + 4) + body


def text(value):
    return (value if isinstance(value, bytes) else value.encode()) + b"\0"


def query(sql):
    return message("Q", text(sql))


def parse(sql, name="", types=()):
    return message("P", text(name) + text(sql) + struct.pack(f">H{len(types)}I", len(types), *types))


def bind(parameters=(), portal="", statement="", formats=(), results=()):
    """Parameters are bytes or None."""
    body = text(portal) + text(statement) + struct.pack(f">H{len(formats)}h", len(formats), *formats) + struct.pack(">H", len(parameters))
    for value in parameters:
        body += struct.pack(">i", -1) if value is None else struct.pack(">i", len(value)) + value
    return message("B", body + struct.pack(f">H{len(results)}h", len(results), *results))


def describe(kind="P", name=""):
    return message("D", kind.encode() + text(name))


def execute(portal="", rows=0):
    return message("E", text(portal) + struct.pack(">I", rows))


def close(kind, name=""):
    return message("C", kind.encode() + text(name))


SYNC = message("S")
FLUSH = message("H")
TERMINATE = message("X")


class Message:
    def __init__(self, kind, body):
        self.kind = kind
        self.body = body

    @property
    def fields(self):
        """Of an ErrorResponse or NoticeResponse."""
        return {part[:1].decode(): part[1:].decode(errors="replace") for part in self.body.split(b"\0") if part}

    @property
    def row(self):
        """Of a DataRow."""
        count, at, values = struct.unpack(">H", self.body[:2])[0], 2, []
        for _ in range(count):
            size = struct.unpack(">i", self.body[at : at + 4])[0]
            at += 4
            values.append(None if size < 0 else self.body[at : at + size])
            at += max(size, 0)
        return values

    @property
    def word(self):
        """Short form for transcripts: `D:1|x`, `E:42601`, `C:SELECT 1`, `Z:I`."""
        if self.kind == "E":
            return f"E:{self.fields['C']}"
        if self.kind == "D":
            return "D:" + "|".join("NULL" if value is None else value.decode(errors="replace") for value in self.row)
        if self.kind == "C":
            return "C:" + self.body[:-1].decode()
        if self.kind == "Z":
            return "Z:" + self.body.decode()
        return self.kind


class WireClient:
    """Authenticates with SCRAM; `parameters` go into the startup packet."""

    def __init__(self, host, port, user, password, database, timeout=30, **parameters):
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.buffer = b""
        self.key = None
        packet = struct.pack(">I", 196608)
        for name, value in {"user": user, "database": database, **parameters}.items():
            packet += text(name) + text(value)
        packet += b"\0"
        self.socket.sendall(struct.pack(">I", len(packet) + 4) + packet)
        self._authenticate(password)
        while (answer := self.receive()).kind != "Z":
            if answer.kind == "E":
                raise ConnectionError(answer.fields)
            if answer.kind == "K":
                self.key = struct.unpack(">II", answer.body)

    def _authenticate(self, password):
        nonce = base64.b64encode(os.urandom(18)).decode()
        first = f"n=,r={nonce}"
        while True:
            answer = self.receive()
            if answer.kind != "R":
                raise ConnectionError(answer.fields)
            code = struct.unpack(">I", answer.body[:4])[0]
            if code == 0:
                return
            if code == 10:
                initial = ("n,," + first).encode()
                self.send(message("p", text("SCRAM-SHA-256") + struct.pack(">I", len(initial)) + initial))
            elif code == 11:
                server = answer.body[4:].decode()
                parts = dict(part.split("=", 1) for part in server.split(","))
                salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(parts["s"]), int(parts["i"]))
                last = f"c=biws,r={parts['r']}"
                stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
                signature = hmac.digest(stored, f"{first},{server},{last}".encode(), "sha256")
                proof = bytes(a ^ b for a, b in zip(hmac.digest(salted, b"Client Key", "sha256"), signature))
                self.send(message("p", f"{last},p={base64.b64encode(proof).decode()}".encode()))

    def send(self, *messages):
        self.socket.sendall(b"".join(messages))

    def receive(self):
        while len(self.buffer) < 5 or len(self.buffer) < 1 + struct.unpack(">I", self.buffer[1:5])[0]:
            more = self.socket.recv(1 << 16)
            if not more:
                raise EOFError
            self.buffer += more
        size = 1 + struct.unpack(">I", self.buffer[1:5])[0]
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return Message(chr(taken[0]), taken[5:])

    def until(self, kinds="Z", count=1):
        """Messages up to the count-th of one of these kinds; notices and parameter reports left out."""
        found = []
        while count:
            answer = self.receive()
            if answer.kind not in "NSA":
                found.append(answer)
                if answer.kind in kinds:
                    count -= 1
        return found

    def words(self, *messages, syncs=1):
        """Sends and returns the transcript up to the last ReadyForQuery expected."""
        self.send(*messages)
        return [answer.word for answer in self.until(count=syncs)]

    def is_silent(self, seconds=0.3):
        """Nothing more comes."""
        self.socket.settimeout(seconds)
        try:
            return not self.buffer and not self.socket.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(30)

    def cancel(self, host, port):
        with socket.create_connection((host, port), timeout=10) as other:
            other.sendall(struct.pack(">IIII", 16, 80877102, *self.key))
            other.recv(1)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def connect(stack, port=None, **more):
    values = stack.environment
    return WireClient(values["PGHOST"], port or stack.proxy_port, values["PGUSER"], values["PGPASSWORD"], values["PGDATABASE"], **more)
