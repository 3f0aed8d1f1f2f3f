package import Attestation
internal import CellFormat
internal import Synchronization

/// Who asks: what the enclave itself knows of the connection, and what the server says the request is for.
package struct Caller: Sendable {
    /// The connection's number; never used again.
    package let session: UInt64
    /// The connection's process as the kernel says, 0 if unknown.
    package let peer: Int32
    /// The server's word.
    package let isMaintenance: Bool

    package init(session: UInt64 = 0, peer: Int32 = 0, isMaintenance: Bool = false) {
        self.session = session
        self.peer = peer
        self.isMaintenance = isMaintenance
    }
}

/// How much one session has asked of one key.
final class Tally: Sendable {
    let count = Atomic<UInt64>(0)
    let wasReached = Atomic<Bool>(false)
}

/// One session: the connection of a backend, and those of its parallel workers that joined it.
final class EnclaveSession: Sendable {
    private struct State {
        var nonce: [UInt8]?
        var tallies: [KeyID: Tally] = [:]
    }
    private let state = Mutex(State())
    private let grantWriter = Atomic<UInt64>(0)
    private let grantor = Atomic<UInt64>(0)
    private let isGranted = Atomic<Bool>(false)

    /// Who vouched for the session, and the writer of its operand cells; nil: nobody did.
    var grant: (grantor: UInt64, writer: UInt64)? {
        guard isGranted.load(ordering: .acquiring) else { return nil }
        return (grantor.load(ordering: .relaxed), grantWriter.load(ordering: .relaxed))
    }

    func challenge(_ nonce: [UInt8]) { state.withLock { $0.nonce = nonce } }

    /// A nonce is good for one try.
    func takeNonce() -> [UInt8]? {
        state.withLock { state in
            defer { state.nonce = nil }
            return state.nonce
        }
    }

    func vouch(writer: UInt64, grantor number: UInt64) {
        grantWriter.store(writer, ordering: .relaxed)
        grantor.store(number, ordering: .relaxed)
        isGranted.store(true, ordering: .releasing)
    }

    func end() { isGranted.store(false, ordering: .releasing) }

    func tally(_ key: KeyID, make: () -> Bool) -> Tally? {
        state.withLock { state in
            if let known = state.tallies[key] { return known }
            guard make() else { return nil }
            let tally = Tally()
            state.tallies[key] = tally
            return tally
        }
    }

    var tallyCount: Int { state.withLock { $0.tallies.count } }
}

/// The sessions with a connection. Shared by the workers; the main thread only takes ended ones out.
package final class SessionTable: Sendable {
    private struct Entry {
        let peer: Int32
        /// Its own, or the one it joined.
        var session: EnclaveSession
        var hasJoined = false
    }

    private let entries = Mutex<[UInt64: Entry]>([:])
    private let joins = Atomic<UInt64>(0)
    private let tallies = Atomic<Int>(0)
    private let tallyLimit: Int
    let limitReached: @Sendable (LimitMessage) -> Void

    /// `tallyLimit`: counters of all sessions together, about 100 bytes each. `limitReached`: called once per session and key.
    package init(tallyLimit: Int = 1 << 16, limitReached: @escaping @Sendable (LimitMessage) -> Void = { _ in }) {
        self.tallyLimit = tallyLimit
        self.limitReached = limitReached
    }

    /// Changes when a session's number stands for another session than before.
    var generation: UInt64 { joins.load(ordering: .acquiring) }

    func session(_ caller: Caller) -> EnclaveSession {
        entries.withLock { entries in
            if let known = entries[caller.session] { return known.session }
            let made = EnclaveSession()
            entries[caller.session] = Entry(peer: caller.peer, session: made)
            return made
        }
    }

    /// A worker's connection takes part in its leader's session. False: there is no vouched-for session of that process.
    func join(_ caller: Caller, leader: Int32) -> Bool {
        guard leader > 0 else { return false }
        _ = session(caller)
        let joined = entries.withLock { entries in
            let found = entries.first {
                $0.value.peer == leader && !$0.value.hasJoined && $0.key != caller.session && $0.value.session.grant != nil
            }
            guard let found, entries[caller.session]?.hasJoined == false else { return false }
            entries[caller.session]?.session = found.value.session
            entries[caller.session]?.hasJoined = true
            return true
        }
        if joined { joins.wrappingAdd(1, ordering: .releasing) }
        return joined
    }

    /// The connection is gone. What a proxy vouched for ends with the connection that it was vouched on.
    package func ended(_ number: UInt64) {
        guard let entry = entries.withLock({ $0.removeValue(forKey: number) }), !entry.hasJoined else { return }
        entry.session.end()
        tallies.wrappingSubtract(entry.session.tallyCount, ordering: .relaxed)
    }

    func tally(_ key: KeyID, of session: EnclaveSession) -> Tally? {
        session.tally(key) {
            if tallies.wrappingAdd(1, ordering: .relaxed).newValue <= tallyLimit { return true }
            tallies.wrappingSubtract(1, ordering: .relaxed)
            return false
        }
    }
}
