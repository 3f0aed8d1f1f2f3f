"""No syntactic position lets a value that stands next to a marked column reach the server.

A relay between a proxy and the server keeps every byte. Each statement below carries a marker of its own in one position: it
must be encrypted or refused; the relay must not have carried it, in text, hexadecimal or binary form. The server's log, the
proxy's log and our own error messages must not hold it either. Each is sent by the simple protocol and by Parse/Bind/Execute.

`<T>` is a text marker, `<H>` its hexadecimal digits, `<N>` a number, `<U>` a uuid. `m` and `m2` have marked columns (`m2.a_text`
has the key of `m.a_text`), `other.m` has the same name and none, `v` is a view of m, `p` is partitioned, `"Quoted"."Ünï"` needs quotes.
"""

import os
import random
import re
import struct
import uuid

import pytest

from cloister_testlib import rawclient as wire
from cloister_testlib import secret_types
from cloister_testlib.secret_scripts import SCRIPTS
from cloister_testlib.tap import tapped_proxy
from conftest import binaries, free_port, running_stack

CONFIG = secret_types.CONFIG + """  public.m: &m
    a_text: { type: text, encryption: randomized, key: k }
    a_det:  { type: text, encryption: deterministic, key: kd }
    a_int:  { type: int8, encryption: randomized, key: k }
    a_num:  { type: numeric, encryption: randomized, key: k }
    a_float: { type: float8, encryption: randomized, key: k }
    a_uuid: { type: uuid, encryption: randomized, key: k }
    a_bytea: { type: bytea, encryption: randomized, key: k }
    a_bool: { type: boolean, encryption: randomized, key: k }
  public.m2:
    a_text: { type: text, encryption: randomized, key: k }
  public.p:
    a_text: { type: text, encryption: randomized, key: k }
  public.later:
    a_text: { type: text, encryption: randomized, key: k }
  '"Quoted"."Ünï"':
    '"Sécret"': { type: text, encryption: randomized, key: k }
"""
SCHEMA = secret_types.SCHEMA + """CREATE TABLE m (id int4 PRIMARY KEY, note text, a_text text, a_det text UNIQUE, a_int int8, a_num numeric, a_float float8, a_uuid uuid,
    a_bytea bytea, a_bool boolean);
CREATE TABLE m2 (id int4, a_text text, note text);
CREATE TABLE p (id int4, a_text text) PARTITION BY RANGE (id);
CREATE SCHEMA other;
CREATE TABLE other.m (id int4, a_text text);
CREATE TABLE plain (id int4, a_text text);
CREATE SCHEMA "Quoted";
CREATE TABLE "Quoted"."Ünï" (id int4, "Sécret" text);
INSERT INTO m VALUES (1, 'note', 'alpha', 'alpha', 1, 1.5, 1.5, '00000000-0000-0000-0000-000000000001', 'x', true);
INSERT INTO m2 VALUES (1, 'alpha', 'note');
"""
CREATE_VIEW = "CREATE VIEW v AS SELECT id, a_text, note FROM m"

# Texts without parameters.
STATEMENTS = r"""
SELECT id FROM m WHERE a_text = '<T>'
SELECT id FROM m WHERE '<T>' = a_text
SELECT id FROM m WHERE a_text <> '<T>'
SELECT id FROM m WHERE a_text != '<T>'
SELECT id FROM m WHERE a_text < '<T>'
SELECT id FROM m WHERE a_text >= E'<T>'
SELECT id FROM m WHERE a_text = E'\x5a<T>'
SELECT id FROM m WHERE a_text = U&'<T>\0041'
SELECT id FROM m WHERE a_text = U&'<T>!0041' UESCAPE '!'
SELECT id FROM m WHERE a_text = $$<T>$$
SELECT id FROM m WHERE a_text = $tag$<T>$tag$
SELECT id FROM m WHERE a_text = N'<T>'
SELECT id FROM m WHERE a_text = 'a'\n'<T>'
SELECT id FROM m WHERE a_text = 'a' -- comment\n'<T>'
SELECT id FROM m WHERE a_text = '<T>'::text
SELECT id FROM m WHERE a_text = '<T>'::varchar
SELECT id FROM m WHERE a_text = '<T>'::varchar(3)
SELECT id FROM m WHERE a_text = '<T>'::char(50)
SELECT id FROM m WHERE a_text = '<T>'::name
SELECT id FROM m WHERE a_text = '<T>'::json
SELECT id FROM m WHERE a_text = '<T>'::text::text
SELECT id FROM m WHERE a_text = '<T>'::pg_catalog.text
SELECT id FROM m WHERE a_text = '<T>'::"text"
SELECT id FROM m WHERE a_text = '<T>'::enc_text
SELECT id FROM m WHERE a_text = '<T>'::pg_catalog.enc_text
SELECT id FROM m WHERE a_text = '<T>'::bytea
SELECT id FROM m WHERE a_text = text '<T>'
SELECT id FROM m WHERE a_text = text('<T>')
SELECT id FROM m WHERE a_text = CAST('<T>' AS text)
SELECT id FROM m WHERE a_text = CAST(('<T>') AS text)
SELECT id FROM m WHERE a_text = (('<T>'))
SELECT id FROM m WHERE (a_text) = '<T>'
SELECT id FROM m WHERE a_text = '<T>' COLLATE "C"
SELECT id FROM m WHERE a_text COLLATE "C" = '<T>'
SELECT id FROM m WHERE a_text OPERATOR(pg_catalog.=) '<T>'
SELECT id FROM m WHERE a_text OPERATOR(public.=) '<T>'
SELECT id FROM m WHERE a_text = '<T>' || ''
SELECT id FROM m WHERE a_text || '<T>' = 'a'
SELECT id FROM m WHERE a_text = concat('<T>', 'x')
SELECT id FROM m WHERE a_text = upper('<T>')
SELECT id FROM m WHERE upper(a_text) = '<T>'
SELECT id FROM m WHERE a_text::text = '<T>'
SELECT id FROM m WHERE a_text::varchar = '<T>'
SELECT id FROM m WHERE CAST(a_text AS text) = '<T>'
SELECT id FROM m WHERE a_text LIKE '<T>%'
SELECT id FROM m WHERE a_text NOT LIKE '<T>%'
SELECT id FROM m WHERE a_text ILIKE '<T>%'
SELECT id FROM m WHERE a_text SIMILAR TO '<T>%'
SELECT id FROM m WHERE a_text ~ '<T>'
SELECT id FROM m WHERE a_text !~* '<T>'
SELECT id FROM m WHERE a_text ~~ '<T>'
SELECT id FROM m WHERE a_text ^@ '<T>'
SELECT id FROM m WHERE starts_with(a_text, '<T>')
SELECT id FROM m WHERE position('<T>' IN a_text) > 0
SELECT id FROM m WHERE strpos(a_text, '<T>') > 0
SELECT id FROM m WHERE a_text IN ('<T>')
SELECT id FROM m WHERE a_text NOT IN ('a', '<T>', NULL)
SELECT id FROM m WHERE a_text IN ('a', note, '<T>')
SELECT id FROM m WHERE '<T>' IN (a_text, 'b')
SELECT id FROM m WHERE a_text IN (VALUES ('<T>'), ('b'))
SELECT id FROM m WHERE a_text IN (SELECT '<T>')
SELECT id FROM m WHERE a_text IN (SELECT '<T>'::text)
SELECT id FROM m WHERE a_text IN (SELECT x FROM (VALUES ('<T>')) q(x))
SELECT id FROM m WHERE a_text NOT IN (SELECT a_text FROM m2 WHERE a_text > '<T>')
SELECT id FROM m WHERE a_text = ANY (ARRAY['<T>', 'b'])
SELECT id FROM m WHERE a_text = ANY (ARRAY['<T>', 'b']::text[])
SELECT id FROM m WHERE a_text = ANY ('{<T>,b}')
SELECT id FROM m WHERE a_text = ANY ('{<T>,b}'::text[])
SELECT id FROM m WHERE a_text <> ALL (ARRAY['<T>'])
SELECT id FROM m WHERE a_text = ANY (string_to_array('<T>,b', ','))
SELECT id FROM m WHERE a_text = ANY (SELECT '<T>')
SELECT id FROM m WHERE a_text < ALL (SELECT '<T>' UNION SELECT 'b')
SELECT id FROM m WHERE a_text = SOME (VALUES ('<T>'))
SELECT id FROM m WHERE ARRAY[a_text] = ARRAY['<T>']
SELECT id FROM m WHERE ARRAY[a_text] && '{<T>}'
SELECT id FROM m WHERE a_text BETWEEN '<T>' AND 'z'
SELECT id FROM m WHERE a_text NOT BETWEEN 'a' AND '<T>'
SELECT id FROM m WHERE a_text BETWEEN SYMMETRIC '<T>' AND 'a'
SELECT id FROM m WHERE '<T>' BETWEEN a_text AND a_text
SELECT id FROM m WHERE a_text IS DISTINCT FROM '<T>'
SELECT id FROM m WHERE a_text IS NOT DISTINCT FROM '<T>'
SELECT id FROM m WHERE (a_text, id) = ('<T>', 1)
SELECT id FROM m WHERE ROW(a_text, id) = ROW('<T>', 1)
SELECT id FROM m WHERE (id, a_text) < (1, '<T>')
SELECT id FROM m WHERE (a_text, id) IN (('<T>', 1), ('b', 2))
SELECT id FROM m WHERE (a_text, id) IN (SELECT '<T>', 1)
SELECT id FROM m WHERE (a_text, id) IN (VALUES ('<T>', 1))
SELECT id FROM m WHERE (a_text, id) = (SELECT '<T>', 1)
SELECT id FROM m WHERE ROW(a_text) = ROW('<T>')
SELECT id FROM m WHERE m = ROW(1, '<T>')
SELECT id FROM m WHERE m.* = ROW(1, '<T>')
SELECT id FROM m WHERE m IS DISTINCT FROM ROW(1, 'n', '<T>', '', 1, 1, 1, NULL, NULL, NULL)
SELECT id FROM m WHERE m::text LIKE '%<T>%'
SELECT id FROM m WHERE (m).a_text = '<T>'
SELECT id FROM m WHERE (m.*).a_text = '<T>'
SELECT id FROM m WHERE m.a_text = '<T>'
SELECT id FROM m WHERE public.m.a_text = '<T>'
SELECT id FROM m WHERE app.public.m.a_text = '<T>'
SELECT id FROM app.public.m WHERE a_text = '<T>'
SELECT id FROM public.m AS x WHERE x.a_text = '<T>'
SELECT id FROM M WHERE A_TEXT = '<T>'
SELECT id FROM "m" WHERE "a_text" = '<T>'
SELECT id FROM U&"\006d" WHERE U&"\0061_text" = '<T>'
SELECT id FROM U&"!006d" UESCAPE '!' WHERE a_text = '<T>'
SELECT id FROM ONLY m WHERE a_text = '<T>'
SELECT id FROM m * WHERE a_text = '<T>'
SELECT id FROM m AS q(id, note, zz) WHERE zz = '<T>'
SELECT id FROM m AS plain WHERE plain.a_text = '<T>'
SELECT "m"."id" FROM"m"WHERE"a_text"='<T>'
SELECT id FROM m TABLESAMPLE system (100) WHERE a_text = '<T>'
SELECT id FROM (m) WHERE a_text = '<T>'
SELECT id FROM (SELECT * FROM m) s WHERE a_text = '<T>'
SELECT id FROM (SELECT id, a_text AS b FROM m) s WHERE s.b = '<T>'
SELECT id FROM (TABLE m) s WHERE a_text = '<T>'
SELECT id FROM (SELECT m.* FROM m JOIN plain USING (id)) s WHERE a_text = '<T>'
SELECT s FROM (SELECT a_text FROM m) s WHERE s = ROW('<T>')
SELECT "Sécret" FROM "Quoted"."Ünï" WHERE "Sécret" = '<T>'
SELECT * FROM "Quoted"."Ünï" u WHERE u."Sécret" IN ('<T>', 'é')
SELECT id FROM v WHERE a_text = '<T>'
SELECT id FROM v AS w WHERE w.a_text > '<T>'
INSERT INTO v (id, a_text) VALUES (2, '<T>')
UPDATE v SET a_text = '<T>'
SELECT id FROM p WHERE a_text = '<T>'
SELECT id FROM m NATURAL JOIN m2 WHERE a_text = '<T>'
SELECT m.id FROM m JOIN m2 USING (a_text) WHERE a_text = '<T>'
SELECT m.id FROM m JOIN m2 USING (a_text) AS j WHERE j.a_text = '<T>'
SELECT m.id FROM m JOIN m2 ON m.a_text = m2.a_text AND m2.a_text <> '<T>'
SELECT m.id FROM m LEFT JOIN m2 ON m2.a_text = '<T>'
SELECT m.id FROM m FULL JOIN m2 ON m.id = m2.id WHERE coalesce(m.a_text, m2.a_text) = '<T>'
SELECT m.id FROM m CROSS JOIN (VALUES ('<T>')) AS q(x) WHERE q.x = m.a_text
SELECT m.id FROM m, (SELECT '<T>' AS x) q WHERE x = a_text
SELECT m.id FROM m, LATERAL (SELECT m.a_text = '<T>' AS y) q
SELECT m.id FROM m, LATERAL (SELECT 1 FROM m2 WHERE m2.a_text = m.a_text AND m.a_text <> '<T>') q
SELECT m.id FROM m JOIN plain ON m.a_text = plain.a_text AND plain.a_text = '<T>' AND m.a_text = '<T>'
SELECT m.id FROM m JOIN other.m AS o ON o.id = m.id WHERE m.a_text = '<T>'
SELECT m.id FROM m, unnest(ARRAY['<T>']) AS u(x) WHERE m.a_text = u.x
SELECT m.id FROM m, generate_series(1, 2) g WHERE m.a_text = '<T>'
SELECT m.id FROM m, json_to_recordset('[{"a_text":"<T>"}]') AS r(a_text text) WHERE r.a_text = m.a_text
WITH q AS (SELECT '<T>' AS x) SELECT id FROM m, q WHERE a_text = x
WITH q(x) AS (VALUES ('<T>')) SELECT id FROM m WHERE a_text IN (SELECT x FROM q)
WITH m AS (SELECT 1 AS id, '<T>' AS a_text) SELECT * FROM public.m WHERE a_text = (SELECT a_text FROM m)
WITH q AS MATERIALIZED (SELECT * FROM m WHERE a_text = '<T>') SELECT count(*) FROM q
WITH RECURSIVE r(n, x) AS (SELECT 1, '<T>' UNION ALL SELECT n + 1, a_text FROM r JOIN m ON n < 2) SELECT * FROM r
WITH RECURSIVE r AS (SELECT id, a_text FROM m UNION SELECT id + 1, '<T>' FROM r WHERE id < 3) SELECT * FROM r WHERE a_text > '<T>'
WITH d AS (DELETE FROM m WHERE a_text = '<T>' RETURNING *) SELECT * FROM d WHERE a_text <> '<T>'
WITH i AS (INSERT INTO m (id, a_text) VALUES (9, '<T>') RETURNING a_text) SELECT * FROM i
SELECT EXISTS (SELECT 1 FROM m WHERE a_text = '<T>')
SELECT (SELECT id FROM m WHERE a_text = '<T>')
SELECT 1 WHERE '<T>' = (SELECT a_text FROM m WHERE id = 1)
SELECT 1 WHERE (SELECT a_text FROM m WHERE id = 1) < '<T>'
SELECT '<T>' = a_text FROM m
SELECT a_text = '<T>' AS hit FROM m
SELECT a_text IN ('<T>') FROM m
SELECT CASE WHEN a_text = '<T>' THEN 1 ELSE 2 END FROM m
SELECT CASE a_text WHEN '<T>' THEN 1 END FROM m
SELECT CASE WHEN id = 1 THEN '<T>' ELSE a_text END FROM m
SELECT CASE '<T>' WHEN a_text THEN 1 END FROM m
SELECT coalesce(a_text, '<T>') FROM m
SELECT nullif(a_text, '<T>') FROM m
SELECT nullif('<T>', a_text) FROM m
SELECT greatest(a_text, '<T>') FROM m
SELECT least('<T>', a_text) FROM m
SELECT lag(a_text, 1, '<T>') OVER (ORDER BY id) FROM m
SELECT nth_value(a_text, 1) OVER (PARTITION BY a_text = '<T>') FROM m
SELECT count(*) OVER (PARTITION BY a_text > '<T>' ORDER BY a_text < '<T>') FROM m
SELECT rank() OVER w FROM m WINDOW w AS (ORDER BY a_text = '<T>')
SELECT count(*) FILTER (WHERE a_text = '<T>') FROM m
SELECT min(a_text) FILTER (WHERE a_text > '<T>') FROM m
SELECT max(CASE WHEN a_text = '<T>' THEN 1 END) FROM m
SELECT string_agg(a_text, '<T>') FROM m
SELECT array_agg(a_text ORDER BY a_text = '<T>') FROM m
SELECT id FROM m GROUP BY id, a_text HAVING max(a_text) > '<T>'
SELECT a_text = '<T>', count(*) FROM m GROUP BY a_text = '<T>'
SELECT id FROM m ORDER BY a_text = '<T>'
SELECT id FROM m ORDER BY a_text USING < , a_text = '<T>'
SELECT DISTINCT ON (a_text = '<T>') id FROM m
SELECT id FROM m LIMIT (SELECT count(*) FROM m WHERE a_text = '<T>')
SELECT id FROM m WHERE a_text = '<T>' FOR UPDATE
SELECT a_text FROM m UNION SELECT '<T>'
SELECT '<T>' UNION ALL SELECT a_text FROM m
SELECT a_text FROM m INTERSECT VALUES ('<T>')
(SELECT a_text FROM m) EXCEPT (SELECT '<T>' UNION SELECT 'x') ORDER BY 1
SELECT a_text FROM m UNION SELECT note FROM m UNION SELECT '<T>'
VALUES ('<T>'), ((SELECT a_text FROM m))
SELECT id FROM m WHERE NOT (a_text = '<T>' OR a_text > '<T>') AND id = 1
SELECT id FROM m WHERE (a_text = '<T>') IS TRUE
SELECT id FROM m WHERE (a_text = '<T>') = true
SELECT id FROM m WHERE (a_text = '<T>') IS NOT UNKNOWN
SELECT id FROM m WHERE a_text IS NULL OR a_text = '<T>' IS NULL
SELECT id FROM m WHERE a_text = (SELECT '<T>' LIMIT 1)
SELECT id FROM m WHERE a_text = (SELECT max(x) FROM (VALUES ('<T>')) v(x))
SELECT id FROM m WHERE a_text = (WITH q AS (SELECT '<T>' AS x) SELECT x FROM q)
SELECT xmlforest(a_text, '<T>' AS b) FROM m
SELECT xmlelement(name a, a_text || '<T>') FROM m
SELECT json_build_object('<T>', a_text) FROM m
SELECT to_jsonb(m) @> '{"a_text":"<T>"}' FROM m
SELECT row_to_json(m)::text = '<T>' FROM m
SELECT format('%s <T>', a_text) FROM m
SELECT a_text(m) = '<T>' FROM m
SELECT id FROM m WHERE a_det = '<T>'
SELECT id FROM m WHERE a_det > '<T>'
SELECT id FROM m WHERE a_det IN ('<T>', 'b')
SELECT id FROM m WHERE a_det = a_text AND a_text = '<T>'
SELECT id FROM m ORDER BY a_det, a_det = '<T>'
SELECT id FROM m WHERE a_int = <N>
SELECT id FROM m WHERE a_int = -<N>
SELECT id FROM m WHERE a_int = - <N>
SELECT id FROM m WHERE a_int = -(-<N>)
SELECT id FROM m WHERE a_int = +<N>
SELECT id FROM m WHERE a_int = (-<N>)
SELECT id FROM m WHERE a_int = (<N>)::int8
SELECT id FROM m WHERE a_int = -<N>::int8
SELECT id FROM m WHERE a_int = '<N>'
SELECT id FROM m WHERE a_int = int8 '<N>'
SELECT id FROM m WHERE a_int = int8(<N>)
SELECT id FROM m WHERE a_int = <N>.0
SELECT id FROM m WHERE a_int = <N>.5
SELECT id FROM m WHERE a_int = <N>e0
SELECT id FROM m WHERE a_int = <N> + 0
SELECT id FROM m WHERE a_int + 1 = <N>
SELECT id FROM m WHERE a_int % <N> = 0
SELECT id FROM m WHERE - a_int = <N>
SELECT id FROM m WHERE abs(a_int) = <N>
SELECT id FROM m WHERE a_int IN (1, <N>, 3)
SELECT id FROM m WHERE a_int BETWEEN 1 AND <N>
SELECT id FROM m WHERE a_int = ANY ('{<N>}')
SELECT id FROM m WHERE a_int = ANY (ARRAY[<N>])
SELECT id FROM m WHERE a_int > (SELECT <N>)
SELECT id FROM m WHERE a_int = id AND a_int = <N>
SELECT id FROM m WHERE a_int = a_num AND a_num = <N>
SELECT id FROM m WHERE a_int = a_float OR a_int = <N>
SELECT sum(a_int) FILTER (WHERE a_int > <N>) FROM m
SELECT id FROM m WHERE a_num = <N>
SELECT id FROM m WHERE a_num = <N>.125
SELECT id FROM m WHERE a_num = -<N>.125::numeric
SELECT id FROM m WHERE a_num = '<N>'::numeric(20,2)
SELECT id FROM m WHERE a_num = '<N>'::money
SELECT id FROM m WHERE a_num < .<N>
SELECT id FROM m WHERE a_float = <N>
SELECT id FROM m WHERE a_float > '<N>'
SELECT id FROM m WHERE a_float = <N>::real
SELECT id FROM m WHERE a_uuid = '<U>'
SELECT id FROM m WHERE a_uuid = uuid '<U>'
SELECT id FROM m WHERE a_uuid = '{<U>}'::uuid
SELECT id FROM m WHERE a_uuid::text = '<U>'
SELECT id FROM m WHERE a_bytea = '\x<H>'
SELECT id FROM m WHERE a_bytea = E'\\x<H>'
SELECT id FROM m WHERE a_bytea = '<T>'
SELECT id FROM m WHERE a_bytea = X'<H>'
SELECT id FROM m WHERE a_bytea = decode('<H>', 'hex')
SELECT id FROM m WHERE a_bytea = '<T>'::bytea
SELECT id FROM m WHERE a_bytea = convert_to('<T>', 'utf8')
SELECT id FROM m WHERE a_bool = (note = '<T>') AND a_text = '<T>'
SELECT id FROM m WHERE a_bool AND a_text = '<T>'
SELECT id FROM m WHERE a_int = '<T>'
SELECT id FROM m WHERE a_num = '<T>'
SELECT id FROM m WHERE a_uuid = '<T>'
SELECT id FROM m WHERE a_float = '1<T>'
SELECT id FROM m WHERE a_bool = '<T>'
SELECT id FROM m WHERE a_text = <N>
SELECT id FROM m WHERE a_text = true AND a_text = '<T>'
SELECT id FROM m WHERE a_text = B'1' OR a_text = '<T>'
INSERT INTO m (id, a_text) VALUES (2, '<T>')
INSERT INTO m (a_text, id) VALUES ('<T>', 2)
INSERT INTO m VALUES (2, 'n', '<T>')
INSERT INTO m VALUES (2, 'n', '<T>'), (3, 'n', '<T>'), (4, DEFAULT, NULL)
INSERT INTO public.m AS x (id, a_text) VALUES (2, '<T>') RETURNING x.a_text = '<T>'
INSERT INTO m (id, a_text, a_nothing) VALUES (2, '<T>', 1)
INSERT INTO m (id, a_text) VALUES (2, '<T>', 'too many <T>')
INSERT INTO m (id, a_text, a_text) VALUES (2, '<T>', '<T>')
INSERT INTO m (id, a_text[1]) VALUES (2, '<T>')
INSERT INTO m (id, a_text.x) VALUES (2, '<T>')
INSERT INTO m (id, a_text) VALUES (2, lower('<T>'))
INSERT INTO m (id, a_text) VALUES (2, (SELECT '<T>'))
INSERT INTO m (id, a_text) VALUES (2, '<T>'::varchar(2))
INSERT INTO m (id, a_text) VALUES (2, CASE WHEN true THEN '<T>' END)
INSERT INTO m (id, a_text) SELECT 2, '<T>'
INSERT INTO m (id, a_text) SELECT 2, '<T>' UNION ALL SELECT 3, 'b'
INSERT INTO m (id, a_text) SELECT id, x FROM (VALUES (7, '<T>')) q(id, x)
INSERT INTO m (id, a_text) SELECT DISTINCT 2, '<T>' FROM plain
INSERT INTO m (id, a_text) SELECT 2, '<T>' GROUP BY 2
INSERT INTO m (id, a_text) SELECT 2, max('<T>')
INSERT INTO m (id, a_text) SELECT id, a_text FROM plain WHERE a_text = '<T>'
INSERT INTO m (id, a_text) SELECT id, coalesce(a_text, '<T>') FROM m2
INSERT INTO m (id, a_text) VALUES (2, '<T>' || '')
INSERT INTO m (id, a_text) WITH q AS (SELECT '<T>' AS x) SELECT 2, x FROM q
INSERT INTO m SELECT * FROM json_populate_record(NULL::m, '{"id":2,"a_text":"<T>"}')
INSERT INTO m SELECT (json_populate_record(NULL::m, '{"id":2,"a_text":"<T>"}')).*
INSERT INTO m SELECT (ROW(2, 'n', '<T>', NULL, NULL, NULL, NULL, NULL, NULL, NULL)::m).*
INSERT INTO m (id, a_int) VALUES (2, <N>)
INSERT INTO m (id, a_int) VALUES (2, -<N>)
INSERT INTO m (id, a_int) VALUES (2, <N>::numeric)
INSERT INTO m (id, a_int) VALUES (2, <N>00000000000)
INSERT INTO m (id, a_num, a_float) VALUES (2, <N>.5, <N>)
INSERT INTO m (id, a_uuid, a_bytea) VALUES (2, '<U>', '\x<H>')
INSERT INTO m (id, a_bytea) VALUES (2, X'<H>')
INSERT INTO m (id, a_bytea) VALUES (2, '\x<H>0')
INSERT INTO m (id, a_det) VALUES (1, '<T>') ON CONFLICT (id) DO UPDATE SET a_det = '<T>'
INSERT INTO m (id, a_text) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET a_text = '<T>' WHERE m.a_text <> '<T>'
INSERT INTO m (id, a_text) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET a_text = excluded.a_text WHERE excluded.a_text > '<T>'
INSERT INTO m (id, a_text) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET (a_text, note) = ('<T>', 'n')
INSERT INTO m (id, a_text) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET (a_text, note) = (SELECT '<T>', 'n')
INSERT INTO m (id, a_text) VALUES (1, 'x') ON CONFLICT (id) WHERE a_text > '<T>' DO NOTHING
INSERT INTO m (id, a_text) VALUES (1, '<T>') ON CONFLICT ON CONSTRAINT m_pkey DO NOTHING
INSERT INTO m (id, a_text) OVERRIDING SYSTEM VALUE VALUES (5, '<T>')
INSERT INTO "Quoted"."Ünï" ("Sécret") VALUES ('<T>')
INSERT INTO "Quoted"."Ünï" VALUES (1, 'é<T>')
INSERT INTO p VALUES (1, '<T>')
UPDATE m SET a_text = '<T>'
UPDATE m SET a_text = '<T>', a_det = '<T>', a_int = <N> WHERE a_text = '<T>'
UPDATE m x SET a_text = '<T>' WHERE x.a_text < '<T>' RETURNING x.a_text
UPDATE m SET (a_text, note) = ('<T>', 'n')
UPDATE m SET (note, a_text) = ROW('n', '<T>')
UPDATE m SET (note, a_text) = (SELECT 'n', '<T>')
UPDATE m SET a_text = (SELECT '<T>')
UPDATE m SET a_text = coalesce(a_text, '<T>')
UPDATE m SET a_text = CASE WHEN a_text = '<T>' THEN '<T>' ELSE a_text END
UPDATE m SET a_text = note WHERE a_text = '<T>'
UPDATE m SET note = a_text WHERE a_text = '<T>'
UPDATE m SET a_text = q.x FROM (VALUES (1, '<T>')) q(id, x) WHERE q.id = m.id
UPDATE m SET a_text = m2.a_text FROM m2 WHERE m2.a_text = '<T>'
UPDATE m SET a_text = a_text || '<T>'
UPDATE m SET a_int = a_int + <N>
UPDATE m SET a_text[1] = '<T>'
UPDATE m SET a_text = '<T>' WHERE CURRENT OF nothing
UPDATE ONLY public.m SET a_text = '<T>'
UPDATE plain SET a_text = m.a_text FROM m WHERE m.a_text = '<T>'
WITH q AS (UPDATE m SET a_text = '<T>' RETURNING id) UPDATE m2 SET a_text = '<T>' FROM q WHERE q.id = m2.id
DELETE FROM m WHERE a_text = '<T>'
DELETE FROM m USING m2 WHERE m.a_text = m2.a_text AND m2.a_text >= '<T>' RETURNING *
DELETE FROM m USING (VALUES ('<T>')) q(x) WHERE m.a_text = q.x
MERGE INTO m USING (VALUES (1, '<T>')) s(id, x) ON m.id = s.id WHEN MATCHED THEN UPDATE SET a_text = s.x WHEN NOT MATCHED THEN INSERT (id, a_text) VALUES (s.id, s.x)
MERGE INTO m USING m2 ON m.a_text = m2.a_text AND m2.a_text <> '<T>' WHEN MATCHED AND m.a_text = '<T>' THEN DELETE WHEN NOT MATCHED THEN INSERT (id, a_text) VALUES (8, '<T>')
MERGE INTO m USING plain ON m.a_text = plain.a_text WHEN MATCHED THEN UPDATE SET a_text = '<T>'
MERGE INTO plain USING m ON plain.id = m.id WHEN MATCHED THEN UPDATE SET a_text = m.a_text WHEN NOT MATCHED AND m.a_text = '<T>' THEN DO NOTHING
CREATE TABLE ctas AS SELECT id, a_text FROM m WHERE a_text = '<T>'
CREATE TABLE ctas AS SELECT id, a_text FROM m UNION SELECT 1, '<T>'
CREATE TABLE ctas AS WITH q AS (SELECT '<T>' AS x) SELECT id FROM m, q WHERE a_text = x
CREATE TEMP TABLE ctas AS SELECT coalesce(a_text, '<T>') FROM m
SELECT a_text INTO ctas FROM m WHERE a_text <> '<T>'
CREATE TABLE later AS SELECT 1 AS id, '<T>' AS a_text
SELECT 1 AS id, '<T>' AS a_text INTO later
CREATE TABLE later (id int4, a_text text DEFAULT '<T>')
CREATE TABLE later (id int4, a_text text CHECK (a_text <> '<T>'))
CREATE TABLE later (id int4, a_text text, CHECK (a_text > '<T>' OR id = 1))
CREATE TABLE later (id int4, a_text text GENERATED ALWAYS AS ('<T>') STORED)
CREATE TABLE later (id int4, a_text text, b boolean GENERATED ALWAYS AS (a_text = '<T>') STORED)
CREATE TABLE later (id int4, a_text text, EXCLUDE USING btree (id WITH =) WHERE (a_text = '<T>'))
CREATE TABLE later (id int4, a_text text) PARTITION BY LIST (a_text)
CREATE TABLE p1 PARTITION OF p (a_text DEFAULT '<T>') FOR VALUES FROM (1) TO (2)
CREATE TABLE p1 PARTITION OF p (CHECK (a_text > '<T>')) FOR VALUES FROM (1) TO (2)
CREATE TABLE child (CHECK (a_text > '<T>')) INHERITS (m)
CREATE TABLE copy1 (LIKE m, CHECK (a_text > '<T>'))
CREATE VIEW w AS SELECT * FROM m WHERE a_text = '<T>'
CREATE OR REPLACE TEMP VIEW w AS SELECT coalesce(a_text, '<T>') AS x FROM m
CREATE VIEW w AS SELECT a_text FROM m UNION SELECT '<T>'
CREATE VIEW w (x) AS VALUES ('<T>'), ((SELECT a_text FROM m LIMIT 1))
CREATE RECURSIVE VIEW w (id, x) AS SELECT id, a_text FROM m UNION ALL SELECT id + 1, '<T>' FROM w WHERE id < 2
CREATE VIEW later AS SELECT '<T>'::text AS a_text
CREATE MATERIALIZED VIEW w AS SELECT * FROM m WHERE a_text > '<T>'
CREATE INDEX ON m (id) WHERE a_text > '<T>'
CREATE INDEX ON m ((a_text = '<T>'))
CREATE INDEX ON m ((a_text || '<T>'))
CREATE UNIQUE INDEX ON m (a_text) WHERE a_text IN ('<T>', 'b')
ALTER TABLE m ALTER COLUMN a_text SET DEFAULT '<T>'
ALTER TABLE m ALTER a_text SET DEFAULT lower('<T>')
ALTER TABLE m ALTER COLUMN a_text TYPE text USING '<T>'
ALTER TABLE m ALTER COLUMN note TYPE text USING a_text || '<T>'
ALTER TABLE m ALTER COLUMN note SET DEFAULT 'x', ADD CHECK (a_text <> '<T>')
ALTER TABLE m ADD CHECK (a_text <> '<T>')
ALTER TABLE m ADD CONSTRAINT c CHECK (a_text <> '<T>') NOT VALID
ALTER TABLE m ADD COLUMN extra boolean GENERATED ALWAYS AS (a_text = '<T>') STORED
ALTER TABLE m ADD COLUMN extra int CHECK (extra > 0 AND a_text <> '<T>')
ALTER TABLE m ADD EXCLUDE USING btree (id WITH =) WHERE (a_text = '<T>')
ALTER TABLE IF EXISTS ONLY public.m ALTER COLUMN a_text SET DEFAULT '<T>'
ALTER VIEW v ALTER COLUMN a_text SET DEFAULT '<T>'
ALTER TABLE m2 DROP COLUMN a_text, ADD COLUMN a_text text DEFAULT '<T>'
CREATE POLICY pol ON m USING (a_text = '<T>')
CREATE POLICY pol ON m WITH CHECK (a_text = '<T>')
CREATE RULE r AS ON INSERT TO m WHERE new.a_text = '<T>' DO INSTEAD NOTHING
CREATE RULE r AS ON INSERT TO plain DO ALSO INSERT INTO m (id, a_text) VALUES (new.id, '<T>')
CREATE RULE r AS ON INSERT TO plain DO INSTEAD (UPDATE m SET a_text = '<T>'; DELETE FROM m2 WHERE a_text = '<T>')
CREATE TRIGGER t BEFORE INSERT ON m FOR EACH ROW WHEN (new.a_text = '<T>') EXECUTE FUNCTION suppress_redundant_updates_trigger()
CREATE TRIGGER t BEFORE INSERT ON m FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger('<T>')
CREATE STATISTICS s ON (a_text = '<T>'), id FROM m
CREATE PUBLICATION pub FOR TABLE m WHERE (a_text = '<T>')
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT id FROM m WHERE a_text = ''<T>'''
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$SELECT id FROM public.M WHERE a_text = '<T>'$$
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$SELECT id FROM "m" WHERE a_text = '<T>'$$
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS E'SELECT id FROM \x6d WHERE a_text = ''<T>'''
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS U&'SELECT id FROM \006d WHERE a_text = ''<T>'''
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$SELECT id FROM U&"\006d" WHERE a_text = '<T>'$$
CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT id FROM m WHERE a_text = '<T>'; END
CREATE FUNCTION f() RETURNS bigint LANGUAGE sql RETURN (SELECT count(*) FROM m WHERE a_text = '<T>')
CREATE FUNCTION f(x text DEFAULT (SELECT a_text FROM m WHERE a_text > '<T>')) RETURNS text LANGUAGE sql AS 'SELECT x'
CREATE FUNCTION f(x m DEFAULT ROW(1, 'n', '<T>', '', 1, 1, 1, NULL, NULL, NULL)) RETURNS text LANGUAGE sql AS 'SELECT ''x'''
CREATE FUNCTION f(x m.a_text%TYPE DEFAULT '<T>') RETURNS text LANGUAGE sql AS 'SELECT ''x'''
CREATE FUNCTION f(x enc_text DEFAULT '<T>') RETURNS text LANGUAGE sql AS 'SELECT ''x'''
CREATE PROCEDURE f() LANGUAGE sql AS $$INSERT INTO m (id, a_text) VALUES (2, '<T>')$$
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF EXISTS (SELECT 1 FROM m WHERE a_text = '<T>') THEN RETURN new; END IF; END$$
CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $$DECLARE r m%ROWTYPE; BEGIN r.a_text := '<T>'; RETURN 1; END$$
DO $$BEGIN INSERT INTO m (id, a_text) VALUES (2, '<T>'); END$$
DO 'BEGIN PERFORM 1 FROM m WHERE a_text = ''<T>''; END'
DO LANGUAGE plpgsql $x$BEGIN EXECUTE 'DELETE FROM m WHERE a_text = ' || quote_literal('<T>'); END$x$
DO $$BEGIN EXECUTE format('UPDATE %I SET a_text = %L', 'm', '<T>'); END$$
PREPARE q AS SELECT id FROM m WHERE a_text = '<T>'
PREPARE q (text) AS SELECT id FROM m WHERE a_text = '<T>' || $1
SELECT id FROM m WHERE a_text LIKE '<T>%' OR a_text NOT ILIKE '%<T>' ESCAPE '!'
SELECT id FROM m WHERE a_text LIKE ANY (ARRAY['<T>%', 'b'])
SELECT id FROM m WHERE upper(a_text::text) LIKE upper('%<T>%')
SELECT id FROM m WHERE lower(a_text) = lower('<T>')
SELECT id FROM m WHERE a_text ^@ '<T>' OR starts_with(a_text, '<T>')
SELECT id FROM m WHERE a_text = ANY ('{<T>,b}') OR a_text <> ALL ('{<T>}'::text[])
SELECT id FROM m WHERE a_text = ANY (ARRAY['<T>', 'b']::text[])
SELECT id FROM m WHERE a_text = ANY (string_to_array('<T>', ','))
SELECT id FROM m WHERE (a_text, id) >= ('<T>', 1)
SELECT id FROM m WHERE a_text = replace('a<T>', 'a', '') || repeat('x', 3)
SELECT id FROM m WHERE a_text = md5('<T>') || 'x'
SELECT id FROM m WHERE a_text COLLATE "C" = '<T>' COLLATE "C"
SELECT id FROM m WHERE a_text::text = '<T>' AND a_text::varchar <> '<T>'
ALTER TABLE m ALTER a_text SET DEFAULT '<T>'
CREATE TABLE ONLY_CHILD (CHECK (a_text <> '<T>')) INHERITS (m)
CREATE TABLE copied (LIKE m, CHECK (a_text <> '<T>'))
PREPARE q (text) AS SELECT id FROM m WHERE a_text = $1 AND a_text <> '<T>'
DECLARE c CURSOR FOR SELECT id FROM m WHERE a_text = '<T>'
DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT coalesce(a_text, '<T>') FROM m
EXPLAIN SELECT id FROM m WHERE a_text = '<T>'
EXPLAIN (ANALYZE, VERBOSE, COSTS OFF, FORMAT json) SELECT id FROM m WHERE a_text = '<T>'
EXPLAIN ANALYZE INSERT INTO m (id, a_text) VALUES (2, '<T>')
EXPLAIN ANALYZE CREATE TABLE ctas AS SELECT * FROM m WHERE a_text = '<T>'
EXPLAIN DECLARE c CURSOR FOR SELECT id FROM m WHERE a_text = '<T>'
COPY m TO STDOUT (DELIMITER '<T>')
COPY (SELECT id FROM m WHERE a_text = '<T>') TO STDOUT
COPY (INSERT INTO m (id, a_text) VALUES (2, '<T>') RETURNING id) TO STDOUT
COPY m FROM STDIN WHERE a_text = '<T>' AND nothing = 1
COPY m (a_text) FROM STDIN (NULL '<T>', FORMAT binary)
COPY m FROM '/nowhere/<T>'
COPY m FROM PROGRAM 'echo <T>'
SELECT * FROM query_to_xml('SELECT * FROM m WHERE a_text = ''<T>''', true, true, '')
SELECT query_to_xml(concat('SELECT * FROM m ', 'WHERE a_text = ''<T>'''), true, true, '')
SELECT * FROM ts_stat('SELECT to_tsvector(a_text) FROM m WHERE a_text = ''<T>''')
SELECT ROW(1, 'n', '<T>', NULL, NULL, NULL, NULL, NULL, NULL, NULL)::m
SELECT ROW(1, 'n', '<T>', NULL, NULL, NULL, NULL, NULL, NULL, NULL)::public.m
SELECT '(1,n,<T>,,,,,,,)'::m
SELECT CAST('(1,n,<T>,,,,,,,)' AS public."m")
SELECT m '(1,n,<T>,,,,,,,)'
SELECT ('(1,n,<T>,,,,,,,)'::m).a_text
SELECT '{"(1,n,<T>,,,,,,,)"}'::m[]
SELECT '{"(1,n,<T>,,,,,,,)"}'::_m
SELECT json_populate_record(NULL::m, '{"a_text":"<T>"}')
SELECT * FROM jsonb_populate_recordset(NULL::public.m, '[{"a_text":"<T>"}]')
SELECT * FROM json_to_record('{"a_text":"<T>"}') AS r(a_text enc_text)
SELECT * FROM json_to_record('{"x":"<T>"}') AS r(x m)
SELECT '<T>'::enc_text
SELECT '<T>'::pg_catalog.enc_text
SELECT enc_text '<T>'
SELECT '<T>'::det_text
SELECT enc_text('<T>')
SELECT '{<T>}'::enc_text[]
SELECT '{<T>}'::_enc_text
CREATE TABLE plain2 (x enc_text(1) DEFAULT '<T>')
CREATE DOMAIN dom AS enc_text CHECK (VALUE <> '<T>')
CREATE TABLE typed OF m (a_text DEFAULT '<T>')
ALTER TABLE plain ADD COLUMN x m DEFAULT ROW(1, 'n', '<T>')
SELECT FROM WHERE m.a_text = '<T>'
SELEC id FROM m WHERE a_text = '<T>'
INSERT INTO m (id, a_text VALUES (2, '<T>')
SELECT id FROM m WHERE a_text = '<T>
SELECT id FROM m WHERE a_text = $$<T>
SELECT id FROM m WHERE a_text = E'<T>\'
SELECT id FROM m WHERE a_text = '<T>' /* never closed
SELECT id FROM m WHERE a_text = '<T>' )
SELECT id FROM m WHERE a_text = '<T>' AND
SELEC id FROM U&"\006d" WHERE x = '<T>'
SELEC id FROM U&"!006d" UESCAPE '!' WHERE x = '<T>'
SELECT id FROM m WHERE a_text = U&'<T>\zzzz'
SELECT id FROM m WHERE a_text = E'\u00zz<T>'
SELECT id FROM m WHERE a_text = E'\xff<T>'
SELECT id FROM m WHERE a_text = '<T>' FETCH FIRST ROW WITH TIES
SELECT id FROM nowhere, m WHERE a_text = '<T>'
SELECT id FROM m WHERE nothing = '<T>' AND a_text = '<T>'
SELECT id FROM m WHERE m3.a_text = '<T>'
SELECT nothing(a_text, '<T>') FROM m
CALL nothing('<T>', (SELECT a_text FROM m WHERE a_text = '<T>'))
SELECT id FROM m x, m y WHERE a_text = '<T>'
SELECT id FROM later WHERE a_text = '<T>'
INSERT INTO later VALUES ('<T>')
INSERT INTO later (a_text) VALUES ('<T>')
UPDATE later SET a_text = '<T>'
DELETE FROM public.later WHERE a_text = '<T>'
TABLE m UNION ALL SELECT 1, 'n', '<T>', '<T>', 1, 1, 1, NULL, NULL, NULL
SELECT 1; SELECT id FROM m WHERE a_text = '<T>'
SELECT 'a;b'; INSERT INTO m (id, a_text) VALUES (2, '<T>'); SELECT 2
BEGIN; UPDATE m SET a_text = '<T>'; ROLLBACK
SET search_path = other; INSERT INTO m (id, a_text) VALUES (2, '<T>')
SET LOCAL search_path = other, public; SELECT * FROM m WHERE a_text = '<T>'
SELECT set_config('search_path', 'public', true); SELECT * FROM m WHERE a_text = '<T>'
CREATE TABLE later (id int, a_text text); INSERT INTO later VALUES (1, '<T>'); SELECT * FROM later WHERE a_text = '<T>'
CREATE TABLE public.later (a_text text, id int); INSERT INTO later VALUES ('<T>', 1)
DROP TABLE m; CREATE TABLE m (a_text text, id int); INSERT INTO m VALUES ('<T>', 1)
ALTER TABLE m ADD COLUMN z text; INSERT INTO m (id, a_text, z) VALUES (2, '<T>', 'z')
CREATE TEMP TABLE tt AS SELECT a_text FROM m; INSERT INTO tt VALUES ('<T>')
CREATE VIEW w AS SELECT a_text AS s FROM m; SELECT * FROM w WHERE s = '<T>'
DROP VIEW v; CREATE VIEW v AS SELECT a_text FROM m; INSERT INTO v VALUES ('<T>')
ALTER TABLE other.m SET SCHEMA "Quoted"; SELECT * FROM m WHERE a_text = '<T>'
SAVEPOINT s; INSERT INTO m (id, a_text) VALUES (2, '<T>'); ROLLBACK TO s
""".strip().split("\n")
# A line break within a statement is written \n.
STATEMENTS = [line.replace("\\n", "\n") for line in STATEMENTS + secret_types.STATEMENTS.strip().split("\n")]

# (text, parameters): sent by Parse/Bind/Execute in text and binary format, with undeclared types and declared as text.
WITH_PARAMETERS = secret_types.WITH_PARAMETERS + [
    ("SELECT id FROM m WHERE a_text = $1", ["<T>"]),
    ("SELECT id FROM m WHERE a_text = $2", ["<T>", "<T>"]), ("SELECT id FROM m WHERE id = $2::int", ["<T>", "1"]),  # $1 has no place
    ("SELECT id FROM m WHERE a_text = $1::text", ["<T>"]),
    ("SELECT id FROM m WHERE a_text = $1::varchar", ["<T>"]),
    ("SELECT id FROM m WHERE a_text = $1::varchar(5)", ["<T>"]),
    ("SELECT id FROM m WHERE a_text = CAST($1 AS text)", ["<T>"]),
    ("SELECT id FROM m WHERE $1 IN (a_text, 'b')", ["<T>"]),
    ("SELECT id FROM m WHERE a_text IN ($1, $2, 'c')", ["<T>", "b<T>"]),
    ("SELECT id FROM m WHERE a_text = ANY ($1)", ["{<T>}"]),
    ("SELECT id FROM m WHERE a_text = ANY ($1::text[])", ["{<T>}"]),
    ("SELECT id FROM m WHERE a_text = ANY (ARRAY[$1, $2])", ["<T>", "b"]),
    ("SELECT id FROM m WHERE a_text BETWEEN $1 AND $2", ["<T>", "<T>z"]),
    ("SELECT id FROM m WHERE $1 IS NULL OR a_text = $1", ["<T>"]),
    ("SELECT id FROM m WHERE a_text LIKE $1", ["<T>%"]),
    ("SELECT id FROM m WHERE a_text LIKE $1 ESCAPE $2", ["<T>!%", "!"]),
    ("SELECT id FROM m WHERE a_text ILIKE '%' || $1 || '%'", ["<T>"]),
    ("SELECT id FROM m WHERE $1::text IS NULL OR a_text LIKE $1 || '%'", ["<T>"]),
    ("SELECT id FROM m WHERE a_text = $1 || $2", ["<T>", "b<T>"]),
    ("SELECT id FROM m WHERE starts_with(a_text, $1) AND upper(a_text) LIKE upper($2)", ["<T>", "<T>"]),
    ("SELECT id FROM m WHERE (a_text, id) < ($1, 1)", ["<T>"]),
    ("SELECT $1, id FROM m WHERE a_text LIKE $1 || '%'", ["<T>"]),
    ("SELECT id FROM m WHERE a_text = ANY ($1) AND NOT a_det = ANY ($1)", ["{<T>}"]),
    ("SELECT id FROM m WHERE a_text LIKE ANY ($1)", ["{<T>}"]),
    ("COPY (SELECT id FROM m WHERE a_text = $1) TO STDOUT", ["<T>"]),
    ("SELECT id FROM m WHERE a_text = $1 || 'x'", ["<T>"]),
    ("SELECT id FROM m WHERE a_text = lower($1)", ["<T>"]),
    ("SELECT id FROM m WHERE a_text = coalesce($1, 'x')", ["<T>"]),
    ("SELECT id FROM m WHERE (a_text, id) = ($1, 1)", ["<T>"]),
    ("SELECT coalesce(a_text, $1) FROM m", ["<T>"]),
    ("SELECT CASE WHEN a_text = $1 THEN 1 END FROM m", ["<T>"]),
    ("SELECT m.id FROM m, (VALUES ($1)) q(x) WHERE x = a_text", ["<T>"]),
    ("SELECT m.id FROM m, (SELECT $1 AS x) q WHERE x = a_text", ["<T>"]),
    ("SELECT m.id FROM m, (SELECT $1::text AS x) q WHERE x = a_text", ["<T>"]),
    ("WITH q AS (SELECT $1 AS x) SELECT id FROM m JOIN q ON a_text = x", ["<T>"]),
    ("SELECT a_text FROM m UNION SELECT $1", ["<T>"]),
    ("SELECT lag(a_text, 1, $1) OVER (ORDER BY id) FROM m", ["<T>"]),
    ("INSERT INTO m (id, a_text) VALUES (2, $1)", ["<T>"]),
    ("INSERT INTO m VALUES (2, 'n', $1, $1)", ["<T>"]),
    ("INSERT INTO m (id, a_text) VALUES (2, $1), (3, $2) RETURNING a_text", ["<T>", "b<T>"]),
    ("INSERT INTO m (id, a_text) SELECT 2, $1", ["<T>"]),
    ("INSERT INTO m (id, a_text) SELECT 2, $1 WHERE $1 <> 'x'", ["<T>"]),
    ("INSERT INTO m (id, a_text) SELECT 2, x FROM (VALUES ($1)) q(x)", ["<T>"]),
    ("INSERT INTO m (id, a_text) VALUES (2, lower($1))", ["<T>"]),
    ("INSERT INTO m (id, a_text) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET a_text = $1 WHERE m.a_text <> $1", ["<T>"]),
    ("INSERT INTO v (id, a_text) VALUES (2, $1)", ["<T>"]),
    ("UPDATE m SET a_text = $1 WHERE a_text = $1", ["<T>"]),
    ("UPDATE m SET (a_text, note) = ($1, 'n')", ["<T>"]),
    ("UPDATE m SET a_text = coalesce($1, a_text)", ["<T>"]),
    ("UPDATE m SET a_text = q.x FROM (SELECT $1 AS x) q", ["<T>"]),
    ("DELETE FROM m WHERE a_det = $1 OR a_text = $1", ["<T>"]),
    ("MERGE INTO m USING (SELECT 1 AS id, $1 AS x) s ON m.id = s.id WHEN MATCHED THEN UPDATE SET a_text = s.x", ["<T>"]),
    ("CREATE TABLE ctas AS SELECT id FROM m WHERE a_text = $1", ["<T>"]),
    ("DECLARE c CURSOR FOR SELECT id FROM m WHERE a_text = $1", ["<T>"]),
    ("EXPLAIN SELECT id FROM m WHERE a_text = $1", ["<T>"]),
    ("SELECT id FROM later WHERE a_text = $1", ["<T>"]),
    ("INSERT INTO later (a_text) VALUES ($1)", ["<T>"]),
    ("SELECT $1::m", ["(1,n,<T>,,,,,,,)"]),
    ("SELECT $1::enc_text", ["<T>"]),
    ("SELECT $1::public.m", ["(1,n,<T>,,,,,,,)"]),
    ("SELECT json_populate_record(NULL::m, $1)", ['{"a_text":"<T>"}']),
    ("SELECT id FROM m WHERE a_int = $1", ["<N>"]),
    ("SELECT id FROM m WHERE a_int = $1::int8", ["<N>"]),
    ("SELECT id FROM m WHERE a_int = $1 + 1", ["<N>"]),
    ("SELECT id FROM m WHERE a_int = -$1", ["<N>"]),
    ("SELECT id FROM m WHERE a_int = -$1::int8", ["<N>"]),
    ("SELECT id FROM m WHERE a_num = $1", ["<N>"]),
    ("SELECT id FROM m WHERE a_float = $1", ["<N>"]),
    ("SELECT id FROM m WHERE a_uuid = $1", ["<U>"]),
    ("SELECT id FROM m WHERE a_int = $1 AND a_num = $2 AND a_float = $3 AND a_text = $4", ["<N>", "<N>", "<N>", "<N>"]),
    ("SELECT id FROM m WHERE a_int = $2 AND id = $1", ["1", "<N>"]),
    ("INSERT INTO m (id, a_int, a_num, a_float) VALUES (2, $1, $2, $3)", ["<N>", "<N>", "<N>"]),
    ("SELECT id FROM m WHERE a_int = $1", ["no number <T>"]),
    ("SELECT id FROM m WHERE a_uuid = $1", ["<T>"]),
    ("SELECT id FROM m WHERE a_text = $1 AND $2 = a_text", ["<T>"]),  # too few
    ("SELECT id FROM m WHERE a_text = $1", ["<T>", "<T>"]),  # too many
]


class Marker:
    def __init__(self, name):
        source = random.Random(name)
        self.text = f"Zq{source.getrandbits(48):012x}Q"
        self.number = source.randrange(10**14 + 1, 9 * 10**14)
        self.uuid = uuid.UUID(int=source.getrandbits(128))

    def fill(self, value):
        places = {"<T>": self.text, "<N>": str(self.number), "<U>": str(self.uuid), "<H>": self.text.encode().hex()}
        for place, content in places.items():
            value = value.replace(place.encode(), content.encode()) if isinstance(value, bytes) else value.replace(place, content)
        return value

    def forms(self):
        digits, number = [], self.number
        while number:
            number, digit = divmod(number, 10000)
            digits.append(digit)
        text = self.text.encode()
        return [
            text, text.lower(), text.upper(), text.hex().encode(), text.hex().upper().encode(), self.text.encode("utf-16-le"), str(self.number).encode(),
            struct.pack(">q", self.number), struct.pack(">q", -self.number), struct.pack(">d", self.number), struct.pack(f">{len(digits)}h", *reversed(digits)),
            str(self.uuid).encode(), self.uuid.bytes, self.uuid.hex.encode(),
        ]

    def found_in(self, content):
        return [form for form in self.forms() if form in content]


def message_kinds(content):
    kinds, at = "", 0
    while at < len(content):
        kinds += chr(content[at])
        at += struct.unpack(">I", content[at + 1 : at + 5])[0] + 1
    return kinds


def fill_message(marker, content):
    """Fills a ready-made run of messages and mends their lengths."""
    output, at = b"", 0
    while at < len(content):
        size = struct.unpack(">I", content[at + 1 : at + 5])[0] + 1
        kind, body = chr(content[at]), content[at + 5 : at + size]
        if kind == "B" and b"<T>" in body:  # the parameter's length too
            place = body.index(b"<T>")
            filled = marker.fill(b"<T>")
            body = body[: place - 4] + struct.pack(">i", len(filled)) + filled + body[place + 3 :]
        output += wire.message(kind, marker.fill(body))
        at += size
    return output


class Server:
    """The stack, the tapped proxy, and what was refused or done with each statement (for a look at all of it)."""

    def __init__(self, stack, tap, log, port):
        self.stack, self.tap, self.log, self.port = stack, tap, log, port
        self.markers = []

    def run(self, groups):
        """Sends groups of messages, each answered to its end. Returns the SQLSTATEs and tags seen, and the errors and notices."""
        outcome, errors = [], []
        copies = ends = 0  # COPYs begun by the server, ended by the client
        with wire.connect(self.stack, self.port, timeout=10) as client:
            for group in groups:
                kinds = message_kinds(group)
                if kinds[0] in "dcf" and copies == ends:
                    client.send(group)  # stale data: dropped without an answer
                    continue
                ends += kinds.count("c") + kinds.count("f")
                client.send(group)
                try:
                    while (answer := client.receive()).kind != "Z":
                        if answer.kind == "G":
                            copies += 1
                            if copies > ends:
                                break
                        if answer.kind in "EC":
                            outcome.append(answer.word[2:])
                        if answer.kind in "EN":
                            errors.append(answer)
                            copies = ends
                except EOFError:
                    outcome.append("closed")
                    break
                except TimeoutError:
                    raise AssertionError(f"no answer after {outcome}") from None
        return outcome, errors


@pytest.fixture(scope="module")
def server():
    with running_stack(CONFIG) as stack:
        with stack.superuser() as superuser:
            for setting in ("log_statement = 'all'", "log_parameter_max_length_on_error = -1", "log_min_error_statement = 'info'"):
                superuser.execute(f"ALTER SYSTEM SET {setting}")
            superuser.execute("SELECT pg_reload_conf()")
        stack.psql("-c", SCHEMA, "-c", CREATE_VIEW)
        port = free_port()
        with tapped_proxy(stack, binaries() / "cloister", port) as (tap, log):
            yield Server(stack, tap, log, port)


def check(server, name, groups, marker):
    """Runs the groups of one statement; returns what became of it."""
    server.tap.mark()
    outcome, errors = server.run(groups)
    server.markers.append((name, marker))
    assert marker.found_in(server.tap.sent()) == [], f"the server saw it ({outcome})"
    assert outcome, "nothing was answered"
    for error in errors:
        fields = error.fields
        assert marker.found_in(error.body) == [], f"an error message holds it: {fields.get('C')}"
    return outcome


def note(kind, name, outcome):
    """With CLOISTER_OUTCOMES naming a file, what became of each statement is written to it."""
    if path := os.environ.get("CLOISTER_OUTCOMES"):
        with open(path, "a", encoding="utf8") as output:
            output.write(f"{kind}\t{outcome}\t{name[:160]!r}\n")


def test_there_are_enough():
    assert len(set(STATEMENTS)) + len(WITH_PARAMETERS) + len(SCRIPTS) >= 250


@pytest.mark.parametrize("extended", [False, True], ids=["simple", "extended"])
def test_texts(server, extended):
    """One after the other, each in a session and a transaction of its own; every failure is told."""
    failures = []
    for statement in STATEMENTS:
        marker = Marker(f"{extended} {statement}")
        text = marker.fill(statement)
        groups = [wire.query("BEGIN")]
        if extended:
            groups.append(wire.parse(text) + wire.describe("S") + wire.bind() + wire.execute() + wire.SYNC)
        else:
            groups.append(wire.query(text))
        try:
            outcome = check(server, statement, groups, marker)
            note("extended" if extended else "simple", statement, outcome)
            assert "closed" not in outcome
        except AssertionError as failure:
            failures.append(f"{statement}: {str(failure).splitlines()[0]}")
    assert failures == []


def binary(value, marker):
    """A parameter in the binary form of what it looks like."""
    if value == str(marker.number):
        return struct.pack(">q", marker.number)
    if value == str(marker.uuid):
        return marker.uuid.bytes
    return value.encode()


@pytest.mark.parametrize("declared", [(), (25, 25, 25, 25), (1043,), (20, 20, 20, 20), (705, 705)], ids=str)
@pytest.mark.parametrize("form", ["text", "binary"])
def test_parameters(server, form, declared):
    failures = []
    for statement, parameters in WITH_PARAMETERS:
        marker = Marker(f"{form} {declared} {statement} {parameters}")
        values = [marker.fill(value) for value in parameters]
        values = [binary(value, marker) if form == "binary" else value.encode() for value in values]
        groups = [
            wire.query("BEGIN"),
            wire.parse(statement, "", declared[: len(values)]) + wire.bind(values, formats=[int(form == "binary")]) + wire.describe("P") + wire.execute() + wire.SYNC,
        ]
        try:
            outcome = check(server, statement, groups, marker)
            note(f"{form} {declared}", statement, outcome)
            assert "closed" not in outcome
        except AssertionError as failure:
            failures.append(f"{statement}: {str(failure).splitlines()[0]}")
    assert failures == []


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts(server, name):
    marker = Marker(name)
    groups = []
    for step in SCRIPTS[name]:
        if isinstance(step, str):
            groups.append(wire.query(marker.fill(step)))
        elif step.startswith(b"Q:"):
            groups.append(wire.message("Q", marker.fill(step[2:]) + b"\0"))
        else:
            groups.append(fill_message(marker, step))
    note("script", name, check(server, name, groups, marker))


def test_control(server):
    """The search finds what is allowed to pass: a value for a plain column, in text and in binary."""
    marker = Marker("control")
    server.tap.mark()
    groups = [wire.query(f"INSERT INTO plain VALUES (1, '{marker.text}')")]
    groups.append(wire.parse("SELECT $1::int8", "", [20]) + wire.bind([struct.pack(">q", marker.number)], formats=[1]) + wire.execute() + wire.SYNC)
    server.run(groups)
    assert len(marker.found_in(server.tap.sent())) == 2


def test_logs(server):
    """Runs last: none of the markers is in the server's log or in a proxy's."""
    assert len(server.markers) > 250
    logs = {name: (server.stack.dir / "log" / f"{name}.log").read_bytes() for name in ("postgres", "proxy", "tapped", "tee")}
    assert b"cloister refused this statement" in logs["postgres"]
    known = {form: what for what, marker in server.markers for form in (marker.text, marker.text.encode().hex(), str(marker.number), str(marker.uuid))}
    pattern = re.compile(r"Zq[0-9a-f]{12}Q|5a71(?:3\d|6[1-6]){12}51|(?<!\d)\d{15}(?!\d)|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
    for name, content in logs.items():
        assert [known[form] for form in set(pattern.findall(content.decode(errors="replace"))) if form in known] == [], name
