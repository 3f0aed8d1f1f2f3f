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
    private let report: ReportSource
    private let responder = Mutex(ReleaseResponder())
    private let sequence = Atomic<UInt32>(1)

    /// `boot`: 16 random bytes that tell this start of the enclave from every other.
    package init(boot: [UInt8], region: RegionKind, keys: KeyTable, report: @escaping ReportSource) {
        self.boot = boot
        self.region = region
        self.keys = keys
        self.report = report
    }

    package func answer(_ frame: [UInt8]) -> [UInt8] {
        do throws(ReleaseRefusal) {
            switch frame.first {
            case 1: return try welcome(frame)
            case 3: return try release(frame)
            case 5 where frame.count == 1: return status.frame
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
            var released: [(cipher: CellCipher, operations: KeyOperations)] = []
            for received in opened.keys {
                guard let id = KeyID(rawValue: received.id) else { throw CloisterError(.malformedFrame, "a key's number") }
                let cipher = try CellCipher(received.key.duplicate(), id: id)
                released.append((cipher, KeyOperations(rawValue: received.operations)))
            }
            guard keys.insert(released) else { return ReleaseRefusal.tooManyKeys.frame }
            return try opened.confirmation(boot: boot)
        } catch {
            throw .internalFailure
        }
    }
}
