import CellFormat
import ColumnCatalog
import Diagnostics
import Testing

@testable import SQLBinding

@Suite struct BinderTests {
    private func outcome(_ sql: String, _ binder: Binder = Binder(), extended: Bool = false) -> BindOutcome {
        binder.bind(
            Array(sql.utf8),
            context: BindContext(
                catalog: World.shared, searchPath: ["pg_catalog", "public"], isExtendedProtocol: extended, catalogIsCurrent: true))
    }

    private func effects(_ sql: String) -> StatementEffects {
        switch outcome(sql) {
        case .passThrough(let effects): effects
        case .bound(let bound): bound.effects
        case .refused, .needsCatalog, .needsSearchPath, .administer: StatementEffects()
        }
    }

    // MARK: Templates

    @Test func aTemplateServesOtherLiterals() {
        let binder = Binder()
        for value in ["a", "b''c", "", "x -- y"] {
            #expect(
                transcript("SELECT 1 FROM people WHERE name = '\(value)' AND id = 1", binder: binder)
                    == "SELECT 1 FROM people WHERE name = ‹o people.name:\(value.replacing("''", with: "'"))› AND id = 1")
        }
        // Comments and white space are not part of a template, their places are still kept.
        #expect(
            transcript("SELECT 1 /* c */ FROM people\nWHERE name='z'--end", binder: binder)
                == "SELECT 1 /* c */ FROM people\nWHERE name=‹o people.name:z›--end")
        #expect(
            transcript("SELECT 1 FROM people WHERE name = $$q$$ AND id = 1", binder: binder)
                == "SELECT 1 FROM people WHERE name = ‹o people.name:q› AND id = 1")
    }

    @Test func ordinalsArePinned() {
        let binder = Binder()
        #expect(transcript("SELECT id, pid FROM people ORDER BY 1", binder: binder) == "= SELECT id, pid FROM people ORDER BY 1")
        #expect(transcript("SELECT id, pid FROM people ORDER BY 2", binder: binder) == "! CL6007")
        #expect(transcript("SELECT id, pid FROM people ORDER BY 1", binder: binder) == "= SELECT id, pid FROM people ORDER BY 1")
    }

    @Test func aPlanDependsOnItsContext() {
        let binder = Binder()
        let sql = "SELECT 1 FROM visits WHERE reason = 'a'"
        #expect(transcript(sql, path: ["clinic"], binder: binder).contains("‹o clinic.visits.reason:a›"))
        #expect(transcript(sql, path: ["other"], binder: binder) == "! CL6003")
        #expect(transcript(sql, path: ["clinic"], binder: binder).contains("‹"))
        let unmarked = World.catalog(marks: [])
        #expect(transcript("SELECT 1 FROM plain WHERE name = 'a'", catalog: unmarked, binder: binder).hasPrefix("= "))
        let backslash = #"SELECT 1 FROM people WHERE name = 'a\'"#
        #expect(transcript(backslash, binder: binder) == #"SELECT 1 FROM people WHERE name = ‹o people.name:a\›"#)
        #expect(transcript(backslash, scs: false, binder: binder) == "! CL6004")
        let parameter = "SELECT 1 FROM people WHERE name = $1 OR birth = $1"
        #expect(transcript(parameter, extended: true, binder: binder) == "! CL6013")
        #expect(transcript(parameter, extended: true, declared: [25], binder: binder).hasSuffix("[1 o people.name] [1 o people.birth]"))
    }

    @Test func manyTemplatesDoNotMixUp() {
        let binder = Binder(planCacheCapacity: 10)
        for round in 0..<3 {
            for n in 0..<40 {
                let result = transcript(
                    "SELECT \(n % 2 == 0 ? "id" : "note") AS c\(n) FROM people WHERE name = 'v\(n)\(round)'", binder: binder)
                #expect(result.hasSuffix("c\(n) FROM people WHERE name = ‹o people.name:v\(n)\(round)›"))
            }
        }
    }

    // MARK: Pieces

    /// What is not replaced is byte for byte the client's, in order and without gaps other than the replaced ranges.
    @Test func theRestOfTheTextIsUntouched() {
        for statement in LeakSweepTests.statements {
            for sql in [statement.replacing("§", with: "'é 1'"), statement.replacing("§", with: "$1")] {
                guard case .bound(let bound) = outcome(sql, extended: true) else { continue }
                let bytes = Array(sql.utf8)
                var at = 0
                var pendingText = false
                for piece in bound.pieces {
                    switch piece {
                    case .verbatim(let range):
                        #expect(range.lowerBound == at || pendingText && range.lowerBound > at, "\(sql)")
                        #expect(range.upperBound <= bytes.count && !range.isEmpty)
                        at = range.upperBound
                        pendingText = false
                    case .text: pendingText = true
                    case .cell(let slot):
                        #expect(slot.range.lowerBound == at || pendingText)
                        at = slot.range.upperBound
                    }
                }
                #expect(at == bytes.count || pendingText, "\(sql)")
                #expect(bound.originalOffset(ofSent: 0, cellLengths: []) == 0)
            }
        }
    }

    @Test func errorPositionsLeadBack() {
        let sql = "SELECT 1 FROM people WHERE name = 'abc' AND nosuch(id)"
        guard case .bound(let bound) = outcome(sql) else { Issue.record("not bound"); return }
        let cell = 200
        let sent = "SELECT 1 FROM people WHERE name = ".utf8.count
        #expect(bound.originalOffset(ofSent: 5, cellLengths: [cell]) == 5)
        #expect(bound.originalOffset(ofSent: sent + 3, cellLengths: [cell]) == sent)
        #expect(bound.originalOffset(ofSent: sent + cell + " AND ".utf8.count, cellLengths: [cell]) == sent + "'abc' AND ".utf8.count)
    }

    @Test func nothingPrintsAValue() {
        guard case .bound(let bound) = outcome("SELECT 1 FROM people WHERE name = 'SECRET'") else { Issue.record("not bound"); return }
        var dumped = ""
        dump(bound, to: &dumped)
        #expect(!dumped.contains("SECRET") && !"\(bound)".contains("SECRET") && !String(reflecting: bound).contains("SECRET"))
    }

    // MARK: Hostile texts

    @Test func deepTextsAreRefusedAndHarmless() {
        for (prefix, unit, suffix) in [
            ("SELECT 1", "+1", ""), ("SELECT 1", " UNION SELECT 1, 2", ""), ("SELECT ", "(", ""), ("SELECT ", "NOT ", "true"),
            ("SELECT ", "- ", "1"), ("SELECT a", "[1]", ""), ("SELECT 1 FROM a", " JOIN b ON x AND y", ""),
            ("SELECT ", "CASE WHEN a AND b THEN ", "1"), ("SELECT ", "f(1, ", "1"), ("SELECT ", "/*", ""), ("SELECT x", "::int", ""),
            ("SELECT x", " IS NULL", ""), ("SELECT x", " COLLATE a", ""), ("SELECT 1 FROM people WHERE ", "NOT (name = 'a') = ", "true"),
            ("SELECT name FROM people WHERE id = 1", " + 1", ""),
            ("SELECT 1 FROM people WHERE name = 'a'", " UNION SELECT 1 FROM people", ""),
            ("SELECT 1 FROM people WHERE id = ", "(SELECT id FROM people WHERE id = ", "1"),
        ] {
            for count in [100, 3_000, 100_000] { _ = outcome(prefix + String(repeating: unit, count: count) + suffix) }
        }
        #expect(transcript("SELECT 1" + String(repeating: "+1", count: 10_000)) == "! CL6011")
        #expect(transcript("SELECT 1 FROM people WHERE id = 1" + String(repeating: "+1", count: 1_000)) == "! CL6011")
        // Long is not deep.
        #expect(
            transcript("SELECT 1 FROM people WHERE name IN ('a'" + String(repeating: ",'b'", count: 5_000) + ")").contains(
                "‹o people.name:b›"))
        #expect(
            transcript("SELECT 1 FROM people WHERE id = 1" + String(repeating: " AND name <> 'x'", count: 3_000)).contains(
                "‹o people.name:x›"))
    }

    @Test func badBytes() {
        for bytes: [UInt8] in [Array("SELECT 1".utf8) + [0], Array("SELECT '".utf8) + [0xff, 0x27]] {
            guard case .refused(let error, _) = Binder().bind(bytes, context: BindContext(catalog: World.shared)) else {
                Issue.record("not refused"); continue
            }
            #expect(error.code == .textRefused)
        }
        #expect(transcript("") == "= ")
        #expect(transcript(" -- nothing\n;;") == "=  -- nothing\n;;")
    }

    @Test func refusalsSayWhere() {
        guard case .refused(let error, let offset) = outcome("SELECT 1 FROM people WHERE lower(name) = 'SECRET'") else {
            Issue.record("not refused"); return
        }
        #expect(error.message == "lower() is not available on the encrypted column public.people.name")
        #expect(offset == 27)
        guard case .refused(let syntax, let at) = outcome("SELECT é FROM people WHERE name = = 'SECRET'") else {
            Issue.record("not refused"); return
        }
        #expect(syntax.message == "syntax error")
        #expect(at == "SELECT é FROM people WHERE name = ".utf8.count)
    }

    // MARK: Effects

    @Test func whatStatementsDo() {
        #expect(effects("SELECT 1").statements == [.init()])
        #expect(effects("BEGIN; SELECT 1; COMMIT").statements.map(\.transaction) == [.begin, nil, .commit])
        #expect(effects("ROLLBACK TO a").statements.map(\.transaction) == [.rollbackTo])
        #expect(
            effects("SAVEPOINT a; RELEASE a; START TRANSACTION; ABORT; END").statements.map(\.transaction) == [
                .savepoint, .release, .begin, .rollback, .commit,
            ])
        #expect(effects("SET search_path = a").flags == [.mayChangeSettings, .mayChangeSearchPath])
        #expect(effects("SET LOCAL DateStyle = 'ISO'").flags == [.mayChangeSettings])
        #expect(effects("SET ROLE x").flags.contains(.mayChangeSearchPath))
        #expect(effects("RESET ALL").flags == [.mayChangeSettings, .mayChangeSearchPath])
        #expect(effects("SHOW DateStyle").flags.isEmpty)
        #expect(effects("SELECT set_config('search_path', 'a', false)").flags == [.mayChangeSettings, .mayChangeSearchPath])
        #expect(effects("DISCARD ALL").flags.isSuperset(of: [.discardAll, .deallocateAll, .mayChangeSettings]))
        #expect(effects("DEALLOCATE ALL").flags == [.preparedStatements, .deallocateAll])
        #expect(effects("DEALLOCATE x").flags == [.preparedStatements])
        #expect(effects("PREPARE x AS SELECT 1").flags == [.preparedStatements])
        #expect(effects("EXECUTE x ('a')").statements.first?.executes == "x")
        #expect(effects("EXPLAIN ANALYZE EXECUTE x ('a')").statements.first?.executes == "x")
        #expect(effects("CREATE TABLE t AS EXECUTE x ('a')").statements.first?.executes == "x")
        #expect(effects("LISTEN x").flags == [.listen])
        #expect(effects("COPY plain FROM STDIN").flags == [.copyIn])
        #expect(effects("COPY plain TO STDOUT").flags == [.copyOut])
        #expect(effects("COPY people FROM STDIN").flags == [.copyIn])
        #expect(effects("CREATE TABLE x (a int)").flags == [.ddl])
        #expect(effects("CREATE TEMP TABLE x (a int)").flags == [.ddl, .mayChangeSearchPath])
        #expect(effects("SELECT 1 INTO x").flags == [.ddl, .mayChangeSearchPath])
        #expect(effects("DROP TABLE people").flags.contains(.ddl))
        #expect(effects("CALL p()").flags.isSuperset(of: [.ddl, .mayChangeSettings, .mayChangeSearchPath]))
        #expect(effects("SELECT 1 FROM people WHERE name = 'a'").statements == [.init()])
    }

    // MARK: Several statements, unknown names

    @Test func severalStatements() {
        expect(
            "INSERT INTO people (name) VALUES ('a'); UPDATE people SET nick = 'b' WHERE name = 'c'",
            "INSERT INTO people (name) VALUES (‹s people.name:a›); UPDATE people SET nick = ‹s people.nick:b› WHERE name = ‹o people.name:c›"
        )
        expect("SELECT 1; SELECT lower(name) FROM people", "! CL6001")
        expect("SET search_path = other; SELECT * FROM people WHERE name = 'a'", "! CL6002")
        expect("ALTER TABLE plain RENAME TO q; SELECT * FROM people", "! CL6002")
        expect("SET DateStyle = 'ISO, DMY'; SELECT * FROM people", "! CL6002")
        expect("SET TIME ZONE 'UTC'; SELECT name FROM people WHERE name = 'a'", "! CL6002")
        expect("SET work_mem = '4MB'; SELECT name FROM people", "= SET work_mem = '4MB'; SELECT name FROM people")
        expect(
            "CREATE TABLE a (x int); INSERT INTO a VALUES (1); SELECT * FROM a JOIN people ON x = id WHERE name = 'a'",
            "CREATE TABLE a (x int); INSERT INTO a VALUES (1); SELECT * FROM a JOIN people ON x = id WHERE name = ‹o people.name:a›")
        expect(
            "CREATE TABLE IF NOT EXISTS copyof (name text); INSERT INTO copyof (name) VALUES ('a')",
            "CREATE TABLE IF NOT EXISTS copyof (name text); INSERT INTO copyof (name) VALUES (‹s copyof.name:a›)")
        expect("SET search_path = clinic; SELECT * FROM visits WHERE reason = 'a'", "! CL6002")
        #expect(transcript("SET search_path = a; SELECT * FROM brandnew WHERE x = 'a'", current: false) == "? catalog")
        expect("SELECT name INTO TEMP plain FROM people", "! CL6008")
        expect("CREATE TEMP TABLE t3 AS SELECT name FROM people; SELECT * FROM t3 WHERE name = 'a'", "! CL6002")
    }

    @Test func unknownNamesAskForTheCatalog() {
        #expect(transcript("SELECT * FROM brandnew WHERE a = 'b'", current: false) == "? catalog")
        #expect(transcript("SELECT * FROM brandnew WHERE a = 'b'") == "= SELECT * FROM brandnew WHERE a = 'b'")
        #expect(transcript("SELECT * FROM pg_class, pg_catalog.pg_type, information_schema.tables", current: false).hasPrefix("= "))
        #expect(transcript("SELECT 1 FROM people, brandnew WHERE name = 'a'") == "! CL6014")
        #expect(transcript("DROP TABLE IF EXISTS brandnew", current: false).hasPrefix("= "))
        #expect(transcript("CREATE TABLE brandnew (a int)", current: false).hasPrefix("= "))
        #expect(transcript("WITH brandnew AS (SELECT 1) SELECT * FROM brandnew", current: false).hasPrefix("= "))
        let empty = CatalogSnapshot.empty(marks: World.shared.marks)
        #expect(transcript("SELECT * FROM people WHERE name = 'a'", current: false, catalog: empty) == "? catalog")
    }

    @Test func functionsOverCells() {
        let catalog = World.catalog([["f", "public", "get_people", nil, nil, nil, nil, nil]])
        #expect(transcript("SELECT * FROM get_people() WHERE name = 'a'", catalog: catalog) == "! CL6001")
        #expect(transcript("CALL get_people('a')", catalog: catalog) == "! CL6001")
        #expect(transcript("SELECT other()", catalog: catalog) == "= SELECT other()")
    }
}
