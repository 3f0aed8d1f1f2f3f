"""Enums and domains for test_server_never_sees.py: what it adds to its configuration, tables and statements."""

CONFIG = """
types:
  public.tone: { kind: enum }
  public.tag: { kind: domain, base: text }
  public.long_tag: { kind: domain, base: text, check: VALUE <> 'a' }
columns:
  public.u:
    tone: { type: public.tone, encryption: randomized, key: kt }
    tag:  { type: public.tag, encryption: randomized, key: k }
    long: { type: public.long_tag, encryption: deterministic, key: kd }
"""
SCHEMA = """
CREATE TYPE tone AS ENUM ('low', 'high');
CREATE DOMAIN tag AS text;
CREATE DOMAIN long_tag AS text CHECK (VALUE <> 'a');
CREATE TABLE u (id int4, tone tone, tag tag, long long_tag, note text);
"""
STATEMENTS = r"""
SELECT id FROM u WHERE tone = '<T>'
SELECT id FROM u WHERE tone = '<T>'::tone
SELECT id FROM u WHERE tone = CAST('<T>' AS public.tone)
SELECT id FROM u WHERE tone = tone '<T>'
SELECT id FROM u WHERE tone = '<T>'::text
SELECT id FROM u WHERE tone::text = '<T>'
SELECT id FROM u WHERE tone::text LIKE '<T>%'
SELECT id FROM u WHERE tone = lower('<T>')
SELECT id FROM u WHERE tone = ANY ('{<T>}')
SELECT id FROM u WHERE tone = ANY ('{<T>}'::tone[])
SELECT id FROM u WHERE tone = ANY (ARRAY['<T>']::tone[])
SELECT id FROM u WHERE tone = ANY (enum_range('<T>'::tone, NULL))
SELECT id, COALESCE(tone, '<T>') FROM u
SELECT id, CASE tone WHEN '<T>' THEN 1 END FROM u
INSERT INTO u (id, tone) VALUES (1, '<T>')
INSERT INTO u (id, tone) VALUES (1, '<T>'::tone)
UPDATE u SET tone = '<T>' WHERE tone = 'low'
CREATE TABLE u (id int4, tone tone DEFAULT '<T>')
SELECT id FROM u WHERE tag = '<T>'::tag
SELECT id FROM u WHERE tag = '<T>'::public.tag
SELECT id FROM u WHERE tag = CAST('<T>' AS tag)
SELECT id FROM u WHERE tag = tag '<T>'
SELECT id FROM u WHERE tag::tag = '<T>'
SELECT id FROM u WHERE tag = '<T>'::tag::text
SELECT id FROM u WHERE tag = '<T>'::text::tag
SELECT id FROM u WHERE tag = '<T>'::long_tag
SELECT id FROM u WHERE tag = ANY ('{<T>}'::tag[])
SELECT id FROM u WHERE long = '<T>'::long_tag
SELECT id FROM u WHERE long IN ('a', '<T>'::tag)
INSERT INTO u (id, tag) VALUES (1, '<T>'::tag)
INSERT INTO u (id, long) VALUES (1, '<T>'::long_tag)
PREPARE p (tone) AS SELECT id FROM u WHERE tone = $1 OR tone = '<T>'
"""
WITH_PARAMETERS = [
    ("SELECT id FROM u WHERE tone = $1", ["<T>"]),
    ("SELECT id FROM u WHERE tone = $1::tone", ["<T>"]),
    ("SELECT id FROM u WHERE tone = ANY ($1)", ["{<T>}"]),
    ("INSERT INTO u (id, tone, tag) VALUES (1, $1, $2)", ["<T>", "<T>"]),
    ("SELECT id FROM u WHERE tag = $1::tag", ["<T>"]),
    ("SELECT id FROM u WHERE long = $1::long_tag", ["<T>"]),
]
