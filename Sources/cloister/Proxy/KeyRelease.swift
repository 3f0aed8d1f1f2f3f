internal import AdminConnection
internal import Attestation
internal import CellCrypto
internal import Configuration
internal import Diagnostics
internal import Foundation

/// The attested key release, carried by the server's function `cloister.enclave_tunnel`: the enclave opens no port.
struct KeyRelease {
    let policy: ReleasePolicy

    /// Reads the trusted roots' files.
    init(_ enclave: EnclaveConfiguration) throws(CloisterError) {
        var roots: [P384PublicKey] = []
        for path in enclave.roots {
            guard let data = FileManager.default.contents(atPath: path) else {
                throw CloisterError(
                    .configurationUnreadable, "a platform's root of enclave.roots cannot be read",
                    hint: "copy the platform's tee-root.pem there", location: path)
            }
            do {
                roots.append(try P384PublicKey(pem: [UInt8](data).span))
            } catch {
                throw CloisterError(.configurationWrongValue, "a platform's root is not a P-384 public key in PEM", location: path)
            }
        }
        policy = ReleasePolicy(
            roots: roots, measurements: Set(enclave.measurements.compactMap { Measurement(bytes: $0) }),
            minimumVersion: enclave.minimumVersion, allowedRegions: Set(enclave.allow.compactMap { RegionKind(name: $0.rawValue) }))
    }

    /// Gets a fresh report and checks it. Releases nothing.
    func attest(_ connection: AdminConnection) throws -> ReleaseSession {
        let client = try KeyReleaseClient()
        let welcome = try Self.tunnel(client.hello, connection)
        return try client.receive(welcome: welcome, policy: policy, now: UInt64(Date().timeIntervalSince1970))
    }

    /// Attests, then sends the keys. Returns what the enclave confirmed: which start of it holds them now.
    func release(_ keys: [ReleasedKey], grantor: Grantor? = nil, _ connection: AdminConnection) throws -> (
        report: AttestationReport, boot: [UInt8]
    ) {
        var session = try attest(connection)
        var boot: [UInt8] = []
        for start in stride(from: 0, to: keys.count, by: ReleaseLimits.keysPerFrame) {
            let frame = try session.release(Array(keys[start..<min(keys.count, start + ReleaseLimits.keysPerFrame)]), grantor: grantor)
            boot = try session.confirm(Self.tunnel(frame, connection)).boot
        }
        return (session.report, boot)
    }

    /// Cleartext and untrusted: good for noticing a restart, for nothing else.
    static func status(_ connection: AdminConnection) throws -> EnclaveStatus {
        try EnclaveStatus(frame: tunnel(EnclaveStatus.request, connection))
    }

    private static func tunnel(_ frame: [UInt8], _ connection: AdminConnection) throws -> [UInt8] {
        let answer: AdminResult
        do {
            answer = try connection.query("SELECT cloister.enclave_tunnel($1::bytea)", [.bytes(frame)], milliseconds: 15_000)
        } catch {
            guard !error.isConnectionLoss, error.sqlState.hasPrefix("YE") else { throw error }
            throw CloisterError(.enclaveUnreachable, error.error.message)
        }
        guard answer.rows.count == 1, let bytes = answer.bytes(row: 0, column: 0) else {
            throw CloisterError(.enclaveUnreachable, "the server's answer for the enclave is not one value")
        }
        return bytes
    }
}
