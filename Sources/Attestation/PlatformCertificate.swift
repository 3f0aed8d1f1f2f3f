package import CellCrypto
package import Diagnostics

/// A root's statement that a key belongs to a platform. 217 bytes, big endian.
///
/// | byte | content |
/// |---|---|
/// | 0..3 | "CLPC" |
/// | 4 | format = 1 |
/// | 5 | platform kind |
/// | 6..7 | 0 |
/// | 8..15 | not before, Unix seconds |
/// | 16..23 | not after, Unix seconds |
/// | 24..120 | the platform's public key: P-384, uncompressed point |
/// | 121..216 | ECDSA P-384 with SHA-384 by the root over bytes 0..120: r ‖ s |
package struct PlatformCertificate: Sendable, Hashable {
    package static let byteCount = 217
    static let signedByteCount = 121
    private static let magic = Array("CLPC".utf8)

    package let kind: PlatformKind
    package let notBefore: UInt64
    package let notAfter: UInt64
    package let publicKey: P384PublicKey
    /// The whole certificate, as it was read or made.
    package let bytes: [UInt8]

    /// Reads a certificate; nothing about its signature is said. Throws `malformedReport`.
    package init(_ bytes: [UInt8]) throws(CloisterError) {
        let malformed = CloisterError(.malformedReport, "the platform's certificate is malformed")
        var reader = ByteReader(bytes)
        guard bytes.count == Self.byteCount, reader.take(4) == Self.magic, reader.uint8() == 1 else { throw malformed }
        guard let rawKind = reader.uint8() else { throw malformed }
        guard let kind = PlatformKind(rawValue: rawKind) else {
            throw CloisterError(.platformKindRefused, "the platform's certificate is for an unknown kind of platform")
        }
        guard reader.take(2) == [0, 0], let notBefore = reader.uint64(), let notAfter = reader.uint64(),
            let point = reader.take(P384PublicKey.byteCount)
        else { throw malformed }
        do { publicKey = try P384PublicKey(point: point.span) } catch { throw malformed }
        self.kind = kind
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.bytes = bytes
    }

    /// Signs a certificate with a root's key.
    package static func issue(
        for publicKey: P384PublicKey, kind: PlatformKind, notBefore: UInt64, notAfter: UInt64, root: borrowing P384PrivateKey
    ) throws(CloisterError) -> PlatformCertificate {
        var bytes = magic + [1, kind.rawValue, 0, 0]
        bytes.appendBigEndian(notBefore)
        bytes.appendBigEndian(notAfter)
        bytes += publicKey.point
        bytes += try root.sign(bytes.span)
        return try PlatformCertificate(bytes)
    }

    /// Whether `root` signed it.
    package func isSigned(by root: P384PublicKey) -> Bool {
        let signed = Array(bytes[..<Self.signedByteCount])
        let signature = Array(bytes[Self.signedByteCount...])
        do {
            try root.verify(signature.span, of: signed.span)
            return true
        } catch {
            return false
        }
    }
}
