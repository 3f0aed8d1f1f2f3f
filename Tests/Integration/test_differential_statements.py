"""Statements that change marked columns or make them, against a plaintext twin: one by one, and scripts of one session."""

import datetime

import pytest

from cloister_testlib.differential import LONG, compare, differ, outcome, script, shown

D, T, Z = datetime.date, datetime.datetime, datetime.timezone

STATEMENTS = r"""
INSERT INTO u VALUES (4, 'four', 4, '2001-01-01')
INSERT INTO u (need, code, id) VALUES ('2001-01-01', 'five', 5), ('2001-01-01', 'six', 6) RETURNING *
INSERT INTO u VALUES (4, 'one', 4, '2001-01-01')
INSERT INTO u VALUES (4, 'four', 1, '2001-01-01')
INSERT INTO u VALUES (1, 'four', 4, '2001-01-01')
INSERT INTO u VALUES (4, 'four', 4, NULL)
INSERT INTO u VALUES (4, 'four', 4)
INSERT INTO u VALUES (4, 'four', 4, '2001-01-01', 5)
INSERT INTO u (id, need) VALUES (4, '2001-02-30')
INSERT INTO u (id, need) VALUES (4, 'x')
INSERT INTO u (id, tag, need) VALUES (4, 99999999999, '2001-01-01')
INSERT INTO u (id, tag, need) VALUES (4, 4.5, '2001-01-01') RETURNING tag
INSERT INTO u (id, tag, need) VALUES (4, '4.5', '2001-01-01')
INSERT INTO u (id, code, need) VALUES (4, 17, '2001-01-01') RETURNING code
INSERT INTO u (id, code, need) VALUES (4, '', DATE '2001-01-01') RETURNING code, need
INSERT INTO u (id, need) SELECT id + 10, need FROM u RETURNING id, need
INSERT INTO u (id, code, need) SELECT 7, 'seven', '2002-02-02' RETURNING *
INSERT INTO u (id, code, need) SELECT 7, x, y FROM (VALUES ('seven', DATE '2002-02-02')) q (x, y) RETURNING *
INSERT INTO u (id, code, need) SELECT 7, coalesce(code, 'none'), need FROM u WHERE id = 3 RETURNING *
INSERT INTO u (id, code, need) SELECT 8, t, da FROM r WHERE id = 0 RETURNING *
INSERT INTO u VALUES (1, 'x', 9, '2001-01-01') ON CONFLICT DO NOTHING
INSERT INTO u VALUES (9, 'one', 9, '2001-01-01') ON CONFLICT (code) DO NOTHING
INSERT INTO u VALUES (9, 'one', 9, '2001-01-01') ON CONFLICT (code) DO UPDATE SET need = excluded.need, tag = excluded.tag RETURNING *
INSERT INTO u VALUES (1, 'uno', 9, '2001-01-01') ON CONFLICT (id) DO UPDATE SET code = 'changed' WHERE u.code = 'one' RETURNING *
INSERT INTO u VALUES (1, 'uno', 9, '2001-01-01') ON CONFLICT (tag) DO UPDATE SET code = 'changed'
INSERT INTO u DEFAULT VALUES
INSERT INTO u (id, code, need) VALUES (4, DEFAULT, '2001-01-01') RETURNING code
INSERT INTO nothing VALUES (1)
UPDATE u SET code = 'eins' WHERE code = 'one' RETURNING *
UPDATE u SET code = upper('x')
UPDATE u SET code = NULL, tag = DEFAULT WHERE id = 1 RETURNING *
UPDATE u SET need = NULL WHERE id = 1
UPDATE u SET code = 'two' WHERE id = 1
UPDATE u SET (code, tag) = ('zwei', 22) WHERE tag = 2 RETURNING *
UPDATE u SET (code, need) = (SELECT t, da FROM r WHERE r.id = 0) WHERE u.id = 1 RETURNING *
UPDATE u SET code = r.t FROM r WHERE r.id = 6 AND u.id = 2 RETURNING u.*
UPDATE u SET code = coalesce(code, 'was null') WHERE id > 1 RETURNING code
UPDATE u SET code = CASE WHEN tag = 1 THEN 'first' ELSE code END RETURNING id, code
UPDATE u SET code = code WHERE need > '2000-01-01'
UPDATE u SET tag = id
UPDATE u SET need = need + 1
UPDATE u SET need = '2001-13-01'
UPDATE u SET id = id + 100 WHERE need >= '2000-01-02'
DELETE FROM u WHERE need < '2000-01-02' RETURNING *
DELETE FROM u USING r WHERE u.code = r.t
DELETE FROM u WHERE code IN ('one', 'two') RETURNING id
DELETE FROM u
WITH gone AS (DELETE FROM u WHERE tag = 2 RETURNING *) INSERT INTO u SELECT id + 50, code || '', tag, need FROM gone
WITH gone AS (DELETE FROM u WHERE tag = 2 RETURNING *) SELECT code, need FROM gone
WITH new AS (INSERT INTO u VALUES (4, 'four', 4, '2001-01-01') RETURNING code) SELECT * FROM new UNION SELECT code FROM u ORDER BY code
MERGE INTO u USING (VALUES (1, 'merged'), (40, 'new')) s (id, c) ON u.id = s.id WHEN MATCHED THEN UPDATE SET code = s.c WHEN NOT MATCHED THEN INSERT (id, code, need) VALUES (s.id, s.c, '2001-01-01')
MERGE INTO u USING r ON u.code = r.t WHEN NOT MATCHED AND r.t = 'alpha' AND r.id = 0 THEN INSERT VALUES (41, r.t, 41, '2001-01-01')
TRUNCATE u
EXPLAIN (COSTS OFF, ANALYZE, TIMING OFF, SUMMARY OFF) INSERT INTO u (id, need) VALUES (4, '2001-01-01')
CREATE TABLE copied AS SELECT id, t FROM r WHERE t > 'B'
CREATE VIEW seen AS SELECT id, t FROM r WHERE t > 'B'
CREATE INDEX ON r (t, i4 DESC)
ALTER TABLE u ADD COLUMN more int, DROP COLUMN tag
ALTER TABLE u ALTER COLUMN code SET NOT NULL
ALTER TABLE u ADD CHECK (code <> 'one')
ALTER TABLE u ADD CHECK (need > '1999-01-01')
ALTER TABLE u ADD UNIQUE (need)
DROP TABLE u
INSERT INTO r (id, t, i4, da) VALUES (90, lower('ABC'), 2 * 21, '2020-01-31'::date + 1) RETURNING t, i4, da
INSERT INTO r (id, t) VALUES (90, 'a' || 'b'), (91, NULL), (92, DEFAULT) RETURNING t
INSERT INTO r (id, i2) VALUES (90, 40000)
INSERT INTO r (id, i2) VALUES (90, 1.5) RETURNING i2
INSERT INTO r (id, i4) VALUES (90, '1.5')
INSERT INTO r (id, c) VALUES (90, 'toolong')
INSERT INTO r (id, c) VALUES (90, 'fits        ') RETURNING c
INSERT INTO r (id, c) VALUES (90, 'a') RETURNING c
INSERT INTO r (id, by) VALUES (90, '\x0') 
INSERT INTO r (id, ip) VALUES (90, '1.2.3.4.5')
INSERT INTO r (id, iv) VALUES (90, '1 fortnight')
INSERT INTO r (id, ti) VALUES (90, '25:00')
INSERT INTO r (id, tt) VALUES (90, '12:00+99')
INSERT INTO r (id, f4) VALUES (90, '1e99')
INSERT INTO r (id, u) VALUES (90, 'x')
INSERT INTO r (id, j) VALUES (90, '{')
INSERT INTO l (id, v) VALUES (2, 'abcdef')
INSERT INTO l (id, v) VALUES (2, 'abcde   ') RETURNING v
INSERT INTO l (id, c) VALUES (2, 'abcde')
INSERT INTO l (id, c) VALUES (2, 'ab') RETURNING c
INSERT INTO l (id, n) VALUES (2, 99999.99)
INSERT INTO l (id, n) VALUES (2, 1.005), (3, -1.005), (4, 'NaN'), (5, 9999.994) RETURNING n
INSERT INTO l (id, n) VALUES (2, 9999.995)
INSERT INTO l (id, n) VALUES (2, 'Infinity')
INSERT INTO l (id, ti) VALUES (2, '12:34:56.789'), (3, '23:59:59.99') RETURNING ti
INSERT INTO l (id, ts) VALUES (2, '2020-01-01 00:00:00.5'), (3, '2020-12-31 23:59:59.5') RETURNING ts
INSERT INTO l (id, tz) VALUES (2, '2020-01-01 00:00:00.125+00'), (3, 'infinity') RETURNING tz
UPDATE l SET v = 'abcdefg' WHERE id = 1
UPDATE l SET n = 3.14159 RETURNING n
SELECT * FROM l WHERE v = 'abcdefgh' OR n = 1.01
SELECT id FROM l WHERE n = 1.005
SELECT id FROM l WHERE c = 'xy' AND c = 'xy  '
INSERT INTO u VALUES (9, 'one', 9, '2001-01-01') ON CONFLICT (code) DO UPDATE SET code = excluded.code || 'x'
INSERT INTO u VALUES (9, 'two', 9, '2001-01-01') ON CONFLICT (code) DO UPDATE SET tag = 77 WHERE u.need > '1999-01-01' RETURNING *
INSERT INTO u AS x VALUES (9, 'two', 9, '2001-01-01') ON CONFLICT (code) DO UPDATE SET need = excluded.need WHERE x.tag = 2 RETURNING x.code
INSERT INTO u VALUES (9, 'two', 9, '2001-01-01') ON CONFLICT ON CONSTRAINT u_code_key DO NOTHING
INSERT INTO u SELECT id + 20, t, i4, '2020-01-01' FROM k
INSERT INTO u (id, code, tag, need) SELECT d.id + 20, r.t, d.i4, r.da FROM r JOIN d USING (id) WHERE id = 6 RETURNING *
INSERT INTO u (id, code, need) TABLE x
UPDATE u SET (code, tag, need) = ('x', 9, '2020-01-01') WHERE id = 1 RETURNING *
UPDATE u SET (code, need) = ROW ('x', DATE '2020-01-01') WHERE id = 1 RETURNING *
UPDATE u SET code = (SELECT max(t) FROM k) WHERE id = 1 RETURNING code
UPDATE u AS x SET code = y.code FROM u y WHERE y.id = 3 AND x.id = 1 RETURNING x.*, y.code
UPDATE u SET code = tag
UPDATE u SET need = current_date WHERE id = 1 RETURNING need = current_date
UPDATE u SET code = 'x' WHERE tag IN (SELECT i4 FROM d) RETURNING id
DELETE FROM u USING r WHERE u.code = r.t AND r.i4 > 0 RETURNING u.id
DELETE FROM u WHERE code LIKE 't%' RETURNING *
DELETE FROM u WHERE (code, tag) = ('one', 1) RETURNING id
WITH x AS (UPDATE u SET code = 'moved' WHERE id = 1 RETURNING *) SELECT code, tag FROM x
WITH x AS (INSERT INTO u VALUES (50, 'n', 50, '2020-01-01') RETURNING code), y AS (DELETE FROM u WHERE tag = 2 RETURNING code) SELECT * FROM x UNION ALL SELECT * FROM y ORDER BY 1
MERGE INTO u USING r ON u.code = r.t AND r.id = 0 WHEN MATCHED AND u.tag = 1 THEN DELETE WHEN NOT MATCHED AND r.id = 6 THEN INSERT (id, code, need) VALUES (60, r.t, r.da)
MERGE INTO u USING (SELECT 1 AS id) s ON u.id = s.id AND u.code = 'one' WHEN MATCHED THEN UPDATE SET (code, tag) = ('m', 5)
MERGE INTO u USING (SELECT 1 AS id) s ON u.id = s.id WHEN MATCHED AND u.code LIKE 'o%' THEN DO NOTHING WHEN MATCHED THEN DELETE
CREATE TABLE made (id int, t text NOT NULL DEFAULT 'none', x int CHECK (x = 1))
CREATE TABLE made (id int, t text CHECK (t LIKE 'a%'), x int REFERENCES u (tag))
CREATE TABLE made (id int, t text UNIQUE, x int PRIMARY KEY)
CREATE TABLE made (t text REFERENCES u (code), x int)
CREATE TABLE made (id serial, t text, x serial)
CREATE TABLE made (t text, x int GENERATED ALWAYS AS IDENTITY)
CREATE TABLE made (t text COLLATE "de_DE", x int)
CREATE TABLE made (t varchar(5), x int)
CREATE TABLE made (t text, x bigint)
CREATE TABLE made (t text DEFAULT now()::text, x int)
CREATE TABLE made (t text, x int, y text GENERATED ALWAYS AS (t) STORED)
CREATE TABLE made (LIKE u)
CREATE TABLE copied AS SELECT t, i4 FROM d WITH NO DATA
SELECT id, t INTO copied FROM r WHERE t LIKE 'a%'
CREATE TEMP TABLE copied AS SELECT * FROM r
CREATE MATERIALIZED VIEW seen AS SELECT t, count(*) FROM r WHERE i4 > 0 GROUP BY t
CREATE VIEW seen (a) AS SELECT t FROM r WHERE t IN ('alpha', '')
CREATE VIEW seen AS SELECT * FROM r WHERE lower(t) = 'x'
CREATE INDEX ON r (t) WHERE i4 > 0
CREATE UNIQUE INDEX ON r (t, id)
CREATE INDEX ON d USING hash (v)
CREATE INDEX ON r (lower(t))
CREATE INDEX ON r USING gin (t)
CREATE INDEX ON r (t text_pattern_ops)
ALTER TABLE r ALTER COLUMN t TYPE varchar
ALTER TABLE r RENAME COLUMN t TO z
ALTER TABLE r RENAME COLUMN grp TO g
ALTER TABLE r ALTER COLUMN t SET DEFAULT 'x'
ALTER TABLE r ALTER COLUMN t DROP DEFAULT
ALTER TABLE r ADD COLUMN z text DEFAULT 'plain'
ALTER TABLE r DROP COLUMN t CASCADE
ALTER TABLE r ADD CHECK (t <> 'no' OR t IS NULL)
ALTER TABLE r ADD CHECK (t <> 'alpha')
ALTER TABLE r RENAME TO q
ALTER TABLE u ADD FOREIGN KEY (tag) REFERENCES u (tag)
ALTER TABLE u ADD FOREIGN KEY (tag) REFERENCES u (id)
CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM r WHERE t = 'alpha' $$
CREATE FUNCTION f() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM r WHERE t = 'alpha'); END $$
DO $$ BEGIN PERFORM 1; END $$
DO $$ BEGIN UPDATE u SET code = 'x'; END $$
CREATE RULE x AS ON INSERT TO u DO NOTHING
CREATE TRIGGER x BEFORE UPDATE ON u FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()
COMMENT ON COLUMN r.t IS 'x'
LOCK TABLE r
ANALYZE r
TRUNCATE r, d
LISTEN x
NOTIFY x, 'y'
EXPLAIN (COSTS OFF, ANALYZE, TIMING OFF, SUMMARY OFF) DELETE FROM u WHERE id = 1
""".strip().split("\n")

# Refused on encrypted columns (docs/refusals.md); the twin need not fail.
REFUSED = {
    statement: code
    for code, statements in {
        "CL6001": [
            'UPDATE u SET need = need + 1',
            "WITH gone AS (DELETE FROM u WHERE tag = 2 RETURNING *) INSERT INTO u SELECT id + 50, code || '', tag, need FROM gone",
            "INSERT INTO u VALUES (9, 'one', 9, '2001-01-01') ON CONFLICT (code) DO UPDATE SET code = excluded.code || 'x'",
            "CREATE VIEW seen AS SELECT * FROM r WHERE lower(t) = 'x'",
            'CREATE INDEX ON r (lower(t))',
        ],
        "CL6002": [
            'CREATE RULE x AS ON INSERT TO u DO NOTHING',
            'CREATE TRIGGER x BEFORE UPDATE ON u FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
        ],
        "CL6005": [
            'UPDATE u SET tag = id',
        ],
        "CL6006": [
            "INSERT INTO u SELECT id + 20, t, i4, '2020-01-01' FROM k",
            'UPDATE u SET code = tag',
        ],
        "CL6008": [
            'CREATE TABLE made (id serial, t text, x serial)',
            'CREATE TABLE made (t text, x int GENERATED ALWAYS AS IDENTITY)',
            'CREATE TABLE made (t text COLLATE "de_DE", x int)',
            'CREATE TABLE made (t varchar(5), x int)',
            'CREATE TABLE made (t text, x bigint)',
            'CREATE TABLE made (t text DEFAULT now()::text, x int)',
            'CREATE TABLE made (t text, x int, y text GENERATED ALWAYS AS (t) STORED)',
            'CREATE INDEX ON r USING gin (t)',
            'ALTER TABLE r ALTER COLUMN t TYPE varchar',
            'ALTER TABLE r RENAME COLUMN t TO z',
            'ALTER TABLE r RENAME TO q',
            'ALTER TABLE u ADD FOREIGN KEY (tag) REFERENCES u (id)',
        ],
        "CL6009": [
            "CREATE FUNCTION f() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM r WHERE t = 'alpha'); END $$",
            "DO $$ BEGIN UPDATE u SET code = 'x'; END $$",
        ],
        "CL6012": [
            "INSERT INTO u (id, code, need) VALUES (4, 17, '2001-01-01') RETURNING code",
        ],
    }.items()
    for statement in statements
}


def test_statements(sides, binary):
    failures = compare(sides, STATEMENTS, binary, REFUSED)
    assert not failures, shown(failures)


def test_what_is_refused_is_here():
    assert REFUSED.keys() <= set(STATEMENTS)


# One session, in this order; every outcome must be the twin's. (statement, parameters)
SESSION = [
    ("BEGIN", None),
    ("INSERT INTO u VALUES (10, 'ten', 10, '2010-10-10')", None),
    ("SAVEPOINT a", None),
    ("INSERT INTO u VALUES (11, 'ten', 11, '2010-10-10')", None),
    ("SELECT * FROM u", None),
    ("ROLLBACK TO a", None),
    ("SELECT code FROM u WHERE code = 'ten'", None),
    ("UPDATE u SET code = %s WHERE code = %s RETURNING code", ["zehn", "ten"]),
    ("RELEASE a", None),
    ("UPDATE u SET need = %s WHERE code = %s", [None, "zehn"]),
    ("COMMIT", None),
    ("SELECT id, code FROM u WHERE code = ANY (ARRAY[%s, %s]) ORDER BY id", ["one", "ten"]),
    ("BEGIN", None),
    ("DECLARE c SCROLL CURSOR FOR SELECT id, code, need FROM u ORDER BY code NULLS LAST", None),
    ("FETCH 2 FROM c", None),
    ("FETCH PRIOR FROM c", None),
    ("MOVE FORWARD 1 IN c", None),
    ("FETCH ALL FROM c", None),
    ("UPDATE u SET code = code WHERE code = %s AND code <> %s AND tag = %s", ["one", "two", 1]),
    ("INSERT INTO u (id, code, need) VALUES (%s, %s, %s) ON CONFLICT (code) DO UPDATE SET code = u.code RETURNING id", [20, "two", D(2020, 1, 1)]),
    ("INSERT INTO u (id, code, tag, need) SELECT %s, %s, %s, %s WHERE NOT EXISTS (SELECT 1 FROM u WHERE code = %s)", [21, "new", 21, D(2020, 1, 1), "new"]),
    ("SELECT * FROM u ORDER BY id", None),
    ("ROLLBACK", None),
    ("SELECT count(*) FROM u WHERE code IS NULL OR code > %s", [""]),
    ("SET DateStyle = 'SQL, DMY'", None),
    ("SELECT need FROM u WHERE id = 2", None),
    ("SELECT count(*) FROM u WHERE need = '02/01/2000'", None),
    ("SET DateStyle = 'ISO, MDY'", None),
    ("SET TimeZone = 'America/New_York'", None),
    ("SELECT id, tz FROM r WHERE tz = '2020-02-29 05:34:56' ORDER BY id", None),
    ("SELECT id FROM r WHERE tz > %s ORDER BY id", [T(2020, 1, 1, tzinfo=Z.utc)]),
    ("RESET ALL", None),
    ("PREPARE p AS SELECT 1", None),
    ("EXECUTE p", None),
    ("EXECUTE nothing", None),
    ("DEALLOCATE ALL", None),
    ("UPDATE k SET v = %s WHERE id = 0 RETURNING v", [LONG]),
    ("SELECT id FROM k WHERE v = %s", [LONG]),
    ("SELECT id FROM k WHERE v < %s ORDER BY id", [LONG + "x"]),
    ("SELECT code FROM u WHERE code = %s", ["one"]),
]


def test_session(sides):
    client, twin = sides
    for side in sides:
        side.prepare_threshold = 0
    failures = []
    for statement, parameters in SESSION:
        ours, theirs = outcome(client, statement, parameters), outcome(twin, statement, parameters)
        if statement == "RESET ALL":
            twin.execute("SET search_path = plain")
        if differ(ours, theirs):
            failures.append((statement, ours, theirs))
        assert client.info.transaction_status == twin.info.transaction_status
    assert not failures, shown(failures)


SCRIPTS = {
    "prepared": r"""
PREPARE a (text) AS SELECT id FROM r WHERE t = $1 ORDER BY id
EXECUTE a ('alpha')
EXECUTE a (NULL)
PREPARE a AS SELECT 1
PREPARE b AS SELECT id FROM r WHERE t LIKE $1 AND i4 > $2 ORDER BY id
EXECUTE b ('a%', 0)
EXECUTE b ('a%')
DEALLOCATE a
EXECUTE a ('alpha')
PREPARE c (int, text) AS INSERT INTO r (id, t) VALUES ($1, $2) RETURNING t
EXECUTE c (200, 'prepared')
EXPLAIN (COSTS OFF, ANALYZE, TIMING OFF, SUMMARY OFF) EXECUTE c (201, 'again')
DELETE FROM r WHERE id IN (200, 201) RETURNING t
DEALLOCATE ALL
""",
    "cursors": r"""
BEGIN
DECLARE c SCROLL CURSOR FOR SELECT id, t, i4 FROM r ORDER BY t NULLS FIRST, id
FETCH FIRST FROM c
FETCH FORWARD 3 FROM c
FETCH ABSOLUTE -1 FROM c
FETCH BACKWARD 2 FROM c
MOVE FORWARD ALL IN c
FETCH NEXT FROM c
CLOSE c
FETCH NEXT FROM c
ROLLBACK
BEGIN
DECLARE h CURSOR WITH HOLD FOR SELECT t FROM r WHERE t LIKE 'a%' ORDER BY id
COMMIT
FETCH ALL FROM h
CLOSE ALL
DECLARE c CURSOR FOR SELECT t FROM r
""",
    "tables": r"""
CREATE TABLE made (id int PRIMARY KEY, t text NOT NULL DEFAULT 'none', x int CHECK (x <> 3))
INSERT INTO made (id) VALUES (1) RETURNING *
INSERT INTO made VALUES (2, 'two', 2), (3, DEFAULT, NULL) RETURNING *
INSERT INTO made VALUES (4, 'x', 3)
INSERT INTO made VALUES (4, NULL, 3)
ALTER TABLE made ADD UNIQUE (x)
INSERT INTO made VALUES (4, 'x', 2)
SELECT * FROM made ORDER BY t, id
CREATE VIEW v1 AS SELECT id, t AS name, x FROM made WHERE t <> 'none'
CREATE VIEW v2 AS SELECT name FROM v1 WHERE name LIKE 't%'
SELECT * FROM v2 WHERE name = 'two'
INSERT INTO v1 VALUES (7, 'seven', 7) RETURNING name
UPDATE v1 SET name = 'Two' WHERE x = 2 RETURNING *
SELECT * FROM v1 ORDER BY name
CREATE MATERIALIZED VIEW m AS SELECT t, count(*) AS n FROM made GROUP BY t
SELECT * FROM m ORDER BY t
REFRESH MATERIALIZED VIEW m
SELECT t FROM m WHERE t = 'Two'
CREATE TABLE copied AS SELECT id, t FROM made WHERE t <> 'none'
INSERT INTO copied VALUES (9, 'nine')
SELECT * FROM copied WHERE t > 'U' ORDER BY t
DROP TABLE copied
SELECT * FROM copied
CREATE TEMP TABLE temporary AS SELECT t FROM made
SELECT * FROM temporary WHERE t = 'none' ORDER BY t
CREATE FUNCTION found() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM made WHERE t = 'none' $$
SELECT found()
DROP FUNCTION found
CREATE FUNCTION names() RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN NEXT 'x'; END $$
SELECT names()
DROP FUNCTION names
TRUNCATE made
SELECT * FROM made
DROP MATERIALIZED VIEW m
DROP VIEW v2, v1
DROP TABLE made
DROP TABLE temporary
""",
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts(sides, name):
    failures = script(sides, SCRIPTS[name].strip().split("\n"))
    assert not failures, shown(failures)
