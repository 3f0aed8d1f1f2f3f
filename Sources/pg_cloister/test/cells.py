"""Cells v1 made and opened by an implementation independent of CellCrypto: Python's `cryptography` (schemas/cell-v1.md).

Also the values of the tests: `python3 cells.py --sql` writes SQL that loads schema `fixture` with plaintext and the same
as cells. Everything is drawn from fixed seeds, so every run makes the same bytes. Keys here are test keys only.
"""

import hashlib
import hmac
import ipaddress
import random
import struct
import sys
import uuid
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

TAGS = {
    "boolean": 1, "int2": 2, "int4": 3, "int8": 4, "float4": 5, "float8": 6, "numeric": 7, "text": 8, "varchar": 9, "bpchar": 10,
    "bytea": 11, "date": 12, "time": 13, "timetz": 14, "timestamp": 15, "timestamptz": 16, "interval": 17, "uuid": 18, "inet": 19,
    "json": 20, "jsonb": 21,
}
COMPARABLE = [t for t in TAGS if t not in ("json", "jsonb")]
NAMES = {tag: name for name, tag in TAGS.items()}
STORED, OPERAND, RESULT = 0, 1, 2
GCM, SIV = 1, 2


def column_key(key_id):
    """The test column key of an id."""
    return hashlib.sha256(b"cloister test key %d" % key_id).digest()


@lru_cache(None)
def derive(key_id, label, length):
    return HKDF(SHA256(), length, None, b"cloister cell v1 " + label).derive(column_key(key_id))


@lru_cache(None)
def gcm(key_id, writer):
    return AESGCM(derive(key_id, b"gcm" + writer, 32))


def header(role, algorithm, type_name, key_id, collation=0):
    return bytes([1, role << 4 | algorithm, TAGS[type_name], collation]) + struct.pack(">I", key_id)


class Writer:
    """Seals randomized cells: one writer id, a counter for a nonce."""

    def __init__(self, writer):
        self.writer = writer
        self.counter = 0

    def seal(self, plaintext, type_name, key_id, role=STORED, collation=0):
        head = header(role, GCM, type_name, key_id, collation)
        counter = struct.pack(">Q", self.counter)
        self.counter += 1
        return head + self.writer + counter + gcm(key_id, self.writer).encrypt(bytes(4) + counter, plaintext, head)


def seal_deterministic(plaintext, type_name, key_id):
    head = header(STORED, SIV, type_name, key_id)
    return head + AESSIV(derive(key_id, b"siv", 64)).encrypt(plaintext, [head])


def open_cell(cell):
    """(role, writer, type name, key id, plaintext); raises ValueError when malformed or tampered with."""
    if len(cell) < 40 or cell[0] != 1 or cell[1] & 15 != GCM or cell[2] not in NAMES:
        raise ValueError
    key_id = struct.unpack(">I", cell[4:8])[0]
    try:
        plaintext = gcm(key_id, cell[8:16]).decrypt(bytes(4) + cell[16:24], cell[24:], cell[:8])
    except InvalidTag:
        raise ValueError from None
    return cell[1] >> 4, cell[8:16], NAMES[cell[2]], key_id, plaintext


# ---- canonical bytes: PostgreSQL's binary form ----

EPOCH = datetime(2000, 1, 1)


def numeric_bytes(text):
    if text in ("NaN", "Infinity", "-Infinity"):
        return struct.pack(">HhHH", 0, 0, {"NaN": 0xC000, "Infinity": 0xD000, "-Infinity": 0xF000}[text], 0)
    value = Decimal(text)
    sign, _, exponent = value.as_tuple()
    scale = max(-exponent, 0)
    whole, _, fraction = format(abs(value), "f").partition(".")
    whole = whole.zfill(-(-len(whole) // 4) * 4)
    fraction = fraction.ljust(-(-len(fraction) // 4) * 4, "0")
    digits = [int((whole + fraction)[i:i + 4]) for i in range(0, len(whole + fraction), 4)]
    weight = len(whole) // 4 - 1
    while digits and digits[0] == 0:
        digits.pop(0)
        weight -= 1
    while digits and digits[-1] == 0:
        digits.pop()
    if not digits:
        weight, sign = 0, 0
    return struct.pack(f">HhHH{len(digits)}H", len(digits), weight, 0x4000 if sign else 0, scale, *digits)


def numeric_normal(plaintext):
    """Canonical bytes with the smallest scale: equal for equal values."""
    count, weight, sign, _ = struct.unpack(">HhHH", plaintext[:8])
    if sign >= 0xC000:
        return plaintext
    digits = struct.unpack(f">{count}H", plaintext[8:])
    scale = 0
    if digits:
        scale = (count - 1 - weight) * 4 - (len(str(digits[-1]).zfill(4)) - len(str(digits[-1]).zfill(4).rstrip("0")))
    return struct.pack(f">HhHH{count}H", count, weight, sign, max(scale, 0), *digits)


def canonical(type_name, text):
    """The canonical bytes of a value given as text (ISO dates, UTC)."""
    if type_name == "boolean":
        return b"\x01" if text == "t" else b"\x00"
    if type_name in ("int2", "int4", "int8"):
        return int(text).to_bytes(int(type_name[3:]), "big", signed=True)
    if type_name in ("float4", "float8"):
        return struct.pack(">f" if type_name == "float4" else ">d", float(text))
    if type_name == "numeric":
        return numeric_bytes(text)
    if type_name in ("text", "varchar", "bpchar"):
        return text.encode()
    if type_name == "bytea":
        return bytes.fromhex(text[2:])
    if type_name == "date":
        return struct.pack(">i", (date.fromisoformat(text) - EPOCH.date()).days)
    if type_name in ("timestamp", "timestamptz"):
        return struct.pack(">q", (datetime.fromisoformat(text.removesuffix("+00")) - EPOCH) // timedelta(microseconds=1))
    if type_name == "time":
        return struct.pack(">q", time_of_day(text))
    if type_name == "timetz":  # HH:MM:SS[.ffffff]+HH:MM
        hours, minutes = text[-5:].split(":")
        east = int(text[-6] + "1") * (int(hours) * 3600 + int(minutes) * 60)
        return struct.pack(">qi", time_of_day(text[:-6]), -east)
    if type_name == "interval":  # N mons N days N us
        months, _, days, _, micro, _ = text.split()
        return struct.pack(">qii", int(micro), int(days), int(months))
    if type_name == "inet":
        address = ipaddress.ip_interface(text)
        packed = address.ip.packed
        return bytes([2 if address.version == 4 else 3, address.network.prefixlen, 0, len(packed)]) + packed
    return uuid.UUID(text).bytes


def time_of_day(text):
    hours, minutes, seconds = text.split(":")
    whole, _, fraction = seconds.partition(".")
    return (int(hours) * 3600 + int(minutes) * 60 + int(whole)) * 10**6 + int(fraction.ljust(6, "0") or 0)


def interval_length(plaintext):
    """Microseconds, with months of 30 days and days of 24 hours."""
    micro, days, months = struct.unpack(">qii", plaintext)
    return micro + (months * 30 + days) * 86_400 * 10**6


def interval_normal(plaintext):
    """Whole months, whole days, microseconds, all of one sign."""
    length, day = interval_length(plaintext), 86_400 * 10**6
    sign = -1 if length < 0 else 1
    months = min(abs(length) // (30 * day), 2**31 - (sign > 0))
    days = min((abs(length) - months * 30 * day) // day, 2**31 - (sign > 0))
    return struct.pack(">qii", sign * (abs(length) - (months * 30 + days) * day), sign * days, sign * months)


def normal(type_name, plaintext):
    """What equality and hashing see: one form for equal values."""
    if type_name == "numeric":
        return numeric_normal(plaintext)
    if type_name in ("float4", "float8"):
        form = ">f" if type_name == "float4" else ">d"
        value = struct.unpack(form, plaintext)[0]
        return struct.pack(form, float("nan") if value != value else value + 0.0)
    if type_name == "bpchar":
        return plaintext.rstrip(b" ")
    if type_name == "interval":
        return interval_normal(plaintext)
    return plaintext


def order_key(type_name, plaintext):
    """Something that Python orders as PostgreSQL orders the value."""
    if type_name in ("boolean", "int2", "int4", "int8", "date", "time", "timestamp", "timestamptz"):
        return int.from_bytes(plaintext, "big", signed=True)
    if type_name == "timetz":
        local, west = struct.unpack(">qi", plaintext)
        return local + west * 10**6, west
    if type_name == "interval":
        return interval_length(plaintext)
    if type_name == "bpchar":
        return plaintext.rstrip(b" ")
    if type_name == "inet":
        family, bits, _, count = plaintext[:4]
        binary = format(int.from_bytes(plaintext[4:], "big"), f"0{8 * count}b")
        # A prefix sorts before what it is a prefix of: the shorter netmask first where the common bits agree.
        return family, binary[:bits], binary
    if type_name in ("float4", "float8"):
        value = struct.unpack(">f" if type_name == "float4" else ">d", plaintext)[0]
        return (1, 0.0) if value != value else (0, value)
    if type_name == "numeric":
        count, weight, sign, _ = struct.unpack(">HhHH", plaintext[:8])
        if sign >= 0xC000:
            return {0xF000: -1, 0xD000: 1, 0xC000: 2}[sign], Decimal(0)
        digits = struct.unpack(f">{count}H", plaintext[8:])
        value = sum(Decimal(d).scaleb(4 * (weight - i)) for i, d in enumerate(digits))
        return 0, -value if sign else Decimal(value)
    return plaintext


def hash_of(type_name, key_id, plaintext):
    message = bytes([TAGS["text" if type_name == "varchar" else type_name], 0]) + normal(type_name, plaintext)
    return hmac.digest(derive(key_id, b"hash", 32), message, "sha256")[:8]


# ---- the tests' values ----

ROWS = 200
KEY, OTHER_KEY, MISSING_KEY = 7, 8, 9

EDGES = {
    "boolean": [], "int2": [-32768, 32767, 0], "int4": [-2147483648, 2147483647, 0, -1],
    "int8": [-(2**63), 2**63 - 1, 0], "float8": ["NaN", "Infinity", "-Infinity", "-0", "0", "1e-300"],
    "numeric": ["NaN", "Infinity", "-Infinity", "0", "0.00", "1.5", "1.50", "-1.5", "10000", "9999.9999", "1e20", "0.00001"],
    "text": ["", "a", "A", "é", "zz", "\U0001f600", "\ufb01", "x" * 3000], "varchar": ["", "b", "B", "ß"],
    "bytea": ["\\x", "\\x00", "\\xff", "\\x00ff"], "date": ["0001-01-01", "2000-01-01", "1999-12-31"],
    "timestamp": ["1999-12-31 23:59:59.999999"], "timestamptz": ["2000-01-01 00:00:00+00"],
    "uuid": ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
    "float4": ["NaN", "Infinity", "-Infinity", "-0", "0", "1.5e-45"], "bpchar": ["", "  ", "a", "a ", "a !", "A", "é"],
    "time": ["00:00:00", "23:59:59.999999", "24:00:00"],
    "timetz": ["12:00:00+02:00", "10:00:00+00:00", "08:00:00-02:00", "24:00:00-15:59", "00:00:00+15:59"],
    "interval": ["1 mons 0 days 0 us", "0 mons 30 days 0 us", "0 mons 29 days 86400000000 us", "-1 mons 30 days 1 us",
                 "2147483647 mons 2147483647 days 1 us", "-2147483647 mons -2147483648 days -1 us", "0 mons 0 days 0 us"],
    "inet": ["0.0.0.0/0", "10.1.0.0/8", "10.1.0.0/16", "::/0", "::1/128", "ffff::ffff/33", "255.255.255.255/32"],
}


def draw(type_name, rng):
    """A value from a small range, so that there are duplicates."""
    n = rng.randrange(60)
    return {
        "boolean": lambda: "tf"[n % 2], "int2": lambda: n - 30, "int4": lambda: (n - 30) * 1000003,
        "int8": lambda: (n - 30) * 10**15, "float8": lambda: (n - 30) / 7, "numeric": lambda: f"{(n - 30) * 17}.{n % 4}0",
        "text": lambda: "name " + chr(97 + n % 26) * (1 + n % 3), "varchar": lambda: chr(65 + n % 26) + str(n),
        "bytea": lambda: "\\x" + f"{n:02x}" * (n % 5), "date": lambda: date(1900, 1, 1) + timedelta(days=n * 700),
        "timestamp": lambda: EPOCH + timedelta(seconds=n * 12345, microseconds=n),
        "timestamptz": lambda: f"{EPOCH - timedelta(hours=n * 99)}+00",
        "uuid": lambda: uuid.UUID(int=n * 0x0123456789ABCDEF0123456789AB),
        "float4": lambda: (n - 30) / 8, "bpchar": lambda: chr(97 + n % 26) + " " * (n % 3),
        "time": lambda: f"{n % 24:02}:{n:02}:00.{n:06}", "timetz": lambda: f"{n % 24:02}:00:00{'+-'[n % 2]}{n % 13:02}:30",
        "interval": lambda: f"{n % 3} mons {n - 30} days {n * 1000003} us",
        "inet": lambda: f"10.{n % 3}.{n}.1/{8 + n % 25}" if n % 2 else f"2001:db8:{n:x}::{n:x}/{n * 2 + 1}",
    }[type_name]()


TEXTS = ("text", "varchar", "bpchar")


def patterns(out, writer, operands):
    """fixture.strings and fixture.patterns: text over a small alphabet, as cells of each text type."""
    rng = random.Random("cloister patterns")
    alphabet = "aabBéÉ \\%_x"
    strings = {"", "a", "ab", "aé", "É", "日本", "%", "\\", "a  ", "\U0001f600x", "a" * 40 + "b"}
    globs = {"", "%", "_", "%%", "_%", "%_", "%a", "a%", "%a%b%", "a_b", "\\%", "\\_", "\\\\", "%\\", "a\\", "%_\\", "\\", "_%_%_",
             "%É", "%é%", "日_", "a  ", "%aab"}
    while len(strings) < 70:
        strings.add("".join(rng.choice(alphabet) for _ in range(rng.randrange(7))))
    while len(globs) < 130:
        globs.add("".join(rng.choice(alphabet + "%%__") for _ in range(rng.randrange(6))))
    for table, values, sealer, role in (("strings", strings, writer, STORED), ("patterns", globs, operands, OPERAND)):
        columns = ", ".join(f"c_{t} text" for t in TEXTS)
        out.write(f"CREATE TABLE fixture.{table} (plain text, {columns});\nCOPY fixture.{table} FROM stdin;\n")
        for value in sorted(values):
            fields = ["\\x" + sealer.seal(value.encode(), t, KEY, role).hex() for t in TEXTS]
            out.write("\t".join(copy_field(f) for f in [value, *fields]) + "\n")
        out.write("\\.\n")


# Some of schemas/cell-v1.md, section 7.
LANGUAGES = {"und": 1, "sv": 56, "de": 13, "tr": 58, "da": 12, "cs": 10, "fr-CA": 25, "ja": 37, "zh": 62, "lt": 41}
STRENGTHS = {"": 0, "-u-ks-level2": 1, "-u-ks-level1": 2, "-u-ks-level1-kc": 3}
COLLATIONS = [*LANGUAGES, "und-u-ks-level2", "und-u-ks-level1", "und-u-ks-level1-kc", "sv-u-ks-level1-kc", "tr-u-ks-level2", "de-u-ks-level1"]
WORDS = """a A b z Z aa AA Aarhus Zagreb ä Ä å Å ö Ö ø æ oe e E é É è ê cote coté côte côté e\u0301 cafe CAFÉ Café café i I ı İ ii STRASSE Straße
strasse ß ss ch c d h cz č Č š y k x-ray xray x.y x_y % 日本 中国 かな カナ ｶﾅ 10 9 Ä-b äb ṧ ﬁ fi \U0001f600 Ǆ ǆ ΟΔΟΣ οδος οδοσ""".split() + ["", " ", "a b", "ab ", "-a"]
COLLATED_PATTERNS = ["%", "%ö%", "İ%", "i%", "I%", "straSSe", "STRASSE", "%É", "οδο_", "c_t%", "%ä_", "ＡＢ%"]


def collation_id(name):
    language, mark, strength = name.partition("-u-")
    return STRENGTHS[mark + strength] << 6 | LANGUAGES[language]


def collated(out, writer, operands):
    """fixture.words and fixture.word_patterns: the same words under several collations, as cells of text and bpchar."""
    for table, values, sealer, role in (("words", WORDS, writer, STORED), ("word_operands", WORDS, operands, OPERAND), ("word_patterns", COLLATED_PATTERNS, operands, OPERAND)):
        out.write(f"CREATE TABLE fixture.{table} (collation_name text, plain text, c_text text, c_bpchar text);\nCOPY fixture.{table} FROM stdin;\n")
        for name in COLLATIONS:
            for value in values:
                cells = ["\\x" + sealer.seal(value.encode(), t, KEY, role, collation_id(name)).hex() for t in ("text", "bpchar")]
                out.write("\t".join(copy_field(f) for f in [name, value, *cells]) + "\n")
        out.write("\\.\n")


def copy_field(text):
    return "\\N" if text is None else text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")


def sql(out):
    """Schema fixture: `rows` (id, and p_T text, c_T enc cell, d_T det cell), `pick` (operands), `odd` (odd cells)."""
    writer, operands = Writer(b"stored\0\0"), Writer(b"operands")
    columns = "".join(f", p_{t} {t}, c_{t} text, d_{t} text" for t in COMPARABLE)
    out.write(f"CREATE SCHEMA fixture;\nSET client_encoding = utf8;\nCREATE TABLE fixture.rows (id int4{columns});\nCOPY fixture.rows FROM stdin;\n")
    drawn = {}
    for t in COMPARABLE:
        rng = random.Random("cloister " + t)
        values = [str(v) for v in EDGES[t]]
        values += [None if i % 17 == 3 else str(draw(t, rng)) for i in range(ROWS - len(values))]
        rng.shuffle(values)
        drawn[t] = values
    for i in range(ROWS):
        fields = [str(i + 1)]
        for t in COMPARABLE:
            v = drawn[t][i]
            if v is None:
                fields += [None] * 3
                continue
            plain = canonical(t, v)
            fields += [v, "\\x" + writer.seal(plain, t, KEY).hex(), "\\x" + seal_deterministic(normal(t, plain), t, KEY).hex()]
        out.write("\t".join(copy_field(f) for f in fields) + "\n")
    out.write("\\.\nCREATE TABLE fixture.pick (type text, plain text, operand text, det text);\nCOPY fixture.pick FROM stdin;\n")
    for t in COMPARABLE:
        for v in sorted({v for v in drawn[t] if v is not None and len(v) < 100}):
            plain = canonical(t, v)
            operand = "\\x" + operands.seal(plain, t, KEY, OPERAND).hex()
            out.write("\t".join(copy_field(f) for f in [t, v, operand, "\\x" + seal_deterministic(normal(t, plain), t, KEY).hex()]) + "\n")
    out.write("\\.\n")
    patterns(out, writer, operands)
    collated(out, writer, operands)
    out.write("CREATE TABLE fixture.amounts (p int4, c text);\nCOPY fixture.amounts FROM stdin;\n")
    rng, plenty = random.Random("cloister amounts"), Writer(b"amounts\0")
    for _ in range(33000):
        amount = str(rng.randrange(-(2**31), 2**31))
        out.write(f"{amount}\t\\\\x{plenty.seal(canonical('int4', amount), 'int4', KEY).hex()}\n")
    out.write("\\.\n")
    five = canonical("int4", "5")
    good = writer.seal(five, "int4", KEY)
    other_operand = Writer(b"another\0").seal(five, "int4", KEY, OPERAND)
    odd = {
        "stored": good, "again": writer.seal(five, "int4", KEY), "operand": operands.seal(five, "int4", KEY, OPERAND),
        "other operand": other_operand, "result": writer.seal(five, "int4", KEY, RESULT),
        "other key": writer.seal(five, "int4", OTHER_KEY), "missing key": writer.seal(five, "int4", MISSING_KEY),
        "missing key again": writer.seal(five, "int4", MISSING_KEY),
        "other type": writer.seal(canonical("int8", "5"), "int8", KEY), "tampered": good[:-1] + bytes([good[-1] ^ 1]),
        "det": seal_deterministic(five, "int4", KEY), "det other key": seal_deterministic(five, "int4", OTHER_KEY),
        "version 2": b"\2" + good[1:], "role 3": bytes([1, 0x31]) + good[2:], "algorithm 3": bytes([1, 3]) + good[2:],
        "key 0": good[:4] + bytes(4) + good[8:], "key too large": good[:4] + b"\xff" * 4 + good[8:], "short": good[:39],
        "det role 1": bytes([1, 0x12]) + good[2:], "det short": seal_deterministic(b"", "int4", KEY)[:23],
        "large": writer.seal(b"x" * 600000, "text", KEY),
    }
    out.write("CREATE TABLE fixture.odd (name text primary key, cell text);\nCOPY fixture.odd FROM stdin;\n")
    for name, cell in odd.items():
        out.write(f"{name}\t\\\\x{cell.hex()}\n")
    out.write("\\.\n")


if __name__ == "__main__":
    if sys.argv[1:] != ["--sql"]:
        sys.exit("usage: cells.py --sql")
    sql(sys.stdout)
