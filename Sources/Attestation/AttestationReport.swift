package import CellCrypto
package import Diagnostics

/// A platform's signed statement about one enclave. 477 bytes, big endian.
///
/// | byte | content |
/// |---|---|
/// | 0..3 | "CLRP" |
/// | 4 | format = 1 |
/// | 5 | platform kind |
/// | 6 | region kind (said by the measured code) |
/// | 7 | flags: bit 0 debug; the others 0 |
/// | 8..11 | enclave version (said by the measured code) |
/// | 12..59 | measurement: SHA-384 of the executable |
/// | 60..91 | nonce of the HELLO that this report answers |
/// | 92..155 | report data: SHA-512("cloister report v1" ‖ the enclave's X25519 public key) |
/// | 156..163 | issued at, Unix seconds: informative, freshness comes from the nonce |
/// | 164..380 | platform certificate |
/// | 381..476 | ECDSA P-384 with SHA-384 by the platform over bytes 0..380: r ‖ s |
package struct AttestationReport: Sendable, Hashable {
    package static let byteCount = 477
    static let signedByteCount = 381
    package static let nonceByteCount = 32
    package static let dataByteCount = 64
    private static let magic = Array("CLRP".utf8)

    /// What a report says, before a platform signs it.
    package struct Statement: Sendable, Hashable {
        package var platform: PlatformKind
        package var region: RegionKind
        package var isDebug: Bool
        package var enclaveVersion: UInt32
        package var measurement: Measurement
        package var nonce: [UInt8]
        package var data: [UInt8]
        package var issuedAt: UInt64

        package init(
            platform: PlatformKind, region: RegionKind, isDebug: Bool, enclaveVersion: UInt32, measurement: Measurement,
            nonce: [UInt8], data: [UInt8], issuedAt: UInt64
        ) {
            self.platform = platform
            self.region = region
            self.isDebug = isDebug
            self.enclaveVersion = enclaveVersion
            self.measurement = measurement
            self.nonce = nonce
            self.data = data
            self.issuedAt = issuedAt
        }
    }

    package let statement: Statement
    package let certificate: PlatformCertificate
    /// The whole report, as it was read or made.
    package let bytes: [UInt8]

    /// Reads a report; nothing about its truth is said (`ReleasePolicy.check` does). Throws `malformedReport`, or
    /// `platformKindRefused` and `regionRefused` for a kind this version does not know.
    package init(_ bytes: [UInt8]) throws(CloisterError) {
        let malformed = CloisterError(.malformedReport, "the report is malformed")
        var reader = ByteReader(bytes)
        guard bytes.count == Self.byteCount, reader.take(4) == Self.magic, reader.uint8() == 1 else { throw malformed }
        guard let rawPlatform = reader.uint8(), let rawRegion = reader.uint8(), let flags = reader.uint8() else { throw malformed }
        guard let platform = PlatformKind(rawValue: rawPlatform) else {
            throw CloisterError(.platformKindRefused, "the report comes from an unknown kind of platform")
        }
        guard let region = RegionKind(rawValue: rawRegion) else {
            throw CloisterError(.regionRefused, "the enclave's memory is protected in an unknown way")
        }
        guard flags <= 1, let version = reader.uint32(), let digest = reader.take(Measurement.byteCount),
            let measurement = Measurement(bytes: digest), let nonce = reader.take(Self.nonceByteCount),
            let data = reader.take(Self.dataByteCount), let issuedAt = reader.uint64(),
            let certificate = reader.take(PlatformCertificate.byteCount)
        else { throw malformed }
        self.certificate = try PlatformCertificate(certificate)
        statement = Statement(
            platform: platform, region: region, isDebug: flags & 1 != 0, enclaveVersion: version, measurement: measurement,
            nonce: nonce, data: data, issuedAt: issuedAt)
        self.bytes = bytes
    }

    /// Signs a statement with the platform's key. Throws `malformedReport` if a field has the wrong size.
    package static func sign(
        _ statement: Statement, certificate: PlatformCertificate, key: borrowing P384PrivateKey
    ) throws(CloisterError) -> AttestationReport {
        guard statement.nonce.count == nonceByteCount, statement.data.count == dataByteCount else {
            throw CloisterError(.malformedReport, "a report's nonce has 32 bytes and its data 64")
        }
        var bytes = magic + [1, statement.platform.rawValue, statement.region.rawValue, statement.isDebug ? 1 : 0]
        bytes.appendBigEndian(statement.enclaveVersion)
        bytes += statement.measurement.bytes
        bytes += statement.nonce
        bytes += statement.data
        bytes.appendBigEndian(statement.issuedAt)
        bytes += certificate.bytes
        bytes += try key.sign(bytes.span)
        return try AttestationReport(bytes)
    }

    /// The report data that binds an X25519 public key.
    package static func data(for publicKey: [UInt8]) throws(CloisterError) -> [UInt8] {
        try DigestAlgorithm.sha512.hash(Array("cloister report v1".utf8) + publicKey)
    }

    /// Whether the certificate's key signed the report.
    func isSignedByItsPlatform() -> Bool {
        let signed = Array(bytes[..<Self.signedByteCount])
        let signature = Array(bytes[Self.signedByteCount...])
        do {
            try certificate.publicKey.verify(signature.span, of: signed.span)
            return true
        } catch {
            return false
        }
    }
}
