
-- ---- schema cloister ----

-- Marked columns: signed metadata, and for each master key a signed manifest that lists all of its rows, so that none can be
-- withheld or put back.
CREATE TABLE cloister.columns (
    path pg_catalog.text,
    metadata pg_catalog.bytea NOT NULL,
    master_key pg_catalog.text REFERENCES cloister.master_keys,
    signature pg_catalog.bytea NOT NULL,
    PRIMARY KEY (path, master_key));
CREATE TABLE cloister.column_manifests (
    metadata pg_catalog.bytea NOT NULL,
    master_key pg_catalog.text PRIMARY KEY REFERENCES cloister.master_keys,
    signature pg_catalog.bytea NOT NULL);
GRANT SELECT ON cloister.columns, cloister.column_manifests TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('cloister.columns', '');
SELECT pg_catalog.pg_extension_config_dump('cloister.column_manifests', '');
