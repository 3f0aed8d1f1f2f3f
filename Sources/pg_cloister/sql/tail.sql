-- ---- schema cloister: keys, the enclave, DDL ----

CREATE SCHEMA cloister;
GRANT USAGE ON SCHEMA cloister TO PUBLIC;

-- Column master keys: never here, only how to know them again.
CREATE TABLE cloister.master_keys (
    name pg_catalog.text PRIMARY KEY,
    provider pg_catalog.text NOT NULL,
    public_key pg_catalog.bytea NOT NULL,
    created pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.now());

-- Column keys: signed metadata, and the key wrapped under one master key, or two while it is rotated.
CREATE TABLE cloister.column_keys (
    id pg_catalog.int4 PRIMARY KEY CHECK (id OPERATOR(pg_catalog.>) 0),
    name pg_catalog.text UNIQUE NOT NULL,
    metadata pg_catalog.bytea NOT NULL,
    created pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.now());
CREATE TABLE cloister.column_key_values (
    key_id pg_catalog.int4 REFERENCES cloister.column_keys ON DELETE CASCADE,
    master_key pg_catalog.text REFERENCES cloister.master_keys,
    wrapped pg_catalog.bytea NOT NULL,
    signature pg_catalog.bytea NOT NULL,
    PRIMARY KEY (key_id, master_key));

-- Whoever may read the data may read the wrapped keys: they are of no use without the master key.
GRANT SELECT ON cloister.master_keys, cloister.column_keys, cloister.column_key_values TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('cloister.master_keys', '');
SELECT pg_catalog.pg_extension_config_dump('cloister.column_keys', '');
SELECT pg_catalog.pg_extension_config_dump('cloister.column_key_values', '');

CREATE FUNCTION cloister.enclave_tunnel(pg_catalog.bytea) RETURNS pg_catalog.bytea
    AS 'MODULE_PATHNAME', 'cloister_enclave_tunnel' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION cloister.enclave_tunnel(pg_catalog.bytea) IS 'carry a frame of the key release to the enclave and its answer back';

CREATE FUNCTION cloister.enclave_ping() RETURNS pg_catalog.void
    AS 'MODULE_PATHNAME', 'cloister_enclave_ping' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION cloister.enclave_ping() IS 'fail unless the enclave answers';

CREATE FUNCTION cloister.enclave_status(
    OUT connected pg_catalog.bool, OUT boot_id pg_catalog.bytea, OUT slot pg_catalog.int4,
    OUT calls pg_catalog.int8, OUT spin_successes pg_catalog.int8, OUT waits pg_catalog.int8,
    OUT key_waits pg_catalog.int8, OUT connects pg_catalog.int8)
    AS 'MODULE_PATHNAME', 'cloister_enclave_status' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION cloister.enclave_status() IS 'this backend''s enclave channel: state and counts';

-- Tells the proxies, on channel cloister_ddl, that what they know of the catalog may be old.
CREATE FUNCTION cloister.notify_ddl() RETURNS pg_catalog.event_trigger
    AS 'MODULE_PATHNAME', 'cloister_ddl' LANGUAGE C;
CREATE EVENT TRIGGER cloister_ddl ON ddl_command_end EXECUTE FUNCTION cloister.notify_ddl();
ALTER EVENT TRIGGER cloister_ddl ENABLE ALWAYS;

-- Extended statistics (CREATE STATISTICS) store most common values whatever a type's ANALYZE function says: they are
-- refused where an encrypted column is among theirs.
CREATE FUNCTION cloister.refuse_statistics() RETURNS pg_catalog.event_trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_event_trigger_ddl_commands() c
            JOIN pg_depend d ON d.classid = c.classid AND d.objid = c.objid AND d.refclassid = 'pg_class'::regclass
            JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
            JOIN pg_type t ON t.oid = a.atttypid
        WHERE c.classid = 'pg_statistic_ext'::regclass
            AND t.typanalyze IN ('cloister_enc_typanalyze'::regproc, 'cloister_det_typanalyze'::regproc))
    THEN
        RAISE feature_not_supported USING MESSAGE = 'CL7007: extended statistics cannot cover encrypted columns: they would store cells';
    END IF;
END $$;
CREATE EVENT TRIGGER cloister_statistics ON ddl_command_end WHEN TAG IN ('CREATE STATISTICS')
    EXECUTE FUNCTION cloister.refuse_statistics();
