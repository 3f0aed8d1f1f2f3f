"""Catalog queries through the proxy: what a client reads of marked columns' types is what it would read of plaintext ones."""

import pathlib
import re

import psycopg
import pytest
from cloister_testlib import clinic as tables
from conftest import running_stack
from test_clients_python import open_psycopg

TABLE = "patients_catalog"
QUERIES = pathlib.Path(__file__).parent / "clients" / "catalog-queries.sql"


def queries():
    """The queries of the file: `-- name: …` begins one."""
    parts = (part.partition("\n") for part in QUERIES.read_text().split("-- name: ")[1:])
    return [pytest.param(text.strip().rstrip(";"), id=name.strip()) for name, _, text in parts]


@pytest.fixture(scope="module")
def twins(clinic):
    """A connection through the proxy and one to the twin; both have the same table."""
    with open_psycopg(clinic, False) as ours, open_psycopg(clinic, True) as theirs:
        for connection in (ours, theirs):
            connection.execute(f"DROP TABLE IF EXISTS {TABLE} CASCADE; CREATE TABLE {TABLE} ({tables.DEFINITION})")
            connection.execute(f"CREATE INDEX {TABLE}_name ON {TABLE} (name); CREATE VIEW {TABLE}_view AS SELECT id, name, born FROM {TABLE}")
        yield ours, theirs


@pytest.mark.parametrize("text", queries())
def test_queries_of_known_clients(twins, text):
    results = []
    for connection in twins:
        schema = "plain" if connection is twins[1] else "public"
        oid = connection.execute("SELECT %s::regclass::oid", (TABLE,)).fetchone()[0]
        rows = []
        for prepared in (None, True):
            cursor = connection.execute(
                re.sub("(?<!:):(table|schema)", r"%(\1)s", re.sub("(?<!:):oid", str(oid), text.replace("%", "%%"))),
                {"table": TABLE, "schema": schema}, prepare=prepared)  # fmt: skip
            rows.append(([c.name for c in cursor.description], [c.type_code for c in cursor.description if c.type_code < 16384], cursor.fetchall()))
        assert rows[0] == rows[1] and rows[0][2]
        # pg_attver: the server's own mark of a column's version.
        results.append(re.sub(r"pg_attver=\d+", "", str(rows).replace(str(oid), "OID").replace("public", "plain")))
    assert results[0] == results[1]


def test_a_lookup_by_relation_stays_one_by_index(twins):
    plan = "\n".join(line for line, in twins[0].execute(f"EXPLAIN SELECT * FROM pg_attribute WHERE attrelid = '{TABLE}'::regclass AND attnum > 0"))
    assert "Index Scan using pg_attribute_relid_attnum_index" in plan and "Seq Scan" not in plan and "Join" not in plan


def test_what_is_locked_or_written_is_the_table_itself(twins):
    types = "SELECT atttypid::regtype::text FROM pg_attribute WHERE attrelid = 'patients_catalog'::regclass AND attname = 'name'"
    assert twins[0].execute(types).fetchone() == ("text",)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        twins[0].execute(types + " FOR UPDATE")
    assert twins[0].execute(types.replace("SELECT", "SELECT tableoid::regclass::text,")).fetchone() == ("pg_attribute", "enc_text")


def test_the_setting_turns_it_off():
    config = "catalog: { logical_types: false }\n" + tables.config(TABLE)
    with running_stack(config) as stack, stack.proxy() as connection:
        connection.execute(f"CREATE TABLE {TABLE} ({tables.DEFINITION})")
        query = f"SELECT format_type(atttypid, -1) FROM pg_attribute WHERE attrelid = '{TABLE}'::regclass AND attname IN ('ssn', 'name') ORDER BY 1"
        assert connection.execute(query).fetchall() == [("det_text",), ("enc_text",)]
