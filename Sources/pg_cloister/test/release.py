"""Releases the test keys of cells.py to a real cloister-enclave, through cloister.enclave_tunnel(): an implementation of
schemas/release-v1.md that is independent of Attestation. It does not check the enclave's report: test keys only.

usage: release.py   (libpq's environment names the server)
"""

import os
import struct

import psycopg
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

import cells

COMPARE, HASH, MATCH, AGGREGATE = 1, 2, 4, 8


def sha256(data):
    digest = Hash(SHA256())
    digest.update(data)
    return digest.finalize()


def release(tunnel, keys):
    """`tunnel` carries a frame to the enclave and its answer back; `keys` maps id to operations. Returns the boot id."""
    mine = X25519PrivateKey.generate()
    hello = b"\1" + mine.public_key().public_bytes_raw()
    welcome = tunnel(hello)
    assert welcome[0] == 2, welcome
    session, theirs = welcome[1:9], X25519PublicKey.from_public_bytes(welcome[9:41])
    shared, salt = mine.exchange(theirs), sha256(hello + welcome)

    def derive(label):
        return AESGCM(HKDF(SHA256(), 32, salt, label).derive(shared))

    counter = struct.pack(">Q", 1)
    header = b"\3" + session + counter
    plaintext = struct.pack(">I", len(keys)) + bytes(40)  # nobody vouches for sessions
    for key_id, operations in keys.items():
        plaintext += struct.pack(">I", key_id) + cells.column_key(key_id) + struct.pack(">IQ", operations, 0)
    sealed = derive(b"cloister release v1 to-enclave").encrypt(bytes(4) + counter, plaintext, header)
    released = tunnel(header + sealed)
    assert released[:9] == b"\4" + counter, released
    confirmed = derive(b"cloister release v1 to-proxy").decrypt(bytes(4) + counter, released[9:], released[:9])
    assert struct.unpack(">I", confirmed[16:]) == (len(keys),)
    return confirmed[:16]


if __name__ == "__main__":
    with psycopg.connect(os.environ.get("CLOISTER_TEST_CONNINFO", ""), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS cloister")
        boot = release(
            lambda frame: connection.execute("SELECT cloister.enclave_tunnel(%s)", (frame,)).fetchone()[0],
            {cells.KEY: COMPARE | HASH | MATCH | AGGREGATE | 3 << 16, cells.OTHER_KEY: COMPARE | HASH})
        assert (boot,) == connection.execute("SELECT boot_id FROM cloister.enclave_status()").fetchone()
