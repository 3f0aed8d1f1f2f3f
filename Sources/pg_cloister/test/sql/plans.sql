-- The same questions through every kind of plan. Tables small, answers checked against the plaintext twin.
SET max_parallel_workers_per_gather = 0;
CREATE TABLE e AS SELECT id, p_date AS p, c_date AS c, d_date AS d, p_int4 AS q, c_int4 AS k, d_int4 AS l FROM sealed;
SELECT plain AS low, operand AS low_cell, det AS low_det FROM fixture.pick WHERE type = 'date' ORDER BY plain OFFSET 10 LIMIT 1 \gset
SELECT plain AS high, operand AS high_cell FROM fixture.pick WHERE type = 'date' ORDER BY plain OFFSET 40 LIMIT 1 \gset
CREATE INDEX e_c ON e (c);
CREATE INDEX e_d ON e (d);
CREATE INDEX e_kc ON e (k, c DESC NULLS LAST);
ANALYZE e;
CREATE FUNCTION plan(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
    RETURN NEXT regexp_replace(line, '''\\x[0-9a-f]+''', '''cell''', 'g');
  END LOOP;
END $$;
SELECT count(*) AS expected FROM e WHERE p >= :'low' AND p < :'high' \gset
\set range 'SELECT count(*) = ' :expected ' AS t FROM e WHERE c >= ''' :low_cell ''' AND c < ''' :high_cell ''''
SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off;
SELECT * FROM plan(:'range');
:range;
RESET ALL; SET max_parallel_workers_per_gather = 0; SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off;
SELECT * FROM plan(:'range');
:range;
SET enable_bitmapscan = on; SET enable_indexscan = off;
SELECT * FROM plan(:'range');
:range;
SET enable_indexscan = on; SET enable_bitmapscan = off; SET enable_indexonlyscan = on;
VACUUM e;
SELECT * FROM plan(:'range');
:range;
-- Backwards, first and last, min and max by index.
SELECT * FROM plan('SELECT max(c) FROM e');
SELECT max(c) = (SELECT c FROM e WHERE p IS NOT NULL ORDER BY p DESC LIMIT 1) AS t,
  min(c) = (SELECT c FROM e ORDER BY p LIMIT 1) AS t FROM e;
SELECT * FROM plan('SELECT id FROM e ORDER BY c DESC NULLS FIRST LIMIT 5');
SELECT (SELECT array_agg(p) FROM (SELECT p FROM e WHERE c IS NOT NULL ORDER BY c DESC LIMIT 50) x) = (SELECT array_agg(p) FROM (SELECT p FROM e WHERE p IS NOT NULL ORDER BY p DESC LIMIT 50) x) AS t;
SELECT (SELECT array_agg(q::text || p) FROM (SELECT p, q FROM e WHERE c IS NOT NULL ORDER BY k, c DESC NULLS LAST) x) = (SELECT array_agg(q::text || p) FROM (SELECT p, q FROM e WHERE p IS NOT NULL ORDER BY q, p DESC NULLS LAST) x) AS t;
-- Point lookups, IN (few, and many enough to be hashed), BETWEEN, NULL tests.
\set point 'SELECT array_agg(id ORDER BY id) FROM e WHERE c = ''' :low_cell ''''
SELECT * FROM plan(:'point');
SELECT (:point) = (SELECT array_agg(id ORDER BY id) FROM e WHERE p = :'low') AS t;
\set point 'SELECT array_agg(id ORDER BY id) FROM e WHERE d = ''' :low_det ''''
SELECT * FROM plan(:'point');
SELECT (:point) = (SELECT array_agg(id ORDER BY id) FROM e WHERE p = :'low') AS t;
SELECT count(*) = 0 AS t FROM e WHERE (c IS NULL) <> (p IS NULL) OR (d IS NULL) <> (p IS NULL);
SELECT string_agg(quote_literal(operand), ', ') AS few, string_agg(quote_literal(plain), ', ') AS few_plain
  FROM (SELECT * FROM fixture.pick WHERE type = 'date' ORDER BY plain LIMIT 3) x \gset
SELECT string_agg(quote_literal(operand), ', ') AS many, string_agg(quote_literal(plain), ', ') AS many_plain, string_agg(quote_literal(det), ', ') AS many_det
  FROM (SELECT * FROM fixture.pick WHERE type = 'date' ORDER BY plain LIMIT 20) x \gset
SELECT count(*) = (SELECT count(*) FROM e WHERE p IN (:few_plain)) AS t FROM e WHERE c IN (:few);
SELECT count(*) = (SELECT count(*) FROM e WHERE p IN (:many_plain)) AS t FROM e WHERE c IN (:many);
SELECT count(*) = (SELECT count(*) FROM e WHERE p IN (:many_plain)) AS t FROM e WHERE d IN (:many_det);
SET enable_seqscan = on; SET enable_indexscan = off; SET enable_indexonlyscan = off;
SELECT count(*) = (SELECT count(*) FROM e WHERE p IN (:many_plain)) AS t FROM e WHERE c IN (:many);
SELECT count(*) = (SELECT count(*) FROM e WHERE p IN (:many_plain)) AS t FROM e WHERE d IN (:many_det);
SELECT count(*) = (SELECT count(*) FROM e WHERE p NOT IN (:many_plain)) AS t FROM e WHERE c NOT IN (:many);
SELECT count(*) = (SELECT count(*) FROM e WHERE p BETWEEN :'low' AND :'high') AS t FROM e WHERE c BETWEEN :'low_cell' AND :'high_cell';
-- Joins of each kind.
CREATE TABLE f AS SELECT id, p_date AS p, c_date AS c, d_date AS d FROM sealed WHERE id % 4 = 0;
ANALYZE f;
SELECT count(*) AS joined, sum(e.id * f.id) AS total FROM e JOIN f USING (p) \gset
SELECT count(*) AS lefted FROM e LEFT JOIN f USING (p) \gset
SET enable_mergejoin = off; SET enable_nestloop = off;
SELECT * FROM plan('SELECT count(*) FROM e JOIN f USING (c)');
SELECT count(*) = :joined AS t, sum(e.id * f.id) = :total AS t FROM e JOIN f USING (c);
SELECT count(*) = :joined AS t, sum(e.id * f.id) = :total AS t FROM e JOIN f USING (d);
SELECT count(*) = :lefted AS t FROM e LEFT JOIN f USING (c);
SET enable_hashjoin = off; SET enable_mergejoin = on;
SELECT * FROM plan('SELECT count(*) FROM e JOIN f USING (c)');
SELECT count(*) = :joined AS t, sum(e.id * f.id) = :total AS t FROM e JOIN f USING (c);
SELECT * FROM plan('SELECT count(*) FROM e JOIN f USING (d)');
SELECT count(*) = :joined AS t, sum(e.id * f.id) = :total AS t FROM e JOIN f USING (d);
SELECT count(*) = (SELECT count(*) FROM e FULL JOIN f USING (p)) AS t FROM e FULL JOIN f USING (c);
SET enable_mergejoin = off; SET enable_nestloop = on; SET enable_indexscan = on;
SELECT * FROM plan('SELECT count(*) FROM e JOIN f ON e.c = f.c AND e.id < 40');
SELECT count(*) = (SELECT count(*) FROM e JOIN f ON e.p = f.p AND e.id < 40) AS t FROM e JOIN f ON e.c = f.c AND e.id < 40;
SET enable_material = off;
SELECT count(*) = (SELECT count(*) FROM e JOIN f ON e.p < f.p AND e.id < 20) AS t FROM e JOIN f ON e.c < f.c AND e.id < 20;
SELECT count(*) = (SELECT count(*) FROM e WHERE EXISTS (SELECT FROM f WHERE f.p = e.p)) AS t FROM e WHERE EXISTS (SELECT FROM f WHERE f.c = e.c);
RESET ALL; SET max_parallel_workers_per_gather = 0;
SELECT count(*) = (SELECT count(*) FROM e WHERE p IN (SELECT p FROM f)) AS t FROM e WHERE c IN (SELECT c FROM f);
SELECT count(*) = (SELECT count(*) FROM e WHERE NOT EXISTS (SELECT FROM f WHERE f.p = e.p)) AS t FROM e WHERE NOT EXISTS (SELECT FROM f WHERE f.c = e.c);
-- Grouping and duplicates, by hash and by sort; set operations; windows.
SET enable_sort = off;
SELECT * FROM plan('SELECT c, count(*) FROM e GROUP BY c');
SELECT (SELECT array_agg(n ORDER BY n) FROM (SELECT count(*) AS n FROM e GROUP BY c) x) = (SELECT array_agg(n ORDER BY n) FROM (SELECT count(*) AS n FROM e GROUP BY p) x) AS t;
SELECT (SELECT array_agg(n ORDER BY n) FROM (SELECT count(*) AS n FROM e GROUP BY d) x) = (SELECT array_agg(n ORDER BY n) FROM (SELECT count(*) AS n FROM e GROUP BY p) x) AS t;
RESET enable_sort; SET enable_hashagg = off;
SELECT * FROM plan('SELECT d, count(*) FROM e GROUP BY d');
SELECT (SELECT array_agg(n ORDER BY n) FROM (SELECT count(*) AS n FROM e GROUP BY c) x) = (SELECT array_agg(n ORDER BY n) FROM (SELECT count(*) AS n FROM e GROUP BY p) x) AS t;
SELECT (SELECT array_agg(n ORDER BY n) FROM (SELECT count(*) AS n FROM e GROUP BY d) x) = (SELECT array_agg(n ORDER BY n) FROM (SELECT count(*) AS n FROM e GROUP BY p) x) AS t;
SELECT count(*) = (SELECT count(*) FROM (SELECT DISTINCT p, q FROM e) y) AS t FROM (SELECT DISTINCT c, l FROM e) x;
RESET enable_hashagg;
SELECT count(*) = (SELECT count(*) FROM (SELECT DISTINCT p FROM e) y) AS t FROM (SELECT DISTINCT c FROM e) x;
SELECT count(*) = (SELECT count(*) FROM (SELECT p FROM e EXCEPT SELECT p FROM f) y) AS t FROM (SELECT c FROM e EXCEPT SELECT c FROM f) x;
SELECT count(*) = (SELECT count(*) FROM (SELECT p FROM e UNION SELECT p FROM f) y) AS t FROM (SELECT c FROM e UNION SELECT c FROM f) x;
SELECT bool_and(a = b) AS t FROM (SELECT rank() OVER (PARTITION BY l ORDER BY c) AS a, rank() OVER (PARTITION BY q ORDER BY p) AS b FROM e) x;
-- Constraints.
\set VERBOSITY terse
CREATE TABLE u (c enc_int4(7) UNIQUE, d det_int4(7) PRIMARY KEY);
INSERT INTO u SELECT DISTINCT ON (q) k, l FROM e WHERE q IS NOT NULL ORDER BY q;
INSERT INTO u SELECT k, l FROM e WHERE q = 0;
INSERT INTO u (c, d) SELECT NULL, l FROM e WHERE q = 0;
INSERT INTO u SELECT k, l FROM e WHERE q IS NOT NULL ON CONFLICT (c) DO NOTHING;
INSERT INTO u SELECT DISTINCT ON (q) k, l FROM e WHERE q IS NOT NULL ORDER BY q ON CONFLICT (d) DO UPDATE SET c = excluded.c;
SELECT count(*) = (SELECT count(DISTINCT q) FROM e) AS t FROM u;
CREATE TABLE r (c enc_int4(7) REFERENCES u (c), d det_int4(7) REFERENCES u (d) ON DELETE CASCADE);
INSERT INTO r SELECT k, l FROM e WHERE q > 0;
INSERT INTO r (c) VALUES (odd('again')::enc_int4);
DELETE FROM u WHERE c = (SELECT k FROM e WHERE q > 0 ORDER BY q LIMIT 1);
CREATE TABLE x (c enc_int4(7), EXCLUDE USING btree (c WITH =));
INSERT INTO x VALUES (odd('stored')::enc_int4), (odd('again')::enc_int4);
CREATE TABLE v (d det_int4(7), EXCLUDE USING hash (d WITH =));
INSERT INTO v VALUES (odd('det')::det_int4), (odd('det')::det_int4);
\set VERBOSITY default
-- MERGE, hash indexes, partitions.
MERGE INTO u USING f ON u.c = odd('stored')::enc_int4 WHEN MATCHED THEN DO NOTHING;
CREATE INDEX e_hc ON e USING hash (c);
CREATE INDEX e_hd ON e USING hash (d);
DROP INDEX e_c, e_d;
SET enable_seqscan = off; SET enable_bitmapscan = off;
\set point 'SELECT array_agg(id ORDER BY id) FROM e WHERE c = ''' :low_cell ''''
SELECT * FROM plan(:'point');
SELECT (:point) = (SELECT array_agg(id ORDER BY id) FROM e WHERE p = :'low') AS t;
\set point 'SELECT array_agg(id ORDER BY id) FROM e WHERE d = ''' :low_det ''''
SELECT (:point) = (SELECT array_agg(id ORDER BY id) FROM e WHERE p = :'low') AS t;
CREATE TABLE parts (d det_int4(7), c enc_int4(7)) PARTITION BY HASH (d);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts SELECT l, k FROM e;
SELECT count(*) = 200 AS t, count(DISTINCT tableoid) FROM parts;
-- Parallel: workers have slots of their own; the index is built in parallel too.
RESET ALL;
CREATE TABLE big AS SELECT e.* FROM e, generate_series(1, 3);
ALTER TABLE big SET (parallel_workers = 2);
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
SET enable_indexscan = off;
\set many 'SELECT count(*), max(c) = min(c), count(DISTINCT k) FROM big WHERE c > ''' :low_cell ''''
SELECT * FROM plan('SELECT count(*) FROM big WHERE c > ''' || :'low_cell' || '''');
SELECT count(*) = 3 * (SELECT count(*) FROM e WHERE p > :'low') AS t FROM big WHERE c > :'low_cell';
SELECT max(c) = (SELECT c FROM e WHERE p IS NOT NULL ORDER BY p DESC LIMIT 1) AS t FROM big;
SET parallel_leader_participation = off;
SELECT count(*) = 3 * (SELECT count(*) FROM e WHERE p > :'low') AS t FROM big WHERE c > :'low_cell';
SET min_parallel_index_scan_size = 0; SET max_parallel_maintenance_workers = 2;
CREATE INDEX big_c ON big (c);
SET enable_seqscan = off; RESET enable_indexscan;
SELECT count(*) = 3 * (SELECT count(*) FROM e WHERE p > :'low') AS t FROM big WHERE c > :'low_cell';
SET enable_nestloop = off; SET enable_mergejoin = off; SET enable_seqscan = on;
SELECT * FROM plan('SELECT count(*) FROM big JOIN f USING (c)');
SELECT count(*) = 3 * :joined AS t FROM big JOIN f USING (c);
RESET ALL;
