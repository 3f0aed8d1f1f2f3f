"""The database's administrator with SQL of his own, and cells in the wrong place."""

import itertools
import os
import random

import psycopg

from harness import Succeeded, attempt, refused

UNGRANTED, CELL, FORBIDDEN = "YE006", "YE004", "YE005"
NO_OPERATOR = ("42883", "42804", "42725", "42846", "22P02", "42601", "0A000", "42809")


def each(world, statements, codes, connection=None):
    """All must fail; none of the messages may hold a planted value."""
    said = set()
    with connection or world.admin() as session:
        session.execute("SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off")
        for statement in statements:
            code, message = refused(session, statement, codes)
            said.add(code)
            for what, form in world.values():
                if form in message.encode():
                    raise Succeeded(f"{what} in: {message}")
    return f"{len(statements)} statements: {', '.join(sorted(said))}"


@attempt("SQL", "an administrator's session sorts, joins, groups, ranks, ranges over a column")
def sorts(world):
    return each(world, [
        "SELECT id FROM people ORDER BY salary", "SELECT max(salary), min(salary) FROM people", "SELECT DISTINCT name FROM people",
        "SELECT name, count(*) FROM people GROUP BY name", "SELECT a.id FROM people a JOIN people b ON a.salary = b.salary AND a.id < b.id",
        "SELECT count(*) FROM people a, people b WHERE a.salary < b.salary", "SELECT rank() OVER (ORDER BY born) FROM people",
        "SELECT id FROM people WHERE salary > (SELECT salary FROM people WHERE id = 1)", "SELECT greatest(a.born, b.born) FROM people a, people b",
        "SELECT id FROM people WHERE name IN (SELECT name FROM people)", "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY salary) FROM people",
        "SELECT id FROM people WHERE name LIKE (SELECT name FROM people WHERE id = 1)", "SELECT mode() WITHIN GROUP (ORDER BY name) FROM people",
        "SELECT id FROM people WHERE (salary, born) > (SELECT salary, born FROM people WHERE id = 2)",
        "SELECT width_bucket(salary, array_agg) FROM people, (SELECT array_agg(salary ORDER BY id) FROM people) q",
    ], (UNGRANTED, CELL, *NO_OPERATOR))


@attempt("SQL", "smuggling constants by arithmetic (HEDB: 100,000 of 100,000 values)")
def smuggle(world):
    operators = ["+", "-", "*", "/", "%", "^", "&", "|", "#", "<<", ">>", "~", "@>", "<->"]
    columns = ["salary", "name", "born", "photo"]
    statements = [f"SELECT {a} {o} {b} FROM people" for o in operators for a, b in itertools.product(columns, ["salary", "name", "1", "'1'"])]
    statements += [f"SELECT {f}({c}) FROM people" for f in ("sum", "avg", "stddev", "variance", "abs", "-", "length", "lower", "upper", "substr", "md5", "sqrt", "exp", "mod")
                   for c in columns]
    statements += [f"SELECT {c}::{t} FROM people" for c in columns for t in ("int8", "numeric", "date", "float8", "int4", "uuid", "boolean")]
    return each(world, statements, (*NO_OPERATOR, UNGRANTED, FORBIDDEN, "42601", "42703"))


@attempt("SQL", "division and errors as an oracle")
def oracle(world):
    return each(world, [
        "SELECT 1 / (salary - salary) FROM people", "SELECT CASE WHEN salary > (SELECT salary FROM people WHERE id = 3) THEN 1 / 0 END FROM people",
        "SELECT id FROM people WHERE salary = (SELECT salary FROM people)", "SELECT salary::int4 FROM people", "SELECT (salary = salary)::int / 0 FROM people",
    ], (*NO_OPERATOR, UNGRANTED, "21000", "22012"))


@attempt("SQL", "aggregates of one row, off and with a key that forbids them")
def aggregates(world):
    return each(world, [f"SELECT {f}(salary) FROM people WHERE id = 1" for f in ("sum", "avg", "stddev", "var_pop")], (FORBIDDEN, UNGRANTED, "42883"))


def cells_of(world, column):
    with world.admin() as admin:
        return [bytes(row[0]) for row in admin.execute(f"SELECT cloister_bytes FROM (SELECT decode(substr({column}::text, 3), 'hex') AS cloister_bytes, id"
                                                       " FROM people) q ORDER BY id").fetchall()]


def text_of(cell):
    return "\\x" + cell.hex()


def operand_of(world, client):
    """The cell of a constant, as the server got it: the administrator sees it in pg_prepared_statements of the session, or in his log."""
    client.execute("DEALLOCATE ALL")
    client.execute("PREPARE q AS SELECT count(*) FROM people WHERE salary < 5")
    text = client.execute("SELECT statement FROM pg_prepared_statements WHERE name = 'q'").fetchone()[0]
    return bytes.fromhex(text.split("'")[1][2:])


@attempt("SQL", "a query's constant stored in a column")
def store_operand(world):
    with world.stack.proxy() as client:
        operand = operand_of(world, client)
        return each(world, [f"UPDATE people SET salary = '{text_of(operand)}'::enc_int8", f"INSERT INTO people (id, salary) VALUES (999, '{text_of(operand)}')"],
                    ("22000", CELL))


def planted_function(admin, body):
    """A function that the administrator plants for a client's session to run, where comparisons are served."""
    admin.execute("DROP FUNCTION IF EXISTS public.planted()")
    admin.execute(f"CREATE FUNCTION public.planted() RETURNS text LANGUAGE plpgsql AS $f$ DECLARE r text; BEGIN {body} RETURN r; END $f$")


@attempt("SQL", "a constant of one session replayed in another session, vouched for")
def replay_operand(world):
    with world.stack.proxy() as victim, world.stack.proxy() as other, world.admin() as admin:
        operand = operand_of(world, victim)
        planted_function(admin, f"EXECUTE 'SELECT count(*)::text FROM people WHERE salary < ''{text_of(operand)}''::enc_int8' INTO r;")
        victim.execute("SELECT planted()")  # the control: in its own session it is served
        code, _ = refused(other, "SELECT planted()", (CELL,))
        return code


@attempt("SQL", "a cell moved to a column of another key, or of another type of the same key")
def move(world):
    name, salary = cells_of(world, "name")[0], cells_of(world, "salary")[0]
    return each(world, [
        "UPDATE people SET other = name", "UPDATE people SET name = other", f"UPDATE people SET other = '{text_of(name)}'",
        f"UPDATE people SET name = '{text_of(salary)}'", f"UPDATE people SET salary = '{text_of(name)}'", f"UPDATE people SET photo = '{text_of(name)}'",
        f"UPDATE people SET ident = '{text_of(name)}'", "UPDATE people SET photo = name::text::enc_bytea",
    ], (*NO_OPERATOR, CELL, "22023", "22000"))


@attempt("SQL", "a cell whose header is rewritten to another column's key, type, role, collation or algorithm")
def relabel(world):
    cell = cells_of(world, "name")[0]
    other = cells_of(world, "other")[0]
    denied, accepted = set(), 0
    for position, value in [(4, other[4]), (5, other[5]), (6, other[6]), (7, other[7]), *[(2, tag) for tag in range(1, 22)], *[(1, role) for role in range(256)],
                            *[(3, collation) for collation in range(1, 20)], (0, 0), (0, 2)]:
        altered = bytearray(cell)
        if altered[position] == value:
            continue
        altered[position] = value
        with world.stack.proxy() as client, world.admin() as admin:
            try:
                admin.execute(f"SELECT '{text_of(altered)}'::enc_text")
            except psycopg.Error as error:
                denied.add(error.sqlstate)
                continue
            planted_function(admin, f"EXECUTE 'SELECT count(*)::text FROM people WHERE name = ''{text_of(altered)}''::enc_text' INTO r;")
            accepted += 1
            denied.add(refused(client, "SELECT planted()", (CELL, "YE003", "22023"))[0])
    return f"refused by the type or the enclave ({accepted}): {', '.join(sorted(denied))}"


@attempt("SQL", "garbage as an operand: 32 zero bytes, random bytes (HEDB took them for 0)")
def garbage(world):
    source = random.Random(1)
    cell = cells_of(world, "salary")[0]
    denied = set()
    with world.stack.proxy() as client, world.admin() as admin:
        for body in [bytes(32), bytes(len(cell) - 8), *[source.randbytes(len(cell) - 8) for _ in range(20)]]:
            planted_function(admin, f"EXECUTE 'SELECT count(*)::text FROM people WHERE salary >= ''{text_of(cell[:8] + body)}''::enc_int8' INTO r;")
            denied.add(refused(client, "SELECT planted()", (CELL, "22023", "22P02"))[0])
    return ", ".join(sorted(denied))


@attempt("SQL", "statistics: cells in pg_statistic, pg_stats, extended statistics")
def statistics(world):
    with world.admin() as admin:
        admin.execute("ANALYZE people")
        kept = admin.execute("SELECT count(*) FROM pg_statistic WHERE starelid = 'people'::regclass AND staattnum > 1 AND (stavalues1 IS NOT NULL OR stavalues2"
                             " IS NOT NULL OR stavalues3 IS NOT NULL)").fetchone()[0]
        if kept:
            raise Succeeded(f"{kept} columns with stored values")
        code, _ = refused(admin, "CREATE STATISTICS s (mcv) ON name, salary FROM people", ("0A000",))
    return f"none stored; CREATE STATISTICS: {code}"


@attempt("SQL", "plaintext written past the proxy, so that clients take it for genuine")
def plaintext(world):
    return each(world, ["INSERT INTO people (id, name) VALUES (1000, 'plain')", "UPDATE people SET salary = 5::text::enc_int8", "UPDATE people SET name = 'x'"],
                ("22P02", "42846", "42804"))


@attempt("SQL", "a swapped cell (another row's, same column) is shown as what it is; another column's is not shown")
def swapped(world):
    cell = cells_of(world, "name")[0]
    with world.admin() as admin, world.stack.proxy() as client:
        admin.execute("CREATE TABLE scratch AS SELECT id, other FROM people")
        planted = client.execute("SELECT name FROM people WHERE id = 0").fetchone()[0]
        assert planted == world.planted[0]["name"]
        try:
            admin.execute(f"ALTER TABLE scratch ALTER other TYPE enc_text; UPDATE scratch SET other = '{text_of(cell)}'")
        except psycopg.Error as error:
            return f"the type keeps it out: {error.sqlstate}"
        finally:
            admin.execute("DROP TABLE scratch")
    return "rows of one column and key can be swapped (documented)"


@attempt("SQL", "statements that a client must not send: values never leave in plaintext")
def refuse(world):
    with world.stack.proxy() as client:
        for statement in ("SELECT id FROM people WHERE name = lower(other)", "SELECT name ~ 'x' FROM people", "SELECT salary + 1 FROM people",
                          "SELECT people::text FROM people", "SELECT row_to_json(people) FROM people"):
            refused(client, statement, ("0A000", "42883", "42846"))
    return "5 refused by the proxy"
