"""schemas/vectors/cell-v1.json against cells.py (which makes the other tests' cells) and against the types' input."""

import json
import os
import struct
from pathlib import Path

import psycopg
import pytest

import cells

VECTORS = json.loads((Path(__file__).parents[3] / "schemas/vectors/cell-v1.json").read_text())
ROLES = {"stored": cells.STORED, "operand": cells.OPERAND, "result": cells.RESULT}
CELLS = [v for v in VECTORS["cells"] if v["type"] in cells.TAGS]


@pytest.fixture
def use(monkeypatch):
    """`use(vector)` makes the vector's column key the one of its id, instead of the tests'."""

    def forget():
        cells.derive.cache_clear()
        cells.gcm.cache_clear()

    def use(vector):
        forget()
        monkeypatch.setattr(cells, "column_key", {vector["key_id"]: bytes.fromhex(vector["cek"])}.__getitem__)

    yield use
    forget()


@pytest.fixture(scope="module")
def server():
    if "CLOISTER_TEST_FOLDER" not in os.environ:
        pytest.skip("run by test/run.sh")
    with psycopg.connect(autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS cloister")
        yield connection


def says(server, cell, type_name):
    """The SQLSTATEs of taking the cell in text and in binary form; None is success."""
    states = []
    text = "\\x" + cell.hex()
    bare = type_name.partition("(")[0]
    server.execute(f"CREATE TEMP TABLE IF NOT EXISTS took_{bare} (c {bare})")
    row = b"PGCOPY\n\xff\r\n\0" + bytes(8) + struct.pack(">hi", 1, len(cell)) + cell + b"\xff\xff"
    try:
        assert server.execute(f"SELECT (%s::{type_name})::text", (text,)).fetchone() == (text,)
        states.append(None)
    except psycopg.Error as error:
        states.append(error.sqlstate)
    try:
        with server.cursor().copy(f"COPY took_{bare} FROM STDIN BINARY") as copy:
            copy.write(row)
        states.append(None)
    except psycopg.Error as error:
        states.append(error.sqlstate)
    return states


def test_the_tests_seal_as_the_vectors_do(use):
    for v in CELLS:
        use(v)
        plaintext, key_id = bytes.fromhex(v["plaintext"]), v["key_id"]
        if v["collation"] != 0:
            continue
        if v["scheme"] == "deterministic":
            sealed = cells.seal_deterministic(plaintext, v["type"], key_id)
        else:
            writer = cells.Writer(bytes.fromhex(v["writer"]))
            writer.counter = int(v["counter"])
            sealed = writer.seal(plaintext, v["type"], key_id, ROLES[v["role"]])
            assert cells.open_cell(sealed) == (ROLES[v["role"]], writer.writer, v["type"], key_id, plaintext), v["name"]
        assert sealed.hex() == v["cell"], v["name"]


def test_the_tests_hash_as_the_vectors_do(use):
    for v in VECTORS["hashes"]:
        use(v)
        if v["type"] not in cells.TAGS or v["collation"] != 0:
            continue
        normalized = bytes.fromhex(v["normalized"])
        assert cells.normal(v["type"], normalized) == normalized, v["name"]
        hashed = int.from_bytes(cells.hash_of(v["type"], v["key_id"], normalized), "little")
        assert hashed == int(v["hash"], 16), v["name"]


def test_the_types_take_the_vectors(server):
    for v in CELLS:
        cell = bytes.fromhex(v["cell"])
        prefix, other = ("det", "enc") if v["scheme"] == "deterministic" else ("enc", "det")
        assert says(server, cell, f"{prefix}_{v['type']}") == [None, None], v["name"]
        assert says(server, cell, f"{other}_{v['type']}") == ["22P02", "22P03"], v["name"]
        wrong = "int4" if v["type"] != "int4" else "int8"
        assert says(server, cell, f"{prefix}_{wrong}") == ["22P02", "22P03"], v["name"]
        keyed = says(server, cell, f"{prefix}_{v['type']}({v['key_id']})")[0]
        assert keyed == (None if v["role"] == "stored" else "22000"), v["name"]
        assert says(server, cell, f"{prefix}_{v['type']}(12345)")[0] == "22000", v["name"]


def well_formed(cell, type_name):
    """What schemas/cell-v1.md, section 1, lets a reader see without a key."""
    if len(cell) < 24 or cell[0] != 1 or cell[2] != cells.TAGS[type_name]:
        return False
    role, algorithm = divmod(cell[1], 16)
    return algorithm == cells.GCM and role <= 2 and len(cell) >= 40 and 0 < struct.unpack(">i", cell[4:8])[0]


def test_the_types_refuse_what_is_not_a_cell(server, use):
    accepted = 0
    for v in VECTORS["refused"]:
        cell = bytes.fromhex(v["cell"])
        use(v)
        try:
            cells.open_cell(cell)
            pytest.fail(v["name"])
        except (ValueError, KeyError):
            pass
        for type_name in ["date", "text"]:
            good = well_formed(cell, type_name)
            accepted += good
            assert says(server, cell, f"enc_{type_name}") == ([None, None] if good else ["22P02", "22P03"]), v["name"]
    assert 0 < accepted < len(VECTORS["refused"])  # a flipped tag is the enclave's to find
