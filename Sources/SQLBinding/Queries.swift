internal import CellFormat
internal import ColumnCatalog
internal import Diagnostics

extension Analyzer {
    /// A query in a place where a Node can be any of them (CTE, subquery, EXPLAIN, …).
    func query(_ node: Node, _ environment: Environment) throws(Halt) -> Output {
        let (tag, body) = node.tagged
        switch tag {
        case "SelectStmt": return try select(body, environment)
        case "InsertStmt": return try insert(body, environment)
        case "UpdateStmt": return try update(body, environment)
        case "DeleteStmt": return try delete(body, environment)
        case "MergeStmt": return try merge(body, environment)
        default: throw unknown(tag, body)
        }
    }

    // MARK: WITH

    /// The environment inside a statement that has (or has not) a WITH clause.
    func with(_ clause: Node?, _ environment: Environment) throws(Halt) -> Environment {
        guard let clause else { return environment }
        try only(clause, ["ctes", "recursive", "location"])
        let scope = TableScope(parent: environment.tables)
        let inner = Environment(columns: environment.columns, tables: scope)
        let isRecursive = clause.flag("recursive")
        let tables = clause.list("ctes")
        // In WITH RECURSIVE every name is visible to all; a reference to one not yet analysed is refused, not resolved elsewhere.
        if isRecursive { for table in tables { scope.tables[table.tagged.body.string("ctename") ?? ""] = CommonTable(output: nil) } }
        for table in tables {
            let (tag, body) = table.tagged
            guard tag == "CommonTableExpr", let name = body.string("ctename"), let definition = body["ctequery"] else {
                throw unknown(tag, body)
            }
            try only(body, ["ctename", "aliascolnames", "ctematerialized", "ctequery", "location"])
            let aliases = body.names("aliascolnames")
            var output: Output
            if isRecursive, definition.tagged.tag == "SelectStmt", let left = definition.tagged.body["larg"],
                mentions(definition, table: name)
            {
                output = try recursive(definition.tagged.body, left, name: name, aliases: aliases, scope: scope, environment: inner)
            } else {
                output = try query(definition, inner)
                rename(&output, aliases)
            }
            scope.tables[name] = CommonTable(output: output)
        }
        return inner
    }

    /// `initial UNION [ALL] step`, where step refers to the table itself.
    private func recursive(_ body: Node, _ left: Node, name: String, aliases: [String], scope: TableScope, environment: Environment)
        throws(Halt) -> Output
    {
        guard body.string("op") == "SETOP_UNION", let right = body["rarg"] else { throw unknown("recursive WITH", body) }
        try only(body, ["op", "all", "larg", "rarg", "withClause", "limitOption"])
        guard !body.has("withClause") else { throw unknown("recursive WITH", body) }
        let initial = try select(left, environment)
        guard !initial.isOpaque else { throw unknown("recursive WITH over unknown columns", body) }
        var output = Output(columns: [])
        for column in initial.columns {
            let variable = TypeVariable.undecided
            try variable.accept(column.variable, operation: "UNION", at: body)
            output.columns.append(OutputColumn(name: column.name, variable: variable))
        }
        rename(&output, aliases)
        scope.tables[name] = CommonTable(output: output)
        let step = try select(right, environment)
        guard !step.isOpaque, step.columns.count == output.columns.count else { throw unknown("recursive WITH over unknown columns", body) }
        for (a, b) in zip(output.columns, step.columns) { try a.variable.accept(b.variable, operation: "UNION", at: body) }
        return output
    }

    private func mentions(_ node: Node, table name: String) -> Bool {
        var found = false
        node.walk { child in
            if child.string("relname") == name, !child.has("schemaname") { found = true }
            return !found
        }
        return found
    }

    func rename(_ output: inout Output, _ names: [String]) {
        for (index, name) in names.enumerated() where index < output.columns.count { output.columns[index].name = name }
    }

    // MARK: SELECT

    private static let selectMembers: Set<String> = [
        "distinctClause", "intoClause", "targetList", "fromClause", "whereClause", "groupClause", "groupDistinct", "havingClause",
        "windowClause",
        "valuesLists", "sortClause", "limitOffset", "limitCount", "limitOption", "lockingClause", "withClause", "op", "all", "larg", "rarg",
    ]

    func select(_ body: Node, _ environment: Environment) throws(Halt) -> Output {
        try deeper(body) { () throws(Halt) -> Output in
            try only(body, Self.selectMembers)
            var environment = try with(body["withClause"], environment)
            let output: Output
            if let left = body["larg"], let right = body["rarg"] {
                output = try setOperation(body, left, right, environment)
                try sort(body.list("sortClause"), output, environment, isSetOperation: true)
            } else if body.has("valuesLists") {
                output = try values(body, environment)
                try sort(body.list("sortClause"), output, environment, isSetOperation: true)
            } else {
                environment.columns = try from(body.list("fromClause"), environment)
                if let condition = body["whereClause"] { try self.condition(condition, environment) }
                output = try targets(body.list("targetList"), environment)
                for window in body.list("windowClause") { try windowDefinition(window.tagged.body, environment) }
                try group(body, output, environment)
                if let condition = body["havingClause"] { try self.condition(condition, environment) }
                try sort(body.list("sortClause"), output, environment, isSetOperation: false)
                try distinct(body, output, environment)
            }
            if let into = body["intoClause"] { try checkNewRelation(into["rel"], at: body) }
            for limit in ["limitOffset", "limitCount"] {
                if let count = body[limit] { try expression(count, environment).requirePlain("LIMIT or OFFSET", at: body) }
            }
            return output
        }
    }

    private func setOperation(_ body: Node, _ left: Node, _ right: Node, _ environment: Environment) throws(Halt) -> Output {
        let name =
            switch body.string("op") ?? "" {
            case "SETOP_UNION": "UNION"
            case "SETOP_INTERSECT": "INTERSECT"
            case "SETOP_EXCEPT": "EXCEPT"
            default: "a set operation"
            }
        let a = try select(left, environment)
        let b = try select(right, environment)
        guard !a.isOpaque, !b.isOpaque, a.columns.count == b.columns.count else {
            if let label = a.secretLabel ?? b.secretLabel {
                throw .refuse(
                    .operationRefused, "\(name) of columns that are not known one by one, with the encrypted column \(label)",
                    hint: Refused.starWithUnknownColumns.instead, at: body)
            }
            for column in a.columns + b.columns { column.variable.settlePlain() }
            return Output(columns: a.columns.map { OutputColumn(name: $0.name, variable: plain) }, isOpaque: a.isOpaque || b.isOpaque)
        }
        var output = Output()
        for (x, y) in zip(a.columns, b.columns) {
            let variable = TypeVariable.undecided
            try variable.accept(x.variable, operation: name, at: body)
            try variable.accept(y.variable, operation: name, at: body)
            output.columns.append(OutputColumn(name: x.name, variable: variable))
        }
        return output
    }

    private func values(_ body: Node, _ environment: Environment) throws(Halt) -> Output {
        var output = Output()
        for (number, row) in body.list("valuesLists").enumerated() {
            for (index, item) in row.tagged.body.list("items").enumerated() {
                if number == 0 { output.columns.append(OutputColumn(name: "column\(index + 1)", variable: .undecided)) }
                guard index < output.columns.count else { throw unknown("VALUES lists of different lengths", body) }
                if item.tagged.tag == "SetToDefault" { throw unknown("DEFAULT here", item.tagged.body) }
                let before = leaves.count
                try output.columns[index].variable.accept(try listed(item, environment), operation: "VALUES", at: body)
                if leaves.count == before + 1 { leaves[before].isOwn = true }
            }
        }
        return output
    }

    // MARK: Target list

    /// A SELECT or RETURNING list.
    func targets(_ list: [Node], _ environment: Environment) throws(Halt) -> Output {
        var output = Output()
        for target in list {
            let (tag, body) = target.tagged
            guard tag == "ResTarget", let value = body["val"] else { throw unknown(tag, body) }
            try only(body, ["name", "val", "location"])
            let (valueTag, reference) = value.tagged
            if valueTag == "ColumnRef", reference.names("fields").last == "*" {
                try expand(reference, environment, into: &output)
                continue
            }
            let variable = try listed(value, environment)
            if case .encryptedRow(let label) = variable.state {
                throw .refuse(
                    .operationRefused, "a whole row of \(label), which has encrypted columns, as one value",
                    hint: Refused.wholeRow.instead, at: body)
            }
            output.columns.append(OutputColumn(name: body.string("name") ?? Self.figureName(value), variable: variable))
        }
        return output
    }

    /// A member of a SELECT or VALUES list. A bare NULL there gets a type of its own (text), unlike one in an expression.
    private func listed(_ node: Node, _ environment: Environment) throws(Halt) -> TypeVariable {
        let variable = try expression(node, environment)
        let (tag, body) = node.tagged
        if tag == "A_Const", body.flag("isnull"), let index = token(at: body.location), isWord(index, "null") {
            leaves.append(Leaf(source: .null, tokens: index...index, variable: variable))
        }
        return variable
    }

    private func expand(_ reference: Node, _ environment: Environment, into output: inout Output) throws(Halt) {
        let qualifierNames = Array(reference.names("fields").dropLast())
        let items: [NamespaceItem]
        if qualifierNames.isEmpty {
            items = environment.columns?.items.filter(\.areColumnsVisible) ?? []
        } else {
            guard let item = try qualifier(qualifierNames, environment, reference) else {
                throw .refuse(
                    .unknownRelation, "there is no \"\(qualifierNames.joined(separator: "."))\" in this query's FROM", at: reference)
            }
            items = [item]
        }
        for item in items {
            output.columns.append(contentsOf: item.columns)
            if item.isOpaque { output.isOpaque = true }
        }
    }

    /// The name PostgreSQL gives to an output column without AS (FigureColname).
    static func figureName(_ node: Node) -> String { strength(node).name ?? "?column?" }

    private static func strength(_ node: Node) -> (name: String?, weight: Int) {
        let (tag, body) = node.tagged
        switch tag {
        case "ColumnRef": return (body.names("fields").last { $0 != "*" }, 2)
        case "A_Indirection":
            if let name = body.names("indirection").last(where: { !$0.isEmpty && $0 != "*" }) { return (name, 2) }
            return body["arg"].map(strength) ?? (nil, 0)
        case "FuncCall": return (body.names("funcname").last, 2)
        case "A_Expr": return body.string("kind") == "AEXPR_NULLIF" ? ("nullif", 2) : (nil, 0)
        case "TypeCast":
            if let inner = body["arg"].map(strength), inner.weight >= 2 || inner.name != nil && body["typeName"] == nil { return inner }
            return (body["typeName"]?.names("names").last, 1)
        case "CollateClause": return body["arg"].map(strength) ?? (nil, 0)
        case "GroupingFunc": return ("grouping", 2)
        case "SubLink":
            switch body.string("subLinkType") ?? "" {
            case "EXISTS_SUBLINK": return ("exists", 2)
            case "ARRAY_SUBLINK": return ("array", 2)
            case "EXPR_SUBLINK":
                guard let first = body["subselect"]?.tagged.body.list("targetList").first?.tagged.body else { return (nil, 0) }
                if let name = first.string("name") { return (name, 2) }
                return first["val"].map(strength) ?? (nil, 0)
            default: return (nil, 0)
            }
        case "CaseExpr":
            if let inner = body["defresult"].map(strength), inner.weight >= 2 { return inner }
            return ("case", 1)
        case "A_ArrayExpr": return ("array", 2)
        case "RowExpr": return ("row", 2)
        case "CoalesceExpr": return ("coalesce", 2)
        case "MinMaxExpr": return (body.string("op") == "IS_LEAST" ? "least" : "greatest", 2)
        default: return (nil, 0)
        }
    }

    // MARK: ORDER BY, GROUP BY, DISTINCT

    private enum Clause { case order, group }

    /// The variables an ORDER BY, GROUP BY or DISTINCT ON item stands for.
    private func key(_ node: Node, _ clause: Clause, _ output: Output, _ environment: Environment) throws(Halt) -> [TypeVariable] {
        let (tag, body) = node.tagged
        if tag == "ColumnRef" {
            let names = body.names("fields")
            if names.count == 1, !(clause == .group && hasLocalColumn(names[0], environment)) {
                let found = output.columns.filter { $0.name == names[0] }
                if !found.isEmpty { return found.map(\.variable) }
            }
        }
        if tag == "A_Const", body.has("ival"), let index = token(at: body.location), tokens[index].kind == .integer {
            pin(index)
            guard let ordinal = Int(String(decoding: text[tokens[index].range], as: UTF8.self)) else { return [] }
            if output.isOpaque {
                if let label = output.secretLabel {
                    throw .refuse(
                        .operationRefused, "an ordinal over columns that are not known one by one, with the encrypted column \(label)",
                        hint: Refused.ordinalOverStar.instead, at: body)
                }
                return output.columns.map(\.variable)
            }
            // Out of range: the server says so.
            return ordinal >= 1 && ordinal <= output.columns.count ? [output.columns[ordinal - 1].variable] : []
        }
        return [try expression(node, environment)]
    }

    private func sort(_ clause: [Node], _ output: Output, _ environment: Environment, isSetOperation: Bool) throws(Halt) {
        for item in clause {
            let (tag, body) = item.tagged
            guard tag == "SortBy", let node = body["node"] else { throw unknown(tag, body) }
            try only(body, ["node", "sortby_dir", "sortby_nulls", "useOp", "location"])
            if isSetOperation, node.tagged.tag == "ColumnRef", let name = node.tagged.body.names("fields").last,
                !output.columns.contains(where: { $0.name == name })
            {
                continue  // the server says that there is no such column
            }
            for variable in try key(node, .order, output, environment) {
                if body.string("sortby_dir") == "SORTBY_USING" { try variable.requirePlain("ORDER BY … USING", at: node.tagged.body) }
                try variable.order("ORDER BY", at: node.tagged.body)
            }
        }
    }

    private func group(_ body: Node, _ output: Output, _ environment: Environment) throws(Halt) {
        for item in body.list("groupClause") { try groupItem(item, output, environment) }
    }

    private func groupItem(_ item: Node, _ output: Output, _ environment: Environment) throws(Halt) {
        let (tag, body) = item.tagged
        if tag == "GroupingSet" {
            try only(body, ["kind", "content", "location"])
            for inner in body.list("content") { try groupItem(inner, output, environment) }
        } else if tag == "RowExpr" {
            // (a, b) in a grouping set
            for inner in body.list("args") { try groupItem(inner, output, environment) }
        } else if !tag.isEmpty {
            for variable in try key(item, .group, output, environment) { try variable.equate("GROUP BY", at: body) }
        }
    }

    private func distinct(_ body: Node, _ output: Output, _ environment: Environment) throws(Halt) {
        let keys = body.list("distinctClause")
        if !keys.isEmpty, keys.allSatisfy(\.tagged.tag.isEmpty) {
            for column in output.columns { try column.variable.equate("DISTINCT", at: body) }
        }
        for item in keys where !item.tagged.tag.isEmpty {
            for variable in try key(item, .order, output, environment) { try variable.equate("DISTINCT ON", at: item.tagged.body) }
        }
    }
}
