"""PostgreSQL's own programs on marked columns: psql, pgbench, pg_dump and pg_restore."""

import os
import re
import subprocess

import psycopg
import pytest
from cloister_testlib import clinic as tables
from conftest import running_stack
from test_clients_python import open_psycopg


def fill(connection, table):
    connection.execute(f"DROP TABLE IF EXISTS {table} CASCADE; CREATE TABLE {table} ({tables.DEFINITION})")
    connection.cursor().executemany(
        f"INSERT INTO {table} ({tables.COLUMNS}) VALUES ({', '.join(['%s'] * len(tables.ROWS[0]))})", tables.ROWS)  # fmt: skip


def environment(stack, direct=False, superuser=False, **more):
    values = {**os.environ, **stack.environment, "PGTZ": "UTC"}
    if direct:
        values["PGPORT"] = values["CLOISTER_DIRECT_PORT"]
    if superuser:
        values |= {"PGUSER": values["CLOISTER_SUPERUSER"], "PGPASSWORD": values["CLOISTER_SUPERUSER_PASSWORD"]}
    return {**values, **more}


def run(*command, check=True, **more):
    ran = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=120, check=False, **more)
    assert not check or ran.returncode == 0, f"{command}: {ran.stdout}{ran.stderr}"
    return ran


# psql

TABLE = "patients_psql"
SCRIPT = f"""
\\d {TABLE}
\\d+ {TABLE}
\\dt {TABLE}
\\di {TABLE}*
SELECT * FROM {TABLE} \\gdesc
SELECT name, count(*) AS n, max(balance) FROM {TABLE} GROUP BY name \\gdesc
\\copy (SELECT * FROM {TABLE} ORDER BY id) TO 'rows.txt'
\\copy (SELECT * FROM {TABLE} ORDER BY id) TO 'rows.csv' WITH (FORMAT csv, HEADER)
\\copy (SELECT * FROM {TABLE} ORDER BY id) TO 'rows.bin' WITH (FORMAT binary)
DELETE FROM {TABLE};
\\copy {TABLE} FROM 'rows.txt'
SELECT * FROM {TABLE} ORDER BY id;
DELETE FROM {TABLE};
\\copy {TABLE} FROM 'rows.csv' WITH (FORMAT csv, HEADER)
SELECT id, name, born FROM {TABLE} WHERE born < '1950-01-01' ORDER BY born;
DELETE FROM {TABLE};
\\copy {TABLE} FROM 'rows.bin' WITH (FORMAT binary)
\\x on
SELECT * FROM {TABLE} WHERE id = 2;
\\x off
\\set who Ada
SELECT id FROM {TABLE} WHERE name = :'who' OR ssn = '222-22' ORDER BY id;
SELECT name AS who, born AS day FROM {TABLE} WHERE id = 1 \\gset
\\echo :who :day
SELECT id FROM {TABLE} WHERE born = :'day';
PREPARE find(text, int) AS SELECT id FROM {TABLE} WHERE name = $1 AND visits < $2;
EXECUTE find('Ada', 100);
BEGIN;
DECLARE c CURSOR FOR SELECT id, name FROM {TABLE} WHERE visits IS NOT NULL ORDER BY visits, id;
FETCH 2 FROM c;
MOVE 1 IN c;
FETCH ALL FROM c;
COMMIT;
INSERT INTO {TABLE} (id, ssn) VALUES (9, '111-11');
\\echo :SQLSTATE
SELECT seen, active, token, photo FROM {TABLE} WHERE seen > '2000-01-01 00:00+00' ORDER BY id \\gx
SELECT visits, id, name FROM {TABLE} WHERE id < 3 ORDER BY 1, 2 \\crosstabview id visits
"""


@pytest.fixture(scope="module")
def psql_tables(clinic):
    for direct in (False, True):
        with open_psycopg(clinic, direct) as connection:
            fill(connection, TABLE)
            connection.execute(f"CREATE INDEX {TABLE}_name ON {TABLE} (name, born); CREATE INDEX {TABLE}_visits ON {TABLE} (visits DESC)")


def test_psql_shows_the_same_as_on_plaintext(clinic, psql_tables, tmp_path):
    outputs = []
    for direct in (False, True):
        options = {"PGOPTIONS": "-c search_path=plain"} if direct else {}
        ran = run("psql", "-X", "-q", "--set=FETCH_COUNT=2", "--set=VERBOSITY=terse", input=SCRIPT, cwd=tmp_path, env=environment(clinic, direct, **options))
        files = [(tmp_path / name).read_bytes() for name in ("rows.txt", "rows.csv", "rows.bin")]
        text = ran.stdout + ran.stderr
        # Centred headings of two lengths, and the server's own names of what it stores.
        lines = [re.sub(r" +", " ", line).strip() for line in text.replace("plain.", "public.").replace("plain", "public").splitlines()]
        lines = [line for line in lines if not re.fullmatch(r"[-+ ]*", line)]
        outputs.append((lines, files))
    ours, theirs = outputs
    assert "character varying(10)" in " ".join(theirs[0]) and "23505" in theirs[0]
    different = [(mine, other) for mine, other in zip(ours[0], theirs[0]) if mine != other]
    # The limit of varchar(10) is the configuration's matter, the storage and the constraint's text the server's.
    different = [pair for pair in different if "varying" not in pair[1] and "already exists" not in pair[1]]
    assert not different and len(ours[0]) == len(theirs[0])
    assert ours[1] == theirs[1]


def test_psql_says_why_it_is_refused(clinic, psql_tables):
    ran = run("psql", "-X", "-c", f"SELECT upper(name) FROM {TABLE}", check=False, env=environment(clinic))
    assert ran.returncode == 1 and "upper" in ran.stderr and "CL6" in ran.stderr and "LINE 1" in ran.stderr


# pgbench

BENCH = f"""\\set visits random(1, 50)
\\set id random(1, 40)
SELECT id, name FROM patients_pgbench WHERE visits = :visits AND born >= '1900-01-01' ORDER BY name;
UPDATE patients_pgbench SET visits = :visits, balance = :visits WHERE id = :id;
SELECT count(*) FROM patients_pgbench WHERE ssn = '222-22' OR big = :visits;
"""


@pytest.mark.parametrize("mode", ["simple", "extended", "prepared"])
def test_pgbench(clinic, mode, tmp_path):
    with open_psycopg(clinic, False) as connection:
        fill(connection, "patients_pgbench")
        connection.execute("INSERT INTO patients_pgbench (id, visits, born) SELECT n, NULL, NULL FROM generate_series(10, 40) n")
        script = tmp_path / "bench.sql"
        script.write_text(BENCH)
        ran = run("pgbench", "-n", "-M", mode, "-c", 2, "-t", 50, "-f", script, env=environment(clinic))
        assert "number of transactions actually processed: 100/100" in ran.stdout
        assert "number of failed transactions: 0" in ran.stdout
        rows = connection.execute("SELECT visits, balance FROM patients_pgbench WHERE id >= 10 AND balance IS NOT NULL").fetchall()
        assert rows and all(visits == balance for visits, balance in rows)


# pg_dump


def test_a_plaintext_dump_through_the_proxy(clinic):
    """Logical types and values, restored into a plain database, and back through the proxy."""
    table = "patients_dump"
    with open_psycopg(clinic, False) as connection:
        fill(connection, table)
        connection.execute(f"CREATE INDEX {table}_name ON {table} (name DESC, born)")
        rows = connection.execute(f"SELECT * FROM {table} ORDER BY id").fetchall()
        for form in ([], ["--inserts", "--column-inserts"]):
            dump = run("pg_dump", "--no-owner", "-t", f"public.{table}", *form, env=environment(clinic)).stdout
            assert "enc_" not in dump and "det_" not in dump and "x0101" not in dump and "Ada" in dump
            superuser = environment(clinic, direct=True, superuser=True)
            run("psql", "-X", "-q", "-c", "CREATE DATABASE plaintext TEMPLATE template0", env=superuser)
            try:
                superuser["PGDATABASE"] = "plaintext"
                run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", input=dump, env=superuser)
                with clinic.superuser(dbname="plaintext") as plain:
                    assert plain.execute(f"SELECT * FROM public.{table} ORDER BY id").fetchall() == rows
                    assert plain.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", (f"{table}_name",)).fetchone()
            finally:
                superuser["PGDATABASE"] = "postgres"
                run("psql", "-X", "-q", "-c", "DROP DATABASE plaintext", env=superuser)
            connection.execute(f"DROP TABLE {table}")
            run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", input=dump, env=environment(clinic))
            assert connection.execute(f"SELECT * FROM {table} ORDER BY id").fetchall() == rows


def test_a_dump_of_ciphertext(tmp_path):
    """Cells and wrapped keys past the proxy into another database; a proxy with the same vault reads them there."""
    table = "patients_dump"
    with running_stack(tables.config(table)) as stack:
        with stack.proxy() as connection:
            fill(connection, table)
            connection.execute(f"CREATE INDEX {table}_name ON {table} (name); CREATE VIEW old AS SELECT id, name FROM {table} WHERE born < '1950-01-01'")
            rows = connection.execute(f"SELECT * FROM {table} ORDER BY id").fetchall()
            view = connection.execute("SELECT * FROM old ORDER BY id").fetchall()
        superuser = environment(stack, direct=True, superuser=True)
        dump = tmp_path / "dump"
        run("pg_dump", "-Fc", "-f", dump, env=superuser)
        assert b"Ada" not in run("pg_restore", "-f", "-", dump).stdout.encode()
        database = superuser["PGDATABASE"]
        maintenance = {**superuser, "PGDATABASE": "postgres"}
        run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", f"DROP DATABASE {database} WITH (FORCE)", "-c",
            f"CREATE DATABASE {database} TEMPLATE template0", env=maintenance)  # fmt: skip
        run("pg_restore", "--exit-on-error", "-d", database, dump, env=maintenance)
        stack.down()
        stack.up()
        with stack.proxy() as connection:
            assert connection.execute(f"SELECT * FROM {table} ORDER BY id").fetchall() == rows
            assert connection.execute("SELECT * FROM old ORDER BY id").fetchall() == view
            assert connection.execute(f"SELECT id FROM {table} WHERE name = 'Ada' AND born < '1900-01-01'").fetchall() == [(1,)]
            with pytest.raises(psycopg.errors.UniqueViolation):
                connection.execute(f"INSERT INTO {table} (id, ssn) VALUES (9, '111-11')")
            connection.execute(f"INSERT INTO {table} (id, name) VALUES (9, 'Ada')")
            assert connection.execute(f"SELECT id FROM {table} WHERE name = 'Ada' ORDER BY id").fetchall() == [(1,), (9,)]
