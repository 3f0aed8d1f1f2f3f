internal import CellFormat
internal import ColumnCatalog
internal import Diagnostics

extension Analyzer {
    /// The scope of a FROM list. `environment.columns` is what is around the query.
    func from(_ list: [Node], _ environment: Environment) throws(Halt) -> ColumnScope {
        let scope = ColumnScope(parent: environment.columns)
        for node in list { scope.items += try fromItem(node, environment, siblings: scope.items) }
        return scope
    }

    /// The namespace items of one FROM entry. `siblings`: what LATERAL sees.
    func fromItem(_ node: Node, _ environment: Environment, siblings: [NamespaceItem]) throws(Halt) -> [NamespaceItem] {
        try deeper(node) { () throws(Halt) -> [NamespaceItem] in
            let (tag, body) = node.tagged
            switch tag {
            case "RangeVar": return [try rangeVar(body, environment)]
            case "RangeSubselect":
                try only(body, ["lateral", "subquery", "alias"])
                guard let subquery = body["subquery"] else { throw unknown(tag, body) }
                let output = try query(subquery, body.flag("lateral") ? lateral(environment, siblings) : environment)
                return [renamed(NamespaceItem(name: "", columns: output.columns, isOpaque: output.isOpaque), body["alias"])]
            case "RangeFunction": return [try rangeFunction(body, lateral(environment, siblings))]
            case "RangeTableSample":
                try only(body, ["relation", "method", "args", "repeatable", "location"])
                guard let relation = body["relation"] else { throw unknown(tag, body) }
                try plainOnly(body.list("args") + [body["repeatable"]].compactMap(\.self), "TABLESAMPLE", environment, body)
                return try fromItem(relation, environment, siblings: siblings)
            case "JoinExpr": return try join(body, environment, siblings)
            default: throw unknown(tag, body)
            }
        }
    }

    private func lateral(_ environment: Environment, _ siblings: [NamespaceItem]) -> Environment {
        Environment(columns: ColumnScope(parent: environment.columns, items: siblings), tables: environment.tables)
    }

    private static let rangeVarMembers: Set<String> = [
        "catalogname", "schemaname", "relname", "inh", "relpersistence", "alias", "location",
    ]

    private func rangeVar(_ body: Node, _ environment: Environment) throws(Halt) -> NamespaceItem {
        try only(body, Self.rangeVarMembers)
        let name = body.string("relname") ?? ""
        if !body.has("schemaname"), let table = environment.tables?.find(name) {
            guard let output = table.output else { throw unknown("a forward reference in WITH RECURSIVE", body) }
            return renamed(NamespaceItem(name: name, columns: output.columns, isOpaque: output.isOpaque), body["alias"])
        }
        return try target(body, isFrom: true)
    }

    /// A base relation, in FROM or as the target of a modification.
    func target(_ body: Node, isFrom: Bool = false) throws(Halt) -> NamespaceItem {
        try only(body, Self.rangeVarMembers)
        let name = body.string("relname") ?? ""
        switch try relation(body) {
        case .known(let relation):
            guard relation.isComplete || context.catalogIsCurrent else { throw Halt.needsCatalog }
            if !relation.isComplete, body["alias"]?.has("colnames") == true {
                throw .refuse(.unknownRelation, "the server does not know the table \(relation.name)", at: body)
            }
            return item(relation, alias: body["alias"], schema: relation.name.schema)
        case .system:
            return renamed(
                NamespaceItem(name: name, schema: body.string("schemaname") ?? "pg_catalog", columns: [], isOpaque: true), body["alias"])
        case .unknown:
            guard context.catalogIsCurrent else { throw Halt.needsCatalog }
            throw .refuse(.unknownRelation, "relation \"\(name)\" does not exist", at: body)
        }
    }

    private func rangeFunction(_ body: Node, _ environment: Environment) throws(Halt) -> NamespaceItem {
        try only(body, ["lateral", "ordinality", "is_rowsfrom", "functions", "alias", "coldeflist"])
        var names = body.list("coldeflist").compactMap { $0.tagged.body.string("colname") }
        for function in body.list("functions") {
            let parts = function.tagged.body.list("items")
            guard function.tagged.tag == "List", let call = parts.first else { throw unknown("RangeFunction", body) }
            let value = try expression(call, environment)
            try value.requirePlain("a function in FROM", at: body)
            for definition in parts.dropFirst() where definition.tagged.tag == "List" {
                names += definition.tagged.body.list("items").compactMap { $0.tagged.body.string("colname") }
            }
        }
        let name = body.list("functions").first.flatMap { $0.tagged.body.list("items").first }.map(Self.figureName) ?? ""
        let item = NamespaceItem(name: name, columns: names.map { OutputColumn(name: $0, variable: plain) }, isOpaque: true)
        return renamed(item, body["alias"])
    }

    // MARK: JOIN

    private func join(_ body: Node, _ environment: Environment, _ siblings: [NamespaceItem]) throws(Halt) -> [NamespaceItem] {
        try only(body, ["jointype", "isNatural", "larg", "rarg", "usingClause", "join_using_alias", "quals", "alias", "rtindex"])
        guard let larg = body["larg"], let rarg = body["rarg"] else { throw unknown("JOIN", body) }
        let left = try fromItem(larg, environment, siblings: siblings)
        let right = try fromItem(rarg, environment, siblings: siblings + left)
        let leftColumns = left.filter(\.areColumnsVisible).flatMap(\.columns)
        let rightColumns = right.filter(\.areColumnsVisible).flatMap(\.columns)
        let isOpaque = (left + right).contains { $0.areColumnsVisible && $0.isOpaque }

        var using = body.names("usingClause")
        if body.flag("isNatural") {
            if isOpaque, let label = (leftColumns + rightColumns).lazy.compactMap(\.variable.secretLabel).first {
                throw .refuse(
                    .operationRefused, "NATURAL JOIN with a relation whose columns are not known, and the encrypted column \(label)",
                    hint: Refused.naturalJoin.instead, at: larg.tagged.body)
            }
            using = leftColumns.map(\.name).filter { name in rightColumns.contains { $0.name == name } }
        }
        var merged: [OutputColumn] = []
        for name in using {
            let a = leftColumns.filter { $0.name == name }
            let b = rightColumns.filter { $0.name == name }
            guard a.count <= 1, b.count <= 1, a.count == 1 || isOpaque, b.count == 1 || isOpaque else {
                guard context.catalogIsCurrent || a.count > 1 || b.count > 1 else { throw Halt.needsCatalog }
                throw .refuse(.unknownColumn, "column \"\(name)\" in USING is not in both relations once", at: larg.tagged.body)
            }
            let variable = TypeVariable.undecided
            for side in [a.first?.variable ?? plain, b.first?.variable ?? plain] {
                try variable.accept(side, operation: "JOIN USING", at: larg.tagged.body)
            }
            merged.append(OutputColumn(name: name, variable: variable))
        }
        if let condition = body["quals"] {
            try self.condition(
                condition, Environment(columns: ColumnScope(parent: environment.columns, items: left + right), tables: environment.tables))
        }
        let rest = (leftColumns + rightColumns).filter { column in !using.contains(column.name) }
        var joined = NamespaceItem(name: "", columns: merged + rest, isOpaque: isOpaque, isRelationVisible: false)
        var items: [NamespaceItem] = []
        if let alias = body["alias"] {
            joined = renamed(joined, alias)
            joined.isRelationVisible = true
        } else {
            for var item in left + right {
                item.areColumnsVisible = false
                items.append(item)
            }
        }
        if let alias = body["join_using_alias"] {
            items.append(renamed(NamespaceItem(name: "", columns: merged, areColumnsVisible: false), alias))
        }
        return items + [joined]
    }
}
