internal import CellFormat
internal import ColumnCatalog

/// One column of a query's result, or of a relation in FROM.
struct OutputColumn {
    var name: String
    var variable: TypeVariable
}

/// The columns of a query's result, in order.
struct Output {
    var columns: [OutputColumn] = []
    /// There are more, at unknown places: a `*` over a relation whose columns we don't know. They are plain.
    var isOpaque = false

    var secretLabel: String? { columns.lazy.compactMap(\.variable.secretLabel).first }
}

/// One name in FROM (PostgreSQL's ParseNamespaceItem).
struct NamespaceItem {
    var name: String
    /// The schema, if the relation has no alias: `schema.table.column` finds it.
    var schema: String?
    var columns: [OutputColumn]
    /// It has columns that we don't know (a function, a system catalog); they are plain.
    var isOpaque = false
    /// `name.column` finds it.
    var isRelationVisible = true
    /// `column` finds its columns.
    var areColumnsVisible = true
}

/// The names that one query level's expressions see, and the levels around it.
final class ColumnScope {
    let parent: ColumnScope?
    var items: [NamespaceItem]

    init(parent: ColumnScope?, items: [NamespaceItem] = []) {
        self.parent = parent
        self.items = items
    }
}

/// A common table expression; `output` is nil while it must not be referred to.
struct CommonTable {
    var output: Output?
}

final class TableScope {
    let parent: TableScope?
    var tables: [String: CommonTable] = [:]

    init(parent: TableScope?) { self.parent = parent }

    func find(_ name: String) -> CommonTable? {
        var scope: TableScope? = self
        while let level = scope {
            if let found = level.tables[name] { return found }
            scope = level.parent
        }
        return nil
    }
}

/// What a query sees of what is around it.
struct Environment {
    var columns: ColumnScope?
    var tables: TableScope?
}

extension Analyzer {
    private static let systemColumns: Set<String> = ["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"]

    /// A ColumnRef's meaning.
    func column(_ body: Node, _ environment: Environment) throws(Halt) -> TypeVariable {
        try only(body, ["fields", "location"])
        var fields = body.names("fields")
        guard let last = fields.popLast(), !last.isEmpty, !fields.contains("") else { throw unknown("ColumnRef", body) }
        if last == "*" {
            guard let item = try qualifier(fields, environment, body) else { throw unknown("* here", body) }
            return wholeRow(item)
        }
        if !fields.isEmpty {
            guard let item = try qualifier(fields, environment, body) else {
                throw .refuse(.unknownRelation, "there is no \"\(fields.joined(separator: "."))\" in this query's FROM", at: body)
            }
            let found = item.columns.filter { $0.name == last }
            if found.count == 1 { return found[0].variable }
            if found.count > 1 { throw ambiguous(last, body) }
            if item.isOpaque || Self.systemColumns.contains(last) { return plain }
            return try unknownColumn(last, body)
        }
        var sawOpaque = false
        var scope = environment.columns
        while let level = scope {
            let found = level.items.lazy.filter(\.areColumnsVisible).flatMap { $0.columns.filter { $0.name == last } }
            if let first = found.first {
                guard found.count > 1 else { return first.variable }
                guard found.allSatisfy({ $0.variable.isPlain }) else { throw ambiguous(last, body) }
                return plain
            }
            if level.items.contains(where: { $0.areColumnsVisible && $0.isOpaque }) { sawOpaque = true }
            if let item = level.items.first(where: { $0.isRelationVisible && $0.name == last }) { return wholeRow(item) }
            scope = level.parent
        }
        if sawOpaque || Self.systemColumns.contains(last) { return plain }
        return try unknownColumn(last, body)
    }

    /// Whether the innermost level has a column of this name (GROUP BY prefers it to an alias).
    func hasLocalColumn(_ name: String, _ environment: Environment) -> Bool {
        environment.columns?.items.contains { $0.areColumnsVisible && $0.columns.contains { $0.name == name } } ?? false
    }

    /// The FROM item that `t` or `schema.t` means.
    func qualifier(_ fields: [String], _ environment: Environment, _ body: Node) throws(Halt) -> NamespaceItem? {
        guard let name = fields.last, fields.count <= 3 else { return nil }
        let schema = fields.count > 1 ? fields[fields.count - 2] : nil
        var scope = environment.columns
        while let level = scope {
            let found = level.items.filter { $0.isRelationVisible && $0.name == name && (schema == nil || $0.schema == schema) }
            if found.count > 1 {
                throw .refuse(.ambiguousColumn, "\"\(name)\" is in this query's FROM twice", hint: "give them aliases", at: body)
            }
            if let item = found.first { return item }
            scope = level.parent
        }
        return nil
    }

    private func wholeRow(_ item: NamespaceItem) -> TypeVariable {
        if let label = item.columns.lazy.compactMap(\.variable.secretLabel).first { return TypeVariable(.encryptedRow(label: label)) }
        for column in item.columns { column.variable.settlePlain() }
        return plain
    }

    private func ambiguous(_ name: String, _ body: Node) -> Halt {
        .refuse(
            .ambiguousColumn, "column \"\(name)\" is in more than one relation here", hint: "write the relation's name before it", at: body)
    }

    private func unknownColumn(_ name: String, _ body: Node) throws(Halt) -> TypeVariable {
        guard context.catalogIsCurrent else { throw Halt.needsCatalog }
        throw .refuse(.unknownColumn, "column \"\(name)\" does not exist in this query's relations", at: body)
    }

    /// A base relation as a FROM item.
    func item(_ relation: CatalogRelation, alias: Node?, schema: String?) -> NamespaceItem {
        let columns = relation.columns.map { column in
            OutputColumn(
                name: column.name,
                variable: column.encryption.map {
                    let variable = TypeVariable(.encrypted($0, label: "\(relation.name).\(column.name)"), modifier: column.modifier)
                    variable.log = log
                    return variable
                } ?? plain)
        }
        return renamed(
            NamespaceItem(name: relation.name.name, schema: schema, columns: columns, isOpaque: !relation.isComplete), alias)
    }

    /// Applies `AS alias (c1, c2, …)`.
    func renamed(_ item: NamespaceItem, _ alias: Node?) -> NamespaceItem {
        guard let alias else { return item }
        var item = item
        item.name = alias.string("aliasname") ?? item.name
        item.schema = nil
        for (index, name) in alias.names("colnames").enumerated() {
            if index < item.columns.count {
                item.columns[index].name = name
            } else if item.isOpaque {
                item.columns.append(OutputColumn(name: name, variable: plain))
            }
        }
        return item
    }
}
