-- What the enclave refuses, and what is refused before it is asked.
SET cloister.deadline = 200;
-- Roles: stored with operand, and constants of one writer; never the constants of two, never results.
SELECT name, says(format('SELECT %L::enc_int4 = %L', odd('stored'), cell)) AS stored, says(format('SELECT %L::enc_int4 = %L', odd('operand'), cell)) AS operand,
  says(format('SELECT %L::enc_int4 < %L', cell, odd('stored'))) AS reversed
FROM fixture.odd WHERE name IN ('stored', 'operand', 'other operand', 'result', 'tampered', 'other key') ORDER BY name;
SELECT says(format('SELECT enc_hash(%L::enc_int4)', odd('tampered')));
SELECT says(format('SELECT %L::enc_int4 = %L', odd('missing key'), odd('missing key again')));
SELECT says(format('SELECT enc_hash(%L::enc_int4)', odd('missing key')));
SELECT says(format('SELECT %L::enc_text = %L', odd('large'), odd('large')));
SELECT says(format('SELECT %L::det_int4 = %L', odd('det'), odd('det other key')));
-- Two keys: refused by the planner where it can know, else by the comparison, never an empty answer.
CREATE TABLE seven (c enc_int4(7), d det_int4(7));
CREATE TABLE eight (c enc_int4(8), d det_int4(8));
INSERT INTO seven VALUES (odd('stored')::enc_int4, odd('det')::det_int4);
INSERT INTO eight VALUES (odd('other key')::enc_int4, odd('det other key')::det_int4);
SELECT says('SELECT * FROM seven JOIN eight USING (c)'), says('SELECT * FROM seven JOIN eight USING (d)');
SELECT says('SELECT * FROM seven WHERE c IN (SELECT c FROM eight)'), says('SELECT * FROM seven WHERE d NOT IN (SELECT d FROM eight)');
SELECT says(format('EXPLAIN SELECT * FROM seven WHERE d = %L', odd('det other key')));
SELECT says('SELECT c FROM seven UNION SELECT c FROM eight'), says('SELECT d FROM seven UNION SELECT d FROM eight');
SELECT says('SELECT count(DISTINCT d) FROM (SELECT d FROM seven UNION ALL SELECT d FROM eight) x');
SELECT says(format('SELECT * FROM seven WHERE d IN (%s)', (SELECT string_agg(quote_literal(odd('det other key')), ', ') FROM generate_series(1, 10))));
SELECT says('SELECT * FROM seven WHERE (c, d) = (SELECT c, d FROM eight)');
-- A backend that had an error asks on.
SELECT odd('stored')::enc_int4 = odd('again')::enc_int4 AS t;
-- Settings: the evaluator and the deadline are the administrator's.
CREATE ROLE regress_cloister_user;
GRANT USAGE ON SCHEMA fixture TO regress_cloister_user;
GRANT SELECT ON fixture.odd TO regress_cloister_user;
SET ROLE regress_cloister_user;
SET cloister.socket = '/tmp/mine';
SET cloister.deadline = 60000;
SET cloister.spin = 0;
SET cloister.unknown = 0;
SELECT odd('stored')::enc_int4 = odd('again')::enc_int4 AS t;
SELECT count(*) FROM cloister.column_keys;
INSERT INTO cloister.master_keys VALUES ('mine', 'file', '');
RESET ROLE;
-- An enclave that is not there.
SET cloister.socket = '/nonexistent/enclave';
SELECT says(format('SELECT %L::enc_int4 = %L', odd('stored'), odd('again')));
SELECT connected, boot_id, slot FROM cloister.enclave_status();
-- Without it deterministic columns work, and so does everything that compares nothing.
SELECT count(*) FROM sealed WHERE d_int4 = d_int4;
SELECT count(c_int4) FROM sealed;
SET cloister.socket = '';
SELECT says('SELECT cloister.enclave_ping()');
RESET cloister.socket;
SELECT cloister.enclave_ping();
DROP OWNED BY regress_cloister_user;
DROP ROLE regress_cloister_user;
