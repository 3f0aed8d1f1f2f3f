"""Operations on marked columns against a plaintext twin: predicates in every place where a predicate can stand, and queries."""

from cloister_testlib.differential import compare, shown

PREDICATES = r"""
t = 'alpha'
t <> 'alpha'
t LIKE 'a%'
t NOT LIKE '%a'
t LIKE '_lph_'
t LIKE ''
t LIKE '%'
t LIKE '%\'
t LIKE 'a!%%' ESCAPE '!'
t LIKE 'al!pha' ESCAPE '!'
t LIKE 'alpha' ESCAPE ''
t LIKE '%日本%'
t LIKE '%\\'
t LIKE E'tab\t%'
t ILIKE 'ALPHA'
t NOT ILIKE 'a%'
t ~~ 'a%'
t !~~* 'A%'
v LIKE 'Alpha%'
v LIKE 'Alpha_'
v ILIKE 'äöü'
c LIKE 'alp%'
c LIKE 'b    '
starts_with(t, 'al')
starts_with(t, '')
t ^@ 'A'
t LIKE ANY (ARRAY['a%', 'i%'])
t NOT LIKE ALL (ARRAY['a%', '%''%'])
t LIKE lower('A%')
t LIKE 'al' || 'pha'
t = lower('ALPHA')
t = ANY ('{alpha,it''s}')
t = ANY ('{}')
t = ANY ('{alpha,NULL}')
t <> ALL ('{alpha,NULL}')
t = ANY (ARRAY['alpha', NULL])
i4 = ANY ('{1,42}')
i4 > ANY (ARRAY[0, 1])
i4 < ALL ('{2,3}')
i4 IN (1, -1, NULL)
i4 BETWEEN -1 AND 1
i4 NOT BETWEEN SYMMETRIC 1 AND -1
i4 > 0.5
i4 < 3000000000
i4 = 2 - 1
i4 > 10 * 4
i8 >= 9223372036854775807
i2 < 100000
n > 1.49 AND n < 1.51
f8 = 'NaN' OR f8 < -1e300
da = '2020-02-29'
da > '2020-01-01'::date - 30
da >= date '2020-02-29' - interval '1 year'
da BETWEEN '1999-01-01' AND '2020-12-31'
da = ('2020-' || '02-29')::date
i4 = ('4' || '2')::int
n = CAST(concat('1', '.5') AS numeric)
t <> (40 + 2)::text
i4 = ('x' || '1')::int
ts > timestamp '2020-02-29 12:34:56.788'
ts < '2020-03-01'::timestamp - interval '1 day'
tz = '2020-02-29 10:34:56+00'
ti > '12:00'
tt = '10:34:56Z'
iv = '24:00'
iv > interval '1 hour'
u < 'b0000000-0000-0000-0000-000000000000'
ip <= '192.168.0.1'
by > '\x00'
b
NOT b
b IS TRUE
b IS NOT FALSE
b IS UNKNOWN
b AND t = 'alpha'
b = true OR i4 IS NULL
t IS DISTINCT FROM 'alpha'
t IS NOT DISTINCT FROM NULL
t IS NULL OR t = ''
(t, i4) = ('alpha', 1)
(t, i4) < ('b', 1)
(t, i4, id) >= ('alpha', 1, 3)
(t, i4) <> ('alpha', 2)
(t, i4) IN (('alpha', 1), ('', -2147483648))
t IN ('alpha', '', 'it''s')
t NOT IN ('alpha', 'x')
t::text = 'alpha'
v::varchar = 'b'
t COLLATE "C" > 'A'
coalesce(t, 'none') = 'none'
nullif(t, 'alpha') IS NULL
greatest(t, 'b') = 'b'
CASE WHEN i4 > 0 THEN t ELSE 'x' END = 'x'
t IN (SELECT t FROM k)
EXISTS (SELECT FROM k WHERE k.t = r.t)
t = (SELECT max(t) FROM k)
t > ANY (SELECT t FROM k)
""".strip().split("\n")
PLACES = [
    "SELECT id FROM r WHERE {} ORDER BY id",
    "SELECT id, ({}) AS hit FROM r ORDER BY id",
    "SELECT count(*) FILTER (WHERE {}) AS n, count(*) FILTER (WHERE NOT ({})) AS others FROM r",
    "WITH gone AS (DELETE FROM r WHERE {} RETURNING id) SELECT * FROM gone ORDER BY id",
    "UPDATE r SET grp = CASE WHEN {} THEN 1 ELSE 0 END RETURNING id, grp",
]
DETERMINISTIC = r"""
t = 'alpha'
t <> ALL (ARRAY['alpha', ''])
t = ANY ('{alpha,NULL}')
t IN ('alpha', '')
i4 = 2 - 1
i4 IN (1, 42)
da = '2020-03-01'::date - 1
tz = '2020-02-29 12:34:56+02'
n = 1.500
iv = '24:00'
b
NOT b
t IS DISTINCT FROM 'alpha'
(t, i4) = ('alpha', 1)
(t, i4) IN (('alpha', 1), ('', 2))
t IN (SELECT t FROM kd)
t = (SELECT t FROM kd WHERE kd.id = 0)
coalesce(t, 'x') = 'x'
""".strip().split("\n")

QUERIES = r"""
SELECT * FROM r ORDER BY id
SELECT * FROM d ORDER BY id
TABLE k ORDER BY 1
SELECT r.* FROM r WHERE r.id = 1
SELECT public_r.t FROM r AS public_r WHERE public_r.t = 'alpha' ORDER BY id
SELECT "t" AS "T", T FROM R WHERE "t" > 'A' ORDER BY "T", id
SELECT id FROM r WHERE i4 = +1
SELECT id FROM r WHERE i4 = - 1
SELECT id FROM r WHERE i4 = -2147483648
SELECT id FROM r WHERE i4 = 1.0
SELECT id FROM r WHERE i2 = 1 AND i8 = 3000000000
SELECT id FROM r WHERE i2 = 100000
SELECT id FROM r WHERE i2 < 100000 ORDER BY id
SELECT id FROM r WHERE i4 > -99999999999 ORDER BY id
SELECT id FROM r WHERE i8 = 9223372036854775808
SELECT id FROM r WHERE n = 1.5000
SELECT id FROM r WHERE n > -1e30 ORDER BY id
SELECT id FROM d WHERE n = 1.5000 ORDER BY id
SELECT id FROM r WHERE n = 0
SELECT id FROM r WHERE f8 = 0 ORDER BY id
SELECT id FROM r WHERE f8 = '-0'
SELECT id FROM d WHERE f8 = 0.0
SELECT id FROM r WHERE f8 = 'nan'
SELECT id FROM r WHERE f8 >= 'infinity' ORDER BY id
SELECT id FROM r WHERE f8 > 1e400
SELECT id FROM r WHERE t = E'it\'s'
SELECT id FROM r WHERE t = U&'al\0070ha' ORDER BY id
SELECT id FROM r WHERE t = $x$alpha$x$ ORDER BY id
SELECT id FROM r WHERE t = 'alp'\n'ha' ORDER BY id
SELECT id FROM r WHERE t = '' ORDER BY id
SELECT id FROM r WHERE t = 'alpha ' ORDER BY id
SELECT id FROM r WHERE v = 'Alpha'
SELECT id FROM r WHERE v = 'Alpha '
SELECT id FROM r WHERE by = 'abc'
SELECT id FROM r WHERE by = E'\\000'
SELECT id FROM r WHERE by < '\x01' ORDER BY id
SELECT id FROM r WHERE da > '1999-01-08 BC' ORDER BY id
SELECT id FROM r WHERE da = DATE '2020-02-29' ORDER BY id
SELECT id FROM r WHERE ts > DATE '2000-01-01' ORDER BY id
SELECT id FROM r WHERE tz = '2020-02-29 11:34:56+01' ORDER BY id
SELECT id FROM r WHERE tz < TIMESTAMP WITH TIME ZONE '2020-01-01 00:00:00+00' ORDER BY id
SELECT id FROM r WHERE b = true ORDER BY id
SELECT id FROM r WHERE b <> 'no' ORDER BY id
SELECT id FROM r WHERE NOT (b = false) ORDER BY id
SELECT id FROM r WHERE u > 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11' ORDER BY id
SELECT id FROM r WHERE t = NULL
SELECT id FROM r WHERE t IS NULL AND d IS NULL
SELECT id FROM r WHERE t IS NOT NULL AND (i4 IS NULL OR i4 > 0) ORDER BY id
SELECT id FROM r WHERE t IN (SELECT t FROM k) ORDER BY id
SELECT id FROM r WHERE t NOT IN (SELECT t FROM k WHERE t IS NOT NULL) ORDER BY id
SELECT id FROM d WHERE t NOT IN (SELECT t FROM kd) ORDER BY id
SELECT id FROM r WHERE t > ALL (SELECT t FROM k WHERE id < 1) ORDER BY id
SELECT id FROM r WHERE t = ANY (SELECT t FROM k WHERE k.id = r.id) ORDER BY id
SELECT id FROM r WHERE t = ANY (ARRAY['alpha', 'it''s']) ORDER BY id
SELECT id FROM r WHERE t <> ALL (ARRAY['alpha', 'it''s']) ORDER BY id
SELECT id FROM r WHERE i4 = (SELECT max(i4) FROM k)
SELECT id FROM r WHERE EXISTS (SELECT FROM k WHERE k.t = r.t AND k.i4 >= r.i4) ORDER BY id
SELECT id FROM r x WHERE NOT EXISTS (SELECT 1 FROM d WHERE d.id = x.id AND x.t = 'alpha') ORDER BY id
SELECT id, (SELECT k.t FROM k WHERE k.t = r.t LIMIT 1) FROM r ORDER BY id
SELECT (SELECT min(t) FROM r), (SELECT count(*) FROM k)
SELECT id FROM r WHERE (t, i4) = ('alpha', 1) ORDER BY id
SELECT id FROM r WHERE (t, grp) IN (('alpha', 0), ('', 1)) ORDER BY id
SELECT id FROM r WHERE (t, id) IN (SELECT t, id FROM k) ORDER BY id
WITH q AS (SELECT id, t AS x FROM r WHERE t > 'B') SELECT x FROM q ORDER BY x
WITH q (a, b) AS (VALUES (1, 'alpha'), (2, 'it''s')) SELECT q.a, r.id FROM q JOIN r ON r.t = q.b ORDER BY 1, 2
WITH q AS MATERIALIZED (SELECT * FROM d) SELECT count(*) FROM q WHERE t = 'alpha'
WITH RECURSIVE q AS (SELECT id, t FROM r WHERE id = 0 UNION ALL SELECT r.id, r.t FROM r JOIN q ON r.id = q.id + 1) SELECT * FROM q ORDER BY id
SELECT x.t FROM (SELECT t, i4 FROM r WHERE i4 > 0) AS x (t, n) WHERE x.n < 100 ORDER BY x.t
SELECT r.id, q.m FROM r, LATERAL (SELECT max(k.t) AS m FROM k WHERE k.grp = r.grp) q ORDER BY r.id
SELECT * FROM r JOIN k USING (t) ORDER BY r.id, k.id
SELECT t, r.id FROM r LEFT JOIN k USING (t) ORDER BY r.id, k.id
SELECT t, r.id AS rid, k.id AS kid FROM r FULL JOIN k USING (t) ORDER BY rid, kid
SELECT count(*) FROM r NATURAL JOIN k
SELECT t FROM r NATURAL LEFT JOIN (SELECT t FROM k) q ORDER BY id
SELECT r.id, k.id FROM r RIGHT JOIN k ON r.t = k.t AND r.i4 > 0 ORDER BY 2, 1
SELECT r.id, k.id FROM r CROSS JOIN k WHERE r.t = k.t ORDER BY 1, 2
SELECT a.id, b.id FROM d a, d b WHERE a.t = b.t AND a.id < b.id ORDER BY 1, 2
SELECT a.id, b.id, c.id FROM r a JOIN r b ON a.t = b.t JOIN k c ON c.t = b.t ORDER BY 1, 2, 3
SELECT t FROM r UNION ALL SELECT t FROM k ORDER BY 1 NULLS FIRST
SELECT t FROM r EXCEPT SELECT t FROM k ORDER BY t
(SELECT t FROM r ORDER BY t LIMIT 3) UNION (SELECT 'zebra') ORDER BY 1 DESC
SELECT t FROM r INTERSECT ALL SELECT 'alpha'
SELECT 'alpha' AS c UNION SELECT t FROM r ORDER BY c
VALUES ((SELECT t FROM r WHERE id = 0)), ('x')
SELECT grp, max(t), min(i4), count(da) FROM r GROUP BY grp ORDER BY grp
SELECT grp, t, count(*) FROM r GROUP BY grp, t ORDER BY 1, 2
SELECT grp, t, count(*) FROM r GROUP BY ROLLUP (grp, t) ORDER BY 1 NULLS FIRST, 2 NULLS FIRST, 3
SELECT t, count(*) FROM r GROUP BY GROUPING SETS ((t), ()) ORDER BY 2, 1
SELECT t FROM r GROUP BY t HAVING count(*) > 1
SELECT grp FROM r GROUP BY grp HAVING max(t) > 'b' ORDER BY grp
SELECT t AS x, count(*) FROM r GROUP BY x ORDER BY x
SELECT t, count(*) FROM d GROUP BY 1 HAVING count(*) = 2
SELECT DISTINCT ON (grp) grp, t FROM r ORDER BY grp, t DESC, id
SELECT DISTINCT ON (t) t, id FROM r ORDER BY t, id
SELECT DISTINCT t, b FROM d ORDER BY b NULLS LAST
SELECT count(*) FILTER (WHERE t > 'b'), max(t) FILTER (WHERE grp = 1) FROM r
SELECT id, row_number() OVER (PARTITION BY grp ORDER BY t DESC, id), first_value(t) OVER w, last_value(i4) OVER w FROM r WINDOW w AS (PARTITION BY grp ORDER BY id) ORDER BY id
SELECT id, lead(t, 1, 'none') OVER (ORDER BY id), nth_value(t, 2) OVER (ORDER BY id) FROM r ORDER BY id
SELECT id, dense_rank() OVER (ORDER BY t NULLS FIRST), max(t) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM r ORDER BY id
SELECT id FROM r ORDER BY t COLLATE "C", id
SELECT t FROM r ORDER BY t LIMIT 3 OFFSET 2
SELECT t FROM r ORDER BY t DESC FETCH FIRST 2 ROWS ONLY
SELECT t FROM r ORDER BY t FETCH FIRST 2 ROWS WITH TIES
SELECT id FROM r ORDER BY t = 'alpha', i4 > 0, id
SELECT id, t = 'alpha' AS hit, i4 IN (1, 2) AS few FROM r ORDER BY id
SELECT CASE t WHEN 'alpha' THEN 1 WHEN '' THEN 2 END FROM r ORDER BY id
SELECT id FROM r WHERE CASE WHEN i4 > 0 THEN t = 'alpha' ELSE f8 > 0 END ORDER BY id
SELECT t FROM r WHERE id = 99
SELECT id FROM r WHERE t = 'alpha' FOR UPDATE
SELECT id FROM r WHERE i4 = 'abc'
SELECT id FROM r WHERE i2 = '99999'
SELECT id FROM r WHERE i8 = '99999999999999999999'
SELECT id FROM r WHERE da = '2021-02-29'
SELECT id FROM r WHERE da = 'never'
SELECT id FROM r WHERE da = '99999999-01-01'
SELECT id FROM r WHERE ts = '2020-01-01 25:00:00'
SELECT id FROM r WHERE tz = '2020-01-01 00:00:00 Nowhere/City'
SELECT id FROM r WHERE u = 'abc'
SELECT id FROM r WHERE b = 'maybe'
SELECT id FROM r WHERE n = '1.2.3'
SELECT id FROM r WHERE f8 = '1e999'
SELECT id FROM r WHERE by = '\xZZ'
SELECT id FROM r WHERE by = '\x123'
SELECT id FROM r WHERE t = 1
SELECT id FROM r WHERE i4 = true
SELECT id FROM r WHERE nothing = 'x'
SELECT id FROM nothing WHERE t = 'x'
SELECT r.id FROM r, k WHERE t = 'x'
SELEC id FROM r WHERE t = 'x'
SELECT id FROM r WHERE t = 'x
SELECT t FROM r GROUP BY i4
SELECT id FROM r WHERE t = 'a' ORDER BY 9
SELECT lower(t) FROM r
SELECT t || 'x' FROM r
SELECT i4 + 1 FROM r
SELECT t FROM d ORDER BY t
SELECT id FROM d WHERE t > 'a'
SELECT id FROM r WHERE t LIKE 'a%'
SELECT id FROM r WHERE t::varchar = 'x'
SELECT id FROM r WHERE b ORDER BY id
SELECT id FROM r WHERE (t, i4) < ('b', 1)
SELECT r FROM r
SELECT id FROM r WHERE i4 = id
SELECT r.id FROM r JOIN d ON r.t = d.t
SELECT id FROM r WHERE b = (1 + 0)::boolean
SELECT id FROM r WHERE da = 'today'
SELECT id FROM r WHERE i4 > 0.5 ORDER BY id
SELECT id, t FROM r ORDER BY t DESC NULLS FIRST, i4, id LIMIT 4
SELECT id FROM r ORDER BY grp, t NULLS FIRST, id DESC
SELECT id FROM r ORDER BY CASE WHEN t = 'alpha' THEN 0 ELSE 1 END, id
SELECT t FROM r ORDER BY t USING >
SELECT id FROM r ORDER BY i4 USING <, id
SELECT t, i4, count(*), min(da), max(tz) FROM r GROUP BY t, i4 ORDER BY t, i4
SELECT t FROM r GROUP BY t HAVING t LIKE 'a%' AND count(*) > 1
SELECT grp, count(DISTINCT t), count(DISTINCT i4) FROM r GROUP BY grp ORDER BY grp
SELECT grp, t FROM r GROUP BY CUBE (grp, t) ORDER BY grp NULLS FIRST, t NULLS FIRST
SELECT t = 'alpha' AS hit, count(*) FROM r GROUP BY t = 'alpha' ORDER BY hit
SELECT min(t), max(t), min(i4), max(f8), min(n), max(iv), min(ip), max(ti) FROM r
SELECT DISTINCT t, i4 FROM r ORDER BY t, i4
SELECT DISTINCT ON (i4) i4, t, id FROM r ORDER BY i4, t, id
SELECT id, ntile(2) OVER (ORDER BY t, id), percent_rank() OVER (ORDER BY i4), cume_dist() OVER (ORDER BY t) FROM r ORDER BY id
SELECT id, count(*) OVER (PARTITION BY t ORDER BY i4), sum(grp) OVER (ORDER BY t, id) FROM r ORDER BY id
SELECT id, lag(t, 2) OVER w, lead(i4, 1, 0) OVER w FROM r WINDOW w AS (PARTITION BY grp ORDER BY id) ORDER BY id
SELECT id, min(i4) OVER (ORDER BY t GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM r ORDER BY id
SELECT id FROM (SELECT id, rank() OVER (ORDER BY t) AS place FROM r) q WHERE place < 4 ORDER BY id
SELECT t FROM r UNION SELECT t FROM k UNION ALL SELECT 'x' ORDER BY 1
SELECT t, i4 FROM r EXCEPT ALL SELECT t, i4 FROM k ORDER BY 1, 2
SELECT count(*) FROM (SELECT t FROM d UNION SELECT t FROM kd EXCEPT SELECT 'alpha') q
SELECT NULL AS t UNION SELECT t FROM r ORDER BY 1
SELECT r.id FROM r LEFT JOIN k ON k.t = r.t WHERE k.t IS NULL ORDER BY 1
SELECT r.id, k.id FROM r FULL JOIN k ON r.t = k.t AND k.t LIKE 'a%' ORDER BY 1, 2
SELECT r.id, k.id FROM r JOIN k ON r.t = k.t AND r.i4 = k.i4 AND r.b = k.b ORDER BY 1, 2
SELECT r.id, k.id FROM r JOIN k ON (r.t, r.i4) = (k.t, k.i4) ORDER BY 1, 2
SELECT r.id, k.id FROM r JOIN k USING (t, i4) ORDER BY 1, 2
SELECT t, count(*) FROM r JOIN k USING (t) GROUP BY t ORDER BY t
SELECT a.t FROM r a, r b WHERE a.t = b.t AND a.id <> b.id ORDER BY a.id
SELECT r.id, q.id FROM r LEFT JOIN LATERAL (SELECT k.id FROM k WHERE k.t <= r.t ORDER BY k.t DESC, k.id LIMIT 1) q ON true ORDER BY r.id
SELECT r.id, q.n FROM r CROSS JOIN LATERAL (SELECT count(*) AS n FROM k WHERE k.i4 < r.i4) q ORDER BY 1
WITH RECURSIVE q (id, t) AS (SELECT id, t FROM k WHERE id = 0 UNION SELECT r.id, r.t FROM r JOIN q ON r.t = q.t) SELECT * FROM q ORDER BY id
WITH q AS (SELECT t, i4 FROM r), w AS (SELECT t FROM q WHERE i4 > 0) SELECT * FROM w WHERE t LIKE 'a%' ORDER BY t
WITH q AS NOT MATERIALIZED (SELECT * FROM r) SELECT id FROM q WHERE i4 = 1 ORDER BY id
SELECT (SELECT t FROM k WHERE k.i4 = r.i4 ORDER BY k.id LIMIT 1) FROM r ORDER BY id
SELECT id FROM r WHERE t = (SELECT t FROM k WHERE id = 0) ORDER BY id
SELECT id FROM r WHERE ROW (t, i4) = (SELECT t, i4 FROM k WHERE id = 0) ORDER BY id
SELECT ARRAY(SELECT t FROM r)
SELECT array_agg(t) FROM r
SELECT string_agg(t, ',') FROM r
SELECT bool_and(b) FROM r
SELECT mode() WITHIN GROUP (ORDER BY t) FROM r
SELECT length(t) FROM r
SELECT upper(t) FROM r
SELECT substring(t, 1, 1) FROM r
SELECT extract(year FROM da) FROM r
SELECT date_trunc('month', ts) FROM r
SELECT da - 1 FROM r
SELECT -i4 FROM r
SELECT t::int FROM r
SELECT i4::text FROM r
SELECT t::varchar(3) FROM r
SELECT id FROM r WHERE t ~ '^a'
SELECT id FROM r WHERE t SIMILAR TO 'a%'
SELECT id FROM r WHERE t LIKE v
SELECT id FROM r WHERE i4 LIKE '1'
SELECT id FROM d WHERE t LIKE 'a%'
SELECT id FROM d ORDER BY i4
SELECT min(t) FROM d
SELECT id FROM d WHERE i4 BETWEEN 1 AND 2
SELECT greatest(t, 'x') FROM d
SELECT id FROM r WHERE j = '1'
SELECT jb -> 'a' FROM r
SELECT row_to_json(r) FROM r
SELECT id FROM r WHERE t = grp::text
SELECT id FROM r WHERE i4 = grp
SELECT id FROM r WHERE t = version()
SELECT id FROM r WHERE t = i4
SELECT id FROM r JOIN d USING (t)
SELECT t FROM r UNION SELECT t FROM d
""".strip().split("\n")
QUERIES = [query.replace("'\\n'", "'\n'") for query in QUERIES]
STATEMENTS = [
    *(place.replace("{}", predicate) for predicate in PREDICATES for place in PLACES),
    *(place.replace("{}", predicate).replace(" r ", " d ") for predicate in DETERMINISTIC for place in PLACES[:2]),
    *QUERIES,
]

# Refused on encrypted columns (docs/refusals.md); the twin need not fail.
REFUSED = {
    statement: code
    for code, statements in {
        "CL6001": [
            'SELECT lower(t) FROM r',
            "SELECT t || 'x' FROM r",
            'SELECT i4 + 1 FROM r',
            'SELECT r FROM r',
            'SELECT t FROM r ORDER BY t USING >',
            'SELECT id FROM r ORDER BY i4 USING <, id',
            'SELECT ARRAY(SELECT t FROM r)',
            'SELECT array_agg(t) FROM r',
            "SELECT string_agg(t, ',') FROM r",
            'SELECT bool_and(b) FROM r',
            'SELECT mode() WITHIN GROUP (ORDER BY t) FROM r',
            'SELECT length(t) FROM r',
            'SELECT upper(t) FROM r',
            'SELECT substring(t, 1, 1) FROM r',
            'SELECT extract(year FROM da) FROM r',
            "SELECT date_trunc('month', ts) FROM r",
            'SELECT da - 1 FROM r',
            'SELECT -i4 FROM r',
            'SELECT t::int FROM r',
            'SELECT i4::text FROM r',
            'SELECT t::varchar(3) FROM r',
            "SELECT id FROM r WHERE t ~ '^a'",
            "SELECT id FROM r WHERE t SIMILAR TO 'a%'",
            'SELECT id FROM r WHERE t LIKE v',
            "SELECT id FROM r WHERE i4 LIKE '1'",
            "SELECT id FROM d WHERE t LIKE 'a%'",
            "SELECT jb -> 'a' FROM r",
            'SELECT row_to_json(r) FROM r',
        ],
        "CL6005": [
            'SELECT id FROM r WHERE i4 = id',
            'SELECT id FROM r WHERE t = grp::text',
            'SELECT id FROM r WHERE i4 = grp',
            'SELECT id FROM r WHERE t = version()',
        ],
        "CL6006": [
            'SELECT r.id FROM r JOIN d ON r.t = d.t',
            'SELECT id FROM r WHERE t = i4',
            'SELECT id FROM r JOIN d USING (t)',
            'SELECT t FROM r UNION SELECT t FROM d',
        ],
        "CL6007": [
            'SELECT DISTINCT t, b FROM d ORDER BY b NULLS LAST',
            'SELECT t FROM d ORDER BY t',
            "SELECT id FROM d WHERE t > 'a'",
            'SELECT id FROM d ORDER BY i4',
            'SELECT min(t) FROM d',
            'SELECT id FROM d WHERE i4 BETWEEN 1 AND 2',
            "SELECT greatest(t, 'x') FROM d",
        ],
        "CL6012": [
            'SELECT id FROM r WHERE t = 1',
            'SELECT id FROM r WHERE i4 = true',
        ],
    }.items()
    for statement in statements
}

REFUSED |= dict.fromkeys(
    [
        'SELECT id FROM r WHERE f8 > 1e400',
        "SELECT id FROM r WHERE da = 'today'",
        'SELECT id FROM r WHERE b = (1 + 0)::boolean',
    ],
    "CL2109",
)


def test_operations(sides, binary):
    failures = compare(sides, STATEMENTS, binary, REFUSED)
    assert not failures, shown(failures)


def test_what_is_refused_is_here():
    assert REFUSED.keys() <= set(STATEMENTS)
