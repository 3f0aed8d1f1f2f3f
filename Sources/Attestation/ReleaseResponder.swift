package import CellCrypto
package import Diagnostics

/// The enclave's side: sessions that await keys. A value without I/O; its owner serialises access.
///
/// Anyone may open a session and release keys of his own: a key says nothing about who sent it, and cells sealed under
/// another key than the released one do not open. Sessions are bounded; the oldest gives way.
package struct ReleaseResponder: ~Copyable {
    package static let sessionLimit = 64

    private struct Session {
        let keys: SessionKeys
        var counter: UInt64
    }

    private var sessions: [[UInt8]: Session] = [:]
    /// Oldest first.
    private var order: [[UInt8]] = []

    package init() {}

    /// A key and its policy out of an authentic RELEASE.
    package final class ReceivedKey: Sendable {
        /// 1...2^31-1.
        package let id: UInt32
        package let key: ColumnKey
        package let operations: UInt32
        package let limit: UInt64

        init(id: UInt32, key: consuming ColumnKey, operations: UInt32, limit: UInt64) {
            self.id = id
            self.key = key
            self.operations = operations
            self.limit = limit
        }
    }

    package struct Opened: Sendable {
        package let keys: [ReceivedKey]
        /// Who will vouch for sessions.
        package let grantor: Grantor?
        fileprivate let session: SessionKeys
        fileprivate let counter: UInt64

        /// The RELEASED frame, once the keys are in place.
        package func confirmation(boot: [UInt8]) throws(CloisterError) -> [UInt8] {
            var header = [FrameType.released.rawValue]
            header.appendBigEndian(counter)
            var plaintext = boot
            plaintext.appendBigEndian(UInt32(keys.count))
            return try header + session.seal(toProxy: plaintext, counter: counter, header: header)
        }
    }

    /// Takes a session that `PendingWelcome.finish` made.
    package mutating func insert(_ made: consuming MadeSession) {
        if order.count >= Self.sessionLimit {
            sessions[order.removeFirst()] = nil
        }
        sessions[made.id] = Session(keys: made.keys, counter: 0)
        order.append(made.id)
    }

    /// Opens a RELEASE frame: known session, counter greater than every earlier one, authentic, well-formed.
    package mutating func open(release frame: [UInt8]) throws(ReleaseRefusal) -> Opened {
        var reader = ByteReader(frame)
        guard reader.uint8() == FrameType.release.rawValue, let id = reader.take(ReleaseLimits.sessionByteCount),
            let counter = reader.uint64(), let sealed = reader.take(reader.remaining),
            sealed.count >= ReleaseLimits.tagByteCount
        else { throw .malformed }
        guard let session = sessions[id] else { throw .unknownSession }
        guard counter > session.counter else { throw .replayed }
        let header = Array(frame[..<ReleaseLimits.releaseHeaderByteCount])
        let opened: Opened
        do {
            let plaintext = try session.keys.open(toEnclave: sealed, counter: counter, header: header)
            opened = Opened(
                keys: try Self.keys(plaintext.bytes), grantor: try Self.grantor(plaintext.bytes), session: session.keys, counter: counter)
        } catch let refusal as ReleaseRefusal {
            throw refusal
        } catch {
            throw .notAuthentic
        }
        sessions[id]?.counter = counter
        return opened
    }

    private static func keys(_ plaintext: Span<UInt8>) throws -> [ReceivedKey] {
        guard plaintext.count >= ReleaseLimits.releaseFixedByteCount else { throw ReleaseRefusal.malformed }
        let count = Int(number(plaintext, 0))
        guard count > 0, count <= ReleaseLimits.keysPerFrame,
            plaintext.count == ReleaseLimits.releaseFixedByteCount + ReleaseLimits.keyByteCount * count
        else {
            throw ReleaseRefusal.malformed
        }
        var result: [ReceivedKey] = []
        var seen: Set<UInt32> = []
        for index in 0..<count {
            let offset = ReleaseLimits.releaseFixedByteCount + ReleaseLimits.keyByteCount * index
            let id = number(plaintext, offset)
            guard id > 0, id <= 0x7fff_ffff, seen.insert(id).inserted else { throw ReleaseRefusal.badKey }
            let key = try ColumnKey(copying: plaintext.extracting(offset + 4..<offset + 4 + ColumnKey.byteCount))
            let operations = number(plaintext, offset + 4 + ColumnKey.byteCount)
            let high = number(plaintext, offset + 8 + ColumnKey.byteCount)
            let low = number(plaintext, offset + 12 + ColumnKey.byteCount)
            result.append(ReceivedKey(id: id, key: key, operations: operations, limit: UInt64(high) << 32 | UInt64(low)))
        }
        return result
    }

    /// Eight zero bytes for an id: nobody. The caller has checked the size.
    private static func grantor(_ plaintext: Span<UInt8>) throws(CloisterError) -> Grantor? {
        var id: [UInt8] = []
        for index in 4..<12 { id.append(plaintext[index]) }
        guard id.contains(where: { $0 != 0 }) else { return nil }
        return try Grantor(id: id, key: plaintext.extracting(12..<12 + Grantor.keyByteCount))
    }

    private static func number(_ bytes: Span<UInt8>, _ offset: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 << 8 | UInt32(bytes[offset + $1]) }
    }
}

/// A HELLO that waits for the platform's report.
package struct PendingWelcome: ~Copyable {
    private let hello: [UInt8]
    private let key: X25519PrivateKey
    private let publicKey: [UInt8]
    /// What the report must carry.
    package let nonce: [UInt8]
    package let data: [UInt8]

    /// Draws the enclave's ephemeral key for one HELLO.
    package init(hello: [UInt8]) throws(ReleaseRefusal) {
        var reader = ByteReader(hello)
        guard reader.uint8() == FrameType.hello.rawValue, let nonce = reader.take(AttestationReport.nonceByteCount),
            reader.remaining == 0
        else { throw .malformed }
        let made = try Self.draw()
        key = made.key
        publicKey = made.publicKey
        data = made.data
        self.hello = hello
        self.nonce = nonce
    }

    private struct Drawn: ~Copyable {
        let key: X25519PrivateKey
        let publicKey: [UInt8]
        let data: [UInt8]

        init() throws(CloisterError) {
            let key = try X25519PrivateKey()
            let publicKey = try key.publicKey
            data = try AttestationReport.data(for: publicKey)
            self.publicKey = publicKey
            self.key = key
        }
    }

    private static func draw() throws(ReleaseRefusal) -> Drawn {
        do { return try Drawn() } catch { throw .internalFailure }
    }

    /// The WELCOME frame around the platform's report, and the session that answers to it.
    package consuming func finish(report: [UInt8]) throws(ReleaseRefusal) -> (welcome: [UInt8], session: MadeSession) {
        do throws(CloisterError) {
            let id = try SecureRandom.bytes(ReleaseLimits.sessionByteCount)
            let welcome = [FrameType.welcome.rawValue] + id + publicKey + report
            let shared = try key.sharedSecret(with: nonce.span)
            return (welcome, MadeSession(id: id, keys: try SessionKeys(shared: shared, hello: hello, welcome: welcome)))
        } catch {
            throw error.code == .authenticationFailed || error.code == .unsuitableParameter ? .malformed : .internalFailure
        }
    }
}

/// A session not yet known to the responder.
package struct MadeSession: Sendable {
    let id: [UInt8]
    let keys: SessionKeys
}
