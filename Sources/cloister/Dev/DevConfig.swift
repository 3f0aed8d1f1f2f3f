internal import CellFormat
internal import Configuration
internal import Foundation

/// The files of a stack that others read: `cloister.yaml` for the proxy, `env` for shells.
enum DevConfig {
    static func render(
        columns: [ColumnDeclaration], limits: LimitsConfiguration, catalog: CatalogConfiguration = CatalogConfiguration(),
        sessions: SessionPolicy = SessionPolicy(), state: DevState, folder: DevFolder
    ) -> String {
        var lines = [
            "# Written by 'cloister dev up'; changes are lost. Mark columns in the file that you give it.",
            "proxy:",
            "  listen: 127.0.0.1:\(state.port)",
            "  server: 127.0.0.1:\(state.directPort)",
            "  admin: { user: \(DevFolder.proxyRole), password_file: proxy-password, database: \(DevFolder.database) }",
            "keys: { vault: keys.sqlite, passphrase_file: passphrase, trusted_master_keys: [\(DevFolder.masterKey)], ddl: true }",
            "enclave:",
            "  measurements: [\(state.measurement.map { "\"\($0)\"" } ?? "")]",
            "  minimum_version: 1",
            "  allow: [\((state.memory ?? .memfdSecret).rawValue)]",
            "  roots: [platform/tee-root.pem]",
            "  sessions: \(sessions.grantedOnly ? "granted" : "open")",
            "  maintenance: \(sessions.allowsMaintenance)",
        ]
        if sessions.comparisonsPerSession > 0 { lines.append("  comparisons_per_session: \(sessions.comparisonsPerSession)") }
        lines += [
            "limits:",
            "  connections: \(limits.connections)",
            "  message_bytes: \(limits.messageBytes)",
            "  startup_seconds: \(limits.startupSeconds)",
            "  plan_cache: \(limits.planCache)",
            "catalog: { logical_types: \(catalog.logicalTypes) }",
            columns.isEmpty ? "columns: {}" : "columns:",
        ]
        var table: String?
        for column in columns {
            let name = "\(sqlName(column.schema)).\(sqlName(column.table))"
            if name != table {
                lines.append("  \(yamlQuoted(name)):")
                table = name
            }
            let collation = column.collation == .c ? "" : ", collation: \(column.collation.name)"
            lines.append(
                "    \(yamlQuoted(sqlName(column.column))): { type: '\(column.declaredType)', encryption: \(column.scheme.rawValue), key: \"\(column.keyName)\"\(collation) }"
            )
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func sqlName(_ name: String) -> String {
        (try? #/[a-z_][a-z0-9_]*/#.wholeMatch(in: name)) != nil ? name : "\"\(name.replacing("\"", with: "\"\""))\""
    }

    private static func yamlQuoted(_ name: String) -> String { "'\(name.replacing("'", with: "''"))'" }

    /// The variables of issue 2, part 8.
    static func environment(_ state: DevState) -> String {
        let variables = [
            ("PGHOST", "127.0.0.1"), ("PGPORT", String(state.port)), ("PGUSER", DevFolder.user),
            ("PGPASSWORD", state.passwords[DevFolder.user] ?? ""), ("PGDATABASE", DevFolder.database),
            ("CLOISTER_DIRECT_PORT", String(state.directPort)), ("CLOISTER_SUPERUSER", DevFolder.superuser),
            ("CLOISTER_SUPERUSER_PASSWORD", state.passwords[DevFolder.superuser] ?? ""),
        ]
        return variables.map { "export \($0.0)='\($0.1)'\n" }.joined()
    }
}
