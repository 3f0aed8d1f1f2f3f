-- LIKE, ILIKE, their negations and starts_with, of each text type, against the plaintext twin.
CREATE TABLE texts AS SELECT plain, plain::varchar AS p_varchar, plain::bpchar AS p_bpchar, c_text::enc_text(7), c_varchar::enc_varchar(7), c_bpchar::enc_bpchar(7)
  FROM fixture.strings;
CREATE TABLE globs AS SELECT plain AS glob, c_text::enc_text AS o_text, c_varchar::enc_varchar AS o_varchar, c_bpchar::enc_bpchar AS o_bpchar,
  plain ~ '(^|[^\\])(\\\\)*\\$' AS dangling FROM fixture.patterns;
SELECT count(*) > 60 AS t FROM texts;
SELECT count(*) FILTER (WHERE dangling) > 3 AS t, count(*) FILTER (WHERE NOT dangling) > 90 AS t FROM globs;
CREATE TABLE match_verdicts (type text, operator text, checked int8, matching int8, wrong int8);
DO $$
DECLARE t text; p text; o text;
BEGIN
  FOREACH t IN ARRAY ARRAY['text', 'varchar', 'bpchar'] LOOP
    p := CASE t WHEN 'text' THEN 'plain' ELSE 'p_' || t END;
    FOREACH o IN ARRAY ARRAY['~~', '!~~', '~~*', '!~~*', '^@'] LOOP
      EXECUTE format('INSERT INTO match_verdicts SELECT %1$L, %2$L, count(*), count(*) FILTER (WHERE c_%1$s %2$s o_%1$s),
        count(*) FILTER (WHERE (c_%1$s %2$s o_%1$s) IS DISTINCT FROM (%3$s COLLATE "C" %2$s glob)) FROM texts, globs WHERE NOT dangling OR %2$L = ''^@''', t, o, p);
    END LOOP;
    EXECUTE format('INSERT INTO match_verdicts SELECT %1$L, ''starts_with'', count(*), count(*) FILTER (WHERE starts_with(c_%1$s, o_%1$s)),
      count(*) FILTER (WHERE starts_with(c_%1$s, o_%1$s) IS DISTINCT FROM starts_with(%2$s, glob)) FROM texts, globs', t, p);
  END LOOP;
END $$;
SELECT type, operator, checked > 5000 AS t, matching > 100 AS t, wrong FROM match_verdicts ORDER BY 1, 2;
-- A pattern that ends with its escape character fails exactly where PostgreSQL's own does.
CREATE FUNCTION outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r text;
BEGIN
  EXECUTE statement INTO r;
  RETURN r;
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE;
END $$;
SELECT count(*) > 100 AS t, count(*) FILTER (WHERE a = '22025') > 20 AS t, count(*) FILTER (WHERE a = 'false') > 20 AS t, count(*) FILTER (WHERE a <> b OR a <> c) AS wrong
FROM (SELECT outcome(format('SELECT %L COLLATE "C" ~~ %L', plain, glob)) AS a, outcome(format('SELECT %L::enc_text ~~ %L::enc_text', c_text, o_text)) AS b,
  outcome(format('SELECT %L::enc_varchar ~~ %L::enc_varchar', c_varchar, o_varchar)) AS c FROM texts, globs WHERE dangling) x;
SELECT count(*) FROM texts, globs WHERE c_text ~~ o_text AND glob = 'a\';
-- LIKE and ILIKE as SQL writes them reach the operators; NULLs stay NULLs.
SELECT count(*) = (SELECT count(*) FROM texts, globs WHERE plain NOT LIKE glob AND plain ILIKE glob AND NOT dangling) AS t, count(*) > 0 AS t
FROM texts, globs WHERE c_text NOT LIKE o_text AND c_text ILIKE o_text AND NOT dangling;
SELECT NULL::enc_text LIKE o_text AS n, c_text LIKE NULL AS n FROM texts, globs LIMIT 1;
-- The pattern is an operand, nothing else; type and key are those of the value.
SELECT says(format('SELECT %L::enc_text ~~ %L::enc_text', a.c_text, b.c_text)) FROM texts a, texts b WHERE a.plain = 'ab' AND b.plain = 'a';
SELECT says(format('SELECT %L::enc_text ^@ %L::enc_text', a.c_text, b.c_text)) FROM texts a, texts b WHERE a.plain = 'ab' AND b.plain = 'a';
SELECT says(format('SELECT %L::enc_int4 ~~ %L::enc_int4', odd('stored'), odd('operand')));
SELECT says('SELECT c_text ~~ o_varchar FROM texts, globs');
SELECT says('SELECT d_text ~~ d_text FROM sealed');
SELECT says('SELECT c_text ~ o_text FROM texts, globs');
-- Estimates need no enclave.
SELECT calls AS before FROM cloister.enclave_status() \gset
CREATE FUNCTION rows_of(statement text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE j json;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT json) ' || statement INTO j;
  RETURN (j->0->'Plan'->>'Plan Rows')::float8;
END $$;
ANALYZE sealed, texts, globs;
SELECT rows_of(format('SELECT FROM sealed WHERE c_text ~~ %L', o_text)) AS matching, rows_of(format('SELECT FROM sealed WHERE c_text !~~ %L', o_text)) BETWEEN 150 AND 200 AS t
FROM globs WHERE glob = '%a';
SELECT rows_of('SELECT FROM texts, globs WHERE c_text ~~ o_text') BETWEEN 1 AND 500 AS t;
SELECT calls = :before AS t FROM cloister.enclave_status();
