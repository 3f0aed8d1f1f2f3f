INSERT INTO l (id, v) VALUES (1, 'abcde') RETURNING v
INSERT INTO l (id, v) VALUES (1, 'abcdef')
INSERT INTO l (id, v) VALUES (1, 'abcde   ') RETURNING v
CL6012| INSERT INTO l (id, v) VALUES (1, 'abcdef'::varchar(3)) RETURNING v
INSERT INTO l (id, c) VALUES (1, 'ab') RETURNING c
INSERT INTO l (id, c) VALUES (1, 'abcde')
INSERT INTO l (id, c) VALUES (1, 'ab      ') RETURNING c
INSERT INTO l (id, n) VALUES (1, 1234.567) RETURNING n
INSERT INTO l (id, n) VALUES (1, 12345)
INSERT INTO l (id, n) VALUES (1, 'NaN') RETURNING n
INSERT INTO l (id, n) VALUES (1, 'Infinity')
INSERT INTO l (id, ti) VALUES (1, '12:34:56.789') RETURNING ti
INSERT INTO l (id, ts) VALUES (1, '2020-01-01 12:34:56.789') RETURNING ts
INSERT INTO l (id, tz) VALUES (1, '2020-01-01 12:34:56.789+00') RETURNING tz
INSERT INTO l (id, iv) VALUES (1, '1 day 00:00:01.789') RETURNING iv
UPDATE l SET v = 'toolong'
UPDATE l SET n = 99999.999
UPDATE l SET c = 'x' RETURNING c
SELECT * FROM l
SELECT id FROM l WHERE v = 'abcdefghij'
SELECT id FROM l WHERE c = 'ab'
SELECT id FROM l WHERE c = 'ab   '
SELECT id FROM l WHERE n = 12.35
SELECT id FROM l WHERE n = 12.345
SELECT id FROM l WHERE ts = '2020-02-29 12:34:57'
SELECT id FROM l WHERE iv > '1 day'
CREATE TABLE later (id int4, v varchar(5)) ;; SELECT 1
CL6008| CREATE TABLE later_s (id int4, s serial)
CL6008| CREATE TABLE later_s (id int4, s int4 GENERATED ALWAYS AS IDENTITY)
CL6008| CREATE TABLE later_s (id int4, s text)
SELECT id FROM r WHERE t = 'alpha'::varchar ORDER BY id
CL6012| SELECT id FROM r WHERE t = 'alphabet'::varchar(5) ORDER BY id
CL6012| SELECT id FROM r WHERE t = 'alpha '::char(5) ORDER BY id
CL6012| SELECT id FROM r WHERE n = 1.50::numeric(4,1) ORDER BY id
SELECT id FROM r WHERE i8 = 1::int2 ORDER BY id
SELECT id FROM r WHERE i4 = '1'::int8 ORDER BY id
CL6012| SELECT id FROM r WHERE n = 1.5::float8 ORDER BY id
SELECT id FROM r WHERE f8 = 1.5::numeric ORDER BY id
CL6012| SELECT id FROM r WHERE da = '2020-02-29 00:00:00'::timestamp ORDER BY id
SELECT id FROM r WHERE ts = '2020-02-29'::date ORDER BY id
CL6012| SELECT id FROM r WHERE ts = '2020-02-29 12:34:56+00'::timestamptz ORDER BY id
CL6012| SELECT id FROM r WHERE tz = '2020-02-29 12:34:56'::timestamp ORDER BY id
CL6012| SELECT id FROM r WHERE ti = '2020-01-01 12:34:56'::timestamp::time ORDER BY id
CL2109| SELECT id FROM r WHERE da IN ('today', 'yesterday', 'epoch') ORDER BY id
SELECT id FROM r WHERE ip = '10.0.0.1/32' ORDER BY id
CL6001| SELECT id FROM r WHERE ip << '10.0.0.0/8' ORDER BY id
SELECT id FROM r WHERE iv = '24:00:00' ORDER BY id
SELECT id FROM d WHERE iv = '24:00:00' ORDER BY id
SELECT id FROM d WHERE n = 1.500 ORDER BY id
SELECT id FROM d WHERE f8 = 1.5 ORDER BY id
SELECT id FROM d WHERE c = 'alpha ' ORDER BY id
SELECT id FROM d WHERE tt = '10:34:56+00' ORDER BY id
SELECT id FROM r WHERE tt = '10:34:56+00' ORDER BY id
SELECT id FROM r WHERE j IS NULL ORDER BY id
CL6001| SELECT j->>'a' FROM r
SELECT j, jb FROM r ORDER BY id
INSERT INTO r (id, j) VALUES (90, '{bad')
INSERT INTO r (id, jb) VALUES (90, '{"b":1, "a":2, "b":3}') RETURNING jb
INSERT INTO r (id, j) VALUES (90, '{"b":1,  "a":2}') RETURNING j
SELECT id FROM r WHERE b = 'yes' ORDER BY id
SELECT id FROM r WHERE b = 'on'::boolean ORDER BY id
SELECT id FROM r WHERE b > false ORDER BY id
SELECT id FROM r WHERE i2 = '' ORDER BY id
SELECT id FROM r WHERE i2 = '99999' ORDER BY id
SELECT id FROM r WHERE f8 = 'nan' ORDER BY id
SELECT id FROM r WHERE f8 > '1e308' ORDER BY id
SELECT id FROM r WHERE u = 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11' ORDER BY id
SELECT id FROM r WHERE by > '\x00' ORDER BY id
SELECT id FROM r WHERE by = 'abc' ORDER BY id
SELECT id FROM r WHERE c < 'b' ORDER BY id
SELECT c || '|' FROM plain, (SELECT 'x' AS c) q ORDER BY 1
SELECT id, b FROM r ORDER BY b, id
SELECT id, b FROM r ORDER BY b DESC NULLS LAST, id
SELECT id, b FROM d ORDER BY id
SELECT a.id, b.id FROM r a JOIN r b ON a.b = b.b ORDER BY 1, 2
SELECT a.id, b.id FROM r a JOIN r b ON a.b > b.b ORDER BY 1, 2
SELECT a.id, b.id FROM d a JOIN d b ON a.b = b.b ORDER BY 1, 2
SELECT b, count(*) FROM r GROUP BY b ORDER BY b
SELECT count(DISTINCT b) FROM d
SELECT DISTINCT b FROM r ORDER BY 1
SELECT id, rank() OVER (ORDER BY b) FROM r ORDER BY id
SELECT id FROM r WHERE b = 'nonsense value' ORDER BY id
SELECT id FROM d WHERE b IN (SELECT b FROM d WHERE id = 0) ORDER BY id
INSERT INTO d (id, b) SELECT 77, b FROM d WHERE id = 1 RETURNING b
UPDATE r SET b = (SELECT x.b FROM r x WHERE x.id = 1) WHERE id = 0 RETURNING b
CREATE INDEX ON r (b) ;; SET LOCAL enable_seqscan = off ;; SET LOCAL enable_sort = off ;; SELECT id FROM r ORDER BY b, id
SELECT id, i2 FROM r ORDER BY i2, id
SELECT id, i2 FROM r ORDER BY i2 DESC NULLS LAST, id
SELECT id, i2 FROM d ORDER BY id
SELECT a.id, b.id FROM r a JOIN r b ON a.i2 = b.i2 ORDER BY 1, 2
SELECT a.id, b.id FROM r a JOIN r b ON a.i2 > b.i2 ORDER BY 1, 2
SELECT a.id, b.id FROM d a JOIN d b ON a.i2 = b.i2 ORDER BY 1, 2
SELECT i2, count(*) FROM r GROUP BY i2 ORDER BY i2
SELECT count(DISTINCT i2) FROM d
SELECT DISTINCT i2 FROM r ORDER BY 1
SELECT id, rank() OVER (ORDER BY i2) FROM r ORDER BY id
SELECT id FROM r WHERE i2 = 'nonsense value' ORDER BY id
SELECT id FROM d WHERE i2 IN (SELECT i2 FROM d WHERE id = 0) ORDER BY id
INSERT INTO d (id, i2) SELECT 77, i2 FROM d WHERE id = 1 RETURNING i2
UPDATE r SET i2 = (SELECT x.i2 FROM r x WHERE x.id = 1) WHERE id = 0 RETURNING i2
CREATE INDEX ON r (i2) ;; SET LOCAL enable_seqscan = off ;; SET LOCAL enable_sort = off ;; SELECT id FROM r ORDER BY i2, id
SELECT id, i4 FROM r ORDER BY i4, id
SELECT id, i4 FROM r ORDER BY i4 DESC NULLS LAST, id
SELECT id, i4 FROM d ORDER BY id
SELECT a.id, b.id FROM r a JOIN r b ON a.i4 = b.i4 ORDER BY 1, 2
SELECT a.id, b.id FROM r a JOIN r b ON a.i4 > b.i4 ORDER BY 1, 2
SELECT a.id, b.id FROM d a JOIN d b ON a.i4 = b.i4 ORDER BY 1, 2
SELECT i4, count(*) FROM r GROUP BY i4 ORDER BY i4
SELECT count(DISTINCT i4) FROM d
SELECT DISTINCT i4 FROM r ORDER BY 1
SELECT id, rank() OVER (ORDER BY i4) FROM r ORDER BY id
SELECT id FROM r WHERE i4 = 'nonsense value' ORDER BY id
SELECT id FROM d WHERE i4 IN (SELECT i4 FROM d WHERE id = 0) ORDER BY id
INSERT INTO d (id, i4) SELECT 77, i4 FROM d WHERE id = 1 RETURNING i4
UPDATE r SET i4 = (SELECT x.i4 FROM r x WHERE x.id = 1) WHERE id = 0 RETURNING i4
CREATE INDEX ON r (i4) ;; SET LOCAL enable_seqscan = off ;; SET LOCAL enable_sort = off ;; SELECT id FROM r ORDER BY i4, id
SELECT id, i8 FROM r ORDER BY i8, id
SELECT id, i8 FROM r ORDER BY i8 DESC NULLS LAST, id
SELECT id, i8 FROM d ORDER BY id
SELECT a.id, b.id FROM r a JOIN r b ON a.i8 = b.i8 ORDER BY 1, 2
SELECT a.id, b.id FROM r a JOIN r b ON a.i8 > b.i8 ORDER BY 1, 2
SELECT a.id, b.id FROM d a JOIN d b ON a.i8 = b.i8 ORDER BY 1, 2
SELECT i8, count(*) FROM r GROUP BY i8 ORDER BY i8
SELECT count(DISTINCT i8) FROM d
SELECT DISTINCT i8 FROM r ORDER BY 1
SELECT id, rank() OVER (ORDER BY i8) FROM r ORDER BY id
SELECT id FROM r WHERE i8 = 'nonsense value' ORDER BY id
SELECT id FROM d WHERE i8 IN (SELECT i8 FROM d WHERE id = 0) ORDER BY id
INSERT INTO d (id, i8) SELECT 77, i8 FROM d WHERE id = 1 RETURNING i8
UPDATE r SET i8 = (SELECT x.i8 FROM r x WHERE x.id = 1) WHERE id = 0 RETURNING i8
CREATE INDEX ON r (i8) ;; SET LOCAL enable_seqscan = off ;; SET LOCAL enable_sort = off ;; SELECT id FROM r ORDER BY i8, id
SELECT id, f4 FROM r ORDER BY f4, id
SELECT id, f4 FROM r ORDER BY f4 DESC NULLS LAST, id
SELECT id, f4 FROM d ORDER BY id
SELECT a.id, b.id FROM r a JOIN r b ON a.f4 = b.f4 ORDER BY 1, 2
SELECT a.id, b.id FROM r a JOIN r b ON a.f4 > b.f4 ORDER BY 1, 2
SELECT a.id, b.id FROM d a JOIN d b ON a.f4 = b.f4 ORDER BY 1, 2
SELECT f4, count(*) FROM r GROUP BY f4 ORDER BY f4
SELECT count(DISTINCT f4) FROM d
SELECT DISTINCT f4 FROM r ORDER BY 1
SELECT id, rank() OVER (ORDER BY f4) FROM r ORDER BY id
SELECT id FROM r WHERE f4 = 'nonsense value' ORDER BY id
SELECT id FROM d WHERE f4 IN (SELECT f4 FROM d WHERE id = 0) ORDER BY id
INSERT INTO d (id, f4) SELECT 77, f4 FROM d WHERE id = 1 RETURNING f4
UPDATE r SET f4 = (SELECT x.f4 FROM r x WHERE x.id = 1) WHERE id = 0 RETURNING f4
CREATE INDEX ON r (f4) ;; SET LOCAL enable_seqscan = off ;; SET LOCAL enable_sort = off ;; SELECT id FROM r ORDER BY f4, id
SELECT id, f8 FROM r ORDER BY f8, id
SELECT id, f8 FROM r ORDER BY f8 DESC NULLS LAST, id
SELECT id, f8 FROM d ORDER BY id
SELECT a.id, b.id FROM r a JOIN r b ON a.f8 = b.f8 ORDER BY 1, 2
SELECT a.id, b.id FROM r a JOIN r b ON a.f8 > b.f8 ORDER BY 1, 2
SELECT a.id, b.id FROM d a JOIN d b ON a.f8 = b.f8 ORDER BY 1, 2
SELECT f8, count(*) FROM r GROUP BY f8 ORDER BY f8
SELECT count(DISTINCT f8) FROM d
SELECT DISTINCT f8 FROM r ORDER BY 1
SELECT id, rank() OVER (ORDER BY f8) FROM r ORDER BY id
SELECT id FROM r WHERE f8 = 'nonsense value' ORDER BY id
SELECT id FROM d WHERE f8 IN (SELECT f8 FROM d WHERE id = 0) ORDER BY id
INSERT INTO d (id, f8) SELECT 77, f8 FROM d WHERE id = 1 RETURNING f8
UPDATE r SET f8 = (SELECT x.f8 FROM r x WHERE x.id = 1) WHERE id = 0 RETURNING f8
CREATE INDEX ON r (f8) ;; SET LOCAL enable_seqscan = off ;; SET LOCAL enable_sort = off ;; SELECT id FROM r ORDER BY f8, id
SELECT id, n FROM r ORDER BY n, id
SELECT id, n FROM r ORDER BY n DESC NULLS LAST, id
SELECT id, n FROM d ORDER BY id
SELECT a.id, b.id FROM r a JOIN r b ON a.n = b.n ORDER BY 1, 2
SELECT a.id, b.id FROM r a JOIN r b ON a.n > b.n ORDER BY 1, 2
SELECT a.id, b.id FROM d a JOIN d b ON a.n = b.n ORDER BY 1, 2
SELECT n, count(*) FROM r GROUP BY n ORDER BY n
SELECT count(DISTINCT n) FROM d
SELECT DISTINCT n FROM r ORDER BY 1
SELECT id, rank() OVER (ORDER BY n) FROM r ORDER BY id
SELECT id FROM r WHERE n = 'nonsense value' ORDER BY id
SELECT id FROM d WHERE n IN (SELECT n FROM d WHERE id = 0) ORDER BY id
INSERT INTO d (id, n) SELECT 77, n FROM d WHERE id = 1 RETURNING n
UPDATE r SET n = (SELECT x.n FROM r x WHERE x.id = 1) WHERE id = 0 RETURNING n
CREATE INDEX ON r (n) ;; SET LOCAL enable_seqscan = off ;; SET LOCAL enable_sort = off ;; SELECT id FROM r ORDER BY n, id
SELECT id, t FROM r ORDER BY t, id
SELECT id, t FROM r ORDER BY t DESC NULLS LAST, id
SELECT id, t FROM d ORDER BY id
SELECT a.id, b.id FROM r a JOIN r b ON a.t = b.t ORDER BY 1, 2
SELECT a.id, b.id FROM r a JOIN r b ON a.t > b.t ORDER BY 1, 2
SELECT a.id, b.id FROM d a JOIN d b ON a.t = b.t ORDER BY 1, 2
SELECT t, count(*) FROM r GROUP BY t ORDER BY t
SELECT count(DISTINCT t) FROM d
SELECT DISTINCT t FROM r ORDER BY 1
SELECT id, rank() OVER (ORDER BY t) FROM r ORDER BY id
SELECT id FROM r WHERE t = 'nonsense value' ORDER BY id
SELECT id FROM d WHERE t IN (SELECT t FROM d WHERE id = 0) ORDER BY id
INSERT INTO d (id, t) SELECT 77, t FROM d WHERE id = 1 RETURNING t
UPDATE r SET t = (SELECT x.t FROM r x WHERE x.id = 1) WHERE id = 0 RETURNING t
CREATE INDEX ON r (t) ;; SET LOCAL enable_seqscan = off ;; SET LOCAL enable_sort = off ;; SELECT id FROM r ORDER BY t, id
SELECT id, v FROM r ORDER BY v, id
SELECT id, v FROM r ORDER BY v DESC NULLS LAST, id
SELECT id, v FROM d ORDER BY id
SELECT a.id, b.id FROM r a JOIN r b ON a.v = b.v ORDER BY 1, 2
SELECT a.id, b.id FROM r a JOIN r b ON a.v > b.v ORDER BY 1, 2
SELECT a.id, b.id FROM d a JOIN d b ON a.v = b.v ORDER BY 1, 2
SELECT v, count(*) FROM r GROUP BY v ORDER BY v
SELECT count(DISTINCT v) FROM d
SELECT DISTINCT v FROM r ORDER BY 1
SELECT id, rank() OVER (ORDER BY v) FROM r ORDER BY id
SELECT id FROM r WHERE v = 'nonsense value' ORDER BY id
SELECT id FROM d WHERE v IN (SELECT v FROM d WHERE id = 0) ORDER BY id
INSERT INTO d (id, v) SELECT 77, v FROM d WHERE id = 1 RETURNING v
UPDATE r SET v = (SELECT x.v FROM r x WHERE x.id = 1) WHERE id = 0 RETURNING v
CREATE INDEX ON r (v) ;; SET LOCAL enable_seqscan = off ;; SET LOCAL enable_sort = off ;; SELECT id FROM r ORDER BY v, id
SELECT id, c FROM r ORDER BY c, id
SELECT id, c FROM r ORDER BY c DESC NULLS LAST, id
SELECT a.id, b.id FROM r a JOIN r b ON a.c = b.c ORDER BY 1, 2
SELECT a.id, b.id FROM r a JOIN r b ON a.c > b.c ORDER BY 1, 2
SELECT a.id, b.id FROM d a JOIN d b ON a.c = b.c ORDER BY 1, 2
SELECT c, count(*) FROM r GROUP BY c ORDER BY c
SELECT count(DISTINCT c) FROM d
SELECT DISTINCT c FROM r ORDER BY 1
SELECT id, rank() OVER (ORDER BY c) FROM r ORDER BY id
SELECT id FROM r WHERE c = 'nonsense value' ORDER BY id
SELECT id FROM d WHERE c IN (SELECT c FROM d WHERE id = 0) ORDER BY id
UPDATE r SET c = (SELECT x.c FROM r x WHERE x.id = 1) WHERE id = 0 RETURNING c
CREATE INDEX ON r (c) ;; SET LOCAL enable_seqscan = off ;; SET LOCAL enable_sort = off ;; SELECT id FROM r ORDER BY c, id
SELECT id, by FROM r ORDER BY by, id
SELECT id, by FROM r ORDER BY by DESC NULLS LAST, id
SELECT id, by FROM d ORDER BY id
SELECT a.id, b.id FROM r a JOIN r b ON a.by = b.by ORDER BY 1, 2
SELECT a.id, b.id FROM r a JOIN r b ON a.by > b.by ORDER BY 1, 2
SELECT a.id, b.id FROM d a JOIN d b ON a.by = b.by ORDER BY 1, 2
SELECT by, count(*) FROM r GROUP BY by ORDER BY by
SELECT count(DISTINCT by) FROM d
SELECT DISTINCT by FROM r ORDER BY 1
SELECT id, rank() OVER (ORDER BY by) FROM r ORDER BY id
SELECT id FROM r WHERE by = 'nonsense value' ORDER BY id
SELECT id FROM d WHERE by IN (SELECT by FROM d WHERE id = 0) ORDER BY id
INSERT INTO d (id, by) SELECT 77, by FROM d WHERE id = 1 RETURNING by
UPDATE r SET by = (SELECT x.by FROM r x WHERE x.id = 1) WHERE id = 0 RETURNING by
CREATE INDEX ON r (by) ;; SET LOCAL enable_seqscan = off ;; SET LOCAL enable_sort = off ;; SELECT id FROM r ORDER BY by, id
SELECT id, da FROM r ORDER BY da, id
SELECT id, da FROM r ORDER BY da DESC NULLS LAST, id
SELECT id, da FROM d ORDER BY id
SELECT a.id, b.id FROM r a JOIN r b ON a.da = b.da ORDER BY 1, 2
SELECT a.id, b.id FROM r a JOIN r b ON a.da > b.da ORDER BY 1, 2
SELECT a.id, b.id FROM d a JOIN d b ON a.da = b.da ORDER BY 1, 2
SELECT da, count(*) FROM r GROUP BY da ORDER BY da
SELECT count(DISTINCT da) FROM d
SELECT DISTINCT da FROM r ORDER BY 1
SELECT id, rank() OVER (ORDER BY da) FROM r ORDER BY id
SELECT id FROM r WHERE da = 'nonsense value' ORDER BY id
SELECT id FROM d WHERE da IN (SELECT da FROM d WHERE id = 0) ORDER BY id
INSERT INTO d (id, da) SELECT 77, da FROM d WHERE id = 1 RETURNING da
UPDATE r SET da = (SELECT x.da FROM r x WHERE x.id = 1) WHERE id = 0 RETURNING da
CREATE INDEX ON r (da) ;; SET LOCAL enable_seqscan = off ;; SET LOCAL enable_sort = off ;; SELECT id FROM r ORDER BY da, id
SELECT id, ti FROM r ORDER BY ti, id
SELECT id, ti FROM r ORDER BY ti DESC NULLS LAST, id
SELECT id, ti FROM d ORDER BY id
SELECT a.id, b.id FROM r a JOIN r b ON a.ti = b.ti ORDER BY 1, 2
SELECT a.id, b.id FROM r a JOIN r b ON a.ti > b.ti ORDER BY 1, 2
SELECT a.id, b.id FROM d a JOIN d b ON a.ti = b.ti ORDER BY 1, 2
SELECT ti, count(*) FROM r GROUP BY ti ORDER BY ti
SELECT count(DISTINCT ti) FROM d
SELECT DISTINCT ti FROM r ORDER BY 1
SELECT id, rank() OVER (ORDER BY ti) FROM r ORDER BY id
SELECT id FROM r WHERE ti = 'nonsense value' ORDER BY id
SELECT id FROM d WHERE ti IN (SELECT ti FROM d WHERE id = 0) ORDER BY id
INSERT INTO d (id, ti) SELECT 77, ti FROM d WHERE id = 1 RETURNING ti
UPDATE r SET ti = (SELECT x.ti FROM r x WHERE x.id = 1) WHERE id = 0 RETURNING ti
CREATE INDEX ON r (ti) ;; SET LOCAL enable_seqscan = off ;; SET LOCAL enable_sort = off ;; SELECT id FROM r ORDER BY ti, id
SELECT id, tt FROM r ORDER BY tt, id
SELECT id, tt FROM r ORDER BY tt DESC NULLS LAST, id
SELECT id, tt FROM d ORDER BY id
SELECT a.id, b.id FROM r a JOIN r b ON a.tt = b.tt ORDER BY 1, 2
SELECT a.id, b.id FROM r a JOIN r b ON a.tt > b.tt ORDER BY 1, 2
SELECT a.id, b.id FROM d a JOIN d b ON a.tt = b.tt ORDER BY 1, 2
SELECT tt, count(*) FROM r GROUP BY tt ORDER BY tt
SELECT count(DISTINCT tt) FROM d
SELECT DISTINCT tt FROM r ORDER BY 1
SELECT id, rank() OVER (ORDER BY tt) FROM r ORDER BY id
SELECT id FROM r WHERE tt = 'nonsense value' ORDER BY id
SELECT id FROM d WHERE tt IN (SELECT tt FROM d WHERE id = 0) ORDER BY id
INSERT INTO d (id, tt) SELECT 77, tt FROM d WHERE id = 1 RETURNING tt
UPDATE r SET tt = (SELECT x.tt FROM r x WHERE x.id = 1) WHERE id = 0 RETURNING tt
CREATE INDEX ON r (tt) ;; SET LOCAL enable_seqscan = off ;; SET LOCAL enable_sort = off ;; SELECT id FROM r ORDER BY tt, id
SELECT id, ts FROM r ORDER BY ts, id
SELECT id, ts FROM r ORDER BY ts DESC NULLS LAST, id
SELECT id, ts FROM d ORDER BY id
SELECT a.id, b.id FROM r a JOIN r b ON a.ts = b.ts ORDER BY 1, 2
SELECT a.id, b.id FROM r a JOIN r b ON a.ts > b.ts ORDER BY 1, 2
SELECT a.id, b.id FROM d a JOIN d b ON a.ts = b.ts ORDER BY 1, 2
SELECT ts, count(*) FROM r GROUP BY ts ORDER BY ts
SELECT count(DISTINCT ts) FROM d
SELECT DISTINCT ts FROM r ORDER BY 1
SELECT id, rank() OVER (ORDER BY ts) FROM r ORDER BY id
SELECT id FROM r WHERE ts = 'nonsense value' ORDER BY id
SELECT id FROM d WHERE ts IN (SELECT ts FROM d WHERE id = 0) ORDER BY id
INSERT INTO d (id, ts) SELECT 77, ts FROM d WHERE id = 1 RETURNING ts
UPDATE r SET ts = (SELECT x.ts FROM r x WHERE x.id = 1) WHERE id = 0 RETURNING ts
CREATE INDEX ON r (ts) ;; SET LOCAL enable_seqscan = off ;; SET LOCAL enable_sort = off ;; SELECT id FROM r ORDER BY ts, id
SELECT id, tz FROM r ORDER BY tz, id
SELECT id, tz FROM r ORDER BY tz DESC NULLS LAST, id
SELECT id, tz FROM d ORDER BY id
SELECT a.id, b.id FROM r a JOIN r b ON a.tz = b.tz ORDER BY 1, 2
SELECT a.id, b.id FROM r a JOIN r b ON a.tz > b.tz ORDER BY 1, 2
SELECT a.id, b.id FROM d a JOIN d b ON a.tz = b.tz ORDER BY 1, 2
SELECT tz, count(*) FROM r GROUP BY tz ORDER BY tz
SELECT count(DISTINCT tz) FROM d
SELECT DISTINCT tz FROM r ORDER BY 1
SELECT id, rank() OVER (ORDER BY tz) FROM r ORDER BY id
SELECT id FROM r WHERE tz = 'nonsense value' ORDER BY id
SELECT id FROM d WHERE tz IN (SELECT tz FROM d WHERE id = 0) ORDER BY id
INSERT INTO d (id, tz) SELECT 77, tz FROM d WHERE id = 1 RETURNING tz
UPDATE r SET tz = (SELECT x.tz FROM r x WHERE x.id = 1) WHERE id = 0 RETURNING tz
CREATE INDEX ON r (tz) ;; SET LOCAL enable_seqscan = off ;; SET LOCAL enable_sort = off ;; SELECT id FROM r ORDER BY tz, id
SELECT id, iv FROM r ORDER BY iv, id
SELECT id, iv FROM r ORDER BY iv DESC NULLS LAST, id
SELECT id, iv FROM d ORDER BY id
SELECT a.id, b.id FROM r a JOIN r b ON a.iv = b.iv ORDER BY 1, 2
SELECT a.id, b.id FROM r a JOIN r b ON a.iv > b.iv ORDER BY 1, 2
SELECT a.id, b.id FROM d a JOIN d b ON a.iv = b.iv ORDER BY 1, 2
SELECT iv, count(*) FROM r GROUP BY iv ORDER BY iv
SELECT count(DISTINCT iv) FROM d
SELECT DISTINCT iv FROM r ORDER BY 1
SELECT id, rank() OVER (ORDER BY iv) FROM r ORDER BY id
SELECT id FROM r WHERE iv = 'nonsense value' ORDER BY id
SELECT id FROM d WHERE iv IN (SELECT iv FROM d WHERE id = 0) ORDER BY id
INSERT INTO d (id, iv) SELECT 77, iv FROM d WHERE id = 1 RETURNING iv
UPDATE r SET iv = (SELECT x.iv FROM r x WHERE x.id = 1) WHERE id = 0 RETURNING iv
CREATE INDEX ON r (iv) ;; SET LOCAL enable_seqscan = off ;; SET LOCAL enable_sort = off ;; SELECT id FROM r ORDER BY iv, id
SELECT id, u FROM r ORDER BY u, id
SELECT id, u FROM r ORDER BY u DESC NULLS LAST, id
SELECT id, u FROM d ORDER BY id
SELECT a.id, b.id FROM r a JOIN r b ON a.u = b.u ORDER BY 1, 2
SELECT a.id, b.id FROM r a JOIN r b ON a.u > b.u ORDER BY 1, 2
SELECT a.id, b.id FROM d a JOIN d b ON a.u = b.u ORDER BY 1, 2
SELECT u, count(*) FROM r GROUP BY u ORDER BY u
SELECT count(DISTINCT u) FROM d
SELECT DISTINCT u FROM r ORDER BY 1
SELECT id, rank() OVER (ORDER BY u) FROM r ORDER BY id
SELECT id FROM r WHERE u = 'nonsense value' ORDER BY id
SELECT id FROM d WHERE u IN (SELECT u FROM d WHERE id = 0) ORDER BY id
INSERT INTO d (id, u) SELECT 77, u FROM d WHERE id = 1 RETURNING u
UPDATE r SET u = (SELECT x.u FROM r x WHERE x.id = 1) WHERE id = 0 RETURNING u
CREATE INDEX ON r (u) ;; SET LOCAL enable_seqscan = off ;; SET LOCAL enable_sort = off ;; SELECT id FROM r ORDER BY u, id
SELECT id, ip FROM r ORDER BY ip, id
SELECT id, ip FROM r ORDER BY ip DESC NULLS LAST, id
SELECT id, ip FROM d ORDER BY id
SELECT a.id, b.id FROM r a JOIN r b ON a.ip = b.ip ORDER BY 1, 2
SELECT a.id, b.id FROM r a JOIN r b ON a.ip > b.ip ORDER BY 1, 2
SELECT a.id, b.id FROM d a JOIN d b ON a.ip = b.ip ORDER BY 1, 2
SELECT ip, count(*) FROM r GROUP BY ip ORDER BY ip
SELECT count(DISTINCT ip) FROM d
SELECT DISTINCT ip FROM r ORDER BY 1
SELECT id, rank() OVER (ORDER BY ip) FROM r ORDER BY id
SELECT id FROM r WHERE ip = 'nonsense value' ORDER BY id
SELECT id FROM d WHERE ip IN (SELECT ip FROM d WHERE id = 0) ORDER BY id
INSERT INTO d (id, ip) SELECT 77, ip FROM d WHERE id = 1 RETURNING ip
UPDATE r SET ip = (SELECT x.ip FROM r x WHERE x.id = 1) WHERE id = 0 RETURNING ip
CREATE INDEX ON r (ip) ;; SET LOCAL enable_seqscan = off ;; SET LOCAL enable_sort = off ;; SELECT id FROM r ORDER BY ip, id
