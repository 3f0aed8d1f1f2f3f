internal import ColumnCatalog
internal import Diagnostics
internal import NIOCore
internal import PGWire
internal import SQLBinding
internal import ValueCodec

/// What the session knows of its database and of its own settings, and whether it still holds.
struct SessionState {
    private let catalogs: CatalogStore
    private let zones: TimeZones
    private(set) var catalog: CatalogSnapshot
    /// The catalog must be loaded (or loaded again) before a statement is bound.
    private(set) var catalogIsStale = false
    /// Whether the process-wide snapshots are of this session's database.
    private var sharesCatalog = true
    /// The load of the snapshot in use, and the last load that began before this session changed the catalog.
    private var load: UInt64 = 0
    private var ownChange: UInt64 = 0
    /// The process-wide snapshots leave every session's temporary tables out: one that may have some loads its own.
    private var mayHaveTemporaryTables = false

    /// Of the store's marks, those of `catalog`.
    private var marksVersion: UInt64 = 0

    private(set) var settings = SessionSettings()
    /// Whether extra_float_digits and bytea_output, which PostgreSQL does not report, and the search path are as on the server.
    private(set) var settingsAreKnown = false
    /// nil: not known.
    private(set) var searchPath: [String]?

    /// A change of settings is on its way that no ReadyForQuery has followed yet: what ParameterStatus told may be outdated,
    /// standard_conforming_strings included, on which reading a statement depends.
    private(set) var settingsAreInFlux = false
    /// What SQL's PREPARE has made, as far as this session's own statements tell: the server's parameters by name.
    private(set) var preparedInSQL: [String: [ServerParameter]] = [:]

    private var changedSettingsInTransaction = false
    private var changedCatalogInTransaction = false
    private static let maxPrepared = 10_000

    init(catalogs: CatalogStore, zones: TimeZones) {
        self.catalogs = catalogs
        self.zones = zones
        marksVersion = catalogs.marks.version
        let current = catalogs.current
        catalog = current.snapshot
        load = current.load
        catalogIsStale = current.load == 0
    }

    /// Whether the marks are those of this session's database.
    var servesMarks: Bool { sharesCatalog }

    mutating func begin(database: String) {
        guard let shared = catalogs.database, shared != database else { return }
        sharesCatalog = false
        catalog = CatalogSnapshot.empty(marks: catalog.marks)
        catalogIsStale = true
    }

    /// Takes over the process-wide snapshot if it is newer than what this session has and has done. `isPrepared`: what the statement
    /// at hand needs was just loaded for it, and stays until it is bound: other sessions' DDL may go on without end.
    mutating func followStore(isPrepared: Bool) {
        followMarks()
        guard sharesCatalog, !changedCatalogInTransaction, !isPrepared else { return }
        let current = catalogs.current
        guard current.load > load, current.load > ownChange else { return }
        load = current.load
        guard !mayHaveTemporaryTables else {
            catalogIsStale = true
            searchPath = nil
            return
        }
        catalogIsStale = false
        if current.snapshot.id != catalog.id {
            catalog = current.snapshot
            // A schema of the search path may have come or gone.
            searchPath = nil
        }
    }

    /// Takes over the process's marks whatever the transaction has done: what is marked is never a matter of the server's.
    mutating func followMarks() {
        let current = catalogs.marks
        guard current.version != marksVersion else { return }
        marksVersion = current.version
        catalog = catalog.marked(current.marks)
    }

    mutating func reported(_ parameter: ParameterStatus) {
        // A value that no PostgreSQL reports leaves the setting as it is.
        _ = try? apply(parameter.name, parameter.value)
    }

    private mutating func apply(_ name: String, _ value: String) throws(CloisterError) -> Bool {
        guard name.lowercased() == "timezone" else { return try settings.apply(name, value) }
        settings.timeZone = zones.zone(value)
        return true
    }

    /// A statement is on its way to the server.
    mutating func willExecute(_ effects: StatementEffects) {
        for statement in effects.statements {
            if statement.flags.contains(.ddl) || statement.executes != nil { mayHaveTemporaryTables = true }
            if statement.flags.contains(.ddl) {
                catalogIsStale = true
                changedCatalogInTransaction = true
                ownChange = catalogs.loadsBegun
                searchPath = nil
            }
            if !statement.flags.isDisjoint(with: [.mayChangeSettings, .discardAll]) {
                settingsAreInFlux = true
                settingsAreKnown = false
                searchPath = nil
                changedSettingsInTransaction = true
            }
            if statement.flags.contains(.mayChangeSearchPath) {
                searchPath = nil
                changedSettingsInTransaction = true
            }
            switch statement.transaction {
            case .commit, .rollback, .rollbackTo, .prepare: forgetTransaction()
            case .begin, .savepoint, .release, .commitPrepared, .rollbackPrepared, nil: break
            }
        }
    }

    /// The server has carried a statement out.
    mutating func tookEffect(_ statement: StatementEffects.Statement) {
        if let name = statement.prepares, preparedInSQL.count < Self.maxPrepared { preparedInSQL[name] = statement.preparedParameters }
        if let name = statement.deallocates { preparedInSQL[name] = nil }
        if !statement.flags.isDisjoint(with: [.deallocateAll, .discardAll]) { preparedInSQL.removeAll() }
    }

    /// The protocol has made or closed a statement of that name: SQL's, which shares the names, is another or gone.
    mutating func protocolHasTaken(_ name: String) { preparedInSQL[name] = nil }

    /// ReadyForQuery came and nothing else is in flight: the server has reported every setting that it reports.
    mutating func settingsWereReported() { settingsAreInFlux = false }

    /// ReadyForQuery said that no transaction is open. `isQuiet`: nothing else is in flight.
    mutating func transactionEnded(isQuiet: Bool) {
        forgetTransaction()
        guard isQuiet else { return }
        changedSettingsInTransaction = false
        changedCatalogInTransaction = false
    }

    /// What was changed in the transaction may have been undone, or be undone with it (SET LOCAL).
    private mutating func forgetTransaction() {
        if changedSettingsInTransaction {
            settingsAreInFlux = true
            settingsAreKnown = false
            searchPath = nil
        }
        if changedCatalogInTransaction {
            catalogIsStale = true
            searchPath = nil
            ownChange = catalogs.loadsBegun
        }
    }

    // MARK: Injected queries

    /// The settings that values' texts and statements' readings depend on. PostgreSQL reports most of them, but only before
    /// ReadyForQuery: in the middle of a batch they must be asked.
    private static let settingNames = [
        "extra_float_digits", "bytea_output", "DateStyle", "IntervalStyle", "TimeZone", "client_encoding", "standard_conforming_strings",
    ]

    /// Rows of (tag, value): empty tag for the schemas of the effective search path in order (in hex of UTF-8, as client_encoding is
    /// among what is asked), else a setting's name.
    static let settingsQuery =
        "SELECT '', pg_catalog.encode(pg_catalog.convert_to(s.name::pg_catalog.text, 'UTF8'), 'hex') FROM pg_catalog.unnest(pg_catalog.current_schemas(true)) WITH ORDINALITY AS s (name, place)"
        + settingNames.map { " UNION ALL SELECT '\($0)', pg_catalog.current_setting('\($0)')" }.joined()

    mutating func settingsLoaded(rows: [[String?]]) throws(CloisterError) {
        func malformed() -> CloisterError { CloisterError(.catalogUnavailable, "the server's answer about its settings is malformed") }
        var path: [String] = []
        var seen: Set<String> = []
        for row in rows {
            guard row.count == 2, let tag = row[0], let value = row[1] else { throw malformed() }
            if tag.isEmpty {
                guard let name = Hex.decode(Array("\\x\(value)".utf8).span) else { throw malformed() }
                path.append(String(decoding: name, as: UTF8.self))
            } else {
                guard try apply(tag, value), seen.insert(tag).inserted else { throw malformed() }
            }
        }
        guard seen.count == Self.settingNames.count else { throw malformed() }
        settingsAreInFlux = false
        searchPath = path
        settingsAreKnown = true
    }

    /// A text of the client's in UTF-8, in which statements are read.
    func readable(_ text: [UInt8]) throws(CloisterError) -> [UInt8] {
        guard text.contains(where: { $0 >= 0x80 }) else { return text }
        guard let encoding = settings.encoding else {
            throw CloisterError(
                .clientEncoding, "a statement beyond ASCII in client_encoding \(settings.clientEncoding) can't be read",
                hint: "SET client_encoding TO 'UTF8'.")
        }
        return try encoding.utf8(text)
    }

    /// An error of the proxy's own in the client's encoding.
    func fields(_ error: CloisterError, severity: ErrorFields.Severity = .error) -> ErrorFields {
        var fields = ErrorFields(error, severity: severity)
        guard let encoding = settings.encoding, !encoding.isUTF8 else { return fields }
        for index in fields.fields.indices {
            fields.fields[index].value = ByteBuffer(bytes: encoding.message(String(buffer: fields.fields[index].value)))
        }
        return fields
    }

    mutating func catalogLoaded(rows: [[String?]]) throws(CloisterError) {
        catalog = try catalogs.snapshot(rows: rows)
        catalogIsStale = false
        mayHaveTemporaryTables = catalog.relations.keys.contains { $0.schema.hasPrefix("pg_temp_") }
    }
}

/// Time zones by name: looking one up reads files. One per event loop.
final class TimeZones {
    /// More than the zones of one application, few enough for a server that invents names.
    private static let capacity = 64
    private var known: [String: SessionTimeZone] = [:]

    func zone(_ name: String) -> SessionTimeZone {
        if let zone = known[name] { return zone }
        if known.count >= Self.capacity { known.removeAll() }
        let zone = SessionTimeZone(named: name)
        known[name] = zone
        return zone
    }
}
