internal import CellFormat
internal import Diagnostics
internal import Foundation
internal import Yams

extension Configuration {
    /// Reads the file at `path`. Throws `ConfigurationErrors` with every mistake.
    package init(contentsOf path: String) throws {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ConfigurationErrors(problems: [
                CloisterError(
                    .configurationUnreadable, "the configuration file cannot be read", hint: "does it exist, and may this user read it?",
                    location: path)
            ])
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw ConfigurationErrors(problems: [
                CloisterError(.configurationUnreadable, "the configuration file is not UTF-8", location: path)
            ])
        }
        try self.init(yaml: text, file: path)
    }

    /// Reads a file's text; `file` is named in errors, and relative paths start at its folder.
    package init(yaml: String, file: String) throws {
        let root: Node?
        do {
            root = try Yams.compose(yaml: yaml)
        } catch let error as YamlError {
            throw ConfigurationErrors(problems: [Self.syntaxError(error, file: file)])
        }
        var reader = ConfigurationReader(yaml: YAMLReader(file: file))
        guard let root else {
            throw ConfigurationErrors(problems: [
                CloisterError(.configurationMissing, "the file is empty: section 'columns' is missing", location: file)
            ])
        }
        let configuration = reader.read(root)
        let problems = reader.yaml.sortedProblems
        guard problems.isEmpty, let configuration else { throw ConfigurationErrors(problems: problems) }
        self = configuration
    }

    /// Yams' errors quote the file's lines; ours carry the place and the parser's word only.
    private static func syntaxError(_ error: YamlError, file: String) -> CloisterError {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            CloisterError(.configurationNotYAML, "not valid YAML: \(problem)", location: "\(file):\(mark.line):\(mark.column)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            CloisterError(
                .configurationUnknownKey,
                "key\(duplicates.count == 1 ? "" : "s") \(duplicates.map { "'\($0)'" }.joined(separator: ", ")) "
                    + "occur\(duplicates.count == 1 ? "s" : "") twice in one mapping",
                location: "\(file):\(context.mark.line):\(context.mark.column)")
        case .reader(let problem, _, _, _):
            CloisterError(.configurationNotYAML, "not valid YAML: \(problem)", location: file)
        case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
            CloisterError(.configurationNotYAML, "not valid YAML", location: file)
        }
    }
}

/// The format of the file: which sections and keys there are, and what each means.
struct ConfigurationReader {
    var yaml: YAMLReader

    /// Names of types elsewhere.
    static let typeAliases = ["double": "float8", "string": "text", "datetime": "timestamp", "tinyint": "int2", "number": "numeric"]

    private var folder: URL { URL(filePath: yaml.file).deletingLastPathComponent() }

    mutating func read(_ root: Node) -> Configuration? {
        let sections = ["proxy", "keys", "enclave"]
        guard let top = yaml.section(root, "the file", required: ["columns"], optional: sections + ["limits", "catalog", "types"]) else {
            return nil
        }
        let present = sections.filter { top[$0] != nil }
        let isPolicyOnly = present == ["enclave"] && top["enclave"].map { isPolicy($0.value) } ?? false
        if !present.isEmpty, !isPolicyOnly {
            for missing in sections where top[missing] == nil {
                yaml.note(
                    .configurationMissing, "the file: section '\(missing)' is missing",
                    hint: "proxy, keys and enclave come together; a file of columns only is for 'cloister dev'", at: root.mark)
            }
        }
        let proxy = top["proxy"].flatMap { readProxy($0.value) }
        let keys = top["keys"].flatMap { readKeys($0.value) }
        let enclave = isPolicyOnly ? nil : top["enclave"].flatMap { readEnclave($0.value) }
        let sessions = top["enclave"].map { readSessions($0.value) } ?? SessionPolicy()
        let limits = top["limits"].map { readLimits($0.value) } ?? LimitsConfiguration()
        let catalog = top["catalog"].map { readCatalog($0.value) } ?? CatalogConfiguration()
        let types = top["types"].map { readUserTypes($0.value) } ?? [:]
        let columns = top["columns"].map { readColumns($0.value, types) } ?? []
        var service: ServiceConfiguration?
        if let proxy, let keys, let enclave {
            service = ServiceConfiguration(
                listen: proxy.listen, server: proxy.server, tls: proxy.tls, serverTLS: proxy.serverTLS, admin: proxy.admin,
                vault: keys.vault, passphraseFile: keys.passphraseFile, trustedMasterKeys: keys.trusted,
                allowsKeyStatements: keys.ddl, enclave: enclave)
        }
        return Configuration(
            file: yaml.file, service: service, columns: columns, limits: limits, catalog: catalog, sessions: sessions, types: types)
    }

    private func absolute(_ path: String) -> String {
        URL(filePath: path, relativeTo: folder).standardizedFileURL.path(percentEncoded: false)
    }

    mutating func path(_ node: Node?, _ what: String) -> String? {
        node.flatMap { yaml.text($0, what) }.map(absolute)
    }

    private mutating func address(_ entry: YAMLReader.Entry?, _ what: String) -> NetworkAddress? {
        guard let entry else { return nil }
        return yaml.value(
            entry.value, what, expected: "host:port with a port from 1 to 65535 (an IPv6 host in brackets), or /folder/.s.PGSQL.PORT",
            NetworkAddress.init)
    }

    private struct Proxy {
        var listen: NetworkAddress
        var server: NetworkAddress
        var tls: ListenerTLS
        var serverTLS: ServerTLS
        var admin: AdminConfiguration
    }

    private mutating func readProxy(_ node: Node) -> Proxy? {
        guard let section = yaml.section(node, "proxy", required: ["listen", "server"], optional: ["tls", "server_tls", "admin"]) else {
            return nil
        }
        let listen = address(section["listen"], "proxy.listen")
        let server = address(section["server"], "proxy.server")
        let tls = section["tls"].map { readListenerTLS($0, listen: listen) } ?? ListenerTLS()
        var serverTLS = section["server_tls"].map { readServerTLS($0, server: server) } ?? ServerTLS()
        if server?.isSocket == true { serverTLS.mode = .disable }
        var admin = AdminConfiguration()
        if let entry = section["admin"],
            let keys = yaml.section(entry.value, "proxy.admin", required: [], optional: ["user", "password_file", "database"])
        {
            admin.user = keys["user"].flatMap { yaml.text($0.value, "proxy.admin.user") }
            admin.passwordFile = path(keys["password_file"]?.value, "proxy.admin.password_file")
            admin.database = keys["database"].flatMap { yaml.text($0.value, "proxy.admin.database") }
        }
        guard let listen, let server else { return nil }
        return Proxy(listen: listen, server: server, tls: tls, serverTLS: serverTLS, admin: admin)
    }

    private mutating func readKeys(_ node: Node) -> (vault: String, passphraseFile: String?, trusted: [String], ddl: Bool)? {
        guard let section = yaml.section(node, "keys", required: ["vault", "trusted_master_keys"], optional: ["passphrase_file", "ddl"])
        else {
            return nil
        }
        let vault = path(section["vault"]?.value, "keys.vault")
        let passphraseFile = path(section["passphrase_file"]?.value, "keys.passphrase_file")
        let trusted = section["trusted_master_keys"].flatMap {
            yaml.list($0.value, "keys.trusted_master_keys", atLeast: 1) { $0.value($1, $2, expected: KeyName.rule, KeyName.parse) }
        }
        let ddl = section["ddl"].flatMap { yaml.boolean($0.value, "keys.ddl") } ?? false
        guard let vault, let trusted else { return nil }
        return (vault, passphraseFile, trusted, ddl)
    }

    private mutating func readEnclave(_ node: Node) -> EnclaveConfiguration? {
        guard
            let section = yaml.section(
                node, "enclave", required: ["measurements"], optional: ["minimum_version", "allow", "roots"] + Self.sessionKeys)
        else { return nil }
        let measurements = section["measurements"].flatMap {
            yaml.list($0.value, "enclave.measurements") {
                $0.value($1, $2, expected: "sha384: and 96 hexadecimal digits", Measurement.parse)
            }
        }
        let version = section["minimum_version"].flatMap {
            yaml.integer($0.value, "enclave.minimum_version", in: 0...Int(UInt32.max))
        }
        let words = ProtectedMemory.allCases.map { ($0.rawValue, $0) }
        let allow = section["allow"].flatMap { yaml.list($0.value, "enclave.allow", atLeast: 1) { $0.word($1, $2, among: words) } }
        let roots = section["roots"].flatMap { yaml.list($0.value, "enclave.roots", atLeast: 1) { $0.text($1, $2) } }
        guard let measurements else { return nil }
        return EnclaveConfiguration(
            measurements: measurements.compactMap(\.bytes), placeholders: measurements.count { $0.bytes == nil },
            minimumVersion: UInt32(version ?? 1), allow: allow ?? [.memfdSecret], roots: (roots ?? ["tee-root.pem"]).map(absolute))
    }

    private static let sessionKeys = ["sessions", "maintenance", "comparisons_per_session"]

    /// Whether an `enclave` section says only which sessions are served: that much may stand in a file of columns.
    private func isPolicy(_ node: Node) -> Bool {
        guard let mapping = node.mapping, !mapping.isEmpty else { return false }
        return mapping.keys.allSatisfy { Self.sessionKeys.contains($0.string ?? "") }
    }

    private mutating func readSessions(_ node: Node) -> SessionPolicy {
        var policy = SessionPolicy()
        // What else is in the section is `readEnclave`'s to judge.
        guard let mapping = node.mapping else { return policy }
        for (key, value) in mapping {
            switch key.string {
            case "sessions":
                let granted = yaml.word(value, "enclave.sessions", among: [("open", false), ("granted", true)])
                policy.grantedOnly = granted ?? policy.grantedOnly
            case "maintenance": policy.allowsMaintenance = yaml.boolean(value, "enclave.maintenance") ?? policy.allowsMaintenance
            case "comparisons_per_session":
                policy.comparisonsPerSession = UInt64(yaml.integer(value, "enclave.comparisons_per_session", in: 1...Int.max) ?? 0)
            default: break
            }
        }
        return policy
    }

    private mutating func readLimits(_ node: Node) -> LimitsConfiguration {
        var limits = LimitsConfiguration()
        let known = LimitsConfiguration.keys
        guard let section = yaml.section(node, "limits", required: [], optional: known.map(\.name)) else { return limits }
        for key in known {
            guard let entry = section[key.name] else { continue }
            if let number = yaml.integer(entry.value, "limits.\(key.name)", in: key.range) { limits[keyPath: key.path] = number }
        }
        return limits
    }

    private mutating func readCatalog(_ node: Node) -> CatalogConfiguration {
        var catalog = CatalogConfiguration()
        guard let section = yaml.section(node, "catalog", required: [], optional: ["logical_types"]) else { return catalog }
        if let value = section["logical_types"].flatMap({ yaml.boolean($0.value, "catalog.logical_types") }) {
            catalog.logicalTypes = value
        }
        return catalog
    }

    private mutating func readColumns(_ node: Node, _ types: [TypeName: UserType]) -> [ColumnDeclaration] {
        var columns: [ColumnDeclaration] = []
        for table in yaml.entries(node, "columns") ?? [] {
            let names: [String]
            do {
                names = try SQLName.parse(table.key, parts: 2)
            } catch {
                yaml.note(
                    .configurationWrongValue, "columns: " + error.problem.sentence(expected: "schema.table"),
                    hint: error.problem == .wrongPartCount(1) ? "write the schema too: public.\(table.key)" : "", at: table.keyMark)
                continue
            }
            guard !ColumnPath.isReserved(schema: names[0]) else {
                yaml.note(.configurationWrongValue, "columns: schema '\(names[0])' is not for user tables", at: table.keyMark)
                continue
            }
            if columns.contains(where: { $0.schema == names[0] && $0.table == names[1] }) {
                yaml.note(.configurationUnknownKey, "columns: table '\(names[0]).\(names[1])' occurs twice", at: table.keyMark)
            }
            let what = "columns.\(table.key)"
            let entries = yaml.entries(table.value, what) ?? []
            if entries.isEmpty, table.value.mapping?.isEmpty == true {
                yaml.note(.configurationMissing, "\(what): no column is named", at: table.value.mark)
            }
            for entry in entries {
                guard let column = readColumn(entry, schema: names[0], table: names[1], what, types) else { continue }
                if columns.contains(where: { $0.path == column.path }) {
                    yaml.note(.configurationUnknownKey, "\(what): column '\(column.column)' occurs twice", at: entry.keyMark)
                }
                checkCollation(column, among: columns, at: entry.keyMark)
                checkEnumeration(column, among: columns, at: entry.keyMark)
                columns.append(column)
            }
        }
        return columns
    }

    private mutating func readColumn(
        _ entry: YAMLReader.Entry, schema: String, table: String, _ parent: String, _ types: [TypeName: UserType]
    ) -> ColumnDeclaration? {
        let what = "\(parent).\(entry.key)"
        var name: String?
        do {
            name = try SQLName.parse(entry.key, parts: 1)[0]
        } catch {
            yaml.note(.configurationWrongValue, "\(parent): " + error.problem.sentence(expected: "a column's name"), at: entry.keyMark)
        }
        guard let section = yaml.section(entry.value, what, required: ["type", "encryption", "key"], optional: ["collation"]) else {
            return nil
        }
        let read = section["type"].flatMap { readColumnType($0.value, "\(what).type", types) }
        let type = read?.type
        let schemes = EncryptionScheme.allCases.map { ($0.rawValue, $0) }
        let scheme = section["encryption"].flatMap { yaml.word($0.value, "\(what).encryption", among: schemes) }
        let key = section["key"].flatMap { yaml.value($0.value, "\(what).key", expected: KeyName.rule, KeyName.parse) }
        let collation = section["collation"].flatMap { readCollation($0.value, "\(what).collation", type?.logical, scheme) }
        if read?.enumeration != nil, let collation = section["collation"] {
            yaml.note(.configurationWrongValue, "\(what).collation: an enum has no collation", at: collation.keyMark)
        }
        guard let name, let type, let scheme, let key else { return nil }
        return ColumnDeclaration(
            schema: schema, table: table, column: name, type: type.logical, modifier: type.modifier, scheme: scheme,
            collation: collation ?? .c, keyName: key, enumeration: read?.enumeration, domain: read?.domain,
            location: yaml.location(entry.keyMark))
    }
}

/// Names of master keys and column keys: they stand in messages and commands, so they are plain.
enum KeyName {
    static let rule = "a key's name: 1 to 63 letters, digits, '_', '-' or '.', first a letter or digit"
    static func parse(_ text: String) -> String? {
        guard (try? #/[A-Za-z0-9][A-Za-z0-9_.-]{0,62}/#.wholeMatch(in: text)) != nil else { return nil }
        return text
    }
}

/// `sha384:` and 96 hexadecimal digits, or `sha384:…`, the examples' placeholder.
struct Measurement: Hashable {
    let bytes: [UInt8]?

    static func parse(_ text: String) -> Self? {
        guard text.hasPrefix("sha384:") else { return nil }
        let digits = Array(text.dropFirst(7).utf8)
        if text.hasSuffix(":…") { return Self(bytes: nil) }
        guard digits.count == 96 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: 96, by: 2) {
            guard let high = nibble(digits[index]), let low = nibble(digits[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return Self(bytes: bytes)
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
