package import CellCrypto
package import Diagnostics

/// What anyone may know of a master key: a row of `cloister.master_keys`.
package struct MasterKeyDescription: Sendable, Equatable {
    package var name: String
    /// The provider's kind: "file".
    package var provider: String
    package var publicKey: Ed25519PublicKey
    /// RFC 3339, UTC.
    package var created: String

    package init(name: String, provider: String, publicKey: Ed25519PublicKey, created: String) {
        self.name = name
        self.provider = provider
        self.publicKey = publicKey
        self.created = created
    }
}

/// Who holds column master keys. Master keys never leave it; column keys pass through `wrap` and `unwrap`.
///
/// The wrapped form is the provider's own, but must be authenticated together with `context`, byte for byte.
package protocol MasterKeyProvider: Sendable {
    /// Names the provider in `cloister.master_keys`.
    var kind: String { get }

    /// All keys, by name. What is said here is authentic: it was checked when the provider was unlocked.
    var masterKeys: [MasterKeyDescription] { get }

    /// Encrypts a column key. Throws `masterKeyMissing`.
    func wrap(_ key: borrowing ColumnKey, under name: String, context: [UInt8]) throws(CloisterError) -> [UInt8]

    /// Decrypts a column key. Throws `wrappedKeyRefused` if anything differs, `masterKeyMissing`.
    func unwrap(_ wrapped: [UInt8], under name: String, context: [UInt8]) throws(CloisterError) -> ColumnKey

    /// Signs with Ed25519. Throws `masterKeyMissing`.
    func sign(_ message: [UInt8], with name: String) throws(CloisterError) -> [UInt8]
}

extension MasterKeyProvider {
    package func description(of name: String) throws(CloisterError) -> MasterKeyDescription {
        guard let key = masterKeys.first(where: { $0.name == name }) else { throw .masterKeyMissing(name) }
        return key
    }

    /// Throws `columnKeySignature` unless `signature` is that master key's over `message`, `masterKeyMissing`.
    package func verify(_ signature: [UInt8], of message: [UInt8], by name: String) throws(CloisterError) {
        let publicKey = try description(of: name).publicKey
        do {
            try publicKey.verify(signature.span, of: message.span)
        } catch {
            guard error.code == .authenticationFailed else { throw error }
            throw CloisterError(.columnKeySignature, "the signature by master key \(name) does not verify")
        }
    }
}

extension CloisterError {
    static func masterKeyMissing(_ name: String) -> CloisterError {
        CloisterError(
            .masterKeyMissing, KeyName.isValid(name) ? "there is no master key \(name)" : "there is no such master key")
    }
}

/// One master key in memory: the wrapping and the signing half (schemas/key-store-v1.md).
final class MasterKey: Sendable {
    private static let wrapVersion: UInt8 = 1
    /// Version, nonce, key, tag.
    static let wrappedByteCount = 1 + AESGCM.nonceByteCount + ColumnKey.byteCount + AESGCM.tagByteCount

    let publicKey: Ed25519PublicKey
    private let wrapping: GCMKey
    private let signing: Ed25519PrivateKey

    init(wrapping: consuming GCMKey, signing: consuming Ed25519PrivateKey) throws(CloisterError) {
        publicKey = try signing.publicKey
        self.wrapping = wrapping
        self.signing = signing
    }

    /// Wrapping key ‖ Ed25519 seed, 64 bytes: what a vault seals.
    static func read(_ secret: borrowing SecretBytes) throws(CloisterError) -> MasterKey {
        let bytes = secret.bytes
        guard bytes.count == 64 else { throw CloisterError(.vaultDamaged, "a master key in the vault has the wrong size") }
        let wrapping = try GCMKey(copying: bytes.extracting(0..<32))
        let signing = try Ed25519PrivateKey(copying: bytes.extracting(32..<64))
        return try MasterKey(wrapping: wrapping, signing: signing)
    }

    /// A new key, and the 64 bytes to seal.
    static func make() throws(CloisterError) -> (publicKey: Ed25519PublicKey, key: MasterKey) {
        let wrapping = try GCMKey()
        let signing = try Ed25519PrivateKey()
        let key = try MasterKey(wrapping: wrapping, signing: signing)
        return (key.publicKey, key)
    }

    func secret() throws(CloisterError) -> SecretBytes {
        try Self.join(wrapping, signing.seed())
    }

    private static func join(_ wrapping: borrowing GCMKey, _ seed: consuming SecretBytes) throws(CloisterError) -> SecretBytes {
        let first = wrapping.bytes
        let second = seed.bytes
        return try SecretBytes(count: 64) { (target: inout MutableSpan<UInt8>) throws(CloisterError) in
            for index in 0..<32 {
                target[index] = first[index]
                target[32 + index] = second[index]
            }
        }
    }

    /// Version 1 ‖ nonce (12) ‖ AES-256-GCM(column key) ‖ tag (16).
    func wrap(_ key: borrowing ColumnKey, context: [UInt8]) throws(CloisterError) -> [UInt8] {
        let nonce = try SecureRandom.bytes(AESGCM.nonceByteCount)
        return [Self.wrapVersion] + nonce
            + (try Self.seal(key.bytes, wrapping, nonce, context))
    }

    func unwrap(_ wrapped: [UInt8], context: [UInt8]) throws(CloisterError) -> ColumnKey {
        let refused = CloisterError(.wrappedKeyRefused, "the wrapped column key was altered or belongs to another master key or metadata")
        guard wrapped.count == Self.wrappedByteCount, wrapped[0] == Self.wrapVersion else { throw refused }
        let nonce = Array(wrapped[1..<13])
        let sealed = Array(wrapped[13...])
        do {
            return try Self.open(sealed, wrapping, nonce, context)
        } catch {
            guard error.code == .authenticationFailed else { throw error }
            throw refused
        }
    }

    func sign(_ message: [UInt8]) throws(CloisterError) -> [UInt8] { try signing.sign(message.span) }

    private static func seal(
        _ plaintext: Span<UInt8>, _ key: borrowing GCMKey, _ nonce: [UInt8], _ context: [UInt8]
    ) throws(CloisterError) -> [UInt8] {
        try AESGCM.seal(plaintext, key: key, nonce: nonce.span, authenticating: context.span)
    }

    private static func open(
        _ sealed: [UInt8], _ key: borrowing GCMKey, _ nonce: [UInt8], _ context: [UInt8]
    ) throws(CloisterError) -> ColumnKey {
        let secret = try AESGCM.open(sealed.span, key: key, nonce: nonce.span, authenticating: context.span)
        return try ColumnKey(secret)
    }
}
