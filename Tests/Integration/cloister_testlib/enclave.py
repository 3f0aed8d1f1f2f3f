"""Runs the real cloister-tee and cloister-enclave, and speaks to the enclave through slotlib.c."""

import atexit
import ctypes
import hashlib
import os
import pathlib
import re
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import time

from cryptography.hazmat.primitives import serialization

from cloister_testlib import release

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = pathlib.Path(__file__).resolve().parent
PING, COMPARE, HASH, TUNNEL = 1, 2, 3, 16
OK, BAD_REQUEST, BAD_CELL, NO_KEY, MISMATCH, FORBIDDEN, TOO_LARGE, NO_MEMORY = range(8)
TIMED_OUT, GONE = -1, -2
SLOT_BYTES, DATA = 1 << 20, 4096


def executable(name):
    """A built product: the environment's (CLOISTER_TEE, CLOISTER_ENCLAVE), else where `make build` puts it."""
    given = os.environ.get(name.upper().replace("-", "_"))
    path = pathlib.Path(given) if given else ROOT / {
        "cloister-tee": ".build/release/cloister-tee", "cloister-enclave": ".build/enclave/release/cloister-enclave"}[name]
    if not path.exists():
        raise FileNotFoundError(f"{path}: run make build first")
    return path


_built = {}


def compiled(kind):
    """slotlib.c as a library or as the benchmark program."""
    if kind not in _built:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="enclave-slotlib-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        target = folder / ("slotlib.so" if kind == "library" else "bench")
        flags = ["-shared", "-fPIC"] if kind == "library" else ["-DBENCH"]
        subprocess.run(
            ["cc", "-O2", *flags, f"-I{ROOT}/Sources/EnclaveABI/include", str(HERE / "slotlib.c"), "-o", str(target)], check=True)
        _built[kind] = target
    return _built[kind]


def library():
    if "loaded" not in _built:
        lib = ctypes.CDLL(str(compiled("library")))
        lib.slot_client_size.restype = ctypes.c_size_t
        lib.slot_hash.restype = ctypes.c_uint64
        lib.slot_boot.restype = ctypes.POINTER(ctypes.c_uint8 * 16)
        lib.slot_memory.restype = ctypes.c_void_p
        lib.slot_doorbell.restype = ctypes.c_void_p
        lib.slot_connect.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_double]
        lib.slot_call.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_char_p, ctypes.c_uint32, ctypes.c_double]
        lib.slot_post.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32]
        lib.slot_wait.argtypes = [ctypes.c_void_p, ctypes.c_double, ctypes.c_uint]
        lib.slot_answer.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint32]
        _built["loaded"] = lib
    return _built["loaded"]


class NoSlot(Exception):
    """Connected, but no welcome came in time."""


class Client:
    """One backend."""

    def __init__(self, path, timeout=5.0):
        self.lib = library()
        self.memory = ctypes.create_string_buffer(self.lib.slot_client_size())
        self.open = True
        result = self.lib.slot_connect(self.memory, str(path).encode(), timeout)
        if result == -2:
            self.close()
            raise NoSlot()
        if result != 0:
            self.open = False
            raise ConnectionError(result)

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()

    def close(self):
        if self.open:
            self.open = False
            self.lib.slot_close(self.memory)

    @property
    def boot(self):
        return bytes(self.lib.slot_boot(self.memory).contents)

    @property
    def index(self):
        return self.lib.slot_index(self.memory)

    @property
    def slot(self):
        """The slot's address, for hostile writes."""
        return self.lib.slot_memory(self.memory)

    @property
    def doorbell(self):
        return self.lib.slot_doorbell(self.memory)

    def call(self, opcode, request=b"", timeout=5.0):
        return self.lib.slot_call(self.memory, opcode, request, len(request), timeout)

    def post(self, opcode, length):
        self.lib.slot_post(self.memory, opcode, length)

    def wait(self, timeout=5.0):
        return self.lib.slot_wait(self.memory, timeout, 50)

    def compare(self, a, b):
        """(status, order)."""
        status = self.call(COMPARE, struct.pack("<II", len(a), len(b)) + a + b)
        return status, self.lib.slot_value(self.memory)

    def hash(self, cell):
        status = self.call(HASH, cell)
        return status, self.lib.slot_hash(self.memory)

    def tunnel(self, frame):
        status = self.call(TUNNEL, frame)
        if status != OK:
            raise ConnectionError(f"status {status}")
        buffer = ctypes.create_string_buffer(SLOT_BYTES)
        count = self.lib.slot_answer(self.memory, buffer, SLOT_BYTES)
        return buffer.raw[:count]


class TEE:
    """A running platform with its enclave."""

    def __init__(self, folder, *options, enclave=None):
        self.folder = pathlib.Path(folder)
        self.socket = self.folder / "enclave.sock"
        self.state = self.folder / "tee"
        self.log_path = self.folder / "tee.log"
        self.image = pathlib.Path(enclave or executable("cloister-enclave"))
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [str(executable("cloister-tee")), "run", "--enclave", str(self.image), "--socket", str(self.socket), "--state-dir",
             str(self.state), *options], stdout=subprocess.PIPE, stderr=self.log)
        atexit.register(self.stop)  # whatever becomes of the test
        self.wait_ready()

    def wait_ready(self, timeout=20.0):
        line = b""
        deadline = time.monotonic() + timeout
        while not line.endswith(b"\n"):
            readable, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            byte = os.read(self.process.stdout.fileno(), 1) if readable else b""
            if not byte:
                self.process.poll()
                raise TimeoutError(f"no readiness line; {self.log_path.read_text()}")
            line += byte
        match = re.fullmatch(rb"ready measurement=(sha384:[0-9a-f]{96}) pid=(\d+) enclave=(\d+)\n", line)
        assert match, line
        self.measurement = match[1].decode()
        self.enclave_pid = int(match[3])

    @property
    def root(self):
        return serialization.load_pem_public_key((self.state / "tee-root.pem").read_bytes())

    def expected_measurement(self):
        return hashlib.sha384(self.image.read_bytes()).digest()

    def session(self, client, **policy):
        return release.Session(client.tunnel).open(self.root, self.expected_measurement(), int(time.time()), **policy)

    def release(self, keys, **policy):
        with Client(self.socket) as client:
            return self.session(client, **policy).release(keys)

    def logged(self):
        return self.log_path.read_text()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(10)
        atexit.unregister(self.stop)
        self.process.stdout.close()
        self.log.close()
        return self.process.returncode
