import CellFormat
import ColumnCatalog
import Testing

@testable import SQLBinding

/// Domains and enumerations: `World.staff(id, mood enum*, size enum det, level posint*, nick nickname*, mail email*, free anytext*)`.
@Suite struct UserTypeTests {
    @Test(arguments: [
        ("SELECT id FROM staff WHERE mood = 'ok'", "SELECT id FROM staff WHERE mood = ‹o staff.mood:ok›"),
        ("SELECT id FROM staff WHERE mood = 'ok'::mood", "SELECT id FROM staff WHERE mood = ‹o staff.mood text:ok›"),
        (
            "SELECT id FROM staff WHERE mood IN ('ok', 'sad'::public.mood)",
            "SELECT id FROM staff WHERE mood IN (‹o staff.mood:ok›, ‹o staff.mood text:sad›)"
        ),
        ("INSERT INTO staff (mood) VALUES (CAST('ok' AS mood))", "INSERT INTO staff (mood) VALUES (‹s staff.mood text:ok›)"),
        ("SELECT mood FROM staff", "= SELECT mood FROM staff"),
        ("SELECT mood, count(*) FROM staff GROUP BY mood", "= SELECT mood, count(*) FROM staff GROUP BY mood"),
        ("SELECT id FROM staff ORDER BY mood", "! CL6001"),
        ("SELECT max(mood) FROM staff", "! CL6001"),
        ("SELECT id FROM staff WHERE mood < 'ok'", "! CL6001"),
        ("SELECT id FROM staff WHERE 'ok' < mood", "! CL6001"),
        ("SELECT id FROM staff WHERE mood BETWEEN 'sad' AND 'ok'", "! CL6001"),
        ("SELECT 1 FROM staff_view ORDER BY mood", "! CL6001"),
        ("SELECT id FROM staff WHERE size > 'S'", "! CL6001"),
        ("SELECT id FROM staff WHERE mood LIKE 'o%'", "! CL6019"),
        ("SELECT id FROM staff WHERE mood = size", "! CL6019"),
        ("SELECT id FROM staff WHERE mood = mail", "! CL6019"),
        ("SELECT id FROM staff WHERE mood = 'ok'::text", "! CL6019"),
        ("SELECT id FROM staff WHERE mood = 1", "! CL6019"),
        ("SELECT id FROM staff WHERE mood = lower('OK')", "! CL6019"),
        ("INSERT INTO staff (mood) VALUES ('ok'::text)", "! CL6024"),
        ("SELECT mood FROM staff UNION SELECT mail FROM staff", "! CL6024"),
        ("SELECT id FROM staff WHERE mood = 'x'::other", "! CL6019"),
        ("SELECT id FROM staff WHERE mail = 'ok'::mood", "! CL6012"),
        (
            "SELECT mood::text FROM staff ORDER BY mood::text",
            "SELECT mood::pg_catalog.enc_text FROM staff ORDER BY mood::pg_catalog.enc_text"
        ),
        ("SELECT mood::mood FROM staff", "SELECT mood::pg_catalog.enc_text FROM staff"),
        ("SELECT mood::int FROM staff", "! CL6001"),
        ("CREATE VIEW v AS SELECT mood FROM staff", "= CREATE VIEW v AS SELECT mood FROM staff"),
        ("CREATE VIEW v AS SELECT mood::text FROM staff", "! CL6008"),
        ("CREATE TABLE x AS SELECT mood::text AS m FROM staff", "! CL6008"),
    ]) func enumerations(_ sql: String, _ expected: String) { #expect(transcript(sql) == expected, "\(sql)") }

    @Test func declaredParameters() {
        let sql = "SELECT id FROM staff WHERE mood = $1"
        for declared: UInt32 in [0, 30000, 705] {
            #expect(transcript(sql, extended: true, declared: [declared]).hasSuffix("[1 o staff.mood]"), "\(declared)")
        }
        #expect(transcript(sql, extended: true, declared: [25]) == "! CL6019")
        #expect(transcript("INSERT INTO staff (mood) VALUES ($1)", extended: true, declared: [1043]) == "! CL6024")
        #expect(transcript("SELECT id FROM staff WHERE mood = $1::mood", extended: true).hasSuffix("[1 o staff.mood text]"))
        #expect(transcript("SELECT id FROM staff WHERE level = $1::posint", extended: true) == "! CL6012")
    }

    @Test(arguments: [
        ("SELECT id FROM staff WHERE level > 5", "SELECT id FROM staff WHERE level > ‹o staff.level:5›"),
        ("SELECT id FROM staff WHERE level = 5::posint", "! CL6012"),
        ("INSERT INTO staff (level) VALUES ('5'::posint)", "! CL6012"),
        ("INSERT INTO staff (level) VALUES (NULL::posint)", "! CL6012"),
        ("SELECT id FROM staff WHERE free = 'a'::anytext", "SELECT id FROM staff WHERE free = ‹o staff.free text:a›"),
        ("SELECT level::posint FROM staff", "SELECT level::pg_catalog.enc_int4 FROM staff"),
        ("SELECT weight::posint FROM people", "! CL6001"),
        ("SELECT 'a'::mood", "= SELECT 'a'::mood"),
    ]) func domains(_ sql: String, _ expected: String) { #expect(transcript(sql) == expected, "\(sql)") }

    @Test(arguments: [
        ("CREATE TABLE staff (mood mood DEFAULT 'ok')", "CREATE TABLE staff (mood pg_catalog.enc_text(21) DEFAULT ‹s staff.mood:ok›)"),
        (
            "CREATE TABLE staff (level public.posint)",
            "CREATE TABLE staff (level pg_catalog.enc_int4(7) NOT NULL DEFAULT ‹s staff.level:1› CHECK (\"level\" > ‹s staff.level:0›))"
        ),
        (
            "CREATE TABLE staff (level posint DEFAULT 3)",
            "CREATE TABLE staff (level pg_catalog.enc_int4(7) NOT NULL CHECK (\"level\" > ‹s staff.level:0›) DEFAULT ‹s staff.level:3›)"
        ),
        (
            "ALTER TABLE staff ADD COLUMN nick nickname UNIQUE",
            "ALTER TABLE staff ADD COLUMN nick pg_catalog.enc_varchar(7) CHECK (\"nick\" <> ‹s staff.nick:›) CHECK (\"nick\" NOT LIKE ‹o staff.nick%:%@%›) UNIQUE"
        ),
        ("CREATE TABLE staff (mail email)", "! CL6001"),
        ("CREATE TABLE staff (level int)", "! CL6008"),
        ("CREATE TABLE staff (level posint[])", "! CL6008"),
        ("CREATE TABLE staff (mood text)", "! CL6008"),
        ("CREATE TABLE staff (mood size)", "! CL6008"),
        ("CREATE TABLE people (weight posint)", "! CL6008"),
        ("CREATE TABLE people (name text[])", "! CL6008"),
        ("CREATE TABLE people (note posint)", "= CREATE TABLE people (note posint)"),
    ]) func definitions(_ sql: String, _ expected: String) { #expect(transcript(sql) == expected, "\(sql)") }

    /// In PostgreSQL the new column would be of the domain.
    @Test(arguments: [
        ("CREATE TABLE x AS SELECT level FROM staff", "! CL6008"), ("SELECT COALESCE(level, 1) AS l INTO x FROM staff", "! CL6008"),
        ("CREATE TABLE x AS SELECT level::int FROM staff", "CREATE TABLE x AS SELECT level::pg_catalog.enc_int4(7) FROM staff"),
        ("CREATE TABLE x AS SELECT free, mood FROM staff", "= CREATE TABLE x AS SELECT free, mood FROM staff"),
        ("CREATE VIEW x AS SELECT level FROM staff", "= CREATE VIEW x AS SELECT level FROM staff"),
        ("CREATE TABLE x (LIKE staff)", "! CL6008"), ("CREATE TABLE x (LIKE staff INCLUDING CONSTRAINTS)", "! CL6008"),
        ("CREATE TABLE x (LIKE staff INCLUDING ALL)", "= CREATE TABLE x (LIKE staff INCLUDING ALL)"),
        ("ALTER TABLE staff ALTER level DROP NOT NULL", "! CL6008"), ("ALTER TABLE staff ALTER level DROP DEFAULT", "! CL6008"),
        ("ALTER TABLE staff ALTER mood DROP NOT NULL", "= ALTER TABLE staff ALTER mood DROP NOT NULL"),
        ("ALTER TABLE staff ALTER nick DROP DEFAULT", "= ALTER TABLE staff ALTER nick DROP DEFAULT"),
        ("ALTER TABLE staff ALTER level SET DEFAULT 5", "ALTER TABLE staff ALTER level SET DEFAULT ‹s staff.level:5›"),
    ]) func constraintsAreNotLost(_ sql: String, _ expected: String) { #expect(transcript(sql) == expected, "\(sql)") }

    /// What the server says of a domain must not differ from what the configuration says.
    @Test(arguments: [["true", "2", "true"], ["false", "1", "true"], ["true", "1", "false"]]) func serverHasOtherConstraints(
        _ told: [String]
    ) {
        let catalog = World.catalog([["d", "public", "posint", "30010", "30011", told[0], told[1], told[2]]])
        #expect(transcript("CREATE TABLE staff (level posint)", catalog: catalog) == "! CL6008")
    }

    @Test(arguments: [
        ("DROP TYPE mood", "! CL6008"), ("DROP DOMAIN posint CASCADE", "! CL6008"), ("DROP DOMAIN shortname", "! CL6008"),
        ("DROP TYPE other", "= DROP TYPE other"), ("ALTER TYPE mood ADD VALUE 'x'", "= ALTER TYPE mood ADD VALUE 'x'"),
        ("ALTER TYPE mood RENAME VALUE 'ok' TO 'x'", "! CL6008"), ("ALTER TYPE mood RENAME TO m", "! CL6008"),
        ("ALTER TYPE mood SET SCHEMA other", "! CL6008"), ("ALTER DOMAIN posint ADD CHECK (VALUE < 9)", "! CL6008"),
        ("ALTER TYPE other RENAME VALUE 'x' TO 'y'", "= ALTER TYPE other RENAME VALUE 'x' TO 'y'"),
        (
            "CREATE DOMAIN posint AS integer DEFAULT 1 NOT NULL CHECK ( VALUE>0 )",
            "= CREATE DOMAIN posint AS integer DEFAULT 1 NOT NULL CHECK ( VALUE>0 )"
        ),
        ("CREATE DOMAIN posint AS int DEFAULT 1 NOT NULL CHECK (VALUE > 1)", "! CL6008"),
        ("CREATE DOMAIN posint AS bigint DEFAULT 1 NOT NULL CHECK (VALUE > 0)", "! CL6008"),
        ("CREATE DOMAIN posint AS int DEFAULT 1 CHECK (VALUE > 0)", "! CL6008"),
        ("CREATE DOMAIN anytext AS text CHECK (VALUE <> '')", "! CL6008"),
        ("CREATE DOMAIN mood AS text", "! CL6008"),
        (
            "CREATE DOMAIN nickname AS shortname CHECK (VALUE NOT LIKE '%@%')",
            "= CREATE DOMAIN nickname AS shortname CHECK (VALUE NOT LIKE '%@%')"
        ),
        ("CREATE DOMAIN free AS int", "= CREATE DOMAIN free AS int"),
    ]) func typeStatements(_ sql: String, _ expected: String) { #expect(transcript(sql) == expected, "\(sql)") }

    @Test func aStaleCatalogIsNotBelieved() {
        #expect(transcript("DROP TYPE mood", current: false) == "? catalog")
        let none = try! CatalogSnapshot.load(rows: [], marks: MarkedColumns(World.marks, userTypes: World.userTypes))
        #expect(transcript("CREATE TABLE staff (mood mood)", current: false, catalog: none) == "? catalog")
        #expect(transcript("CREATE TABLE staff (mood mood)", catalog: none) == "! CL6018")
        let both = "CREATE TYPE mood AS ENUM ('a'); CREATE TABLE staff (mood mood)"
        #expect(transcript(both, catalog: none) == "CREATE TYPE mood AS ENUM ('a'); CREATE TABLE staff (mood pg_catalog.enc_text(21))")
        #expect(transcript("DROP TYPE mood", catalog: none) == "= DROP TYPE mood")
    }

    /// The columns that a result's description shows as enumerations.
    @Test func outputsAreKnown() {
        func shown(_ sql: String) -> [TypeName?]? {
            let context = BindContext(catalog: World.shared, searchPath: ["pg_catalog", "public"], catalogIsCurrent: true)
            switch Binder().bind(Array(sql.utf8), context: context) {
            case .passThrough(let effects): return effects.statements[0].enumerations
            case .bound(let bound): return bound.effects.statements[0].enumerations
            case .refused, .needsCatalog, .needsSearchPath, .administer: return nil
            }
        }
        let mood = TypeName("public", "mood")
        #expect(shown("SELECT id, mood, mood::text, COALESCE(mood, 'ok') FROM staff") == [nil, mood, nil, mood])
        #expect(shown("UPDATE staff SET mood = 'ok' RETURNING mood") == [mood])
        #expect(shown("SELECT m FROM (SELECT mood AS m FROM staff_view) x") == [mood])
        #expect(shown("EXPLAIN SELECT mood FROM staff") == nil)
    }

    @Test func valueIsReplacedAsAWordOnly() {
        #expect(
            Analyzer.replacingValue(in: "VALUE > 'value' AND \"value\" < t.value -- value", by: "\"c\"")
                == "\"c\" > 'value' AND \"c\" < t.value -- value")
    }

    @Test func encryptedWith() {
        let clause = "ENCRYPTED WITH (column_encryption_key = k)"
        func request(_ type: String) -> ColumnMarkRequest? {
            let context = BindContext(catalog: World.shared, searchPath: ["pg_catalog", "public"], catalogIsCurrent: true)
            guard
                case .administer(let command) = Binder().bind(Array("CREATE TABLE public.neu (c \(type) \(clause))".utf8), context: context),
                case .mark(let requests) = command.action
            else { return nil }
            return requests[0]
        }
        #expect(request("other")?.enumeration == TypeName("public", "other") && request("other")?.type == DeclaredType(.text))
        #expect(request("nickname")?.domain == TypeName("public", "nickname") && request("nickname")?.type.modifier == 14)
        #expect(request("text[]") == nil && request("unheard") == nil)
    }
}
