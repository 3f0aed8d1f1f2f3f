package import CellCrypto
package import CellFormat
internal import Synchronization

/// What a key's policy lets the enclave do with its cells. The bits are those of schemas/release-v1.md.
package struct KeyOperations: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let compare = KeyOperations(rawValue: 1)
    package static let hash = KeyOperations(rawValue: 2)
    /// LIKE, ILIKE, starts_with.
    package static let match = KeyOperations(rawValue: 4)
    /// SUM, AVG, STDDEV, VARIANCE over groups of at least `minimumGroup` cells.
    package static let aggregate = KeyOperations(rawValue: 8)

    /// From the upper half of the mask; never below 2.
    package var minimumGroup: Int { max(2, Int(rawValue >> 16)) }
}

/// The keys released to this enclave. Shared by the workers; replaced entry by entry when a proxy releases keys.
package final class KeyTable: Sendable {
    package struct Entry: Sendable {
        let cipher: CellCipher
        let operations: KeyOperations
    }

    /// Bound on the keys held at once: a hostile client may release keys of its own.
    package static let largestLimit = 4096

    package let limit: Int
    private let entries: Mutex<[KeyID: Entry]>
    private let changes = Atomic<UInt64>(1)

    /// `limit`: smaller where the enclave's memory is.
    package init(limit: Int = KeyTable.largestLimit) {
        self.limit = min(limit, Self.largestLimit)
        entries = Mutex([:])
    }

    /// Counts the table's changes: a worker that has read the table at this count need not read it again.
    package var generation: UInt64 { changes.load(ordering: .acquiring) }

    package func snapshot() -> [KeyID: Entry] { entries.withLock { $0 } }

    package var identifiers: [KeyID] { entries.withLock { $0.keys.sorted { $0.rawValue < $1.rawValue } } }

    package var count: Int { entries.withLock { $0.count } }

    /// Adds or replaces all of `released`, or nothing if the table would grow beyond its limit.
    package func insert(_ released: [(cipher: CellCipher, operations: KeyOperations)]) -> Bool {
        let done = entries.withLock { table in
            let added = released.count { table[$0.cipher.id] == nil }
            guard table.count + added <= limit else { return false }
            for (cipher, operations) in released { table[cipher.id] = Entry(cipher: cipher, operations: operations) }
            return true
        }
        if done { changes.wrappingAdd(1, ordering: .releasing) }
        return done
    }
}
