-- Whoever puts look-alikes ahead of pg_catalog gains nothing.
\set VERBOSITY terse
CREATE SCHEMA evil;
CREATE FUNCTION evil.yes(enc_int4, enc_int4) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE 'trapped'; END $$;
CREATE FUNCTION evil.yes(det_int4, det_int4) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE 'trapped'; END $$;
CREATE FUNCTION evil.any_yes(anyelement, anyelement) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE 'trapped'; END $$;
CREATE OPERATOR evil.= (LEFTARG = anyelement, RIGHTARG = anyelement, FUNCTION = evil.any_yes);
CREATE OPERATOR evil.#<# (LEFTARG = det_int4, RIGHTARG = det_int4, FUNCTION = evil.yes);
CREATE DOMAIN evil.enc_int4 AS text;
CREATE TABLE evil.column_keys (id int4);
CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
SET search_path = evil, public, pg_temp;
SELECT 'plain'::enc_int4;
SELECT pg_typeof('plain'::evil.enc_int4);
SET search_path = evil, pg_catalog, public;
CREATE TABLE public.path (c pg_catalog.enc_int4(7) PRIMARY KEY, d pg_catalog.det_int4(7) UNIQUE);
INSERT INTO public.path SELECT DISTINCT ON (p_int4) c_int4, d_int4 FROM public.sealed WHERE p_int4 IS NOT NULL ORDER BY p_int4;
SELECT count(*) = (SELECT count(*) FROM (SELECT DISTINCT c, d FROM public.path) x) AS t FROM public.path;
SELECT pg_catalog.count(*) FROM public.path a JOIN public.path b ON a.c OPERATOR(pg_catalog.=) b.c AND a.d OPERATOR(pg_catalog.=) b.d;
INSERT INTO cloister.master_keys (name, provider, public_key) VALUES ('m', 'file', '');
INSERT INTO cloister.column_keys (id, name, metadata) VALUES (0, 'k', '');
INSERT INTO cloister.column_keys (id, name, metadata) VALUES (7, 'k', '');
INSERT INTO cloister.column_key_values VALUES (7, 'm', '', '');
SELECT created IS NOT NULL AS t FROM cloister.column_keys;
DELETE FROM cloister.column_keys;
DELETE FROM cloister.master_keys;
RESET search_path;
DROP SCHEMA evil CASCADE;
-- The script names every schema: nothing in it is looked up by search_path.
CREATE DATABASE regress_cloister_path;
\c regress_cloister_path
CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
CREATE FUNCTION public.pg_extension_config_dump(regclass, text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
CREATE FUNCTION public.ne(int4, int4) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
CREATE OPERATOR public.> (LEFTARG = int4, RIGHTARG = int4, FUNCTION = public.ne);
SET search_path = public, pg_catalog;
CREATE EXTENSION cloister;
SELECT extnamespace::regnamespace, extrelocatable FROM pg_extension WHERE extname = 'cloister';
DROP EXTENSION cloister;
CREATE SCHEMA cloister;
CREATE TABLE cloister.column_keys (trap int4);
CREATE EXTENSION cloister;
DROP SCHEMA cloister CASCADE;
CREATE EXTENSION cloister;
CREATE EXTENSION cloister SCHEMA public;
-- DDL of people who have nothing to do with the extension goes on, whatever their path.
CREATE ROLE regress_cloister_ddl;
GRANT CREATE ON SCHEMA public TO regress_cloister_ddl;
SET ROLE regress_cloister_ddl;
CREATE TABLE public.theirs (a int4);
BEGIN;
ALTER TABLE public.theirs ADD b text;
SAVEPOINT s;
ALTER TABLE public.theirs ADD c text;
ROLLBACK TO s;
CREATE STATISTICS public.theirs_ab ON a, b FROM public.theirs;
DROP TABLE public.theirs;
COMMIT;
SELECT cloister.notify_ddl();
RESET ROLE;
\c contrib_regression
DROP DATABASE regress_cloister_path;
DROP ROLE regress_cloister_ddl;
