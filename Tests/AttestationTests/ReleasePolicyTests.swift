@testable import Attestation
import CellCrypto
import Diagnostics
import Testing

/// A platform made for a test, with every field in reach.
final class FakePlatform: Sendable {
    static let now: UInt64 = 1_000_000
    let root: P384PublicKey
    let certificate: PlatformCertificate
    private let rootKey: P384PrivateKey
    private let key: P384PrivateKey

    init(notBefore: UInt64 = now - 10, notAfter: UInt64 = now + 10, kind: PlatformKind = .simulated) throws {
        rootKey = try P384PrivateKey()
        key = try P384PrivateKey()
        root = try rootKey.publicKey
        certificate = try PlatformCertificate.issue(
            for: key.publicKey, kind: kind, notBefore: notBefore, notAfter: notAfter, root: rootKey)
    }

    func sign(_ statement: AttestationReport.Statement, certificate other: PlatformCertificate? = nil) throws -> AttestationReport {
        try AttestationReport.sign(statement, certificate: other ?? certificate, key: key)
    }

    /// The report's bytes with a change, signed again by the platform: what a lying but genuine platform could say.
    func resign(_ report: AttestationReport, _ change: (inout [UInt8]) -> Void) throws -> [UInt8] {
        var bytes = Array(report.bytes[..<AttestationReport.signedByteCount])
        change(&bytes)
        return bytes + (try key.sign(bytes.span))
    }
}

@Suite struct ReleasePolicyTests {
    let platform: FakePlatform
    let nonce = [UInt8](repeating: 1, count: 32)
    let publicKey = [UInt8](repeating: 2, count: 32)
    let measurement: Measurement
    let good: AttestationReport.Statement
    let policy: ReleasePolicy

    init() throws {
        platform = try FakePlatform()
        measurement = try #require(Measurement(bytes: [UInt8](repeating: 3, count: 48)))
        good = AttestationReport.Statement(
            platform: .simulated, region: .memfdSecret, isDebug: false, enclaveVersion: 5, measurement: measurement,
            nonce: nonce, data: try AttestationReport.data(for: publicKey), issuedAt: FakePlatform.now)
        policy = ReleasePolicy(roots: [platform.root], measurements: [measurement], minimumVersion: 5)
    }

    func check(
        _ statement: AttestationReport.Statement, _ policy: ReleasePolicy? = nil, now: UInt64 = FakePlatform.now
    ) throws {
        let report = try AttestationReport(platform.sign(statement).bytes)
        try (policy ?? self.policy).check(report, nonce: nonce, publicKey: publicKey, now: now)
    }

    func check(_ report: AttestationReport, _ policy: ReleasePolicy? = nil) throws {
        try (policy ?? self.policy).check(report, nonce: nonce, publicKey: publicKey, now: FakePlatform.now)
    }

    func refusal(_ body: () throws -> Void) -> ErrorCode? {
        do { try body(); return nil } catch { return (error as? CloisterError)?.code }
    }

    /// `good` with one change.
    func but(_ change: (inout AttestationReport.Statement) -> Void) -> AttestationReport.Statement {
        var statement = good
        change(&statement)
        return statement
    }

    func policy(_ change: (inout ReleasePolicy) -> Void) -> ReleasePolicy {
        var policy = policy
        change(&policy)
        return policy
    }

    @Test func theGoodReportPasses() throws {
        try check(good)
        try check(but { $0.enclaveVersion = 6 })
        let stranger = try FakePlatform().root
        try check(good, policy { $0.roots.insert(stranger, at: 0) })
    }

    @Test func wrongRoot() throws {
        let stranger = try FakePlatform()
        #expect(refusal { try check(good, policy { $0.roots = [stranger.root] }) } == .untrustedPlatform)
        #expect(refusal { try check(good, policy { $0.roots = [] }) } == .untrustedPlatform)
    }

    @Test func expiredAndFutureCertificates() throws {
        try check(good, now: FakePlatform.now + 10)
        try check(good, now: FakePlatform.now - 10)
        #expect(refusal { try check(good, now: FakePlatform.now + 11) } == .platformCertificateExpired)
        #expect(refusal { try check(good, now: FakePlatform.now - 11) } == .platformCertificateExpired)
    }

    @Test func alteredCertificates() throws {
        let report = try platform.sign(good)
        for position in [8, 16, 23, 121, 216] {
            let bytes = try platform.resign(report) { $0[164 + position] ^= 1 }
            let changed = try AttestationReport(bytes)
            #expect(refusal { try check(changed) } == .untrustedPlatform)
        }
    }

    @Test func aCertificateOfAnotherPlatform() throws {
        // Root and certificate are genuine, but the report was signed by somebody else's key.
        let other = try FakePlatform()
        let report = try platform.sign(good, certificate: other.certificate)
        let trusting = policy { $0.roots = [other.root, platform.root] }
        #expect(refusal { try check(report, trusting) } == .reportSignatureInvalid)
    }

    @Test func wrongSignature() throws {
        let report = try platform.sign(good)
        for position in [4 + 4, 12, 59, 60, 92, 156, 381, 476] {
            var bytes = report.bytes
            bytes[position] ^= 1
            let changed = try AttestationReport(bytes)
            #expect(refusal { try check(changed) } == .reportSignatureInvalid)
        }
    }

    @Test func wrongMeasurement() throws {
        let other = try #require(Measurement(bytes: [UInt8](repeating: 4, count: 48)))
        #expect(refusal { try check(but { $0.measurement = other }) } == .measurementRefused)
        #expect(refusal { try check(good, policy { $0.measurements = [] }) } == .measurementRefused)
        try check(but { $0.measurement = other }, policy { $0.measurements = [measurement, other] })
    }

    @Test func debugFlag() throws {
        #expect(refusal { try check(but { $0.isDebug = true }) } == .debugRefused)
        try check(but { $0.isDebug = true }, policy { $0.allowDebug = true })
    }

    @Test func oldVersion() {
        #expect(refusal { try check(but { $0.enclaveVersion = 4 }) } == .enclaveTooOld)
    }

    @Test func wrongNonce() {
        #expect(refusal { try check(but { $0.nonce[31] ^= 1 }) } == .nonceMismatch)
    }

    @Test func reportForAnotherKey() throws {
        let other = try AttestationReport.data(for: [UInt8](repeating: 9, count: 32))
        #expect(refusal { try check(but { $0.data = other }) } == .reportDataMismatch)
    }

    @Test func regionKind() throws {
        #expect(refusal { try check(but { $0.region = .mlock }) } == .regionRefused)
        try check(but { $0.region = .mlock }, policy { $0.allowedRegions = [.mlock, .memfdSecret] })
        #expect(refusal { try check(good, policy { $0.allowedRegions = [.mlock] }) } == .regionRefused)
        let unknown = try platform.resign(platform.sign(good)) { $0[6] = 9 }
        #expect(throws: CloisterError(.regionRefused, "")) { try AttestationReport(unknown) }
    }

    @Test func platformKind() throws {
        #expect(refusal { try check(good, policy { $0.allowedPlatforms = [] }) } == .platformKindRefused)
        for position in [5, 164 + 5] {
            let unknown = try platform.resign(platform.sign(good)) { $0[position] = 2 }
            #expect(throws: CloisterError(.platformKindRefused, "")) { try AttestationReport(unknown) }
        }
    }

    @Test func malformedReports() throws {
        let bytes = try platform.sign(good).bytes
        #expect(bytes.count == AttestationReport.byteCount)
        #expect(try AttestationReport(bytes).statement == good)
        for count in [0, 1, 4, 163, 164, 380, 381, 476] {
            #expect(throws: CloisterError(.malformedReport, "")) { try AttestationReport(Array(bytes.prefix(count))) }
        }
        #expect(throws: CloisterError(.malformedReport, "")) { try AttestationReport(bytes + [0]) }
        // magic, format, unknown flag bits, certificate's magic, format and reserved bytes, a point off the curve
        let changes: [(Int, UInt8)] = [
            (0, 0), (4, 2), (7, 2), (7, 0x80), (164, 0), (168, 2), (170, 1), (171, 1), (188, 2), (200, bytes[200] ^ 0xff),
        ]
        for (position, value) in changes {
            var changed = bytes
            changed[position] = value
            #expect(throws: CloisterError(.malformedReport, "")) { try AttestationReport(changed) }
        }
    }

    @Test func measurementsAsText() throws {
        let text = "sha384:" + String(repeating: "0123456789abcdef", count: 6)
        #expect(Measurement(text: text)?.description == text)
        #expect(Measurement(text: text.uppercased().replacing("SHA", with: "sha"))?.description == text)
        let bad = ["", "sha384:", String(text.dropLast()), text + "0", text.replacing("f", with: "g"), "sha256" + text.dropFirst(6)]
        for bad in bad {
            #expect(Measurement(text: bad) == nil)
        }
    }
}
