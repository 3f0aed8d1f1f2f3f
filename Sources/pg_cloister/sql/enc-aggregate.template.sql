-- ---- SUM, AVG, STDDEV, VARIANCE of enc_@T@: only where the key's policy allows them ----

CREATE FUNCTION pg_catalog.enc_collect(pg_catalog.internal, pg_catalog.enc_@T@) RETURNS pg_catalog.internal
    AS 'MODULE_PATHNAME', 'cloister_enc_collect' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION pg_catalog.enc_sum(pg_catalog.internal, pg_catalog.enc_@T@) RETURNS pg_catalog.enc_@SUM@
    AS 'MODULE_PATHNAME', 'cloister_enc_@C@sum' LANGUAGE C STABLE PARALLEL SAFE COST 1000;
CREATE FUNCTION pg_catalog.enc_avg(pg_catalog.internal, pg_catalog.enc_@T@) RETURNS pg_catalog.enc_@MEAN@
    AS 'MODULE_PATHNAME', 'cloister_enc_@C@avg' LANGUAGE C STABLE PARALLEL SAFE COST 1000;
CREATE FUNCTION pg_catalog.enc_stddev_pop(pg_catalog.internal, pg_catalog.enc_@T@) RETURNS pg_catalog.enc_@MEAN@
    AS 'MODULE_PATHNAME', 'cloister_enc_@C@stddev_pop' LANGUAGE C STABLE PARALLEL SAFE COST 1000;
CREATE FUNCTION pg_catalog.enc_stddev_samp(pg_catalog.internal, pg_catalog.enc_@T@) RETURNS pg_catalog.enc_@MEAN@
    AS 'MODULE_PATHNAME', 'cloister_enc_@C@stddev_samp' LANGUAGE C STABLE PARALLEL SAFE COST 1000;
CREATE FUNCTION pg_catalog.enc_var_pop(pg_catalog.internal, pg_catalog.enc_@T@) RETURNS pg_catalog.enc_@MEAN@
    AS 'MODULE_PATHNAME', 'cloister_enc_@C@var_pop' LANGUAGE C STABLE PARALLEL SAFE COST 1000;
CREATE FUNCTION pg_catalog.enc_var_samp(pg_catalog.internal, pg_catalog.enc_@T@) RETURNS pg_catalog.enc_@MEAN@
    AS 'MODULE_PATHNAME', 'cloister_enc_@C@var_samp' LANGUAGE C STABLE PARALLEL SAFE COST 1000;
CREATE AGGREGATE pg_catalog.sum(pg_catalog.enc_@T@) (
    SFUNC = pg_catalog.enc_collect, STYPE = pg_catalog.internal, FINALFUNC = pg_catalog.enc_sum, FINALFUNC_EXTRA, PARALLEL = SAFE);
CREATE AGGREGATE pg_catalog.avg(pg_catalog.enc_@T@) (
    SFUNC = pg_catalog.enc_collect, STYPE = pg_catalog.internal, FINALFUNC = pg_catalog.enc_avg, FINALFUNC_EXTRA, PARALLEL = SAFE);
CREATE AGGREGATE pg_catalog.stddev_pop(pg_catalog.enc_@T@) (
    SFUNC = pg_catalog.enc_collect, STYPE = pg_catalog.internal, FINALFUNC = pg_catalog.enc_stddev_pop, FINALFUNC_EXTRA, PARALLEL = SAFE);
CREATE AGGREGATE pg_catalog.stddev_samp(pg_catalog.enc_@T@) (
    SFUNC = pg_catalog.enc_collect, STYPE = pg_catalog.internal, FINALFUNC = pg_catalog.enc_stddev_samp, FINALFUNC_EXTRA, PARALLEL = SAFE);
CREATE AGGREGATE pg_catalog.var_pop(pg_catalog.enc_@T@) (
    SFUNC = pg_catalog.enc_collect, STYPE = pg_catalog.internal, FINALFUNC = pg_catalog.enc_var_pop, FINALFUNC_EXTRA, PARALLEL = SAFE);
CREATE AGGREGATE pg_catalog.var_samp(pg_catalog.enc_@T@) (
    SFUNC = pg_catalog.enc_collect, STYPE = pg_catalog.internal, FINALFUNC = pg_catalog.enc_var_samp, FINALFUNC_EXTRA, PARALLEL = SAFE);
CREATE AGGREGATE pg_catalog.stddev(pg_catalog.enc_@T@) (
    SFUNC = pg_catalog.enc_collect, STYPE = pg_catalog.internal, FINALFUNC = pg_catalog.enc_stddev_samp, FINALFUNC_EXTRA, PARALLEL = SAFE);
CREATE AGGREGATE pg_catalog.variance(pg_catalog.enc_@T@) (
    SFUNC = pg_catalog.enc_collect, STYPE = pg_catalog.internal, FINALFUNC = pg_catalog.enc_var_samp, FINALFUNC_EXTRA, PARALLEL = SAFE);

