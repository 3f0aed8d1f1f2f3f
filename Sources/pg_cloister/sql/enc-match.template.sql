-- ---- patterns of enc_@T@: the right side is a query's constant, an operand ----

CREATE FUNCTION pg_catalog.enc_like(pg_catalog.enc_@T@, pg_catalog.enc_@T@) RETURNS pg_catalog.bool
    AS 'MODULE_PATHNAME', 'cloister_enc_like' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 SUPPORT pg_catalog.cloister_support;
CREATE FUNCTION pg_catalog.enc_nlike(pg_catalog.enc_@T@, pg_catalog.enc_@T@) RETURNS pg_catalog.bool
    AS 'MODULE_PATHNAME', 'cloister_enc_nlike' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 SUPPORT pg_catalog.cloister_support;
CREATE FUNCTION pg_catalog.enc_iclike(pg_catalog.enc_@T@, pg_catalog.enc_@T@) RETURNS pg_catalog.bool
    AS 'MODULE_PATHNAME', 'cloister_enc_iclike' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 SUPPORT pg_catalog.cloister_support;
CREATE FUNCTION pg_catalog.enc_icnlike(pg_catalog.enc_@T@, pg_catalog.enc_@T@) RETURNS pg_catalog.bool
    AS 'MODULE_PATHNAME', 'cloister_enc_icnlike' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 SUPPORT pg_catalog.cloister_support;
CREATE FUNCTION pg_catalog.starts_with(pg_catalog.enc_@T@, pg_catalog.enc_@T@) RETURNS pg_catalog.bool
    AS 'MODULE_PATHNAME', 'cloister_enc_starts_with' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 SUPPORT pg_catalog.cloister_support;

CREATE OPERATOR pg_catalog.~~ (
    FUNCTION = pg_catalog.enc_like, LEFTARG = pg_catalog.enc_@T@, RIGHTARG = pg_catalog.enc_@T@, NEGATOR = OPERATOR(pg_catalog.!~~),
    RESTRICT = pg_catalog.cloister_matchsel, JOIN = pg_catalog.cloister_matchjoinsel);
CREATE OPERATOR pg_catalog.!~~ (
    FUNCTION = pg_catalog.enc_nlike, LEFTARG = pg_catalog.enc_@T@, RIGHTARG = pg_catalog.enc_@T@, NEGATOR = OPERATOR(pg_catalog.~~),
    RESTRICT = pg_catalog.cloister_nmatchsel, JOIN = pg_catalog.cloister_nmatchjoinsel);
CREATE OPERATOR pg_catalog.~~* (
    FUNCTION = pg_catalog.enc_iclike, LEFTARG = pg_catalog.enc_@T@, RIGHTARG = pg_catalog.enc_@T@, NEGATOR = OPERATOR(pg_catalog.!~~*),
    RESTRICT = pg_catalog.cloister_matchsel, JOIN = pg_catalog.cloister_matchjoinsel);
CREATE OPERATOR pg_catalog.!~~* (
    FUNCTION = pg_catalog.enc_icnlike, LEFTARG = pg_catalog.enc_@T@, RIGHTARG = pg_catalog.enc_@T@, NEGATOR = OPERATOR(pg_catalog.~~*),
    RESTRICT = pg_catalog.cloister_nmatchsel, JOIN = pg_catalog.cloister_nmatchjoinsel);
CREATE OPERATOR pg_catalog.^@ (
    FUNCTION = pg_catalog.starts_with, LEFTARG = pg_catalog.enc_@T@, RIGHTARG = pg_catalog.enc_@T@,
    RESTRICT = pg_catalog.cloister_matchsel, JOIN = pg_catalog.cloister_matchjoinsel);

