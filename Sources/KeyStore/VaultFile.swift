internal import CellCrypto
internal import Diagnostics
internal import Foundation
internal import GRDB

/// The vault's SQLite file: which tables it has, and how SQLite's failures are told apart. No key passes through here in
/// the clear.
enum VaultFile {
    /// "CLVT", in SQLite's header.
    static let applicationID = 0x434c_5654
    static let version = 1
    static let rowLimit = 1000

    static let schema = """
        CREATE TABLE vault (
            id INTEGER PRIMARY KEY CHECK (id = 1), log2n INTEGER NOT NULL, r INTEGER NOT NULL, p INTEGER NOT NULL,
            salt BLOB NOT NULL, nonce BLOB NOT NULL, "check" BLOB NOT NULL
        ) STRICT;
        CREATE TABLE master_keys (
            name TEXT PRIMARY KEY, public_key BLOB NOT NULL, nonce BLOB NOT NULL, sealed BLOB NOT NULL, created TEXT NOT NULL
        ) STRICT;
        """

    /// Writes a new vault beside `path` and gives it its name when it is whole.
    static func create(_ path: String, _ header: VaultHeader) throws(CloisterError) {
        guard !PrivateFile.exists(path) else { throw exists(path) }
        let temporary = "\(path).new-\(UUID().uuidString)"
        do {
            try PrivateFile.create(temporary)
        } catch {
            throw unavailable("the vault can't be made", path)
        }
        defer {
            PrivateFile.remove(temporary)
            PrivateFile.remove(temporary + "-journal")
        }
        try mapped(path) {
            let queue = try DatabaseQueue(path: temporary, configuration: configuration(readonly: false))
            try queue.write { db in
                try db.execute(sql: "PRAGMA application_id = \(applicationID); PRAGMA user_version = \(version);")
                try db.execute(sql: schema)
                try db.execute(
                    sql: "INSERT INTO vault VALUES (1, ?, ?, ?, ?, ?, ?)",
                    arguments: [
                        header.parameters.log2N, header.parameters.r, header.parameters.p, Data(header.salt), Data(header.nonce),
                        Data(header.check),
                    ])
            }
            try queue.close()
        }
        do {
            try PrivateFile.publish(temporary, as: path)
        } catch {
            if case .exists = error { throw exists(path) }
            throw unavailable("the vault can't be made", path)
        }
    }

    /// Reads all of a vault, checking file mode, kind, version and integrity.
    static func read(_ path: String) throws(CloisterError) -> (header: VaultHeader, rows: [VaultRow]) {
        try checkFile(path)
        return try mapped(path) {
            // A journal beside the file is an interrupted write: SQLite must be able to undo it.
            let queue = try DatabaseQueue(
                path: path, configuration: configuration(readonly: !PrivateFile.exists(path + "-journal")))
            defer { try? queue.close() }
            return try queue.read { db in
                try checkKind(db, path)
                return (try header(db, path), try rows(db, path))
            }
        }
    }

    /// Adds a row, in one transaction.
    static func insert(_ row: VaultRow, into path: String) throws(CloisterError) {
        try checkFile(path)
        try mapped(path) {
            let queue = try DatabaseQueue(path: path, configuration: configuration(readonly: false))
            defer { try? queue.close() }
            try queue.write { db in
                try checkKind(db, path)
                do {
                    try db.execute(
                        sql: "INSERT INTO master_keys VALUES (?, ?, ?, ?, ?)",
                        arguments: [row.name, Data(row.publicKey), Data(row.nonce), Data(row.sealed), row.created])
                } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
                    throw CloisterError(.keyExists, "the vault has a master key \(row.name) already", location: path)
                }
            }
        }
    }

    private static func configuration(readonly: Bool) -> GRDB.Configuration {
        var configuration = GRDB.Configuration()
        configuration.readonly = readonly
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in
            // No trust in a schema that someone else may have written; every commit on disk before it counts.
            try db.execute(sql: "PRAGMA trusted_schema = OFF; PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON;")
        }
        return configuration
    }

    private static func checkFile(_ path: String) throws(CloisterError) {
        let start: [UInt8]
        do {
            start = try PrivateFile.check(path, first: 16)
        } catch {
            switch error {
            case .missing:
                throw CloisterError(.vaultMissing, "there is no vault", hint: "cloister keys create-master makes one", location: path)
            case .openToOthers:
                throw CloisterError(
                    .unsafePermissions, "the vault can be used by others than its owner", hint: "chmod 600", location: path)
            case .notRegular: throw CloisterError(.notAVault, "the path is not a regular file", location: path)
            case .system(EACCES):
                throw CloisterError(.unsafePermissions, "this user may not read the vault", location: path)
            default: throw unavailable("the vault can't be read", path)
            }
        }
        guard start == Array("SQLite format 3\0".utf8) else { throw CloisterError(.notAVault, "the file is not a vault", location: path) }
    }

    private static func checkKind(_ db: Database, _ path: String) throws {
        guard try Int.fetchOne(db, sql: "PRAGMA application_id") == applicationID else {
            throw CloisterError(.notAVault, "the file is a SQLite database but not a vault", location: path)
        }
        guard let found = try Int.fetchOne(db, sql: "PRAGMA user_version"), found > 0 else {
            throw CloisterError(.vaultDamaged, "the vault has no version", location: path)
        }
        guard found <= version else {
            throw CloisterError(
                .vaultFromTheFuture, "the vault has format \(found); this program knows \(version)", hint: "use a newer cloister",
                location: path)
        }
        guard try String.fetchAll(db, sql: "PRAGMA integrity_check(1)") == ["ok"] else {
            throw CloisterError(.vaultDamaged, "the vault's file is damaged", hint: "restore it from a backup", location: path)
        }
    }

    private static func header(_ db: Database, _ path: String) throws -> VaultHeader {
        guard let row = try Row.fetchOne(db, sql: "SELECT log2n, r, p, salt, nonce, \"check\" FROM vault WHERE id = 1"),
            let log2N = Int.fromDatabaseValue(row[0]), let r = Int.fromDatabaseValue(row[1]), let p = Int.fromDatabaseValue(row[2])
        else { throw CloisterError(.vaultDamaged, "the vault has no header", location: path) }
        return VaultHeader(
            parameters: .init(log2N: log2N, r: r, p: p), salt: bytes(row, 3), nonce: bytes(row, 4), check: bytes(row, 5))
    }

    private static func rows(_ db: Database, _ path: String) throws -> [VaultRow] {
        let rows = try Row.fetchAll(
            db, sql: "SELECT name, public_key, nonce, sealed, created FROM master_keys ORDER BY name LIMIT \(rowLimit + 1)")
        guard rows.count <= rowLimit else { throw CloisterError(.vaultDamaged, "the vault has too many keys", location: path) }
        return rows.map { row in
            VaultRow(
                name: String.fromDatabaseValue(row[0]) ?? "", publicKey: bytes(row, 1), nonce: bytes(row, 2), sealed: bytes(row, 3),
                created: String.fromDatabaseValue(row[4]) ?? "")
        }
    }

    private static func bytes(_ row: Row, _ index: Int) -> [UInt8] {
        Data.fromDatabaseValue(row[index]).map { [UInt8]($0) } ?? []
    }

    /// Runs SQLite work and turns its failures into ours.
    private static func mapped<Result>(_ path: String, _ body: () throws -> Result) throws(CloisterError) -> Result {
        do {
            return try body()
        } catch let error as CloisterError {
            throw error
        } catch let error as DatabaseError {
            switch error.resultCode {
            case .SQLITE_NOTADB, .SQLITE_CORRUPT, .SQLITE_ERROR, .SQLITE_MISMATCH:
                throw CloisterError(.vaultDamaged, "the vault's file is damaged", hint: "restore it from a backup", location: path)
            case .SQLITE_BUSY, .SQLITE_LOCKED: throw unavailable("the vault is in use by another process", path)
            case .SQLITE_FULL: throw unavailable("there is no room to write the vault", path)
            case .SQLITE_READONLY, .SQLITE_PERM: throw unavailable("the vault can't be written", path)
            default: throw unavailable("the vault can't be used", path)
            }
        } catch {
            throw unavailable("the vault can't be used", path)
        }
    }

    private static func exists(_ path: String) -> CloisterError {
        CloisterError(.vaultExists, "something is there already; nothing was changed", location: path)
    }

    private static func unavailable(_ what: String, _ path: String) -> CloisterError {
        CloisterError(.vaultUnavailable, what, location: path)
    }
}
