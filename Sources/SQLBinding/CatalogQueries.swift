internal import ColumnCatalog
internal import Diagnostics

/// Queries of the server's own catalog: the extension has views in which encrypted columns have their logical types, with
/// the columns of the originals. In what only reads, their names take the originals' places.
extension Analyzer {
    /// The original (schema and name) and the view in schema `cloister`.
    private static let logicalViews: [QualifiedName: String] = [
        QualifiedName("pg_catalog", "pg_attribute"): "logical_pg_attribute",
        QualifiedName("information_schema", "columns"): "logical_columns",
        QualifiedName("information_schema", "attributes"): "logical_attributes",
        QualifiedName("information_schema", "column_udt_usage"): "logical_column_udt_usage",
    ]
    private static let logicalNames = Set(logicalViews.keys.map(\.name))
    /// A view has none of these.
    private static let systemColumns: Set<String> = ["tableoid", "ctid", "xmin", "xmax", "cmin", "cmax"]

    /// Adds the edits for one statement of the text.
    func showLogicalTypes(_ tag: String, _ body: Node) throws(Halt) {
        guard showsLogicalTypes, Self.isRead(tag, body) else { return }
        var relations: [Node] = []
        var references: [Node] = []
        var wholeRows: Set<String> = []
        var tables: Set<String> = []
        var isExcluded = false
        body.walk { node in
            if node.key == "RangeVar", Self.logicalNames.contains(node.string("relname") ?? "") { relations.append(node) }
            if node.key == "ColumnRef" {
                references.append(node)
                let names = node.names("fields")
                if names.count == 1 { wholeRows.insert(names[0]) }
            }
            if node.key == "FuncCall" {
                node.walk { argument in
                    let names = argument.key == "ColumnRef" ? argument.names("fields") : []
                    if names.count > 1, names.last == "*" { wholeRows.insert(names[names.count - 2]) }
                    return true
                }
            }
            if let name = node.string("ctename") { tables.insert(name) }
            // What is locked or written must be the table itself.
            if node.key == "lockingClause" || node.key == "intoClause" { isExcluded = true }
            return true
        }
        guard !relations.isEmpty, !isExcluded else { return }
        var shown: Set<QualifiedName> = []
        for relation in relations {
            guard let name = try systemView(relation, tables), let view = Self.logicalViews[name],
                catalog.relations[QualifiedName("cloister", view)] != nil,
                let start = token(at: relation.location)
            else { continue }
            let alias = relation["alias"]?.string("aliasname")
            guard !references.contains(where: { isSystemColumn($0, of: alias ?? name.name) }) else { continue }
            shown.insert(name)
            let whole = wholeRows.contains(alias ?? name.name)
            fixedEdits.append(replacement(at: start, by: view, alias: alias, name: name.name, isWholeRow: whole))
        }
        // `pg_catalog.pg_attribute.attname`: the view is known by its alias only.
        for reference in references {
            let names = reference.names("fields")
            guard names.count >= 3, shown.contains(QualifiedName(names[names.count - 3], names[names.count - 2])),
                let start = token(at: reference.location)
            else { continue }
            // The last token before the relation's name; names.count 4: with the database's.
            let end = start + 2 * (names.count - 2) - 1
            guard isSymbol(end, ".") else { continue }
            fixedEdits.append(.init(tokens: start...end, text: ""))
        }
    }

    /// `pg_attribute`, also as `ONLY (pg_attribute)`, `pg_attribute *` and behind TABLE, where an alias has its own place or none.
    private func replacement(at start: Int, by view: String, alias: String?, name: String, isWholeRow: Bool) -> Plan.Edit {
        var end = start
        while isSymbol(end + 1, "."), isIdentifier(end + 2) { end += 2 }
        let text = "cloister.\(view)"
        let isOnly = isWord(start - 1, "only") || isSymbol(start - 1, "(") && isWord(start - 2, "only")
        let isTable = isWord(start - 1, "table") || isWord(start - 1, "only") && isWord(start - 2, "table")
        if isTable || alias != nil && (isOnly || isSymbol(end + 1, "*")) { return .init(tokens: start...end, text: text) }
        let renamed = alias == nil ? " AS \(name)" : ""
        if isSymbol(end + 1, "*") { return .init(tokens: start...end + 1, text: text + renamed) }
        if isOnly, isSymbol(start - 1, "("), isSymbol(end + 1, ")") {
            return .init(tokens: start...end + 1, text: "\(text))\(renamed)")
        }
        if name == "pg_attribute", !isOnly, !isWholeRow, let query = attributesQuery {
            return .init(tokens: start...end, text: query + renamed)
        }
        return .init(tokens: start...end, text: text + renamed)
    }

    /// The view of pg_attribute as a subquery: pg_dump forbids itself views (restrict_nonsystem_relation_kind). Beyond the view
    /// it knows the limits of the configured columns (`varchar(40)`). nil if the server's view is not as expected.
    private var attributesQuery: String? {
        let columns = (catalog.relations[QualifiedName("cloister", "logical_pg_attribute")]?.columns ?? []).map(\.name)
        let isPlain: (String) -> Bool = { $0.utf8.allSatisfy { $0 >= 0x61 && $0 <= 0x7a } }
        guard columns.count > 20, columns.allSatisfy(isPlain), Set(Self.typeColumns.keys).isSubset(of: columns) else { return nil }
        let shown = columns.map { column -> String in
            guard let ofType = Self.typeColumns[column] else { return "a.\(column)" }
            let logical = "(cloister.logical_type(a.atttypid)).\(ofType)"
            if column == "atttypmod" {
                return
                    "CASE WHEN a.atttypid OPERATOR(pg_catalog.<) 16384 OR \(logical) IS NULL THEN a.atttypmod ELSE \(modifiers) END AS atttypmod"
            }
            return
                "CASE WHEN a.atttypid OPERATOR(pg_catalog.<) 16384 THEN a.\(column) ELSE COALESCE(\(logical), a.\(column)) END AS \(column)"
        }
        return "(SELECT \(shown.joined(separator: ", ")) FROM pg_catalog.pg_attribute a)"
    }

    /// Columns that are the type's; of atttypmod, what tells whether the type is one of cells.
    private static let typeColumns = [
        "atttypid": "oid", "attlen": "typlen", "attbyval": "typbyval", "attalign": "typalign", "attstorage": "typstorage",
        "attcollation": "typcollation", "atttypmod": "oid",
    ]

    /// An expression: the limit of the column `a`, -1 if it has none.
    private var modifiers: String {
        func literal(_ text: String) -> String? {
            text.contains("\\") ? nil : "'\(text.replacing("'", with: "''"))'"
        }
        func quoted(_ name: String) -> String { "\"\(name.replacing("\"", with: "\"\""))\"" }
        let known = catalog.marks.marks.filter { $0.modifier >= 0 }.compactMap { mark -> String? in
            guard let relation = literal("\(quoted(mark.schema)).\(quoted(mark.table))"), let column = literal(mark.column) else {
                return nil
            }
            return "(\(relation), \(column), \(mark.modifier))"
        }
        guard !known.isEmpty else { return "-1" }
        return "COALESCE((SELECT m.m FROM (VALUES \(known.joined(separator: ", "))) m(r, c, m) "
            + "WHERE a.attname OPERATOR(pg_catalog.=) m.c::pg_catalog.name "
            + "AND a.attrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(m.r)::pg_catalog.oid), -1)"
    }

    private static func isRead(_ tag: String, _ body: Node) -> Bool {
        switch tag {
        case "SelectStmt": true
        case "ExplainStmt", "DeclareCursorStmt", "PrepareStmt", "CopyStmt": body["query"]?.tagged.tag == "SelectStmt"
        default: false
        }
    }

    /// The system view that a FROM entry names; nil if it names something else, a CTE or a relation that comes earlier in the path.
    private func systemView(_ rangeVar: Node, _ tables: Set<String>) throws(Halt) -> QualifiedName? {
        let name = rangeVar.string("relname") ?? ""
        if let schema = rangeVar.string("schemaname") { return QualifiedName(schema, name) }
        guard !tables.contains(name) else { return nil }
        let others = catalog.schemasByName[name] ?? []
        if name == "pg_attribute", others.isEmpty { return QualifiedName("pg_catalog", name) }
        guard let path = context.searchPath else { throw Halt.needsSearchPath }
        let candidates = Set(others).union(Self.logicalViews.keys.lazy.filter { $0.name == name }.map(\.schema))
        return path.first { candidates.contains($0) }.map { QualifiedName($0, name) }
    }

    private func isSystemColumn(_ reference: Node, of relation: String) -> Bool {
        let names = reference.names("fields")
        guard let column = names.last, Self.systemColumns.contains(column) else { return false }
        return names.count == 1 || names[names.count - 2] == relation
    }
}
