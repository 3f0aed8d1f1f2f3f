"""Values of every type for generated statements: few, so that there are many ties; each with the forms in which it could be sent.

All but the special ones begin alike by type, so that `leaks` finds any of them, as text, as hexadecimal digits or in binary, in what
went to the server.
"""

import re
import struct
import typing
import uuid

OIDS = {
    "boolean": (16, 1000), "bytea": (17, 1001), "int8": (20, 1016), "int2": (21, 1005), "int4": (23, 1007), "text": (25, 1009),
    "float4": (700, 1021), "float8": (701, 1022), "varchar": (1043, 1015), "bpchar": (1042, 1014), "date": (1082, 1182), "time": (1083, 1183),
    "timetz": (1266, 1270), "timestamp": (1114, 1115), "timestamptz": (1184, 1185), "interval": (1186, 1187), "uuid": (2950, 2951),
    "inet": (869, 1041), "numeric": (1700, 1231), "json": (114, 199), "jsonb": (3802, 3807),
}
TEXTS = ("text", "varchar", "bpchar")
NUMBERS = ("int2", "int4", "int8", "float4", "float8", "numeric")
NO_MIN = ("boolean", "bytea", "uuid", "json", "jsonb")  # no min and max in PostgreSQL 15
STORED_ONLY = ("json", "jsonb")

WORD = "qZ7vK"  # texts
WIDE = 0x5A17C3E9 << 24  # int8
SHORT = 719300000  # int4
EXACT = "739051."  # numeric
FLOAT = 648203.5
BYTES = bytes.fromhex("9d41e77b55")
UUID = "c10157e2-7a5b-4d"
MOMENT = 13_164_218_000_000_000  # timestamps, microseconds from 2000
ALPHABET = "abcdefghijkmnpqrstuvwxyzAEKXÄé日%_"


class Value(typing.NamedTuple):
    """`text` is what PostgreSQL reads; `binary` its send form, None where we do not make it."""

    type: str
    text: str
    binary: bytes | None = None


def _moment(micros):
    import datetime

    return (datetime.datetime(2000, 1, 1) + datetime.timedelta(microseconds=micros)).strftime("%Y-%m-%d %H:%M:%S.%f")


def fresh(kind, rng):
    """A value that `leaks` knows."""
    n = rng.randrange(1 << 24)
    match kind:
        case "text" | "varchar":
            text = WORD + "".join(rng.choice(ALPHABET) for _ in range(rng.randrange(2, 9)))
            return Value(kind, text, text.encode())
        case "bpchar":
            text = WORD + "".join(rng.choice("abcXYZ") for _ in range(rng.randrange(2, 9)))
            return Value(kind, text, text.ljust(16).encode())
        case "int8":
            return Value(kind, str(WIDE + n), struct.pack(">q", WIDE + n))
        case "int4":
            return Value(kind, str(SHORT + n % 100000), struct.pack(">i", SHORT + n % 100000))
        case "int2":
            return Value(kind, str(n % 60000 - 30000), struct.pack(">h", n % 60000 - 30000))
        case "numeric":
            # The last digit is not 0: a deterministic column would drop it (docs/values.md).
            return Value(kind, f"{EXACT}{n % 90000 + 10000}{n % 9 + 1}")
        case "float8":
            value = FLOAT + (n | 1) / 2**40
            return Value(kind, repr(value), struct.pack(">d", value))
        case "float4":
            value = 1024 + n % 8192 / 8
            return Value(kind, repr(value).removesuffix(".0"), struct.pack(">f", value))
        case "uuid":
            text = f"{UUID}{n % 256:02x}-8000-{n:012x}"
            return Value(kind, text, uuid.UUID(text).bytes)
        case "bytea":
            data = BYTES + n.to_bytes(3, "big")
            return Value(kind, f"\\x{data.hex()}", data)
        case "date":
            text = f"2417-{n % 12 + 1:02}-{n % 28 + 1:02}"
            import datetime

            return Value(kind, text, struct.pack(">i", (datetime.date.fromisoformat(text) - datetime.date(2000, 1, 1)).days))
        case "timestamp":
            return Value(kind, _moment(MOMENT + n), struct.pack(">q", MOMENT + n))
        case "timestamptz":
            return Value(kind, _moment(MOMENT + n) + "+00", struct.pack(">q", MOMENT + n))
        case "time":
            return Value(kind, f"13:47:31.{n % 1000000:06}", struct.pack(">q", (13 * 3600 + 47 * 60 + 31) * 10**6 + n % 1000000))
        case "timetz":
            return Value(kind, f"13:47:31.{n % 1000000:06}+00", struct.pack(">qi", (13 * 3600 + 47 * 60 + 31) * 10**6 + n % 1000000, 0))
        case "interval":
            return Value(kind, f"8137 days 01:02:{n % 60:02}", struct.pack(">qii", (3720 + n % 60) * 10**6, 8137, 0))
        case "inet":
            return Value(kind, f"10.83.17.{n % 256}", bytes([2, 32, 0, 4, 10, 83, 17, n % 256]))
        case "boolean":
            return Value(kind, "tf"[n % 2], bytes([1 - n % 2]))
        case "json" | "jsonb":
            return Value(kind, f'{{"k": "{WORD}{n}"}}')
    raise ValueError(kind)


SPECIAL = {
    "text": ["", "it's", "a\\b", "Zoë"], "varchar": ["", "Ärger"], "bpchar": ["", "b"], "int8": ["0", "-1", str(2**63 - 1)], "int4": ["0", "-1", str(-(2**31))],
    "int2": ["0", "-32768"], "numeric": ["0", "-12.5", "NaN"], "float8": ["0", "NaN", "-Infinity"], "float4": ["0", "1.5"],
    "bytea": ["\\x"], "date": ["infinity", "0044-03-15 BC"], "timestamp": ["-infinity", "1999-12-31 23:59:59"], "timestamptz": ["infinity"],
    "uuid": ["00000000-0000-0000-0000-000000000000"], "time": ["00:00:00", "24:00:00"], "timetz": ["00:00:00+05"], "interval": ["-1 days", "1 mon"],
    "inet": ["::1", "10.0.0.0/8"], "boolean": [], "json": [], "jsonb": [],
}


def pool(kind, rng, size=9):
    values = [fresh(kind, rng) for _ in range(size)]
    if kind == "boolean":
        return [Value(kind, "t", b"\1"), Value(kind, "f", b"\0")]
    return list(dict.fromkeys(values + [Value(kind, text) for text in SPECIAL[kind]]))


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def spelled(value, spelling):
    """A constant in one of several spellings; 0 is the plainest. `bpchar` has none with a bare type name, which would cut it."""
    kind, text = value.type, value.text
    plain = quoted(text)
    match spelling:
        case 1 if kind in NUMBERS and re.fullmatch(r"-?\d+(\.\d+)?", text):
            return text
        case 1 if kind == "boolean":
            return "TRUE" if text == "t" else "FALSE"
        case 2 if kind != "bpchar":
            return f"{plain}::{kind}"
        case 3 if kind != "bpchar":
            return f"CAST({plain} AS {kind})"
        case 4 if kind not in ("bpchar", "int2", "int4", "int8"):
            return f"{kind} {plain}"
        case 5:
            return "E'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
        case 6 if "$" not in text:
            return f"$q${text}$q$"
    return plain


def array(values):
    """An array's text form; None is NULL."""
    return "{" + ",".join("NULL" if v is None else '"' + v.text.replace("\\", "\\\\").replace('"', '\\"') + '"' for v in values) + "}"


def _common(first, last):
    count = 0
    while count < len(first) and first[count] == last[count]:
        count += 1
    return first[:count]


def _patterns():
    top = (1 << 24) - 1
    words = WORD.encode()
    yield "text", re.escape(words)
    yield "text as hexadecimal", words.hex().encode()
    wide = _common(str(WIDE).encode(), str(WIDE + top).encode())
    yield "int8", rb"(?<![0-9a-f])" + wide + rb"\d{%d}(?![0-9a-f])" % (len(str(WIDE)) - len(wide))
    yield "int8 in binary", re.escape(struct.pack(">q", WIDE)[:5])
    yield "int4", rb"(?<![0-9a-f])7193\d{5}(?![0-9a-f])"
    yield "numeric", rb"739051\.\d{6}"
    yield "numeric in binary", re.escape(bytes.fromhex("0001000000060049235b"))
    yield "float8", rb"648203\.5\d"
    yield "float8 in binary", re.escape(_common(struct.pack(">d", FLOAT), struct.pack(">d", FLOAT + top / 2**40))[:6])
    yield "uuid", UUID.encode()
    yield "uuid in binary", re.escape(bytes.fromhex(UUID.replace("-", "")))
    yield "bytea", BYTES.hex().encode()
    yield "bytea in binary", re.escape(BYTES)
    yield "timestamp or date", rb"(?<![0-9a-f])2417-\d\d-\d\d"
    yield "timestamp in binary", re.escape(_common(struct.pack(">q", MOMENT), struct.pack(">q", MOMENT + top))[:6])
    yield "time", rb"13:47:31\."
    yield "interval", rb"8137 days"
    yield "inet", rb"10\.83\.17\.\d"


PATTERNS = [(name, re.compile(pattern)) for name, pattern in _patterns()]


def leaks(sent):
    """(form, where, surroundings) of every value in what was sent."""
    return [(name, found.start(), sent[max(0, found.start() - 400) : found.end() + 40]) for name, pattern in PATTERNS for found in pattern.finditer(sent)]
