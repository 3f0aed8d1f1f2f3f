internal import CellFormat
internal import Configuration
internal import Foundation

/// The files of a stack that others read: `cloister.yaml` for the proxy, `env` for shells.
enum DevConfig {
    static func render(
        columns: [ColumnDeclaration], limits: LimitsConfiguration, catalog: CatalogConfiguration = CatalogConfiguration(),
        sessions: SessionPolicy = SessionPolicy(), types: [TypeName: UserType] = [:], state: DevState, folder: DevFolder
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
        ]
        if !types.isEmpty { lines += ["types:"] + self.types(types) }
        lines.append(columns.isEmpty ? "columns: {}" : "columns:")
        var table: String?
        for column in columns {
            let name = "\(sqlName(column.schema)).\(sqlName(column.table))"
            if name != table {
                lines.append("  \(yamlQuoted(name)):")
                table = name
            }
            let collation = column.collation == .c ? "" : ", collation: \(column.collation.name)"
            let type = yamlQuoted((column.enumeration ?? column.domain).map(typeName) ?? "\(column.declaredType)")
            lines.append(
                "    \(yamlQuoted(sqlName(column.column))): { type: \(type), encryption: \(column.scheme.rawValue), key: \"\(column.keyName)\"\(collation) }"
            )
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Domains stand behind those that they are over.
    private static func types(_ types: [TypeName: UserType]) -> [String] {
        func depth(_ type: UserType?) -> Int {
            guard case .domain(let domain)? = type, let parent = domain.parent else { return 0 }
            return 1 + depth(types[parent])
        }
        return types.sorted { (depth($0.value), "\($0.key)") < (depth($1.value), "\($1.key)") }.map { name, type in
            var members = ["kind: enum"]
            if case .domain(let domain) = type {
                members = ["kind: domain", "base: \(yamlQuoted(domain.parent.map(typeName) ?? "\(domain.base)"))"]
                if domain.isNotNull { members.append("not_null: true") }
                if !domain.checks.isEmpty { members.append("check: [\(domain.checks.map(yamlQuoted).joined(separator: ", "))]") }
                if let value = domain.defaultValue { members.append("default: \(yamlQuoted(value))") }
            }
            return "  \(yamlQuoted(typeName(name))): { \(members.joined(separator: ", ")) }"
        }
    }

    private static func typeName(_ name: TypeName) -> String { "\(sqlName(name.schema)).\(sqlName(name.name))" }

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
