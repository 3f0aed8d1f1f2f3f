-- The type modifier is a key id; columns take stored cells under that key.
\set VERBOSITY terse
CREATE TABLE bad (x enc_int4(0));
CREATE TABLE bad (x enc_int4(-1));
CREATE TABLE bad (x enc_int4(1, 2));
CREATE TABLE bad (x enc_int4('a'));
CREATE TABLE keyed (id int4, x enc_int4(7), d det_int4(7), a enc_int4(7)[]);
SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'keyed'::regclass AND attnum > 1;
SELECT says(format('INSERT INTO keyed (x) VALUES (%L)', cell)) AS literal, says(format('INSERT INTO keyed (x) SELECT %L::enc_int4', cell)) AS expression,
  says(format('INSERT INTO keyed (a) VALUES (ARRAY[%L]::enc_int4[])', cell)) AS array, says(format('SELECT %L::enc_int4(7)', cell)) AS cast, name
FROM fixture.odd WHERE name IN ('stored', 'operand', 'result', 'other key') ORDER BY name;
SELECT says(format('INSERT INTO keyed (d) VALUES (%L)', odd('det'))), says(format('INSERT INTO keyed (d) VALUES (%L)', odd('det other key')));
SELECT says(format('UPDATE keyed SET x = %L', odd('operand'))), says(format('UPDATE keyed SET x = %L', odd('other key')));
PREPARE put(enc_int4) AS INSERT INTO keyed (x) VALUES ($1);
SELECT says(format('EXECUTE put(%L)', odd('operand'))), says(format('EXECUTE put(%L)', odd('stored')));
\set SHOW_CONTEXT never
SELECT format(E'\\x%s', substr(odd('operand'), 3)) AS operand \gset
CREATE TABLE defaulted (x enc_int4(7) DEFAULT :'operand');
INSERT INTO defaulted DEFAULT VALUES;
-- Across columns: the same key passes as it is, another is refused.
CREATE TABLE elsewhere (x enc_int4(8));
INSERT INTO elsewhere SELECT x FROM keyed WHERE x IS NOT NULL;
INSERT INTO elsewhere VALUES (odd('other key')::enc_int4);
INSERT INTO keyed (x) SELECT x FROM elsewhere;
ALTER TABLE elsewhere ALTER x TYPE enc_int4(7);
ALTER TABLE elsewhere ALTER x TYPE int4 USING x::int4;
ALTER TABLE keyed ADD e enc_int4(7), ALTER x TYPE enc_int4(7);
CREATE TABLE copied AS SELECT x, min(d) FILTER (WHERE false) AS none FROM keyed GROUP BY x;
CREATE TABLE copied AS SELECT x, max(x) AS biggest FROM keyed GROUP BY x;
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'copied'::regclass AND attnum > 0;
-- A cell becomes text or bytes only as the cell it is, and no number ever.
SELECT odd('stored')::enc_int4::text = odd('stored') AS t, odd('stored')::enc_int4::varchar = odd('stored') AS t;
SELECT odd('stored')::enc_int4::int4;
SELECT odd('stored')::enc_int4::bytea;
SELECT odd('stored')::bytea::enc_int4;
SELECT odd('stored')::enc_int4::enc_int8;
SELECT odd('stored')::enc_int4::det_int4;
SELECT 5::enc_int4;
SELECT odd('stored')::enc_int4 + 1;
SELECT sum(d) FROM keyed;
SELECT odd('stored')::enc_int4 = odd('det')::det_int4;
SELECT odd('stored')::enc_int4 < odd('other type')::enc_int8;
SELECT odd('det')::det_int4 < odd('det')::det_int4;
SELECT min(d) FROM keyed;
