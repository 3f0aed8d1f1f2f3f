-- SUM, AVG, STDDEV, VARIANCE: results cells, opened by the tests' own key (fixture.opened), against the plaintext twin.
-- The key's policy allows them to groups of three and more.
CREATE TABLE results (type text, function text, rows int8, cell text, expected text);
DO $$
DECLARE t text; f text; g text;
BEGIN
  FOREACH t IN ARRAY ARRAY['int2', 'int4', 'int8', 'numeric', 'float4', 'float8'] LOOP
    FOREACH f IN ARRAY ARRAY['sum', 'avg', 'stddev_pop', 'stddev_samp', 'stddev', 'var_pop', 'var_samp', 'variance'] LOOP
      FOREACH g IN ARRAY ARRAY['true', 'id <= 12', 'id % 7 = 1', format('p_%s > 0 AND p_%1$s < 1000000', t), format('p_%s < 0', t)] LOOP
        BEGIN
          EXECUTE format('INSERT INTO results SELECT %L, %L, count(c_%1$s), %2$I(c_%1$s)::text, %2$s(p_%1$s)::text FROM sealed WHERE %3$s', t, f, g);
        EXCEPTION WHEN numeric_value_out_of_range THEN
          INSERT INTO results VALUES (t, f, -1, '', (SELECT outcome(format('SELECT %s(p_%s) FROM sealed WHERE %s', f, t, g))));
        END;
      END LOOP;
    END LOOP;
  END LOOP;
END $$;
SELECT type, count(*), count(*) FILTER (WHERE rows > 2) > 30 AS t FROM results GROUP BY 1 ORDER BY 1;
SELECT count(*) FILTER (WHERE rows = -1 AND expected <> '22003') AS wrong FROM results;
-- Grouped, hashed and sorted, and large groups, which take several requests.
CREATE TABLE many AS SELECT id, p_int4, c_int4, p_float8, c_float8 FROM sealed WHERE p_int4 IS NOT NULL AND p_float8 BETWEEN -100 AND 100;
INSERT INTO results SELECT 'int4', 'sum', count(c_int4), sum(c_int4)::text, sum(p_int4)::text FROM many GROUP BY id % 5;
SET enable_hashagg = off;
INSERT INTO results SELECT 'int4', 'avg', count(c_int4), avg(c_int4)::text, avg(p_int4)::text FROM many GROUP BY id % 5;
RESET enable_hashagg;
INSERT INTO results SELECT 'float8', 'sum', count(c_float8), sum(c_float8)::text, sum(p_float8)::text FROM many GROUP BY id % 3;
INSERT INTO results SELECT 'int4', 'sum', count(*), sum(c::enc_int4)::text, sum(p)::text FROM fixture.amounts;
INSERT INTO results SELECT 'int4', 'stddev', count(*), stddev(c::enc_int4)::text, stddev(p)::text FROM fixture.amounts;
SELECT max(rows) > 30000 AS t FROM results;
-- FILTER, HAVING, DISTINCT and ORDER BY inside; two aggregates share what was collected.
INSERT INTO results SELECT 'int4', 'sum', 3, sum(DISTINCT c_int4)::text, sum(DISTINCT p_int4)::text FROM many;
INSERT INTO results SELECT 'int4', 'avg', 3, avg(c_int4 ORDER BY id DESC) FILTER (WHERE id > 9)::text, avg(p_int4) FILTER (WHERE id > 9)::text FROM many HAVING count(*) > 9;
SELECT sum(c_int4) IS NOT NULL AND avg(c_int4) IS NOT NULL AND max(c_int4) IS NOT NULL AS t FROM many;
-- No value at all gives NULL, without asking.
SELECT sum(c_int4) IS NULL AS t, avg(c_int4) IS NULL AS t, stddev(c_int4) IS NULL AS t FROM many WHERE false;
SELECT sum(c_int4) IS NULL AS t FROM sealed WHERE p_int4 IS NULL;
-- Small groups, repeated cells, other roles and keys, windows.
SELECT says('SELECT sum(c_int4) FROM (SELECT c_int4 FROM many LIMIT 2) x');
SELECT says('SELECT id, sum(c_int4) FROM many GROUP BY id');
SELECT says('SELECT sum(a.c_int4) FROM many a, many b');
SELECT says('SELECT sum(c_float8) FROM (SELECT * FROM many UNION ALL SELECT * FROM many) x');
SELECT says('SELECT sum(c_int4) OVER () FROM many');
SELECT says(format('SELECT sum(c) FROM (VALUES (%L::enc_int4), (%L), (%L)) v (c)', odd('stored'), odd('again'), odd('operand')));
SELECT says(format('SELECT sum(c) FROM (VALUES (%L::enc_int4), (%L), (%L)) v (c)', odd('stored'), odd('again'), odd('result')));
SELECT says(format('SELECT sum(c) FROM (VALUES (%L::enc_int4), (%L), (%L)) v (c)', odd('stored'), odd('again'), odd('other key')));
SELECT says(format('SELECT sum(c) FROM (VALUES (%L::enc_int4), (%L), (%L)) v (c)', odd('stored'), odd('again'), odd('tampered')));
SELECT says(format('SELECT sum(c) FROM (VALUES (%L::enc_int4)) v (c)', odd('other key')));
SELECT says('SELECT sum(c_text) FROM sealed'), says('SELECT sum(d_int4) FROM sealed'), says('SELECT avg(c_interval) FROM sealed');
-- Results are shown and nothing else: not compared, not stored, not summed up again.
CREATE TABLE shown AS SELECT sum(c_int4) AS s, avg(c_int4) AS a FROM many;
SELECT says('SELECT s = s FROM shown'), says('SELECT enc_hash(s) FROM shown'), says('SELECT a < a FROM shown');
CREATE TABLE keyed_results (s enc_int8(7));
SELECT says('INSERT INTO keyed_results SELECT s FROM shown');
SELECT says('SELECT sum(s) FROM shown');
-- What the results are: test/check_results.py opens them.
\t on
\a
\getenv out PG_ABS_BUILDDIR
\set file :out '/results.txt'
\o :file
SELECT type, function, rows, cell, expected FROM results;
\o
\t off
\a
