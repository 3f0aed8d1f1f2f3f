import CellFormat
import Diagnostics
import NIOCore
import PGWire
@testable import SQLBinding
import SessionCore
import Testing

extension ErrorCode { static let testRefusal = ErrorCode("CL6999", sqlState: "0A000") }

let refusal = BindOutcome.refused(CloisterError(.testRefusal, "refused by the script"), statementOffset: 3)

/// Order, skipping, ReadyForQuery: checklist 7 to 13 and 15.
@Suite struct OrderTests {
    /// Checklist 7: [good, refused, good, Sync] gives the good answer, the error, one Z.
    @Test func aRefusalInAPipelineKeepsItsPlace() throws {
        let wire = try Wire()
        wire.script.on("bad", refusal)
        wire.client(P("", "good"), B("", ""), E(""), P("", "bad"), B("", ""), E(""), P("", "good too"), B("", ""), E(""), Sync)
        #expect(wire.sent == ["P  good", "B   ", "DP ", "E ", "P  cloister refused this statement", "Sync"])
        wire.server(ParseComplete, BindComplete, NoData, C("INSERT 0 1"))
        #expect(wire.shown == ["1", "2", "C INSERT 0 1"])
        wire.server(Err("42601", "syntax error"), Z())
        #expect(wire.shown == ["ERROR 0A000 @4", "Z I"])
        #expect(wire.isIdle)
    }

    @Test func aRefusedSimpleQueryIsAnErrorAndAZ() throws {
        let wire = try Wire()
        wire.script.on("bad", refusal)
        wire.client(Q("bad"), Q("good"))
        #expect(wire.sent == ["Q cloister refused this statement", "Q good"])
        wire.server(Err("42601", "syntax error"), Z("E"), T(("a", 23)), D("1"), C("SELECT 1"), Z("E"))
        #expect(wire.shown == ["ERROR 0A000 @4", "Z E", "T a:23/-1/-1", "D 1", "C SELECT 1", "Z E"])
    }

    /// A refusal that the server never reaches is not reported: the earlier error is.
    @Test func anEarlierErrorComesFirst() throws {
        let wire = try Wire()
        wire.script.on("bad", refusal)
        wire.client(P("", "fails"), B("", ""), P("", "bad"), Sync)
        wire.server(Err("42P01", "no table"), Z())
        #expect(wire.shown == ["ERROR 42P01", "Z I"])
        #expect(wire.isIdle)
    }

    /// Checklist 8: after an error everything but Sync and Terminate is skipped; one Z per Sync.
    @Test func afterAnErrorMessagesAreSkippedUpToSync() throws {
        let wire = try Wire()
        wire.client(P("a", "fails"), Flush)
        _ = wire.sent
        wire.server(Err("42601", "no"))
        wire.client(B("", "a"), E(""), Q("select 1"), CopyData("x"), Flush, DS("a"), CS("a"))
        #expect(wire.sent == [])
        wire.client(Sync, Sync)
        #expect(wire.sent == ["Sync", "Sync"])
        wire.server(Z(), Z())
        #expect(wire.shown == ["ERROR 42601", "Z I", "Z I"])
        wire.client(Q("select 1"))
        #expect(wire.sent == ["Q select 1"])
    }

    @Test func afterAnErrorTerminateStillWorks() throws {
        let wire = try Wire()
        wire.client(P("a", "fails"), Flush)
        wire.server(Err("42601", "no"))
        _ = wire.sent
        wire.client(Terminate)
        #expect(wire.sent == ["X"])
        #expect(wire.last == .close)
    }

    @Test func severalBatchesInFlightFailEachForItself() throws {
        let wire = try Wire()
        wire.client(P("", "one"), B("", ""), E(""), Sync, P("", "two"), B("", ""), E(""), Sync)
        wire.server(Err("42601", "no"), Z())
        wire.server(ParseComplete, BindComplete, NoData, C("OK"), Z())
        #expect(wire.shown == ["ERROR 42601", "Z I", "1", "2", "C OK", "Z I"])
        #expect(wire.isIdle)
    }

    /// Checklist 9: Flush passes and what the server then says is shown without a Sync.
    @Test func flushPushesPendingResponses() throws {
        let wire = try Wire()
        wire.client(P("s", "select 1"), DS("s"), Flush)
        #expect(wire.sent == ["P s select 1", "DS s", "Flush"])
        wire.server(ParseComplete, t(), T(("a", 23)))
        #expect(wire.shown == ["1", "t []", "T a:23/-1/-1"])
        #expect(!wire.isIdle)
    }

    /// Checklist 11: notices, notifications, parameters between rows.
    @Test func asynchronousMessagesMayComeAnyTime() throws {
        let wire = try Wire()
        wire.client(Q("select 1"))
        let notice = backend(.noticeResponse, [0x4d, 0x68, 0x69, 0, 0])
        let notification = backend(.notificationResponse, [0, 0, 0, 1] + Array("ch\0\0".utf8))
        wire.server(T(("a", 23)), D("1"), notice, D("2"), S("TimeZone", "UTC"), notification, D("3"), C("SELECT 3"), notice, Z())
        #expect(wire.shown == ["T a:23/-1/-1", "D 1", "Notice", "D 2", "S TimeZone=UTC", "A", "D 3", "C SELECT 3", "Notice", "Z I"])
        wire.server(notification)
        #expect(wire.shown == ["A"])
    }

    /// Checklist 12: a failed Parse leaves nothing; the unnamed statement is gone with it.
    @Test func aFailedParseRegistersNothing() throws {
        let wire = try Wire()
        wire.client(P("", "select 1"), Sync)
        wire.server(ParseComplete, Z())
        wire.client(P("", "fails"), Sync)
        wire.server(Err("42601", "no"), Z())
        _ = (wire.sent, wire.shown)
        // Unknown to us now: the server is asked what its parameters are before any is sent.
        wire.client(B("", "", ["1"]), Sync)
        #expect(wire.sent == ["DS ", "Flush"])
        wire.server(Err("26000", "unnamed prepared statement does not exist"))
        #expect(wire.shown == ["ERROR 26000"])
        #expect(wire.sent == ["Sync"])
        wire.server(Z())
        #expect(wire.shown == ["Z I"])
    }

    /// Checklist 12: the next simple query ends the unnamed statement.
    @Test func aSimpleQueryEndsTheUnnamedStatement() throws {
        let wire = try Wire()
        wire.client(P("", "select 1"), P("named", "select 2"), Sync)
        wire.server(ParseComplete, ParseComplete, Z())
        wire.client(Q("select 3"))
        wire.server(C("SELECT 0"), Z())
        _ = (wire.sent, wire.shown)
        wire.client(B("", "named"))
        #expect(wire.sent == ["B  named "])
        wire.client(B("", ""))
        #expect(wire.sent == ["DS ", "Flush"])
    }

    /// A duplicate name: the server keeps the old statement, and so do we.
    @Test func aDuplicateParseKeepsTheOldStatement() throws {
        let wire = try Wire()
        wire.script.on(
            "old", .bound(plan(of: "old", parameters: [.init(clientIndex: 0, use: .encrypted(Wire.people, .operand, column: "c"))])))
        wire.client(P("s", "old"), Sync)
        wire.server(ParseComplete, Z())
        wire.client(P("s", "new"), Sync)
        wire.server(Err("42P05", "exists"), Z())
        _ = (wire.sent, wire.shown)
        wire.client(B("", "s", ["5"]), Sync)
        #expect(wire.sent == ["B  s <44 bytes>", "Sync"])  // a cell: the old plan
    }

    /// Two Parses of one name in flight, both refused by the server.
    @Test func twoFailedParsesOfOneNameKeepTheOldStatement() throws {
        let wire = try Wire()
        wire.script.on(
            "old", .bound(plan(of: "old", parameters: [.init(clientIndex: 0, use: .encrypted(Wire.people, .operand, column: "c"))])))
        wire.client(P("s", "old"), Sync)
        wire.server(ParseComplete, Z())
        wire.client(P("s", "new"), Sync, P("s", "newer"), Sync)
        wire.server(Err("42P05", "exists"), Z(), Err("42P05", "exists"), Z())
        _ = (wire.sent, wire.shown)
        wire.client(B("", "s", ["5"]), Sync)
        #expect(wire.sent == ["B  s <44 bytes>", "Sync"])
    }

    /// Checklist 13: DEALLOCATE ALL and DISCARD ALL do not touch what is parsed after them.
    @Test(arguments: [StatementEffects.Flags.deallocateAll, .discardAll])
    func statementsParsedAfterDeallocateAllStay(flag: StatementEffects.Flags) throws {
        let wire = try Wire()
        wire.script.on("deallocate all", .passThrough(StatementEffects([.init(flags: flag)])))
        wire.client(P("old", "select 0"), Sync)
        wire.server(ParseComplete, Z())
        _ = (wire.sent, wire.shown)
        wire.client(P("", "deallocate all"), B("", ""), E(""), P("new", "select 1"), Sync)
        if flag == .discardAll {
            // It resets the settings too.
            #expect(wire.sent.last == "Flush")
            wire.server(ParseComplete, BindComplete, C("DISCARD ALL"))
            wire.answerSettings(inBatch: true)
            #expect(wire.sent == ["P new select 1", "Sync"])
            wire.server(ParseComplete, Z())
            wire.client(Q("begin"), Q("select"))
            wire.server(C("BEGIN"), Z("T"))
            wire.answerSettings(status: "T")
            wire.server(C("SELECT 0"), Z("T"))
            _ = wire.sent
        } else {
            #expect(wire.sent == ["P  deallocate all", "B   ", "E ", "P new select 1", "Sync"])
            wire.server(ParseComplete, BindComplete, C("DEALLOCATE ALL"), ParseComplete, Z())
        }
        wire.client(B("", "new"))
        #expect(wire.sent == ["B  new "])
        wire.client(B("", "old"))
        #expect(wire.sent == ["DS old", "Flush"])
    }

    /// Checklist 15: rows, PortalSuspended, the rest.
    @Test func aRowLimitSuspendsAndGoesOn() throws {
        let wire = try Wire()
        wire.client(P("", "select 1"), B("p", ""), DP("p"), E("p", 2), Flush)
        #expect(wire.sent == ["P  select 1", "B p  ", "DP p", "E p 2", "Flush"])
        wire.server(ParseComplete, BindComplete, T(("a", 23)), D("1"), D("2"), Suspended)
        wire.client(E("p", 2), Sync)
        #expect(wire.sent == ["E p 2", "Sync"])
        wire.server(D("3"), C("SELECT 1"), Z())
        #expect(wire.shown == ["1", "2", "T a:23/-1/-1", "D 1", "D 2", "s", "D 3", "C SELECT 1", "Z I"])
    }

    /// Checklist 24: FunctionCall has its own Z, error or not.
    @Test func functionCallsPass() throws {
        let wire = try Wire()
        wire.client(raw("F", [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]), raw("F", [0, 0, 0, 2, 0, 0, 0, 0, 0, 0]))
        #expect(wire.sent == ["F", "F"])
        wire.server(backend(.functionCallResponse, [0xff, 0xff, 0xff, 0xff]), Z(), Err("42883", "no"), Z())
        #expect(wire.shown == ["V", "Z I", "ERROR 42883", "Z I"])
        #expect(wire.isIdle)
    }

    @Test func anErrorAtSyncDoesNotSkip() throws {
        let wire = try Wire()
        wire.client(P("", "insert"), B("", ""), E(""), Sync)
        wire.server(ParseComplete, BindComplete, NoData, C("INSERT 0 1"), Err("23503", "deferred"), Z())
        #expect(wire.shown == ["1", "2", "C INSERT 0 1", "ERROR 23503", "Z I"])
        _ = wire.sent
        wire.client(Q("select 1"))
        #expect(wire.sent == ["Q select 1"])
    }

    /// Checklist 20: FATAL without anything asked, then the end.
    @Test func aFatalErrorReachesTheClient() throws {
        let wire = try Wire()
        wire.server(Err("57P01", "terminating"))
        #expect(wire.shown == ["ERROR 57P01"])
        wire.serverClosed()
        #expect(wire.last == .close)
    }

    /// Checklist 22: what needs no look streams, in both directions, before it is there whole.
    @Test func untouchedMessagesStream() throws {
        let wire = try Wire()
        wire.client(P("s", "select $1"), Sync)
        wire.server(ParseComplete, Z())
        _ = (wire.sent, wire.shown)
        var bind = B("", "s", [String(repeating: "x", count: 1 << 20)])
        wire.client(bind.readSlice(length: 100_000) ?? ByteBuffer())
        _ = wire.sent
        #expect(wire.rawToServer.count == 100_000)
        wire.client(bind)
        _ = wire.sent
        #expect(wire.rawToServer.count == bind.readableBytes)
        wire.client(E(""), Sync)
        wire.server(BindComplete, T(("a", 25)))
        _ = wire.shown
        var row = D(String(repeating: "x", count: 1 << 20))
        wire.server(row.readSlice(length: 50_000) ?? ByteBuffer())
        _ = wire.shown
        #expect(wire.rawToClient.count == 50_000)
        wire.server(row, C("SELECT 1"), Z())
        _ = wire.shown
        #expect(wire.isIdle)
    }

    /// Checklist 22: a text is held up to a limit, and refused beyond it in its place.
    @Test func aTextBeyondTheLimitIsRefusedInOrder() throws {
        var limits = Limits()
        limits.heldMessage = 1_000
        let wire = try Wire(limits: limits)
        wire.client(Q("select 1"), Q(String(repeating: "x", count: 2_000)), P("", String(repeating: "x", count: 2_000)), Sync)
        #expect(
            wire.sent == ["Q select 1", "Q cloister refused this statement", "P cloister_refused cloister refused this statement", "Sync"])
        wire.server(C("SELECT 1"), Z(), Err("42601", "no"), Z(), Err("42601", "no"), Z())
        #expect(wire.shown == ["C SELECT 1", "Z I", "ERROR 54000", "Z I", "ERROR 54000", "Z I"])
    }

    /// Checklist 21: a client that only sends is stopped.
    @Test func tooManyOwedAnswersStopTheClient() throws {
        var limits = Limits()
        limits.pendingResponses = 3
        let wire = try Wire(limits: limits)
        wire.client(Sync, Sync, Sync, Sync)
        #expect(wire.sent == ["Sync", "Sync", "Sync"])
        #expect(!wire.wantsClientBytes)
        wire.server(Z())
        #expect(wire.sent == ["Sync"])
        wire.server(Z(), Z(), Z())
        #expect(wire.wantsClientBytes)
    }

    @Test func aServerThatAnswersWhatWasNotAskedEndsTheSession() throws {
        for intruder in [
            ParseComplete, BindComplete, CloseComplete, D("1"), T(("a", 23)), C("SELECT 1"), Z(), Suspended, backend(.copyBothResponse),
        ] {
            let wire = try Wire()
            wire.server(intruder)
            #expect(wire.shown == ["FATAL 08P01"])
            #expect(wire.sent == ["X"])
            #expect(wire.last == .close)
        }
    }

    @Test func rowsThatWereNeverDescribedAreNotShown() throws {
        let wire = try Wire()
        wire.client(Q("select 1"))
        wire.server(D("1"))
        #expect(wire.shown == ["FATAL 08P01"])
    }

    @Test func nonsenseFromTheClientEndsTheSession() throws {
        for intruder in [raw("?", []), raw("p", [1]), raw("Q", [0x41]), raw("S", [1])] {
            let wire = try Wire()
            wire.client(intruder)
            #expect(wire.shown == ["FATAL 08P01"])
        }
    }

    /// Checklist 20: idle sessions end at once, busy ones when they are idle, the rest at the deadline.
    @Test func drainEndsIdleSessionsFirst() throws {
        let idle = try Wire()
        idle.drain()
        #expect(idle.shown == ["FATAL 57P01"])
        #expect(idle.last == .close)
        let busy = try Wire()
        busy.client(Q("begin"))
        busy.drain()
        #expect(busy.shown == [])
        busy.server(C("BEGIN"), Z("T"))
        #expect(busy.shown == ["C BEGIN", "Z T"])
        busy.client(Q("commit"))
        busy.server(C("COMMIT"), Z())
        #expect(busy.shown == ["C COMMIT", "Z I", "FATAL 57P01"])
        let held = try Wire()
        held.script.on("select", .needsCatalog, .passThrough(StatementEffects([.init()])))
        held.client(Q("select"))
        held.drain()
        held.answerCatalog(andSettings: false)
        held.server(C("SELECT 0"), Z())
        #expect(held.shown == ["C SELECT 0", "Z I", "FATAL 57P01"])
        let stuck = try Wire()
        stuck.client(Q("begin"))
        stuck.drain()
        stuck.deadline()
        #expect(stuck.shown == ["FATAL 57P01"])
    }

    /// Checklist 20: what waits for an injected query is sent before the server hears of the end.
    @Test func aHalfCloseWaitsForWhatIsHeld() throws {
        let wire = try Wire()
        wire.script.on("select", .needsCatalog, .passThrough(StatementEffects([.init()])))
        wire.client(Q("select"))
        wire.clientClosed()
        #expect(wire.last == .carryOn)
        _ = wire.sent
        wire.answerCatalog(andSettings: false)
        #expect(wire.sent == ["Q select"])
        #expect(wire.last == .endServerOutput)
    }

    /// Checklist 20: half-close; what is in flight is still answered.
    @Test func aHalfClosedClientStillGetsItsAnswers() throws {
        let wire = try Wire()
        wire.client(Q("select 1"))
        wire.clientClosed()
        #expect(wire.last == .endServerOutput)
        wire.server(C("SELECT 0"), Z())
        #expect(wire.shown == ["C SELECT 0", "Z I"])
        wire.serverClosed()
        #expect(wire.last == .close)
    }
}

/// A plan whose text is the client's own.
func plan(
    of text: String, pieces: [BoundStatement.Piece]? = nil, parameters: [ServerParameter] = [], clientParameters: Int? = nil,
    copyIn: CopyInPlan? = nil, effects: StatementEffects = StatementEffects([.init()])
) -> BoundStatement {
    BoundStatement(
        pieces: pieces ?? [.verbatim(0..<text.utf8.count)], parameters: parameters,
        clientParameterCount: clientParameters ?? parameters.count,
        effects: effects, copyIn: copyIn, isRewritten: pieces != nil)
}
