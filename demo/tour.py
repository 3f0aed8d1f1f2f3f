#!/usr/bin/env python3
"""The demo's tour: each query's result as psql shows it to a client, beside what the server itself holds of the same rows.

    . DIR/env; demo/tour.py

The server's side is no reconstruction: the statement is read from pg_stat_activity as the server received it, and run again
on a direct connection, which shows the cells.
"""

import csv
import io
import os
import re
import shutil
import subprocess
import sys

import psycopg

from queries import BIRTHDAYS, PREPARED, TOUR

WIDTH = max(100, min(150, shutil.get_terminal_size((132, 40)).columns))
DIRECT_PORT = os.environ["CLOISTER_DIRECT_PORT"]
failures = []


def psql(sql, port=None):
    """Header and rows, as an unmodified psql prints them."""
    ran = subprocess.run(
        ["psql", "-X", "--csv", "-v", "ON_ERROR_STOP=1", "-c", sql],
        env={**os.environ, "PGPORT": port or os.environ["PGPORT"]}, capture_output=True, text=True, check=False,
    )
    if ran.returncode:
        raise SystemExit(f"{sql}\n{ran.stderr}")
    return list(csv.reader(io.StringIO(ran.stdout)))


def connect(port, **more):
    return psycopg.connect(port=port, autocommit=True, **more)


def cut(text, width):
    """At most `width` characters. A cell keeps its end too: cells of one writer begin alike (header, writer, counter)."""
    if len(text) <= width:
        return text
    if text.startswith("\\x") and width > 12:
        head = min(10, width // 2)
        return text[:head] + "…" + text[len(text) - (width - head - 1) :]
    return text[: width - 1] + "…"


def table(rows, width):
    """Rows as lines of at most `width` characters, columns aligned; wide fields are cut."""
    count = len(rows[0])
    widths = [max(len(row[i]) for row in rows) for i in range(count)]
    while sum(widths) + 2 * (count - 1) > width:
        widths[widths.index(max(widths))] -= 1
    lines = ["  ".join(cut(field, size).ljust(size) for field, size in zip(row, widths)) for row in rows]
    return [lines[0], "  ".join("-" * size for size in widths), *lines[1:]]


def side_by_side(left, right, shown=8):
    """Two results; the first rows of each."""
    half = (WIDTH - 3) // 2
    left_lines, right_lines = table(left[: shown + 1], half), table(right[: shown + 1], half)
    print(f"{'the client sees':<{half}} | the server holds")
    for a, b in zip(left_lines, right_lines):
        print(f"{a:<{half}} | {b}")
    if len(left) > shown + 1:
        print(f"{f'({len(left) - 1} rows)':<{half}} |")


def sent_statement(client, direct, sql):
    """The statement as the server received it."""
    client.execute(sql).fetchall()
    return direct.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [client.info.backend_pid]).fetchone()[0]


def plan(direct, statement, index):
    """The plan's lines that name an index, or all of them."""
    lines = [row[0] for row in direct.execute("EXPLAIN (COSTS OFF) " + statement)]
    used = [line.strip().removeprefix("->").strip() for line in lines if "Index" in line and " using " in line or "Index Scan on" in line]
    if index and not any(index in line for line in used):
        failures.append(f"the plan does not use {index}:\n" + "\n".join(lines))
    for line in used or lines:
        print(f"  plan: {cut(line, WIDTH - 8)}")


def headline(text):
    print(f"\n── {text} {'─' * max(0, WIDTH - 4 - len(text))}")


def queries(client, direct):
    for number, step in enumerate(TOUR, 1):
        headline(f"{number}. {step.title}")
        print(f"psql> {step.sql}")
        statement = sent_statement(client, direct, step.sql)
        if statement != step.sql:
            shortened = re.sub("([0-9a-f]{12})[0-9a-f]{40,}", "\\1…", statement)
            print(f"sent> {cut(shortened, 3 * WIDTH)}")
        shown, held = psql(step.sql), psql(statement, DIRECT_PORT)
        side_by_side(shown, held)
        plan(direct, statement, step.index)
        if len(shown) != len(held) or len(shown) < 2:
            failures.append(f"step {number}: {len(shown) - 1} rows for the client, {len(held) - 1} on the server")
        if shown[1:] == held[1:]:
            failures.append(f"step {number}: the server holds what the client sees")


def prepared(client):
    headline(f"{len(TOUR) + 1}. {PREPARED.title}")
    print(f"psycopg> {PREPARED.sql}")
    for birthday in BIRTHDAYS:
        rows = client.execute(PREPARED.sql, [birthday], prepare=True).fetchall()
        print(f"  {birthday}: " + ", ".join(f"{first} {last} ({weight} lb)" for first, last, weight in rows))
        if not rows:
            failures.append(f"prepared statement: nobody for {birthday}")
    names = [row[0] for row in client.execute("SELECT count(*) FROM pg_prepared_statements")]
    print(f"  the server keeps {names[0]} prepared statement{'s' if names[0] != 1 else ''} of this session; parameters reach it as cells")


def bypass(direct):
    headline(f"{len(TOUR) + 2}. plaintext sent past the proxy")
    statement = "INSERT INTO salaries VALUES (0, 2021, 'NYA', 'ruthba01', 80000)"
    print(f"direct> {statement}")
    try:
        direct.execute(statement)
        failures.append("the server took plaintext into an encrypted column")
    except psycopg.Error as error:
        print(f"  refused by the type: {error.sqlstate}: {error.diag.message_primary}")


def main():
    with connect(os.environ["PGPORT"]) as client, connect(DIRECT_PORT) as direct:
        queries(client, direct)
        prepared(client)
        bypass(direct)
    print()
    for failure in failures:
        print(f"demo: {failure}", file=sys.stderr)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
