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
    /// Only for sessions that a proxy vouched for.
    package static let grantedOnly = KeyOperations(rawValue: 16)
    /// With `grantedOnly`: comparing and hashing stored cells for maintenance is for any session.
    package static let maintenance = KeyOperations(rawValue: 32)

    /// From the upper half of the mask; never below 2.
    package var minimumGroup: Int { max(2, Int(rawValue >> 16)) }
}

/// The keys released to this enclave. Shared by the workers; replaced entry by entry when a proxy releases keys.
package final class KeyTable: Sendable {
    package struct Entry: Sendable {
        let cipher: CellCipher
        let operations: KeyOperations
        /// Cells that one session may have compared, hashed, matched or summed up; 0: no limit.
        let limit: UInt64
        /// Who may vouch for sessions under this key: those who released it. Oldest first.
        let grantors: [UInt64]
    }

    package struct Released: Sendable {
        let cipher: CellCipher
        let operations: KeyOperations
        let limit: UInt64
        let grantor: UInt64?

        package init(_ cipher: CellCipher, _ operations: KeyOperations, limit: UInt64 = 0, grantor: UInt64? = nil) {
            self.cipher = cipher
            self.operations = operations
            self.limit = limit
            self.grantor = grantor
        }
    }

    /// More proxies than this serve no database at once.
    static let grantorLimit = 64

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
    package func insert(_ released: [Released]) -> Bool {
        let done = entries.withLock { table in
            let added = released.count { table[$0.cipher.id] == nil }
            guard table.count + added <= limit else { return false }
            for key in released { table[key.cipher.id] = Self.entry(key, after: table[key.cipher.id]) }
            return true
        }
        if done { changes.wrappingAdd(1, ordering: .releasing) }
        return done
    }

    /// Who releases a known key anew, with the same bytes, is one of those who have it: the grantors stay, and so does *granted only*
    /// until the enclave is started again. With other bytes it is another key, whoever's that is.
    private static func entry(_ new: Released, after old: Entry?) -> Entry {
        var operations = new.operations
        var grantors: [UInt64] = []
        if let old, old.cipher.hasSameKey(as: new.cipher) {
            if old.operations.contains(.grantedOnly) { operations.insert(.grantedOnly) }
            grantors = old.grantors
        }
        if let grantor = new.grantor, !grantors.contains(grantor) { grantors.append(grantor) }
        return Entry(cipher: new.cipher, operations: operations, limit: new.limit, grantors: Array(grantors.suffix(grantorLimit)))
    }
}
