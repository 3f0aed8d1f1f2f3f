package import CellCrypto
package import Diagnostics

/// A key to release and what the enclave may do with its cells.
package struct ReleasedKey: Sendable {
    /// The key's number, 1...2^31-1.
    package let id: UInt32
    package let cipher: CellCipher
    /// The bits of schemas/release-v1.md: compare, hash, match, aggregate, granted only, maintenance.
    package var operations: UInt32
    /// Cells that one session may have compared, hashed, matched or summed up; 0: no limit.
    package var limit: UInt64

    package init(id: UInt32, _ cipher: CellCipher, operations: UInt32, limit: UInt64 = 0) {
        self.id = id
        self.cipher = cipher
        self.operations = operations
        self.limit = limit
    }
}

/// The proxy's side of a key release, before the enclave has proved itself. Its one ephemeral X25519 key is random and used
/// once: it is the HELLO's nonce as well.
///
///     let client = try KeyReleaseClient()
///     let welcome = /* send client.hello through the tunnel */
///     var session = try client.receive(welcome: welcome, policy: policy, now: now)
///     let answer = /* send try session.release(keys) */
///     let confirmation = try session.confirm(answer)
package struct KeyReleaseClient: ~Copyable, Sendable {
    private let key: X25519PrivateKey
    private let nonce: [UInt8]

    package init() throws(CloisterError) { try self.init(key: X25519PrivateKey()) }

    init(key: consuming X25519PrivateKey) throws(CloisterError) {
        nonce = try key.publicKey
        self.key = key
    }

    /// The HELLO frame.
    package var hello: [UInt8] { [FrameType.hello.rawValue] + nonce }

    /// Checks the WELCOME frame against the policy. Throws the code of the first check that fails; then no session exists and
    /// no key can be released.
    package consuming func receive(
        welcome: [UInt8], policy: ReleasePolicy, now: UInt64
    ) throws(CloisterError) -> ReleaseSession {
        var reader = ByteReader(welcome)
        guard reader.uint8() == FrameType.welcome.rawValue, let session = reader.take(ReleaseLimits.sessionByteCount),
            let publicKey = reader.take(ReleaseLimits.publicKeyByteCount), let reportBytes = reader.take(reader.remaining)
        else { throw .unexpected(welcome, instead: "a WELCOME") }
        let report = try AttestationReport(reportBytes)
        try policy.check(report, nonce: nonce, publicKey: publicKey, now: now)
        let shared = try key.sharedSecret(with: publicKey.span)
        let keys = try SessionKeys(shared: shared, hello: hello, welcome: welcome)
        return ReleaseSession(id: session, keys: keys, report: report)
    }
}

/// A session with an enclave that has proved itself. Each RELEASE uses the next counter.
package struct ReleaseSession: ~Copyable, Sendable {
    /// What the enclave proved: fit for a log.
    package let report: AttestationReport
    private let id: [UInt8]
    private let keys: SessionKeys
    private var counter: UInt64 = 0
    /// The counter and key count that a RELEASED frame must confirm.
    private var pending: (counter: UInt64, count: UInt32)?

    init(id: [UInt8], keys: SessionKeys, report: AttestationReport) {
        self.id = id
        self.keys = keys
        self.report = report
    }

    /// A RELEASE frame with 1...`keysPerFrame` keys. `grantor`: who will vouch for sessions. Throws `malformedFrame` for another
    /// number.
    package mutating func release(_ released: [ReleasedKey], grantor: Grantor? = nil) throws(CloisterError) -> [UInt8] {
        guard !released.isEmpty, released.count <= ReleaseLimits.keysPerFrame else {
            throw CloisterError(.malformedFrame, "a release carries 1 to \(ReleaseLimits.keysPerFrame) keys")
        }
        counter += 1
        var header = [FrameType.release.rawValue] + id
        header.appendBigEndian(counter)
        let plaintext = try SecretBytes(count: ReleaseLimits.releaseFixedByteCount + ReleaseLimits.keyByteCount * released.count) {
            (target: inout MutableSpan<UInt8>) in
            Self.put(UInt32(released.count), into: &target, at: 0)
            if let grantor {
                for (index, byte) in grantor.id.enumerated() { target[4 + index] = byte }
                grantor.writeKey(into: &target, at: 12)
            }
            for (index, key) in released.enumerated() {
                let offset = ReleaseLimits.releaseFixedByteCount + ReleaseLimits.keyByteCount * index
                Self.put(key.id, into: &target, at: offset)
                key.cipher.withColumnKey { (column: borrowing ColumnKey) in
                    let bytes = column.bytes
                    for position in bytes.indices { target[offset + 4 + position] = bytes[position] }
                }
                Self.put(key.operations, into: &target, at: offset + 4 + ColumnKey.byteCount)
                Self.put(UInt32(truncatingIfNeeded: key.limit >> 32), into: &target, at: offset + 8 + ColumnKey.byteCount)
                Self.put(UInt32(truncatingIfNeeded: key.limit), into: &target, at: offset + 12 + ColumnKey.byteCount)
            }
        }
        let sealed = try keys.seal(toEnclave: plaintext, counter: counter, header: header)
        pending = (counter, UInt32(released.count))
        return header + sealed
    }

    /// Checks the enclave's answer to the last `release`. Throws `releaseRefused` if the enclave says no,
    /// `releaseNotConfirmed` if the answer is not authentic or confirms another release.
    package mutating func confirm(_ frame: [UInt8]) throws(CloisterError) -> ReleaseConfirmation {
        let unconfirmed = CloisterError(.releaseNotConfirmed, "the enclave did not confirm the release of the keys")
        guard let expected = pending else { throw unconfirmed }
        var reader = ByteReader(frame)
        guard reader.uint8() == FrameType.released.rawValue else { throw .unexpected(frame, instead: "a RELEASED") }
        guard reader.uint64() == expected.counter, let sealed = reader.take(reader.remaining) else { throw unconfirmed }
        let plaintext: [UInt8]
        do {
            plaintext = try keys.open(
                toProxy: sealed, counter: expected.counter, header: Array(frame[..<ReleaseLimits.releasedHeaderByteCount]))
        } catch { throw unconfirmed }
        var inner = ByteReader(plaintext)
        guard let boot = inner.take(ReleaseLimits.bootByteCount), inner.uint32() == expected.count, inner.remaining == 0 else {
            throw unconfirmed
        }
        pending = nil
        return ReleaseConfirmation(boot: boot, keyCount: Int(expected.count))
    }

    private static func put(_ value: UInt32, into target: inout MutableSpan<UInt8>, at offset: Int) {
        for index in 0..<4 { target[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * index)) }
    }
}

/// An authentic RELEASED: which start of the enclave holds the keys now.
package struct ReleaseConfirmation: Sendable, Hashable {
    package let boot: [UInt8]
    package let keyCount: Int
}
