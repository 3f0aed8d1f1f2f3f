"""A second proxy whose way to the server leads through a relay that keeps every byte it carries."""

import contextlib
import pathlib
import re
import socket
import subprocess
import threading
import time


class Tap:
    """Relays TCP to `target`; `sent()` is what went towards it."""

    def __init__(self, target):
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self._lock = threading.Lock()
        self._chunks = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
                for connection in (near, far):
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                own = []  # one list a connection, so that streams are not mixed
                with self._lock:
                    self._chunks.append(own)
                threading.Thread(target=self._carry, args=(near, far, own), daemon=True).start()
                threading.Thread(target=self._carry, args=(far, near, None), daemon=True).start()

    def _carry(self, source, target, kept):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if kept is not None:
                    with self._lock:
                        kept.append(data)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def mark(self):
        """Forgets what was carried so far."""
        with self._lock:
            for chunks in self._chunks:
                chunks.clear()

    def sent(self):
        with self._lock:
            return b"\n".join(b"".join(chunks) for chunks in self._chunks)

    def close(self):
        self.listener.close()


@contextlib.contextmanager
def tapped_proxy(stack, cloister, port, config=None):
    """(tap, log file) of a second proxy of a dev stack, listening on `port`; `config`: another file than the stack's, beside it."""
    tap = Tap(stack.direct_port)
    config = (config or stack.dir / "cloister.yaml").read_text()
    config = re.sub(r"listen: \S+", f"listen: 127.0.0.1:{port}", config)
    config = re.sub(r"server: \S+", f"server: 127.0.0.1:{tap.port}", config)
    path = stack.dir / "tapped.yaml"
    path.write_text(config)
    log = pathlib.Path(stack.dir / "log" / "tapped.log")
    with log.open("wb") as output:
        process = subprocess.Popen([cloister, "proxy", "--config", path], stdout=output, stderr=subprocess.STDOUT)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            if process.poll() is not None:
                raise RuntimeError(log.read_text())
            time.sleep(0.1)
        yield tap, log
    finally:
        process.terminate()
        process.wait(timeout=20)
        tap.close()
