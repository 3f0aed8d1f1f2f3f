@testable import Attestation
import CellCrypto
import CellFormat
@testable import EnclaveEvaluator
import Synchronization
import Testing

/// The enclave's end against the proxy's end, with a platform in between that can be broken.
@Suite struct ReleaseTunnelTests {
    final class Platform: Sendable {
        let key: SignerBox
        let requests = Mutex<[ReportRequest]>([])
        let isAway = Atomic(false)

        init() throws { key = try SignerBox() }

        func report(_ request: ReportRequest) -> [UInt8]? {
            requests.withLock { $0.append(request) }
            return isAway.load(ordering: .relaxed) ? nil : try? key.report(request)
        }
    }

    final class SignerBox: Sendable {
        let root: P384PublicKey
        private let key: P384PrivateKey
        private let certificate: PlatformCertificate
        static let measurement = Measurement(bytes: [UInt8](repeating: 5, count: 48))

        init() throws {
            let rootKey = try P384PrivateKey()
            let key = try P384PrivateKey()
            root = try rootKey.publicKey
            certificate = try PlatformCertificate.issue(
                for: key.publicKey, kind: .simulated, notBefore: 0, notAfter: 2000, root: rootKey)
            self.key = key
        }

        func report(_ request: ReportRequest) throws -> [UInt8] {
            try AttestationReport.sign(
                AttestationReport.Statement(
                    platform: .simulated, region: request.region, isDebug: false, enclaveVersion: request.enclaveVersion,
                    measurement: #require(Self.measurement), nonce: request.nonce, data: request.data, issuedAt: 1000),
                certificate: certificate, key: key
            ).bytes
        }
    }

    let boot = [UInt8](1...16)
    let keys = KeyTable()
    let platform: Platform
    let tunnel: ReleaseTunnel
    let policy: ReleasePolicy

    init() throws {
        let platform = try Platform()
        self.platform = platform
        tunnel = ReleaseTunnel(boot: boot, region: .memfdSecret, keys: keys) { platform.report($0) }
        policy = ReleasePolicy(roots: [platform.key.root], measurements: [try #require(SignerBox.measurement)])
    }

    func session() throws -> ReleaseSession {
        let client = try KeyReleaseClient()
        let welcome = tunnel.answer(client.hello, caller: Caller())
        return try client.receive(welcome: welcome, policy: policy, now: 1000)
    }

    @Test func aReleaseEndsInTheKeyTable() throws {
        let sealer = try Sealer(7)
        var session = try session()
        let confirmation = try session.confirm(
            tunnel.answer(session.release([ReleasedKey(id: 7, sealer.cipher, operations: 1)]), caller: Caller()))
        #expect(confirmation == ReleaseConfirmation(boot: boot, keyCount: 1))
        #expect(keys.identifiers == [sealer.id])
        let evaluator = Evaluator(Enclave(keys: keys, tunnel: tunnel))
        let cell = try sealer.cell([0, 0, 0, 1])
        let both = pair(cell, cell)
        let order = evaluator.evaluate(opcode: 2, request: both.span)
        let hash = evaluator.evaluate(opcode: 3, request: cell.span)
        #expect(order == Answer())
        #expect(hash.status == Refusal.forbidden.status)
    }

    @Test func statusNamesTheKeys() throws {
        let empty = EnclaveStatus(boot: boot, version: enclaveVersion, keys: [])
        #expect(try EnclaveStatus(frame: tunnel.answer(EnclaveStatus.request, caller: Caller())) == empty)
        var session = try session()
        for id in [9, 8] as [UInt32] {
            _ = try session.confirm(
                tunnel.answer(session.release([ReleasedKey(id: id, try Sealer(id).cipher, operations: 3)]), caller: Caller()))
        }
        #expect(try EnclaveStatus(frame: tunnel.answer(EnclaveStatus.request, caller: Caller())).keys == [8, 9])
    }

    @Test func thePlatformIsAskedForThisNonceAndKey() throws {
        let client = try KeyReleaseClient()
        let welcome = tunnel.answer(client.hello, caller: Caller())
        let request = try #require(platform.requests.withLock { $0.last })
        #expect(request.nonce == Array(client.hello.dropFirst()))
        #expect(try request.data == AttestationReport.data(for: Array(welcome[9..<41])))
        #expect((request.region, request.enclaveVersion) == (.memfdSecret, enclaveVersion))
    }

    @Test func withoutAPlatformThereIsNoSession() throws {
        platform.isAway.store(true, ordering: .relaxed)
        let client = try KeyReleaseClient()
        #expect(tunnel.answer(client.hello, caller: Caller()) == ReleaseRefusal.noPlatform.frame)
    }

    @Test func tooManyKeysAreRefusedAsAWhole() throws {
        var session = try session()
        let cipher = try Sealer(7).cipher
        for batch in 0..<4 {
            let released = (0..<1024).map { ReleasedKey(id: UInt32(1 + batch * 1024 + $0), cipher, operations: 1) }
            _ = try session.confirm(tunnel.answer(session.release(released), caller: Caller()))
        }
        let more = try session.release([ReleasedKey(id: 9999, cipher, operations: 1)])
        #expect(tunnel.answer(more, caller: Caller()) == ReleaseRefusal.tooManyKeys.frame)
        #expect(keys.count == KeyTable.largestLimit)
    }

    @Test(arguments: [[], [0], [2], [4, 0], [5, 5], [6], [7, 1], [255]] as [[UInt8]])
    func otherFrames(frame: [UInt8]) {
        #expect(tunnel.answer(frame, caller: Caller()) == ReleaseRefusal.malformed.frame)
    }
}
