package import ColumnCatalog
internal import Synchronization

/// The process-wide catalog snapshot of one database: written by the maintenance task, read by every session.
///
/// A load has a number, drawn before its query is sent. A session that has itself changed the catalog takes only a
/// snapshot whose load began after that.
package final class CatalogStore: Sendable {
    private struct State {
        var snapshot: CatalogSnapshot
        var load: UInt64 = 0
        var loadsBegun: UInt64 = 0
    }

    /// The database that the snapshots are of; sessions of other databases load their own.
    package let database: String?
    private let state: Mutex<State>

    /// `database` nil: every session's.
    package init(initial: CatalogSnapshot, database: String? = nil) {
        self.database = database
        state = Mutex(State(snapshot: initial))
    }

    /// The number of a load that is about to be sent.
    package func beginLoad() -> UInt64 {
        state.withLock {
            $0.loadsBegun += 1
            return $0.loadsBegun
        }
    }

    /// Replaces the snapshot, unless a later load has already been published.
    package func publish(_ snapshot: CatalogSnapshot, load: UInt64) {
        state.withLock {
            guard load >= $0.load else { return }
            $0.snapshot = snapshot
            $0.load = load
        }
    }

    /// `load` 0: nothing but the configuration is known yet.
    package var current: (snapshot: CatalogSnapshot, load: UInt64) { state.withLock { ($0.snapshot, $0.load) } }

    package var loadsBegun: UInt64 { state.withLock { $0.loadsBegun } }
}
