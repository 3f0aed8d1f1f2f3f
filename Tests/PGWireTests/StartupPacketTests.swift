import Diagnostics
import NIOCore
import PGWire
import Testing

@Suite struct StartupPacketTests {
    private let limits = Limits()

    private func packet(length: Int32, _ rest: [UInt8]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(length)
        buffer.writeBytes(rest)
        return buffer
    }

    private func expectRefused(_ buffer: ByteBuffer, _ code: ErrorCode = .protocolViolation) {
        var buffer = buffer
        #expect(throws: CloisterError(code, "")) { _ = try StartupPacket.read(from: &buffer, limits: limits) }
    }

    @Test func everyKindSurvivesTheRoundTrip() throws {
        let packets: [StartupPacket] = [
            .sslRequest, .gssEncRequest, .cancel(processID: 42, key: ByteBuffer(bytes: [1, 2, 3, 4])),
            .cancel(processID: -1, key: ByteBuffer(repeating: 7, count: 256)),
            .startup(StartupMessage(options: [("user", "ada"), ("database", "db"), ("options", "-c geqo=off")])),
            .startup(StartupMessage(version: 3 << 16 | 2, options: [("user", "ada")])),
        ]
        for packet in packets {
            var buffer = ByteBuffer()
            packet.write(to: &buffer)
            buffer.writeString("next")
            #expect(try StartupPacket.read(from: &buffer, limits: limits) == packet)
            #expect(String(buffer: buffer) == "next")
        }
    }

    /// Checklist 1: nothing waits for, or allocates, a length that was not checked.
    @Test(arguments: [Int32.min, -1, 0, 4, 7, 10_001, .max])
    func impossibleLengthsAreRefusedBeforeTheirContentsCome(length: Int32) {
        expectRefused(packet(length: length, []))
    }

    @Test func theCapItselfIsAccepted() throws {
        var buffer = packet(length: 10_000, [0, 3, 0, 0])
        #expect(try StartupPacket.read(from: &buffer, limits: limits) == nil)
    }

    /// Checklist 1: unknown codes, empty option names, options without end.
    @Test func malformedContentsAreRefused() {
        expectRefused(packet(length: 8, [0, 2, 0, 0]), .unsupportedProtocol)
        expectRefused(packet(length: 8, [4, 0xd2, 0x16, 0x99]), .unsupportedProtocol)
        expectRefused(packet(length: 8, [0, 3, 0, 0]))  // no terminator
        expectRefused(packet(length: 14, [0, 3, 0, 0] + Array("user\0a".utf8)))
        expectRefused(packet(length: 16, [0, 3, 0, 0] + Array("\0user\0ab".utf8)))  // empty name, then more
        expectRefused(packet(length: 11, [0, 3, 0, 0, 0xff, 0, 0]))
    }

    /// Checklist 4: neither end of a cancel key's length is fixed.
    @Test(arguments: [0, 3, 257]) func cancelKeysOutsideFourTo256BytesAreRefused(count: Int) {
        expectRefused(packet(length: Int32(12 + count), [0x04, 0xd2, 0x16, 0x2e, 0, 0, 0, 1] + [UInt8](repeating: 1, count: count)))
    }

    @Test func encryptionRequestsHaveNoContents() {
        expectRefused(packet(length: 9, [0x04, 0xd2, 0x16, 0x2f, 0]))
    }

    @Test func aPacketInPiecesIsReadWhenItIsWhole() throws {
        var whole = ByteBuffer()
        StartupPacket.startup(StartupMessage(options: [("user", "ada")])).write(to: &whole)
        var arrived = ByteBuffer()
        while whole.readableBytes > 1 {
            arrived.writeInteger(whole.readInteger(as: UInt8.self) ?? 0)
            #expect(try StartupPacket.read(from: &arrived, limits: limits) == nil)
        }
        arrived.writeBuffer(&whole)
        #expect(try StartupPacket.read(from: &arrived, limits: limits) == .startup(StartupMessage(options: [("user", "ada")])))
    }

    @Test func theLastOfTwoOptionsCounts() {
        let message = StartupMessage(options: [("user", "a"), ("user", "b")])
        #expect(message["user"].map { String(buffer: $0) } == "b")
        #expect(message["database"] == nil)
    }
}
