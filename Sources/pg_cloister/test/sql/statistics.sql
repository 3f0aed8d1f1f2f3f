-- ANALYZE keeps null fraction, width and distinct values, and no cell.
CREATE TABLE s AS SELECT id, c_date, d_date, d_uuid, d_text, c_boolean, ARRAY[c_date] AS a, ARRAY[d_date, d_date] AS b, p_date, p_text FROM sealed;
INSERT INTO s SELECT id + 1000, c_date, d_date, d_uuid, d_text, c_boolean, a, b, p_date, p_text FROM s;
SELECT calls, waits FROM cloister.enclave_status() \gset
ANALYZE s;
SELECT attname, null_frac::numeric(4, 3), avg_width > 40 AS wide, n_distinct < 0 AS scaled, n_distinct::numeric(6, 2), most_common_vals IS NULL AND most_common_freqs IS NULL
  AND histogram_bounds IS NULL AND correlation IS NULL AND most_common_elems IS NULL AND elem_count_histogram IS NULL AS t
FROM pg_stats WHERE tablename = 's' AND attname NOT IN ('id', 'p_date', 'p_text') ORDER BY 1;
SELECT count(*) AS columns, bool_and(stakind1 = 0 AND stakind2 = 0 AND stakind3 = 0 AND stakind4 = 0 AND stakind5 = 0) AS t,
  bool_and(stavalues1 IS NULL AND stavalues2 IS NULL AND stavalues3 IS NULL AND stavalues4 IS NULL AND stavalues5 IS NULL) AS t
FROM pg_statistic JOIN pg_attribute ON attrelid = starelid AND attnum = staattnum
WHERE starelid = 's'::regclass AND atttypid::regtype::text ~ '(enc|det)_';
-- The number of distinct values of det_T is that of the plaintext.
SELECT abs((SELECT n_distinct FROM pg_stats WHERE tablename = 's' AND attname = 'd_date') - (SELECT n_distinct FROM pg_stats WHERE tablename = 's' AND attname = 'p_date')) < 0.5 AS t;
-- So it is when only some rows are sampled (300 of 4000).
CREATE TABLE sampled AS SELECT d_date FROM sealed, generate_series(1, 20) WHERE d_date IS NOT NULL;
ALTER TABLE sampled ALTER d_date SET STATISTICS 1;
ANALYZE sampled;
SELECT n_distinct BETWEEN 45 AND 62 AS t FROM pg_stats WHERE tablename = 'sampled';
-- Estimates: from null fraction and distinct count; constants otherwise.
CREATE INDEX ON s (d_date);
CREATE UNIQUE INDEX s_unique ON s (id);
CREATE FUNCTION estimate(statement text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE j json;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT json) ' || statement INTO j;
  RETURN (j->0->'Plan'->>'Plan Rows')::float8;
END $$;
SELECT det AS cell, operand FROM fixture.pick WHERE type = 'date' ORDER BY plain LIMIT 1 \gset
SELECT calls AS before FROM cloister.enclave_status() \gset
SELECT estimate('SELECT FROM s WHERE d_date = ' || quote_literal(:'cell')) BETWEEN 4 AND 10 AS t,
  estimate('SELECT FROM s WHERE d_date <> ' || quote_literal(:'cell')) BETWEEN 300 AND 399 AS t,
  estimate('SELECT FROM s WHERE c_date = ' || quote_literal(:'operand')) AS equal,
  estimate('SELECT FROM s WHERE c_date > ' || quote_literal(:'operand')) AS greater,
  estimate('SELECT FROM s WHERE c_date = NULL::enc_date') AS never;
SELECT estimate('SELECT FROM s JOIN s t USING (d_date)') BETWEEN 1000 AND 4000 AS t, estimate('SELECT FROM s JOIN s t USING (c_date)') AS by_default,
  estimate('SELECT FROM s WHERE EXISTS (SELECT FROM s t WHERE t.d_date = s.d_date)') BETWEEN 300 AND 400 AS t,
  estimate('SELECT FROM s, s t WHERE s.c_date < t.c_date') > 10000 AS t;
-- Neither ANALYZE nor planning asked the enclave anything.
SELECT calls = :before AND calls = :calls AS t FROM cloister.enclave_status();
-- The owner may tell better.
ALTER TABLE s ALTER c_date SET (n_distinct = 55);
ANALYZE s;
SELECT estimate('SELECT FROM s WHERE c_date = ' || quote_literal(:'operand')) BETWEEN 5 AND 8 AS t;
-- Extended statistics would store cells all the same: refused, for encrypted columns only.
\set VERBOSITY terse
CREATE STATISTICS ext (mcv) ON c_date, id FROM s;
CREATE STATISTICS ext ON d_date, id FROM s;
CREATE STATISTICS ext ON (id + 1), (coalesce(c_date, c_date)) FROM s;
CREATE STATISTICS ext ON (a || a) FROM s;
CREATE STATISTICS ext (mcv) ON id, p_date FROM s;
ANALYZE s;
