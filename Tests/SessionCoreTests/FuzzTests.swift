import FuzzSupport
import NIOCore
import PGWire
import Testing

@testable import SessionCore

/// Whole sessions of wrong bytes: the machine answers, refuses or ends, and never traps.
@Suite struct FuzzTests {
    private let fromClient: [ByteBuffer] = [
        Q("select 1"), P("s", "select $1", [23]), P("", "bound"), B("", "s", ["1", nil], formats: [0], results: [1]), B("p", ""), DS("s"),
        DP("p"),
        E("p", 1), E(""), CS("s"), CP("p"), Sync, Flush, CopyData("1\tx\n"), CopyDone, raw("f", [0]), raw("F", [0, 0, 0, 1]), raw("p", [0]),
        Q("set"),
        Q("create"),
    ]
    private let fromServer: [ByteBuffer] = [
        ParseComplete, BindComplete, CloseComplete, NoData, Suspended, T(("a", 23)), T(("age", Wire.encInt4)), t(23, Wire.encInt4), D("1"),
        D("\\x0101", nil), C("SELECT 1"), Z(), Z("T"), Z("E"), Err("42601", "no", position: 3), Err("25P02", "no"), S("TimeZone", "UTC"),
        backend(.copyInResponse, [0, 0, 1, 0, 0]), backend(.copyOutResponse, [0, 0, 1, 0, 0]), backend(.copyData, [1]), backend(.copyDone),
        backend(.noticeResponse, [0]), backend(.functionCallResponse, [255, 255, 255, 255]), backend(.emptyQueryResponse), K(), R(0),
    ]

    private func mutated(_ buffer: ByteBuffer, _ generator: inout SeededGenerator) -> ByteBuffer {
        var bytes = Array(buffer.readableBytesView)
        if generator.chance(12), let index = bytes.indices.randomElement(using: &generator) {
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes.removeSubrange(index...)
            default: bytes.insert(contentsOf: bytes[index...].prefix(4), at: index)
            }
        }
        return ByteBuffer(bytes: bytes)
    }

    @Test(arguments: 1...8) func sessionsOfNonsenseEndOrGoOn(seed: UInt64) throws {
        try fuzz(seed: seed, inputs: 60) { generator in
            let wire = try Wire(loaded: Bool.random(using: &generator), settled: Bool.random(using: &generator))
            let begun = ContinuousClock.now
            for _ in 0..<60 {
                if Bool.random(using: &generator) {
                    wire.client(mutated(fromClient.randomElement(using: &generator) ?? Sync, &generator))
                } else {
                    wire.server(mutated(fromServer.randomElement(using: &generator) ?? Z(), &generator))
                }
                _ = (wire.sent, wire.shown)
                if wire.last == .close { break }
            }
            #expect(ContinuousClock.now - begun < longestInput)
        }
    }

    /// Startup, TLS and authentication under every policy: no order of events traps, and no client that the policy excludes has
    /// a byte sent to the server for it.
    @Test(arguments: 1...4) func startupsOfNonsenseEndOrGoOn(seed: UInt64) throws {
        let requests = [
            StartupPacket.sslRequest, .gssEncRequest, .cancel(processID: 1, key: ByteBuffer(bytes: [1, 2, 3, 4])),
            .startup(StartupMessage(options: [("user", "ada")])),
            .startup(StartupMessage(version: 3 << 16 | 2, options: [("user", "bob")])),
        ]
        let fromClient =
            requests.map { packet in message { packet.write(to: &$0) } } + [
                ByteBuffer(bytes: [0x16, 3, 1, 0, 5, 1]), raw("p", [0]), raw("p", Array("SCRAM-SHA-256\0\0\0\0\u{1}y".utf8)), Q("select 1"),
            ]
        let fromServer = [
            ByteBuffer(bytes: [0x53]), ByteBuffer(bytes: [0x4e]), R(0), R(3), R(5), R(11), R(12), K(), Z(), Err("28000", "no"),
            S("TimeZone", "UTC"), message { AuthenticationRequest.writeSASL(["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"], to: &$0) },
        ]
        try fuzz(seed: seed, inputs: 400) { generator in
            var policy = TransportPolicy()
            policy.client = generator.pick([.off, .allow, .require]) ?? .off
            policy.server = generator.pick([.disable, .allow, .prefer, .require]) ?? .disable
            policy.nameIsUser = generator.chance(3)
            let wire = try Wire(ready: false, transport: policy)
            var isSecured = false
            var serverIsSecured = false
            for _ in 0..<40 {
                switch Int.random(in: 0..<12, using: &generator) {
                case 0...4: wire.client(mutated(generator.pick(fromClient) ?? Sync, &generator))
                case 5...7: wire.server(mutated(generator.pick(fromServer) ?? Z(), &generator))
                case 8: wire.connected()
                case 9:
                    if wire.wantsTLS {
                        isSecured = true
                        wire.secured(generator.pick([nil, "postgresql"]) ?? nil, certificate: generator.pick([nil, "ada"]) ?? nil)
                    }
                case 10:
                    serverIsSecured = true
                    wire.serverSecured(showsOurCertificate: Bool.random(using: &generator))
                default:
                    switch Int.random(in: 0..<5, using: &generator) {
                    case 0: wire.serverTLSFailed(.handshake)
                    case 1: wire.serverClosed()
                    case 2: wire.drain()
                    case 3: wire.timedOut()
                    default: wire.clientClosed()
                    }
                }
                let sent = wire.sent
                _ = wire.shown
                if policy.client == .require, !isSecured { #expect(sent == []) }
                if policy.server == .require, !serverIsSecured { #expect(sent.allSatisfy { $0 == "sslRequest" }, "\(sent)") }
                if wire.last == .close { break }
            }
        }
    }

    /// A stream cut in the middle of every message does not pile up.
    @Test func anInboxKeepsOnlyWhatIsNeeded() {
        var inbox = Inbox()
        var outbox = Outbox()
        let message = D(String(repeating: "x", count: 1_000))
        for _ in 0..<10_000 {
            inbox.append(message)
            inbox.append(ByteBuffer(bytes: [0x44, 0, 0]))
            inbox.pass(message.readableBytes)
            inbox.flush(to: &outbox)
            inbox.pass(3)
            inbox.flush(to: &outbox)
            inbox.append(ByteBuffer(bytes: [1]))
            _ = outbox.take()
        }
        #expect(inbox.buffer.capacity < 100_000)
    }
}
