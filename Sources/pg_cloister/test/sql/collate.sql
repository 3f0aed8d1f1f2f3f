-- ICU collations, against PostgreSQL's own of the same locale: order, equality, hashing, grouping, patterns.
CREATE TABLE words AS SELECT row_number() OVER () AS id, collation_name, plain, plain::bpchar AS p_bpchar, c_text::enc_text(7), c_bpchar::enc_bpchar(7) FROM fixture.words;
CREATE TABLE word_operands AS SELECT collation_name, plain, c_text::enc_text AS o_text, c_bpchar::enc_bpchar AS o_bpchar FROM fixture.word_operands;
CREATE TABLE word_patterns AS SELECT collation_name, plain AS glob, c_text::enc_text AS o_text FROM fixture.word_patterns;
CREATE TABLE collation_verdicts (name text, pairs int8, wrong int8, ranks bool, extremes bool, hashes bool, joined bool);
DO $$
DECLARE l text; deterministic bool;
BEGIN
  FOR l IN SELECT DISTINCT collation_name FROM words LOOP
    deterministic := l !~ '-u-';
    EXECUTE format('CREATE COLLATION %I (provider = icu, locale = %L, deterministic = %s)', 'x_' || l, l, deterministic::text);
    EXECUTE format($q$
      INSERT INTO collation_verdicts SELECT %1$L, count(*),
        count(*) FILTER (WHERE (a.c_text < b.o_text, a.c_text <= b.o_text, a.c_text = b.o_text, a.c_text <> b.o_text, a.c_text > b.o_text)
            IS DISTINCT FROM (a.plain < b.plain COLLATE %2$I, a.plain <= b.plain COLLATE %2$I, a.plain = b.plain COLLATE %2$I, a.plain <> b.plain COLLATE %2$I, a.plain > b.plain COLLATE %2$I))
          + count(*) FILTER (WHERE (a.c_bpchar < b.o_bpchar, a.c_bpchar = b.o_bpchar) IS DISTINCT FROM (a.p_bpchar < b.plain::bpchar COLLATE %2$I, a.p_bpchar = b.plain::bpchar COLLATE %2$I)),
        (SELECT array_agg(r ORDER BY id) FROM (SELECT id, dense_rank() OVER (ORDER BY c_text) AS r FROM words WHERE collation_name = %1$L) x)
          = (SELECT array_agg(r ORDER BY id) FROM (SELECT id, dense_rank() OVER (ORDER BY plain COLLATE %2$I) AS r FROM words WHERE collation_name = %1$L) x),
        (SELECT max(c_text) = (SELECT c_text FROM words WHERE collation_name = %1$L ORDER BY plain COLLATE %2$I DESC LIMIT 1)
            AND min(c_text) = (SELECT c_text FROM words WHERE collation_name = %1$L ORDER BY plain COLLATE %2$I LIMIT 1) FROM words WHERE collation_name = %1$L),
        (SELECT count(DISTINCT enc_hash(c_text)) = count(DISTINCT plain COLLATE %2$I) AND count(DISTINCT enc_hash(c_bpchar)) = count(DISTINCT p_bpchar COLLATE %2$I) FROM words WHERE collation_name = %1$L),
        (SELECT count(*) FROM words v JOIN words w USING (c_text) WHERE v.collation_name = %1$L AND w.collation_name = %1$L)
          = (SELECT count(*) FROM words v JOIN words w ON v.plain = w.plain COLLATE %2$I WHERE v.collation_name = %1$L AND w.collation_name = %1$L)
      FROM words a, word_operands b WHERE a.collation_name = %1$L AND b.collation_name = %1$L $q$, l, 'x_' || l);
  END LOOP;
END $$;
SELECT name COLLATE "C", pairs > 4000 AS t, wrong, ranks, extremes, hashes, joined FROM collation_verdicts ORDER BY 1;
-- The orders do differ.
SELECT count(DISTINCT ranking) FROM (SELECT array_agg(plain ORDER BY c_text, plain COLLATE "C") AS ranking FROM words GROUP BY collation_name) x;
-- LIKE, ILIKE and starts_with under deterministic collations; refused under the others, as PostgreSQL does.
CREATE TABLE pattern_verdicts (name text, matching int8, wrong int8);
DO $$
DECLARE l text;
BEGIN
  FOR l IN SELECT DISTINCT collation_name FROM words WHERE collation_name !~ '-u-' LOOP
    EXECUTE format($q$
      INSERT INTO pattern_verdicts SELECT %1$L, count(*) FILTER (WHERE c_text ~~* o_text),
        count(*) FILTER (WHERE (c_text ~~ o_text, c_text ~~* o_text, c_text ^@ o_text) IS DISTINCT FROM
          (plain LIKE glob COLLATE %2$I, plain ILIKE glob COLLATE %2$I, starts_with(plain, glob COLLATE %2$I)))
      FROM words a JOIN word_patterns b USING (collation_name) WHERE collation_name = %1$L $q$, l, 'x_' || l);
  END LOOP;
END $$;
SELECT name COLLATE "C", matching > 70 AS t, wrong FROM pattern_verdicts ORDER BY 1;
SELECT count(DISTINCT matching) > 1 AS t FROM pattern_verdicts;
SELECT o, outcome(format('SELECT c_text %s o_text FROM words JOIN word_patterns USING (collation_name) WHERE collation_name = ''und-u-ks-level2''', o)),
  outcome(format('SELECT plain COLLATE "x_und-u-ks-level2" %s ''a'' FROM words', o)) FROM unnest(ARRAY['~~', '~~*', '!~~', '^@']) o;
-- Indexes.
CREATE INDEX words_btree ON words (c_text) WHERE collation_name = 'sv';
CREATE INDEX words_hash ON words USING hash (c_text) WHERE collation_name = 'und-u-ks-level1';
SET enable_seqscan = off; SET enable_bitmapscan = off;
SELECT array_agg(plain ORDER BY c_text) = (SELECT array_agg(plain ORDER BY plain COLLATE "x_sv") FROM words WHERE collation_name = 'sv' AND plain > 'z' COLLATE "x_sv") AS t
FROM words WHERE collation_name = 'sv' AND c_text > (SELECT o_text FROM word_operands WHERE collation_name = 'sv' AND plain = 'z');
SELECT array_agg(plain ORDER BY plain COLLATE "C") FROM words WHERE collation_name = 'und-u-ks-level1' AND c_text = (SELECT o_text FROM word_operands WHERE collation_name = 'und-u-ks-level1' AND plain = 'cafe');
RESET ALL;
-- Cells of two collations never meet.
SELECT says('SELECT a.c_text = b.c_text FROM words a, words b WHERE a.collation_name = ''sv'' AND b.collation_name = ''de''');
SELECT says('SELECT c_text = o_text FROM words, globs');
