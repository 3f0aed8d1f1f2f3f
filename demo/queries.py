"""The tour: what each step shows, and the statement. Tests/Integration runs the same through psql, psycopg and JDBC."""

from typing import NamedTuple


class Step(NamedTuple):
    title: str
    sql: str
    # An index that the plan is expected to use.
    index: str | None = None


TOUR = [
    Step(
        "a point by a deterministic column",
        "SELECT name_first, name_last, birth_date, weight FROM people WHERE player_id = 'ruthba01'",
        "people_player_id_key",
    ),
    Step(
        "a point by a randomized column: no two cells are equal, the enclave compares",
        "SELECT name_first, name_last, birth_date FROM people WHERE name_last = 'Yastrzemski' ORDER BY birth_date",
        "people_name_last",
    ),
    Step(
        "a range of dates",
        "SELECT name_last, birth_date, birth_country FROM people WHERE birth_date BETWEEN '1832-01-01' AND '1838-12-31' "
        "ORDER BY birth_date, name_last",
        "people_birth_date",
    ),
    Step(
        "ORDER BY … LIMIT along an index",
        "SELECT name_last, weight FROM people WHERE weight > 295 ORDER BY weight DESC, name_last LIMIT 5",
        "people_weight",
    ),
    Step(
        "a join on deterministic ids, ordered by a randomized salary",
        "SELECT p.name_last, s.year_id, s.team_id, s.salary FROM people p JOIN salaries s ON p.player_id = s.player_id "
        "WHERE s.salary > 30000000 ORDER BY s.salary DESC, s.year_id LIMIT 6",
        "salaries_salary",
    ),
    Step(
        "GROUP BY a randomized column",
        "SELECT salary, count(*) FROM salaries WHERE salary BETWEEN 22000000 AND 25000000 GROUP BY salary "
        "HAVING count(*) > 2 ORDER BY salary DESC",
        "salaries_salary",
    ),
    Step(
        "MIN and MAX",
        "SELECT min(birth_date), max(birth_date), min(weight), max(weight) FROM people",
        "people_birth_date",
    ),
]

PREPARED = Step(
    "a prepared statement, three times",
    "SELECT name_first, name_last, weight FROM people WHERE birth_date = %s ORDER BY name_last, name_first",
    "people_birth_date",
)
BIRTHDAYS = ["1934-02-05", "1895-02-06", "1914-11-25"]
