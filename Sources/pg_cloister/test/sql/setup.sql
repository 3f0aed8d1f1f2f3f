-- The fixture: 200 rows of every type as plaintext, randomized cell and deterministic cell (test/cells.py).
\set ECHO none
\getenv out PG_ABS_BUILDDIR
\set file :out '/fixture.sql'
\set QUIET on
\i :file
\set ECHO all
-- The same as encrypted columns under key 7: c_T randomized, d_T deterministic, p_T the plaintext twin.
DO $$
DECLARE t text; cols text := 'id int4'; sel text := 'id';
BEGIN
  FOR t IN SELECT DISTINCT type FROM fixture.pick ORDER BY 1 LOOP
    cols := cols || format(', p_%1$s %1$s, c_%1$s enc_%1$s(7), d_%1$s det_%1$s(7)', t);
    sel := sel || format(', p_%1$s, c_%1$s::enc_%1$s, d_%1$s::det_%1$s', t);
  END LOOP;
  EXECUTE format('CREATE TABLE sealed (%s)', cols);
  EXECUTE format('INSERT INTO sealed SELECT %s FROM fixture.rows ORDER BY id', sel);
END $$;
SELECT count(*), count(c_text), count(d_date) FROM sealed;
-- An operand (a query's constant) of a type, by its plaintext.
CREATE FUNCTION operand(type text, plain text) RETURNS text LANGUAGE sql STABLE AS
$$ SELECT operand FROM fixture.pick WHERE pick.type = $1 AND pick.plain = $2 $$;
CREATE FUNCTION odd(name text) RETURNS text LANGUAGE sql STABLE AS $$ SELECT cell FROM fixture.odd WHERE odd.name = $1 $$;
SELECT cloister.enclave_ping();
SELECT connected, length(boot_id), calls, connects FROM cloister.enclave_status();
SELECT length(cloister.enclave_tunnel('\x05')) > 0 AS t;
