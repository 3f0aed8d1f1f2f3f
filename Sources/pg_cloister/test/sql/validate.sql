-- Every operator class is complete.
SELECT amname, count(*), bool_and(amvalidate(c.oid)) AS t
FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod
WHERE opcintype::regtype::text ~ '^(enc|det)_' GROUP BY 1 ORDER BY 1;
-- All are members of the extension, in pg_catalog, and the default for their type.
SELECT count(*), bool_and(opcdefault) AS t, bool_and(opcnamespace = 'pg_catalog'::regnamespace) AS t,
  bool_and(EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_opclass'::regclass AND d.objid = c.oid AND d.deptype = 'e')) AS t
FROM pg_opclass c WHERE opcintype::regtype::text ~ '^(enc|det)_';
-- Types.
SELECT substr(typname, 1, 3) AS scheme, count(*), bool_and(typmodin <> 0 AND typmodout <> 0) AS t, bool_and(typstorage = 'e') AS t,
  bool_and(typarray <> 0) AS t, bool_and(typcategory = 'U') AS t
FROM pg_type WHERE typname ~ '^(enc|det)_' GROUP BY 1 ORDER BY 1;
-- Operators: names by scheme; comparisons have a negator and a commutator, patterns a negator; all have our own estimators.
SELECT substr(oprleft::regtype::text, 1, 3) AS scheme, oprname, count(*), bool_and(oprleft = oprright) AS t, bool_and(oprcom <> 0) AS t,
  bool_and(oprnegate <> 0) AS t, min(oprrest::text), min(oprjoin::text), bool_or(oprcanmerge) AS merges, bool_or(oprcanhash) AS hashes
FROM pg_operator WHERE oprleft::regtype::text ~ '^(enc|det)_' GROUP BY 1, 2 ORDER BY 1 DESC, 2;
SELECT count(*) AS mixed FROM pg_operator
WHERE (oprleft::regtype::text ~ '^(enc|det)_' OR oprright::regtype::text ~ '^(enc|det)_') AND oprleft <> oprright;
-- Functions: all immutable, strict and parallel safe; only byte comparison is leakproof.
SELECT DISTINCT substr(proname, 1, 3) AS scheme, substr(proname, 5) AS function, provolatile, proisstrict, proparallel, proleakproof
FROM pg_proc WHERE proname ~ '^(enc|det)_(eq|ne|lt|le|gt|ge|cmp|hash|hash_extended|larger|smaller)$' ORDER BY 1 DESC, 2;
-- Nothing turns a cell into anything else: the one cast per type is the check of its key id.
SELECT count(*), bool_and(castsource = casttarget) AS t, bool_and(castfunc <> 0) AS t
FROM pg_cast WHERE castsource::regtype::text ~ '^(enc|det)_' OR casttarget::regtype::text ~ '^(enc|det)_';
-- Everybody may read the key tables and call the tunnel; nobody else may write.
SELECT table_name, string_agg(privilege_type, ',') FROM information_schema.role_table_grants
WHERE table_schema = 'cloister' AND grantee = 'PUBLIC' GROUP BY 1 ORDER BY 1;
SELECT count(*) AS dumped FROM (SELECT unnest(extconfig) FROM pg_extension WHERE extname = 'cloister') x;
