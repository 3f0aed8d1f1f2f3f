
-- ---- catalog views in which encrypted columns have their logical types ----
--
-- The proxy puts them in the place of pg_attribute and of information_schema's views in clients' catalog queries. No joins
-- in them beyond the originals': a lookup by attrelid stays a lookup by index, and the built-in types (OIDs below 16384) cost nothing.

-- The row of pg_type of what a type of cells stands for; NULL for other types.
CREATE FUNCTION cloister.logical_type(pg_catalog.oid) RETURNS pg_catalog.pg_type
    AS 'MODULE_PATHNAME', 'cloister_logical_type' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cloister.logical_type(pg_catalog.oid) IS 'the logical type of a type of encrypted values';

-- attmissingval is of type anyarray, which only catalogs may have.
SET LOCAL allow_system_table_mods = on;
DO $do$
DECLARE
    columns pg_catalog.text;
    definition pg_catalog.text;
    name pg_catalog.text;
BEGIN
    SELECT pg_catalog.string_agg(
        CASE a.attname
        WHEN 'atttypid' THEN pg_catalog.format(logical, 'a.atttypid', 'oid')
        WHEN 'attlen' THEN pg_catalog.format(logical, 'a.attlen', 'typlen')
        WHEN 'attbyval' THEN pg_catalog.format(logical, 'a.attbyval', 'typbyval')
        WHEN 'attalign' THEN pg_catalog.format(logical, 'a.attalign', 'typalign')
        WHEN 'attstorage' THEN pg_catalog.format(logical, 'a.attstorage', 'typstorage')
        WHEN 'attcollation' THEN pg_catalog.format(logical, 'a.attcollation', 'typcollation')
        -- The key.
        WHEN 'atttypmod' THEN 'CASE WHEN a.atttypid OPERATOR(pg_catalog.<) 16384 OR a.atttypmod OPERATOR(pg_catalog.<) 0 THEN a.atttypmod '
            'WHEN (cloister.logical_type(a.atttypid)).oid IS NULL THEN a.atttypmod ELSE -1 END'
        ELSE 'a.' OPERATOR(pg_catalog.||) pg_catalog.quote_ident(a.attname::pg_catalog.text)
        END OPERATOR(pg_catalog.||) ' AS ' OPERATOR(pg_catalog.||) pg_catalog.quote_ident(a.attname::pg_catalog.text),
        ', ' ORDER BY a.attnum)
    INTO columns
    FROM pg_catalog.pg_attribute a, (VALUES ('CASE WHEN a.atttypid OPERATOR(pg_catalog.<) 16384 THEN %1$s '
        'ELSE COALESCE((cloister.logical_type(a.atttypid)).%2$s, %1$s) END')) AS shown(logical)
    WHERE a.attrelid OPERATOR(pg_catalog.=) 'pg_catalog.pg_attribute'::pg_catalog.regclass AND a.attnum OPERATOR(pg_catalog.>) 0;
    EXECUTE 'CREATE VIEW cloister.logical_pg_attribute AS SELECT ' OPERATOR(pg_catalog.||) columns
        OPERATOR(pg_catalog.||) ' FROM pg_catalog.pg_attribute a';
    GRANT SELECT ON cloister.logical_pg_attribute TO PUBLIC;

    -- What information_schema's views ask of a row of pg_attribute. Clients that copied those views' texts ask it too.
    CREATE FUNCTION information_schema._pg_truetypid(cloister.logical_pg_attribute, pg_catalog.pg_type) RETURNS pg_catalog.oid
        LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURNS NULL ON NULL INPUT
        RETURN CASE WHEN $2.typtype OPERATOR(pg_catalog.=) 'd' THEN $2.typbasetype ELSE $1.atttypid END;
    CREATE FUNCTION information_schema._pg_truetypmod(cloister.logical_pg_attribute, pg_catalog.pg_type) RETURNS pg_catalog.int4
        LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURNS NULL ON NULL INPUT
        RETURN CASE WHEN $2.typtype OPERATOR(pg_catalog.=) 'd' THEN $2.typtypmod ELSE $1.atttypmod END;

    -- The server's own definitions, with the other pg_attribute.
    FOREACH name IN ARRAY '{columns,attributes,column_udt_usage}'::pg_catalog.text[] LOOP
        definition := pg_catalog.pg_get_viewdef(('information_schema.' OPERATOR(pg_catalog.||) name)::pg_catalog.regclass);
        definition := pg_catalog.regexp_replace(definition, '\m(pg_catalog\.)?pg_attribute a\M', 'cloister.logical_pg_attribute a', 'g');
        IF pg_catalog.strpos(definition, 'cloister.logical_pg_attribute') OPERATOR(pg_catalog.=) 0 THEN
            RAISE 'information_schema.% is not what extension cloister expects', name;
        END IF;
        EXECUTE pg_catalog.format('CREATE VIEW cloister.logical_%1$s AS %2$s; GRANT SELECT ON cloister.logical_%1$s TO PUBLIC', name, definition);
    END LOOP;
END $do$;
RESET allow_system_table_mods;
COMMENT ON VIEW cloister.logical_pg_attribute IS 'pg_catalog.pg_attribute, in which encrypted columns have their logical types';
