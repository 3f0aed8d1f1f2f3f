-- Every operator of every type, against the plaintext twin: the same rows, and NULLs alike.
CREATE TABLE verdicts (type text, operator text, checked int8, wrong int8);
DO $$
DECLARE t text; o text; p record; n int8; e int8; checked int8; wrong int8;
BEGIN
  FOR t IN SELECT DISTINCT type FROM fixture.pick ORDER BY 1 LOOP
    FOREACH o IN ARRAY ARRAY['=', '<>', '<', '<=', '>', '>='] LOOP
      checked := 0; wrong := 0;
      FOR p IN SELECT * FROM (SELECT *, row_number() OVER (ORDER BY plain COLLATE "C") AS place FROM fixture.pick WHERE type = t) x WHERE place % 20 = 2 LOOP
        EXECUTE format('SELECT count(*), count(*) FILTER (WHERE (c_%1$s %2$s %4$L) IS DISTINCT FROM (p_%1$s %2$s %3$L)) FROM sealed', t, o, p.plain, p.operand)
          INTO n, e;
        checked := checked + n; wrong := wrong + e;
        IF o IN ('=', '<>') THEN
          EXECUTE format('SELECT count(*), count(*) FILTER (WHERE (d_%1$s %2$s %4$L) IS DISTINCT FROM (p_%1$s %2$s %3$L)) FROM sealed', t, o, p.plain, p.det)
            INTO n, e;
          checked := checked + n; wrong := wrong + e;
        END IF;
      END LOOP;
      INSERT INTO verdicts VALUES (t, o, checked, wrong);
    END LOOP;
  END LOOP;
END $$;
SELECT type, min(checked) > 0 AS t, sum(wrong) AS wrong FROM verdicts GROUP BY 1 ORDER BY 1;
-- Sorting, MIN, MAX, counting and hashing, for every type.
DO $$
DECLARE t text; same bool; r text := '';
BEGIN
  FOR t IN SELECT DISTINCT type FROM fixture.pick ORDER BY 1 LOOP
    EXECUTE format($q$
      SELECT (SELECT array_agg(g ORDER BY n) FROM (SELECT dense_rank() OVER (ORDER BY c_%1$s) AS g, id AS n FROM sealed) x)
           = (SELECT array_agg(g ORDER BY n) FROM (SELECT dense_rank() OVER (ORDER BY p_%1$s) AS g, id AS n FROM sealed) x)
      AND (SELECT count(DISTINCT c_%1$s) = count(DISTINCT p_%1$s) AND count(DISTINCT d_%1$s) = count(DISTINCT p_%1$s) FROM sealed)
      AND (SELECT max(c_%1$s) = (SELECT c_%1$s FROM sealed WHERE p_%1$s IS NOT NULL ORDER BY p_%1$s DESC LIMIT 1)
              AND min(c_%1$s) = (SELECT c_%1$s FROM sealed ORDER BY p_%1$s LIMIT 1) FROM sealed)
      AND (SELECT count(*) FROM (SELECT enc_hash(c_%1$s) FROM sealed WHERE c_%1$s IS NOT NULL GROUP BY 1) x) = (SELECT count(DISTINCT p_%1$s) FROM sealed)
      $q$, t) INTO same;
    r := r || t || ' ' || same || E'\n';
  END LOOP;
  RAISE NOTICE E'\n%', r;
END $$;
-- The extended hash begins as the plain one, and mixes its seed.
SELECT bool_and(enc_hash(c_int4) = (enc_hash_extended(c_int4, 0) & 4294967295)::bit(32)::int4) AS t,
  bool_and(det_hash(d_int4) = (det_hash_extended(d_int4, 0) & 4294967295)::bit(32)::int4) AS t,
  bool_and(enc_hash_extended(c_int4, 1) <> enc_hash_extended(c_int4, 0) AND det_hash_extended(d_int4, 1) <> det_hash_extended(d_int4, 0)) AS t,
  bool_and(enc_hash_extended(c_int4, 1) <> enc_hash_extended(c_int4, 2)) AS t
FROM sealed WHERE p_int4 IS NOT NULL;
