internal import CellFormat
internal import Diagnostics
internal import Yams

/// What `type` and `collation` of a column may be.
extension ConfigurationReader {
    /// `int4`, `varchar(40)`, `timestamp(3) with time zone`.
    mutating func readType(_ node: Node, _ what: String) -> DeclaredType? {
        guard let text = yaml.text(node, what) else { return nil }
        let types = LogicalType.supported
        do throws(DeclaredType.Problem) {
            let type = try DeclaredType(sql: text)
            if types.contains(type.logical) { return type }
        } catch {
            if case .wrongArguments(let expected) = error {
                yaml.note(
                    .configurationWrongValue, "\(what): expected \(expected) for this type",
                    hint: "types are written as in SQL: varchar(40)", at: node.mark)
                return nil
            }
        }
        _ = yaml.word(node, what, among: types.map { ($0.name, $0) }, aliases: Self.typeAliases)
        return nil
    }

    mutating func readCollation(_ node: Node, _ what: String, _ type: LogicalType?, _ scheme: EncryptionScheme?) -> Collation? {
        guard
            let collation = yaml.value(
                node, what, expected: "C, or an ICU locale such as de, und-u-ks-level2 (no case), und-u-ks-level1 (no case, no accents)",
                Collation.init(name:))
        else { return nil }
        if let type, !type.isText {
            yaml.note(.configurationWrongValue, "\(what): only text, varchar and bpchar have a collation", at: node.mark)
        } else if scheme == .deterministic, collation != .c {
            yaml.note(
                .configurationWrongValue, "\(what): a deterministic column is compared by its cells' bytes, so it can't have one",
                hint: "use encryption: randomized, or leave collation out", at: node.mark)
        }
        return collation
    }

    /// Cells of one key and type meet each other (joins, set operations): they must all compare alike.
    mutating func checkCollation(_ column: ColumnDeclaration, among columns: [ColumnDeclaration], at mark: Mark?) {
        guard column.type.isText, column.scheme == .randomized,
            let other = columns.first(where: { $0.keyName == column.keyName && $0.type == column.type && $0.scheme == column.scheme }),
            other.collation != column.collation
        else { return }
        yaml.note(
            .configurationWrongValue,
            "columns: \(column.path) has collation \(column.collation.name), but \(other.path), which has the same key and type, has "
                + other.collation.name,
            hint: "all \(column.type.name) columns of one key have one collation: use another key", at: mark)
    }
}
