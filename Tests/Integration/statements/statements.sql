INSERT INTO w VALUES (4, 'four', 40) RETURNING *
INSERT INTO w (name, id) VALUES ('four', 4), ('five', 5) RETURNING id, name
INSERT INTO w VALUES (4, 'one', 40)
INSERT INTO w VALUES (1, 'x', 40)
INSERT INTO w VALUES (4, 'forbidden', 40)
INSERT INTO w AS x VALUES (1, 'eins', 1) ON CONFLICT (id) DO UPDATE SET name = excluded.name, score = x.score RETURNING *
INSERT INTO w VALUES (9, 'one', 90) ON CONFLICT (name) DO UPDATE SET score = excluded.score WHERE w.score < 50 RETURNING *
INSERT INTO w VALUES (9, 'one', 90) ON CONFLICT DO NOTHING RETURNING *
INSERT INTO w VALUES (9, 'one', 90) ON CONFLICT ON CONSTRAINT w_name_key DO NOTHING
INSERT INTO w SELECT id + 50, t || '', i4 FROM plain JOIN r USING (id)
INSERT INTO w (id, name) SELECT id + 50, t FROM r WHERE t > 'B' AND id = 1 RETURNING *
INSERT INTO w (id, name) SELECT 60, 'lit' RETURNING *
pending| INSERT INTO w (id, name) VALUES (60, lower('LIT')) RETURNING *
pending| INSERT INTO w (id, name, score) VALUES (60, 'a' || 'b', 2 + 3) RETURNING *
INSERT INTO w (id, score) VALUES (60, 2147483648)
INSERT INTO w (id, score) VALUES (60, 1.6) RETURNING score
INSERT INTO w DEFAULT VALUES
INSERT INTO w (id, name, name) VALUES (1, 'a', 'b')
INSERT INTO w VALUES (1, 'a', 1, 2)
UPDATE w SET name = 'eins' WHERE name = 'one' RETURNING *
UPDATE w SET (name, score) = ('uno', 11) WHERE id = 2 RETURNING *
UPDATE w SET (name, score) = ROW ('uno', 11) WHERE id = 2 RETURNING *
UPDATE w SET (name, score) = (SELECT t, i4 FROM r WHERE r.id = 5) WHERE id = 2 RETURNING *
UPDATE w SET name = r.t FROM r WHERE r.id = 4 AND w.id = 3 RETURNING w.*
CL6001| UPDATE w x SET name = y.name || '' FROM w y WHERE false
UPDATE w SET score = score WHERE name LIKE 't%' RETURNING id
UPDATE w SET name = DEFAULT WHERE id = 2 RETURNING *
UPDATE w SET name = 'forbidden'
UPDATE w SET name = 'same'
UPDATE w SET nothing = 'x'
DELETE FROM w WHERE name = 'two' RETURNING *
DELETE FROM w USING r WHERE w.name = r.t
DELETE FROM w WHERE name = 'one'
DELETE FROM f WHERE name = 'one' RETURNING *
INSERT INTO f VALUES (2, 'two') RETURNING *
INSERT INTO f VALUES (2, 'nobody')
INSERT INTO f VALUES (2, NULL)
UPDATE w SET name = 'renamed' WHERE id = 1 ;; SELECT * FROM f
MERGE INTO w USING (VALUES (1, 'm'), (7, 'n')) s (id, x) ON w.id = s.id WHEN MATCHED THEN UPDATE SET name = s.x WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.x, 5) ;; SELECT * FROM w ORDER BY id
MERGE INTO w USING r ON w.name = r.t WHEN MATCHED THEN DELETE WHEN NOT MATCHED AND r.id = 1 THEN INSERT VALUES (r.id + 90, r.t, r.i4) ;; SELECT * FROM w ORDER BY id
MERGE INTO w USING w s ON w.id = s.id WHEN MATCHED AND w.name = 'one' THEN UPDATE SET score = 77 WHEN MATCHED THEN DO NOTHING ;; SELECT * FROM w ORDER BY id
WITH gone AS (DELETE FROM w WHERE name = 'two' RETURNING *) SELECT * FROM gone
WITH gone AS (DELETE FROM w WHERE name = 'two' RETURNING *) INSERT INTO w SELECT id + 50, name, score FROM gone RETURNING *
WITH up AS (UPDATE w SET name = 'neu' WHERE id = 1 RETURNING name) SELECT * FROM up WHERE name = 'neu'
WITH a AS (SELECT t FROM r), b AS (SELECT t FROM a WHERE t > 'a') SELECT * FROM b ORDER BY 1
WITH a AS MATERIALIZED (SELECT id, t FROM r) SELECT * FROM a WHERE t = 'alpha' ORDER BY id
WITH RECURSIVE c (n, t) AS (SELECT id, t FROM r WHERE id = 0 UNION ALL SELECT c.n + 1, r.t FROM c JOIN r ON r.id = c.n + 1) SELECT * FROM c ORDER BY n
WITH RECURSIVE c AS (SELECT id, t FROM r WHERE t = 'alpha' UNION SELECT r.id, r.t FROM r JOIN c ON r.t = c.t) SELECT * FROM c ORDER BY id
SELECT r.id, q.id FROM r, LATERAL (SELECT id FROM d WHERE d.id = r.id) q ORDER BY 1
SELECT r.id, q.t FROM r LEFT JOIN LATERAL (SELECT t FROM r b WHERE b.t = r.t AND b.id <> r.id) q ON true ORDER BY 1, 2
CREATE VIEW nv AS SELECT id, t FROM r WHERE t = 'alpha' ;; SELECT * FROM nv ORDER BY id ;; SELECT id FROM nv WHERE t LIKE 'a%' ORDER BY id
CREATE OR REPLACE VIEW rv AS SELECT id, t, i4, da FROM r WHERE t > 'a' ;; SELECT * FROM rv ORDER BY id
CREATE MATERIALIZED VIEW nm AS SELECT t, count(*) AS n FROM r GROUP BY t ;; SELECT * FROM nm ORDER BY t ;; REFRESH MATERIALIZED VIEW nm ;; SELECT count(*) FROM nm
CREATE TABLE nt AS SELECT id, t FROM r WHERE t = 'alpha' ;; SELECT * FROM nt ORDER BY id ;; SELECT id FROM nt WHERE t = 'alpha' ORDER BY id
CREATE TABLE nt AS SELECT id, t FROM r WITH NO DATA ;; SELECT count(*) FROM nt
SELECT id, t INTO nt FROM r WHERE t = 'alpha' ;; SELECT * FROM nt ORDER BY id
CREATE TEMP TABLE nt AS SELECT id, t FROM r ;; SELECT id FROM nt WHERE t = 'Beta'
CREATE TEMP TABLE nt (x int) ON COMMIT DROP ;; INSERT INTO nt VALUES (1) ;; SELECT * FROM nt
PREPARE q (text) AS SELECT id FROM r WHERE t = $1 ORDER BY id ;; EXECUTE q ('alpha') ;; EXECUTE q (NULL) ;; DEALLOCATE q
PREPARE q AS SELECT id FROM r WHERE i4 > $1 ORDER BY id ;; EXECUTE q (0) ;; EXECUTE q (41) ;; DEALLOCATE ALL
pending| PREPARE q (int, text) AS UPDATE w SET name = $2 WHERE id = $1 RETURNING * ;; EXECUTE q (1, 'prep') ;; EXECUTE q (2, 'pre' || 'pared')
PREPARE q AS INSERT INTO w VALUES ($1, $2, $3) RETURNING * ;; EXECUTE q (8, 'acht', 8) ;; EXECUTE q (9, 'acht', 9)
PREPARE q (unknown) AS SELECT id FROM r WHERE t = $1 ORDER BY id ;; EXECUTE q ('alpha')
EXECUTE unprepared (1)
DEALLOCATE unprepared
DECLARE cu CURSOR FOR SELECT id, t FROM r ORDER BY id ;; FETCH 2 FROM cu ;; MOVE 1 IN cu ;; FETCH ALL FROM cu ;; CLOSE cu
DECLARE cu SCROLL CURSOR FOR SELECT t FROM r ORDER BY t ;; FETCH LAST FROM cu ;; FETCH PRIOR FROM cu ;; FETCH ABSOLUTE 1 FROM cu ;; FETCH RELATIVE 2 FROM cu ;; FETCH BACKWARD ALL FROM cu
DECLARE cu CURSOR FOR SELECT id, name FROM w WHERE name = 'one' FOR UPDATE ;; FETCH cu ;; UPDATE w SET name = 'cur' WHERE CURRENT OF cu ;; SELECT * FROM w ORDER BY id
FETCH 1 FROM nowhere
EXPLAIN (COSTS OFF) SELECT 1
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) DELETE FROM f WHERE id = 99
TRUNCATE f ;; SELECT count(*) FROM f
TRUNCATE w
TRUNCATE w CASCADE ;; SELECT count(*) FROM f
ALTER TABLE w ADD COLUMN extra int DEFAULT 5 ;; SELECT * FROM w ORDER BY id
ALTER TABLE w DROP COLUMN score ;; SELECT * FROM w ORDER BY id
ALTER TABLE w RENAME COLUMN id TO ident ;; SELECT * FROM w ORDER BY ident
ALTER TABLE w ADD CHECK (name <> 'two')
ALTER TABLE w ADD CONSTRAINT cc CHECK (score > 5) ;; INSERT INTO w VALUES (9, 'n', 1)
ALTER TABLE w ALTER COLUMN name SET NOT NULL
ALTER TABLE w ADD UNIQUE (score) ;; INSERT INTO w VALUES (9, 'n', 10)
ALTER TABLE w ALTER COLUMN name SET DEFAULT 'standard' ;; INSERT INTO w (id) VALUES (9) RETURNING *
ALTER TABLE w ALTER COLUMN name DROP DEFAULT ;; INSERT INTO w (id) VALUES (9) RETURNING *
CL6008| ALTER TABLE w ALTER COLUMN name TYPE varchar
CL6008| ALTER TABLE w RENAME COLUMN name TO title
CL6008| ALTER TABLE w RENAME TO w2
CREATE INDEX ON r (t, i4 DESC NULLS LAST) ;; SELECT id FROM r WHERE t = 'alpha' AND i4 = 1 ORDER BY id
CREATE INDEX ON r (id) WHERE t = 'alpha' ;; SELECT id FROM r WHERE t = 'alpha' ORDER BY id
CREATE UNIQUE INDEX ON w (score) ;; INSERT INTO w VALUES (9, 'n', 10)
CREATE INDEX ON r USING hash (t) ;; SELECT id FROM r WHERE t = 'alpha' ORDER BY id
CL6008| CREATE INDEX ON r USING gin (t)
CL6001| CREATE INDEX ON r (lower(t))
CREATE FUNCTION fn() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM r WHERE t = ''alpha''' ;; SELECT fn()
CREATE FUNCTION fn() RETURNS int LANGUAGE sql AS 'SELECT 1' ;; SELECT fn()
CREATE FUNCTION fn() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 7; END' ;; SELECT fn()
CL6009| CREATE FUNCTION fn() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM r); END'
CL6009| DO 'BEGIN PERFORM * FROM r; END'
DO 'BEGIN PERFORM 1; END'
COPY r (id, t, i4, n, da) TO STDOUT
COPY (SELECT id, t FROM r WHERE t = 'alpha' ORDER BY id) TO STDOUT (FORMAT csv, HEADER)
COPY (SELECT id, i8, u FROM r ORDER BY id) TO STDOUT (FORMAT csv, FORCE_QUOTE *, NULL 'none')
COPY (SELECT id, t, v, c, by FROM r ORDER BY id) TO STDOUT (DELIMITER '|', NULL '')
COPY (SELECT id, t, i4, n, f8, da, ts, u, by FROM r ORDER BY id) TO STDOUT (FORMAT binary)
COPY w FROM STDIN ;; SELECT * FROM w ORDER BY id
LISTEN ch ;; NOTIFY ch, 'x' ;; UNLISTEN ch
LOCK TABLE w IN SHARE MODE
COMMENT ON COLUMN w.name IS 'a name'
ANALYZE r
SAVEPOINT a ;; INSERT INTO w VALUES (1, 'dup', 1) ;; ROLLBACK TO a ;; SELECT * FROM w ORDER BY id ;; RELEASE a
SAVEPOINT a ;; SELECT id FROM r WHERE i4 = 'x' ;; SELECT 1 ;; ROLLBACK TO a ;; SELECT id FROM r WHERE t = 'alpha' ORDER BY id
SET LOCAL DateStyle = 'German' ;; SELECT da, ts, tz FROM r ORDER BY id
SET LOCAL DateStyle = 'SQL, DMY' ;; SELECT da, ts FROM r ORDER BY id ;; SELECT id FROM r WHERE da = '29/02/2020' ORDER BY id
SET LOCAL DateStyle = 'Postgres, MDY' ;; SELECT da, ts, tz FROM r ORDER BY id
SET LOCAL IntervalStyle = 'iso_8601' ;; SELECT iv FROM r ORDER BY id
SET LOCAL IntervalStyle = 'postgres_verbose' ;; SELECT iv FROM r ORDER BY id
SET LOCAL IntervalStyle = 'sql_standard' ;; SELECT iv FROM r ORDER BY id
SET LOCAL TimeZone = 'America/New_York' ;; SELECT tz, tt FROM r ORDER BY id ;; SELECT id FROM r WHERE tz = '2020-02-29 07:34:56' ORDER BY id
SET LOCAL bytea_output = 'escape' ;; SELECT by FROM r ORDER BY id
SET LOCAL extra_float_digits = 0 ;; SELECT f4, f8 FROM r ORDER BY id
pending| SET LOCAL client_encoding = 'LATIN1' ;; SELECT v FROM r ORDER BY id
SET LOCAL standard_conforming_strings = off ;; SELECT id FROM r WHERE t = 'al\160ha' ORDER BY id
SET LOCAL search_path = other ;; SELECT t FROM other.r ORDER BY t
SET LOCAL search_path = other, public ;; SELECT id FROM w WHERE name = 'one'
