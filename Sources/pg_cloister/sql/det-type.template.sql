-- ---- det_@T@ ----

CREATE TYPE pg_catalog.det_@T@;
CREATE FUNCTION pg_catalog.det_@T@_in(pg_catalog.cstring, pg_catalog.oid, pg_catalog.int4) RETURNS pg_catalog.det_@T@
    AS 'MODULE_PATHNAME', 'cloister_det_@T@_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION pg_catalog.det_@T@_out(pg_catalog.det_@T@) RETURNS pg_catalog.cstring
    AS 'MODULE_PATHNAME', 'cloister_cell_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION pg_catalog.det_@T@_recv(pg_catalog.internal, pg_catalog.oid, pg_catalog.int4) RETURNS pg_catalog.det_@T@
    AS 'MODULE_PATHNAME', 'cloister_det_@T@_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION pg_catalog.det_@T@_send(pg_catalog.det_@T@) RETURNS pg_catalog.bytea
    AS 'MODULE_PATHNAME', 'cloister_cell_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
-- Ciphertext does not compress: external, not extended.
CREATE TYPE pg_catalog.det_@T@ (
    INPUT = pg_catalog.det_@T@_in, OUTPUT = pg_catalog.det_@T@_out, RECEIVE = pg_catalog.det_@T@_recv, SEND = pg_catalog.det_@T@_send,
    TYPMOD_IN = pg_catalog.cloister_typmod_in, TYPMOD_OUT = pg_catalog.cloister_typmod_out,
    ANALYZE = pg_catalog.cloister_det_typanalyze,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = external);
-- An array's statistics would hold its elements.
UPDATE pg_catalog.pg_type SET typanalyze = 'pg_catalog.cloister_enc_typanalyze'::pg_catalog.regproc
    WHERE oid OPERATOR(pg_catalog.=) 'pg_catalog.det_@T@[]'::pg_catalog.regtype;

CREATE FUNCTION pg_catalog.det_@T@(pg_catalog.det_@T@, pg_catalog.int4, pg_catalog.bool) RETURNS pg_catalog.det_@T@
    AS 'MODULE_PATHNAME', 'cloister_enforce_typmod' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE CAST (pg_catalog.det_@T@ AS pg_catalog.det_@T@)
    WITH FUNCTION pg_catalog.det_@T@(pg_catalog.det_@T@, pg_catalog.int4, pg_catalog.bool) AS IMPLICIT;

