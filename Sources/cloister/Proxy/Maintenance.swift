internal import AdminConnection
internal import Attestation
internal import CellFormat
internal import ColumnCatalog
internal import Diagnostics
internal import Foundation
internal import Logging
internal import ServiceLifecycle
internal import SessionCore
internal import Synchronization

/// Keeps the catalog current and the enclave supplied with keys, on one connection of its own and one thread.
///
/// The thread listens to channel `cloister_ddl` (the extension notifies it when DDL commits), asks the enclave's STATUS each
/// second, and releases the keys again when another start of the enclave answers or keys are missing. A refused report stops
/// nothing else: columns that need no enclave go on working, and the next second asks again.
final class Maintenance: Service {
    private let options: AdminOptions
    private let served: ServedColumns
    private let release: KeyRelease
    /// Who vouches for this proxy's sessions, and who is told when the enclave knows that.
    private let grantor: Grantor?
    private let grants: SessionGrants?
    private let logger: Logger
    private let isStopping = Atomic(false)

    private var catalogs: CatalogStore { served.catalogs }

    init(
        options: AdminOptions, served: ServedColumns, release: KeyRelease, grantor: Grantor? = nil, grants: SessionGrants? = nil,
        logger: Logger
    ) {
        self.options = options
        self.served = served
        self.release = release
        self.grantor = grantor
        self.grants = grants
        self.logger = logger
    }

    func run() async throws {
        await withTaskCancellationOrGracefulShutdownHandler {
            await withCheckedContinuation { continuation in
                let thread = Thread { [self] in
                    work()
                    continuation.resume()
                }
                thread.name = "maintenance"
                thread.start()
            }
        } onCancelOrGracefulShutdown: {
            self.isStopping.store(true, ordering: .relaxed)
        }
    }

    /// How long one wait for notifications takes at most: what a shutdown waits for.
    private static let slice = 200

    private var shouldStop: Bool { isStopping.load(ordering: .relaxed) }

    private func work() {
        var state = State()
        while !shouldStop {
            do {
                let connection = try AdminConnection(options)
                try connection.query("LISTEN cloister_ddl")
                try connection.query("LISTEN \(MarkTables.channel)")
                if state.hasLostConnection { logger.notice("maintenance connection is back") }
                state.hasLostConnection = false
                state.catalogIsStale = true
                state.marksAreStale = true
                while !shouldStop {
                    if state.marksAreStale {
                        try loadMarks(connection)
                        state.marksAreStale = false
                        state.catalogIsStale = true
                        state.nextStatus = .now
                    }
                    if state.catalogIsStale {
                        try loadCatalog(connection)
                        state.catalogIsStale = false
                    }
                    if state.nextStatus <= .now {
                        supply(connection, &state)
                        state.nextStatus = .now + .seconds(1)
                    }
                    let told = try connection.notifications(milliseconds: Self.slice)
                    if !told.isEmpty { state.catalogIsStale = true }
                    if told.contains(where: { $0.channel == MarkTables.channel }) { state.marksAreStale = true }
                }
            } catch {
                if !state.hasLostConnection { log(.warning, "maintenance connection lost; trying again each second", error) }
                state.hasLostConnection = true
                for _ in 0..<5 where !shouldStop { Thread.sleep(forTimeInterval: 0.2) }
            }
        }
    }

    private struct State {
        var hasLostConnection = false
        var catalogIsStale = true
        var marksAreStale = true
        var nextStatus = ContinuousClock.now
        /// The start of the enclave that confirmed the keys.
        var boot: [UInt8]?
        /// The last complaint and when it was logged: the same one is repeated once a minute.
        var complaint: (text: String, time: ContinuousClock.Instant)?
    }

    /// What the database says of marked columns. If it can't be believed the marks stay as they are, and so does the catalog.
    private func loadMarks(_ connection: AdminConnection) throws {
        do {
            try served.reload(connection)
        } catch let error as CloisterError {
            log(.error, "the database's marks of columns are refused; tables that are not known yet are refused too", error)
        }
    }

    private func loadCatalog(_ connection: AdminConnection) throws {
        let load = catalogs.beginLoad()
        let rows = try connection.query(CatalogSnapshot.loadQuery).rows
        do {
            catalogs.publish(try catalogs.snapshot(rows: rows), load: load)
        } catch {
            log(.error, "catalog refused; statements on unknown relations load it themselves", error)
        }
    }

    /// Releases the keys if the enclave that answers does not hold them.
    private func supply(_ connection: AdminConnection, _ state: inout State) {
        let keys = served.keys
        guard !keys.released.isEmpty else { return }
        do {
            let status = try KeyRelease.status(connection)
            let held = Set(status.keys)
            if status.boot == state.boot, keys.released.allSatisfy({ held.contains($0.id) }) { return }
            let (report, boot) = try release.release(keys.released, grantor: grantor, connection)
            grants?.keysWereReleased()
            let statement = report.statement
            let what =
                "\(keys.released.count) keys released to enclave version \(statement.enclaveVersion), \(statement.measurement), "
                + "\(statement.platform) platform, \(statement.region.name)\(state.boot == nil ? "" : "; it was started again")"
            logger.notice("\(what)")
            state.boot = boot
            state.complaint = nil
        } catch {
            let text = Self.text(of: error)
            if let last = state.complaint, last.text == text, last.time + .seconds(60) > .now { return }
            state.complaint = (text, .now)
            log(.warning, "no key released", error)
        }
    }

    private func log(_ level: Logger.Level, _ what: String, _ error: any Error) {
        logger.log(level: level, "\(what): \(Self.text(of: error))")
    }

    private static func text(of error: any Error) -> String {
        switch error {
        case let error as CloisterError: error.description
        case let error as AdminFailure: error.description
        default: "an unexpected error (\(type(of: error)))"
        }
    }
}
