"""A database that has extension version 1.0: it works under the new library, and an update gives it what a new one has."""

import hashlib
import os
from pathlib import Path

import psycopg
import pytest

import cells

# What every database with version 1.0 was made by. Its scripts are released: new objects belong into an update.
SHA256_1_0 = "06d3f52f56ad3a049e487baad34ad2a07cbd736ef622b97fb4e16232b1bcb75b"

# Everything of the extension that has a name, and what the catalog says of it, without OIDs.
CATALOG = """
SELECT pg_describe_object(d.classid, d.objid, 0) AS object, to_jsonb(t)::text AS type, to_jsonb(p)::text AS function, to_jsonb(o)::text AS operator
FROM pg_depend d
LEFT JOIN LATERAL (SELECT typlen, typtype, typcategory, typinput::text, typoutput::text, typmodin::text, typanalyze::text, typstorage, typalign
    FROM pg_type WHERE d.classid = 'pg_type'::regclass AND oid = d.objid) t ON true
LEFT JOIN LATERAL (SELECT provolatile, proisstrict, proparallel, proleakproof, procost, prosupport::text, prosrc, prokind, prosecdef, proconfig
    FROM pg_proc WHERE d.classid = 'pg_proc'::regclass AND oid = d.objid) p ON true
LEFT JOIN LATERAL (SELECT oprcanhash, oprcanmerge, oprcom::regoperator::text AS commutator, oprnegate::regoperator::text AS negator,
    oprrest::text, oprjoin::text FROM pg_operator WHERE d.classid = 'pg_operator'::regclass AND oid = d.objid) o ON true
WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'cloister') AND d.deptype = 'e'
ORDER BY 1
"""


@pytest.fixture
def databases():
    if "CLOISTER_TEST_FOLDER" not in os.environ:
        pytest.skip("run by test/run.sh")
    names = ["update_old", "update_new"]
    with psycopg.connect(autocommit=True) as connection:
        for name in names:
            connection.execute(f"CREATE DATABASE {name}")
        opened = [psycopg.connect(dbname=name, autocommit=True) for name in names]
        yield opened
        for other in opened:
            other.close()
        for name in names:
            connection.execute(f"DROP DATABASE {name}")


def test_version_1_0_is_as_it_was_released():
    script = Path(__file__).parents[1] / "cloister--1.0.sql"
    assert hashlib.sha256(script.read_bytes()).hexdigest() == SHA256_1_0


def test_an_updated_database_has_what_a_new_one_has(databases):
    old, new = databases
    old.execute("CREATE EXTENSION cloister VERSION '1.0'")
    old.execute(f"CREATE TABLE t (c enc_int4({cells.KEY}) PRIMARY KEY, d det_int4({cells.KEY}))")
    writer = cells.Writer(b"updating")
    for number in (3, 1, 2):
        plain = cells.canonical("int4", str(number))
        row = (b"\\x" + cell.hex().encode() for cell in (writer.seal(plain, "int4", cells.KEY), cells.seal_deterministic(plain, "int4", cells.KEY)))
        old.execute("INSERT INTO t VALUES (%s::text::enc_int4, %s::text::det_int4)", [text.decode() for text in row])
    ordered = old.execute("SELECT c::text FROM t ORDER BY c").fetchall()
    with pytest.raises(psycopg.errors.UndefinedObject):
        old.execute("SELECT NULL::enc_interval")

    old.execute("ALTER EXTENSION cloister UPDATE")
    new.execute("CREATE EXTENSION cloister")
    versions = [c.execute("SELECT extversion FROM pg_extension WHERE extname = 'cloister'").fetchone() for c in databases]
    assert versions[0] == versions[1] > ("1.0",)
    theirs, ours = (connection.execute(CATALOG).fetchall() for connection in databases)
    assert len(ours) > 900 and theirs == ours
    assert old.execute("SELECT c::text FROM t ORDER BY c").fetchall() == ordered
    old.execute(f"CREATE TABLE u (i enc_interval({cells.KEY}) PRIMARY KEY, j enc_jsonb({cells.KEY}))")


def test_json_types_are_stored_and_nothing_else(databases):
    _, server = databases
    server.execute("CREATE EXTENSION cloister")
    writer = cells.Writer(b"for json")
    for name in ("enc_json", "enc_jsonb", "det_json", "det_jsonb"):
        scheme, logical = name.split("_")
        plain = b'{"a": 1}' if logical == "json" else b'\x01{"a": 1}'
        cell = writer.seal(plain, logical, cells.KEY) if scheme == "enc" else cells.seal_deterministic(plain, logical, cells.KEY)
        text = "\\x" + cell.hex()
        server.execute(f"CREATE TABLE {name}_t (c {name}({cells.KEY}) NOT NULL, a {name}[])")
        server.execute(f"INSERT INTO {name}_t VALUES (%s::text::{name}, ARRAY[%s]::{name}[])", (text, text))
        assert server.execute(f"SELECT c::text FROM {name}_t").fetchone() == (text,)
        server.execute(f"ANALYZE {name}_t")
        for statement in (f"SELECT c = c FROM {name}_t", f"SELECT c < c FROM {name}_t", f"SELECT DISTINCT c FROM {name}_t", f"SELECT max(c) FROM {name}_t",
                          f"CREATE INDEX ON {name}_t (c)", f"CREATE INDEX ON {name}_t USING hash (c)", f"SELECT c FROM {name}_t ORDER BY c"):
            with pytest.raises((psycopg.errors.UndefinedFunction, psycopg.errors.UndefinedObject)):
                server.execute(statement)
