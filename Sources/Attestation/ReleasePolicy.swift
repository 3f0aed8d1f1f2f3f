package import CellCrypto
package import Diagnostics

/// What an enclave must be before it is given keys: the proxy's configuration, nothing that the server says.
package struct ReleasePolicy: Sendable {
    /// Roots whose platforms are believed.
    package var roots: [P384PublicKey]
    package var measurements: Set<Measurement>
    package var minimumVersion: UInt32
    package var allowedRegions: Set<RegionKind>
    package var allowedPlatforms: Set<PlatformKind>
    /// Never true outside a test: a debug enclave may be read.
    package var allowDebug: Bool

    package init(
        roots: [P384PublicKey], measurements: Set<Measurement>, minimumVersion: UInt32 = 1,
        allowedRegions: Set<RegionKind> = [.memfdSecret], allowedPlatforms: Set<PlatformKind> = [.simulated],
        allowDebug: Bool = false
    ) {
        self.roots = roots
        self.measurements = measurements
        self.minimumVersion = minimumVersion
        self.allowedRegions = allowedRegions
        self.allowedPlatforms = allowedPlatforms
        self.allowDebug = allowDebug
    }

    /// Checks everything a report claims, in the order of the chain: root → certificate → report → contents. `nonce` is the
    /// one sent, `publicKey` the one the report must vouch for, `now` Unix seconds. Throws the code of the first check that
    /// fails; returning is the only success.
    package func check(
        _ report: AttestationReport, nonce: [UInt8], publicKey: [UInt8], now: UInt64
    ) throws(CloisterError) {
        let certificate = report.certificate
        let statement = report.statement
        guard roots.contains(where: certificate.isSigned(by:)) else {
            throw CloisterError(
                .untrustedPlatform, "no trusted root signed the platform's certificate",
                hint: "give the platform's tee-root.pem in enclave.roots")
        }
        guard certificate.notBefore <= now, now <= certificate.notAfter else {
            throw CloisterError(.platformCertificateExpired, "the platform's certificate is not valid at this time")
        }
        guard report.isSignedByItsPlatform() else {
            throw CloisterError(.reportSignatureInvalid, "the report's signature is not the platform's")
        }
        guard certificate.kind == statement.platform, allowedPlatforms.contains(statement.platform) else {
            throw CloisterError(.platformKindRefused, "the policy does not allow this kind of platform")
        }
        guard statement.nonce == nonce else {
            throw CloisterError(.nonceMismatch, "the report answers another request")
        }
        guard statement.data == (try AttestationReport.data(for: publicKey)) else {
            throw CloisterError(.reportDataMismatch, "the report vouches for another key agreement key")
        }
        guard measurements.contains(statement.measurement) else {
            throw CloisterError(
                .measurementRefused, "the enclave's measurement \(statement.measurement) is not allowed",
                hint: "if this build is to be trusted, add it to enclave.measurements")
        }
        guard statement.enclaveVersion >= minimumVersion else {
            throw CloisterError(
                .enclaveTooOld, "the enclave has version \(statement.enclaveVersion), the policy demands \(minimumVersion)")
        }
        guard allowDebug || !statement.isDebug else {
            throw CloisterError(.debugRefused, "the enclave runs in debug mode")
        }
        guard allowedRegions.contains(statement.region) else {
            throw CloisterError(
                .regionRefused, "the enclave's memory is protected by \(statement.region.name), which the policy does not allow")
        }
    }
}
