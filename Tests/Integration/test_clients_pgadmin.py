"""pgAdmin's own queries of the catalog and of its data grid, from the templates in its package: through the proxy they give what
they give on a plaintext twin. scripts/setup.sh unpacks the templates; pgAdmin itself does not run."""

import asyncio
import pathlib
import re

import jinja2
import psycopg
import pytest
from cloister_testlib import clinic as tables
from conftest import ROOT
from psycopg import sql
from test_clients_python import open_psycopg, settings

TEMPLATES = ROOT / ".cloister" / "pgadmin" / "pgadmin4"
TABLE = "patients_pgadmin"
# The versions that a server 15 gets, best first.
VERSIONS = ["15_plus", "14_plus", "13_plus", "12_plus", "11_plus", "10_plus", "default"]
FOLDERS = {
    "schemas": "schemas/pg", "tables": "tables/sql", "columns": "columns/sql", "indexes": "indexes/sql", "keys": "index_constraint/sql",
    "foreign keys": "foreign_key/sql", "checks": "check_constraint/sql", "exclusions": "exclusion_constraint/sql", "partitions": "partitions/sql/pg",
    "triggers": "triggers/sql/pg", "policies": "row_security_policies/sql", "types": "types/pg/sql", "views": "views/pg",
    "materialized views": "mviews/pg", "type lists": "datatype/sql", "data grid": "sqleditor/sql", "catalogs": "catalog/pg",
}  # fmt: skip
# What a browser node asks to show itself; not what makes, changes or drops.
READS = re.compile(
    r"/(nodes?|properties|additional_properties|count|depend|locks|acl|backend_support|column_details|include_details|edit_mode_types(_multi)?|"
    r"fk_ref_tables|get_\w+|primary_keys|objectname|objectquery|view_id|oid|is_catalog)\.sql$")  # fmt: skip
# Parts of queries, empty ones, of another version of the server, or about a thing that these tables have not; one is wrong.
LEFT_OUT = {
    "tables/sql/default/get_inherits.sql", "types/pg/sql/default/get_external_functions.sql", "types/pg/sql/default/get_subtypes.sql",
    "tables/sql/default/get_types_where_condition.sql", "tables/sql/default/get_application_name.sql", "tables/sql/default/get_table_row_count.sql",
    "exclusion_constraint/sql/default/get_oper_class.sql", "triggers/sql/pg/default/get_columns.sql", "row_security_policies/sql/default/get_policy_name.sql",
}  # fmt: skip
# Of these the two schemas differ by themselves (owners, comments, processes, each other's tables): only the columns are compared.
SHAPES = {"schemas/pg/default/sql/acl.sql", "schemas/pg/default/sql/nodes.sql", "schemas/pg/default/sql/properties.sql", "catalog/pg/default/sql/acl.sql",
          "tables/sql/default/locks.sql", "partitions/sql/pg/default/get_attach_tables.sql"}  # fmt: skip


def name_of(path):
    """As the templates call one another: what is behind the last `templates/`."""
    return path.as_posix().rpartition("/templates/")[2]


KNOWN = {name_of(path): path for path in TEMPLATES.rglob("*") if path.suffix in (".sql", ".macros", ".macro")}


def templates():
    """By node: the queries that a server of this version gets."""
    chosen = []
    for node, folder in FOLDERS.items():
        best = {}
        for name in KNOWN:
            version = next((v for v in VERSIONS if f"/{v}/" in name), None)
            if name.startswith(folder + "/") and version and READS.search(name) and name not in LEFT_OUT:
                file = pathlib.Path(name).name
                best[file] = min(best.get(file, (len(VERSIONS), "")), (VERSIONS.index(version), name))
        chosen += [pytest.param(name, id=f"{node}: {file}") for file, (_, name) in sorted(best.items())]
    return chosen


def environment():
    made = jinja2.Environment(loader=jinja2.FunctionLoader(lambda name: KNOWN[name].read_text() if name in KNOWN else None), extensions=["jinja2.ext.do"])
    literal = lambda value, *_: value if isinstance(value, int) else sql.Literal(value).as_string()
    identifier = lambda _, *names: ".".join(sql.Identifier(name).as_string() for name in names)
    made.globals.update(_=lambda text: text)
    made.filters.update(qtLiteral=literal, qtIdent=identifier, qtTypeIdent=identifier, hasAny=lambda values, keys: any(values.get(key) for key in keys))
    return made


def show(result, name):
    """A result without the numbers of objects, in an order, and with one name for both schemas."""
    columns = [(c.name, c.type_code if c.type_code < 16384 else "made") for c in result.description]
    rows = [[value for value, column in zip(row, columns) if column[0] != "xmin"] for row in result]
    return "\n".join([_same(repr(columns)), *(sorted(_same(repr(row)) for row in rows) if name not in SHAPES else [])])


def _same(text):
    """An operator class is the server's own type's (docs/clients.md)."""
    text = re.sub(r"'\d+( \d+)+'", "'numbers'", text)
    text = re.sub(r"\b(2200|1[6-9]\d{3}|[2-9]\d{4}|\d{6,})\b", "number", text)
    return re.sub(r"\b(enc|det)_(\w+_ops)", r"\2", text).replace("plain", "public")


@pytest.fixture(scope="module")
def sides(clinic):
    """By side: (connection, what the templates are filled with)."""
    made = []
    for direct in (False, True):
        connection = open_psycopg(clinic, direct)
        connection.execute(f"DROP TABLE IF EXISTS {TABLE} CASCADE; CREATE TABLE {TABLE} ({tables.DEFINITION}, CHECK (id < 100))")
        connection.execute(f"CREATE INDEX {TABLE}_name ON {TABLE} (name, city); CREATE VIEW {TABLE}_view AS SELECT id, name, born, code FROM {TABLE}")
        connection.execute(f"CREATE MATERIALIZED VIEW {TABLE}_stored AS SELECT id, name, seen FROM {TABLE}")
        connection.execute(f"COMMENT ON COLUMN {TABLE}.name IS 'the name'")
        schema = "plain" if direct else "public"
        oid = lambda kind, name: connection.execute(f"SELECT '{name}'::{kind}::oid").fetchone()[0]
        table, index, namespace = oid("regclass", TABLE), oid("regclass", f"{TABLE}_name"), oid("regnamespace", schema)
        check = connection.execute("SELECT oid FROM pg_constraint WHERE contype = 'c' AND conrelid = %s", (table,)).fetchone()[0]
        filling = {
            "tid": table, "oid": table, "obj_id": table, "attrelid": table, "parent_id": table, "typrelid": table, "tid_list": [table], "id": table,
            "scid": namespace, "schema_oid": namespace, "idx": index, "index": index, "cid": check, "conname": f"{TABLE}_name",
            "vid": oid("regclass", f"{TABLE}_view"), "did": connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()[0],
            "table": TABLE, "table_name": TABLE, "object_name": TABLE, "tname": TABLE, "relname": TABLE, "name": TABLE, "obj_type": "r", "typtype": "c",
            "schema": schema, "nspname": schema, "nsp_name": schema, "schema_name": schema, "data": {"name": TABLE, "schema": schema, "table": TABLE},
            "constraint_type": "p", "clid": 3, "attnum": 3, "type": "c", "type_id": 25, "type_ids": "25,1043", "colcnt": 2, "cnt": 2, "limit": 10,
            "keys": [(1, 2)], "confrelid": table, "subid": table, "condition": "typisdefined AND typtype IN ('b', 'c', 'd', 'e', 'r', 'm')",
            "datlastsysoid": 16383, "lastsysoid": 16383, "show_sys_objects": False, "conn": None, "templates": "%", "server_type": "pg",
            "data_sorting": [{"name": "name", "order": "desc", "order_null": "nulls last"}, {"name": "id", "order": "asc"}], "sql_filter": "visits > 0 AND name >= 'A'",
            "show_system_objects": False, "trid": 0, "exid": 0, "plid": 0, "fkid": 0, "function": "f", "opcname": "x", "col_name": "name", "colname": "name",
        }  # fmt: skip
        made.append((connection, filling))
    yield made
    for connection, _ in made:
        connection.close()


def outcome(connection, text, name):
    text = re.sub(r"\n\s*\n", "\n", text).strip()
    try:
        with connection.transaction(force_rollback=True):
            return show(connection.execute(text, prepare=False), name)
    except psycopg.Error as error:
        return f"{error.sqlstate} {error.diag.message_primary}"


def test_there_are_templates():
    assert len(KNOWN) > 900 and len(templates()) > 130


@pytest.mark.parametrize("name", templates())
def test_queries_of_browser_nodes(sides, name):
    ours, theirs = (outcome(connection, environment().get_template(name).render(filling), name) for connection, filling in sides)
    assert theirs.startswith("[("), "the twin must know the answer"
    assert ours == theirs


def test_columns_are_of_their_logical_types(sides):
    """In so many words, for the node that shows them."""
    connection, filling = sides[0]
    query = environment().get_template("columns/sql/default/nodes.sql").render({**filling, "clid": None, "table_name": None})
    shown = {row[0]: row[3] for row in connection.execute(query)}
    assert {name: shown[name] for name in ("ssn", "name", "seen", "active", "code", "score")} == {
        "ssn": "text", "name": "text", "seen": "timestamp with time zone", "active": "boolean", "code": "character varying(10)", "score": "double precision"
    }  # fmt: skip


def test_the_data_grid_edits(sides):
    """What is sent when a row is edited: psycopg's named values, cast to what get_columns told."""
    results = []
    for connection, filling in sides:
        made = environment()
        columns = {row[0]: row[1] for row in connection.execute(made.get_template("sqleditor/sql/default/get_columns.sql").render(filling))}
        names = [name for name in tables.MARKED if name != "photo"]
        row = dict(zip(tables.COLUMNS.split(", "), tables.ROWS[0]))
        seen = [columns]

        def send(template, values, **more):
            text = made.get_template(f"sqleditor/sql/default/{template}.sql").render({
                **filling, "pgadmin_alias": {name: name for name in columns}, "data_type": columns, "type_cast_required": dict.fromkeys(columns, True),
                "has_oids": False, **more})  # fmt: skip
            cursor = connection.execute(text.strip(), values)
            seen.append((cursor.statusmessage, cursor.fetchall() if cursor.description else None))

        values = {name: str(row[name]) for name in names} | {"id": "1"}
        send("insert", values, data_to_be_saved=values, pk_names="id")
        send("select", {"id": 1}, primary_keys={"id": "int4"})
        send("update", {"name": "Grace", "born": "1906-12-09"}, data_to_be_saved={"name": 1, "born": 1}, primary_keys={"id": 1})
        send("update", {"visits": None}, data_to_be_saved={"visits": 1}, primary_keys={"id": 1})
        send("objectquery", None, sql_filter="name = 'Grace'")
        send("objectquery", None, sql_filter=None, data_sorting=[{"name": "name", "order": "asc"}], limit=5)
        send("delete", None, no_of_keys=1, primary_key_labels=["id"], data=[{"id": 1}])
        results.append(seen)
    assert results[0] == results[1]
    assert results[0][0]["born"] == "date"


def test_the_query_tool_fetches(clinic, sides):
    """Through an asynchronous connection and, if it is told to, a server-side cursor."""

    async def fetch(direct):
        where, database = settings(clinic, direct)
        options = "-c search_path=plain" if direct else None
        async with await psycopg.AsyncConnection.connect(**where, dbname=database, options=options, row_factory=psycopg.rows.dict_row) as connection:
            await connection.execute(f"INSERT INTO {TABLE} (id, name, born, balance) VALUES (21, 'Ada', '1815-12-10', 1.50), (22, 'Bob', NULL, -3)")
            seen = []
            for name in (None, "pgadmin"):
                async with connection.cursor(name) if name else connection.cursor() as cursor:
                    await cursor.execute(f"SELECT id, name, born, balance FROM {TABLE} WHERE name >= 'A' ORDER BY name DESC")
                    seen.append(([(c.name, c.type_display) for c in cursor.description], await cursor.fetchmany(1), await cursor.fetchall()))
            await connection.rollback()
        return seen

    assert asyncio.run(fetch(False)) == asyncio.run(fetch(True))
