import Diagnostics
import Testing

@testable import SQLBinding

/// Statements in which `§` is a value for a marked column, in every syntactic position we could think of. Each must be
/// bound (and the value be nowhere in what is sent) or refused. What may rightly go out in the clear (a literal in a plain
/// column, an output of SELECT) is not here.
@Suite struct LeakSweepTests {
    static let operators = [
        "=", "<>", "!=", "<", "<=", ">", ">=", "~", "~*", "!~", "~~", "~~*", "!~~", "||", "^@", "@>", "&&", "IS DISTINCT FROM",
        "IS NOT DISTINCT FROM",
        "LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE", "SIMILAR TO", "OPERATOR(pg_catalog.=)", "OPERATOR(public.=)", "OPERATOR(pg_catalog.~)",
        "+", "-", "*", "@@", "->>", "#>",
    ]

    /// Conditions over `people p`.
    static let conditions: [String] =
        operators.flatMap { ["name \($0) §", "§ \($0) name", "NOT name \($0) §", "(name) \($0) (§)", "p.name \($0) §::text"] } + [
            "name IN (§)", "name IN ('a', §, nick)", "name NOT IN (§, NULL)", "§ IN (name, nick)", "§ NOT IN (SELECT name FROM people)",
            "name IN (SELECT §)",
            "name IN (VALUES (§), ('b'))", "name = ANY (ARRAY[§])", "name = ANY (ARRAY[§]::text[])",
            "name = ANY ('{§}')".replacing("'{§}'", with: "§"), "name <> ALL (ARRAY['a', §])",
            "name = SOME (SELECT §)", "name > ALL (SELECT § UNION SELECT 'b')", "§ = ANY (SELECT name FROM people)",
            "§ = ANY (ARRAY[name])", "ARRAY[name] = ARRAY[§]", "ARRAY[name] @> ARRAY[§]",
            "name BETWEEN § AND 'z'", "name BETWEEN 'a' AND §", "name NOT BETWEEN SYMMETRIC § AND 'z'", "§ BETWEEN name AND nick",
            "'b' BETWEEN name AND §",
            "(name, id) = (§, 1)", "(name, id) <> (§, 1)", "(id, name) < (1, §)", "ROW(name) = ROW(§)",
            "ROW(name, nick) IS DISTINCT FROM ROW(§, 'b')", "(name, nick) IN ((§, 'a'), ('b', 'c'))",
            "(name, id) IN (SELECT §, 1)", "(name, id) = (SELECT §, 1)", "(SELECT name, id) = (§, 1)",
            "(§, id) = ANY (SELECT name, id FROM people)", "(name, (nick, id)) = ('a', (§, 1))",
            "name = (SELECT §)", "(SELECT name) = §", "name = (SELECT x FROM (SELECT § AS x) s)",
            "name = (WITH c AS (SELECT § AS x) SELECT x FROM c)", "EXISTS (SELECT 1 WHERE p.name = §)",
            "EXISTS (SELECT FROM people q WHERE q.name = §)", "NOT EXISTS (SELECT FROM (VALUES (§)) v(x) WHERE x = p.name)",
            "EXISTS (SELECT 1 FROM plain WHERE p.name = § AND plain.t = 'q')",
            "name = lower(§)", "lower(name) = §", "name = concat(§, 'x')", "name = § || 'x'", "name || § = 'x'", "position(§ in name) > 0",
            "strpos(name, §) > 0", "substring(name from §) = 'x'",
            "overlay(name placing § from 1) = 'x'", "replace(name, §, '') = ''", "starts_with(name, §)",
            "regexp_match(name, §) IS NOT NULL", "name = format('%s', §)", "coalesce(name, §) = 'x'",
            "coalesce(name, 'x') = §", "nullif(name, §) IS NULL", "nullif(§, name) IS NULL", "greatest(name, §) = nick",
            "least(§, name) = nick", "CASE name WHEN § THEN true ELSE false END",
            "CASE WHEN name = § THEN true END", "CASE WHEN id = 1 THEN name ELSE § END = nick",
            "CASE WHEN id = 1 THEN § ELSE 'b' END = name", "name = CASE id WHEN 1 THEN § END",
            "CASE § WHEN name THEN true END", "(CASE WHEN name > § THEN 1 ELSE 2 END) = 1", "(name = §) IS TRUE", "(name = §) = true",
            "(name = §) IS NOT NULL", "(name = §) IN (true)", "(name, 1) IS NULL OR name = §",
            "name = § COLLATE \"C\"", "name COLLATE \"C\" = §", "name = (§)", "name = ((§))", "name = §::text", "name = §::varchar",
            "name = §::varchar(3)", "name = §::text::varchar", "name = CAST(§ AS text)",
            "name = CAST((§) AS varchar)", "name = text §", "name = varchar §", "name = pg_catalog.text §", "name = bpchar §",
            "name = char(9) §", "name = public.mytype §", "name = §::char(5)", "name = (§::text)",
            "name = text(§)", "name = (§)::text", "name::text = §", "CAST(name AS text) = §", "name = N§", "name IS NOT NULL AND name = §",
            "id = 1 OR (nick = 'a' AND name = §)", "NOT (name = §)",
            "name = max(§)", "xmlserialize(content name as text) = §", "name = string_agg(§, '')", "name = (ARRAY[§])[1]",
            "name = (ROW(§)).f1", "jsonb_build_object('a', name) = §", "to_json(p) ->> 'name' = §",
            "p = ROW(1, §)", "p::text = §", "(p).name = §", "name(p) = §", "p.* = ROW(§)", "p IS NOT DISTINCT FROM (1, §)",
            "people_fn(p) = § OR name = §", "alive = (nick = §)", "name = § IS TRUE",
            "pid = §", "pid < §", "pid BETWEEN § AND 'z'", "pid IN (§)", "pid LIKE §", "pid = name OR pid = §", "birth = §",
            "birth = date §", "birth = §::date", "birth = date(§)", "birth > §::timestamp", "birth = to_date(§, 'YYYY')",
            "birth + 1 = §", "birth - interval '1 day' > §", "age(birth) = §", "extract(year from birth) = §",
            "date_trunc('year', birth) = §", "(birth, birth) OVERLAPS (§, §)", "birth IN (§, CURRENT_DATE)", "seen AT TIME ZONE § = now()",
            "weight = §", "weight::text = §", "-weight = §", "weight = -§", "weight % § = 0", "weight & § = 0", "alive = §",
            "alive = §::bool", "(alive OR name = §)", "name = U&§", "score = §", "name = E§", "name > § AND name < 'z'",
        ]

    /// Whole statements.
    static let statements: [String] =
        conditions.map { "SELECT 1 FROM people p WHERE \($0)" } + [
            "SELECT name = § FROM people", "SELECT (name = §)::int FROM people", "SELECT count(*) FILTER (WHERE name = §) FROM people",
            "SELECT sum(CASE WHEN name = § THEN 1 END) FROM people",
            "SELECT max(name) FROM people HAVING max(name) = §", "SELECT name FROM people GROUP BY name HAVING name > §",
            "SELECT 1 FROM people GROUP BY name = §", "SELECT 1 FROM people ORDER BY name = §, name <> 'b'",
            "SELECT row_number() OVER (PARTITION BY name = §) FROM people",
            "SELECT row_number() OVER w FROM people WINDOW w AS (ORDER BY name < §)",
            "SELECT lag(name, 1, §) OVER (ORDER BY id) FROM people",
            "SELECT DISTINCT ON (name = §) id FROM people", "SELECT 1 LIMIT (SELECT count(*) FROM people WHERE name = §)",
            "SELECT 1 FROM people OFFSET (SELECT 1 FROM people q WHERE q.name = §)",
            "SELECT name FROM people UNION SELECT §", "SELECT § UNION ALL SELECT name FROM people",
            "(SELECT name FROM people) EXCEPT (VALUES (§))", "SELECT name FROM people INTERSECT SELECT t FROM plain WHERE t = §",
            "SELECT name FROM people UNION SELECT § UNION SELECT 'b' ORDER BY 1", "VALUES (§) UNION SELECT name FROM people",
            "SELECT coalesce(name, §) FROM people", "SELECT coalesce(§, name) FROM people",
            "SELECT CASE WHEN id = 1 THEN name ELSE § END FROM people", "SELECT greatest(name, §) FROM people",
            "SELECT 1 FROM people a JOIN people b ON a.name = b.nick AND b.name = §",
            "SELECT 1 FROM people a LEFT JOIN plain b ON a.name = §",
            "SELECT 1 FROM people NATURAL JOIN (VALUES (§)) v(name)", "SELECT 1 FROM people JOIN (SELECT § AS name) v USING (name)",
            "SELECT 1 FROM people, (VALUES (1, §)) v(i, n) WHERE v.n = name",
            "SELECT 1 FROM people, LATERAL (SELECT name = § AS b) l", "SELECT 1 FROM people, LATERAL (VALUES (§)) v(x) WHERE x >= name",
            "SELECT 1 FROM people, unnest(ARRAY[§]) u WHERE u = name", "SELECT 1 FROM people, generate_series(1, 2) g WHERE name = §",
            "WITH v(n) AS (VALUES (§)) SELECT 1 FROM people, v WHERE n = name",
            "WITH v AS (SELECT § AS n) SELECT 1 FROM people JOIN v ON v.n = people.name",
            "WITH p AS (SELECT * FROM people) SELECT 1 FROM p WHERE name = §",
            "WITH p AS (SELECT * FROM people), q AS (SELECT name AS z FROM p) SELECT 1 FROM q WHERE z = §",
            "WITH RECURSIVE r(n) AS (SELECT name FROM people UNION SELECT n FROM r WHERE n < §) SELECT 1 FROM r",
            "WITH RECURSIVE r(n) AS (SELECT § UNION SELECT name FROM people, r WHERE n = nick) SELECT 1 FROM r",
            "SELECT 1 FROM (SELECT name AS a FROM people) s(b) WHERE b = §",
            "SELECT 1 FROM (people p JOIN salaries s USING (pid)) j WHERE j.name = §",
            "SELECT 1 FROM people AS x(a, b) WHERE x.b = §", "SELECT 1 FROM people TABLESAMPLE SYSTEM (1) WHERE name = §",
            "SELECT 1 FROM ONLY people WHERE name = §", "SELECT 1 FROM people * WHERE name = §",
            "SELECT 1 FROM public.people WHERE public.people.name = §",
            "SELECT 1 FROM view_of WHERE person = §", "SELECT 1 FROM copyof WHERE name > §",
            "SELECT 1 FROM \"Mixed Case\" WHERE \"Secret\" = §", "SELECT 1 FROM people p, plain q WHERE q.t = 'x' AND p.nick = §",
            "SELECT * FROM people WHERE name = § FOR UPDATE",
            "TABLE people UNION SELECT 1, §, 'a', '1960-01-01', 1, true, 'p', 'n', '1960-01-01', 1",
            "SELECT 1 WHERE § IN (SELECT name FROM people)", "SELECT § IN (SELECT name FROM people)",
            "SELECT EXISTS (SELECT FROM people WHERE name = §)", "SELECT ARRAY(SELECT id FROM people WHERE name = §)",
            "SELECT (SELECT id FROM people WHERE name = § LIMIT 1)", "SELECT ((SELECT name FROM people)) = §",
            "SELECT xmlelement(name a, (SELECT id FROM people WHERE name = §))",
            "SELECT 1 FROM people WHERE name = § AND id IN (SELECT id FROM plain WHERE t = 'x')",
            "SELECT name FROM people FETCH FIRST (SELECT count(*) FROM people WHERE nick = §) ROWS ONLY",
            "SELECT 1; SELECT 1 FROM people WHERE name = §", "BEGIN; UPDATE people SET name = §; COMMIT",
            "SELECT 1 INTO t2 FROM people WHERE name = §",

            "INSERT INTO people (name) VALUES (§)", "INSERT INTO people VALUES (1, §)",
            "INSERT INTO people (id, name) VALUES (1, 'a'), (2, §)", "INSERT INTO people (name) SELECT §",
            "INSERT INTO people (name) SELECT § FROM plain", "INSERT INTO people (name) (VALUES (§)) ORDER BY 1",
            "INSERT INTO people (name) SELECT x FROM (SELECT § AS x) s",
            "INSERT INTO people (name) WITH c AS (SELECT § AS x) SELECT x FROM c",
            "WITH c AS (SELECT § AS x) INSERT INTO people (name) SELECT x FROM c", "INSERT INTO people (name) VALUES (lower(§))",
            "INSERT INTO people (name) VALUES ((SELECT §))", "INSERT INTO people (name) VALUES (§::text)",
            "INSERT INTO people (name) VALUES (CASE WHEN true THEN § END)", "INSERT INTO people (name) VALUES (coalesce(NULL, §))",
            "INSERT INTO people (name) VALUES (§ || 'x')",
            "INSERT INTO people AS p (name) VALUES (§)", "INSERT INTO people (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET name = §",
            "INSERT INTO people (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET (name, id) = (§, 1)",
            "INSERT INTO people (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET (name, id) = (SELECT §, 1)",
            "INSERT INTO people (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 1 WHERE people.name = §",
            "INSERT INTO people (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 1 WHERE excluded.name = §",
            "INSERT INTO people (id) VALUES (1) ON CONFLICT (id) WHERE name = § DO NOTHING",
            "INSERT INTO people (id) VALUES (1) ON CONFLICT ((name = §)) DO NOTHING",
            "INSERT INTO people (id) VALUES (1) RETURNING name = §", "INSERT INTO people (id) SELECT id FROM people WHERE name = §",
            "INSERT INTO plain (id) SELECT id FROM people WHERE name = §",
            "INSERT INTO plain (name) SELECT name FROM people WHERE name = §", "INSERT INTO people (name[1]) VALUES (§)",
            "INSERT INTO people (name.x) VALUES (§)",
            "INSERT INTO people SELECT 1, §", "INSERT INTO people (name, nick) SELECT § AS a, 'b' UNION ALL SELECT 'c', §",
            "INSERT INTO view_of (person) VALUES (§)", "INSERT INTO copyof VALUES (§)",
            "INSERT INTO public.people (name) OVERRIDING SYSTEM VALUE VALUES (§)", "INSERT INTO \"Mixed Case\" VALUES (§)",
            "WITH n AS (INSERT INTO people (name) VALUES (§) RETURNING id) SELECT * FROM n",
            "WITH n AS (UPDATE people SET name = § RETURNING id) SELECT * FROM n",
            "WITH n AS (DELETE FROM people WHERE name = § RETURNING id) INSERT INTO plain (id) SELECT id FROM n",
            "UPDATE people SET name = §", "UPDATE people SET id = 1 WHERE name = §", "UPDATE people SET (name, nick) = (§, 'a')",
            "UPDATE people SET (name, nick) = ROW(§, 'a')", "UPDATE people SET (name, nick) = (SELECT §, 'a')",
            "UPDATE people SET (id, nick) = (SELECT 1, § FROM plain)",
            "UPDATE people SET name = v.n FROM (VALUES (1, §)) v(i, n) WHERE v.i = id",
            "UPDATE people SET note = 'x' FROM plain WHERE people.name = §", "UPDATE plain SET t = 'x' FROM people WHERE people.name = §",
            "UPDATE people SET name = upper(§)", "UPDATE people SET name = name || §", "UPDATE people SET name[1] = §",
            "UPDATE people SET name.f = §", "UPDATE people p SET name = § RETURNING p.name", "UPDATE people SET id = 2 RETURNING name = §",
            "UPDATE people SET name = coalesce(name, §)", "UPDATE people SET name = CASE id WHEN 1 THEN § ELSE name END",
            "UPDATE people SET name = (SELECT § FROM plain LIMIT 1)", "UPDATE people SET note = (SELECT 'a' WHERE name = §)",
            "UPDATE plain SET id = (SELECT id FROM people WHERE name = §)", "UPDATE ONLY people SET name = §",
            "DELETE FROM people WHERE name = §", "DELETE FROM people p USING plain q WHERE p.name = § AND q.id = p.id",
            "DELETE FROM plain USING people WHERE people.name = §", "DELETE FROM people WHERE id IN (SELECT id FROM people WHERE name = §)",
            "DELETE FROM people RETURNING name = §", "DELETE FROM people WHERE name = § RETURNING *",
            "MERGE INTO people p USING plain q ON p.name = § WHEN MATCHED THEN DELETE",
            "MERGE INTO people p USING plain q ON p.id = q.id WHEN MATCHED THEN UPDATE SET name = §",
            "MERGE INTO people p USING plain q ON p.id = q.id WHEN NOT MATCHED THEN INSERT (name) VALUES (§)",
            "MERGE INTO people p USING plain q ON p.id = q.id WHEN NOT MATCHED THEN INSERT VALUES (1, §)",
            "MERGE INTO people p USING (VALUES (§)) v(x) ON p.name = v.x WHEN MATCHED THEN DO NOTHING",
            "MERGE INTO people p USING plain q ON p.id = q.id WHEN MATCHED AND p.name = § THEN DELETE",
            "MERGE INTO plain q USING people p ON p.id = q.id WHEN MATCHED AND p.name = § THEN DELETE",

            "CREATE TABLE public.people (name text DEFAULT §)", "CREATE TABLE public.people (name text CHECK (name <> §))",
            "CREATE TABLE public.people (name text, CHECK (name <> §))",
            "CREATE TABLE public.people (name text GENERATED ALWAYS AS (§) STORED)", "ALTER TABLE people ADD CHECK (name <> §)",
            "ALTER TABLE people ALTER name SET DEFAULT §",
            "ALTER TABLE people ADD COLUMN z text GENERATED ALWAYS AS (CASE WHEN name = § THEN 'a' END) STORED",
            "ALTER TABLE people ALTER note TYPE text USING CASE WHEN name = § THEN 'a' END", "CREATE INDEX ON people (id) WHERE name = §",
            "CREATE INDEX ON people ((name = §))", "CREATE VIEW v AS SELECT * FROM people WHERE name = §",
            "CREATE MATERIALIZED VIEW v AS SELECT * FROM people WHERE name = §", "CREATE TABLE t2 AS SELECT * FROM people WHERE name = §",
            "CREATE RULE r AS ON INSERT TO people WHERE name = § DO NOTHING",
            "CREATE RULE r AS ON INSERT TO plain DO ALSO INSERT INTO people (name) VALUES (§)",
            "CREATE POLICY p ON people USING (name = §)",
            "CREATE POLICY p ON plain USING (EXISTS (SELECT 1 FROM people WHERE name = §))",
            "CREATE TRIGGER t AFTER UPDATE ON people FOR EACH ROW WHEN (NEW.name = §) EXECUTE FUNCTION f()",
            "CREATE STATISTICS s ON (name = §), id FROM people",
            "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM people WHERE name = §; END",
            "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql RETURN (SELECT count(*) FROM people WHERE name = §)",
            "CREATE FUNCTION f(a int DEFAULT (SELECT 1 FROM people WHERE name = §)) RETURNS int LANGUAGE sql RETURN 1",
            "DO 'begin delete from people where name = ''x''; end'",
            "DO LANGUAGE plpgsql $x$begin perform 1 from people where name = §; end$x$", "PREPARE q AS SELECT * FROM people WHERE name = §",
            "DECLARE c CURSOR FOR SELECT * FROM people WHERE name = §", "EXPLAIN SELECT * FROM people WHERE name = §",
            "EXPLAIN ANALYZE UPDATE people SET name = §", "EXPLAIN CREATE TABLE t2 AS SELECT * FROM people WHERE name = §",
            "COPY (SELECT * FROM people WHERE name = §) TO STDOUT", "COPY people (id) FROM STDIN WHERE name = §",
            "COPY people FROM STDIN WHERE name = §", "CALL p((SELECT id FROM people WHERE name = §))",
            "SELECT 1 FROM people WHERE name = § UNION SELECT 1 FROM people WHERE nick = §", "SELECT 1 FROM people WHERE name = § AND",
            "SELEC 1 FROM people WHERE name = §", "SELECT 1 FROM people WHERE name = §)",
            "CREATE PUBLICATION p FOR TABLE people WHERE (name = §)",
            "SELECT query_to_xml('select 1 from people where name = ''§''', true, true, '')".replacing("''§''", with: "''MARKERVALUE''"),
            "SELECT 1 FROM XMLTABLE('/a' PASSING (SELECT id::text::xml FROM people WHERE name = §) COLUMNS a text)",
            "SELECT 1 FROM people p JOIN LATERAL (SELECT 1 FROM salaries s WHERE s.pid = p.pid AND p.name = §) l ON true",
            "SELECT 1 FROM people WHERE (SELECT name = §)",
            "SELECT 1 FROM people WHERE name = § ORDER BY (SELECT nick = § FROM people q LIMIT 1)",
            "SELECT rank(§) WITHIN GROUP (ORDER BY name) FROM people", "SELECT string_agg(note, ',' ORDER BY name = §) FROM people",
            "SELECT first_value(name) OVER (ORDER BY id) = § FROM people", "SELECT nth_value(coalesce(name, §), 1) OVER () FROM people",
            "SELECT min(coalesce(name, §)) FROM people", "SELECT count(DISTINCT coalesce(name, §)) FROM people",
            "SELECT count(nullif(name, §)) FROM people", "SELECT f(a => name = §) FROM people",
            "SELECT f(VARIADIC ARRAY[name = §]) FROM people",
        ]

    static let marker = "MARKERVALUE"

    /// The literal forms `§` takes.
    static let literals = [
        "'\(marker)'", "'''\(marker)'", "$$\(marker)$$", "$q$\(marker)$q$", "E'\(marker)\\n'", "'x'\n'\(marker)'",
        "/* c */'\(marker)'-- c\n",
    ]

    @Test(arguments: literals) func boundOrRefused(literal: String) {
        var bound = 0
        for statement in Self.statements {
            let sql = statement.replacing("U&§", with: literal.hasPrefix("'") ? "U&\(literal)" : literal)
                .replacing("E§", with: literal.hasPrefix("'") ? "E\(literal)" : literal).replacing(
                    "N§", with: literal.hasPrefix("'") ? "N\(literal)" : literal
                )
                .replacing("§", with: literal)
            for extended in [false, true] {
                let bytes = Array(sql.utf8)
                let context = BindContext(
                    catalog: World.shared, searchPath: ["pg_catalog", "public"], isExtendedProtocol: extended, catalogIsCurrent: true)
                switch Binder().bind(bytes, context: context) {
                case .passThrough: Issue.record("passed: \(sql)")
                case .needsCatalog, .needsSearchPath, .administer: Issue.record("asks: \(sql)")
                case .refused(let error, let offset):
                    #expect(!error.description.contains(Self.marker), "\(error)")
                    #expect(!error.hint.isEmpty || error.code.sqlState.hasPrefix("42"), "no hint: \(sql) \(error)")
                    if let offset { #expect(offset >= 0 && offset <= bytes.count) }
                case .bound(let statement):
                    bound += 1
                    for piece in statement.pieces {
                        switch piece {
                        case .verbatim(let range):
                            #expect(!String(decoding: bytes[range], as: UTF8.self).contains(Self.marker), "leaks: \(sql)")
                        case .text(let text): #expect(!text.contains(Self.marker))
                        case .cell: break
                        }
                    }
                }
            }
        }
        // Most of what is sensible is bound, not refused.
        #expect(bound > 250, "\(bound)")
    }

    @Test func numbersToo() {
        for form in [
            "987654321", "-987654321", "- 987654321", "987654321.5", "'987654321'::int", "int4 '987654321'", "CAST(987654321 AS int)",
            "+987654321", "(-(987654321))", "987654321::bigint", "987654321::text::int",
        ] {
            for sql in [
                "SELECT 1 FROM people WHERE weight = \(form)", "SELECT 1 FROM people WHERE weight BETWEEN 1 AND \(form)",
                "SELECT 1 FROM people WHERE weight IN (1, \(form))",
                "SELECT 1 FROM people WHERE weight = \(form) + 1", "SELECT 1 FROM people WHERE \(form) < weight",
                "INSERT INTO people (weight) VALUES (\(form))", "UPDATE people SET weight = \(form)",
                "SELECT greatest(weight, \(form)) FROM people",
                "SELECT weight FROM people UNION SELECT \(form)", "SELECT 1 FROM people WHERE (weight, id) = (\(form), 1)",
                "SELECT lag(weight, 1, \(form)) OVER () FROM people",
            ] {
                let result = transcript(sql)
                let sent = result.replacing(/‹[^›]*›/, with: "")
                #expect(result.hasPrefix("! ") || !result.hasPrefix("= ") && !sent.contains("987654321"), "\(sql) → \(result)")
            }
        }
    }
}
