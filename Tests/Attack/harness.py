"""What the attacks share: the stack they are made on, the planted values, the keys, and how an attempt is judged."""

import contextlib
import hashlib
import os
import pathlib
import random
import sqlite3
import struct
import sys
import time
import uuid

import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Integration"))

from cloister_testlib import cells  # noqa: E402
from test_liveness import enclave_pid, pids  # noqa: E402

CONFIG = """
enclave: { sessions: granted }
columns:
  public.people:
    name:   { type: text, encryption: randomized, key: people }
    other:  { type: text, encryption: randomized, key: other }
    salary: { type: int8, encryption: randomized, key: salary }
    born:   { type: date, encryption: randomized, key: people }
    ident:  { type: uuid, encryption: deterministic, key: ident }
    photo:  { type: bytea, encryption: randomized, key: people }
"""
COLUMNS = ("name", "other", "salary", "ident", "photo")
ROWS = 40  # of five unmistakable values each


class Succeeded(Exception):
    """The attack gave the attacker what he must not have."""


ATTEMPTS = []


def attempt(group, title):
    """Registers a function of the world that returns how the attempt was denied, or raises Succeeded."""

    def register(function):
        ATTEMPTS.append((group, title, function))
        return function

    return register


class World:
    def __init__(self, stack, folder):
        self.stack = stack
        self.folder = pathlib.Path(folder)
        source = random.Random(4)
        self.planted = [
            {"name": f"Zq{source.getrandbits(64):016x}", "other": f"Wv{source.getrandbits(64):016x}", "salary": source.getrandbits(62) | 1 << 61,
             "ident": uuid.UUID(int=source.getrandbits(128)), "photo": source.randbytes(24)}
            for _ in range(ROWS)
        ]
        self.plant()

    def plant(self):
        with self.stack.proxy() as client:
            client.execute("CREATE TABLE people (id int PRIMARY KEY, name text, other text, salary int8, born date, ident uuid UNIQUE, photo bytea)")
            client.execute("CREATE INDEX people_salary ON people (salary)")
            for number, row in enumerate(self.planted):
                client.execute("INSERT INTO people VALUES (%s, %s, %s, %s, %s, %s, %s)",
                               [number, row["name"], row["other"], row["salary"], f"1970-01-{number % 28 + 1:02}", row["ident"], row["photo"]])
            client.execute("ANALYZE people")

    @property
    def tee(self):
        return pids(self.stack)["tee"]

    @property
    def enclave(self):
        return enclave_pid(self.stack)

    @property
    def socket(self):
        return self.stack.dir / "run" / "enclave.sock"

    def admin(self):
        return self.stack.superuser()

    def values(self):
        """(what, bytes) of each form of each planted value."""
        for number, row in enumerate(self.planted):
            for column, value in row.items():
                for form in forms(value):
                    yield f"{column} of row {number}", form

    def secrets(self):
        """(what, bytes) of every key and of what is derived from it."""
        yield from self.keys().items()

    def keys(self):
        """Every key of the stack, out of its vault: schemas/key-store-v1.md."""
        found = {}
        passphrase = (self.stack.dir / "passphrase").read_bytes().rstrip(b"\n")
        found["passphrase"] = passphrase
        vault = sqlite3.connect(f"file:{self.stack.dir}/keys.sqlite?mode=ro", uri=True)
        log2n, r, p, salt, _, _ = vault.execute("SELECT log2n, r, p, salt, nonce, \"check\" FROM vault").fetchone()
        sealing = hashlib.scrypt(passphrase, salt=salt, n=1 << log2n, r=r, p=p, maxmem=1 << 30, dklen=32)
        context = b"cloister vault v1" + bytes([log2n]) + struct.pack(">II", r, p) + salt
        found["vault key"] = sealing
        wrapping = {}
        for name, public, nonce, sealed, created in vault.execute("SELECT name, public_key, nonce, sealed, created FROM master_keys"):
            encoded, when = name.encode(), created.encode()
            data = context + b"master key" + struct.pack(">I", len(encoded)) + encoded + struct.pack(">I", len(when)) + when + public
            opened = AESGCM(sealing).decrypt(nonce, sealed, data)
            wrapping[name] = opened[:32]
            found[f"master key {name}, wrapping"], found[f"master key {name}, seed"] = opened[:32], opened[32:]
        with self.admin() as admin:
            rows = admin.execute("SELECT k.name, k.metadata, v.master_key, v.wrapped FROM cloister.column_keys k JOIN cloister.column_key_values v"
                                 " ON v.key_id = k.id").fetchall()
        for name, metadata, master, wrapped in rows:
            data = b"cloister cek v1" + hashlib.sha256(metadata).digest() + master.encode()
            key = AESGCM(wrapping[master]).decrypt(wrapped[1:13], wrapped[13:], data)
            found[f"column key {name}"] = key
            found[f"hash key of {name}"] = cells.derive(key, b"cloister cell v1 hash", 32)
            found[f"SIV key of {name}"] = cells.derive(key, b"cloister cell v1 siv", 64)[:32]
        return found


def forms(value):
    if isinstance(value, int):
        return [str(value).encode(), struct.pack(">q", value), struct.pack("<q", value)]
    if isinstance(value, uuid.UUID):
        return [str(value).encode(), value.bytes]
    if isinstance(value, bytes):
        return [value, value.hex().encode()]
    return [value.encode()]


def refused(connection, statement, codes, parameters=None):
    """The SQLSTATE of a statement that must fail; its message must hold no planted thing (the caller checks)."""
    try:
        connection.execute(statement, parameters)
    except psycopg.Error as error:
        if error.sqlstate not in codes:
            raise AssertionError(f"{error.sqlstate} instead of {codes}: {error}") from None
        return error.sqlstate, str(error)
    raise Succeeded(statement[:80])


def eventually(check, seconds=20, every=0.1):
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(psycopg.Error, OSError, ProcessLookupError):
            found = check()
            if found:
                return found
        if time.monotonic() > deadline:
            raise AssertionError("not within the time")
        time.sleep(every)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] != "Z"
