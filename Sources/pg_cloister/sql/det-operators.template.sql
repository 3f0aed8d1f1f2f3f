-- LEAKPROOF, so that row security does not keep det = from using an index: it compares bytes, and the one error it has (cells
-- under two keys) tells key ids, which are the columns' declarations, and nothing of a value.
CREATE FUNCTION pg_catalog.det_eq(pg_catalog.det_@T@, pg_catalog.det_@T@) RETURNS pg_catalog.bool
    AS 'MODULE_PATHNAME', 'cloister_det_eq' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE SUPPORT pg_catalog.cloister_support;
CREATE FUNCTION pg_catalog.det_ne(pg_catalog.det_@T@, pg_catalog.det_@T@) RETURNS pg_catalog.bool
    AS 'MODULE_PATHNAME', 'cloister_det_ne' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE SUPPORT pg_catalog.cloister_support;
-- The byte order exists for UNIQUE, PRIMARY KEY, grouping and merging. It means nothing, so its operators are not named <.
CREATE FUNCTION pg_catalog.det_lt(pg_catalog.det_@T@, pg_catalog.det_@T@) RETURNS pg_catalog.bool
    AS 'MODULE_PATHNAME', 'cloister_det_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT pg_catalog.cloister_support;
CREATE FUNCTION pg_catalog.det_le(pg_catalog.det_@T@, pg_catalog.det_@T@) RETURNS pg_catalog.bool
    AS 'MODULE_PATHNAME', 'cloister_det_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT pg_catalog.cloister_support;
CREATE FUNCTION pg_catalog.det_gt(pg_catalog.det_@T@, pg_catalog.det_@T@) RETURNS pg_catalog.bool
    AS 'MODULE_PATHNAME', 'cloister_det_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT pg_catalog.cloister_support;
CREATE FUNCTION pg_catalog.det_ge(pg_catalog.det_@T@, pg_catalog.det_@T@) RETURNS pg_catalog.bool
    AS 'MODULE_PATHNAME', 'cloister_det_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT pg_catalog.cloister_support;

CREATE OPERATOR pg_catalog.= (
    FUNCTION = pg_catalog.det_eq, LEFTARG = pg_catalog.det_@T@, RIGHTARG = pg_catalog.det_@T@,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>),
    RESTRICT = pg_catalog.cloister_eqsel, JOIN = pg_catalog.cloister_eqjoinsel, HASHES, MERGES);
CREATE OPERATOR pg_catalog.<> (
    FUNCTION = pg_catalog.det_ne, LEFTARG = pg_catalog.det_@T@, RIGHTARG = pg_catalog.det_@T@,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=),
    RESTRICT = pg_catalog.cloister_neqsel, JOIN = pg_catalog.cloister_neqjoinsel);
CREATE OPERATOR pg_catalog.#<# (
    FUNCTION = pg_catalog.det_lt, LEFTARG = pg_catalog.det_@T@, RIGHTARG = pg_catalog.det_@T@,
    COMMUTATOR = OPERATOR(pg_catalog.#>#), NEGATOR = OPERATOR(pg_catalog.#>=#),
    RESTRICT = pg_catalog.cloister_rangesel, JOIN = pg_catalog.cloister_rangejoinsel);
CREATE OPERATOR pg_catalog.#<=# (
    FUNCTION = pg_catalog.det_le, LEFTARG = pg_catalog.det_@T@, RIGHTARG = pg_catalog.det_@T@,
    COMMUTATOR = OPERATOR(pg_catalog.#>=#), NEGATOR = OPERATOR(pg_catalog.#>#),
    RESTRICT = pg_catalog.cloister_rangesel, JOIN = pg_catalog.cloister_rangejoinsel);
CREATE OPERATOR pg_catalog.#># (
    FUNCTION = pg_catalog.det_gt, LEFTARG = pg_catalog.det_@T@, RIGHTARG = pg_catalog.det_@T@,
    COMMUTATOR = OPERATOR(pg_catalog.#<#), NEGATOR = OPERATOR(pg_catalog.#<=#),
    RESTRICT = pg_catalog.cloister_rangesel, JOIN = pg_catalog.cloister_rangejoinsel);
CREATE OPERATOR pg_catalog.#>=# (
    FUNCTION = pg_catalog.det_ge, LEFTARG = pg_catalog.det_@T@, RIGHTARG = pg_catalog.det_@T@,
    COMMUTATOR = OPERATOR(pg_catalog.#<=#), NEGATOR = OPERATOR(pg_catalog.#<#),
    RESTRICT = pg_catalog.cloister_rangesel, JOIN = pg_catalog.cloister_rangejoinsel);

CREATE FUNCTION pg_catalog.det_cmp(pg_catalog.det_@T@, pg_catalog.det_@T@) RETURNS pg_catalog.int4
    AS 'MODULE_PATHNAME', 'cloister_det_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION pg_catalog.det_hash(pg_catalog.det_@T@) RETURNS pg_catalog.int4
    AS 'MODULE_PATHNAME', 'cloister_det_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION pg_catalog.det_hash_extended(pg_catalog.det_@T@, pg_catalog.int8) RETURNS pg_catalog.int8
    AS 'MODULE_PATHNAME', 'cloister_det_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE OPERATOR CLASS pg_catalog.det_@T@_ops DEFAULT FOR TYPE pg_catalog.det_@T@ USING btree AS
    OPERATOR 1 pg_catalog.#<#, OPERATOR 2 pg_catalog.#<=#, OPERATOR 3 pg_catalog.=,
    OPERATOR 4 pg_catalog.#>=#, OPERATOR 5 pg_catalog.#>#,
    FUNCTION 1 pg_catalog.det_cmp(pg_catalog.det_@T@, pg_catalog.det_@T@),
    FUNCTION 4 pg_catalog.btequalimage(pg_catalog.oid);
CREATE OPERATOR CLASS pg_catalog.det_@T@_ops DEFAULT FOR TYPE pg_catalog.det_@T@ USING hash AS
    OPERATOR 1 pg_catalog.=,
    FUNCTION 1 pg_catalog.det_hash(pg_catalog.det_@T@), FUNCTION 2 pg_catalog.det_hash_extended(pg_catalog.det_@T@, pg_catalog.int8);

