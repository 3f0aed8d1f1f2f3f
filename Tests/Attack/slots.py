"""The enclave's own interface, from a process of root's: every opcode, bytes flipped in every operand."""

import os
import random
import struct

from harness import Succeeded, attempt

from cloister_testlib import cells, release
from cloister_testlib.enclave import COMPARE, HASH, MISMATCH, OK, PING, TUNNEL, Client
from administrator import cells_of

MATCH, AGGREGATE = 4, 5
UNGRANTED = 14


def compare(a, b):
    return struct.pack("<II", len(a), len(b)) + a + b


def match(kind, value, pattern):
    return struct.pack("<III", kind, len(value), len(pattern)) + value + pattern


def aggregate(function, *group, flags=3):
    return struct.pack("<III", function, flags, len(group)) + b"".join(struct.pack("<I", len(cell)) + cell for cell in group)


@attempt("slot", "a connection of root's own asks for comparisons of stolen cells")
def stolen(world):
    salary, name = cells_of(world, "salary"), cells_of(world, "name")
    answers = set()
    with Client(world.socket) as client:
        for opcode, request in [(COMPARE, compare(salary[0], salary[1])), (HASH, salary[0]), (MATCH, match(1, name[0], name[1])), (AGGREGATE, aggregate(1, *salary))]:
            answers.add(client.call(opcode, request))
    if OK in answers:
        raise Succeeded("an answer")
    return f"statuses {sorted(answers)}"


@attempt("slot", "every opcode from 0 to 300, and none that decrypts")
def opcodes(world):
    salary = cells_of(world, "salary")[0]
    served = []
    with Client(world.socket) as client:
        for opcode in range(300):
            if opcode in (PING, COMPARE, HASH, MATCH, AGGREGATE, TUNNEL):
                continue
            for request in (b"", salary, compare(salary, salary)):
                if client.call(opcode, request) == OK:
                    served.append(opcode)
    if served:
        raise Succeeded(str(served))
    return "BAD_REQUEST"


def own_key(world, operations=15 | 5 << 16):
    """A key of the attacker's own, released to the genuine enclave: he may, and learns nothing of others'."""
    key, number = os.urandom(32), 900_000 + random.randrange(1000)
    from cryptography.hazmat.primitives import serialization
    import time

    root = serialization.load_pem_public_key((world.stack.dir / "platform/tee-root.pem").read_bytes())
    with Client(world.socket) as client:
        session = release.Session(client.tunnel)
        welcome = client.tunnel(session.hello)
        report = release.Report(welcome[41:])
        session.open(root, report.measurement, int(time.time()))
        session.release([(number, key, operations)])
    return key, number


@attempt("slot", "one bit flipped in each byte of each operand of each opcode")
def flips(world):
    key, number = own_key(world)
    stored = [cells.seal(key, number, "text", f"value {i}".encode(), b"attacker", i) for i in range(6)]
    numbers = [cells.seal(key, number, "int4", struct.pack(">i", i), b"attacker", 100 + i) for i in range(6)]
    operand = cells.seal(key, number, "text", b"value%", b"attacker", 50, cells.OPERAND)
    tried = 0
    with Client(world.socket) as client:
        def denied(opcode, make, *parts):
            nonlocal tried
            control = client.call(opcode, make(*parts))
            assert control == OK, (opcode, control)
            for index, part in enumerate(parts):
                for position in range(len(part)):
                    altered = bytearray(part)
                    altered[position] ^= 1 << position % 8
                    tried += 1
                    status = client.call(opcode, make(*parts[:index], bytes(altered), *parts[index + 1:]))
                    if status == OK:
                        raise Succeeded(f"opcode {opcode}, operand {index}, byte {position}")

        denied(COMPARE, compare, stored[0], stored[1])
        denied(COMPARE, compare, stored[0], operand)
        denied(HASH, lambda cell: cell, stored[0])
        for kind in (1, 2, 3):
            denied(MATCH, lambda value, pattern, kind=kind: match(kind, value, pattern), stored[0], operand)
        denied(AGGREGATE, lambda *group: aggregate(1, *group), *numbers)
    return f"{tried} altered cells, none served"


@attempt("slot", "cells of different keys, types, collations, algorithms and roles against each other")
def mixtures(world):
    (key, number), (other, second) = own_key(world), own_key(world)
    value = struct.pack(">i", 5)
    base = cells.seal(key, number, "int4", value, b"attacker", 1)
    result = cells.seal(key, number, "int4", value, b"attacker", 9, cells.RESULT)
    mixed = {
        "key": cells.seal(other, second, "int4", value, b"attacker", 2), "type": cells.seal(key, number, "date", value, b"attacker", 3),
        "collation": cells.seal(key, number, "int4", value, b"attacker", 4, collation=1), "algorithm": cells.seal_deterministic(key, number, "int4", value),
        "result": result, "operand of another writer": None,
    }
    with Client(world.socket) as client:
        assert client.call(COMPARE, compare(base, base)) == OK
        for what, cell in mixed.items():
            if cell is None:
                a = cells.seal(key, number, "int4", value, b"attacker", 5, cells.OPERAND)
                b = cells.seal(key, number, "int4", value, b"another!", 5, cells.OPERAND)
                pairs = [(a, b)]
            else:
                pairs = [(base, cell), (cell, base)]
            for a, b in pairs:
                if client.call(COMPARE, compare(a, b)) == OK:
                    raise Succeeded(what)
        for cell in (result, mixed["algorithm"]):
            if client.call(HASH, cell) == OK:
                raise Succeeded("hash of a result or deterministic cell")
    return f"{len(mixed)} mixtures refused"


@attempt("slot", "aggregates of one row, of one row repeated, below the key's minimum group")
def small_groups(world):
    key, number = own_key(world, 8 | 5 << 16)
    group = [cells.seal(key, number, "int4", struct.pack(">i", i), b"attacker", i) for i in range(5)]
    with Client(world.socket) as client:
        assert client.call(AGGREGATE, aggregate(1, *group)) == OK
        for bad in ([group[0]], group[:4], [group[0]] * 5, [group[0], group[0], *group[1:]], [*group[:4], group[3]]):
            if client.call(AGGREGATE, aggregate(1, *bad)) == OK:
                raise Succeeded(f"{len(bad)} cells")
    return "5 groups refused"


@attempt("slot", "the attacker's own grantor vouches for his session under the real keys")
def own_grantor(world):
    grantor = (os.urandom(8), os.urandom(32))
    import time

    from cryptography.hazmat.primitives import serialization

    root = serialization.load_pem_public_key((world.stack.dir / "platform/tee-root.pem").read_bytes())
    salary = cells_of(world, "salary")
    with Client(world.socket) as client:
        session = release.Session(client.tunnel)
        report = release.Report(client.tunnel(session.hello)[41:])
        session.open(root, report.measurement, int(time.time()))
        session.confirm(client.tunnel(session.frame([(910_000, os.urandom(32), 3)], grantor=grantor)))
        assert release.grant(client.tunnel, grantor, 1) == b"\x0b"  # for his own keys he may
        status = client.call(COMPARE, compare(salary[0], salary[1]))
    if status != UNGRANTED:
        raise Succeeded(f"status {status}")
    return "UNGRANTED"


@attempt("slot", "a recorded RELEASE, GRANT and WELCOME replayed")
def replays(world):
    key = os.urandom(32)
    import time

    from cryptography.hazmat.primitives import serialization

    root = serialization.load_pem_public_key((world.stack.dir / "platform/tee-root.pem").read_bytes())
    grantor = (os.urandom(8), os.urandom(32))
    with Client(world.socket) as client, Client(world.socket) as other:
        session = release.Session(client.tunnel)
        welcome = client.tunnel(session.hello)
        report = release.Report(welcome[41:])
        session.open(root, report.measurement, int(time.time()))
        frame = session.frame([(920_000, key, 3)], grantor=grantor)
        session.confirm(client.tunnel(frame))
        if client.tunnel(frame)[0] == 4 or other.tunnel(frame)[0] == 4:
            raise Succeeded("RELEASE")
        recorded = []
        assert release.grant(client.tunnel, grantor, 7, lambda sent: recorded.append(sent) or sent) == b"\x0b"
        other.tunnel(b"\x08")
        for victim in (client, other):
            if victim.tunnel(recorded[0]) == b"\x0b":
                raise Succeeded("GRANT")
        again = release.Session(lambda hello: welcome)
        try:
            again.open(root, report.measurement, int(time.time()))
        except release.Refused as refusal:
            return f"counter used, nonce spent, WELCOME: {refusal}"
    raise Succeeded("WELCOME")
