-- One statement a line, § a value for a marked column: bound or refused, never sent. Finds of the fuzz tests are added here.
SELECT 1 FROM people p WHERE name = (((§))) AND /* ' */ true
SELECT/**/1/**/FROM/**/people/**/WHERE/**/name=§
select 1 from PEOPLE where NAME = § or "name" = §
WITH w AS (SELECT 1 FROM people WHERE name = §) SELECT * FROM w
SELECT * FROM (SELECT 1 FROM people WHERE name = §) s
EXPLAIN (COSTS OFF) SELECT 1 FROM people WHERE name = §
