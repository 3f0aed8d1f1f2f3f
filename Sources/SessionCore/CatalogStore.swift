package import ColumnCatalog
package import Diagnostics
internal import Synchronization

/// The process-wide catalog snapshot of one database: written by the maintenance task, read by every session.
///
/// A load has a number, drawn before its query is sent. A session that has itself changed the catalog takes only a
/// snapshot whose load began after that. The marks may change while the process runs (`ENCRYPTED WITH`); while what the
/// database says of them can't be believed, no new catalog is taken: relations that are not known stay unknown.
package final class CatalogStore: Sendable {
    private struct State {
        var snapshot: CatalogSnapshot
        var load: UInt64 = 0
        var loadsBegun: UInt64 = 0
        var marks: MarkedColumns
        var marksVersion: UInt64 = 0
        var doubt: CloisterError?
    }

    /// The database that the snapshots are of; sessions of other databases load their own.
    package let database: String?
    private let state: Mutex<State>

    /// `database` nil: every session's.
    package init(initial: CatalogSnapshot, database: String? = nil) {
        self.database = database
        state = Mutex(State(snapshot: initial, marks: initial.marks))
    }

    /// The number of a load that is about to be sent.
    package func beginLoad() -> UInt64 {
        state.withLock {
            $0.loadsBegun += 1
            return $0.loadsBegun
        }
    }

    /// Replaces the snapshot, under the present marks, unless a later load has already been published.
    package func publish(_ snapshot: CatalogSnapshot, load: UInt64) {
        state.withLock {
            guard load >= $0.load, $0.doubt == nil else { return }
            $0.snapshot = snapshot.marked($0.marks)
            $0.load = load
        }
    }

    /// A snapshot of the rows of `CatalogSnapshot.loadQuery` under the present marks. Throws `malformedCatalog`, or why the marks
    /// are in doubt.
    package func snapshot(rows: [[String?]]) throws(CloisterError) -> CatalogSnapshot {
        let (marks, doubt) = state.withLock { ($0.marks, $0.doubt) }
        if let doubt { throw doubt }
        return try CatalogSnapshot.load(rows: rows, marks: marks)
    }

    /// Replaces the marks; they have been verified.
    package func adopt(_ marks: MarkedColumns) {
        state.withLock {
            $0.doubt = nil
            guard marks != $0.marks else { return }
            $0.marks = marks
            $0.marksVersion += 1
            $0.snapshot = $0.snapshot.marked(marks)
        }
    }

    /// The database's marks can't be believed: those that are known stay, and nothing new is learnt until `adopt`.
    package func doubt(_ error: CloisterError) { state.withLock { $0.doubt = error } }

    /// `load` 0: nothing but the configuration is known yet.
    package var current: (snapshot: CatalogSnapshot, load: UInt64) { state.withLock { ($0.snapshot, $0.load) } }

    /// What is marked now, and how often that has changed.
    var marks: (marks: MarkedColumns, version: UInt64) { state.withLock { ($0.marks, $0.marksVersion) } }

    package var loadsBegun: UInt64 { state.withLock { $0.loadsBegun } }
}
