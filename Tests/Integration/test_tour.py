"""The demo's tour with three clients: psql, psycopg in both formats, and JDBC with Debian's driver. All agree with the twin."""

import os
import pathlib
import shutil
import subprocess

import pytest

from queries import BIRTHDAYS, PREPARED, TOUR

JDBC = pathlib.Path("/usr/share/java/postgresql.jar")
STATEMENTS = [step.sql for step in TOUR] + [PREPARED.sql.replace("%s", f"'{day}'") for day in BIRTHDAYS]


def lines(rows):
    return ["|".join("" if field is None else str(field) for field in row) for row in rows]


@pytest.fixture(scope="module")
def expected(lahman):
    with lahman.direct() as plain:
        plain.execute("SET search_path = plain")
        return {statement: lines(plain.execute(statement).fetchall()) for statement in STATEMENTS}


def test_each_step_finds_something(expected):
    assert all(expected.values())


@pytest.mark.parametrize("statement", STATEMENTS)
def test_psql(lahman, expected, statement):
    assert lahman.psql("-c", statement).stdout.splitlines() == expected[statement]


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_psycopg(lahman, expected, binary):
    with lahman.proxy() as client, client.cursor(binary=binary) as cursor:
        for statement in STATEMENTS:
            assert lines(cursor.execute(statement, []).fetchall()) == expected[statement]


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_psycopg_prepared(lahman, expected, binary):
    with lahman.proxy() as client, client.cursor(binary=binary) as cursor:
        for day in BIRTHDAYS * 2:
            found = cursor.execute(PREPARED.sql, [day], prepare=True).fetchall()
            assert lines(found) == expected[PREPARED.sql.replace("%s", f"'{day}'")]


def test_several_statements_in_one_query(lahman, expected):
    script = "; ".join(STATEMENTS[:3])
    assert lahman.psql("-c", script).stdout.splitlines() == sum((expected[statement] for statement in STATEMENTS[:3]), [])


@pytest.mark.skipif(not JDBC.exists() or not shutil.which("javac"), reason="needs a JDK and libpostgresql-jdbc-java")
def test_jdbc(lahman, expected, tmp_path):
    source = pathlib.Path(__file__).with_name("Tour.java")
    subprocess.run(["javac", "-d", tmp_path, source], check=True)
    prepared = [f"{PREPARED.sql.replace('%s', '?')}\t{day}" for day in BIRTHDAYS]
    (tmp_path / "statements").write_text("\n".join(STATEMENTS + prepared) + "\n")
    values = lahman.environment
    url = f"jdbc:postgresql://{values['PGHOST']}:{lahman.proxy_port}/{values['PGDATABASE']}"
    ran = subprocess.run(
        ["java", "-cp", f"{tmp_path}:{JDBC}", "Tour", url, values["PGUSER"], tmp_path / "statements"],
        env={**os.environ, "PGPASSWORD": values["PGPASSWORD"]}, capture_output=True, text=True, timeout=120, check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found = ran.stdout.split("--\n")[:-1]
    wanted = STATEMENTS + STATEMENTS[-len(BIRTHDAYS):]
    assert len(found) == 2 * len(wanted)
    for index, statement in enumerate(wanted):
        for answer in found[2 * index : 2 * index + 2]:
            assert answer.splitlines() == expected[statement], statement
