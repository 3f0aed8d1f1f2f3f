internal import CellCrypto
internal import CellFormat
internal import Synchronization

/// One group of an aggregate whose cells come in several requests of one slot: what must be alike of them, and the state.
final class Aggregation {
    /// What no two cells of a key share: where its writer stood when it sealed.
    struct CellIdentity: Hashable, Comparable {
        let writer: UInt64
        let counter: UInt64
        static func < (a: Self, b: Self) -> Bool { (a.writer, a.counter) < (b.writer, b.counter) }
    }

    let cipher: CellCipher
    let header: CellHeader
    let result: LogicalType
    let minimumGroup: Int
    var accumulator: Accumulator
    private var last: CellIdentity?
    private var seen: Set<CellIdentity> = []
    private unowned let table: AggregationTable

    init(
        _ cipher: CellCipher, _ header: CellHeader, result: LogicalType, minimumGroup: Int, _ accumulator: Accumulator,
        _ table: AggregationTable
    ) {
        self.cipher = cipher
        self.header = header
        self.result = result
        self.minimumGroup = minimumGroup
        self.accumulator = accumulator
        self.table = table
    }

    deinit { table.release(seen.count) }

    /// Refuses a cell that is in the group already: with one cell many times over a sum would say what is in it. Exact types
    /// come in ascending order of their cells, so that nothing need be remembered; floats come in the rows' order.
    func admit(_ identity: CellIdentity) throws(Refusal) {
        if header.type == .float4 || header.type == .float8 {
            guard !seen.contains(identity) else { throw .repeatedCell }
            guard table.reserve() else { throw .noMemory }
            seen.insert(identity)
        } else {
            if let last, !(last < identity) { throw last == identity ? .repeatedCell : .badRequest }
            last = identity
        }
    }
}

/// The groups that are under way, by session. Shared by the workers: any of them may serve a session's next request.
package final class AggregationTable: Sendable {
    private struct Running {
        var groups: [UInt64: Slot] = [:]
        var ended: [UInt64] = []
    }
    private let running = Mutex(Running())
    private let remembered = Atomic<Int>(0)
    private let rememberedLimit: Int

    /// Handed from worker to worker, never shared: who takes it out of the table has it alone.
    private struct Slot: @unchecked Sendable { let aggregation: Aggregation }

    /// `rememberedLimit`: how many float cells all groups together may hold to find repeated ones; about 50 bytes each.
    package init(rememberedLimit: Int = 1 << 18) { self.rememberedLimit = rememberedLimit }

    /// Takes the session's group out of the table.
    func take(_ session: UInt64) -> Aggregation? {
        running.withLock { running in
            for session in running.ended { running.groups[session] = nil }
            running.ended.removeAll()
            return running.groups.removeValue(forKey: session)?.aggregation
        }
    }

    /// The session is gone. Called on the main thread, which touches no plaintext: the group is freed by the next worker here.
    func ended(_ session: UInt64) {
        running.withLock { $0.ended.append(contentsOf: $0.groups[session] == nil ? [] : [session]) }
    }

    func put(_ aggregation: Aggregation, _ session: UInt64) {
        let entry = Slot(aggregation: aggregation)
        running.withLock { $0.groups[session] = entry }
    }

    func reserve() -> Bool {
        if remembered.wrappingAdd(1, ordering: .relaxed).newValue <= rememberedLimit { return true }
        remembered.wrappingSubtract(1, ordering: .relaxed)
        return false
    }

    func release(_ count: Int) { remembered.wrappingSubtract(count, ordering: .relaxed) }
}
