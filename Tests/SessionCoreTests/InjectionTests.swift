import CellFormat
import ColumnCatalog
import Diagnostics
import PGWire
@testable import SQLBinding
import SessionCore
import Testing

/// Queries of our own on the client's connection: when they are sent, that the client sees nothing of them, and what
/// becomes of everything else meanwhile.
@Suite struct InjectionTests {
    static let catalogSent = [
        "P cloister_injected \(CatalogSnapshot.loadQuery)", "B cloister_injected cloister_injected ", "E cloister_injected",
    ]
    private let closes = ["CP cloister_injected", "CS cloister_injected"]
    private let pass = BindOutcome.passThrough(StatementEffects([.init()]))

    private func isSettings(_ lines: ArraySlice<String>) -> Bool {
        lines.count == 5 && lines.first?.hasPrefix("P cloister_injected SELECT ''") == true && Array(lines.dropFirst(3)) == closes
    }

    @Test func anUnknownSearchPathIsAskedOnce() throws {
        let wire = try Wire(settled: false)
        wire.script.on("select", .needsSearchPath, pass)
        wire.client(Q("select"), Q("next"))
        let sent = wire.sent
        #expect(isSettings(sent[0..<5]) && sent[5...] == ["Sync"])
        #expect(!wire.wantsClientBytes)
        wire.answerSettings()
        #expect(wire.shown == [])
        #expect(wire.sent == ["Q select", "Q next"])
        #expect(wire.script.contexts[1].searchPath == ["pg_catalog", "public"])
        wire.server(C("SELECT 0"), Z(), C("SELECT 0"), Z())
        #expect(wire.shown == ["C SELECT 0", "Z I", "C SELECT 0", "Z I"])
        #expect(wire.wantsClientBytes)
    }

    /// In a batch Flush, not Sync: a Sync would end the client's implicit transaction.
    @Test func inABatchTheInjectionIsFlushed() throws {
        let wire = try Wire()
        wire.script.on("select", .needsCatalog, pass)
        wire.client(P("", "insert"), P("a", "select"), Sync)
        let sent = wire.sent
        #expect(sent.first == "P  insert" && sent.last == "Flush" && sent.count == 7 && sent[1].hasPrefix("P cloister_injected WITH ours"))
        wire.server(ParseComplete)
        wire.answerCatalog(andSettings: false, inBatch: true)
        #expect(wire.shown == ["1"])
        #expect(wire.sent == ["P a select", "Sync"])
    }

    @Test func anUnknownRelationLoadsTheCatalog() throws {
        let wire = try Wire(settled: false)
        wire.script.on("select", .needsCatalog, pass)
        wire.client(Q("select"))
        let sent = wire.sent
        #expect(sent[0..<3].first?.hasPrefix("P cloister_injected WITH ours") == true)
        #expect(sent.last == "Sync" && sent.count == 11)  // catalog and settings, then Sync
        wire.answerCatalog(andSettings: true)
        #expect(wire.sent == ["Q select"])
        #expect(wire.script.contexts.map(\.catalogIsCurrent) == [false, true])
        #expect(wire.shown == [])
    }

    /// A binder that is never content gets no second load.
    @Test func nothingIsAskedTwiceForOneStatement() throws {
        let wire = try Wire(settled: false)
        wire.script.on("select", .needsCatalog)
        wire.client(Q("select"))
        wire.answerCatalog(andSettings: true)
        _ = wire.sent
        wire.server(Err("42601", "no"), Z())
        #expect(wire.shown == ["ERROR XX000", "Z I"])
    }

    @Test func beforeTheFirstLoadEverySessionLoadsForItself() throws {
        let wire = try Wire(loaded: false)
        wire.client(Q("select"))
        #expect(wire.sent.first?.hasPrefix("P cloister_injected WITH ours") == true)
        wire.answerCatalog(andSettings: true)
        #expect(wire.sent == ["Q select"])
        #expect(wire.script.contexts[0].catalog.relations[QualifiedName("public", "people")]?.columns.count == 3)
    }

    /// After own DDL the next statement is bound with the catalog as the session sees it.
    @Test func ownDDLRefreshesTheCatalog() throws {
        let wire = try Wire()
        wire.script.on("create", .passThrough(StatementEffects([.init(flags: .ddl)])))
        wire.client(Q("create"))
        wire.server(C("CREATE TABLE"), Z())
        _ = (wire.sent, wire.shown)
        wire.client(Q("select"))
        #expect(wire.sent.first?.hasPrefix("P cloister_injected WITH ours") == true)
        wire.answerCatalog(Wire.catalogRows + [["c", "public", "fresh", "r", "1", "a", "23", "-1"]], andSettings: true)
        #expect(wire.sent == ["Q select"])
        #expect(wire.script.contexts.last?.catalog.relations[QualifiedName("public", "fresh")] != nil)
        wire.server(C("SELECT 0"), Z())
        wire.client(Q("select"))
        #expect(wire.sent == ["Q select"])
    }

    /// A snapshot whose load began before our DDL does not replace what we know; a later one does.
    @Test func onlyALaterLoadReplacesOwnKnowledge() throws {
        let wire = try Wire()
        let early = wire.catalogs.beginLoad()
        wire.script.on("create", .passThrough(StatementEffects([.init(flags: .ddl)])))
        wire.client(Q("create"))
        wire.server(C("CREATE TABLE"), Z())
        wire.client(Q("select"))
        let fresh: [[String?]] = Wire.catalogRows + [["c", "public", "fresh", "r", "1", "a", "23", "-1"]]
        wire.answerCatalog(fresh, andSettings: true)
        wire.server(C("SELECT 0"), Z())
        wire.catalogs.publish(try CatalogSnapshot.load(rows: Wire.catalogRows, marks: Wire.marks()), load: early)
        wire.client(Q("select"))
        #expect(wire.script.contexts.last?.catalog.relations.count == 2)
        let later = wire.catalogs.beginLoad()
        wire.catalogs.publish(try CatalogSnapshot.load(rows: Wire.catalogRows, marks: Wire.marks()), load: later)
        wire.client(Q("select"))
        #expect(wire.script.contexts.last?.catalog.relations.count == 1)
    }

    /// The process-wide snapshots leave a session's temporary tables out: one that may have some asks itself, so that their columns stay known.
    @Test func temporaryTablesStayKnownWhenTheStoreIsNewer() throws {
        let wire = try Wire()
        wire.script.on("create", .passThrough(StatementEffects([.init(flags: [.ddl, .mayChangeSearchPath])])))
        func publish() throws {
            wire.catalogs.publish(try CatalogSnapshot.load(rows: Wire.catalogRows, marks: Wire.marks()), load: wire.catalogs.beginLoad())
        }
        let own: [[String?]] = Wire.catalogRows + [["c", "pg_temp_3", "own", "r", "1", "a", "20004", "7"]]
        wire.client(Q("create"))
        wire.server(C("CREATE TABLE"), Z())
        for _ in 0..<2 {
            try publish()
            _ = wire.sent
            wire.client(Q("select"))
            #expect(wire.sent.first?.hasPrefix("P cloister_injected WITH ours") == true)
            wire.answerCatalog(own, andSettings: true)
            #expect(wire.script.contexts.last?.catalog.relations[QualifiedName("pg_temp_3", "own")] != nil)
            wire.server(C("SELECT 0"), Z())
        }
    }

    /// A snapshot that is published while the session waits for its own answers does not undo them.
    @Test func aNewerStoreDoesNotUndoWhatWasAsked() throws {
        let wire = try Wire()
        wire.script.on("create", .passThrough(StatementEffects([.init(flags: .ddl)])))
        wire.client(Q("create"))
        wire.server(C("CREATE TABLE"), Z())
        wire.script.on("path", .needsSearchPath)
        wire.client(Q("path"))
        _ = wire.sent
        let fresh: [[String?]] = Wire.catalogRows + [["c", "public", "fresh", "r", "1", "a", "23", "-1"]]
        wire.catalogs.publish(try CatalogSnapshot.load(rows: fresh, marks: Wire.marks()), load: wire.catalogs.beginLoad())
        wire.script.on("path", .passThrough(StatementEffects([.init()])))
        wire.answerCatalog(andSettings: true)
        #expect(wire.script.contexts.last?.searchPath == ["pg_catalog", "public"])
        #expect(wire.sent == ["Q path"])
    }

    /// Checklist 25: what SET may have changed is asked again, also when a transaction undoes it.
    @Test func settingsAreAskedAgainAfterSETAndAfterItsRollback() throws {
        let wire = try Wire()
        wire.script.on("set", .passThrough(StatementEffects([.init(flags: [.mayChangeSettings, .mayChangeSearchPath])])))
        wire.script.on("rollback", .passThrough(StatementEffects([.init(transaction: .rollback)])))
        wire.script.on("bound", .bound(plan(of: "bound")))
        func bound(asks: Bool) {
            wire.client(Q("bound"))
            let sent = wire.sent
            #expect(isSettings(sent.prefix(5)) == asks)
            if asks {
                wire.answerSettings(status: "T")
                #expect(wire.sent == ["Q bound"])
            }
            wire.server(C("SELECT 0"), Z("T"))
        }
        bound(asks: false)
        wire.client(Q("set"))
        wire.server(C("SET"), Z("T"))
        _ = wire.sent
        bound(asks: true)
        bound(asks: false)
        wire.client(Q("rollback"))
        wire.server(C("ROLLBACK"), Z())
        _ = wire.sent
        bound(asks: true)
    }

    /// In a failed transaction nothing is asked: 25P02 for what needs it, and ROLLBACK passes.
    @Test func inAFailedTransactionOnlyWhatNeedsNothingPasses() throws {
        let wire = try Wire()
        wire.client(Q("fails"))
        wire.server(Err("22012", "no"), Z("E"))
        _ = (wire.sent, wire.shown)
        wire.script.on("select", .needsCatalog, pass)
        wire.client(Q("select"))
        #expect(wire.sent == ["Q cloister refused this statement"])
        wire.server(Err("42601", "no"), Z("E"))
        #expect(wire.shown == ["ERROR 25P02", "Z E"])
        wire.client(Q("rollback"))
        #expect(wire.sent == ["Q rollback"])
    }

    /// The failure is known only when the injection meets it.
    @Test func anInjectionThatMeetsAFailedTransactionGivesWay() throws {
        let wire = try Wire()
        wire.script.on("select", .needsCatalog, pass)
        wire.client(Q("fails"), Q("select"))
        _ = wire.sent
        wire.server(Err("22012", "no"), Z("E"))
        wire.server(Err("25P02", "aborted"), Z("E"))
        #expect(wire.shown == ["ERROR 22012", "Z E"])
        #expect(wire.sent == ["Q select"])  // the script passes it now: the server says 25P02 itself
    }

    @Test func aFailedInjectionInABatchIsRecoveredWithASync() throws {
        let wire = try Wire()
        wire.script.on("select", .needsCatalog)
        wire.client(P("", "ok"), P("a", "select"), Sync)
        _ = wire.sent
        wire.server(ParseComplete, Err("42501", "permission denied"))
        #expect(wire.sent == ["Sync"])
        wire.server(Z())
        #expect(wire.sent == ["P a cloister refused this statement", "Sync"])
        wire.server(Err("42601", "no"), Z())
        #expect(wire.shown == ["1", "ERROR XX000", "Z I"])
        #expect(wire.isIdle)
    }

    /// Checklist 19: a cancel request that hits the injected query cancels the client's statement.
    @Test func aCancelledInjectionIsACancelledStatement() throws {
        let wire = try Wire()
        wire.script.on("select", .needsCatalog, pass)
        wire.client(Q("select"))
        wire.server(Err("57014", "canceling statement due to user request"), Z())
        _ = wire.sent
        wire.server(Err("42601", "no"), Z())
        #expect(wire.shown == ["ERROR 57014", "Z I"])
        wire.client(Q("begin"))
        #expect(wire.sent == ["Q begin"])
    }

    /// A cancel may come after the injected Parse: the name is freed before it is used again, else 42P05.
    @Test func aCancelledInjectionLeavesNoNameBehind() throws {
        let wire = try Wire()
        wire.script.on("select", .needsCatalog, pass)
        wire.script.on("again", .needsCatalog, pass)
        wire.client(Q("select"))
        #expect(wire.sent.first?.hasPrefix("P cloister_injected") == true)
        wire.server(ParseComplete, BindComplete, Err("57014", "canceling statement due to user request"), Z())
        wire.server(Err("42601", "no"), Z())
        #expect(wire.shown == ["ERROR 57014", "Z I"])
        _ = wire.sent
        wire.client(Q("again"))
        #expect(wire.sent.prefix(1) == ["CS cloister_injected"])
        wire.server(CloseComplete)
        wire.answerCatalog(andSettings: false)
        #expect(wire.sent == ["Q again"])
    }

    /// An error before the injection in its batch: the server skips both, and the client hears of the error alone.
    @Test func anEarlierErrorTakesTheInjectionWithIt() throws {
        let wire = try Wire()
        wire.script.on("select", .needsCatalog, pass)
        wire.client(P("", "fails"), P("a", "select"), B("", "a"), Sync)
        _ = wire.sent
        wire.server(Err("42601", "no"))
        #expect(wire.sent == ["Sync"])
        wire.server(Z())
        #expect(wire.shown == ["ERROR 42601", "Z I"])
        #expect(wire.isIdle)
    }

    @Test func aMalformedCatalogRefusesTheStatement() throws {
        let wire = try Wire(settled: false)
        wire.script.on("select", .needsCatalog, pass)
        wire.client(Q("select"))
        wire.answerCatalog([["x", nil, nil, nil, nil, nil, nil, nil]], andSettings: true)
        _ = wire.sent
        wire.server(Err("42601", "no"), Z())
        #expect(wire.shown == ["ERROR 08P01", "Z I"])
    }

    /// Checklist 25: until the server has reported a change of standard_conforming_strings nothing is read by the old one.
    @Test func aPipelinedChangeOfSettingsIsAskedBeforeTheNextStatementIsRead() throws {
        let wire = try Wire()
        wire.script.on("set", .passThrough(StatementEffects([.init(flags: .mayChangeSettings)])))
        wire.client(P("", "set"), B("", ""), E(""), P("", "insert"), Sync)
        let sent = wire.sent
        #expect(sent.prefix(3) == ["P  set", "B   ", "E "])
        #expect(isSettings(sent[3..<8]) && sent[8...] == ["Flush"])
        wire.server(ParseComplete, BindComplete, C("SET"))
        wire.answerSettings(inBatch: true, conforming: "off")
        #expect(wire.sent == ["P  insert", "Sync"])
        #expect(wire.script.contexts.last?.standardConformingStrings == false)
    }

    /// After ReadyForQuery what was reported holds; only what PostgreSQL does not report is asked, by what may show cells.
    @Test func aReportedChangeIsNotAskedAgainByStatementsWithoutRows() throws {
        let wire = try Wire()
        wire.script.on("set", .passThrough(StatementEffects([.init(flags: .mayChangeSettings)])))
        wire.client(Q("set"))
        wire.server(C("SET"), S("standard_conforming_strings", "off"), Z())
        _ = wire.sent
        wire.client(Q("begin"))
        #expect(wire.sent == ["Q begin"])
        #expect(wire.script.contexts.last?.standardConformingStrings == false)
        wire.server(C("BEGIN"), Z("T"))
        wire.client(Q("select"))
        #expect(isSettings(wire.sent.prefix(5)))
    }

    /// A prepared statement bound after SET: its results' texts follow the new settings.
    @Test func bindAfterSETAsksForTheSettings() throws {
        let wire = try Wire()
        wire.client(P("s", "select"), Sync)
        wire.server(ParseComplete, Z())
        wire.script.on("set", .passThrough(StatementEffects([.init(flags: .mayChangeSettings)])))
        wire.client(Q("set"))
        wire.server(C("SET"), Z())
        _ = wire.sent
        wire.client(B("", "s"), E(""), Sync)
        #expect(isSettings(wire.sent.prefix(5)))
        wire.answerSettings()
        #expect(wire.sent == ["B  s ", "DP ", "E ", "Sync"])
    }
}
