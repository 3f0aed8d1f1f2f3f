internal import CellCrypto
internal import Diagnostics

/// The two keys of a release session, derived alike on both sides:
/// HKDF-SHA256(X25519 shared secret, salt SHA-256(HELLO ‖ WELCOME), info per direction).
final class SessionKeys: Sendable {
    private let toEnclave: GCMKey
    private let toProxy: GCMKey

    init(shared: borrowing SecretBytes, hello: [UInt8], welcome: [UInt8]) throws(CloisterError) {
        let salt = try DigestAlgorithm.sha256.hash(hello + welcome)
        toEnclave = try Self.derive("cloister release v1 to-enclave", shared, salt)
        toProxy = try Self.derive("cloister release v1 to-proxy", shared, salt)
    }

    private static func derive(
        _ label: String, _ shared: borrowing SecretBytes, _ salt: [UInt8]
    ) throws(CloisterError) -> GCMKey {
        let info = Array(label.utf8)
        return try GCMKey(HKDF.deriveSHA256(from: shared.bytes, salt: salt.span, info: info.span, count: GCMKey.byteCount))
    }

    func seal(toEnclave plaintext: borrowing SecretBytes, counter: UInt64, header: [UInt8]) throws(CloisterError) -> [UInt8] {
        let nonce = ReleaseLimits.nonce(counter)
        return try AESGCM.seal(plaintext.bytes, key: toEnclave, nonce: nonce.span, authenticating: header.span)
    }

    func open(toEnclave sealed: [UInt8], counter: UInt64, header: [UInt8]) throws(CloisterError) -> SecretBytes {
        let nonce = ReleaseLimits.nonce(counter)
        return try AESGCM.open(sealed.span, key: toEnclave, nonce: nonce.span, authenticating: header.span)
    }

    func seal(toProxy plaintext: [UInt8], counter: UInt64, header: [UInt8]) throws(CloisterError) -> [UInt8] {
        let nonce = ReleaseLimits.nonce(counter)
        return try AESGCM.seal(plaintext.span, key: toProxy, nonce: nonce.span, authenticating: header.span)
    }

    func open(toProxy sealed: [UInt8], counter: UInt64, header: [UInt8]) throws(CloisterError) -> [UInt8] {
        let nonce = ReleaseLimits.nonce(counter)
        let secret = try AESGCM.open(sealed.span, key: toProxy, nonce: nonce.span, authenticating: header.span)
        let bytes = secret.bytes
        return bytes.indices.map { bytes[$0] }
    }
}
