#!/usr/bin/env python3
"""Makes schemas/vectors/cell-v1.json: cells by an implementation that shares nothing with Cloister's.

Follows schemas/cell-v1.md with Python's `cryptography` (its own OpenSSL) and the standard library. All inputs are fixed,
so that the output is the same on every run; `--check` compares instead of writing.

Shape: four flat lists. Byte strings are hexadecimal.
  derivations: {name, cek, info, length, key}
  cells:       {name, type, tag, scheme, role, key_id, collation, cek, writer?, counter?, value, plaintext, cell}
  hashes:      {name, type, tag, collation, cek, normalized, hash (16 hex digits of the number), equal_to?}
  refused:     {name, key_id, cek, cell}      cells that must not open under this key and id
"""
import argparse
import datetime
import decimal
import hashlib
import hmac
import ipaddress
import json
import pathlib
import struct
import sys
import uuid

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

TARGET = pathlib.Path(__file__).resolve().parent.parent / "schemas" / "vectors" / "cell-v1.json"

TAGS = {
    "boolean": 1, "int2": 2, "int4": 3, "int8": 4, "float4": 5, "float8": 6, "numeric": 7, "text": 8, "varchar": 9, "bpchar": 10,
    "bytea": 11, "date": 12, "time": 13, "timetz": 14, "timestamp": 15, "timestamptz": 16, "interval": 17, "uuid": 18, "inet": 19,
    "json": 20, "jsonb": 21,
}
ROLES = {"stored": 0, "operand": 1, "result": 2}
EPOCH = datetime.datetime(2000, 1, 1)

CEKS = {7: hashlib.sha256(b"cloister vectors: column key seven").digest(), 0x7FFFFFFF: bytes(range(32))}


def numeric(text: str, normalized: bool = False) -> bytes:
    special = {"NaN": (0xC000, 0), "Infinity": (0xD000, 32), "-Infinity": (0xF000, 32)}
    if text in special:
        return struct.pack(">hhHH", 0, 0, *special[text])
    negative, digits, exponent = decimal.Decimal(text).as_tuple()
    dscale = max(0, -exponent)
    integer, _, fraction = format(decimal.Decimal(text).copy_abs(), "f").partition(".")
    if normalized:
        fraction = fraction.rstrip("0")
        dscale = len(fraction)
    integer = integer.zfill(-(-len(integer) // 4) * 4)
    fraction = fraction.ljust(-(-len(fraction) // 4) * 4, "0")
    groups = [int((integer + fraction)[i:i + 4]) for i in range(0, len(integer + fraction), 4)]
    weight = len(integer) // 4 - 1
    while groups and groups[0] == 0:
        groups.pop(0)
        weight -= 1
    while groups and groups[-1] == 0:
        groups.pop()
    if not groups:
        weight, negative = 0, 0
    return struct.pack(">hhHH", len(groups), weight, 0x4000 if negative else 0, dscale) + b"".join(struct.pack(">H", g) for g in groups)


def microseconds(text: str) -> bytes:
    limits = {"infinity": 2**63 - 1, "-infinity": -(2**63)}
    if text in limits:
        return struct.pack(">q", limits[text])
    delta = datetime.datetime.fromisoformat(text) - EPOCH
    return struct.pack(">q", (delta.days * 86400 + delta.seconds) * 1_000_000 + delta.microseconds)


def days(text: str) -> bytes:
    limits = {"infinity": 2**31 - 1, "-infinity": -(2**31)}
    return struct.pack(">i", limits[text] if text in limits else (datetime.date.fromisoformat(text) - EPOCH.date()).days)


def time_of_day(text: str) -> int:
    hours, minutes, seconds = text.split(":")
    return int((decimal.Decimal(hours) * 3600 + decimal.Decimal(minutes) * 60 + decimal.Decimal(seconds)) * 1_000_000)


def timetz(text: str) -> bytes:  # HH:MM:SS[.ffffff]+HH:MM:SS
    hours, minutes, seconds = text[-8:].split(":")
    east = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    return struct.pack(">qi", time_of_day(text[:-9]), -east if text[-9] == "+" else east)


DAY = 86_400_000_000


def interval(text: str, normalized: bool = False) -> bytes:  # months, days, microseconds
    months, days, micro = map(int, text.split(","))
    if normalized:
        length = (months * 30 + days) * DAY + micro
        sign, rest = (-1 if length < 0 else 1), abs(length)
        limit = 2**31 - (sign > 0)
        months = min(rest // (30 * DAY), limit)
        days = min((rest - months * 30 * DAY) // DAY, limit)
        micro = sign * (rest - (months * 30 + days) * DAY)
        months, days = sign * months, sign * days
    return struct.pack(">qii", micro, days, months)


def inet(text: str) -> bytes:
    address = ipaddress.ip_interface(text)
    return bytes([2 if address.version == 4 else 3, address.network.prefixlen, 0, len(address.packed)]) + address.packed


ENCODE = {
    "boolean": lambda v: b"\1" if v == "t" else b"\0",
    "int2": lambda v: struct.pack(">h", int(v)),
    "int4": lambda v: struct.pack(">i", int(v)),
    "int8": lambda v: struct.pack(">q", int(v)),
    "float8": lambda v: struct.pack(">d", float(v)),
    "numeric": numeric,
    "text": lambda v: v.encode(),
    "varchar": lambda v: v.encode(),
    "bytea": lambda v: bytes.fromhex(v.removeprefix("\\x")),
    "date": days,
    "timestamp": microseconds,
    "timestamptz": lambda v: microseconds(v.removesuffix("+00")),
    "uuid": lambda v: uuid.UUID(v).bytes,
    "float4": lambda v: struct.pack(">f", float(v)),
    "bpchar": lambda v: v.encode(),
    "time": lambda v: struct.pack(">q", time_of_day(v)),
    "timetz": timetz,
    "interval": interval,
    "inet": inet,
    "json": lambda v: v.encode(),
    "jsonb": lambda v: b"\1" + v.encode(),
}

VALUES = {
    "boolean": ["t", "f"],
    "int2": ["0", "1", "-1", "32767", "-32768"],
    "int4": ["0", "42", "-2147483648", "2147483647"],
    "int8": ["0", "-1", "9223372036854775807", "-9223372036854775808"],
    "float8": ["0", "-0", "1.5", "-1e+308", "5e-324", "Infinity", "-Infinity", "NaN"],
    "numeric": ["0", "0.00", "1", "1.50", "-1.5", "10000", "0.0001", "12345678901234567890.123456789", "-0.00000000000000000001",
                "1e20", "NaN", "Infinity", "-Infinity"],
    "text": ["", "a", "Aaron", "exactly 16 bytes", "seventeen bytes!!", "größer", "日本語", "🙂 e\u0301", "x" * 300],
    "varchar": ["", "Hank", "O'Neill \\ \"quoted\"\n"],
    "bytea": ["\\x", "\\x00", "\\xdeadbeef", "\\x" + "ff" * 33],
    "date": ["2000-01-01", "1934-02-05", "9999-12-31", "0001-01-01", "infinity", "-infinity"],
    "timestamp": ["2000-01-01 00:00:00", "1969-07-20 20:17:40.123456", "infinity", "-infinity"],
    "timestamptz": ["2000-01-01 00:00:00+00", "2026-11-23 12:00:00.000001+00", "infinity", "-infinity"],
    "uuid": ["00000000-0000-0000-0000-000000000000", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"],
    "float4": ["0", "-0", "1.5", "3.4028234663852886e+38", "1.401298464324817e-45", "Infinity", "-Infinity", "NaN"],
    "bpchar": ["", "   ", "a", "a  ", "größer   "],
    "time": ["00:00:00", "23:59:59.999999", "24:00:00"],
    "timetz": ["12:00:00+02:00:00", "10:00:00+00:00:00", "24:00:00-15:59:59"],
    "interval": ["0,0,0", "1,0,0", "0,30,0", "0,29,86400000000", "-1,30,1", "-1,-1,-1", "2147483647,2147483647,9223372036854775807",
                 "-2147483648,-2147483648,-9223372036854775808"],
    "inet": ["192.168.1.5/24", "192.168.1.5/32", "0.0.0.0/0", "2001:db8::1/64", "::/0"],
    "json": ['{"a":  1}', "null"],
    "jsonb": ['{"a": 1}', "null"],
}
STORED_ONLY = ("json", "jsonb")

NAN = {"float4": bytes.fromhex("7fc00000"), "float8": bytes.fromhex("7ff8000000000000")}


def normalize(kind: str, value: str) -> bytes:
    if kind == "numeric":
        return numeric(value, normalized=True)
    if kind in ("float4", "float8"):
        return NAN[kind] if value == "NaN" else ENCODE[kind]("0" if float(value) == 0 else value)
    if kind == "bpchar":
        return value.rstrip(" ").encode()
    if kind == "interval":
        return interval(value, normalized=True)
    return ENCODE[kind](value)


def hkdf(cek: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt=None, info=info).derive(cek)


def header(kind: str, algorithm: int, role: str, key_id: int, collation: int = 0) -> bytes:
    return bytes([1, ROLES[role] << 4 | algorithm, TAGS[kind], collation]) + struct.pack(">I", key_id)


def gcm_cell(kind, role, key_id, writer: bytes, counter: int, plaintext: bytes, collation: int = 0) -> bytes:
    head = header(kind, 1, role, key_id, collation)
    count = struct.pack(">Q", counter)
    key = hkdf(CEKS[key_id], b"cloister cell v1 gcm" + writer, 32)
    return head + writer + count + AESGCM(key).encrypt(bytes(4) + count, plaintext, head)


def siv_cell(kind, key_id, plaintext: bytes, collation: int = 0) -> bytes:
    head = header(kind, 2, "stored", key_id, collation)
    return head + AESSIV(hkdf(CEKS[key_id], b"cloister cell v1 siv", 64)).encrypt(plaintext, [head])


def hash_of(kind, collation, key_id, normalized: bytes) -> int:
    key = hkdf(CEKS[key_id], b"cloister cell v1 hash", 32)
    tag = TAGS["text" if kind == "varchar" else kind]
    code = hmac.new(key, bytes([tag, collation]) + normalized, hashlib.sha256).digest()
    return int.from_bytes(code[:8], "little")


def make() -> dict:
    derivations, cells, hashes_, refused = [], [], [], []
    writer_a = bytes.fromhex("0123456789abcdef")
    writer_b = bytes.fromhex("ffffffffffffffff")
    for key_id, cek in CEKS.items():
        for label, info, length in [
            ("gcm, writer a", b"cloister cell v1 gcm" + writer_a, 32), ("gcm, writer b", b"cloister cell v1 gcm" + writer_b, 32),
            ("siv", b"cloister cell v1 siv", 64), ("hash", b"cloister cell v1 hash", 32),
        ]:
            derivations.append(dict(
                name=f"{label}, key {key_id}", cek=cek.hex(), info=info.hex(), length=length, key=hkdf(cek, info, length).hex()))

    def common(name, kind, scheme, role, key_id, value, plaintext, cell, collation=0, **more):
        cells.append(dict(
            name=name, type=kind, tag=TAGS[kind], scheme=scheme, role=role, key_id=key_id, collation=collation,
            cek=CEKS[key_id].hex(), **more, value=value, plaintext=plaintext.hex(), cell=cell.hex()))

    def randomized(kind, role, key_id, writer, counter, value, collation=0):
        plaintext = ENCODE[kind](value)
        common(f"{kind} {value[:40]!r} {role}, counter {counter}", kind, "randomized", role, key_id, value, plaintext,
               gcm_cell(kind, role, key_id, writer, counter, plaintext, collation), collation, writer=writer.hex(), counter=str(counter))

    counter = 0
    for kind, values in VALUES.items():
        for value in values:
            randomized(kind, "stored", 7, writer_a, counter, value)
            counter += 1
            plaintext = normalize(kind, value)
            common(f"{kind} {value[:40]!r} deterministic", kind, "deterministic", "stored", 7, value, plaintext,
                   siv_cell(kind, 7, plaintext))
            if kind in STORED_ONLY:
                continue
            hashes_.append(dict(
                name=f"{kind} {value[:40]!r}", type=kind, tag=TAGS["text" if kind == "varchar" else kind], collation=0, key_id=7,
                cek=CEKS[7].hex(), value=value, normalized=plaintext.hex(), hash=f"{hash_of(kind, 0, 7, plaintext):016x}"))
        for role in ("operand", "result"):
            randomized(kind, role, 7, writer_a, counter, values[0])
            counter += 1
    for number in (0, 1, 2**32 - 2, 2**32 - 1):
        randomized("int4", "stored", 0x7FFFFFFF, writer_b, number, "42")
    randomized("text", "stored", 7, writer_b, 0, "collation one", collation=1)
    common("text deterministic, collation 1", "text", "deterministic", "stored", 7, "collation one", b"collation one",
           siv_cell("text", 7, b"collation one", 1), 1)
    common("text deterministic, key 2147483647", "text", "deterministic", "stored", 0x7FFFFFFF, "", b"", siv_cell("text", 0x7FFFFFFF, b""))

    # What must not open. Every region, flipped; then whole cells out of place.
    date = gcm_cell("date", "stored", 7, writer_a, 1000, days("1934-02-05"))
    word = siv_cell("text", 7, b"Aaron")
    empty = siv_cell("text", 7, b"")

    def refuse(name, cell, key_id=7, cek=None):
        refused.append(dict(name=name, key_id=key_id, cek=(cek or CEKS[7]).hex(), cell=cell.hex()))

    def flip(cell, index, bit=0):
        return cell[:index] + bytes([cell[index] ^ 1 << bit]) + cell[index + 1:]

    regions = [("version", 0, 1), ("role and algorithm", 1, 2), ("type", 2, 3), ("collation", 3, 4), ("key id", 4, 8)]
    for title, cell, more in [
        ("gcm", date, [("writer id", 8, 16), ("counter", 16, 24), ("ciphertext", 24, 28), ("tag", 28, 44)]),
        ("siv", word, [("synthetic IV", 8, 24), ("ciphertext", 24, 29)]),
        ("siv, empty", empty, [("synthetic IV", 8, 24)]),
    ]:
        for region, start, end in regions + more:
            for index in range(start, end):
                refuse(f"{title}: {region}, byte {index} flipped", flip(cell, index, index % 8))
        for length in sorted({0, 1, 7, 8, 23, 24, 39, len(cell) - 1} - {len(cell)}):
            if length < len(cell):
                refuse(f"{title}: cut to {length} bytes", cell[:length])
        refuse(f"{title}: a byte more", cell + b"\0")
        refuse(f"{title}: wrong key", cell, cek=bytes(32))
    operand = gcm_cell("date", "operand", 7, writer_a, 1001, days("1934-02-05"))
    refuse("operand made stored", operand[:1] + b"\x01" + operand[2:])
    refuse("stored made operand", date[:1] + b"\x11" + date[2:])
    refuse("stored made result", date[:1] + b"\x21" + date[2:])
    refuse("role 3", date[:1] + b"\x31" + date[2:])
    refuse("algorithm 0", date[:1] + b"\x00" + date[2:])
    refuse("algorithm 3", date[:1] + b"\x03" + date[2:])
    refuse("deterministic operand", word[:1] + b"\x12" + word[2:])
    refuse("randomized read as deterministic", date[:1] + b"\x02" + date[2:])
    refuse("date made timestamp", date[:2] + bytes([TAGS["timestamp"]]) + date[3:])
    refuse("type tag 0", date[:2] + b"\x00" + date[3:])
    refuse("type tag 22", date[:2] + b"\x16" + date[3:])
    refuse("key id 0", date[:4] + bytes(4) + date[8:])
    refuse("key id above 2^31-1", date[:4] + b"\x80\0\0\7" + date[8:])
    refuse("another key's id", date[:4] + struct.pack(">I", 8) + date[8:], key_id=8)
    refuse("nothing", b"")
    refuse("plaintext", b"1934-02-05")
    return dict(
        format="cloister cell v1", made_by="scripts/make-vectors.py", derivations=derivations, cells=cells, hashes=hashes_, refused=refused)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the file instead of writing it")
    arguments = parser.parse_args()
    vectors = make()
    lists = ",\n".join(
        f'"{name}": [\n' + ",\n".join(json.dumps(item, ensure_ascii=True) for item in vectors[name]) + "\n]"
        for name in ("derivations", "cells", "hashes", "refused"))
    text = f'{{"format": "{vectors["format"]}", "made_by": "{vectors["made_by"]}",\n{lists}}}\n'
    json.loads(text)
    if arguments.check:
        same = TARGET.read_text() == text
        print("the vectors are as made" if same else f"{TARGET} differs from what this script makes", file=sys.stderr)
        return 0 if same else 1
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(text)
    print(f"{TARGET}: {', '.join(f'{len(vectors[n])} {n}' for n in ('derivations', 'cells', 'hashes', 'refused'))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
