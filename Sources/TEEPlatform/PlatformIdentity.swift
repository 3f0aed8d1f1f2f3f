package import Attestation
package import CellCrypto
package import Diagnostics

/// The platform's signing key, certified by a root. For development the root's key lies beside it.
///
/// | file | content |
/// |---|---|
/// | `root-key.pem` | the root's private key (mode 0600) |
/// | `tee-root.pem` | the root's public key: what a proxy trusts (`enclave.roots`) |
/// | `platform-key.pem` | the platform's private key (mode 0600) |
/// | `platform-certificate.bin` | the root's certificate of the platform's key |
///
/// A platform that was certified elsewhere has no `root-key.pem`.
package struct PlatformIdentity: ~Copyable, Sendable {
    /// A development root's certificates last two years and are renewed when a start finds less than 30 days left.
    static let certificateSeconds: UInt64 = 2 * 365 * 86400
    static let renewalSeconds: UInt64 = 30 * 86400
    /// Certificates begin a little in the past: clocks differ.
    static let backdatedSeconds: UInt64 = 3600

    private let key: P384PrivateKey
    package let certificate: PlatformCertificate
    package let root: P384PublicKey

    init(key: consuming P384PrivateKey, certificate: PlatformCertificate, root: P384PublicKey) {
        self.key = key
        self.certificate = certificate
        self.root = root
    }

    /// Loads the identity of a state folder, making what is missing. `now` is in Unix seconds. Throws `platformState`.
    package static func open(_ folder: String, now: UInt64) throws(CloisterError) -> PlatformIdentity {
        try PlatformFiles.makeFolder(folder)
        let rootPath = folder + "/root-key.pem"
        let publicPath = folder + "/tee-root.pem"
        let keyPath = folder + "/platform-key.pem"
        let certificatePath = folder + "/platform-certificate.bin"

        let isNew = try PlatformFiles.readIfPresent(keyPath) == nil
        if isNew {
            try makeKey(keyPath)
            if try PlatformFiles.readIfPresent(publicPath) == nil {
                let root = try P384PrivateKey()
                try write(root, to: rootPath)
                try PlatformFiles.write(publicPath, mode: 0o644, root.publicKey.pem())
            }
        }
        let key = try readKey(keyPath)
        let publicKey = try key.publicKey
        guard let rootPEM = try PlatformFiles.readIfPresent(publicPath) else {
            throw CloisterError(.platformState, "the root's public key is missing", location: publicPath)
        }
        let root: P384PublicKey
        do { root = try P384PublicKey(pem: rootPEM.span) } catch {
            throw CloisterError(.platformState, "not a P-384 public key in PEM", location: publicPath)
        }
        if let bytes = try PlatformFiles.readIfPresent(certificatePath), let known = try? PlatformCertificate(bytes),
            known.publicKey == publicKey, known.isSigned(by: root), known.notAfter > now + renewalSeconds || !hasRootKey(rootPath)
        {
            return PlatformIdentity(key: key, certificate: known, root: root)
        }
        let rootKey = try readKey(rootPath)
        let issued = try PlatformCertificate.issue(
            for: publicKey, kind: .simulated, notBefore: now - min(now, backdatedSeconds), notAfter: now + certificateSeconds,
            root: rootKey)
        guard issued.isSigned(by: root) else {
            throw CloisterError(.platformState, "root-key.pem and tee-root.pem do not belong together", location: folder)
        }
        try PlatformFiles.write(certificatePath, mode: 0o644, issued.bytes)
        return PlatformIdentity(key: key, certificate: issued, root: root)
    }

    /// Signs what the platform knows (measurement, debug) and what the measured code said (the request).
    package func report(
        for request: ReportRequest, measurement: Measurement, isDebug: Bool, now: UInt64
    ) throws(CloisterError) -> AttestationReport {
        try AttestationReport.sign(
            AttestationReport.Statement(
                platform: certificate.kind, region: request.region, isDebug: isDebug, enclaveVersion: request.enclaveVersion,
                measurement: measurement, nonce: request.nonce, data: request.data, issuedAt: now),
            certificate: certificate, key: key)
    }

    private static func makeKey(_ path: String) throws(CloisterError) {
        let key = try P384PrivateKey()
        try write(key, to: path)
    }

    private static func write(_ key: borrowing P384PrivateKey, to path: String) throws(CloisterError) {
        let pem = try key.pem()
        try PlatformFiles.write(path, mode: 0o600, secret: pem)
    }

    private static func hasRootKey(_ path: String) -> Bool { ((try? PlatformFiles.readIfPresent(path)) ?? nil) != nil }

    private static func readKey(_ path: String) throws(CloisterError) -> P384PrivateKey {
        guard !PlatformFiles.isExposed(path) else {
            throw CloisterError(.platformState, "others may read this private key", hint: "chmod 600", location: path)
        }
        guard var pem = try PlatformFiles.readIfPresent(path) else {
            throw CloisterError(.platformState, "the private key is missing", location: path)
        }
        defer { cleanse(&pem) }
        do { return try P384PrivateKey(pem: pem.span) } catch {
            throw CloisterError(.platformState, "not a P-384 private key in PEM", location: path)
        }
    }
}
