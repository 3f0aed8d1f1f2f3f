internal import AdminConnection
internal import CellFormat
internal import Diagnostics
internal import KeyStore

/// The tables `cloister.columns` and `cloister.column_manifests`. Rows are untrusted until `SignedColumns.verify`.
enum MarkTables {
    /// Told when the marks change.
    static let channel = "cloister_marks"

    /// False in a database whose extension is older than the tables.
    static func arePresent(_ connection: AdminConnection) throws -> Bool {
        try connection.query("SELECT pg_catalog.to_regclass('cloister.column_manifests') IS NOT NULL").rows.first?.first == "t"
    }

    static func read(_ connection: AdminConnection) throws -> SignedColumns {
        guard try arePresent(connection) else { return SignedColumns() }
        // One statement: one snapshot of both tables.
        let answer = try connection.query(
            "SELECT 'm', metadata, master_key, signature FROM cloister.column_manifests "
                + "UNION ALL SELECT 'c', metadata, master_key, signature FROM cloister.columns")
        var signed = SignedColumns()
        for row in answer.rows.indices {
            guard let metadata = answer.bytes(row: row, column: 1), let masterKey = answer.rows[row][2],
                let signature = answer.bytes(row: row, column: 3)
            else { throw CloisterError(.malformedColumnMark, "a row of the database's marks is malformed") }
            let read = SignedColumns.Row(metadata: metadata, masterKey: masterKey, signature: signature)
            if answer.rows[row][0] == "c" { signed.columns.append(read) } else { signed.manifests.append(read) }
        }
        return signed
    }

    /// Others wait until the transaction ends.
    static func lock(_ connection: AdminConnection) throws {
        try connection.query("LOCK TABLE cloister.column_manifests IN EXCLUSIVE MODE")
    }

    /// Writes what differs, within the caller's transaction and lock.
    static func write(_ new: SignedColumns, replacing old: SignedColumns, _ connection: AdminConnection) throws {
        let keptColumns = Set(old.columns).intersection(new.columns)
        for row in old.columns where !keptColumns.contains(row) {
            let path = try ColumnMarkMetadata(json: row.metadata).path
            try connection.query(
                "DELETE FROM cloister.columns WHERE path = $1 AND master_key = $2", [.text(path), .text(row.masterKey)])
        }
        for row in new.columns where !keptColumns.contains(row) {
            let path = try ColumnMarkMetadata(json: row.metadata).path
            try connection.query(
                "INSERT INTO cloister.columns (path, metadata, master_key, signature) VALUES ($1, $2::bytea, $3, $4::bytea)",
                [.text(path), .bytes(row.metadata), .text(row.masterKey), .bytes(row.signature)])
        }
        let keptManifests = Set(old.manifests).intersection(new.manifests)
        for row in new.manifests where !keptManifests.contains(row) {
            try connection.query("DELETE FROM cloister.column_manifests WHERE master_key = $1", [.text(row.masterKey)])
            try connection.query(
                "INSERT INTO cloister.column_manifests (metadata, master_key, signature) VALUES ($1::bytea, $2, $3::bytea)",
                [.bytes(row.metadata), .text(row.masterKey), .bytes(row.signature)])
        }
        try connection.query("SELECT pg_catalog.pg_notify($1, '')", [.text(channel)])
    }
}
