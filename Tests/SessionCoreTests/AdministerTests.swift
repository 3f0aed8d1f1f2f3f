import ColumnCatalog
import Diagnostics
import PGWire
import SQLBinding
import SessionCore
import Testing

/// Statements that the proxy carries out itself, between a client and a server.
@Suite struct AdministerTests {
    private let key = ColumnCommand(.createColumnKey("k", masterKey: "m"), tag: "CREATE COLUMN ENCRYPTION KEY")
    private let mark = ColumnCommand(.mark([]), tag: "CREATE TABLE")
    private let refusal = CloisterError(ErrorCode("CL1058", sqlState: "42501"), "the proxy's role may not write")

    @Test func aSimpleQueryWaitsForTheProxy() throws {
        let wire = try Wire()
        wire.script.on("create key", .administer(key))
        wire.client(Q("create key"), Q("select 1"))
        #expect(wire.sent == [] && wire.last == .administer(key))
        wire.administered(.success(()))
        #expect(wire.sent == ["Q UNLISTEN cloister_administered", "Q select 1"])
        wire.server(C("UNLISTEN"), Z(), C("SELECT 0"), Z())
        #expect(wire.shown == ["C CREATE COLUMN ENCRYPTION KEY", "Z I", "C SELECT 0", "Z I"])
        #expect(wire.isIdle)
    }

    @Test func aRefusalKeepsTheOrder() throws {
        let wire = try Wire()
        wire.script.on("create key", .administer(key))
        wire.client(Q("create key"))
        wire.administered(.failure(refusal))
        #expect(wire.sent == ["Q cloister refused this statement"])
        wire.server(Err("42601", "syntax error"), Z())
        #expect(wire.shown == ["ERROR 42501", "Z I"])
        // The next statement asks anew.
        wire.client(Q("create key"))
        #expect(wire.last == .administer(key))
    }

    @Test func theExtendedProtocolDoesItAtExecute() throws {
        let wire = try Wire()
        wire.script.on("create key", .administer(key))
        wire.client(P("s", "create key"), B("", "s"))
        #expect(wire.sent == ["P s UNLISTEN cloister_administered", "B  s "] && wire.last == .carryOn)
        // What went before is answered first, so that an error of it is not passed over.
        wire.client(E(""), Sync)
        #expect(wire.sent == ["Flush"] && wire.last == .carryOn)
        wire.server(ParseComplete, BindComplete)
        #expect(wire.shown == ["1", "2"] && wire.last == .administer(key))
        wire.administered(.success(()))
        #expect(wire.sent == ["E ", "Sync"])
        wire.server(C("UNLISTEN"), Z())
        #expect(wire.shown == ["C CREATE COLUMN ENCRYPTION KEY", "Z I"])
        // Executed again it is done again; refused, the rest of the batch is skipped.
        wire.client(B("", "s"), E(""), E(""), Sync)
        wire.server(BindComplete)
        #expect(wire.last == .administer(key))
        wire.administered(.failure(refusal))
        #expect(wire.sent == ["B  s ", "Flush", "P cloister_refused cloister refused this statement", "Sync"])
        wire.server(Err("42601", "syntax error"), Z())
        #expect(wire.shown == ["2", "ERROR 42501", "Z I"])
        #expect(wire.isIdle)
    }

    @Test func anEarlierErrorPreventsIt() throws {
        let wire = try Wire()
        wire.script.on("create key", .administer(key))
        wire.client(P("w", "wrong"), P("", "create key"), B("", ""), E(""), Sync)
        wire.server(Err("42601", "x"))
        #expect(wire.last == .carryOn && wire.sent.suffix(2) == ["Flush", "Sync"])
        wire.server(Z())
        #expect(wire.shown == ["ERROR 42601", "Z I"])
        #expect(wire.isIdle)
    }

    @Test func nothingIsDoneInAFailedTransaction() throws {
        let wire = try Wire()
        wire.script.on("create key", .administer(key))
        wire.client(Q("begin"), Q("wrong"))
        wire.server(C("BEGIN"), Z("T"), Err("42601", "x"), Z("E"))
        _ = (wire.sent, wire.shown)
        wire.client(Q("create key"))
        #expect(wire.sent == ["Q cloister refused this statement"] && wire.last == .carryOn)
        wire.server(Err("25P02", "x"), Z("E"))
        #expect(wire.shown == ["ERROR 25P02", "Z E"])
        wire.client(P("", "create key"), Sync)
        _ = wire.sent
        wire.server(Err("25P02", "x"), Z("E"))
        #expect(wire.shown == ["ERROR 25P02", "Z E"] && wire.last == .carryOn)
    }

    @Test func marksAreMadeBeforeTheStatementIsBound() throws {
        let wire = try Wire()
        wire.script.on("create table", .administer(mark), .passThrough(StatementEffects([.init(flags: .ddl)])))
        wire.client(Q("create table"))
        #expect(wire.sent == [] && wire.last == .administer(mark))
        wire.administered(.success(()))
        #expect(wire.sent == ["Q create table"])
        wire.server(C("CREATE TABLE"), Z())
        #expect(wire.shown == ["C CREATE TABLE", "Z I"])
    }

    /// A proxy that does not learn of the mark does not send the statement.
    @Test func aMarkThatDoesNotArrive() throws {
        let wire = try Wire()
        wire.script.on("create table", .administer(mark))
        wire.client(Q("create table"))
        wire.administered(.success(()))
        #expect(wire.sent == ["Q cloister refused this statement"])
    }

    @Test func marksReachSessionsThatAreOpen() throws {
        let wire = try Wire()
        wire.client(Q("select 1"))
        wire.server(C("SELECT 0"), Z())
        let more = ColumnMark(schema: "public", table: "people", column: "city", type: Wire.id, keyName: "k")
        wire.catalogs.adopt(try MarkedColumns(Wire.marks().marks + [more]))
        wire.client(Q("select 2"))
        let people = QualifiedName("public", "people")
        #expect(wire.script.contexts.dropLast().last?.catalog.relations[people]?.column("city")?.encryption == nil)
        #expect(wire.script.contexts.last?.catalog.relations[people]?.column("city")?.encryption == Wire.id)
    }

    @Test func inDoubtNothingNewIsLearnt() throws {
        let wire = try Wire()
        wire.catalogs.doubt(CloisterError(ErrorCode("CL3027", sqlState: "28000"), "a mark is withheld"))
        let before = wire.catalogs.current.load
        wire.catalogs.publish(try CatalogSnapshot.load(rows: [], marks: .none), load: wire.catalogs.beginLoad())
        #expect(wire.catalogs.current.load == before)
        #expect(throws: CloisterError.self) { try wire.catalogs.snapshot(rows: Wire.catalogRows) }
        wire.catalogs.adopt(try Wire.marks())
        _ = try wire.catalogs.snapshot(rows: Wire.catalogRows)
    }
}
