SELECT id FROM public.r WHERE public.r.t = 'alpha' ORDER BY id
SELECT ID FROM R WHERE T = 'alpha' ORDER BY Id
SELECT id FROM "r" WHERE "t" = 'alpha' ORDER BY "id"
SELECT "R".id FROM r AS "R" WHERE "R".t = 'alpha' ORDER BY 1
SELECT * FROM other.r WHERE t = 'alpha' ORDER BY id
SELECT r.id, o.t FROM r JOIN other.r o ON o.id = r.id WHERE r.t = 'Beta' ORDER BY 1
CL6005| SELECT r.id FROM r JOIN other.r o ON o.t = r.t
SELECT "Name", "from" FROM "Odd"."Ta ble" WHERE "Name" = 'alpha'
SELECT x."Name" FROM "Odd"."Ta ble" x WHERE x."from" > 1
SELECT name FROM "Odd"."Ta ble"
SELECT * FROM "Odd"."Ta ble" ORDER BY "Name"
SELECT U&"Name" FROM "Odd"."Ta ble" WHERE U&"\004Eame" = 'alpha'
SELECT * FROM p WHERE t = 'one' ORDER BY id
SELECT * FROM p1 WHERE t = 'one' ORDER BY id
SELECT tableoid::regclass::text, id FROM p WHERE w > 1 ORDER BY id
INSERT INTO p VALUES (15, 'fifteen', 15) RETURNING *
INSERT INTO p VALUES (99, 'none', 1)
INSERT INTO p2 VALUES (16, 'sixteen', 16) RETURNING *
UPDATE p SET id = 13 WHERE t = 'two' RETURNING * ;; SELECT * FROM p2 ORDER BY id
DELETE FROM p WHERE w = 12 RETURNING *
SELECT max(w) FROM p WHERE t IS NOT NULL
SELECT * FROM ONLY p
SELECT * FROM rv ORDER BY id
SELECT * FROM rvv ORDER BY n
SELECT n FROM rvv WHERE text_of = 'alpha' ORDER BY n
SELECT id FROM rv WHERE t = 'Beta' AND i4 < 0
SELECT a.n FROM rvv a JOIN rv b ON a.text_of = b.t ORDER BY 1
SELECT * FROM rm ORDER BY id
SELECT id FROM rm WHERE t = 'alpha' ORDER BY id
INSERT INTO rv (id, t) VALUES (80, 'via view') RETURNING *
UPDATE rv SET t = 'via view' WHERE t = 'Beta' RETURNING *
SELECT plain.id FROM r AS plain WHERE plain.t = 'alpha' ORDER BY 1
SELECT r.id FROM plain AS r WHERE r.t = 'alpha' ORDER BY 1
WITH r AS (SELECT id, t FROM plain) SELECT id FROM r WHERE t = 'alpha'
WITH r AS (SELECT id, t FROM r) SELECT id FROM r WHERE t = 'alpha' ORDER BY id
SELECT t AS i4, i4 AS t FROM r WHERE t = 'alpha' ORDER BY 1, 2
SELECT q.a FROM (SELECT t AS a, id AS t FROM r) q WHERE q.t = 0
SELECT q.x FROM r AS q (id, g, x) WHERE x = true ORDER BY id
SELECT a.id FROM r a JOIN r b USING (id, t) ORDER BY 1
SELECT t FROM r a JOIN r b USING (t) ORDER BY 1
SELECT count(*) FROM w NATURAL JOIN f
SELECT name FROM w NATURAL JOIN f
SELECT * FROM w NATURAL JOIN f
SELECT * FROM w JOIN f USING (name) ORDER BY 1
SELECT j.name FROM w JOIN f USING (name) AS j
SELECT w.*, f.* FROM w LEFT JOIN f ON f.name = w.name ORDER BY w.id
SELECT * FROM w a, w b WHERE a.name = b.name ORDER BY 1
SELECT id FROM r, d WHERE r.id = d.id
SELECT r.t FROM r WHERE r.id = (SELECT min(d.id) FROM d WHERE d.grp = r.grp AND d.id = r.id) ORDER BY 1
SELECT x.id FROM nowhere x WHERE x.t = 'alpha'
SELECT nowhere.t FROM r
SELECT public.w.name FROM public.w ORDER BY 1
SELECT w.id FROM w x
CL6001| SELECT w FROM w
CL6001| SELECT (w).name FROM w
CL6001| SELECT count(w) FROM w
CL6001| SELECT w.*::text FROM w
TABLE w
SELECT * FROM (TABLE w) q ORDER BY id
VALUES ('alpha', 1)
SELECT v.x FROM (VALUES ('alpha'), ('no')) v (x) JOIN r ON r.t = v.x ORDER BY 1
SELECT r.id FROM r WHERE t IN (VALUES ('alpha'), ('Beta')) ORDER BY 1
