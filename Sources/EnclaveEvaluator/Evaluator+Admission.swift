internal import Attestation
internal import CellFormat
internal import Synchronization

/// What one worker has found of the sessions it serves: looking it up takes a lock.
struct AdmissionCache {
    private struct Entry {
        var number: UInt64
        var key: KeyID
        var session: EnclaveSession
        var tally: Tally
    }
    private static let places = 64

    private var entries = [Entry?](repeating: nil, count: AdmissionCache.places)
    private var generation: UInt64 = 0

    /// nil: there is no room for another counter.
    mutating func find(_ caller: Caller, _ key: KeyID, in table: SessionTable) -> (session: EnclaveSession, tally: Tally)? {
        if table.generation != generation {
            entries = [Entry?](repeating: nil, count: Self.places)
            generation = table.generation
        }
        let place = Int(truncatingIfNeeded: caller.session % UInt64(Self.places))
        if let known = entries[place], known.number == caller.session, known.key == key { return (known.session, known.tally) }
        let session = table.session(caller)
        guard let tally = table.tally(key, of: session) else { return nil }
        entries[place] = Entry(number: caller.session, key: key, session: session, tally: tally)
        return (session, tally)
    }
}

extension Evaluator {
    /// Whether the caller may have this done. `operandWriter`: who made the operand among the cells; nil: all are stored.
    ///
    /// With the policy *granted only* a session is served that a proxy which released the key vouched for, with operands made for that very session;
    /// any other only for maintenance, on stored cells, and if the policy says so. What is asked is counted in any case.
    func admit(_ caller: Caller, _ entry: KeyTable.Entry, _ header: CellHeader, _ operandWriter: UInt64?) throws(Refusal) {
        guard let (session, tally) = admissions.find(caller, header.key, in: enclave.sessions) else { throw .noMemory }
        if entry.operations.contains(.grantedOnly) {
            if let grant = session.grant, entry.grantors.contains(grant.grantor) {
                guard operandWriter == nil || operandWriter == grant.writer else { throw .mismatch }
            } else {
                guard caller.isMaintenance, entry.operations.contains(.maintenance), operandWriter == nil else { throw .ungranted }
            }
        }
        let count = tally.count.wrappingAdd(1, ordering: .relaxed).newValue
        guard entry.limit > 0, count > entry.limit else { return }
        if !tally.wasReached.exchange(true, ordering: .relaxed) {
            enclave.sessions.limitReached(LimitMessage(key: header.key.rawValue, peer: caller.peer, limit: entry.limit))
        }
        throw .limit
    }

    /// Bytes 8..15 of a randomized operand: the writer's id.
    static func operandWriter(_ cell: Span<UInt8>, _ header: CellHeader) -> UInt64? {
        header.role == .operand && cell.count >= 16 ? cell.bigEndian64(at: 8) : nil
    }
}
