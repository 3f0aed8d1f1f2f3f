import CellFormat
import ColumnCatalog
import Diagnostics
import Testing

@testable import SQLBinding

/// Constants that are more than one token: expressions, patterns, arrays, casts, and SQL's own prepared statements.
@Suite struct ComputationTests {
    @Test func expressionsOfConstants() {
        expect("SELECT 1 FROM people WHERE birth = CURRENT_DATE", "SELECT 1 FROM people WHERE birth = ‹o people.birth:current_date()›")
        expect(
            "SELECT 1 FROM people WHERE birth > current_date - interval '1 year' AND id = 1",
            "SELECT 1 FROM people WHERE birth > ‹o people.birth:-(current_date(), '1 year'::interval)› AND id = 1")
        expect(
            "SELECT 1 FROM people WHERE birth > ('2020-01-01'::date - 30)",
            "SELECT 1 FROM people WHERE birth > (‹o people.birth:-('2020-01-01'::date, '30')›)")
        expect(
            "SELECT 1 FROM people WHERE birth > (now() - '1 day'::interval)::date",
            "SELECT 1 FROM people WHERE birth > ‹o people.birth:-(now(), '1 day'::interval)::date›")
        expect(
            "SELECT 1 FROM people WHERE birth BETWEEN CAST('2020-01-01' AS date) - (1 + 2) * 3 AND DATE '2020-01-01'",
            "SELECT 1 FROM people WHERE birth BETWEEN ‹o people.birth:-('2020-01-01'::date, *(+('1', '2'), '3'))› AND ‹o people.birth date:2020-01-01›"
        )
        expect("SELECT 1 FROM people WHERE name = upper('a')", "SELECT 1 FROM people WHERE name = ‹o people.name:upper('a')›")
        expect(
            "SELECT 1 FROM people WHERE name = pg_catalog.lower('A')||'b'",
            "SELECT 1 FROM people WHERE name = ‹o people.name:||(lower('A'), 'b')›")
        expect("SELECT 1 FROM people WHERE weight = -(5)", "! CL6012")
        expect(
            "SELECT 1 FROM people WHERE name = 'a'::text::varchar",
            "SELECT 1 FROM people WHERE name = ‹o people.name text:a›::pg_catalog.enc_text")
        expect("SELECT 1 FROM people WHERE name = trim(both from ' a ')", "SELECT 1 FROM people WHERE name = ‹o people.name:btrim(' a ')›")
        // Next to plain columns it is the server's.
        expectPass("SELECT 1 FROM people WHERE id = 1 + 2 AND note = lower('A')")
        expectPass("SELECT current_date, name FROM people")
        // What stays in the server may not depend on time.
        expect("CREATE VIEW v AS SELECT 1 FROM people WHERE birth = current_date", "! CL6005")
    }

    @Test func parametersInExpressions() {
        expect(
            "SELECT 1 FROM people WHERE name LIKE '%' || $1 || '%'",
            "SELECT 1 FROM people WHERE name LIKE $1::pg_catalog.enc_text [1 o people.name% = ||(||('%', $1), '%')]", extended: true)
        expect(
            "SELECT 1 FROM people WHERE name = $1 || $2",
            "SELECT 1 FROM people WHERE name = $1::pg_catalog.enc_text [1 o people.name = ||($1, $2)] [2 unused]", extended: true)
        expect(
            "SELECT 1 FROM people WHERE name = $1 || 'x' AND note = $1",
            "SELECT 1 FROM people WHERE name = $2::pg_catalog.enc_text AND note = $1 [1 plain] [1 o people.name = ||($1, 'x')]",
            extended: true)
        // The time is that of each execution.
        expect(
            "SELECT 1 FROM people WHERE birth = current_date",
            "SELECT 1 FROM people WHERE birth = $1::pg_catalog.enc_date [1 o people.birth = current_date()]", extended: true)
        // Whether it is NULL may be told, its value not.
        expect(
            "SELECT 1 FROM people WHERE $1::text IS NULL OR name LIKE $1 || '%'",
            "SELECT 1 FROM people WHERE $2::pg_catalog.bool IS NULL OR name LIKE $1::pg_catalog.enc_text [1 o people.name% = ||($1, '%')] [1 null?]",
            extended: true)
        expect("SELECT $1 FROM people WHERE name LIKE $1 || '%'", "! CL6013", extended: true)
    }

    @Test func parametersThatTheTextDoesNotUse() {
        // Their values stay here: they may be meant for an encrypted column.
        expect(
            "SELECT 1 FROM people WHERE name = $2",
            "SELECT 1 FROM people WHERE name = $2::pg_catalog.enc_text [1 unused] [2 o people.name]", extended: true)
        expect("SELECT 1 FROM people WHERE id = $2", "SELECT 1 FROM people WHERE id = $2 [1 unused] [2 plain]", extended: true)
        #expect(
            transcript("SELECT count(*) FROM people", extended: true, declared: [25, 23])
                == "SELECT count(*) FROM people [1 unused] [2 unused]")
        #expect(transcript("SELECT name FROM plain WHERE id = $2", extended: true, declared: [25, 23]).hasPrefix("= "))
    }

    @Test func patterns() {
        expect("SELECT 1 FROM people WHERE name LIKE 'a%'", "SELECT 1 FROM people WHERE name LIKE ‹o people.name%:a%›")
        expect("SELECT 1 FROM people WHERE name NOT ILIKE 'a%'", "SELECT 1 FROM people WHERE name NOT ILIKE ‹o people.name%:a%›")
        expect(
            "SELECT 1 FROM people WHERE name LIKE 'a!%' ESCAPE '!' AND id = 1",
            "SELECT 1 FROM people WHERE name LIKE ‹o people.name%:like_escape('a!%', '!')› AND id = 1")
        expect("SELECT 1 FROM people WHERE name ~~ 'a%'", "SELECT 1 FROM people WHERE name ~~ ‹o people.name%:a%›")
        expect("SELECT 1 FROM people WHERE name ^@ 'a'", "SELECT 1 FROM people WHERE name ^@ ‹o people.name%:a›")
        expect("SELECT 1 FROM people WHERE starts_with(name, 'a')", "SELECT 1 FROM people WHERE starts_with(name, ‹o people.name%:a›)")
        expect(
            "SELECT 1 FROM people WHERE name LIKE ANY (ARRAY['a%', 'b%'])",
            "SELECT 1 FROM people WHERE name LIKE ANY (ARRAY[‹o people.name%:a%›, ‹o people.name%:b%›])")
        expect(
            "SELECT 1 FROM people WHERE UPPER(name::text) LIKE UPPER('%a%')",
            "SELECT 1 FROM people WHERE ( name::pg_catalog.enc_text ) ILIKE ‹o people.name%:like_folded('%a%')›")
        expect(
            "SELECT 1 FROM people WHERE lower(name) = lower('A_') OR upper(p.nick) <> upper($1)".replacing("p.", with: ""),
            "SELECT 1 FROM people WHERE ( name ) ILIKE ‹o people.name%:like_literal('A_')› OR ( nick ) NOT ILIKE $1::pg_catalog.enc_text [1 o people.nick% = like_literal($1)]",
            extended: true)
        expect("SELECT 1 FROM people WHERE lower(name) = 'a'", "! CL6001")
        expect("SELECT 1 FROM people WHERE lower(pid) = lower('a')", "! CL6001")
        expect(
            "SELECT 1 FROM people WHERE name LIKE $1",
            "SELECT 1 FROM people WHERE name LIKE $1::pg_catalog.enc_text [1 o people.name%]", extended: true)
        expectPass("SELECT 1 FROM people WHERE note LIKE 'a%' AND upper(note) LIKE upper('b%')")
        expect(
            "SELECT 1 FROM (SELECT name AS x FROM people) s WHERE x LIKE 'a%'",
            "SELECT 1 FROM (SELECT name AS x FROM people) s WHERE x LIKE ‹o people.name%:a%›")
        expect("SELECT 1 FROM (VALUES ('a')) v(n) JOIN people ON n = pid WHERE n LIKE 'a%'", "! CL6001")
    }

    @Test func arrays() {
        expect(
            "SELECT 1 FROM people WHERE name = ANY ($1)",
            "SELECT 1 FROM people WHERE name = ANY ($1::pg_catalog.enc_text[]) [1 o people.name[]]", extended: true)
        expect(
            "SELECT 1 FROM people WHERE weight <> ALL ($1::int[])",
            "SELECT 1 FROM people WHERE weight <> ALL ($1::pg_catalog.enc_int4[]) [1 o people.weight int4[]]", extended: true)
        expect(
            "SELECT 1 FROM people WHERE pid = ANY ('{a,b}'::text[])",
            "SELECT 1 FROM people WHERE pid = ANY (‹o people.pid text[]:{a,b}›)")
        expect(
            "SELECT 1 FROM people WHERE name = ANY (ARRAY['a', $1]::text[])",
            "SELECT 1 FROM people WHERE name = ANY (ARRAY[‹o people.name:a›, $1::pg_catalog.enc_text]::pg_catalog.enc_text[]) [1 o people.name]",
            extended: true)
        expect("SELECT 1 FROM people WHERE pid < ANY ($1)", "! CL6007", extended: true)
        expect("SELECT 1 FROM people WHERE name = ANY (string_to_array('a,b', ','))", "! CL6001")
        expect("SELECT 1 FROM people WHERE id = ANY ($1)", "= SELECT 1 FROM people WHERE id = ANY ($1)", extended: true)
    }

    @Test func castsThatChangeNothing() {
        expect("SELECT name::text FROM people", "SELECT name::pg_catalog.enc_text FROM people")
        expect("SELECT CAST(birth AS date) FROM people", "SELECT CAST(birth AS pg_catalog.enc_date) FROM people")
        expect("SELECT 1 FROM people WHERE name COLLATE \"C\" > 'a'", "SELECT 1 FROM people WHERE name  > ‹o people.name:a›")
        expectPass("SELECT id::text, note COLLATE \"C\" FROM people")
    }

    @Test func booleans() {
        expect("SELECT 1 FROM people p WHERE p.alive", "SELECT 1 FROM people p WHERE (p.alive = ‹o people.alive:true›)")
        expect(
            "SELECT 1 FROM people WHERE NOT alive AND id = 1", "SELECT 1 FROM people WHERE NOT (alive = ‹o people.alive:true›) AND id = 1")
        expect(
            "SELECT 1 FROM people WHERE alive IS NOT TRUE", "SELECT 1 FROM people WHERE (alive = ‹o people.alive:true›) IS NOT TRUE")
        expect(
            "SELECT CASE WHEN alive THEN 1 END FROM people", "SELECT CASE WHEN (alive = ‹o people.alive:true›) THEN 1 END FROM people")
    }

    @Test func prepareAndExecute() {
        expect(
            "PREPARE p AS SELECT * FROM people WHERE name = $1 AND id = $2",
            "PREPARE p AS SELECT * FROM people WHERE name = $1::pg_catalog.enc_text AND id = $2")
        expect(
            "PREPARE p (text, int) AS UPDATE people SET name = $1 WHERE name = $1 AND id = $2",
            "PREPARE p (pg_catalog.enc_text, int) AS UPDATE people SET name = $1::pg_catalog.enc_text WHERE name = $3::pg_catalog.enc_text AND id = $2"
        )
        expect("PREPARE p (int) AS SELECT 1 FROM people WHERE name = $1; SELECT 1", "! CL6002")
        expect("PREPARE p (box) AS SELECT 1 FROM people WHERE name = $1", "! CL6013")
        expect("PREPARE p (text) AS SELECT 1 FROM people WHERE name = ANY ($1)", "! CL6013")
        expect(
            "PREPARE p (unknown) AS SELECT 1 FROM people WHERE name = ANY ($1::text[])",
            "PREPARE p (pg_catalog.enc_text[]) AS SELECT 1 FROM people WHERE name = ANY ($1::pg_catalog.enc_text[])")
        let type = EncryptedType(.text, .randomized, key: World.people)
        let parameters: [ServerParameter] = [
            ServerParameter(clientIndex: 0, use: .encrypted(type, .stored, column: "public.people.name"), declaredType: .text),
            ServerParameter(clientIndex: 1, use: .plain),
            ServerParameter(clientIndex: 0, use: .encrypted(type, .operand, column: "public.people.name"), declaredType: .text),
        ]
        func execute(_ sql: String, _ parameters: [ServerParameter] = parameters) -> String {
            var context = BindContext(catalog: World.shared, searchPath: ["pg_catalog", "public"], catalogIsCurrent: true)
            context.prepared = ["p": parameters]
            switch Binder().bind(Array(sql.utf8), context: context) {
            case .bound(let bound): return rendered(bound, Array(sql.utf8))
            case .passThrough: return "= " + sql
            case .refused(let error, _): return "! \(error.code.name)"
            default: return "?"
            }
        }
        #expect(execute("EXECUTE p ('a', 1)") == "EXECUTE p (‹s people.name:'a'::text›, 1 , ‹o people.name:'a'::text›)")
        #expect(
            execute("EXPLAIN EXECUTE p('a'||'b', f(1))")
                == "EXPLAIN EXECUTE p(‹s people.name:||('a', 'b')::text›, f(1), ‹o people.name:||('a', 'b')::text›)")
        let elements = ServerParameter(
            clientIndex: 0, use: .encrypted(type, .operand, column: "public.people.name"), declaredType: .text, form: .array)
        #expect(execute("EXECUTE p ('{a,b}')", [elements]) == "EXECUTE p (‹o people.name text[]:'{a,b}'›)")
        #expect(execute("EXECUTE p ('a')") == "! CL6004")
        #expect(execute("EXECUTE p ((SELECT 'a'), 1)") == "! CL6013")
        #expect(execute("EXECUTE other ('a', 1)") == "= EXECUTE other ('a', 1)")
    }

    @Test func partitionsAndInheritance() {
        expectPass("CREATE TABLE part PARTITION OF people FOR VALUES FROM (1) TO (10)")
        expectPass("CREATE TABLE child (more int) INHERITS (people)")
        expectPass("CREATE TABLE child (LIKE people INCLUDING ALL)")
        expect("CREATE TABLE child (name text) INHERITS (people)", "! CL6008")
        expectPass("ALTER TABLE people ATTACH PARTITION plain FOR VALUES IN (1)")
    }
}
