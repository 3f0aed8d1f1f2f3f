"""JDBC, node-postgres, Go and ODBC on marked columns: each program runs through the proxy and on a plaintext twin, and must print
the same. The programs are in clients/."""

import datetime
import decimal
import os
import pathlib
import shutil
import subprocess

import pyodbc
import pytest
from cloister_testlib import clinic as tables
from conftest import ROOT
from test_clients_programs import environment

CLIENTS = pathlib.Path(__file__).parent / "clients"
NODE_PACKAGES = ROOT / ".cloister" / "node"


def both(clinic, command, table, **more):
    """The outputs through the proxy and on the twin, and what went to stderr through the proxy."""
    outputs = []
    for direct in (False, True):
        values = {**environment(clinic, direct, PGSSLMODE="disable", TZ="UTC", **more), **({"PGOPTIONS": "-c search_path=plain", "SEARCH_PATH": "plain"} if direct else {"REFUSE": "1"})}
        ran = subprocess.run(command(values), capture_output=True, text=True, timeout=120, check=False, env=values)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        outputs.append((ran.stdout.splitlines(), ran.stderr))
    (ours, errors), (theirs, _) = outputs
    found = tables.difference(ours, theirs)
    assert not found, found
    assert len(ours) > 10
    return ours, errors


def test_jdbc(clinic, tmp_path):
    table = "patients_jdbc"
    driver = "/usr/share/java/postgresql.jar"
    subprocess.run(["javac", "-cp", driver, "-d", tmp_path, CLIENTS / "Clinic.java"], check=True, timeout=120)

    def command(values):
        url = f"jdbc:postgresql://{values['PGHOST']}:{values['PGPORT']}/{values['PGDATABASE']}" + ("?currentSchema=plain" if "SEARCH_PATH" in values else "")
        return ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{driver}:{tmp_path}", "Clinic", url, values["PGUSER"], table, tables.DEFINITION]

    _, errors = both(clinic, command, table)
    assert errors.count("refused 0A000") == 3


def test_node_postgres(clinic):
    table = "patients_node"
    paths = f"{NODE_PACKAGES}/usr/share/nodejs"
    _, errors = both(clinic, lambda _: ["node", CLIENTS / "clinic.js", table, tables.DEFINITION], table, NODE_PATH=paths)
    assert "refused 0A000 Cloister CL6" in errors


@pytest.mark.parametrize("source, modes", [("clinic.go", 2), ("clinic_pgx.go", 4)], ids=["pq", "pgx"])
def test_go(clinic, tmp_path, source, modes):
    """Built without a network: against Debian's packages."""
    table = "patients_go"
    program = tmp_path / "clinic"
    settings = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "", "GOCACHE": str(ROOT / ".cloister" / "go-cache")}
    subprocess.run([shutil.which("go") or "/usr/bin/go", "build", "-buildvcs=false", "-o", program, CLIENTS / source], check=True, timeout=300, env=settings, cwd=tmp_path)
    _, errors = both(clinic, lambda _: [program, table, tables.DEFINITION], table)
    assert errors.count("refused 0A000") == modes


# ODBC

DRIVER = "/usr/lib/x86_64-linux-gnu/odbc/psqlodbcw.so"


@pytest.mark.parametrize("options", ["UseServerSidePrepare=1", "UseServerSidePrepare=0", "UseServerSidePrepare=1;UseDeclareFetch=1;Fetch=2"])
def test_odbc(clinic, options):
    table = "patients_odbc"

    def work(direct):
        values = environment(clinic, direct)
        connection = pyodbc.connect(
            f"Driver={DRIVER};Server={values['PGHOST']};Port={values['PGPORT']};Database={values['PGDATABASE']};Uid={values['PGUSER']};"
            f"Pwd={values['PGPASSWORD']};SSLmode=disable;ByteaAsLongVarBinary=1;BoolsAsChar=0;{options}", autocommit=True)  # fmt: skip
        cursor = connection.cursor()
        seen = []

        def ask(text, *values):
            cursor.execute(text, *values)
            seen.append(([c[:2] for c in cursor.description or ()], [tuple(row) for row in cursor.fetchall()] if cursor.description else cursor.rowcount))

        if direct:
            cursor.execute("SET search_path = plain")
        cursor.execute("SET TimeZone = 'UTC'")
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
        cursor.execute(f"CREATE TABLE {table} ({tables.DEFINITION})")
        insert = f"INSERT INTO {table} (id, ssn, name, born, balance, visits, active, photo, big, score) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        for row in tables.ROWS:
            cursor.execute(insert, *row[:6], row[7], row[9], row[10], row[11])
        ask(f"SELECT * FROM {table} ORDER BY id")
        ask(f"SELECT id FROM {table} WHERE name = ? AND born < ?", "Ada", datetime.date(1900, 1, 1))
        ask(f"SELECT id FROM {table} WHERE visits BETWEEN ? AND ? ORDER BY balance", 3, 7)
        ask(f"SELECT id, photo FROM {table} WHERE balance >= ? ORDER BY id", decimal.Decimal("0.5"))
        ask(f"SELECT id FROM {table} WHERE name LIKE ? ORDER BY id", "%b%")
        ask(f"UPDATE {table} SET visits = ? WHERE ssn = ?", 4, "111-11")
        try:
            cursor.execute(insert, 9, "111-11", *[None] * 8)
        except pyodbc.Error as error:
            seen.append(error.args[0])
        connection.autocommit = False
        cursor.execute(f"DELETE FROM {table} WHERE visits = ?", 4)
        connection.rollback()
        ask(f"SELECT count(*) FROM {table} WHERE visits = ?", 4)
        seen.append([tuple(row)[3:7] for row in cursor.columns(table=table, schema="plain" if direct else "public")])
        if not direct:
            with pytest.raises(pyodbc.Error) as refused:
                cursor.execute(f"SELECT upper(name) FROM {table} WHERE id = ?", 1)
            assert refused.value.args[0] == "0A000"
        connection.close()
        return seen

    found = tables.difference(work(False), work(True))
    assert not found, found
