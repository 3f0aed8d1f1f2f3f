SELECT * FROM e ORDER BY id
SELECT mood FROM e WHERE id = 1
SELECT id FROM e WHERE mood = 'ok' ORDER BY id
SELECT id FROM e WHERE mood = 'ok'::mood ORDER BY id
SELECT id FROM e WHERE mood = CAST('ok' AS public.mood) ORDER BY id
SELECT id FROM e WHERE mood = mood 'sad' ORDER BY id
SELECT id FROM e WHERE mood <> 'ok' ORDER BY id
SELECT id FROM e WHERE mood IN ('ok', 'happy') ORDER BY id
SELECT id FROM e WHERE mood NOT IN ('ok', 'happy') ORDER BY id
SELECT id FROM e WHERE mood = ANY ('{ok,sad}') ORDER BY id
SELECT id FROM e WHERE mood = ANY ('{ok,sad}'::mood[]) ORDER BY id
SELECT id FROM e WHERE mood IS NULL ORDER BY id
SELECT id FROM e WHERE mood IS DISTINCT FROM 'ok' ORDER BY id
SELECT id FROM e WHERE mood = NULL::mood
SELECT id FROM e WHERE mood = 'bad'
SELECT id FROM e WHERE mood = 'bad'::mood
SELECT id FROM e WHERE mood = ''
SELECT id FROM e WHERE mood = 'OK'
SELECT id FROM e WHERE mood IN ('ok', 'bad')
SELECT id FROM e WHERE mood = ANY ('{ok,bad}')
SELECT id FROM e WHERE mood = 'ok'::text
SELECT id FROM e WHERE mood = 1
SELECT id FROM e WHERE mood LIKE 'o%'
SELECT id FROM e WHERE mood = size
SELECT id FROM e WHERE mood = lower('OK')
SELECT id FROM e WHERE mood = 'S'::size
CL6001| SELECT id FROM e ORDER BY mood
CL6001| SELECT id FROM e WHERE mood < 'ok'
CL6001| SELECT max(mood) FROM e
CL6001| SELECT id FROM e WHERE mood BETWEEN 'sad' AND 'ok'
CL6001| SELECT greatest(mood, 'ok') FROM e
CL6001| SELECT id, rank() OVER (ORDER BY mood) FROM e
CL6001| SELECT id FROM e ORDER BY size
SELECT id, mood::text FROM e ORDER BY mood::text, id
SELECT id FROM e WHERE mood::text LIKE 'o%' ORDER BY id
SELECT max(mood::text) FROM e
SELECT id FROM e WHERE mood::text = 'nothing of it'
SELECT id, mood::mood FROM e ORDER BY id
SELECT count(*), count(mood), count(DISTINCT mood) FROM e
SELECT count(*) FROM (SELECT DISTINCT mood FROM e) x
SELECT sum(n) FROM (SELECT mood, count(*) AS n FROM e GROUP BY mood HAVING mood = 'ok') x
SELECT DISTINCT mood FROM e WHERE mood = 'ok'
SELECT id, COALESCE(mood, 'sad') FROM e ORDER BY id
SELECT id, COALESCE(mood, 'bad') FROM e ORDER BY id
SELECT id, NULLIF(mood, 'sad') AS n FROM e ORDER BY id
SELECT id, CASE mood WHEN 'ok' THEN 'fine' ELSE 'else' END FROM e ORDER BY id
SELECT id, CASE WHEN id = 1 THEN mood ELSE 'happy' END FROM e ORDER BY id
SELECT m FROM (SELECT mood AS m, id FROM e) x ORDER BY id
WITH x AS (SELECT mood, id FROM e WHERE mood = 'ok') SELECT mood FROM x ORDER BY id
SELECT a.id, b.id FROM e a JOIN e b ON a.mood = b.mood ORDER BY 1, 2
SELECT count(*) FROM e JOIN f USING (mood)
SELECT count(*) FROM e WHERE mood IN (SELECT mood FROM f)
SELECT id, lag(mood) OVER (ORDER BY id) FROM e ORDER BY id
SELECT mood FROM e WHERE id = 1 UNION ALL SELECT mood FROM f WHERE id = 99
SELECT mood FROM e UNION SELECT mood::text FROM e
SELECT mood FROM ev ORDER BY id
CL6001| SELECT mood FROM ev ORDER BY mood
SELECT id FROM ev WHERE mood = 'bad'
INSERT INTO e (id, mood) VALUES (9, 'happy') RETURNING mood
INSERT INTO e (id, mood) VALUES (9, 'happy'::mood), (10, NULL) RETURNING id, mood
INSERT INTO e (id, mood) VALUES (9, 'bad')
INSERT INTO e (id, mood) VALUES (9, 'ok'::text)
INSERT INTO e (id, mood) VALUES (9, 1)
INSERT INTO e (id, mood) SELECT id + 20, mood FROM f RETURNING id, mood
INSERT INTO e (id) VALUES (9) RETURNING mood, size, level
INSERT INTO e (id, size) VALUES (9, 'L') RETURNING size
INSERT INTO e (id, size) VALUES (9, 'XXL')
UPDATE e SET mood = 'sad' WHERE mood = 'ok' RETURNING id, mood
UPDATE e SET mood = 'bad'
UPDATE e SET mood = DEFAULT WHERE id = 1 RETURNING mood
UPDATE e SET mood = f.mood FROM f WHERE f.id = 2 AND e.id = 1 RETURNING e.mood
DELETE FROM e WHERE mood = 'ok' RETURNING id
SELECT id FROM e WHERE size = 'S' ORDER BY id
SELECT id FROM e WHERE size IN ('S', 'L') ORDER BY id
COPY e (id, mood, size, level, nick, price) FROM STDIN ;; SELECT * FROM e WHERE id >= 50 ORDER BY id
COPY (SELECT id, mood, size FROM e ORDER BY id) TO STDOUT
COPY (SELECT id, mood, size FROM e ORDER BY id) TO STDOUT (FORMAT csv)
PREPARE p (mood) AS SELECT id FROM e WHERE mood = $1 ORDER BY id ;; EXECUTE p ('ok') ;; EXECUTE p ('bad')
DECLARE c CURSOR FOR SELECT mood FROM e ORDER BY id ;; FETCH 2 FROM c
ALTER TYPE size ADD VALUE 'XL' ;; SELECT id FROM e WHERE size = 'S' ORDER BY id
CL6008| ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'
CL6008| DROP TYPE mood
CL6008| DROP DOMAIN posint CASCADE
CL6008| ALTER DOMAIN posint DROP NOT NULL
CREATE TYPE fresh AS ENUM ('a', 'b') ;; ALTER TYPE fresh RENAME VALUE 'a' TO 'c' ;; DROP TYPE fresh
CL6008| CREATE VIEW e2 AS SELECT mood::text FROM e
CREATE TEMP TABLE e3 AS SELECT id, mood FROM e ;; SELECT mood FROM e3 WHERE mood <> 'ok' ORDER BY id
SELECT level, nick, price FROM e ORDER BY id
SELECT id FROM e WHERE level > 5 ORDER BY level
SELECT id FROM e WHERE level = 5 AND nick = 'ann'
SELECT max(level), min(nick), max(price) FROM e
SELECT id FROM e WHERE nick LIKE 'a%' ORDER BY nick
SELECT level::int, level::posint FROM e ORDER BY id
CL6012| SELECT id FROM e WHERE level = 5::posint
CL6012| INSERT INTO e (id, level) VALUES (9, (-5)::posint)
SELECT id FROM e WHERE free = 'x'::anytext
INSERT INTO e (id, level) VALUES (9, 7) RETURNING level
INSERT INTO e (id, level) VALUES (9, 0)
INSERT INTO e (id, level) VALUES (9, -1)
INSERT INTO e (id, level) VALUES (9, NULL)
INSERT INTO e (id, level) VALUES (9, 3000000000)
INSERT INTO e (id, nick) VALUES (9, '')
INSERT INTO e (id, nick) VALUES (9, 'a@b')
INSERT INTO e (id, nick) VALUES (9, 'root')
INSERT INTO e (id, nick) VALUES (9, 'longer than ten')
INSERT INTO e (id, nick) VALUES (9, NULL) RETURNING nick
INSERT INTO e (id, price) VALUES (9, 12.345) RETURNING price
INSERT INTO e (id, price) VALUES (9, 1000.01)
INSERT INTO e (id, price) VALUES (9, 99999)
UPDATE e SET level = 0
UPDATE e SET level = NULL WHERE id = 1
UPDATE e SET level = 12 WHERE nick = 'ann' RETURNING level
UPDATE e SET nick = 'root' WHERE id = 1
CREATE TABLE g (id int4, level posint, mood mood NOT NULL DEFAULT 'ok') ;; INSERT INTO g (id) VALUES (1) RETURNING level, mood ;; INSERT INTO g (mood, level) VALUES ('sad', -4)
CREATE TABLE g (id int4) ;; INSERT INTO g VALUES (1) ;; ALTER TABLE g ADD COLUMN level posint DEFAULT 0
CREATE TABLE g (id int4) ;; INSERT INTO g VALUES (1) ;; ALTER TABLE g ADD COLUMN level posint ;; SELECT level FROM g
CL6001| CREATE TABLE h (mail email)
CL6008| CREATE TABLE h (mail text)
CL6008| CREATE DOMAIN later AS text
CL6008| CREATE TABLE h (words text[])
CREATE TABLE unmarked (level posint, mood mood, words text[]) ;; INSERT INTO unmarked VALUES (1, 'ok', '{a}') ;; SELECT * FROM unmarked ;; INSERT INTO unmarked VALUES (0)
CL6008| CREATE TABLE e4 AS SELECT id, level FROM e
CREATE TABLE e4 AS SELECT id, level::int FROM e ;; INSERT INTO e4 VALUES (9, -5) ;; SELECT level FROM e4 ORDER BY id
CL6008| CREATE TABLE e5 (LIKE e)
CREATE TABLE e5 (LIKE e INCLUDING CONSTRAINTS INCLUDING DEFAULTS) ;; INSERT INTO e5 (id) VALUES (1) RETURNING level ;; INSERT INTO e5 (id, level) VALUES (2, -1)
CREATE TABLE e6 () INHERITS (e) ;; INSERT INTO e6 (id, level) VALUES (61, 4) ;; SELECT id FROM e WHERE level = 4 ;; INSERT INTO e6 (id, level) VALUES (62, 0)
CL6008| ALTER TABLE e ALTER level DROP NOT NULL
CREATE VIEW e7 AS SELECT id, level FROM e ;; INSERT INTO e7 VALUES (70, 7) RETURNING level ;; INSERT INTO e7 VALUES (71, -7)
CREATE VIEW e8 AS SELECT id, nick::text AS n, level::int AS l FROM e ;; SELECT n, l FROM e8 WHERE n = 'ann' AND l > 2
CREATE VIEW e9 AS SELECT id, COALESCE(level, 5)::int AS l FROM e ;; SELECT l FROM e9 ORDER BY id
