import CellFormat
import ColumnCatalog
import Diagnostics
import PGWire
@testable import SQLBinding
import SessionCore
import Testing

/// COPY: checklist 17 and 18.
@Suite struct CopyTests {
    private let response = backend(.copyInResponse, [0, 0, 2, 0, 0, 0, 0])

    private func copyPlan(_ format: CopyInPlan.Format = .text) -> CopyInPlan {
        CopyInPlan(
            relation: QualifiedName("public", "people"),
            columns: [
                .init(name: "age", encryption: Wire.people, label: "public.people.age"),
                .init(name: "city", encryption: nil, label: "public.people.city"),
            ], format: format)
    }

    /// A wire in copy-in mode of a COPY with marked columns.
    private func copying(_ format: CopyInPlan.Format = .text) throws -> Wire {
        let wire = try Wire()
        wire.script.on("copy", .bound(plan(of: "copy", copyIn: copyPlan(format))))
        wire.client(Q("copy"))
        #expect(wire.sent == ["Q copy"])
        wire.server(response)
        #expect(wire.shown == ["G"])
        return wire
    }

    @Test(arguments: [CopyInPlan.Format.text, .csv]) func markedColumnsBecomeCells(format: CopyInPlan.Format) throws {
        let wire = try copying(format)
        let separator = format == .text ? "\t" : ","
        wire.client(CopyData("42424242\(separator)Rome\n43434343\(separator)"), CopyData("Paris\n"), CopyDone)
        _ = wire.sent
        let sent = String(decoding: wire.rawToServer, as: UTF8.self)
        #expect(!sent.contains("42424242\(separator)") && !sent.contains("43434343\(separator)"))
        #expect(sent.contains("\(separator)Rome\n") && sent.contains("\(separator)Paris\n"))
        #expect(sent.components("x0101030000000007") == 2)
        wire.server(C("COPY 2"), Z())
        #expect(wire.shown == ["C COPY 2", "Z I"])
        #expect(wire.isIdle)
    }

    @Test func nullStaysNull() throws {
        let wire = try copying()
        wire.client(CopyData("\\N\tRome\n"), CopyDone)
        #expect(wire.sent == ["d <8 bytes>", "c"])
    }

    /// Checklist 17: after an error the client's data are read up to CopyDone; one error, one Z.
    @Test func aMalformedValueEndsTheCopy() throws {
        let wire = try copying()
        wire.client(CopyData("42\tRome\n"), CopyData("oops\tParis\n"), CopyData("44\tBonn\n"), CopyDone)
        #expect(wire.sent.last == "f")
        wire.server(Err("57014", "COPY from stdin failed"), Z())
        #expect(wire.shown == ["ERROR 22P02", "Z I"])
        wire.client(Q("select"))
        #expect(wire.sent == ["Q select"])
    }

    @Test func anotherNumberOfColumnsIsRefused() throws {
        let wire = try Wire()
        wire.script.on("copy", .bound(plan(of: "copy", copyIn: copyPlan())))
        wire.client(Q("copy"))
        _ = wire.sent
        wire.server(backend(.copyInResponse, [0, 0, 1, 0, 0]))
        #expect(wire.sent == ["f"])
        wire.server(Err("57014", "COPY from stdin failed"), Z())
        #expect(wire.shown == ["ERROR 0A000", "Z I"])
    }

    @Test func anEncryptedCopyMustBeSentAlone() throws {
        let wire = try Wire()
        let two = StatementEffects([.init(), .init(flags: .copyIn)])
        wire.script.on("select; copy", .bound(plan(of: "select; copy", copyIn: copyPlan(), effects: two)))
        wire.client(Q("select; copy"))
        #expect(wire.sent == ["Q cloister refused this statement"])
    }

    @Test func aBinaryCopyIsRefused() throws {
        let wire = try Wire()
        wire.script.on("copy", .bound(plan(of: "copy", copyIn: copyPlan())))
        wire.client(Q("copy"))
        _ = wire.sent
        wire.server(backend(.copyInResponse, [1, 0, 2, 0, 1, 0, 1]))
        #expect(wire.sent == ["f"])
    }

    @Test func untouchedDataPassAsTheyAre() throws {
        let wire = try Wire()
        wire.client(Q("copy plain"))
        wire.server(response)
        wire.client(CopyData("1\tx\n"), CopyDone)
        #expect(wire.sent == ["Q copy plain", "d <4 bytes>", "c"])
        wire.server(C("COPY 1"), Z())
        #expect(wire.shown == ["G", "C COPY 1", "Z I"])
    }

    @Test func copyFailPasses() throws {
        let wire = try copying()
        wire.client(raw("f", Array("no\0".utf8)))
        #expect(wire.sent == ["f"])
        wire.server(Err("57014", "COPY from stdin failed"), Z())
        #expect(wire.shown == ["ERROR 57014", "Z I"])
    }

    /// Data that come before the server has answered wait for it; refused, they are stale.
    @Test func earlyDataWaitForTheAnswer() throws {
        let wire = try Wire()
        wire.client(Q("copy plain"), CopyData("1\tx\n"), CopyDone, Q("next"))
        #expect(wire.sent == ["Q copy plain"])
        #expect(!wire.wantsClientBytes)
        wire.server(response)
        #expect(wire.sent == ["d <4 bytes>", "c", "Q next"])
        let refused = try Wire()
        refused.client(Q("copy plain"), CopyData("1\tx\n"), CopyDone, Q("next"))
        refused.server(Err("42P01", "no table"), Z())
        #expect(refused.sent == ["Q copy plain", "Q next"])
    }

    /// Checklist 17: in copy-in mode the server ignores Sync and Flush, and nothing waits for a Z for them.
    @Test func syncDuringCopyIsIgnored() throws {
        let wire = try Wire()
        wire.client(P("", "copy plain"), B("", ""), E(""), Sync)
        wire.server(ParseComplete, BindComplete, response)
        _ = wire.sent
        wire.client(CopyData("1\tx\n"), Sync, Flush, CopyDone, Sync)
        #expect(wire.sent == ["d <4 bytes>", "c", "Sync"])
        wire.server(C("COPY 1"), Z())
        #expect(wire.shown == ["1", "2", "G", "C COPY 1", "Z I"])
        #expect(wire.isIdle)
    }

    @Test func anErrorInAnExtendedCopySkipsToSync() throws {
        let wire = try Wire()
        wire.script.on("copy", .bound(plan(of: "copy", copyIn: copyPlan())))
        wire.client(P("", "copy"), B("", ""), E(""), Flush)
        wire.server(ParseComplete, BindComplete, response)
        wire.client(CopyData("oops\tx\n"))
        _ = wire.sent
        wire.server(Err("57014", "COPY from stdin failed"))
        wire.client(CopyData("1\tx\n"), CopyDone, Sync)
        #expect(wire.sent == ["Sync"])
        wire.server(Z())
        #expect(wire.shown == ["1", "2", "G", "ERROR 22P02", "Z I"])
    }

    /// A query in the middle of a COPY never reaches the server: it may hold plaintext.
    @Test func anyOtherMessageEndsTheCopy() throws {
        let wire = try copying()
        wire.client(Q("insert into people values ('secret')"))
        #expect(wire.sent == ["f"])
        wire.server(Err("57014", "COPY from stdin failed"), Z())
        #expect(wire.shown == ["ERROR 08P01", "Z I"])
    }

    @Test func copyOutPasses() throws {
        let wire = try Wire()
        wire.client(Q("copy plain to stdout"))
        wire.server(
            backend(.copyOutResponse, [0, 0, 1, 0, 0]), backend(.copyData, Array("1\n".utf8)), backend(.copyDone), C("COPY 1"), Z())
        #expect(wire.shown == ["H", "d <2 bytes>", "c", "C COPY 1", "Z I"])
    }

    @Test func aServerThatErrsInTheMiddleOfACopyIsHeard() throws {
        let wire = try copying()
        wire.client(CopyData("1\tx\n"))
        wire.server(Err("23505", "duplicate"), Z())
        #expect(wire.shown == ["ERROR 23505", "Z I"])
        wire.client(CopyData("2\ty\n"), CopyDone, Q("next"))
        #expect(wire.sent.last == "Q next")
        #expect(!wire.sent.contains("c"))
    }
}

extension String {
    /// How often `part` occurs.
    func components(_ part: String) -> Int { split(separator: part, omittingEmptySubsequences: false).count - 1 }
}
