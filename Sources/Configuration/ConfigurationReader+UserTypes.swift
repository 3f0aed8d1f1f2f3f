internal import CellFormat
internal import Diagnostics
internal import Yams

/// Section `types`: the domains and enumerations that marked columns are declared with.
extension ConfigurationReader {
    mutating func readUserTypes(_ node: Node) -> [TypeName: UserType] {
        var types: [TypeName: UserType] = [:]
        // A domain may be over one that stands before it.
        for entry in yaml.entries(node, "types") ?? [] {
            let names: [String]
            do {
                names = try SQLName.parse(entry.key, parts: 2)
            } catch {
                yaml.note(
                    .configurationWrongValue, "types: " + error.problem.sentence(expected: "schema.type"),
                    hint: error.problem == .wrongPartCount(1) ? "write the schema too: public.\(entry.key)" : "", at: entry.keyMark)
                continue
            }
            let name = TypeName(names[0], names[1])
            guard !ColumnPath.isReserved(schema: name.schema) else {
                yaml.note(.configurationWrongValue, "types: schema '\(name.schema)' is not for users' types", at: entry.keyMark)
                continue
            }
            guard types[name] == nil else {
                yaml.note(.configurationUnknownKey, "types: type '\(name)' occurs twice", at: entry.keyMark)
                continue
            }
            if let type = readUserType(entry, types) { types[name] = type }
        }
        return types
    }

    private mutating func readUserType(_ entry: YAMLReader.Entry, _ known: [TypeName: UserType]) -> UserType? {
        let what = "types.\(entry.key)"
        guard
            let section = yaml.section(
                entry.value, what, required: ["kind"], optional: ["base", "not_null", "check", "default"])
        else { return nil }
        let kinds = [("enum", false), ("domain", true)]
        guard let isDomain = section["kind"].flatMap({ yaml.word($0.value, "\(what).kind", among: kinds) }) else { return nil }
        guard isDomain else {
            for key in ["base", "not_null", "check", "default"] {
                guard let found = section[key] else { continue }
                yaml.note(.configurationUnknownKey, "\(what): an enum has no '\(key)'", at: found.keyMark)
            }
            return .enumeration
        }
        guard let base = section["base"] else {
            yaml.note(.configurationMissing, "\(what): key 'base' is missing", at: entry.value.mark)
            return nil
        }
        guard var domain = readBase(base.value, "\(what).base", known) else { return nil }
        if let flag = section["not_null"], let value = yaml.boolean(flag.value, "\(what).not_null") { domain.isNotNull = value }
        if let check = section["check"] {
            if check.value.sequence != nil {
                domain.checks =
                    yaml.list(check.value, "\(what).check", atLeast: 1) { yaml, node, name in yaml.text(node, name) } ?? []
            } else if let text = yaml.text(check.value, "\(what).check") {
                domain.checks = [text]
            }
        }
        if let value = section["default"] { domain.defaultValue = yaml.text(value.value, "\(what).default") }
        return .domain(domain)
    }

    private mutating func readBase(_ node: Node, _ what: String, _ known: [TypeName: UserType]) -> UserType.Domain? {
        guard let name = userTypeName(node) else { return readType(node, what).map { UserType.Domain(base: $0) } }
        switch known[name] {
        case .domain(let parent): return UserType.Domain(base: parent.base, parent: name)
        case .enumeration:
            yaml.note(.configurationWrongValue, "\(what): a domain over an enum is not supported", at: node.mark)
        case nil:
            yaml.note(
                .configurationWrongValue, "\(what): no type '\(name)' stands before it in section 'types'", at: node.mark)
        }
        return nil
    }

    /// `schema.name`; nil if it is spelled otherwise.
    func userTypeName(_ node: Node) -> TypeName? {
        guard let text = node.scalar?.string, text.contains("."), let names = try? SQLName.parse(text, parts: 2) else { return nil }
        return TypeName(names[0], names[1])
    }

    /// What a column's `type` means: one of PostgreSQL's, or one of section `types`.
    mutating func readColumnType(_ node: Node, _ what: String, _ types: [TypeName: UserType]) -> ColumnType? {
        guard let name = userTypeName(node) else {
            if let text = node.scalar?.string, text.hasSuffix("]") {
                yaml.note(
                    .configurationWrongValue, "\(what): arrays are not encrypted",
                    hint: "keep the elements in a table of their own, one a row; or the whole as jsonb, which is stored only", at: node.mark
                )
                return nil
            }
            return readType(node, what).map { ColumnType(type: $0) }
        }
        switch types[name] {
        case .enumeration: return ColumnType(type: DeclaredType(.text), enumeration: name)
        case .domain(let domain): return ColumnType(type: domain.base, domain: name)
        case nil:
            yaml.note(
                .configurationWrongValue, "\(what): section 'types' has no '\(name)'",
                hint: "say there what it is: \(name): { kind: enum }, or { kind: domain, base: text, check: … }", at: node.mark)
            return nil
        }
    }

    struct ColumnType {
        var type: DeclaredType
        var enumeration: TypeName?
        var domain: TypeName?
    }

    /// Views know a column by its key and type: these must tell whether it is an enumeration.
    mutating func checkEnumeration(_ column: ColumnDeclaration, among columns: [ColumnDeclaration], at mark: Mark?) {
        guard
            let other = columns.first(where: {
                $0.keyName == column.keyName && $0.type == column.type && $0.scheme == column.scheme && $0.enumeration != column.enumeration
            })
        else { return }
        yaml.note(
            .configurationWrongValue,
            "columns: \(column.path) is not of the same enumeration as \(other.path), which is text under the same key",
            hint: "all text columns of one key are of one enumeration or of none: use another key", at: mark)
    }
}
