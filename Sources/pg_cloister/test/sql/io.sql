-- Input takes cells of exactly the type, and nothing else; the errors name no value.
\set VERBOSITY verbose
\set SHOW_CONTEXT always
\set ECHO none
-- psql shows the failing line of what we send it; that is the client's own, so statements go through this function,
-- which shows what the server says: SQLSTATE, message, detail and context.
CREATE FUNCTION says(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE m text; d text; h text; c text;
BEGIN
  EXECUTE statement;
  RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT, c = PG_EXCEPTION_CONTEXT;
  -- PL/pgSQL's own context lines are of no interest, except where there must be none.
  RETURN concat_ws(' | ', SQLSTATE, m, nullif(d, ''), CASE WHEN m ~ 'CL700[12]' THEN nullif(c, '') END);
END $$;
\set ECHO all
\set VERBOSITY default
SELECT says($$SELECT '1960-01-01'::enc_date$$);
SELECT says($$SELECT 'secret'::det_text$$);
SELECT says($$SELECT ''::enc_text$$);
SELECT says($$SELECT '\x'::enc_text$$);
SELECT says($$SELECT '\xzz'::enc_text$$);
SELECT says($$SELECT repeat('z', 200)::enc_text$$);
SELECT says($$SELECT ('\x' || repeat('zz', 50))::enc_text$$);
SELECT says($$INSERT INTO sealed (c_int4) VALUES ('42')$$);
SELECT says($$INSERT INTO sealed (c_int4) VALUES (42)$$);
SELECT says($$UPDATE sealed SET c_text = 'secret' WHERE id = 1$$);
SELECT says($$SELECT count(*) FROM sealed WHERE c_text = 'secret'$$);
SELECT says($$SELECT count(*) FROM sealed WHERE d_text = 'secret'::text$$);
SELECT says($$SELECT count(*) FROM sealed WHERE d_text IN ('secret', 'more')$$);
-- Frames: version, role, algorithm, key id, length, tag of another type, the other scheme.
SELECT name, says(format('SELECT %L::enc_int4', cell)) AS enc, says(format('SELECT %L::det_int4', cell)) AS det
FROM fixture.odd WHERE name <> 'large' ORDER BY name COLLATE "C";
-- Binary input is as strict.
CREATE TEMP TABLE got (c enc_int4(7));
CREATE TEMP TABLE bytes (b bytea);
SELECT current_setting('data_directory') || '/io.bin' AS file \gset
INSERT INTO bytes VALUES (odd('stored')::bytea);
COPY bytes TO :'file' BINARY;
COPY got FROM :'file' BINARY;
SELECT c::text = odd('stored') AS t FROM got;
TRUNCATE bytes;
INSERT INTO bytes VALUES ('secret'), (odd('stored')::bytea);
COPY bytes TO :'file' BINARY;
COPY got FROM :'file' BINARY;
TRUNCATE bytes;
INSERT INTO bytes VALUES (odd('operand')::bytea);
COPY bytes TO :'file' BINARY;
\set SHOW_CONTEXT never
COPY got FROM :'file' BINARY;
\set SHOW_CONTEXT always
-- COPY's context line would quote the input: a refusal comes without one.
COPY sealed (id, c_date) FROM stdin;
1	1960-01-01
\.
COPY sealed (id, c_text, d_text) FROM stdin CSV;
1,"secret, more",x
\.
-- Other errors keep theirs.
COPY sealed (id) FROM stdin;
x
\.
-- The text form does not depend on bytea_output, and goes in as it came out.
SET bytea_output = escape;
SELECT bool_and(s.c_text::text = r.c_text AND s.d_uuid::text = r.d_uuid) AS t FROM sealed s JOIN fixture.rows r USING (id) WHERE r.c_text <> '' AND r.d_uuid <> '';
RESET bytea_output;
SELECT upper(substr(odd('stored'), 3)) <> substr(odd('stored'), 3) AND ('\x' || upper(substr(odd('stored'), 3)))::enc_int4::text = odd('stored') AS t;
SELECT pg_column_size(odd('large')::enc_text);
-- Arrays and domains use the same input.
SELECT says($$SELECT '{secret}'::enc_text[]$$);
SELECT array_length(ARRAY[odd('stored'), NULL]::enc_int4[], 1), (ARRAY[odd('stored')]::enc_int4[])[1]::text = odd('stored') AS t;
CREATE DOMAIN age AS enc_int4(7) CHECK (VALUE IS NOT NULL);
SELECT says($$SELECT 'secret'::age$$), says(format('SELECT %L::age', odd('stored'))), says(format('SELECT %L::age', odd('other key')));
