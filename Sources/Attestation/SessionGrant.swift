internal import CellCrypto
package import Diagnostics

/// Who vouches for sessions: one run of a proxy. Its key reaches the enclave with the column keys, sealed.
package final class Grantor: Sendable {
    package static let idByteCount = 8
    static let keyByteCount = 32

    package let id: [UInt8]
    private let key: SecretBytes

    /// The id as a number.
    package var number: UInt64 { id.reduce(0) { $0 << 8 | UInt64($1) } }

    /// Draws a new one. Throws `cryptographyFailed`.
    package convenience init() throws(CloisterError) {
        var id = try SecureRandom.bytes(Self.idByteCount)
        id[0] |= 1  // eight zero bytes stand for nobody
        var drawn = try SecureRandom.bytes(Self.keyByteCount)
        defer { cleanse(&drawn) }
        try self.init(id: id, key: drawn.span)
    }

    init(id: [UInt8], key: Span<UInt8>) throws(CloisterError) {
        self.id = id
        self.key = try SecretBytes(copying: key)
    }

    /// Writes the key at `offset`, where the caller has made room.
    func writeKey(into target: inout MutableSpan<UInt8>, at offset: Int) { Self.copy(key, into: &target, at: offset) }

    // A span of a class's property can't outlive its access: these borrow it.
    private static func copy(_ key: borrowing SecretBytes, into target: inout MutableSpan<UInt8>, at offset: Int) {
        let bytes = key.bytes
        for index in bytes.indices { target[offset + index] = bytes[index] }
    }

    private static func code(_ key: borrowing SecretBytes, _ message: [UInt8]) throws(CloisterError) -> [UInt8] {
        try HMACSHA256.code(for: message.span, key: key.bytes)
    }

    /// The GRANT frame for the session that sent this CHALLENGE. `writer`: who makes the session's operand cells. Throws
    /// `malformedFrame`, or `releaseRefused` if the enclave answered with an ERROR frame.
    package func grant(challenge frame: [UInt8], writer: UInt64) throws(CloisterError) -> [UInt8] {
        var reader = ByteReader(frame)
        guard reader.uint8() == FrameType.challenge.rawValue, let nonce = reader.take(SessionGrant.nonceByteCount),
            let boot = reader.take(ReleaseLimits.bootByteCount), reader.remaining == 0
        else { throw .unexpected(frame, instead: "a CHALLENGE") }
        var grant = [FrameType.grant.rawValue] + id
        grant.appendBigEndian(writer)
        return try grant + code(nonce: nonce, boot: boot, writer: writer)
    }

    package func vouches(for grant: SessionGrant, nonce: [UInt8], boot: [UInt8]) -> Bool {
        guard grant.grantor == id, let expected = try? code(nonce: nonce, boot: boot, writer: grant.writer) else { return false }
        var difference: UInt8 = 0
        for (a, b) in zip(expected, grant.code) { difference |= a ^ b }
        return difference == 0 && grant.code.count == expected.count
    }

    /// HMAC-SHA256("cloister grant v1" ‖ grantor id ‖ nonce ‖ boot id ‖ writer id).
    private func code(nonce: [UInt8], boot: [UInt8], writer: UInt64) throws(CloisterError) -> [UInt8] {
        var message = Array("cloister grant v1".utf8) + id + nonce + boot
        message.appendBigEndian(writer)
        return try Self.code(key, message)
    }
}

/// What a proxy says of one session: its operands come from this writer. Good for the connection whose nonce it answers.
package struct SessionGrant: Sendable, Hashable {
    package static let nonceByteCount = 16
    package static let challengeRequest: [UInt8] = [FrameType.challengeRequest.rawValue]
    package static let grantedFrame: [UInt8] = [FrameType.granted.rawValue]
    package static let joinedFrame: [UInt8] = [FrameType.joined.rawValue]

    package let grantor: [UInt8]
    package let writer: UInt64
    let code: [UInt8]

    package init(frame: [UInt8]) throws(ReleaseRefusal) {
        var reader = ByteReader(frame)
        guard reader.uint8() == FrameType.grant.rawValue, let grantor = reader.take(Grantor.idByteCount), let writer = reader.uint64(),
            let code = reader.take(32), reader.remaining == 0
        else { throw .malformed }
        self.grantor = grantor
        self.writer = writer
        self.code = code
    }

    package static func challenge(nonce: [UInt8], boot: [UInt8]) -> [UInt8] { [FrameType.challenge.rawValue] + nonce + boot }

    /// A parallel worker's JOIN: 12 ‖ its leader's process (4).
    package static func leader(inJoin frame: [UInt8]) throws(ReleaseRefusal) -> Int32 {
        var reader = ByteReader(frame)
        guard reader.uint8() == FrameType.join.rawValue, let leader = reader.uint32(), reader.remaining == 0 else { throw .malformed }
        return Int32(bitPattern: leader)
    }
}

/// The grantors that an enclave knows; the oldest gives way.
package struct GrantorTable: Sendable {
    package static let limit = 64
    private var grantors: [Grantor] = []

    package init() {}

    package mutating func insert(_ grantor: Grantor) {
        grantors.removeAll { $0.id == grantor.id }
        if grantors.count >= Self.limit { grantors.removeFirst() }
        grantors.append(grantor)
    }

    package func grantor(_ id: [UInt8]) -> Grantor? { grantors.first { $0.id == id } }
}
