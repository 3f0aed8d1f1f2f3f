package import Attestation
internal import CellCrypto
internal import CellFormat
internal import Diagnostics
internal import Synchronization

/// The enclave's end of the tunnel: key release and status, over `Attestation`'s pure values.
package final class ReleaseTunnel: Tunnel {
    /// Asks the platform for a report. Blocks for a bounded time; nil: none was given.
    package typealias ReportSource = @Sendable (ReportRequest) -> [UInt8]?

    private let boot: [UInt8]
    private let region: RegionKind
    private let keys: KeyTable
    private let sessions: SessionTable
    private let grantors = Mutex(GrantorTable())
    private let report: ReportSource
    private let responder = Mutex(ReleaseResponder())
    private let sequence = Atomic<UInt32>(1)

    /// `boot`: 16 random bytes that tell this start of the enclave from every other.
    package init(boot: [UInt8], region: RegionKind, keys: KeyTable, sessions: SessionTable = SessionTable(), report: @escaping ReportSource)
    {
        self.boot = boot
        self.region = region
        self.keys = keys
        self.sessions = sessions
        self.report = report
    }

    package func answer(_ frame: [UInt8], caller: Caller) -> [UInt8] {
        do throws(ReleaseRefusal) {
            switch frame.first {
            case 1: return try welcome(frame)
            case 3: return try release(frame)
            case 5 where frame.count == 1: return status.frame
            case 8 where frame.count == 1: return try challenge(caller)
            case 10: return try grant(frame, caller)
            case 12: return try join(frame, caller)
            default: throw .malformed
            }
        } catch {
            return error.frame
        }
    }

    private var status: EnclaveStatus {
        EnclaveStatus(boot: boot, version: enclaveVersion, keys: keys.identifiers.map(\.rawValue))
    }

    private func welcome(_ hello: [UInt8]) throws(ReleaseRefusal) -> [UInt8] {
        let pending = try PendingWelcome(hello: hello)
        let request = ReportRequest(
            sequence: sequence.wrappingAdd(1, ordering: .relaxed).oldValue, region: region, enclaveVersion: enclaveVersion,
            nonce: pending.nonce, data: pending.data)
        guard let signed = report(request) else { throw .noPlatform }
        let (welcome, session) = try pending.finish(report: signed)
        responder.withLock { $0.insert(session) }
        return welcome
    }

    private func release(_ frame: [UInt8]) throws(ReleaseRefusal) -> [UInt8] {
        let opened = try responder.withLock { (responder) throws(ReleaseRefusal) in try responder.open(release: frame) }
        do throws(CloisterError) {
            var released: [KeyTable.Released] = []
            for received in opened.keys {
                guard let id = KeyID(rawValue: received.id) else { throw CloisterError(.malformedFrame, "a key's number") }
                let cipher = try CellCipher(received.key.duplicate(), id: id)
                released.append(
                    KeyTable.Released(
                        cipher, KeyOperations(rawValue: received.operations), limit: received.limit, grantor: opened.grantor?.number))
            }
            guard keys.insert(released) else { return ReleaseRefusal.tooManyKeys.frame }
            if let grantor = opened.grantor { know(grantor) }
            return try opened.confirmation(boot: boot)
        } catch {
            throw .internalFailure
        }
    }

    // MARK: Grants

    func know(_ grantor: Grantor) { grantors.withLock { $0.insert(grantor) } }

    private func challenge(_ caller: Caller) throws(ReleaseRefusal) -> [UInt8] {
        guard let nonce = try? SecureRandom.bytes(SessionGrant.nonceByteCount) else { throw .internalFailure }
        sessions.session(caller).challenge(nonce)
        return SessionGrant.challenge(nonce: nonce, boot: boot)
    }

    private func grant(_ frame: [UInt8], _ caller: Caller) throws(ReleaseRefusal) -> [UInt8] {
        let session = sessions.session(caller)
        // Spent whatever comes of it.
        guard let nonce = session.takeNonce() else { throw .noGrant }
        let grant = try SessionGrant(frame: frame)
        guard let grantor = grantors.withLock({ $0.grantor(grant.grantor) }) else { throw .noGrant }
        guard grantor.vouches(for: grant, nonce: nonce, boot: boot) else { throw .notAuthentic }
        session.vouch(writer: grant.writer, grantor: grantor.number)
        return SessionGrant.grantedFrame
    }

    private func join(_ frame: [UInt8], _ caller: Caller) throws(ReleaseRefusal) -> [UInt8] {
        let leader = try SessionGrant.leader(inJoin: frame)
        guard sessions.join(caller, leader: leader) else { throw .noGrant }
        return SessionGrant.joinedFrame
    }
}
