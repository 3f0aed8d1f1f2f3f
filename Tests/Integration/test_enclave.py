"""cloister-tee and cloister-enclave, the real binaries: attested key release, comparison, hashing, liveness."""

import os
import random
import signal
import struct
import subprocess
import time

import pytest

from cloister_testlib import cells, enclave, release
from cloister_testlib.cells import OPERAND, RESULT, STORED, numeric, seal
from cloister_testlib.enclave import BAD_CELL, BAD_REQUEST, FORBIDDEN, MISMATCH, NO_KEY, OK, TOO_LARGE, Client, TEE

KEY, KEY_ID = os.urandom(32), 7
OTHER, OTHER_ID = os.urandom(32), 8
COMPARE_ONLY, COMPARE_ONLY_ID = os.urandom(32), 9
EVERYTHING = [(KEY_ID, KEY, 3), (OTHER_ID, OTHER, 3), (COMPARE_ONLY_ID, COMPARE_ONLY, 1)]


@pytest.fixture(scope="module")
def tee(tmp_path_factory):
    running = TEE(tmp_path_factory.mktemp("enclave"), "--max-slots", "8")
    running.release(EVERYTHING)
    yield running
    assert running.stop() == 0
    assert not running.socket.exists()


@pytest.fixture
def client(tee):
    with Client(tee.socket) as connected:
        yield connected


# Values in PostgreSQL 15's ascending order; those of one inner list are equal. Canonical bytes on the right.
def pack(form):
    return lambda value: struct.pack(form, value)


DAY, MICROSECOND = pack(">i"), pack(">q")
ORDERS = {
    "boolean": [[b"\0"], [b"\1"]],
    "int2": [[pack(">h")(v)] for v in (-32768, -1, 0, 1, 256, 32767)],
    "int4": [[DAY(v)] for v in (-(2**31), -70000, -1, 0, 1, 65536, 2**31 - 1)],
    "int8": [[MICROSECOND(v)] for v in (-(2**63), -(2**40), -1, 0, 1, 2**33, 2**63 - 1)],
    "float8": [
        [pack(">d")(v) for v in group]
        for group in ([float("-inf")], [-1e300], [-1.5], [-5e-324], [0.0, -0.0], [5e-324], [1.5], [1e300], [float("inf")])
    ] + [[bytes.fromhex("7ff8000000000000"), bytes.fromhex("fff8000000000001")]],
    "numeric": [
        [numeric(v) for v in group]
        for group in (
            ["-Infinity"], ["-100000000000000000000"], ["-10000.0001"], ["-10000"], ["-1.5", "-1.50000"], ["-0.00001"],
            ["0", "0.0000", "-0"], ["0.00000000001"], ["0.0001"], ["0.1", "0.10"], ["1"], ["1.0001"], ["9999"],
            ["10000", "10000.00"], ["10000.5"], ["20000"], ["123456789012345678901234567890.123"], ["Infinity"], ["NaN"],
        )
    ],
    "text": [[v.encode()] for v in ("", " ", "A", "AA", "B", "a", "a ", "aa", "b", "zz", "é", "日本")],
    "varchar": [[v.encode()] for v in ("", "Z", "a", "ab")],
    "bytea": [[v] for v in (b"", b"\0", b"\0\0", b"\0\1", b"\x7f", b"\x80", b"\xff", b"\xff\0")],
    "date": [[DAY(v)] for v in (-(2**31), -2451545, -1, 0, 8000, 2**31 - 1)],
    "timestamp": [[MICROSECOND(v)] for v in (-(2**63), -1, 0, 1, 10**15, 2**63 - 1)],
    "timestamptz": [[MICROSECOND(v)] for v in (-(2**63), -1, 0, 1, 10**15, 2**63 - 1)],
    "float4": [[pack(">f")(v) for v in group] for group in ([float("-inf")], [-1.5], [0.0, -0.0], [1e-45], [1.5], [float("inf")])]
    + [[bytes.fromhex("7fc00000"), bytes.fromhex("ffc00001")]],
    "bpchar": [[b"", b"  "], [b" a"], [b"!"], [b"a", b"a "], [b"a !"], [b"ab"]],
    "time": [[MICROSECOND(v)] for v in (0, 1, 86_400_000_000)],
    "timetz": [[pack(">q")(t) + DAY(z)] for t, z in ((0, -3600), (0, 0), (3_600_000_000, -3600 + 1), (0, 3600), (10**10, 0))],
    "interval": [
        [pack(">q")(us) + DAY(days) + DAY(months) for us, days, months in group]
        for group in (
            [(0, 0, -1)], [(-1, 0, 0)], [(0, 0, 0), (0, -30, 1)], [(1, 0, 0)], [(0, 1, 0), (86_400_000_000, 0, 0)],
            [(0, 0, 1), (0, 30, 0), (0, 60, -1)], [(0, 0, 12), (0, 360, 0)], [(0, 365, 0)], [(2**63 - 1, 2**31 - 1, 2**31 - 1)],
        )
    ],
    "inet": [[bytes.fromhex(v)] for v in ("0200000400000000", "020800040a000000", "021000040a000000", "021000040a000001", "022000040a000000",
                                          "03000010" + "00" * 16, "03800010" + "00" * 15 + "01")],
    "uuid": [[bytes.fromhex(v)] for v in ("00" * 16, "00" * 15 + "01", "7f" * 16, "80" + "00" * 15, "ff" * 16)],
}


@pytest.mark.parametrize("type_name", ORDERS)
def test_compares_as_postgresql_orders(client, type_name):
    values = [(rank, value) for rank, group in enumerate(ORDERS[type_name]) for value in group]
    for i, (rank_a, a) in enumerate(values):
        for j, (rank_b, b) in enumerate(values):
            stored = seal(KEY, KEY_ID, type_name, a, counter=i)
            operand = seal(KEY, KEY_ID, type_name, b, counter=j, writer=b"writer-2", role=OPERAND)
            assert client.compare(stored, operand) == (OK, (rank_a > rank_b) - (rank_a < rank_b)), (a, b)


@pytest.mark.parametrize("type_name", ORDERS)
def test_equal_values_hash_alike_and_others_do_not(client, type_name):
    hashes = []
    for group in ORDERS[type_name]:
        answers = {client.hash(seal(KEY, KEY_ID, type_name, v, counter=i, role=i % 2)) for i, v in enumerate(group * 2)}
        assert len(answers) == 1
        hashes.append(answers.pop())
    assert len(set(hashes)) == len(hashes) and all(status == OK for status, _ in hashes)


def test_hash_is_the_keyed_hash_of_the_normalised_value(client):
    for type_name, value, normalized in (
        ("text", b"abc", b"abc"), ("int4", struct.pack(">i", -5), struct.pack(">i", -5)),
        ("float8", struct.pack(">d", -0.0), bytes(8)), ("numeric", numeric("1.500"), numeric("1.5")),
        ("numeric", numeric("-0.000"), bytes(8)), ("numeric", numeric("12340000.00"), numeric("12340000")),
        ("numeric", numeric("0.00012000"), numeric("0.00012")),
    ):
        assert client.hash(seal(KEY, KEY_ID, type_name, value)) == (OK, cells.keyed_hash(KEY, type_name, normalized))


def test_random_numerics_compare_as_python_decimals(client):
    from decimal import Decimal

    rng = random.Random(1)

    def some():
        digits = "".join(rng.choice("0123456789") for _ in range(rng.randint(1, 30)))
        point = rng.randint(0, len(digits))
        return rng.choice(["", "-"]) + (digits[:point] or "0") + ("." + digits[point:] if point < len(digits) else "")

    texts = [some() for _ in range(60)]
    texts += [t + "0" if "." in t else t + ".0" for t in texts[:10]]
    for i in range(400):
        a, b = rng.choice(texts), rng.choice(texts)
        expected = (Decimal(a) > Decimal(b)) - (Decimal(a) < Decimal(b))
        assert client.compare(seal(KEY, KEY_ID, "numeric", numeric(a)), seal(KEY, KEY_ID, "numeric", numeric(b))) == (OK, expected), (a, b)


# Who may meet whom.

def cell(role=STORED, writer=b"writer-1", key=KEY, key_id=KEY_ID, type_name="int4", value=b"\0\0\0\5", counter=1, **more):
    return seal(key, key_id, type_name, value, writer, counter, role, **more)


@pytest.mark.parametrize("a, b, expected", [
    (cell(), cell(), OK),
    (cell(), cell(OPERAND, b"writer-2"), OK),
    (cell(OPERAND, b"writer-2"), cell(), OK),
    (cell(OPERAND), cell(OPERAND, counter=2), OK),
    (cell(OPERAND), cell(OPERAND, b"writer-2"), MISMATCH),
    (cell(RESULT), cell(), MISMATCH),
    (cell(), cell(RESULT), MISMATCH),
    (cell(RESULT), cell(RESULT), MISMATCH),
    (cell(), cell(key=OTHER, key_id=OTHER_ID), MISMATCH),
    (cell(), cell(type_name="date"), MISMATCH),
    (cell(), cell(collation=1), MISMATCH),
    (cell(collation=1), cell(collation=1), MISMATCH),
    (cells.seal_deterministic(KEY, KEY_ID, "int4", b"\0\0\0\5"), cell(), MISMATCH),
    (cells.seal_deterministic(KEY, KEY_ID, "int4", b"\0\0\0\5"), cells.seal_deterministic(KEY, KEY_ID, "int4", b"\0\0\0\5"), MISMATCH),
    (cell(key=os.urandom(32), key_id=1234), cell(key_id=1234), NO_KEY),
    (cell(key=OTHER), cell(), BAD_CELL),
    (cell(value=b"\0\0\5"), cell(), BAD_CELL),
    (cell(value=b""), cell(), BAD_CELL),
    (cell(type_name="boolean", value=b"\2"), cell(type_name="boolean", value=b"\1"), BAD_CELL),
    (cell(type_name="numeric", value=numeric("1")[:-1]), cell(type_name="numeric", value=numeric("1")), BAD_CELL),
    (cell(type_name="numeric", value=b"\0\1\0\0\0\0\0\0\x27\x10"), cell(type_name="numeric", value=numeric("1")), BAD_CELL),
    (cell(key=COMPARE_ONLY, key_id=COMPARE_ONLY_ID), cell(key=COMPARE_ONLY, key_id=COMPARE_ONLY_ID), OK),
], ids=str)
def test_roles_keys_types_and_tags(client, a, b, expected):
    assert client.compare(a, b)[0] == expected


def test_policy_forbids_hash(client):
    assert client.hash(cell(key=COMPARE_ONLY, key_id=COMPARE_ONLY_ID))[0] == FORBIDDEN
    assert client.hash(cell(RESULT))[0] == MISMATCH


def test_every_flipped_bit_is_refused(client):
    good = cell(type_name="text", value=b"abc")
    for position in range(len(good)):
        for bit in (0, 7):
            bad = bytearray(good)
            bad[position] ^= 1 << bit
            for pair in ((bytes(bad), good), (good, bytes(bad))):
                assert client.compare(*pair)[0] in (BAD_CELL, MISMATCH, NO_KEY), position
            assert client.hash(bytes(bad))[0] in (BAD_CELL, MISMATCH, NO_KEY)
    assert client.compare(good, good) == (OK, 0)


def test_a_role_can_not_be_changed(client):
    """The header is authenticated: an operand presented as stored is refused, cached keys or not."""
    good = cell(OPERAND)
    assert client.compare(cell(), good)[0] == OK
    assert client.compare(cell(), bytes([good[0], STORED << 4 | 1]) + good[2:])[0] == BAD_CELL
    assert client.compare(cell(), good)[0] == OK


def test_framing(client):
    assert client.call(enclave.PING) == OK
    assert client.call(enclave.PING, b"x") == BAD_REQUEST
    a = cell()
    for request in (
        b"", b"\0" * 7, struct.pack("<II", len(a), len(a)) + a, struct.pack("<II", len(a), len(a)) + a + a + b"x",
        struct.pack("<II", 2**32 - 1, 2**32 - 1) + a + a, struct.pack("<II", 2**32 - 8, 0), struct.pack("<II", len(a) * 2, 2**32 - len(a)) + a + a,
    ):
        assert client.call(enclave.COMPARE, request) == BAD_REQUEST
    assert client.call(enclave.COMPARE, struct.pack("<II", 0, 0)) == BAD_CELL
    assert client.call(enclave.HASH, b"") == BAD_CELL
    for opcode in (0, 4, 15, 17, 2**31, 2**32 - 1):
        assert client.call(opcode, a) == BAD_REQUEST
    client.post(enclave.PING, 2**32 - 1)
    assert client.wait() == TOO_LARGE
    client.post(enclave.HASH, enclave.SLOT_BYTES - enclave.DATA + 1)
    assert client.wait() == TOO_LARGE


def test_the_largest_cell(client):
    size = (enclave.SLOT_BYTES - enclave.DATA - 8) // 2 - 40
    a, b = (cell(type_name="text", value=b"x" * (size - 1) + last) for last in (b"y", b"z"))
    assert client.compare(a, b) == (OK, -1)
    assert client.hash(a) == (OK, cells.keyed_hash(KEY, "text", b"x" * (size - 1) + b"y"))


# Key release.

def test_report_and_status(tee, client):
    session = tee.session(client)
    assert tee.measurement == "sha384:" + tee.expected_measurement().hex()
    assert (session.report.platform, session.report.region) == (1, 1)
    boot, version, keys = release.status(client.tunnel)
    assert boot == client.boot and version >= 1 and keys == [KEY_ID, OTHER_ID, COMPARE_ONLY_ID]


def test_release_is_confirmed(tee, client):
    boot, count = tee.session(client).release(EVERYTHING)
    assert (boot, count) == (client.boot, 3)


def refusal(client, frame):
    answer = client.tunnel(frame)
    assert answer[0] == 7, answer[:1]
    return answer[1]


def test_replayed_altered_and_foreign_frames(tee, client):
    session = tee.session(client)
    first = session.frame(EVERYTHING)
    session.confirm(client.tunnel(first))
    assert refusal(client, first) == release.REPLAYED
    assert refusal(client, session.frame(EVERYTHING, counter=0)) == release.REPLAYED
    good = session.frame(EVERYTHING)
    for position in (0, 1, 9, 16, 17, 20, len(good) - 1):
        bad = bytearray(good)
        bad[position] ^= 1
        assert refusal(client, bytes(bad)) in (release.MALFORMED, release.UNKNOWN_SESSION, release.REPLAYED, release.NOT_AUTHENTIC)
    session.confirm(client.tunnel(good))
    other = tee.session(client)
    foreign = session.frame(EVERYTHING)
    assert refusal(client, foreign[:1] + other.id + foreign[9:]) == release.NOT_AUTHENTIC
    assert refusal(client, b"\x03" + os.urandom(8) + good[9:]) == release.UNKNOWN_SESSION


def test_a_jump_of_the_counter_closes_what_was_skipped(tee, client):
    session = tee.session(client)
    late = session.frame(EVERYTHING)
    session.confirm(client.tunnel(session.frame(EVERYTHING, counter=1000)), counter=1000)
    assert refusal(client, late) == release.REPLAYED


def test_malformed_frames(tee, client):
    session = tee.session(client)
    for frame in (b"\x01", session.hello + b"x", session.hello[:-1], b"\x02" + bytes(500), b"\x04", b"\x05x", b"\x06", b"\xff", b"\x03" + session.id, b"\x03" + bytes(16)):
        assert refusal(client, frame) == release.MALFORMED
    assert refusal(client, b"\x01" + bytes(32)) == release.MALFORMED  # a public key of small order
    assert client.call(enclave.TUNNEL, b"") == OK
    assert client.call(enclave.TUNNEL, bytes(64 * 1024 + 1)) == TOO_LARGE
    for keys in ([], [(0, KEY, 3)], [(2**31, KEY, 3)], [(50, KEY, 3), (50, OTHER, 3)]):
        assert refusal(client, session.frame(keys)) in (release.MALFORMED, release.BAD_KEY)
    assert 50 not in release.status(client.tunnel)[2]


def test_a_released_key_can_be_narrowed_and_replaced(tee, client):
    key_id, key = 60, os.urandom(32)
    a = cell(key=key, key_id=key_id)
    assert client.compare(a, a)[0] == NO_KEY
    tee.release([(key_id, key, 3)])
    assert (client.compare(a, a), client.hash(a)[0]) == ((OK, 0), OK)
    tee.release([(key_id, key, 1)])
    assert (client.compare(a, a), client.hash(a)[0]) == ((OK, 0), FORBIDDEN)
    tee.release([(key_id, os.urandom(32), 3)])
    assert client.compare(a, a)[0] == BAD_CELL
    tee.release([(key_id, key, 0)])
    assert client.compare(a, a)[0] == FORBIDDEN


def test_a_sessions_place_is_bounded(tee, client):
    old = tee.session(client)
    for _ in range(70):
        release.Session(client.tunnel).tunnel(b"\x01" + os.urandom(32))
    assert refusal(client, old.frame(EVERYTHING)) == release.UNKNOWN_SESSION


# Platforms and images that must not be believed.

def test_a_flipped_byte_in_the_image_is_another_measurement(tmp_path):
    original = enclave.executable("cloister-enclave").read_bytes()
    changed = bytearray(original)
    at = original.index(b"is not an option")  # text of the program: the changed one still runs
    changed[at] ^= 0x20
    image = tmp_path / "changed-enclave"
    image.write_bytes(changed)
    image.chmod(0o755)
    running = TEE(tmp_path, enclave=image)
    try:
        with Client(running.socket) as client, pytest.raises(release.Refused, match="measurement"):
            release.Session(client.tunnel).open(
                running.root, enclave.hashlib.sha384(original).digest(), int(time.time()))
    finally:
        running.stop()


def test_each_claim_of_the_report_is_checked(tee, client, tmp_path):
    root, good, now = tee.root, tee.expected_measurement(), int(time.time())

    def check(**changes):
        session = release.Session(client.tunnel)
        arguments = {"root": root, "measurement": good, "now": now, **changes}
        return session.open(arguments.pop("root"), arguments.pop("measurement"), arguments.pop("now"), **arguments)

    check()
    from cryptography.hazmat.primitives.asymmetric import ec

    for expected, changes in (
        ("root", {"root": ec.generate_private_key(ec.SECP384R1()).public_key()}), ("measurement", {"measurement": bytes(48)}),
        ("expired", {"now": now + 3 * 365 * 86400}), ("expired", {"now": now - 86400}), ("version", {"minimum_version": 2}),
    ):
        with pytest.raises(release.Refused, match=expected):
            check(**changes)

    def tampered(position):
        def tunnel(frame):
            answer = bytearray(client.tunnel(frame))
            if answer[0] == 2:
                answer[position] ^= 1
            return bytes(answer)

        release.Session(tunnel).open(root, good, now)

    for position in (9, 41 + 8, 41 + 20, 41 + 60, 41 + 92, 41 + 164 + 10, 41 + 476):
        with pytest.raises(release.Refused):
            tampered(position)
    # A report made for another HELLO.
    first = release.Session(client.tunnel)
    recorded = client.tunnel(first.hello)
    with pytest.raises(release.Refused, match="nonce"):
        release.Session(lambda frame: recorded).open(root, good, now)


def test_debug_is_told(tmp_path):
    running = TEE(tmp_path, "--debug")
    try:
        with Client(running.socket) as client:
            with pytest.raises(release.Refused, match="debug"):
                running.session(client)
            assert running.session(client, allow_debug=True).report.flags == 1
    finally:
        running.stop()


def test_the_platforms_identity_stays(tmp_path):
    first = TEE(tmp_path)
    root = (first.state / "tee-root.pem").read_bytes()
    assert [oct(p.stat().st_mode & 0o777) for p in sorted(first.state.glob("*-key.pem"))] == ["0o600", "0o600"]
    assert first.stop() == 0
    second = TEE(tmp_path)
    assert (second.state / "tee-root.pem").read_bytes() == root
    second.release(EVERYTHING)
    second.stop()


def test_measure_prints_the_digest():
    image = enclave.executable("cloister-enclave")
    printed = subprocess.run([enclave.executable("cloister-tee"), "--measure", image], capture_output=True, text=True, check=True).stdout
    assert printed == "sha384:" + enclave.hashlib.sha384(image.read_bytes()).hexdigest() + "\n"
