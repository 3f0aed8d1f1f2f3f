SELECT id FROM r WHERE t LIKE 'al%' ORDER BY id
SELECT id FROM r WHERE t LIKE '%a' ORDER BY id
SELECT id FROM r WHERE t LIKE '_lph_' ORDER BY id
SELECT id FROM r WHERE t LIKE '%\%%' ORDER BY id
SELECT id FROM r WHERE t LIKE '%!%%' ESCAPE '!' ORDER BY id
SELECT id FROM r WHERE t LIKE '50%\x' ESCAPE '' ORDER BY id
SELECT id FROM r WHERE t LIKE 'x!' ESCAPE '!' ORDER BY id
SELECT id FROM r WHERE t LIKE 'x' ESCAPE 'ab' ORDER BY id
SELECT id FROM r WHERE t NOT LIKE 'a%' ORDER BY id
SELECT id FROM r WHERE t ILIKE 'B%' ORDER BY id
SELECT id FROM r WHERE t NOT ILIKE 'ALPHA' ORDER BY id
SELECT id FROM r WHERE v LIKE 'Ü%' ORDER BY id
SELECT id FROM r WHERE v ILIKE '%NÏ' ORDER BY id
SELECT id FROM r WHERE c LIKE 'b%' ORDER BY id
SELECT id FROM r WHERE t ~~ 'B%' ORDER BY id
SELECT id FROM r WHERE t !~~ 'B%' ORDER BY id
SELECT id FROM r WHERE t ~~* 'b%' ORDER BY id
SELECT id FROM r WHERE t !~~* 'b%' ORDER BY id
SELECT id FROM r WHERE starts_with(t, 'al') ORDER BY id
SELECT id FROM r WHERE t ^@ 'al' ORDER BY id
SELECT id FROM r WHERE t LIKE NULL ORDER BY id
SELECT id FROM r WHERE t LIKE ANY (ARRAY['al%', 'B%']) ORDER BY id
SELECT id FROM r WHERE t = ANY (ARRAY['alpha', 'x']) ORDER BY id
SELECT id FROM r WHERE t = ANY ('{alpha,"B\"x",NULL}') ORDER BY id
SELECT id FROM r WHERE t <> ALL ('{alpha}'::text[]) ORDER BY id
SELECT id FROM r WHERE i4 = ANY ('{1,42}') ORDER BY id
SELECT id FROM r WHERE i8 = ANY (ARRAY[1, 3000000000]) ORDER BY id
SELECT id FROM r WHERE n < ANY ('{0,1}') ORDER BY id
SELECT id FROM d WHERE t = ANY ('{alpha,x}') ORDER BY id
SELECT id FROM d WHERE i4 = ANY (ARRAY[1, -2]) ORDER BY id
SELECT id FROM d WHERE u = ANY ('{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'::uuid[]) ORDER BY id
SELECT id FROM r WHERE da = ANY ('{2020-02-29,infinity}'::date[]) ORDER BY id
SELECT id FROM r WHERE i4 = ANY ('{1,x}') ORDER BY id
SELECT id FROM r WHERE i4 = ANY ('{1') ORDER BY id
SELECT id FROM r WHERE t IN ('alpha', NULL) ORDER BY id
SELECT id FROM r WHERE t NOT IN ('alpha', 'x') ORDER BY id
SELECT id FROM r WHERE i4 BETWEEN 0 AND 50 ORDER BY id
SELECT id FROM r WHERE i4 BETWEEN SYMMETRIC 50 AND 0 ORDER BY id
SELECT id FROM r WHERE NOT (i4 BETWEEN 0 AND 50) ORDER BY id
SELECT id FROM r WHERE t IS DISTINCT FROM 'alpha' ORDER BY id
SELECT id FROM r WHERE t IS NOT DISTINCT FROM NULL ORDER BY id
SELECT id FROM r WHERE i4 > 3000000000 ORDER BY id
SELECT id FROM r WHERE i2 < 100000 ORDER BY id
SELECT id FROM r WHERE i4 > 0.5 ORDER BY id
SELECT id FROM r WHERE i8 = 1.0 ORDER BY id
SELECT id FROM r WHERE i4 = 1.5 ORDER BY id
pending| SELECT id FROM r WHERE da >= '2020-01-01'::date - 30 ORDER BY id
pending| SELECT id FROM r WHERE da > DATE '2020-03-01' - 365 ORDER BY id
pending| SELECT id FROM r WHERE da < current_date ORDER BY id
pending| SELECT id FROM r WHERE da > current_date - interval '1 year' ORDER BY id
pending| SELECT id FROM r WHERE ts < now() ORDER BY id
pending| SELECT id FROM r WHERE tz < now() - interval '1 day' ORDER BY id
pending| SELECT id FROM r WHERE ts >= '2020-01-01'::timestamp + interval '1 month' ORDER BY id
pending| SELECT id FROM r WHERE t = lower('ALPHA') ORDER BY id
pending| SELECT id FROM r WHERE t = upper('x') ORDER BY id
pending| SELECT id FROM r WHERE t = 'al' || 'pha' ORDER BY id
pending| SELECT id FROM r WHERE t = concat('al', 'pha') ORDER BY id
pending| SELECT id FROM r WHERE t = trim('  alpha ') ORDER BY id
pending| SELECT id FROM r WHERE i4 = 40 + 2 ORDER BY id
pending| SELECT id FROM r WHERE i4 = 2 * 21 ORDER BY id
pending| SELECT id FROM r WHERE i4 = -(2) ORDER BY id
pending| SELECT id FROM r WHERE i4 = 1 / 0 ORDER BY id
pending| SELECT id FROM r WHERE da = make_date(2020, 2, 29) ORDER BY id
pending| SELECT id FROM r WHERE t LIKE 'al' || '%' ORDER BY id
SELECT id FROM r WHERE coalesce(t, 'none') = 'none' ORDER BY id
SELECT id FROM r WHERE nullif(t, 'alpha') IS NULL ORDER BY id
SELECT id, CASE WHEN i4 > 5 THEN t ELSE 'small' END FROM r ORDER BY id
SELECT id, CASE t WHEN 'alpha' THEN 1 WHEN 'Beta' THEN 2 ELSE 0 END FROM r ORDER BY id
SELECT id, CASE WHEN t = 'alpha' THEN t END FROM r ORDER BY id
SELECT greatest(i4, 5), least(i4, 5) FROM r ORDER BY id
SELECT greatest(da, '2000-01-01'), least(t, 'b') FROM r ORDER BY id
SELECT id FROM r ORDER BY t, id
SELECT id FROM r ORDER BY t DESC NULLS LAST, id
SELECT id FROM r ORDER BY t NULLS FIRST, i4 DESC, id
SELECT id FROM r ORDER BY grp, n, id
SELECT id FROM r ORDER BY 2, 1
SELECT t, id FROM r ORDER BY 1, 2
CL6001| SELECT id FROM r ORDER BY t USING <
SELECT t, count(*) FROM r GROUP BY t ORDER BY t
SELECT t, i4, count(*) FROM r GROUP BY t, i4 ORDER BY t, i4
SELECT t, count(*) FROM r GROUP BY 1 ORDER BY 1
SELECT t AS x, count(*) FROM r GROUP BY x ORDER BY x
SELECT count(*) FROM d GROUP BY t ORDER BY 1
SELECT t, count(*) FROM r GROUP BY ROLLUP (t) ORDER BY t NULLS LAST, 2
SELECT t, grp, count(*) FROM r GROUP BY CUBE (t, grp) ORDER BY t NULLS LAST, grp NULLS LAST, 3
SELECT t, count(*) FROM r GROUP BY GROUPING SETS ((t), ()) ORDER BY t NULLS LAST, 2
SELECT grp, max(t) FROM r GROUP BY grp HAVING max(t) > 'B' ORDER BY grp
SELECT t FROM r GROUP BY t HAVING t > 'B' ORDER BY t
SELECT DISTINCT t FROM r ORDER BY t
SELECT DISTINCT ON (t) t, id FROM r ORDER BY t, id
SELECT DISTINCT ON (grp) grp, t FROM r ORDER BY grp, t DESC NULLS LAST
SELECT min(t), max(t), min(i4), max(n), min(da), max(ts) FROM r
SELECT min(ti), max(tt), min(iv), max(ip), min(c), max(f4) FROM r
SELECT count(DISTINCT t), count(DISTINCT i4), count(t), count(*) FROM r
SELECT count(DISTINCT t), count(DISTINCT u) FROM d
SELECT grp, count(*) FILTER (WHERE t = 'alpha') FROM r GROUP BY grp ORDER BY grp
CL6001| SELECT string_agg(t, ',') FROM r
CL6001| SELECT array_agg(t) FROM r
CL6001| SELECT lower(t) FROM r
CL6001| SELECT length(t) FROM r
CL6001| SELECT t || 'x' FROM r
CL6001| SELECT i4 + 1 FROM r
pending| SELECT t::varchar FROM r
CL6001| SELECT extract(year FROM da) FROM r
CL6001| SELECT id FROM r WHERE t SIMILAR TO 'a%'
CL6001| SELECT id FROM r WHERE t COLLATE "de_DE" = 'a'
CL6007| SELECT id FROM d WHERE i4 > 0
CL6007| SELECT id FROM d ORDER BY t
CL6007| SELECT min(t) FROM d
CL6001| SELECT id FROM d WHERE t LIKE 'a%'
CL6005| SELECT r.id FROM r JOIN plain ON r.t = plain.t
CL6005| SELECT id FROM r WHERE i4 = id
CL6006| SELECT r.id FROM r JOIN d ON r.t = d.t
CL6001| SELECT r FROM r
CL6001| SELECT row_to_json(r) FROM r
SELECT row_number() OVER (ORDER BY t, id), id FROM r ORDER BY id
SELECT id, rank() OVER (ORDER BY t), dense_rank() OVER (ORDER BY t DESC) FROM r ORDER BY id
SELECT id, lag(t) OVER (ORDER BY id), lead(t, 2) OVER (ORDER BY id) FROM r ORDER BY id
SELECT id, lag(t, 1, 'none') OVER (ORDER BY id) FROM r ORDER BY id
SELECT id, first_value(t) OVER w, last_value(t) OVER w, nth_value(t, 2) OVER w FROM r WINDOW w AS (PARTITION BY grp ORDER BY id) ORDER BY id
SELECT id, count(*) OVER (PARTITION BY t) FROM r ORDER BY id
SELECT id, max(t) OVER (PARTITION BY grp) FROM r ORDER BY id
SELECT id, max(i4) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM r ORDER BY id
SELECT id, ntile(2) OVER (ORDER BY t, id), cume_dist() OVER (ORDER BY t) FROM r ORDER BY id
SELECT t FROM r UNION SELECT t FROM r ORDER BY 1
SELECT t FROM r UNION ALL SELECT t FROM r WHERE id = 0 ORDER BY 1
SELECT t FROM r INTERSECT SELECT t FROM r WHERE id < 2 ORDER BY 1
SELECT t FROM r EXCEPT SELECT t FROM r WHERE id < 2 ORDER BY 1
SELECT t FROM r WHERE id = 0 UNION SELECT 'other' ORDER BY 1
SELECT t FROM r WHERE id = 0 UNION VALUES ('x'), ('alpha') ORDER BY 1
SELECT a.id, b.id FROM r a JOIN r b ON a.t = b.t ORDER BY 1, 2
SELECT a.id, b.id FROM r a LEFT JOIN r b ON a.t < b.t ORDER BY 1, 2
SELECT a.id, b.id FROM r a FULL JOIN r b ON a.t = b.t AND a.id < b.id ORDER BY 1, 2
SELECT a.id, b.id FROM d a RIGHT JOIN d b ON a.u = b.u ORDER BY 1, 2
SELECT id FROM r a WHERE EXISTS (SELECT 1 FROM r b WHERE b.t = a.t AND b.id <> a.id) ORDER BY id
SELECT id FROM r a WHERE NOT EXISTS (SELECT 1 FROM r b WHERE b.t = a.t AND b.id <> a.id) ORDER BY id
SELECT id FROM r WHERE t IN (SELECT t FROM r WHERE id = 0) ORDER BY id
SELECT id FROM r WHERE t NOT IN (SELECT t FROM r WHERE id = 0) ORDER BY id
SELECT id FROM r WHERE i4 > ALL (SELECT i4 FROM r WHERE id < 2) ORDER BY id
SELECT id FROM r WHERE (t, i4) = ('alpha', 1) ORDER BY id
SELECT id FROM r WHERE (t, i4) IN (('alpha', 1), ('Beta', 5)) ORDER BY id
SELECT id FROM r WHERE (t, i4) IN (SELECT t, i4 FROM r WHERE id = 0) ORDER BY id
SELECT id FROM r WHERE (t, i4) <> ('alpha', 1) ORDER BY id
SELECT id FROM r WHERE (grp, t) < (1, 'b') ORDER BY id
SELECT id FROM r WHERE (t, i4) >= ('alpha', 1) ORDER BY id
SELECT id FROM r WHERE b = true ORDER BY id
SELECT id FROM r WHERE b IS NOT NULL ORDER BY id
SELECT id FROM r WHERE b ORDER BY id
SELECT id FROM r WHERE NOT b ORDER BY id
SELECT id FROM r WHERE b IS TRUE ORDER BY id
SELECT id FROM r WHERE b IS NOT FALSE ORDER BY id
SELECT id FROM r WHERE b IS UNKNOWN ORDER BY id
SELECT id FROM r WHERE b AND t = 'alpha' ORDER BY id
SELECT id, t = 'alpha', i4 > 0, da IS NULL FROM r ORDER BY id
SELECT (SELECT max(t) FROM r), (SELECT count(*) FROM d)
SELECT (SELECT t FROM r)
SELECT * FROM r WHERE t = 'alpha' FOR UPDATE
SELECT * FROM r ORDER BY id LIMIT 2 OFFSET 1
SELECT * FROM r ORDER BY t FETCH FIRST 2 ROWS WITH TIES
SELECT nothing FROM r
CL6012| SELECT id FROM r WHERE t = 5
SELECT id FROM r WHERE i4 = 'x'
SELECT id FROM r WHERE da = '2020-02-30'
SELECT id FROM r WHERE u = 'zzz'
SELECT id FROM r WHERE n = 'abc'
SELECT id FROM r WHERE iv = '1 parsec'
SELECT id FROM r WHERE ip = '300.1.1.1'
SELECT id FROM r WHERE by = '\xzz'
SELECT id FROM r WHERE f4 = '1e99'
SELECT id FROM r WHERE ti = '25:00:00'
