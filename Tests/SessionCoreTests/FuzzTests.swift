import NIOCore
import PGWire
import Testing

@testable import SessionCore

/// SplitMix64: the same mutations on every machine.
private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

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
        if Int.random(in: 0..<12, using: &generator) == 0, let index = bytes.indices.randomElement(using: &generator) {
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes.removeSubrange(index...)
            default: bytes.insert(contentsOf: bytes[index...].prefix(4), at: index)
            }
        }
        return ByteBuffer(bytes: bytes)
    }

    @Test(arguments: 1...8) func sessionsOfNonsenseEndOrGoOn(seed: Int) throws {
        var generator = SeededGenerator(state: UInt64(seed))
        for _ in 0..<60 {
            let wire = try Wire(loaded: Bool.random(using: &generator), settled: Bool.random(using: &generator))
            for _ in 0..<60 {
                if Bool.random(using: &generator) {
                    wire.client(mutated(fromClient.randomElement(using: &generator) ?? Sync, &generator))
                } else {
                    wire.server(mutated(fromServer.randomElement(using: &generator) ?? Z(), &generator))
                }
                _ = (wire.sent, wire.shown)
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
