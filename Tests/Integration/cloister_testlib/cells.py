"""Cells as schemas/cell-v1.md says, over Python's `cryptography`: shares no code with CellCrypto."""

import struct

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

STORED, OPERAND, RESULT = 0, 1, 2
TAGS = {
    "boolean": 1, "int2": 2, "int4": 3, "int8": 4, "float4": 5, "float8": 6, "numeric": 7, "text": 8, "varchar": 9, "bpchar": 10,
    "bytea": 11, "date": 12, "time": 13, "timetz": 14, "timestamp": 15, "timestamptz": 16, "interval": 17, "uuid": 18, "inet": 19,
    "json": 20, "jsonb": 21,
}


def derive(key, info, length):
    return HKDF(hashes.SHA256(), length, None, info).derive(key)


def header(type_name, key_id, role=STORED, algorithm=1, collation=0):
    return bytes([1, role << 4 | algorithm, TAGS[type_name], collation]) + struct.pack(">I", key_id)


def seal(key, key_id, type_name, value, writer=b"writer-1", counter=0, role=STORED, collation=0):
    """A randomized cell around canonical bytes."""
    head = header(type_name, key_id, role, 1, collation)
    number = struct.pack(">Q", counter)
    gcm = AESGCM(derive(key, b"cloister cell v1 gcm" + writer, 32))
    return head + writer + number + gcm.encrypt(bytes(4) + number, value, head)


def seal_deterministic(key, key_id, type_name, value):
    head = header(type_name, key_id, STORED, 2)
    return head + AESSIV(derive(key, b"cloister cell v1 siv", 64)).encrypt(value, [head])


def keyed_hash(key, type_name, normalized, collation=0):
    """What HASH answers: 64 bits."""
    code = hmac.HMAC(derive(key, b"cloister cell v1 hash", 32), hashes.SHA256())
    code.update(bytes([TAGS[type_name], collation]) + normalized)
    return struct.unpack("<Q", code.finalize()[:8])[0]


def numeric(text):
    """The send form of a numeric, from its text; digits to base 10000 as PostgreSQL has them."""
    specials = {"NaN": 0xC000, "Infinity": 0xD000, "-Infinity": 0xF000}
    if text in specials:
        return struct.pack(">hhHH", 0, 0, specials[text], 0)
    sign = 0x4000 if text.startswith("-") else 0
    whole, _, fraction = text.lstrip("+-").partition(".")
    scale = len(fraction)
    whole = whole.lstrip("0")
    whole = whole.rjust(-(-len(whole) // 4) * 4, "0")
    fraction = fraction.ljust(-(-len(fraction) // 4) * 4, "0")
    digits = [int((whole + fraction)[i : i + 4]) for i in range(0, len(whole + fraction), 4)]
    weight = len(whole) // 4 - 1
    while digits and digits[0] == 0:
        digits.pop(0)
        weight -= 1
    while digits and digits[-1] == 0:
        digits.pop()
    if not digits:
        sign, weight = 0, 0
    return struct.pack(">hhHH", len(digits), weight, sign, scale) + b"".join(struct.pack(">h", d) for d in digits)
