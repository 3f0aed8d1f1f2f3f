import CellCrypto
import CellFormat
import ColumnCatalog
import Diagnostics
import NIOCore
import PGWire
@testable import SQLBinding
import SessionCore
import Testing

/// Literals, parameters, rows and descriptions of statements with marked columns.
@Suite struct EncryptionTests {
    private let column = "public.people.age"

    private func slot(_ value: String, _ range: Range<Int>, role: CellRole = .stored, type: EncryptedType = Wire.people) -> LiteralSlot {
        LiteralSlot(value: Array(value.utf8), kind: .number, declaredType: nil, target: type, role: role, column: column, range: range)
    }

    /// The one cell in what was sent last, from its hex.
    private func cellInText(_ line: String) throws -> [UInt8] {
        let hex = try #require(line.split(separator: "'").first { $0.hasPrefix("\\x") }).dropFirst(2)
        let digits = Array(hex.utf8)
        return try stride(from: 0, to: digits.count, by: 2).map {
            try #require(UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16))
        }
    }

    private func open(_ cell: [UInt8], _ wire: Wire) throws -> (CellHeader, [UInt8]) {
        let opened = try #require(wire.keys.cipher(Wire.key)).open(cell.span)
        let bytes = opened.plaintext.bytes
        return (opened.header, bytes.indices.map { bytes[$0] })
    }

    private func seal(_ value: [UInt8], _ wire: Wire, role: CellRole = .stored, type: EncryptedType = Wire.people) throws -> [UInt8] {
        let cipher = try #require(wire.keys.cipher(Wire.key))
        return type.scheme == .deterministic
            ? try cipher.sealDeterministic(value.span, type: type) : try CellWriter().seal(value.span, role: role, type: type, with: cipher)
    }

    private func hex(_ cell: [UInt8]) -> String { "\\x" + cell.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() }

    // MARK: Simple query

    @Test func aLiteralBecomesACell() throws {
        let wire = try Wire()
        let text = "insert into people (age) values (42)"
        wire.script.on(text, .bound(plan(of: text, pieces: [.verbatim(0..<33), .cell(slot("42", 33..<35)), .verbatim(35..<36)])))
        wire.client(Q(text))
        let sent = try #require(wire.sent.first)
        #expect(sent.hasPrefix("Q insert into people (age) values ('\\x0101030000000007"))
        #expect(sent.hasSuffix("'::pg_catalog.enc_int4)"))
        let (header, plaintext) = try open(cellInText(sent), wire)
        #expect(header == Wire.people.header(.stored))
        #expect(plaintext == [0, 0, 0, 42])
        wire.server(C("INSERT 0 1"), Z())
        #expect(wire.shown == ["C INSERT 0 1", "Z I"])
    }

    @Test func operandsCarryTheirRole() throws {
        let wire = try Wire()
        wire.script.on("q 5", .bound(plan(of: "q 5", pieces: [.verbatim(0..<2), .cell(slot("5", 2..<3, role: .operand))])))
        wire.client(Q("q 5"))
        #expect(try open(cellInText(wire.sent[0]), wire).0.role == .operand)
    }

    @Test func withBackslashEscapesTheLiteralSaysSo() throws {
        let wire = try Wire()
        wire.server(S("standard_conforming_strings", "off"))
        wire.script.on("q 5", .bound(plan(of: "q 5", pieces: [.verbatim(0..<2), .cell(slot("5", 2..<3))])))
        wire.client(Q("q 5"))
        #expect(wire.sent[0].hasPrefix("Q q E'\\\\x0101"))
    }

    /// A literal that is not of the column's type: PostgreSQL's SQLSTATE, in order, and nothing of it is sent.
    @Test func aMalformedLiteralIsRefusedWithoutBeingSent() throws {
        let wire = try Wire()
        var bad = slot("12x", 2..<5)
        bad.kind = .string
        wire.script.on("q 12x", .bound(plan(of: "q 12x", pieces: [.verbatim(0..<2), .cell(bad)])))
        wire.client(Q("q 12x"))
        #expect(wire.sent == ["Q cloister refused this statement"])
        wire.server(Err("42601", "no"), Z())
        #expect(wire.shown == ["ERROR 22P02", "Z I"])
    }

    @Test func withoutTheKeyTheErrorNamesTheColumn() throws {
        let wire = try Wire(withKey: false)
        wire.script.on("q 5", .bound(plan(of: "q 5", pieces: [.verbatim(0..<2), .cell(slot("5", 2..<3))])))
        wire.client(Q("q 5"))
        wire.server(Err("42601", "no"), Z())
        #expect(wire.shown == ["ERROR 28000", "Z I"])
        #expect(String(decoding: wire.rawToClient, as: UTF8.self).contains("public.people.age"))
    }

    @Test func aStatementIsReadInTheClientsEncoding() throws {
        let wire = try Wire()
        wire.server(S("client_encoding", "LATIN1"))
        #expect(wire.shown == ["S client_encoding=LATIN1"])
        wire.script.on("é 5", .bound(plan(of: "é 5", pieces: [.verbatim(0..<3), .cell(slot("5", 3..<4))])))
        var latin = ByteBuffer()
        QueryMessage(text: ByteBuffer(bytes: [0xe9, 0x20, 0x35])).write(to: &latin)
        wire.client(latin)
        // The server gets it in LATIN1 again: é is one byte.
        _ = wire.sent
        #expect(Array(wire.rawToServer.dropFirst(5).prefix(4)) == [0xe9, 0x20, 0x27, 0x5c])
    }

    @Test func unsupportedEncodingsAreRefused() throws {
        let wire = try Wire()
        wire.server(S("client_encoding", "BIG5"))
        #expect(wire.shown == ["S client_encoding=BIG5"])
        wire.script.on("q 5", .bound(plan(of: "q 5", pieces: [.verbatim(0..<2), .cell(slot("5", 2..<3))])))
        wire.client(Q("q 5"))
        wire.server(Err("42601", "no"), Z())
        #expect(wire.shown == ["ERROR 0A000", "Z I"])
    }

    /// Checklist 23: the position is the client's.
    @Test func errorPositionsPointIntoTheClientsText() throws {
        let wire = try Wire()
        let text = "é 5 oops"  // é is two bytes, one character
        wire.script.on(text, .bound(plan(of: text, pieces: [.verbatim(0..<3), .cell(slot("5", 3..<4)), .verbatim(4..<9)])))
        wire.client(Q(text))
        let sent = wire.sent[0]
        #expect(sent.hasPrefix("Q <"))
        let body = String(decoding: wire.rawToServer.dropFirst(5).dropLast(), as: UTF8.self)
        let oops = body.count - 3
        wire.server(Err("42703", "no such", position: oops), Z())
        #expect(wire.shown == ["ERROR 42703 @5", "Z I"])
        wire.client(Q(text))
        wire.server(Err("42883", "no operator", position: 10), Z())
        #expect(wire.shown == ["ERROR 42883 @3", "Z I"])  // inside the cell: where the literal is
    }

    // MARK: Rows

    @Test func cellsAreShownAsValues() throws {
        let wire = try Wire()
        wire.client(Q("select"))
        wire.server(
            T(("id", Wire.detText), ("age", Wire.encInt4), ("city", 25)),
            D(hex(try seal(Array("p1".utf8), wire, type: Wire.id)), hex(try seal([0, 0, 1, 0], wire)), "Rome"), D(nil, nil, nil),
            C("SELECT 2"), Z())
        #expect(wire.shown == ["T id:25/-1/-1 age:23/4/-1 city:25/-1/-1", "D p1|256|Rome", "D NULL|NULL|NULL", "C SELECT 2", "Z I"])
    }

    @Test func resultCellsAreShownOperandsAreNot() throws {
        let wire = try Wire()
        wire.client(Q("select"))
        wire.server(
            T(("m", Wire.encInt4)), D(hex(try seal([0, 0, 0, 9], wire, role: .result))),
            D(hex(try seal([0, 0, 0, 9], wire, role: .operand))))
        #expect(wire.shown == ["T m:23/4/-1", "D 9", "ERROR XX001"])
    }

    /// An undecryptable cell is an error in its place; what follows up to Z is dropped, and the session goes on.
    @Test(arguments: ["not a cell", "\\x00", "\\x0", "42"]) func anUndecryptableCellIsAnErrorInOrder(garbage: String) throws {
        let wire = try Wire()
        wire.client(Q("select"), Q("next"))
        wire.server(
            T(("age", Wire.encInt4)), D(hex(try seal([0, 0, 0, 1], wire))), D(garbage), D(hex(try seal([0, 0, 0, 2], wire))), C("SELECT 3"),
            Z())
        #expect(wire.shown == ["T age:23/4/-1", "D 1", "ERROR XX001", "Z I"])
        wire.server(C("NEXT"), Z())
        #expect(wire.shown == ["C NEXT", "Z I"])
    }

    @Test func aTamperedCellIsAnError() throws {
        let wire = try Wire()
        var cell = try seal([0, 0, 0, 1], wire)
        cell[cell.count - 1] ^= 1
        wire.client(Q("select"))
        wire.server(T(("age", Wire.encInt4)), D(hex(cell)))
        #expect(wire.shown == ["T age:23/4/-1", "ERROR XX001"])
    }

    /// The server passes one type's cell off as another's.
    @Test func aCellOfAnotherTypeIsAnError() throws {
        let wire = try Wire()
        wire.client(Q("select"))
        wire.server(T(("age", Wire.encInt4)), D(hex(try seal(Array("p1".utf8), wire, type: Wire.id))))
        #expect(wire.shown == ["T age:23/4/-1", "ERROR XX001"])
    }

    /// The server passes one column's cell off as another's: the column's typmod names another key.
    @Test func aCellOfAnotherKeyIsAnError() throws {
        let wire = try Wire()
        let other = try #require(KeyID(rawValue: 9))
        let cipher = try CellCipher(ColumnKey(), id: other)
        wire.keys.insert(cipher)
        let value: [UInt8] = [0, 0, 0, 1]
        let cell = try CellWriter().seal(value.span, role: .stored, type: EncryptedType(.int4, .randomized, key: other), with: cipher)
        wire.client(Q("select"))
        wire.server(T(("age", Wire.encInt4)), D(hex(cell)))
        #expect(wire.shown == ["T age:23/4/-1", "ERROR XX001"])
    }

    @Test func anUnknownKeyNamesTheColumn() throws {
        let wire = try Wire()
        let cell = try seal([0, 0, 0, 1], wire)
        wire.keys.replace([:])
        wire.client(Q("select"))
        wire.server(T(("age", Wire.encInt4)), D(hex(cell)))
        #expect(wire.shown == ["T age:23/4/-1", "ERROR 28000"])
        #expect(String(decoding: wire.rawToClient, as: UTF8.self).contains("\"age\""))
    }

    @Test func anErrorInAnExtendedResultSkipsToSync() throws {
        let wire = try Wire()
        wire.client(P("", "select"), B("", ""), DP(""), E(""), P("", "later"), B("", ""), E(""), Sync)
        wire.server(
            ParseComplete, BindComplete, T(("age", Wire.encInt4)), D("garbage"), C("SELECT 1"), ParseComplete, BindComplete, NoData, C("X"),
            Z())
        #expect(wire.shown == ["1", "2", "T age:23/4/-1", "ERROR XX001", "Z I"])
        #expect(wire.isIdle)
    }

    @Test func arraysOfCellsAreNotShown() throws {
        let wire = try Wire()
        wire.client(Q("select"))
        wire.server(T(("ages", 20_005)), D("{}"))
        #expect(wire.shown == ["T ages:25/-1/-1", "ERROR XX001"])
    }

    // MARK: Extended protocol

    private func prepared(_ wire: Wire, declared: [UInt32] = []) {
        wire.script.on(
            "update $1",
            .bound(plan(of: "update $1", parameters: [.init(clientIndex: 0, use: .encrypted(Wire.people, .stored, column: column))])))
        wire.client(P("u", "update $1", declared), DS("u"), Sync)
        #expect(wire.sent == ["P u update $1 [20004]", "DS u", "Sync"])
        wire.server(ParseComplete, t(Wire.encInt4), NoData, Z())
    }

    /// Checklist 14: descriptions carry logical types.
    @Test func parametersAreDescribedAsLogicalTypes() throws {
        let wire = try Wire()
        prepared(wire)
        #expect(wire.shown == ["1", "t [23]", "n", "Z I"])
    }

    @Test func aDeclaredTypeIsDescribedAsDeclared() throws {
        let wire = try Wire()
        prepared(wire, declared: [20])
        #expect(wire.shown == ["1", "t [20]", "n", "Z I"])
    }

    @Test(arguments: [0, 1] as [Int16]) func parametersBecomeCellsInBothFormats(format: Int16) throws {
        let wire = try Wire()
        prepared(wire)
        wire.client(B("", "u", bytes: [format == 0 ? Array("513".utf8) : [0, 0, 2, 1]], formats: [format]), E(""), Sync)
        #expect(wire.sent == ["B  u <44 bytes>", "E ", "Sync"])
        let bodyLength = 1 + 2 + (2 + 2) + (2 + 4 + 44) + 2
        let bind = try BindMessage(body: ByteBuffer(bytes: wire.rawToServer[5..<5 + bodyLength]))
        #expect(bind.parameterFormats == [1])
        let value = try #require(bind.parameters.first ?? nil)
        let (header, plaintext) = try open(Array(value.readableBytesView), wire)
        #expect(header.role == .stored)
        #expect(plaintext == [0, 0, 2, 1])
        wire.server(BindComplete, C("UPDATE 1"), Z())
    }

    @Test func nullStaysNull() throws {
        let wire = try Wire()
        prepared(wire)
        wire.client(B("", "u", [nil]))
        #expect(wire.sent == ["B  u NULL"])
    }

    /// The client's declared type is what its bytes are of: int8 into an int4 column.
    @Test func aDeclaredNeighbourTypeIsConverted() throws {
        let wire = try Wire()
        prepared(wire, declared: [20])
        wire.client(B("", "u", bytes: [[0, 0, 0, 0, 0, 0, 0, 9]], formats: [1]))
        #expect(wire.sent == ["B  u <44 bytes>"])
        wire.client(Sync)
        wire.server(BindComplete, Z())
        wire.client(B("", "u", bytes: [[0, 0, 0, 1, 0, 0, 0, 0]], formats: [1]), Sync)
        #expect(wire.sent == ["Sync", "P cloister_refused cloister refused this statement", "Sync"])
        _ = wire.shown
        wire.server(Err("42601", "no"), Z())
        #expect(wire.shown == ["ERROR 22003", "Z I"])
    }

    @Test func aWrongNumberOfParametersIsRefused() throws {
        let wire = try Wire()
        prepared(wire)
        _ = wire.shown
        wire.client(B("", "u", ["1", "2"]), Sync)
        wire.server(Err("42601", "no"), Z())
        #expect(wire.shown == ["ERROR 08P01", "Z I"])
    }

    /// A parameter used as stored value and as operand is two of the server's.
    @Test func oneParameterMayBecomeTwo() throws {
        let wire = try Wire()
        let text = "update p set age = $1 where age = $1"
        wire.script.on(
            text,
            .bound(
                plan(
                    of: text, pieces: [.verbatim(0..<34), .text("$2")],
                    parameters: [
                        .init(clientIndex: 0, use: .encrypted(Wire.people, .stored, column: column)),
                        .init(clientIndex: 0, use: .encrypted(Wire.people, .operand, column: column)),
                    ], clientParameters: 1)))
        wire.client(P("u", text), DS("u"), Sync)
        #expect(wire.sent == ["P u update p set age = $1 where age = $2 [20004, 20004]", "DS u", "Sync"])
        wire.server(ParseComplete, t(Wire.encInt4, Wire.encInt4), NoData, Z())
        #expect(wire.shown == ["1", "t [23]", "n", "Z I"])
        wire.client(B("", "u", ["5"]))
        #expect(wire.sent == ["B  u <44 bytes>|<44 bytes>"])
    }

    /// Nothing is bound before the server's types of undeclared parameters are known to agree with the plan.
    @Test func undeclaredPlainParametersAreCheckedBeforeBind() throws {
        let wire = try Wire()
        let parameters: [ServerParameter] = [
            .init(clientIndex: 0, use: .encrypted(Wire.people, .operand, column: column)), .init(clientIndex: 1, use: .plain),
        ]
        wire.script.on("select $1 $2", .bound(plan(of: "select $1 $2", parameters: parameters)))
        wire.client(P("", "select $1 $2"), B("", "", ["1", "Rome"]), E(""), Sync)
        #expect(wire.sent == ["P  select $1 $2 [20004, 0]", "DS ", "Flush"])
        wire.server(ParseComplete, t(Wire.encInt4, 25), T(("city", 25)))
        #expect(wire.shown == ["1"])
        #expect(wire.sent == ["B   <44 bytes>|Rome", "E ", "Sync"])
        wire.server(BindComplete, D("Rome"), C("SELECT 1"), Z())
        #expect(wire.shown == ["2", "D Rome", "C SELECT 1", "Z I"])
    }

    @Test func aContradictedPlanSendsNoParameter() throws {
        let wire = try Wire()
        let parameters: [ServerParameter] = [
            .init(clientIndex: 0, use: .encrypted(Wire.people, .operand, column: column)), .init(clientIndex: 1, use: .plain),
        ]
        wire.script.on("select $1 $2", .bound(plan(of: "select $1 $2", parameters: parameters)))
        wire.client(P("", "select $1 $2"), B("", "", ["1", "secret"]), E(""), Sync)
        _ = wire.sent
        wire.server(ParseComplete, t(Wire.encInt4, Wire.detText), T(("city", 25)))
        #expect(wire.sent == ["P cloister_refused cloister refused this statement", "Sync"])
        wire.server(Err("42601", "no"), Z())
        #expect(wire.shown == ["1", "ERROR 0A000", "Z I"])
    }

    /// A statement of SQL's PREPARE: its parameters are asked for first, and refused if the server wants a cell.
    @Test func anUnknownStatementsParametersAreCheckedBeforeBind() throws {
        let wire = try Wire()
        wire.client(B("", "sqlprepared", ["secret"]), Sync)
        #expect(wire.sent == ["DS sqlprepared", "Flush"])
        wire.server(t(Wire.detText), NoData)
        #expect(wire.sent == ["P cloister_refused cloister refused this statement", "Sync"])
        wire.server(Err("42601", "no"), Z())
        #expect(wire.shown == ["ERROR 0A000", "Z I"])
        wire.client(B("", "harmless", ["1"]), Sync)
        wire.server(t(23), NoData)
        #expect(wire.sent == ["DS harmless", "Flush", "B  harmless 1", "Sync"])
    }

    @Test func executeOfAProtocolStatementIsRefused() throws {
        let wire = try Wire()
        prepared(wire)
        _ = wire.shown
        wire.script.on("execute u(5)", .passThrough(StatementEffects([.init(executes: "u")])))
        wire.script.on("execute other(5)", .passThrough(StatementEffects([.init(executes: "other")])))
        wire.script.on("prepare other", .passThrough(StatementEffects([.init(prepares: "other")])))
        wire.client(Q("execute u(5)"), Q("execute other(5)"), Q("prepare other"), Q("execute other(5)"))
        // What EXECUTE's values are for is known once the server has answered the PREPARE.
        #expect(wire.sent == ["Q cloister refused this statement", "Q cloister refused this statement", "Q prepare other"])
        wire.server(Err("42601", "no"), Z(), Err("42601", "no"), Z(), C("PREPARE"), Z())
        #expect(wire.sent == ["Q execute other(5)"])
    }

    /// The client never describes: we do, once a statement, and swallow the answer.
    @Test func executeWithoutDescribeIsDescribedByUs() throws {
        let wire = try Wire()
        wire.client(P("s", "select"), B("", "s"), E(""), Sync)
        #expect(wire.sent == ["P s select", "B  s ", "DP ", "E ", "Sync"])
        let cell = hex(try seal([0, 0, 0, 7], wire))
        wire.server(ParseComplete, BindComplete, T(("age", Wire.encInt4)), D(cell), C("SELECT 1"), Z())
        #expect(wire.shown == ["1", "2", "D 7", "C SELECT 1", "Z I"])
        wire.client(B("", "s", results: [1]), E(""), Sync)
        #expect(wire.sent == ["B  s  [1]", "E ", "Sync"])
        wire.server(BindComplete, D(bytes: [try seal([0, 0, 0, 8], wire)]), C("SELECT 1"), Z())
        #expect(wire.shown == ["2", "D <4 bytes>", "C SELECT 1", "Z I"])
        #expect(wire.rawToClient.starts(with: [0x32, 0, 0, 0, 4, 0x44, 0, 0, 0, 14, 0, 1, 0, 0, 0, 4, 0, 0, 0, 8]))
    }

    @Test func aDescribedStatementIsNotDescribedAgain() throws {
        let wire = try Wire()
        wire.client(P("s", "select"), DS("s"), B("", "s", results: [1]), E(""), Sync)
        #expect(wire.sent == ["P s select", "DS s", "B  s  [1]", "E ", "Sync"])
        wire.server(
            ParseComplete, t(), T(("age", Wire.encInt4)), BindComplete, D(bytes: [try seal([0, 0, 0, 7], wire)]), C("SELECT 1"), Z())
        #expect(wire.shown == ["1", "t []", "T age:23/4/-1", "2", "D <4 bytes>", "C SELECT 1", "Z I"])
    }

    /// A Describe that was skipped with its batch does not count.
    @Test func aSkippedDescribeIsAskedAgain() throws {
        let wire = try Wire()
        wire.client(P("s", "select"), Sync)
        wire.server(ParseComplete, Z())
        wire.client(P("x", "fails"), DS("s"), Sync)
        wire.server(Err("42601", "no"), Z())
        _ = wire.sent
        wire.client(B("", "s"), E(""), Sync)
        #expect(wire.sent == ["B  s ", "DP ", "E ", "Sync"])
    }

    /// Checklist 15: a cursor made by SQL is read through its own description, each time.
    @Test func fetchIsDescribedEveryTime() throws {
        let wire = try Wire()
        wire.client(P("f", "FETCH 1 FROM c"), Sync)
        wire.server(ParseComplete, Z())
        _ = wire.sent
        for _ in 0..<2 {
            wire.client(B("", "f"), E(""), Sync)
            #expect(wire.sent == ["B  f ", "DP ", "E ", "Sync"])
            wire.server(BindComplete, T(("age", Wire.encInt4)), D(hex(try seal([0, 0, 0, 7], wire))), C("FETCH 1"), Z())
        }
        #expect(wire.shown.filter { $0 == "D 7" }.count == 2)
        wire.client(E("c", 1), Sync)
        #expect(wire.sent == ["DP c", "E c 1", "Sync"])
    }
}
