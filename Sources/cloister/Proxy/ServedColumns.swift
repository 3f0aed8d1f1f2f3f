internal import AdminConnection
internal import CellCrypto
internal import ColumnCatalog
internal import Configuration
internal import Diagnostics
internal import KeyStore
internal import SessionCore
internal import Synchronization

/// The keys and marks that a running proxy serves: those of its configuration and those of the database, replaced together
/// when the database's change.
///
/// Whatever can't be verified changes nothing: the marks that are known stay, and the sessions learn nothing new of the
/// catalog until the marks can be believed again.
final class ServedColumns: Sendable {
    private struct State {
        var keys: LoadedKeys
        var seen: VerifiedColumns
    }
    let configuration: Configuration
    let service: ServiceConfiguration
    let vault: FileVault
    let catalogs: CatalogStore
    let ring: KeyRing
    private let state: Mutex<State>
    /// Held by whoever reloads.
    private let reloading = Mutex(())

    /// Throws unless every key and mark verifies, and file and database agree.
    init(_ configuration: Configuration, _ service: ServiceConfiguration, vault: FileVault, _ connection: AdminConnection) throws {
        self.configuration = configuration
        self.service = service
        self.vault = vault
        try KeyTables.check(connection)
        let first = try Self.load(configuration, service, vault, after: .none, connection)
        catalogs = CatalogStore(initial: .empty(marks: first.keys.marks), database: service.admin.database)
        ring = KeyRing(first.keys.ciphers)
        state = Mutex(first)
    }

    var keys: LoadedKeys { state.withLock { $0.keys } }

    /// The last marks of the database that were verified.
    var seen: VerifiedColumns { state.withLock { $0.seen } }

    /// Takes over what the database says now, if it can be believed. Throws otherwise, and when the database can't be asked.
    func reload(_ connection: AdminConnection) throws {
        try reloading.withLock { _ in
            do {
                let new = try Self.load(configuration, service, vault, after: seen, connection)
                // Keys first: a mark without its key could not be served. Keys of forgotten columns still open old cells.
                for cipher in new.keys.ciphers.values { ring.insert(cipher) }
                catalogs.adopt(new.keys.marks)
                state.withLock { $0 = new }
            } catch let error as CloisterError {
                catalogs.doubt(error)
                throw error
            }
        }
    }

    private static func load(
        _ configuration: Configuration, _ service: ServiceConfiguration, _ vault: FileVault, after seen: VerifiedColumns,
        _ connection: AdminConnection
    ) throws -> State {
        let trusted = Set(service.trustedMasterKeys)
        // Marks before keys: a key is signed for a column no later than the column is marked.
        let verified = try MarkTables.read(connection).verify(trusted: trusted, provider: vault, after: seen)
        let keys = try LoadedKeys(
            configuration, records: KeyTables.columnKeys(connection), columns: verified.marks, trusted: trusted, provider: vault)
        return State(keys: keys, seen: verified)
    }
}
