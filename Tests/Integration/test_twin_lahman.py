"""The Lahman tables twice: encrypted through the proxy, and as plaintext in schema `plain` past it. Every query below must give
identical rows, asked with psycopg in text and in binary format."""

import datetime

import psycopg
import pytest

D = datetime.date

# Rows in any order unless the statement orders them totally.
QUERIES = [
    # points
    "SELECT * FROM people WHERE player_id = 'ruthba01'",
    "SELECT * FROM people WHERE id = 2",
    "SELECT id, name_first FROM people WHERE name_last = 'Aaron'",
    "SELECT id FROM people WHERE name_last = 'Nobody at all'",
    "SELECT id FROM people WHERE name_last = 'O''Brien'",
    "SELECT id, name_given FROM people WHERE name_first = 'Babe' AND name_last = 'Ruth'",
    "SELECT id FROM people WHERE birth_date = '1934-02-05'",
    "SELECT id FROM people WHERE birth_date = DATE '1934-02-05'",
    "SELECT id FROM people WHERE weight = 215 AND height = 75",
    "SELECT id, year_id FROM salaries WHERE salary = 870000",
    "SELECT id FROM people WHERE 'Mays' = name_last",
    "SELECT id FROM people WHERE player_id IN ('ruthba01', 'aaronha01', 'nobody01')",
    "SELECT id FROM people WHERE name_last IN ('Ruth', 'Aaron', 'Mays', 'DiMaggio')",
    "SELECT id FROM people WHERE weight IN (65, 77, 320)",
    "SELECT id FROM people WHERE birth_date IN ('1934-02-05', '1895-02-06')",
    "SELECT id FROM people WHERE NOT name_last IN ('Smith', 'Johnson') AND weight > 300",
    # ranges
    "SELECT id FROM people WHERE birth_date < '1835-01-01'",
    "SELECT id FROM people WHERE birth_date <= '1832-10-23'",
    "SELECT id FROM people WHERE birth_date > '2000-01-01'",
    "SELECT id FROM people WHERE birth_date >= '1999-10-01' AND birth_date < '1999-11-01'",
    "SELECT id, name_last, weight FROM people WHERE weight BETWEEN 290 AND 320",
    "SELECT id FROM people WHERE weight NOT BETWEEN 80 AND 300",
    "SELECT id FROM people WHERE name_last >= 'Yo' AND name_last < 'Z'",
    "SELECT id FROM people WHERE name_last > 'Zz'",
    "SELECT id, salary FROM salaries WHERE salary > 32000000",
    "SELECT id FROM salaries WHERE salary BETWEEN 60000 AND 60100",
    "SELECT id FROM batting WHERE home_runs > 62",
    "SELECT count(*) FROM batting WHERE home_runs >= 40",
    "SELECT count(*) FROM people WHERE weight <> 180",
    "SELECT count(*) FROM people WHERE death_date < birth_date",
    "SELECT id FROM people WHERE birth_date < death_date AND death_date < '1875-01-01'",
    "SELECT id FROM people WHERE (weight > 300 OR weight < 70) AND birth_date IS NOT NULL",
    # NULL
    "SELECT count(*) FROM people WHERE birth_date IS NULL",
    "SELECT count(*) FROM people WHERE death_date IS NOT NULL",
    "SELECT count(weight), count(*) FROM people",
    "SELECT id FROM people WHERE weight IS NULL AND birth_date > '1890-01-01'",
    "SELECT id FROM people WHERE name_first IS NULL",
    # order
    "SELECT id, birth_date FROM people WHERE birth_date < '1840-01-01' ORDER BY birth_date, id",
    "SELECT id, birth_date FROM people ORDER BY birth_date DESC NULLS LAST, id LIMIT 25",
    "SELECT id, weight FROM people ORDER BY weight NULLS FIRST, id LIMIT 40",
    "SELECT id, name_last FROM people ORDER BY name_last, id LIMIT 100",
    "SELECT id, name_last FROM people ORDER BY name_last DESC, id OFFSET 500 LIMIT 50",
    "SELECT id, name_last, name_first FROM people WHERE name_last = 'Smith' ORDER BY name_first, birth_date, id",
    "SELECT id, salary FROM salaries ORDER BY salary DESC, id LIMIT 20",
    "SELECT id, home_runs FROM batting ORDER BY home_runs DESC, id LIMIT 20",
    "SELECT year_id, id, salary FROM salaries WHERE team_id = 'NYA' ORDER BY year_id DESC, salary DESC, id LIMIT 30",
    "SELECT weight FROM people WHERE weight IS NOT NULL ORDER BY 1 LIMIT 10",
    "SELECT weight AS pounds, id FROM people WHERE weight > 280 ORDER BY pounds, id",
    # aggregates and groups
    "SELECT min(birth_date), max(birth_date) FROM people",
    "SELECT min(name_last), max(name_last) FROM people",
    "SELECT min(salary), max(salary), count(*) FROM salaries",
    "SELECT team_id, max(salary) FROM salaries GROUP BY team_id",
    "SELECT weight, count(*) FROM people GROUP BY weight",
    "SELECT name_last, count(*) FROM people GROUP BY name_last HAVING count(*) > 60",
    "SELECT salary, count(*) FROM salaries GROUP BY salary HAVING count(*) > 200 ORDER BY salary",
    "SELECT player_id, count(*) FROM salaries GROUP BY player_id HAVING count(*) > 21",
    "SELECT birth_date, count(*) AS n FROM people WHERE birth_date IS NOT NULL GROUP BY birth_date HAVING count(*) > 6 ORDER BY n, birth_date",
    "SELECT DISTINCT weight FROM people WHERE weight > 270",
    "SELECT DISTINCT name_first, name_last FROM people WHERE name_last = 'Jones'",
    "SELECT count(DISTINCT weight) FROM people",
    "SELECT count(DISTINCT player_id) FROM salaries",
    "SELECT bats, max(weight), min(birth_date) FROM people GROUP BY bats",
    # joins
    "SELECT s.year_id, s.salary FROM people p JOIN salaries s ON p.player_id = s.player_id WHERE p.name_last = 'Bonds'",
    "SELECT p.id, s.id FROM people p JOIN salaries s USING (player_id) WHERE s.salary > 30000000",
    "SELECT p.name_last, b.year_id, b.home_runs FROM people p JOIN batting b ON b.player_id = p.player_id WHERE b.home_runs > 60",
    "SELECT p.id, s.id FROM people p LEFT JOIN salaries s ON s.player_id = p.player_id WHERE p.name_last = 'Ruth'",
    "SELECT p.name_last, b.home_runs, s.salary FROM people p JOIN batting b ON b.player_id = p.player_id "
    "JOIN salaries s ON s.player_id = b.player_id AND s.year_id = b.year_id WHERE b.home_runs > 50 AND s.salary > 10000000",
    "SELECT a.id, b.id FROM people a JOIN people b ON a.birth_date = b.birth_date AND a.id < b.id WHERE a.birth_date > '1998-01-01'",
    "SELECT a.id, b.id FROM people a, people b WHERE a.name_last = b.name_last AND a.weight > b.weight AND a.name_last = 'Aaron'",
    # subqueries, CTEs, set operations
    "SELECT id FROM people WHERE player_id IN (SELECT player_id FROM salaries WHERE salary > 28000000)",
    "SELECT id FROM people p WHERE EXISTS (SELECT 1 FROM batting b WHERE b.player_id = p.player_id AND b.home_runs > 58)",
    "SELECT id FROM people WHERE weight = (SELECT max(weight) FROM people)",
    "WITH heavy AS (SELECT id, name_last, weight FROM people WHERE weight > 290) SELECT * FROM heavy WHERE name_last > 'M'",
    "SELECT name_last FROM people WHERE weight > 300 UNION SELECT name_last FROM people WHERE birth_date < '1835-01-01'",
    "SELECT player_id FROM people WHERE weight > 280 INTERSECT SELECT player_id FROM salaries WHERE salary > 10000000",
    "SELECT player_id FROM people WHERE name_last = 'Ruth' EXCEPT SELECT player_id FROM salaries",
    "SELECT q.w, count(*) FROM (SELECT weight AS w FROM people WHERE height = 70) q WHERE q.w > 200 GROUP BY q.w",
    "SELECT p.id, (SELECT max(s.salary) FROM salaries s WHERE s.player_id = p.player_id) FROM people p WHERE p.name_last = 'Bonds'",
    "SELECT p.id FROM people p JOIN (VALUES ('Ruth'), ('Mays')) v(n) ON v.n = p.name_last",
    "SELECT id, birth_date FROM people WHERE weight > 300 UNION ALL SELECT id, death_date FROM people WHERE weight < 70",
    # windows, expressions
    "SELECT id, row_number() OVER (PARTITION BY bats ORDER BY weight DESC, id) FROM people WHERE weight > 280",
    "SELECT id, lag(weight) OVER (ORDER BY birth_date, id), rank() OVER (ORDER BY weight) FROM people WHERE name_last = 'Aaron'",
    "SELECT DISTINCT ON (bats) bats, weight, id FROM people WHERE weight IS NOT NULL ORDER BY bats, weight DESC, id",
    "SELECT salary, count(*) FROM salaries WHERE salary > 25000000 GROUP BY ROLLUP (salary)",
    "SELECT id FROM people WHERE weight IS DISTINCT FROM 180 AND weight BETWEEN 178 AND 182 AND height > 76",
    "SELECT id, COALESCE(death_date, '9999-12-31') FROM people WHERE name_last = 'Ruth' OR name_last = 'Aaron'",
    "SELECT id, CASE WHEN weight > 300 THEN 'heavy' ELSE 'light' END FROM people WHERE weight > 290",
    "SELECT id, GREATEST(birth_date, death_date) FROM people WHERE birth_date < '1835-01-01'",
    "SELECT id FROM people WHERE (name_first, name_last) IN (('Babe', 'Ruth'), ('Hank', 'Aaron'))",
    "SELECT id FROM people WHERE weight > ALL (SELECT weight FROM people WHERE birth_date > '1900-01-01' AND weight < 290)",
]

# Statement and parameters, bound by the extended protocol.
WITH_PARAMETERS = [
    ("SELECT * FROM people WHERE player_id = %s", ["ruthba01"]),
    ("SELECT id FROM people WHERE name_last = %s AND name_first = %s", ["Aaron", "Hank"]),
    ("SELECT id FROM people WHERE birth_date = %s", [D(1934, 2, 5)]),
    ("SELECT id FROM people WHERE birth_date BETWEEN %s AND %s", [D(1900, 1, 1), D(1900, 1, 31)]),
    ("SELECT id FROM people WHERE weight > %s", [290]),
    ("SELECT id FROM people WHERE weight = %s OR weight = %s", [77, None]),
    ("SELECT id, salary FROM salaries WHERE salary >= %s", [31_000_000]),
    ("SELECT id, salary FROM salaries WHERE salary >= %s", [2**40]),
    ("SELECT id FROM salaries WHERE salary = %s AND team_id = %s", [870000, "ATL"]),
    ("SELECT id FROM people WHERE name_last IN (%s, %s)", ["Mays", "Mantle"]),
    ("SELECT count(*) FROM batting WHERE home_runs > %s AND year_id > %s", [30, 1990]),
    ("SELECT id FROM people WHERE name_given = %s", ["Henry Louis"]),
]


def test_there_are_enough():
    assert len(set(QUERIES)) >= 60


@pytest.fixture(scope="module")
def twins(lahman):
    with lahman.proxy() as encrypted, lahman.direct() as plain:
        plain.execute("SET search_path = plain")
        yield encrypted, plain


def rows(connection, statement, parameters, binary):
    # With an empty list psycopg uses the extended protocol too: binary results need it.
    with connection.cursor(binary=binary) as cursor:
        cursor.execute(statement, parameters if parameters is not None or not binary else [])
        found = [tuple(row) for row in cursor.fetchall()]
        columns = [(column.name, column.type_code) for column in cursor.description]
    if " ORDER BY " not in statement:
        found.sort(key=repr)
    return columns, found


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@pytest.mark.parametrize("statement", QUERIES)
def test_query(twins, statement, binary):
    encrypted, plain = twins
    assert rows(encrypted, statement, None, binary) == rows(plain, statement, None, binary)


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@pytest.mark.parametrize("statement, parameters", WITH_PARAMETERS)
def test_parameters(twins, statement, parameters, binary):
    encrypted, plain = twins
    placeholder = "%b" if binary else "%t"
    statement = statement.replace("%s", placeholder)
    expected = rows(plain, statement, parameters, binary)
    assert rows(encrypted, statement, parameters, binary) == expected
    assert rows(encrypted, statement, parameters, binary) == expected  # psycopg prepares what is repeated


def test_every_row_came_through(twins):
    """The whole tables, by COPY TO on the twin and SELECT through the proxy."""
    encrypted, plain = twins
    for table in ("people", "salaries"):
        statement = f"SELECT * FROM {table} ORDER BY id"
        assert encrypted.execute(statement).fetchall() == plain.execute(statement).fetchall()


def test_the_server_holds_cells(lahman):
    with lahman.direct() as direct:
        first = direct.execute("SELECT player_id::text, name_last::text, birth_date::text FROM public.people WHERE id = 2").fetchone()
        assert all(cell.startswith("\\x01") for cell in first)
        types = dict(
            direct.execute("SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = 'public.people'::regclass AND attnum > 0")
        )
        assert types["player_id"] == "det_text" and types["birth_date"] == "enc_date" and types["height"] == "integer"


def test_writes_through_a_transaction(lahman):
    """UPDATE, DELETE, RETURNING and ROLLBACK leave both twins as they were."""
    with lahman.proxy(autocommit=False) as encrypted:
        changed = encrypted.execute(
            "UPDATE people SET weight = 216, name_last = 'Ruth-Twin' WHERE player_id = 'ruthba01' RETURNING id, weight, name_last"
        ).fetchall()
        assert [row[1:] for row in changed] == [(216, "Ruth-Twin")]
        assert encrypted.execute("SELECT name_first FROM people WHERE name_last = 'Ruth-Twin'").fetchall() == [("Babe",)]
        gone = encrypted.execute("DELETE FROM salaries WHERE salary > 32000000 RETURNING salary").fetchall()
        assert gone and all(row[0] > 32_000_000 for row in gone)
        encrypted.rollback()
        assert encrypted.execute("SELECT count(*) FROM people WHERE name_last = 'Ruth-Twin'").fetchone() == (0,)
        assert len(encrypted.execute("SELECT 1 FROM salaries WHERE salary > 32000000").fetchall()) == len(gone)


def test_plaintext_past_the_proxy_is_refused(lahman):
    with lahman.direct() as direct, pytest.raises(psycopg.Error) as refusal:
        direct.execute("INSERT INTO public.salaries VALUES (0, 2021, 'NYA', 'ruthba01', 80000)")
    assert refusal.value.sqlstate in ("22P02", "42804")
