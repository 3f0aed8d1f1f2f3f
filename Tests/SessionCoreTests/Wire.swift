import CellCrypto
import CellFormat
import ColumnCatalog
import Diagnostics
import NIOCore
import PGWire
import SQLBinding
import SessionCore
import Synchronization

/// A scripted binder: answers by text, passes everything else, and remembers what it was asked.
final class Script: Sendable {
    private struct State {
        var answers: [String: [BindOutcome]] = [:]
        var asked: [(text: String, context: BindContext)] = []
    }
    private let state = Mutex(State())

    /// The answers to `text`, one a call; the last one stays.
    func on(_ text: String, _ outcomes: BindOutcome...) { state.withLock { $0.answers[text] = outcomes } }

    func bind(_ text: [UInt8], _ context: BindContext) -> BindOutcome {
        let text = String(decoding: text, as: UTF8.self)
        return state.withLock {
            $0.asked.append((text, context))
            guard let answers = $0.answers[text], let first = answers.first else { return .passThrough(StatementEffects([.init()])) }
            if answers.count > 1 { $0.answers[text]?.removeFirst() }
            return first
        }
    }

    var contexts: [BindContext] { state.withLock { $0.asked.map(\.context) } }
}

/// A session machine between a client and a server that the test plays. Messages are shown as short lines, so that
/// expectations read as a transcript: `Q select 1`, `Z I`, `D 1|NULL`.
final class Wire {
    private var machine: SessionMachine
    let script = Script()
    let catalogs: CatalogStore
    let keys: KeyRing
    private(set) var last = SessionMachine.Next.carryOn {
        didSet { if case .startClientTLS = last { wantsTLS = true } }
    }
    /// What went to each side as bytes, for tests that look closer.
    private(set) var rawToServer: [UInt8] = []
    private(set) var rawToClient: [UInt8] = []

    static let key = KeyID(rawValue: 7)!
    static let people = EncryptedType(.int4, .randomized, key: key)
    static let id = EncryptedType(.text, .deterministic, key: key)
    static let encInt4: UInt32 = 20_004
    static let detText: UInt32 = 20_008

    /// A catalog with `people (id det_text, age enc_int4, city text)`.
    static let catalogRows: [[String?]] = [
        ["t", "enc_int4", "20004", "20005", nil, nil, nil, nil], ["t", "det_text", "20008", "20009", nil, nil, nil, nil],
        ["c", "public", "people", "r", "1", "id", "20008", "7"], ["c", "public", "people", "r", "2", "age", "20004", "7"],
        ["c", "public", "people", "r", "3", "city", "25", "-1"],
    ]

    static func marks() throws -> MarkedColumns {
        try MarkedColumns([
            ColumnMark(schema: "public", table: "people", column: "id", type: id, keyName: "k"),
            ColumnMark(schema: "public", table: "people", column: "age", type: people, keyName: "k"),
        ])
    }

    /// `loaded`: the process-wide catalog is there already. `ready`: startup is over.
    init(
        limits: Limits = Limits(), loaded: Bool = true, ready: Bool = true, withKey: Bool = true, settled: Bool = true,
        admission: CloisterError? = nil, transport: TransportPolicy = TransportPolicy(), grants: SessionGrants? = nil
    ) throws {
        let marks = try Self.marks()
        catalogs = CatalogStore(initial: CatalogSnapshot.empty(marks: marks))
        if loaded { catalogs.publish(try CatalogSnapshot.load(rows: Self.catalogRows, marks: marks), load: catalogs.beginLoad()) }
        let secret = [UInt8](repeating: 7, count: ColumnKey.byteCount)
        keys = KeyRing(withKey ? [Self.key: try CellCipher(ColumnKey(copying: secret.span), id: Self.key)] : [:])
        let script = script
        machine = SessionMachine(
            resources: try SessionResources(
                limits: limits, transport: transport, bind: { script.bind($0, $1) }, catalogs: catalogs, keys: keys,
                grants: grants, now: { 0 }),
            admission: admission)
        if ready {
            client(startup: [("user", "ada"), ("database", "db")])
            last = machine.serverConnected()
            server(R(0), S("client_encoding", "UTF8"), S("standard_conforming_strings", "on"), K(), Z())
            _ = (sent, shown)
            if settled, loaded { settle() }
        }
    }

    /// Past the first injected settings query, as after the session's first statement.
    private func settle() {
        client(Q("settle"))
        answerSettings()
        server(C("SELECT 0"), Z())
        _ = (sent, shown)
    }

    /// A name as the settings query gives it.
    private func hex(_ name: String) -> String { name.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }

    /// The server's answer to the injected settings query. `inBatch`: it was asked with Flush, so no ReadyForQuery.
    func answerSettings(inBatch: Bool = false, status: Character = "I", conforming: String = "on", encoding: String = "UTF8") {
        server(
            ParseComplete, BindComplete, D("", hex("pg_catalog")), D("", hex("public")), D("extra_float_digits", "1"),
            D("bytea_output", "hex"),
            D("DateStyle", "ISO, MDY"), D("IntervalStyle", "postgres"), D("TimeZone", "UTC"), D("client_encoding", encoding),
            D("standard_conforming_strings", conforming), C("SELECT 9"), CloseComplete, CloseComplete)
        if !inBatch { server(Z(status)) }
    }

    /// The server's answer to the injected catalog query, followed by the settings' if both were asked.
    func answerCatalog(_ rows: [[String?]] = Wire.catalogRows, andSettings: Bool, inBatch: Bool = false, inHex: Bool = false) {
        server(ParseComplete, BindComplete)
        for row in rows { server(D(bytes: row.map { $0.map { Array((inHex ? hex($0) : $0).utf8) } })) }
        server(C("SELECT 5"), CloseComplete, CloseComplete)
        if andSettings {
            answerSettings(inBatch: inBatch)
        } else if !inBatch {
            server(Z())
        }
    }

    // MARK: Events

    func client(startup options: [(String, String)]) {
        var buffer = ByteBuffer()
        StartupPacket.startup(StartupMessage(options: options)).write(to: &buffer)
        last = machine.clientSent(buffer)
    }

    func client(_ messages: ByteBuffer...) { last = machine.clientSent(joined(messages)) }

    func server(_ messages: ByteBuffer...) { last = machine.serverSent(joined(messages)) }

    /// The same bytes, one at a time.
    func clientDrip(_ messages: ByteBuffer...) {
        for byte in joined(messages).readableBytesView { last = machine.clientSent(ByteBuffer(bytes: [byte])) }
    }

    func serverDrip(_ messages: ByteBuffer...) {
        for byte in joined(messages).readableBytesView { last = machine.serverSent(ByteBuffer(bytes: [byte])) }
    }

    func administered(_ result: Result<Void, CloisterError>) { last = machine.administered(result) }
    func connected() { last = machine.serverConnected() }
    func secured(_ applicationProtocol: String? = nil, certificate name: String? = nil) {
        wantsTLS = false
        last = machine.clientSecured(ClientTLS(applicationProtocol: applicationProtocol, certificateName: name))
    }
    func serverSecured(showsOurCertificate: Bool = false) { last = machine.serverSecured(showsOurCertificate: showsOurCertificate) }
    func serverTLSFailed(_ failure: ServerTLSFailure) { last = machine.serverTLSFailed(failure) }
    func unreachable() { last = machine.serverUnreachable() }
    func clientClosed() { last = machine.clientClosed() }
    func serverClosed() { last = machine.serverClosed() }
    func timedOut() { last = machine.startupTimedOut() }
    func drain() { last = machine.drainRequested() }
    func deadline() { last = machine.drainDeadlinePassed() }

    /// The machine has asked for the client's handshake and it has not ended.
    private(set) var wantsTLS = false
    var wantsClientBytes: Bool { machine.wantsClientBytes }
    var isIdle: Bool { machine.isIdle }

    private func joined(_ messages: [ByteBuffer]) -> ByteBuffer {
        var buffer = ByteBuffer()
        for message in messages { buffer.writeImmutableBuffer(message) }
        return buffer
    }

    // MARK: What came of it

    /// Messages to the server since the last look.
    var sent: [String] {
        rawToServer = machine.toServer.take().flatMap { Array($0.readableBytesView) }
        return transcript(rawToServer, isFrontend: true)
    }

    /// Messages to the client since the last look.
    var shown: [String] {
        rawToClient = machine.toClient.take().flatMap { Array($0.readableBytesView) }
        return transcript(rawToClient, isFrontend: false)
    }
}

// MARK: Messages a test sends

func Q(_ text: String) -> ByteBuffer { message { QueryMessage(text: ByteBuffer(string: text)).write(to: &$0) } }
func P(_ name: String, _ text: String, _ types: [UInt32] = []) -> ByteBuffer {
    message { ParseMessage(name: Identifier(name), text: ByteBuffer(string: text), parameterTypes: types).write(to: &$0) }
}
func B(_ portal: String, _ statement: String, _ values: [String?] = [], formats: [Int16] = [], results: [Int16] = []) -> ByteBuffer {
    B(portal, statement, bytes: values.map { $0.map { Array($0.utf8) } }, formats: formats, results: results)
}
func B(_ portal: String, _ statement: String, bytes: [[UInt8]?], formats: [Int16] = [], results: [Int16] = []) -> ByteBuffer {
    message {
        BindMessage(
            portal: Identifier(portal), statement: Identifier(statement), parameterFormats: formats,
            parameters: bytes.map { $0.map { ByteBuffer(bytes: $0) } }, resultFormats: results
        ).write(to: &$0)
    }
}
func DS(_ name: String) -> ByteBuffer { message { DescribeTarget.statement(Identifier(name)).write(.describe, to: &$0) } }
func DP(_ name: String) -> ByteBuffer { message { DescribeTarget.portal(Identifier(name)).write(.describe, to: &$0) } }
func CS(_ name: String) -> ByteBuffer { message { DescribeTarget.statement(Identifier(name)).write(.close, to: &$0) } }
func CP(_ name: String) -> ByteBuffer { message { DescribeTarget.portal(Identifier(name)).write(.close, to: &$0) } }
func E(_ portal: String, _ limit: Int32 = 0) -> ByteBuffer {
    message { ExecuteMessage(portal: Identifier(portal), rowLimit: limit).write(to: &$0) }
}
func bare(_ type: FrontendType) -> ByteBuffer { message { Frontend.write(type, to: &$0) } }
let Sync = bare(.sync)
let Flush = bare(.flush)
let CopyDone = bare(.copyDone)
let Terminate = bare(.terminate)
func CopyData(_ text: String) -> ByteBuffer { message { Frontend.writeCopyData(Array(text.utf8), to: &$0) } }
func raw(_ type: Character, _ body: [UInt8]) -> ByteBuffer { message { $0.writeMessage(type.asciiValue ?? 0) { $0.writeBytes(body) } } }

func backend(_ type: BackendType, _ body: [UInt8] = []) -> ByteBuffer { message { $0.writeMessage(type.rawValue) { $0.writeBytes(body) } } }
func R(_ code: UInt8) -> ByteBuffer { backend(.authentication, [0, 0, 0, code]) }
func S(_ name: String, _ value: String) -> ByteBuffer { backend(.parameterStatus, Array("\(name)\0\(value)\0".utf8)) }
func K(_ key: [UInt8] = [1, 2, 3, 4]) -> ByteBuffer { backend(.backendKeyData, [0, 0, 0, 9] + key) }
func Z(_ status: Character = "I") -> ByteBuffer { backend(.readyForQuery, [status.asciiValue ?? 0]) }
func C(_ tag: String) -> ByteBuffer { backend(.commandComplete, Array(tag.utf8) + [0]) }
func Err(_ sqlState: String, _ text: String, position: Int? = nil) -> ByteBuffer {
    message {
        var fields = ErrorFields()
        fields[.severity] = "ERROR"
        fields[.sqlState] = sqlState
        fields[.message] = text
        if let position { fields[.position] = String(position) }
        fields.write(to: &$0)
    }
}
func T(_ columns: (String, UInt32)..., formats: [Int16] = []) -> ByteBuffer {
    message {
        RowDescription(
            fields: columns.enumerated().map { index, column in
                .init(
                    name: ByteBuffer(string: column.0), type: column.1, size: -1, typeModifier: column.1 >= 16384 ? 7 : -1,
                    format: formats.isEmpty ? 0 : formats[index])
            }
        ).write(to: &$0)
    }
}
func t(_ types: UInt32...) -> ByteBuffer { message { ParameterDescription(types: types).write(to: &$0) } }
func D(_ values: String?...) -> ByteBuffer { D(bytes: values.map { $0.map { Array($0.utf8) } }) }
func D(bytes values: [[UInt8]?]) -> ByteBuffer {
    message { DataRow(values: values.map { $0.map { ByteBuffer(bytes: $0) } }).write(to: &$0) }
}
let ParseComplete = backend(.parseComplete)
let BindComplete = backend(.bindComplete)
let CloseComplete = backend(.closeComplete)
let NoData = backend(.noData)
let Suspended = backend(.portalSuspended)

func message(_ write: (inout ByteBuffer) -> Void) -> ByteBuffer {
    var buffer = ByteBuffer()
    write(&buffer)
    return buffer
}

// MARK: Messages as lines

private func text(_ buffer: ByteBuffer) -> String {
    let bytes = Array(buffer.readableBytesView)
    return bytes.contains { $0 < 0x20 || $0 > 0x7e } ? "<\(bytes.count) bytes>" : String(decoding: bytes, as: UTF8.self)
}

private func name(_ identifier: Identifier) -> String {
    switch identifier {
    case .text(let text): text
    case .bytes: "?"
    }
}

func transcript(_ bytes: [UInt8], isFrontend: Bool) -> [String] {
    var buffer = ByteBuffer(bytes: bytes)
    var lines: [String] = []
    if isFrontend, bytes.first == 0 {
        guard let packet = try? StartupPacket.read(from: &buffer, limits: Limits()) else { return ["malformed startup"] }
        if case .startup(let message) = packet {
            lines.append("startup " + message.options.map { "\($0.name)=\(String(buffer: $0.value))" }.joined(separator: " "))
        } else {
            lines.append("\(packet)")
        }
    }
    if !isFrontend, bytes == [0x4e] || bytes == [0x53] { return [String(decoding: bytes, as: UTF8.self)] }
    while buffer.readableBytes > 0 {
        guard let header = try? FrameHeader(peeking: buffer, limits: Limits()), buffer.readableBytes >= header.totalLength else {
            lines.append("partial <\(buffer.readableBytes) bytes>")
            break
        }
        buffer.moveReaderIndex(forwardBy: FrameHeader.byteCount)
        let body = buffer.readSlice(length: header.bodyLength) ?? ByteBuffer()
        lines.append((try? isFrontend ? frontend(header.type, body) : backendLine(header.type, body)) ?? "malformed \(header.type)")
    }
    return lines
}

private func frontend(_ type: UInt8, _ body: ByteBuffer) throws -> String {
    guard let type = FrontendType(rawValue: type) else { return "unknown \(type)" }
    switch type {
    case .query: return "Q \(text(try QueryMessage(body: body).text))"
    case .parse:
        let parse = try ParseMessage(body: body)
        return "P \(name(parse.name)) \(text(parse.text))" + (parse.parameterTypes.isEmpty ? "" : " \(parse.parameterTypes)")
    case .bind:
        let bind = try BindMessage(body: body)
        let values = bind.parameters.map { $0.map(text) ?? "NULL" }.joined(separator: "|")
        return "B \(name(bind.portal)) \(name(bind.statement)) \(values)" + (bind.resultFormats.isEmpty ? "" : " \(bind.resultFormats)")
    case .describe, .close:
        let letter = type == .describe ? "D" : "C"
        switch try DescribeTarget(body: body) {
        case .statement(let statement): return "\(letter)S \(name(statement))"
        case .portal(let portal): return "\(letter)P \(name(portal))"
        }
    case .execute:
        let execute = try ExecuteMessage(body: body)
        return "E \(name(execute.portal))" + (execute.rowLimit == 0 ? "" : " \(execute.rowLimit)")
    case .sync: return "Sync"
    case .flush: return "Flush"
    case .terminate: return "X"
    case .copyData: return "d \(text(body))"
    case .copyDone: return "c"
    case .copyFail: return "f"
    case .functionCall: return "F"
    case .password: return "p \(text(body))"
    }
}

private func backendLine(_ type: UInt8, _ body: ByteBuffer) throws -> String {
    guard let type = BackendType(rawValue: type) else { return "unknown \(type)" }
    switch type {
    case .authentication: return "R \(try AuthenticationRequest(body: body))"
    case .backendKeyData: return "K"
    case .bindComplete: return "2"
    case .closeComplete: return "3"
    case .commandComplete:
        var body = body
        return "C \(text(try body.readTerminated("tag")))"
    case .copyBothResponse: return "W"
    case .copyData: return "d \(text(body))"
    case .copyDone: return "c"
    case .copyInResponse: return "G"
    case .copyOutResponse: return "H"
    case .dataRow: return "D " + (try DataRow(body: body).values.map { $0.map(text) ?? "NULL" }.joined(separator: "|"))
    case .emptyQueryResponse: return "I"
    case .errorResponse:
        let fields = try ErrorFields(body: body)
        return "\(fields[.severity] ?? "?") \(fields[.sqlState] ?? "?")" + (fields[.position].map { " @\($0)" } ?? "")
    case .functionCallResponse: return "V"
    case .negotiateProtocolVersion: return "v"
    case .noData: return "n"
    case .noticeResponse: return "Notice"
    case .notificationResponse: return "A"
    case .parameterDescription: return "t \(try ParameterDescription(body: body).types)"
    case .parameterStatus:
        let status = try ParameterStatus(body: body)
        return "S \(status.name)=\(status.value)"
    case .parseComplete: return "1"
    case .portalSuspended: return "s"
    case .readyForQuery: return "Z \(text(body))"
    case .rowDescription:
        return "T "
            + (try RowDescription(body: body).fields.map { "\(text($0.name)):\($0.type)/\($0.size)/\($0.typeModifier)" }.joined(
                separator: " "))
    }
}
