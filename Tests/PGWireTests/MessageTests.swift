import Diagnostics
import NIOCore
import PGWire
import Testing

/// Takes the header off one message.
func body(_ write: (inout ByteBuffer) -> Void) throws -> (type: UInt8, body: ByteBuffer) {
    var buffer = ByteBuffer()
    write(&buffer)
    let header = try #require(try FrameHeader(peeking: buffer, limits: Limits()))
    #expect(buffer.readableBytes == header.totalLength)
    buffer.moveReaderIndex(forwardBy: FrameHeader.byteCount)
    return (header.type, buffer)
}

func buffer(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

@Suite struct MessageTests {
    @Test(arguments: [Int32.min, -1, 0, 3, 0x3fff_ffff, .max])
    func impossibleFrameLengthsAreRefusedAtOnce(length: Int32) {
        var buffer = ByteBuffer()
        buffer.writeMultipleIntegers(UInt8(0x51), length)
        #expect(throws: CloisterError(.protocolViolation, "")) { _ = try FrameHeader(peeking: buffer, limits: Limits()) }
    }

    @Test func aHeaderNeedsFiveBytes() throws {
        #expect(try FrameHeader(peeking: ByteBuffer(bytes: [0x51, 0, 0, 0]), limits: Limits()) == nil)
        #expect(
            try FrameHeader(peeking: ByteBuffer(bytes: [0x51, 0, 0, 0, 4]), limits: Limits()) == FrameHeader(type: 0x51, bodyLength: 0))
    }

    @Test func frontendMessagesSurviveTheRoundTrip() throws {
        let query = QueryMessage(text: buffer("select 1"))
        #expect(try QueryMessage(body: body(query.write).body) == query)
        for parse in [
            ParseMessage(name: .unnamed, text: buffer("")),
            ParseMessage(name: Identifier("s1"), text: buffer("select $1"), parameterTypes: [23, 0]),
        ] { #expect(try ParseMessage(body: body(parse.write).body) == parse) }
        for bind in [
            BindMessage(portal: .unnamed, statement: .unnamed),
            BindMessage(
                portal: Identifier("p"), statement: Identifier("s"), parameterFormats: [0, 1],
                parameters: [nil, buffer("x")], resultFormats: [1]),
        ] {
            let wire = try body(bind.write).body
            #expect(try BindMessage(body: wire) == bind)
            #expect(try BindMessage.resultFormats(body: wire) == bind.resultFormats)
            #expect(BindMessage.names(peeking: wire)?.statement == bind.statement)
        }
        for target in [DescribeTarget.statement(Identifier("s")), .portal(.unnamed)] {
            #expect(try DescribeTarget(body: body { target.write(.describe, to: &$0) }.body) == target)
        }
        let execute = ExecuteMessage(portal: Identifier("p"), rowLimit: 5)
        #expect(try ExecuteMessage(body: body(execute.write).body) == execute)
    }

    @Test func backendMessagesSurviveTheRoundTrip() throws {
        let rows = RowDescription(fields: [
            .init(name: buffer("id"), table: 16400, attribute: 1, type: 23, size: 4),
            .init(name: buffer("n"), type: 25, size: -1, format: 1),
        ])
        #expect(try RowDescription(body: body(rows.write).body) == rows)
        let parameters = ParameterDescription(types: [23, 16_500])
        #expect(try ParameterDescription(body: body(parameters.write).body) == parameters)
        let row = DataRow(values: [nil, buffer(""), buffer("x")])
        #expect(try DataRow(body: body(row.write).body) == row)
        let sasl = try body { AuthenticationRequest.writeSASL(["SCRAM-SHA-256"], to: &$0) }
        #expect(try AuthenticationRequest(body: sasl.body) == .sasl(mechanisms: ["SCRAM-SHA-256"]))
    }

    /// Checklist 6: an error without SQLSTATE, or without any field, is just that.
    @Test func errorFieldsMayAllBeMissing() throws {
        let empty = try ErrorFields(body: ByteBuffer(bytes: [0]))
        #expect(empty[.sqlState] == nil && empty[.position] == nil)
        var fields = try ErrorFields(body: ByteBuffer(bytes: [0x4d] + Array("no".utf8) + [0, 0]))
        #expect(fields[.message] == "no")
        fields[.position] = "7"
        #expect(try ErrorFields(body: body { fields.write(to: &$0) }.body) == fields)
    }

    @Test func ourErrorsCarryCodeAndHintAndNoZeroByte() {
        let fields = ErrorFields(CloisterError(.messageTooLarge, "too\0long", hint: "shorten", location: "row 3"))
        #expect(fields[.sqlState] == "54000" && fields[.message] == "too" && fields[.hint] == "shorten" && fields[.context] == "row 3")
        #expect(fields[.severity] == "ERROR" && fields[.detail] == "Cloister CL5002.")
    }

    @Test func countsThatContradictTheirMessageAreRefused() throws {
        let cases: [(String, () throws -> Void)] = [
            ("Parse", { _ = try ParseMessage(body: ByteBuffer(bytes: [0, 0, 0, 2, 0, 0, 0, 0])) }),
            ("Bind parameters", { _ = try BindMessage(body: ByteBuffer(bytes: [0, 0, 0, 0, 0xff, 0xff])) }),
            ("Bind formats", { _ = try BindMessage(body: ByteBuffer(bytes: [0, 0, 0xff, 0xff, 0, 1])) }),
            ("Bind format code", { _ = try BindMessage(body: ByteBuffer(bytes: [0, 0, 0, 1, 0, 2, 0, 0, 0, 0])) }),
            ("Bind value", { _ = try BindMessage(body: ByteBuffer(bytes: [0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe, 0, 0])) }),
            ("Bind rest", { _ = try BindMessage(body: ByteBuffer(bytes: [0, 0, 0, 0, 0, 0, 0, 0, 9])) }),
            ("RowDescription", { _ = try RowDescription(body: ByteBuffer(bytes: [0xff, 0xff, 0])) }),
            ("DataRow", { _ = try DataRow(body: ByteBuffer(bytes: [0xff, 0xff])) }),
            ("ParameterDescription", { _ = try ParameterDescription(body: ByteBuffer(bytes: [0, 2, 0, 0, 0, 1])) }),
            ("Query", { _ = try QueryMessage(body: ByteBuffer(bytes: [0x41])) }),
            ("Query rest", { _ = try QueryMessage(body: ByteBuffer(bytes: [0x41, 0, 0x42, 0])) }),
            ("Describe", { _ = try DescribeTarget(body: ByteBuffer(bytes: [0x51, 0])) }),
            ("ReadyForQuery", { _ = try TransactionStatus(body: ByteBuffer(bytes: [0x58])) }),
            ("SASL", { _ = try AuthenticationRequest(body: ByteBuffer(bytes: [0, 0, 0, 10, 0x53])) }),
        ]
        for (name, read) in cases { #expect(throws: CloisterError(.protocolViolation, ""), "\(name)") { try read() } }
    }

    /// Names that are not UTF-8 stay apart: no repair lets two of them meet.
    @Test func namesAreTheirExactBytes() throws {
        let one = try ParseMessage(body: ByteBuffer(bytes: [0xe9, 0, 0, 0, 0])).name
        let other = try ParseMessage(body: ByteBuffer(bytes: [0xe8, 0, 0, 0, 0])).name
        #expect(one != other)
        #expect(one == .bytes([0xe9]))
        var buffer = ByteBuffer()
        one.write(to: &buffer)
        #expect(Array(buffer.readableBytesView) == [0xe9, 0])
    }

    @Test func authenticationRequestsAreTold() throws {
        func request(_ bytes: [UInt8]) throws -> AuthenticationRequest { try AuthenticationRequest(body: ByteBuffer(bytes: bytes)) }
        #expect(try request([0, 0, 0, 0]) == .ok)
        #expect(try request([0, 0, 0, 3]) == .cleartextPassword)
        #expect(try request([0, 0, 0, 5, 1, 2, 3, 4]) == .md5Password)
        #expect(try request([0, 0, 0, 7]) == .gss)
        #expect(try request([0, 0, 0, 11, 9]) == .saslContinue)
        #expect(try request([0, 0, 0, 12]) == .saslFinal)
        #expect(try request([0, 0, 0, 99]) == .unknown(99))
    }
}
