-- Not LEAKPROOF: the enclave refuses some cells with an error. A call costs about 100 ordinary operators.
CREATE FUNCTION pg_catalog.enc_eq(pg_catalog.enc_@T@, pg_catalog.enc_@T@) RETURNS pg_catalog.bool
    AS 'MODULE_PATHNAME', 'cloister_enc_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 SUPPORT pg_catalog.cloister_support;
CREATE FUNCTION pg_catalog.enc_ne(pg_catalog.enc_@T@, pg_catalog.enc_@T@) RETURNS pg_catalog.bool
    AS 'MODULE_PATHNAME', 'cloister_enc_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 SUPPORT pg_catalog.cloister_support;
CREATE FUNCTION pg_catalog.enc_lt(pg_catalog.enc_@T@, pg_catalog.enc_@T@) RETURNS pg_catalog.bool
    AS 'MODULE_PATHNAME', 'cloister_enc_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 SUPPORT pg_catalog.cloister_support;
CREATE FUNCTION pg_catalog.enc_le(pg_catalog.enc_@T@, pg_catalog.enc_@T@) RETURNS pg_catalog.bool
    AS 'MODULE_PATHNAME', 'cloister_enc_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 SUPPORT pg_catalog.cloister_support;
CREATE FUNCTION pg_catalog.enc_gt(pg_catalog.enc_@T@, pg_catalog.enc_@T@) RETURNS pg_catalog.bool
    AS 'MODULE_PATHNAME', 'cloister_enc_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 SUPPORT pg_catalog.cloister_support;
CREATE FUNCTION pg_catalog.enc_ge(pg_catalog.enc_@T@, pg_catalog.enc_@T@) RETURNS pg_catalog.bool
    AS 'MODULE_PATHNAME', 'cloister_enc_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 SUPPORT pg_catalog.cloister_support;

CREATE OPERATOR pg_catalog.= (
    FUNCTION = pg_catalog.enc_eq, LEFTARG = pg_catalog.enc_@T@, RIGHTARG = pg_catalog.enc_@T@,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>),
    RESTRICT = pg_catalog.cloister_eqsel, JOIN = pg_catalog.cloister_eqjoinsel, HASHES, MERGES);
CREATE OPERATOR pg_catalog.<> (
    FUNCTION = pg_catalog.enc_ne, LEFTARG = pg_catalog.enc_@T@, RIGHTARG = pg_catalog.enc_@T@,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=),
    RESTRICT = pg_catalog.cloister_neqsel, JOIN = pg_catalog.cloister_neqjoinsel);
CREATE OPERATOR pg_catalog.< (
    FUNCTION = pg_catalog.enc_lt, LEFTARG = pg_catalog.enc_@T@, RIGHTARG = pg_catalog.enc_@T@,
    COMMUTATOR = OPERATOR(pg_catalog.>), NEGATOR = OPERATOR(pg_catalog.>=),
    RESTRICT = pg_catalog.cloister_rangesel, JOIN = pg_catalog.cloister_rangejoinsel);
CREATE OPERATOR pg_catalog.<= (
    FUNCTION = pg_catalog.enc_le, LEFTARG = pg_catalog.enc_@T@, RIGHTARG = pg_catalog.enc_@T@,
    COMMUTATOR = OPERATOR(pg_catalog.>=), NEGATOR = OPERATOR(pg_catalog.>),
    RESTRICT = pg_catalog.cloister_rangesel, JOIN = pg_catalog.cloister_rangejoinsel);
CREATE OPERATOR pg_catalog.> (
    FUNCTION = pg_catalog.enc_gt, LEFTARG = pg_catalog.enc_@T@, RIGHTARG = pg_catalog.enc_@T@,
    COMMUTATOR = OPERATOR(pg_catalog.<), NEGATOR = OPERATOR(pg_catalog.<=),
    RESTRICT = pg_catalog.cloister_rangesel, JOIN = pg_catalog.cloister_rangejoinsel);
CREATE OPERATOR pg_catalog.>= (
    FUNCTION = pg_catalog.enc_ge, LEFTARG = pg_catalog.enc_@T@, RIGHTARG = pg_catalog.enc_@T@,
    COMMUTATOR = OPERATOR(pg_catalog.<=), NEGATOR = OPERATOR(pg_catalog.<),
    RESTRICT = pg_catalog.cloister_rangesel, JOIN = pg_catalog.cloister_rangejoinsel);

CREATE FUNCTION pg_catalog.enc_cmp(pg_catalog.enc_@T@, pg_catalog.enc_@T@) RETURNS pg_catalog.int4
    AS 'MODULE_PATHNAME', 'cloister_enc_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION pg_catalog.enc_hash(pg_catalog.enc_@T@) RETURNS pg_catalog.int4
    AS 'MODULE_PATHNAME', 'cloister_enc_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION pg_catalog.enc_hash_extended(pg_catalog.enc_@T@, pg_catalog.int8) RETURNS pg_catalog.int8
    AS 'MODULE_PATHNAME', 'cloister_enc_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE OPERATOR CLASS pg_catalog.enc_@T@_ops DEFAULT FOR TYPE pg_catalog.enc_@T@ USING btree AS
    OPERATOR 1 pg_catalog.<, OPERATOR 2 pg_catalog.<=, OPERATOR 3 pg_catalog.=,
    OPERATOR 4 pg_catalog.>=, OPERATOR 5 pg_catalog.>,
    FUNCTION 1 pg_catalog.enc_cmp(pg_catalog.enc_@T@, pg_catalog.enc_@T@);
CREATE OPERATOR CLASS pg_catalog.enc_@T@_ops DEFAULT FOR TYPE pg_catalog.enc_@T@ USING hash AS
    OPERATOR 1 pg_catalog.=,
    FUNCTION 1 pg_catalog.enc_hash(pg_catalog.enc_@T@), FUNCTION 2 pg_catalog.enc_hash_extended(pg_catalog.enc_@T@, pg_catalog.int8);

CREATE FUNCTION pg_catalog.enc_larger(pg_catalog.enc_@T@, pg_catalog.enc_@T@) RETURNS pg_catalog.enc_@T@
    AS 'MODULE_PATHNAME', 'cloister_enc_larger' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION pg_catalog.enc_smaller(pg_catalog.enc_@T@, pg_catalog.enc_@T@) RETURNS pg_catalog.enc_@T@
    AS 'MODULE_PATHNAME', 'cloister_enc_smaller' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE AGGREGATE pg_catalog.max(pg_catalog.enc_@T@) (
    SFUNC = pg_catalog.enc_larger, STYPE = pg_catalog.enc_@T@, COMBINEFUNC = pg_catalog.enc_larger,
    SORTOP = OPERATOR(pg_catalog.>), PARALLEL = SAFE);
CREATE AGGREGATE pg_catalog.min(pg_catalog.enc_@T@) (
    SFUNC = pg_catalog.enc_smaller, STYPE = pg_catalog.enc_@T@, COMBINEFUNC = pg_catalog.enc_smaller,
    SORTOP = OPERATOR(pg_catalog.<), PARALLEL = SAFE);

