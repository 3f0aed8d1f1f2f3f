package import Diagnostics

/// An X25519 private key (RFC 7748): one side of a key agreement.
package struct X25519PrivateKey: ~Copyable, Sendable {
    private let key: PKey

    /// A new ephemeral key.
    package init() throws(CloisterError) { key = try PKey.generate("X25519") }
    package init(copying bytes: Span<UInt8>) throws(CloisterError) { key = try PKey.raw(private: bytes, "X25519") }

    /// The 32 bytes to send.
    package var publicKey: [UInt8] { get throws(CloisterError) { try key.rawPublic() } }

    /// The shared secret, 32 bytes, to go through HKDF. Throws `authenticationFailed` for a peer of small order (an
    /// all-zero secret), `unsuitableParameter` unless the peer's key has 32 bytes.
    package func sharedSecret(with peer: Span<UInt8>) throws(CloisterError) -> SecretBytes {
        let other = try PKey.raw(public: peer, "X25519")
        return try key.shared(with: other)
    }
}

/// An Ed25519 private key (RFC 8032): a master key's signing half.
package struct Ed25519PrivateKey: ~Copyable, Sendable {
    private let key: PKey

    package init() throws(CloisterError) { key = try PKey.generate("ED25519") }
    /// From the 32-byte seed.
    package init(copying seed: Span<UInt8>) throws(CloisterError) { key = try PKey.raw(private: seed, "ED25519") }

    package var publicKey: Ed25519PublicKey {
        get throws(CloisterError) {
            let bytes = try key.rawPublic()
            return try Ed25519PublicKey(bytes.span)
        }
    }

    /// The 32-byte seed, for a vault.
    package func seed() throws(CloisterError) -> SecretBytes { try key.rawPrivate() }

    /// 64 bytes.
    package func sign(_ message: Span<UInt8>) throws(CloisterError) -> [UInt8] {
        try key.sign(message, digest: nil, limit: 64)
    }
}

/// An Ed25519 public key.
package struct Ed25519PublicKey: Sendable, Hashable {
    /// 32 bytes.
    package let bytes: [UInt8]

    /// Throws `unsuitableParameter` unless there are 32 bytes.
    package init(_ bytes: Span<UInt8>) throws(CloisterError) {
        _ = try PKey.raw(public: bytes, "ED25519")
        self.bytes = bytes.indices.map { bytes[$0] }
    }

    /// Throws `authenticationFailed` unless `signature` is this key's over `message`.
    package func verify(_ signature: Span<UInt8>, of message: Span<UInt8>) throws(CloisterError) {
        let key = try PKey.raw(public: bytes.span, "ED25519")
        guard signature.count == 64, try key.verifies(signature, of: message, digest: nil) else { throw .authenticationFailed }
    }
}

/// An ECDSA private key on P-384, signing SHA-384 digests: a TEE platform's or its root's.
package struct P384PrivateKey: ~Copyable, Sendable {
    private let key: PKey

    package init() throws(CloisterError) { key = try PKey.generate("EC") }
    /// From unencrypted PKCS #8 (or SEC1) in PEM.
    package init(pem: Span<UInt8>) throws(CloisterError) { key = try PKey.p384(pem: pem, private: true) }

    package var publicKey: P384PublicKey {
        get throws(CloisterError) {
            let point = try key.point()
            return try P384PublicKey(point: point.span)
        }
    }

    /// PKCS #8 in PEM, unencrypted: the caller writes it to a file of mode 0600.
    package func pem() throws(CloisterError) -> SecretBytes { try key.pem(private: true) }

    /// r ‖ s, 96 bytes.
    package func sign(_ message: Span<UInt8>) throws(CloisterError) -> [UInt8] {
        let der = try key.sign(message, digest: "SHA384", limit: 112)
        return try ECDSASignature.raw(fromDER: der.span)
    }
}

/// An ECDSA public key on P-384.
package struct P384PublicKey: Sendable, Hashable {
    package static let byteCount = 97
    package static let signatureByteCount = 96
    /// The point, uncompressed: 4 ‖ x ‖ y, 97 bytes.
    package let point: [UInt8]

    /// Throws `unsuitableParameter` unless the bytes are an uncompressed point of the curve.
    package init(point: Span<UInt8>) throws(CloisterError) {
        let key = try PKey.p384(point: point)
        self.point = try key.point()
    }

    /// From SubjectPublicKeyInfo in PEM.
    package init(pem: Span<UInt8>) throws(CloisterError) {
        let key = try PKey.p384(pem: pem, private: false)
        point = try key.point()
    }

    /// SubjectPublicKeyInfo in PEM.
    package func pem() throws(CloisterError) -> [UInt8] {
        let key = try PKey.p384(point: point.span)
        let pem = try key.pem(private: false)
        let bytes = pem.bytes
        return bytes.indices.map { bytes[$0] }
    }

    /// Throws `authenticationFailed` unless `signature` (r ‖ s, 96 bytes) is this key's over `message`.
    package func verify(_ signature: Span<UInt8>, of message: Span<UInt8>) throws(CloisterError) {
        let der = try ECDSASignature.der(fromRaw: signature)
        let key = try PKey.p384(point: point.span)
        guard try key.verifies(der.span, of: message, digest: "SHA384") else { throw .authenticationFailed }
    }
}
