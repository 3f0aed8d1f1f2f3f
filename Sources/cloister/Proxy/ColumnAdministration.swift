internal import AdminConnection
internal import CellFormat
internal import Configuration
internal import Diagnostics
internal import KeyStore
internal import SQLBinding

extension ErrorCode {
    /// The same column is marked in two ways.
    static let markConflict = ErrorCode("CL1056", sqlState: "42710")
    /// The proxy's own role may not write schema cloister.
    static let mayNotAdminister = ErrorCode("CL1058", sqlState: "42501")
    /// A key that is still in use is to be dropped.
    static let keyInUse = ErrorCode("CL1059", sqlState: "2BP01")
    /// A mark that is to be forgotten is of a column that exists, or is no mark.
    static let markNotForgotten = ErrorCode("CL1060", sqlState: "55006")
}

/// Changes of schema `cloister`: each is one transaction under a lock that all proxies take, checks what it builds on and
/// signs what it writes.
struct ColumnAdministration {
    let connection: AdminConnection
    let vault: FileVault
    /// In the configuration's order; the first that the vault holds signs.
    let trusted: [String]
    /// The last marks that this process has verified: nothing older is built upon.
    var seen = VerifiedColumns.none

    private var trustedSet: Set<String> { Set(trusted) }

    private func signer() throws(CloisterError) -> String {
        guard let name = trusted.first(where: { name in vault.masterKeys.contains { $0.name == name } }) else {
            throw CloisterError(.masterKeyMissing, "the vault holds no trusted master key")
        }
        return name
    }

    // MARK: Marks

    /// Signs the columns of a configuration. `isWhole`: they are all there are; others that a configuration has marked are dropped.
    /// Returns whether anything was written.
    @discardableResult
    func sign(configured columns: [ColumnDeclaration], isWhole: Bool = false) throws -> Bool {
        guard try MarkTables.arePresent(connection) else { return false }
        return try change { verified, records, change in
            for column in columns {
                let mark = try Self.mark(
                    ColumnMarkRequest(
                        schema: column.schema, table: column.table, column: column.column, type: column.declaredType, scheme: column.scheme,
                        collation: column.collation, keyName: column.keyName, enumeration: column.enumeration, domain: column.domain),
                    records, .configuration)
                guard let known = verified.mark(of: mark.path) else {
                    change.marks.append(mark)
                    continue
                }
                if known.agrees(with: mark) { continue }
                guard known.origin == .configuration else { throw Self.conflict(known, mark, location: column.location) }
                change.marks.append(mark)
            }
            if isWhole {
                let wanted = Set(columns.map(\.path))
                change.removed = Set(verified.marks.filter { $0.origin == .configuration }.map(\.path)).subtracting(wanted)
            }
        }
    }

    /// Records marks that a statement asks for, and lets their keys be used for them.
    func mark(_ requests: [ColumnMarkRequest]) throws {
        try change { verified, records, change in
            for request in requests {
                let mark = try Self.mark(request, records, .ddl)
                if let known = verified.mark(of: mark.path) {
                    guard known.agrees(with: mark) else { throw Self.conflict(known, mark) }
                    continue
                }
                if mark.type.logical.isText, mark.scheme == .randomized,
                    let other = (verified.marks + change.marks).first(where: {
                        $0.key == mark.key && $0.type.logical == mark.type.logical && $0.scheme == mark.scheme
                            && $0.collation != mark.collation
                    })
                {
                    throw CloisterError(
                        .markConflict,
                        "\(mark.path) would have collation \(mark.collation.name), but \(other.path), which has the same key and type, has "
                            + other.collation.name, hint: "all columns of one key and type have one collation: use another key")
                }
                if let other = (verified.marks + change.marks).first(where: {
                    $0.key == mark.key && $0.type.logical == mark.type.logical && $0.scheme == mark.scheme
                        && $0.enumeration != mark.enumeration
                }) {
                    throw CloisterError(
                        .markConflict,
                        "\(mark.path) is not of the same enumeration as \(other.path), which is text under the same key",
                        hint: "all text columns of one key are of one enumeration or of none: use another key")
                }
                change.marks.append(mark)
                guard let index = records.firstIndex(where: { $0.name == mark.keyName }) else { continue }
                let metadata = try records[index].verify(trusted: trustedSet, provider: vault)
                let policy = KeyPolicy([
                    ColumnDeclaration(
                        schema: mark.schema, table: mark.table, column: mark.column, type: mark.type.logical, scheme: mark.scheme,
                        keyName: mark.keyName)
                ])
                records[index] = try records[index].amended(
                    columns: metadata.columns + [mark.path], enclave: metadata.enclave || policy.enclave,
                    operations: metadata.operations + policy.operations, trusted: trustedSet,
                    under: try masterKey(of: records[index]), of: vault)
                change.records[mark.keyName] = records[index]
            }
        }
    }

    /// Drops marks. Unless `force`, only those whose column the server does not have.
    func forget(_ paths: Set<String>, force: Bool) throws {
        try change { verified, _, change in
            for path in paths.sorted() {
                guard let mark = verified.mark(of: path) else {
                    throw CloisterError(
                        .markNotForgotten, "the database has no mark of \(path)", hint: "'cloister columns list' lists them")
                }
                guard try force || !exists(mark) else {
                    throw CloisterError(
                        .markNotForgotten, "\(path) exists; without its mark new values would not be encrypted",
                        hint: "drop the column first, or give --force")
                }
            }
            change.removed = paths
        }
    }

    /// Whether the server has the column. Its word only.
    func exists(_ mark: ColumnMarkMetadata) throws -> Bool {
        try !connection.query(
            "SELECT FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid "
                + "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                + "WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3 AND a.attnum > 0 AND NOT a.attisdropped",
            [.text(mark.schema), .text(mark.table), .text(mark.column)]
        ).rows.isEmpty
    }

    // MARK: Keys

    /// Registers a master key; makes it in the vault if it is not there.
    func createMasterKey(_ name: String) throws {
        guard trusted.contains(name) else {
            throw CloisterError(
                .masterKeyMissing, "master key \"\(name)\" is not one that this proxy trusts",
                hint: "name it in keys.trusted_master_keys of the proxy's configuration")
        }
        try transaction {
            guard try connection.query("SELECT FROM cloister.master_keys WHERE name = $1", [.text(name)]).rows.isEmpty else {
                throw CloisterError(.keyExists, "master key \"\(name)\" exists already")
            }
            if !vault.masterKeys.contains(where: { $0.name == name }) { try vault.createMasterKey(name) }
            try KeyTables.describe(name, vault.masterKeys, connection)
        }
    }

    func createColumnKey(_ name: String, under master: String) throws {
        guard trusted.contains(master), vault.masterKeys.contains(where: { $0.name == master }) else {
            throw CloisterError(
                .masterKeyMissing, "master key \"\(master)\" is not one that this proxy trusts and holds",
                hint: "CREATE COLUMN MASTER KEY first; keys.trusted_master_keys of the proxy's configuration must name it")
        }
        try transaction {
            try MarkTables.lock(connection)
            let records = try KeyTables.columnKeys(connection)
            guard !records.contains(where: { $0.name == name }) else {
                throw CloisterError(.keyExists, "column key \"\(name)\" exists already")
            }
            let taken = Set(records.compactMap { KeyID(rawValue: UInt32(bitPattern: $0.id)) })
            // Which columns use it, and whether an enclave may have it, is signed when a column is marked.
            let record = try ColumnKeyRecord.create(
                name: name, columns: [], enclave: false, operations: [], under: master, of: vault, avoiding: taken)
            try KeyTables.writeRows(record, masterKeys: vault.masterKeys, connection)
        }
    }

    func dropColumnKey(_ name: String, ifExists: Bool, configured: Set<String>) throws {
        try transaction {
            try MarkTables.lock(connection)
            guard let record = try KeyTables.columnKeys(connection).first(where: { $0.name == name }) else {
                if ifExists { return }
                throw CloisterError(.keyNotInDatabase, "column key \"\(name)\" does not exist")
            }
            let verified = try MarkTables.read(connection).verify(trusted: trustedSet, provider: vault, after: seen)
            if configured.contains(name) || verified.marks.contains(where: { $0.keyName == name }) {
                throw CloisterError(
                    .keyInUse, "column key \"\(name)\" is in use by marked columns", hint: "'cloister columns list' lists them")
            }
            // Views and tables made from queries have no mark of their own.
            let used = try connection.query(
                "SELECT FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid "
                    + "WHERE t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace AND pg_catalog.left(t.typname::text, 4) IN ('enc_', 'det_') "
                    + "AND a.atttypmod = $1::int4 AND NOT a.attisdropped LIMIT 1", [.integer(Int64(record.id))])
            guard used.rows.isEmpty else {
                throw CloisterError(.keyInUse, "column key \"\(name)\" is in use by a column or view of the database")
            }
            try connection.query("DELETE FROM cloister.column_keys WHERE id = $1::int4", [.integer(Int64(record.id))])
        }
    }

    /// Forgets that the database knows the key; the vault keeps it.
    func dropMasterKey(_ name: String, ifExists: Bool) throws {
        try transaction {
            let used = try connection.query(
                "SELECT (SELECT pg_catalog.count(*) FROM cloister.column_key_values v WHERE v.master_key = m.name) "
                    + "+ (SELECT pg_catalog.count(*) FROM cloister.columns c WHERE c.master_key = m.name) "
                    + "+ (SELECT pg_catalog.count(*) FROM cloister.column_manifests c WHERE c.master_key = m.name) "
                    + "FROM cloister.master_keys m WHERE m.name = $1", [.text(name)])
            guard let count = used.rows.first?.first else {
                if ifExists { return }
                throw CloisterError(.masterKeyMissing, "master key \"\(name)\" does not exist in the database")
            }
            guard count == "0" else {
                throw CloisterError(.keyInUse, "master key \"\(name)\" is in use: column keys or marks are under it")
            }
            try connection.query("DELETE FROM cloister.master_keys WHERE name = $1", [.text(name)])
        }
    }

    // MARK: Transactions

    private struct Change {
        var marks: [ColumnMarkMetadata] = []
        var removed: Set<String> = []
        /// Keys that were signed again, by name.
        var records: [String: ColumnKeyRecord] = [:]
    }

    @discardableResult
    private func change(_ body: (VerifiedColumns, inout [ColumnKeyRecord], inout Change) throws -> Void) throws -> Bool {
        guard try MarkTables.arePresent(connection) else {
            throw CloisterError(
                .extensionMissing, "the database's extension 'cloister' is too old to record marked columns",
                hint: "run ALTER EXTENSION cloister UPDATE in it as superuser")
        }
        return try transaction {
            try MarkTables.lock(connection)
            let signed = try MarkTables.read(connection)
            let verified = try signed.verify(trusted: trustedSet, provider: vault, after: seen)
            var records = try KeyTables.columnKeys(connection)
            var change = Change()
            try body(verified, &records, &change)
            guard !change.marks.isEmpty || !change.removed.isEmpty else { return false }
            for record in change.records.values { try KeyTables.writeRows(record, masterKeys: vault.masterKeys, connection) }
            let signer = try signer()
            try KeyTables.describe(signer, vault.masterKeys, connection)
            let new = try signed.changed(verified, marking: change.marks, removing: change.removed, under: signer, of: vault)
            try MarkTables.write(new, replacing: signed, connection)
            return true
        }
    }

    private func transaction<T>(_ body: () throws -> T) throws -> T {
        try connection.query("BEGIN")
        do {
            let result = try body()
            try connection.query("COMMIT")
            return result
        } catch {
            _ = try? connection.query("ROLLBACK")
            if let failure = error as? AdminFailure, failure.sqlState == "42501" {
                throw CloisterError(
                    .mayNotAdminister, "the proxy's role may not write schema cloister",
                    hint: "docs/configuration.md lists the rights that statements about keys and encrypted columns need")
            }
            throw error
        }
    }

    // MARK: Parts

    private func masterKey(of record: ColumnKeyRecord) throws(CloisterError) -> String {
        let held = Set(vault.masterKeys.map(\.name)).intersection(trusted)
        guard let value = record.values.first(where: { held.contains($0.masterKey) }) else {
            throw CloisterError(.untrustedColumnKey, "a column key is not under a trusted master key")
        }
        return value.masterKey
    }

    private static func mark(_ request: ColumnMarkRequest, _ records: [ColumnKeyRecord], _ origin: ColumnMarkMetadata.Origin)
        throws(CloisterError) -> ColumnMarkMetadata
    {
        guard let record = records.first(where: { $0.name == request.keyName }), let key = KeyID(rawValue: UInt32(bitPattern: record.id))
        else {
            throw CloisterError(
                .keyNotInDatabase, "column key \"\(request.keyName)\" does not exist", hint: "make it with CREATE COLUMN ENCRYPTION KEY")
        }
        // The counter is set when it is signed.
        return try ColumnMarkMetadata(
            schema: request.schema, table: request.table, column: request.column, type: request.type, scheme: request.scheme,
            collation: request.collation, key: key, keyName: request.keyName, origin: origin, counter: 1,
            enumeration: request.enumeration, domain: request.domain)
    }

    static func conflict(_ known: ColumnMarkMetadata, _ wanted: ColumnMarkMetadata, location: String = "") -> CloisterError {
        CloisterError(
            .markConflict, "\(known.path) is marked in the database as \(known.words), here as \(wanted.words)",
            hint: known.origin == .ddl
                ? "'cloister columns forget' drops the mark of a column that no longer exists"
                : "'cloister keys create-column \(known.keyName) --amend' signs the configuration's columns again", location: location)
    }
}
