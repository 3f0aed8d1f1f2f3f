"""The proxy before servers that PostgreSQL 15 is not: protocol 3.2 with long cancel keys, played by a script."""

import socket
import struct
import threading

import pytest
from cloister_testlib import wire
from conftest import binaries


class Server:
    """Answers one session with `answers` and keeps the first packet of every connection."""

    def __init__(self, answers):
        self.answers = answers
        self.first = []
        self.arrived = threading.Semaphore(0)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        with connection:
            connection.settimeout(10)
            length = struct.unpack("!i", connection.recv(4, socket.MSG_WAITALL))[0]
            packet = connection.recv(length - 4, socket.MSG_WAITALL)
            self.first.append(packet)
            self.arrived.release()
            if packet[:4] != struct.pack("!i", 80877102):
                connection.sendall(self.answers)
                connection.recv(1)

    def close(self):
        self.listener.close()


AUTHENTICATED = wire.message(b"R", struct.pack("!i", 0))
READY = wire.message(b"Z", b"I")


@pytest.fixture
def play():
    running = []

    def start(answers):
        server = Server(answers)
        running.append(server)
        return server

    yield start
    for server in running:
        server.close()


@pytest.mark.parametrize("size", [4, 5, 32, 255, 256])
def test_04_cancel_keys_of_any_size_come_back(play, size):
    key = bytes(index % 251 + 1 for index in range(size))
    server = play(AUTHENTICATED + wire.message(b"K", struct.pack("!i", 4711) + key) + READY)
    with wire.proxy(binaries(), server.port) as proxy:
        with wire.Client(proxy.port, connect=False) as client:
            client.send(wire.startup(version=3 << 16 | 2, user="ada", database="db"))
            body = next(body for kind, body in client.until(b"Z") if kind == b"K")
            assert body == struct.pack("!i", 4711) + key
            with wire.Client(proxy.port, connect=False) as other:
                other.send(struct.pack("!ii", 8 + len(body), 80877102) + body)
                assert other.ends()
        assert server.arrived.acquire(timeout=10) and server.arrived.acquire(timeout=10)
        assert struct.pack("!i", 80877102) + body in server.first


@pytest.mark.parametrize("size", [0, 3, 257])
def test_04_other_keys_end_the_session(play, size):
    server = play(AUTHENTICATED + wire.message(b"K", struct.pack("!i", 4711) + b"k" * size) + READY)
    with wire.proxy(binaries(), server.port) as proxy, wire.Client(proxy.port, connect=False) as client:
        client.send(wire.startup(user="ada", database="db"))
        assert client.kinds(b"E") == "RE"
        assert client.ends()


@pytest.mark.parametrize("minor", [0, 1, 2, 9999])
def test_04_versions_and_options_pass_as_they_are(play, minor):
    """Which minor versions there are is the server's matter, 3.1 included; so is what it says of options that it doesn't know."""
    negotiation = wire.message(b"v", struct.pack("!ii", 3 << 16, 1) + b"_pq_.new\0")
    server = play(negotiation + AUTHENTICATED + wire.message(b"K", struct.pack("!ii", 1, 2)) + READY)
    with wire.proxy(binaries(), server.port) as proxy, wire.Client(proxy.port, connect=False) as client:
        packet = wire.startup(version=3 << 16 | minor, user="ada", database="db", **{"_pq_.new": "on"})
        client.send(packet)
        messages = client.until(b"Z")
        assert [kind for kind, _ in messages] == [b"v", b"R", b"K", b"Z"]
        assert wire.message(b"v", messages[0][1]) == negotiation
        assert server.first == [packet[4:]]
