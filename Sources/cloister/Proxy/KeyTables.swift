internal import AdminConnection
internal import CellCrypto
internal import Diagnostics
internal import KeyStore

extension ErrorCode {
    /// The database has no extension `cloister`, or this role may not read its tables.
    static let extensionMissing = ErrorCode("CL1050", sqlState: "58000")
    /// A key that the configuration names is not in the database.
    static let keyNotInDatabase = ErrorCode("CL1051", sqlState: "42704")
    /// The key's signed metadata does not list a column that the configuration puts under it.
    static let columnNotUnderKey = ErrorCode("CL1052", sqlState: "28000")
    /// The proxy's address is taken or not this host's.
    static let cannotListen = ErrorCode("CL1054", sqlState: "58000")
    /// The enclave could not be reached through the server.
    static let enclaveUnreachable = ErrorCode("CL1053", sqlState: "58000")
}

/// The tables of schema `cloister`: what anyone may read, and a key administrator writes. Rows are untrusted.
enum KeyTables {
    /// Throws `extensionMissing` if the tables are not there.
    static func check(_ connection: AdminConnection) throws {
        let found = try connection.query("SELECT FROM pg_catalog.pg_extension WHERE extname = 'cloister'").rows
        guard found.count == 1 else {
            throw CloisterError(
                .extensionMissing, "the database has no extension 'cloister'", hint: "run CREATE EXTENSION cloister in it as superuser")
        }
    }

    static func columnKeys(_ connection: AdminConnection) throws -> [ColumnKeyRecord] {
        let keys = try connection.query("SELECT id, name, metadata FROM cloister.column_keys ORDER BY id")
        let values = try connection.query(
            "SELECT key_id, master_key, wrapped, signature FROM cloister.column_key_values ORDER BY key_id, master_key")
        var byKey: [Int32: [ColumnKeyRecord.Value]] = [:]
        for row in values.rows.indices {
            guard let id = values.rows[row][0].flatMap({ Int32($0) }), let master = values.rows[row][1],
                let wrapped = values.bytes(row: row, column: 2), let signature = values.bytes(row: row, column: 3)
            else { continue }
            byKey[id, default: []].append(.init(masterKey: master, wrapped: wrapped, signature: signature))
        }
        return keys.rows.indices.compactMap { row in
            guard let id = keys.rows[row][0].flatMap({ Int32($0) }), let name = keys.rows[row][1],
                let metadata = keys.bytes(row: row, column: 2)
            else { return nil }
            return ColumnKeyRecord(id: id, name: name, metadata: metadata, values: byKey[id] ?? [])
        }
    }

    /// Writes a key and the description of its master keys, replacing a key of the same id, in one transaction.
    static func write(_ record: ColumnKeyRecord, masterKeys: [MasterKeyDescription], _ connection: AdminConnection) throws {
        try connection.query("BEGIN")
        do {
            try writeRows(record, masterKeys: masterKeys, connection)
            try connection.query("COMMIT")
        } catch {
            _ = try? connection.query("ROLLBACK")
            throw error
        }
    }

    /// `write` within the caller's transaction.
    static func writeRows(_ record: ColumnKeyRecord, masterKeys: [MasterKeyDescription], _ connection: AdminConnection) throws {
        for value in record.values { try describe(value.masterKey, masterKeys, connection) }
        try connection.query(
            "INSERT INTO cloister.column_keys (id, name, metadata) VALUES ($1::int4, $2, $3::bytea) "
                + "ON CONFLICT (id) DO UPDATE SET metadata = excluded.metadata",
            [.integer(Int64(record.id)), .text(record.name), .bytes(record.metadata)])
        try connection.query("DELETE FROM cloister.column_key_values WHERE key_id = $1::int4", [.integer(Int64(record.id))])
        for value in record.values {
            try connection.query(
                "INSERT INTO cloister.column_key_values (key_id, master_key, wrapped, signature) VALUES ($1::int4, $2, $3::bytea, $4::bytea)",
                [.integer(Int64(record.id)), .text(value.masterKey), .bytes(value.wrapped), .bytes(value.signature)])
        }
    }

    /// The row of a master key: how to know it again.
    static func describe(_ name: String, _ masterKeys: [MasterKeyDescription], _ connection: AdminConnection) throws {
        guard let master = masterKeys.first(where: { $0.name == name }) else { return }
        try connection.query(
            "INSERT INTO cloister.master_keys (name, provider, public_key) VALUES ($1, $2, $3::bytea) "
                + "ON CONFLICT (name) DO UPDATE SET provider = excluded.provider, public_key = excluded.public_key",
            [.text(master.name), .text(master.provider), .bytes(master.publicKey.bytes)])
    }
}
