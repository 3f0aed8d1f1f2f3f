"""Python's drivers on marked columns: each does the same work through the proxy and on a plaintext twin, and sees the same."""

import asyncio
import datetime
import decimal
import io
import uuid

import asyncpg
import pg8000.dbapi
import psycopg
import psycopg2
import psycopg2.extras
import psycopg2.errorcodes
import pytest
from cloister_testlib import clinic as tables

MARKS = len(tables.ROWS[0])


def settings(clinic, direct):
    values = clinic.environment
    port = clinic.direct_port if direct else clinic.proxy_port
    return {"host": values["PGHOST"], "port": port, "user": values["PGUSER"], "password": values["PGPASSWORD"]}, values["PGDATABASE"]


def both(clinic, open_connection, work):
    """What `work` returns through the proxy and on the twin must be equal."""
    outcomes = []
    for direct in (False, True):
        connection = open_connection(clinic, direct)
        try:
            outcomes.append(work(connection))
        finally:
            connection.close()
    assert not (found := tables.difference(*outcomes)), found
    return outcomes[0]


def sqlstate(call, *arguments):
    """The SQLSTATE that a call fails with."""
    try:
        call(*arguments)
    except (psycopg.Error, psycopg2.Error, pg8000.dbapi.Error) as error:
        if isinstance(error, psycopg.Error):
            return error.sqlstate
        return error.pgcode if isinstance(error, psycopg2.Error) else error.args[0]["C"]
    return "no error"


def refusal(text):
    assert "CL60" in text or "CL61" in text, text


# psycopg 3


def open_psycopg(clinic, direct):
    where, database = settings(clinic, direct)
    return psycopg.connect(**where, dbname=database, autocommit=True, options="-c search_path=plain" if direct else None)


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_psycopg3(clinic, binary):
    table = "patients_psycopg3"
    insert = f"INSERT INTO {table} ({tables.COLUMNS}) VALUES ({', '.join(['%s'] * MARKS)})"

    def work(connection):
        seen = []
        cursor = connection.cursor(binary=binary)

        def ask(text, values=None, **more):
            cursor.execute(text, values, **more)
            seen.append((cursor.statusmessage, [(c.name, c.type_code, c.internal_size) for c in cursor.description or ()],
                         cursor.fetchall() if cursor.description else None))  # fmt: skip

        connection.execute(f"DROP TABLE IF EXISTS {table}; CREATE TABLE {table} ({tables.DEFINITION})")
        cursor.executemany(insert, tables.ROWS)
        ask(f"SELECT * FROM {table} ORDER BY id")
        ask(f"TABLE {table} ORDER BY born DESC NULLS LAST, id LIMIT 3")
        for prepare in (False, True, True):
            ask(f"SELECT id, ssn FROM {table} WHERE name = %s AND born < %s", ("Ada", datetime.date(1900, 1, 1)), prepare=prepare)
            ask(f"SELECT id FROM {table} WHERE ssn = %s OR token = %s ORDER BY id", ("222-22", uuid.UUID(int=4)), prepare=prepare)
        ask(f"SELECT id FROM {table} WHERE name = ANY(%s) ORDER BY id", (["Ada", "ada", "none"],))
        ask(f"SELECT id FROM {table} WHERE visits = ANY(%s) ORDER BY id", ([3, -2147483648],))
        ask(f"SELECT id FROM {table} WHERE ssn = ANY(%s) ORDER BY id", (["444-44", None],))
        ask(f"SELECT id FROM {table} WHERE name LIKE %s ORDER BY id", ("%ob%",))
        ask(f"SELECT count(*), min(born), max(balance), count(DISTINCT visits) FROM {table}")
        ask(f"UPDATE {table} SET visits = %s, seen = %s WHERE ssn = %s RETURNING id, visits, seen", (9, tables.ROWS[0][6], "111-11"))
        ask(f"SELECT %s::text, id FROM {table} WHERE name IS NULL", ("plain",))
        seen.append(sqlstate(ask, insert, (9, "222-22", *[None] * (MARKS - 2))))
        seen.append(sqlstate(ask, f"UPDATE {table} SET code = %s WHERE id = 1", ("longer than ten",)))
        with pytest.raises(ZeroDivisionError), connection.transaction():
            ask(f"DELETE FROM {table} WHERE visits >= %s", (3,))
            with connection.transaction():
                seen.append(sqlstate(ask, insert, tables.ROWS[1]))
                raise psycopg.Rollback
            ask(f"SELECT count(*) FROM {table}")
            raise ZeroDivisionError
        with connection.pipeline() as pipeline:
            cursors = [connection.execute(f"SELECT id FROM {table} WHERE visits = %s ORDER BY id", (n,), binary=binary) for n in (9, 7, 3)]
            pipeline.sync()
            seen.append([c.fetchall() for c in cursors])
        with pytest.raises(psycopg.errors.UniqueViolation), connection.pipeline():
            connection.execute(f"UPDATE {table} SET visits = %s", (8,))
            connection.execute(insert, tables.ROWS[0])
            connection.execute(f"SELECT 1 FROM {table} WHERE name = %s", ("Ada",))
        ask(f"SELECT id, visits FROM {table} ORDER BY id")
        with connection.transaction(), connection.cursor("named", binary=binary) as named:
            named.itersize = 2
            named.execute(f"SELECT id, name, photo, seen FROM {table} WHERE balance <= %s ORDER BY balance", (decimal.Decimal("50"),))
            seen.append(list(named))
            named.scroll(0, mode="absolute")
            seen.append(named.fetchmany(2))
        form = "(FORMAT binary)" if binary else ""
        with cursor.copy(f"COPY (SELECT {tables.COLUMNS} FROM {table} ORDER BY id) TO STDOUT {form}") as copy:
            kinds = ["int4", *(kind.split("(")[0].replace("boolean", "bool") for kind, *_ in tables.MARKED.values()), "text"]
            copy.set_types(kinds)
            rows = list(copy.rows())
        seen.append(rows)
        connection.execute(f"DELETE FROM {table}")
        with cursor.copy(f"COPY {table} ({tables.COLUMNS}) FROM STDIN {form}") as copy:
            copy.set_types(kinds)
            for row in rows:
                copy.write_row(row)
        ask(f"SELECT * FROM {table} ORDER BY id")
        return seen

    both(clinic, open_psycopg, work)
    with open_psycopg(clinic, False) as connection, pytest.raises(psycopg.errors.FeatureNotSupported) as refused:
        connection.execute(f"SELECT upper(name) FROM {table} WHERE name = %s", ("Ada",))
    refusal(str(refused.value))


# psycopg2


def open_psycopg2(clinic, direct):
    where, database = settings(clinic, direct)
    return psycopg2.connect(**where, dbname=database, options="-c search_path=plain" if direct else "")


def test_psycopg2(clinic):
    table = "patients_psycopg2"

    def work(connection):
        seen = []
        cursor = connection.cursor()

        def ask(text, values=None):
            cursor.execute(text, values)
            rows = cursor.fetchall() if cursor.description else None
            rows = rows and [tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in rows]
            seen.append((cursor.statusmessage, [(c.name, c.type_code) for c in cursor.description or ()], rows))

        psycopg2.extras.register_uuid(conn_or_curs=connection)
        cursor.execute(f"DROP TABLE IF EXISTS {table}; CREATE TABLE {table} ({tables.DEFINITION})")
        connection.commit()
        psycopg2.extras.execute_values(cursor, f"INSERT INTO {table} ({tables.COLUMNS}) VALUES %s RETURNING id", tables.ROWS, page_size=2)
        ask(f"SELECT * FROM {table} ORDER BY id")
        ask(f"SELECT id FROM {table} WHERE name = %s AND born < %s", ("Bob 'L' \\", datetime.date(1950, 1, 1)))
        ask(f"SELECT id FROM {table} WHERE ssn IN %s ORDER BY name", (("111-11", "444-44"),))
        ask(f"SELECT id FROM {table} WHERE name = ANY(%s) ORDER BY id", (["Ada", "ada"],))
        ask(f"SELECT id FROM {table} WHERE name ILIKE %s ORDER BY id", ("%AD%",))
        ask(f"SELECT id FROM {table} WHERE balance > %s ORDER BY balance", (decimal.Decimal("1.5"),))
        ask(f"SELECT id FROM {table} WHERE seen >= %s AND active = %s ORDER BY seen", (tables.ROWS[1][6], True))
        ask(f"SELECT id FROM {table} WHERE photo = %s", (tables.ROWS[0][9],))
        connection.commit()
        seen.append(sqlstate(ask, f"INSERT INTO {table} (id, ssn) VALUES (7, %s)", ("111-11",)))
        seen.append(sqlstate(ask, f"SELECT 1 FROM {table} WHERE name = %s", ("Ada",)))  # 25P02
        connection.rollback()
        psycopg2.extras.execute_batch(cursor, f"UPDATE {table} SET visits = %s WHERE ssn = %s", [(n, "111-11") for n in range(5)])
        ask(f"SELECT visits FROM {table} WHERE ssn = '111-11'")
        connection.rollback()
        with connection.cursor("named") as named:
            named.itersize = 2
            named.execute(f"SELECT id, name, born FROM {table} WHERE visits < %s ORDER BY visits, id", (100,))
            seen.append(list(named))
        connection.commit()
        out = io.StringIO()
        cursor.copy_expert(f"COPY (SELECT {tables.COLUMNS} FROM {table} ORDER BY id) TO STDOUT (FORMAT csv, HEADER)", out)
        seen.append(out.getvalue())
        cursor.execute(f"DELETE FROM {table}")
        cursor.copy_expert(f"COPY {table} ({tables.COLUMNS}) FROM STDIN (FORMAT csv, HEADER)", io.StringIO(out.getvalue()))
        ask(f"SELECT * FROM {table} ORDER BY id")
        connection.commit()
        return seen

    both(clinic, open_psycopg2, work)
    connection = open_psycopg2(clinic, False)
    with pytest.raises(psycopg2.Error) as refused:
        connection.cursor().execute(f"SELECT name || 'x' FROM {table}")
    connection.close()
    assert refused.value.pgcode == psycopg2.errorcodes.FEATURE_NOT_SUPPORTED
    refusal(str(refused.value))


# pg8000


def open_pg8000(clinic, direct):
    where, database = settings(clinic, direct)
    connection = pg8000.dbapi.connect(**where, database=database)
    if direct:
        connection.cursor().execute("SET search_path = plain")
        connection.commit()
    return connection


def test_pg8000(clinic):
    table = "patients_pg8000"

    def work(connection):
        seen = []
        cursor = connection.cursor()

        def ask(text, values=()):
            cursor.execute(text, values)
            seen.append((cursor.rowcount, [c[:2] for c in cursor.description or ()], cursor.fetchall() if cursor.description else None))

        cursor.execute(f"DROP TABLE IF EXISTS {table}")
        cursor.execute(f"CREATE TABLE {table} ({tables.DEFINITION})")
        cursor.executemany(f"INSERT INTO {table} ({tables.COLUMNS}) VALUES ({', '.join(['%s'] * MARKS)})", tables.ROWS)
        connection.commit()
        ask(f"SELECT * FROM {table} ORDER BY id")
        ask(f"SELECT id FROM {table} WHERE name = %s AND born < %s", ("Ada", datetime.date(1900, 1, 1)))
        ask(f"SELECT id FROM {table} WHERE visits BETWEEN %s AND %s ORDER BY visits DESC, id", (3, 7))
        ask(f"SELECT id FROM {table} WHERE ssn = ANY(%s) ORDER BY id", (["111-11", "555-55"],))
        ask(f"SELECT id, photo FROM {table} WHERE token = %s AND big = %s", (uuid.UUID(int=1), 1 << 40))
        ask(f"UPDATE {table} SET balance = %s WHERE name = %s RETURNING balance", (decimal.Decimal("1.10"), "ada"))
        connection.commit()
        seen.append(sqlstate(ask, f"INSERT INTO {table} (id, ssn) VALUES (%s, %s)", (8, "111-11")))
        connection.rollback()
        out = io.BytesIO()
        cursor.execute(f"COPY (SELECT {tables.COLUMNS} FROM {table} ORDER BY id) TO STDOUT", stream=out)
        seen.append(out.getvalue())
        cursor.execute(f"DELETE FROM {table}")
        cursor.execute(f"COPY {table} ({tables.COLUMNS}) FROM STDIN", stream=io.BytesIO(out.getvalue()))
        ask(f"SELECT * FROM {table} ORDER BY id")
        connection.commit()
        return seen

    both(clinic, open_pg8000, work)
    connection = open_pg8000(clinic, False)
    with pytest.raises(pg8000.dbapi.Error) as refused:
        connection.cursor().execute(f"SELECT length(name) FROM {table} WHERE id = %s", (1,))
    connection.close()
    assert refused.value.args[0]["C"] == "0A000"
    refusal(str(refused.value))


# asyncpg


def test_asyncpg(clinic):
    table = "patients_asyncpg"
    insert = f"INSERT INTO {table} ({tables.COLUMNS}) VALUES ({', '.join(f'${n}' for n in range(1, MARKS + 1))})"

    async def work(direct):
        where, database = settings(clinic, direct)
        connection = await asyncpg.connect(**where, database=database, server_settings={"search_path": "plain"} if direct else None)
        seen = []

        async def ask(text, *values):
            seen.append([tuple(row.items()) for row in await connection.fetch(text, *values)])

        async def state(work):
            try:
                await work
            except asyncpg.PostgresError as error:
                return error.sqlstate
            return "no error"

        try:
            await connection.execute(f"DROP TABLE IF EXISTS {table}; CREATE TABLE {table} ({tables.DEFINITION})")
            await connection.executemany(insert, tables.ROWS)
            await ask(f"SELECT * FROM {table} ORDER BY id")
            statement = await connection.prepare(f"SELECT id, seen FROM {table} WHERE name = $1 AND born < $2")
            seen.append([(p.name, p.oid) for p in statement.get_parameters()] + [(a.name, a.type.oid) for a in statement.get_attributes()])
            for name in ("Ada", "ada", "none"):
                seen.append(await statement.fetch(name, datetime.date(2100, 1, 1)))
            await ask(f"SELECT id FROM {table} WHERE name = ANY($1) ORDER BY id", ["Ada", "ada"])
            await ask(f"SELECT id FROM {table} WHERE ssn = ANY($1::text[]) ORDER BY id", ["444-44"])
            await ask(f"SELECT id FROM {table} WHERE visits <> ALL($1) ORDER BY id", [3])
            await ask(f"SELECT id FROM {table} WHERE name LIKE $1 ORDER BY id", "A%")
            await ask(f"SELECT id FROM {table} WHERE balance >= $1 AND token = $2", decimal.Decimal("1"), uuid.UUID(int=1))
            seen.append(await state(connection.execute(insert, *tables.ROWS[0])))
            async with connection.transaction():
                async for record in connection.cursor(f"SELECT id, photo FROM {table} WHERE visits < $1 ORDER BY visits, id", 100, prefetch=2):
                    seen.append(tuple(record))
                seen.append(await state(failing_transaction(connection)))
            await ask(f"SELECT count(*) FROM {table}")
            rows = [tuple(row) for row in await connection.fetch(f"SELECT {tables.COLUMNS} FROM {table} ORDER BY id")]
            await connection.execute(f"DELETE FROM {table}")
            seen.append(await connection.copy_records_to_table(table, records=rows, columns=tables.COLUMNS.split(", ")))
            out = io.BytesIO()
            seen.append(await connection.copy_from_query(f"SELECT id, name, born FROM {table} WHERE visits < $1 ORDER BY id", 5, output=out))
            seen.append(out.getvalue())
            out = io.BytesIO()
            await connection.copy_from_table(table, output=out, format="csv")
            seen.append(out.getvalue())
            await ask(f"SELECT * FROM {table} ORDER BY id")
            if not direct:
                with pytest.raises(asyncpg.FeatureNotSupportedError, match="CL6"):
                    await connection.fetch(f"SELECT id FROM {table} WHERE upper(name) = $1", "ADA")
        finally:
            await connection.close()
        return seen

    async def failing_transaction(connection):
        async with connection.transaction():
            await connection.execute(f"DELETE FROM {table} WHERE visits > $1", 0)
            await connection.execute(insert, *tables.ROWS[4])

    outcomes = asyncio.run(work(False)), asyncio.run(work(True))
    assert not (found := tables.difference(*outcomes)), found
