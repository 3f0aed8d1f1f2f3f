internal import CellFormat
internal import ColumnCatalog
internal import Diagnostics

extension Analyzer {
    /// A column that is written: what goes in is stored.
    private func stored(_ column: OutputColumn?) -> TypeVariable {
        guard let column, let (type, label) = column.variable.encryption else { return plain }
        let variable = TypeVariable(.encrypted(type, label: label), modifier: column.variable.modifier)
        variable.markStored(modifier: column.variable.modifier)
        return variable
    }

    /// The target's column; unknown ones are plain if the target has columns that we don't know.
    private func writable(_ name: String, of item: NamespaceItem, at body: Node) throws(Halt) -> OutputColumn? {
        if let column = item.columns.first(where: { $0.name == name }) { return column }
        if item.isOpaque { return nil }
        guard context.catalogIsCurrent else { throw Halt.needsCatalog }
        throw .refuse(.unknownColumn, "column \"\(name)\" of \"\(item.name)\" does not exist", at: body)
    }

    private func assign(_ value: TypeVariable, to column: OutputColumn?, named name: String, at body: Node) throws(Halt) {
        let target = stored(column)
        if let (_, label) = target.encryption {
            let limit = target.modifier
            if value.encryption != nil, limit >= 0 || limit == TypeVariable.mixed, value.modifier != limit {
                throw .refuse(
                    .encryptionMismatch,
                    "an assignment to \(label), whose length or precision differs from that of the encrypted values assigned",
                    hint:
                        Refused.otherLimit.instead,
                    at: body)
            }
            try target.accept(value, operation: "an assignment", at: body)
        } else {
            try value.requirePlain(
                "assignment to the plain column \"\(name)\"", hint: Refused.plainFromEncrypted.instead, at: body
            )
        }
    }

    private func assign(_ node: Node, to column: OutputColumn?, named name: String, _ environment: Environment) throws(Halt) {
        if node.tagged.tag == "SetToDefault" { return }
        try assign(try expression(node, environment), to: column, named: name, at: node.tagged.body)
    }

    /// Where the value at `index` goes. One too many goes nowhere: the server would tell it in its message.
    private func place(_ index: Int, of columns: [(name: String, column: OutputColumn?)]) throws(Halt) -> (
        name: String, column: OutputColumn?
    ) {
        guard index < columns.count else {
            throw .refused(CloisterError(.syntaxError, "INSERT has more expressions than target columns"), at: nil)
        }
        return columns[index]
    }

    private func returning(_ body: Node, _ scope: ColumnScope, _ environment: Environment) throws(Halt) -> Output {
        try targets(body.list("returningList"), Environment(columns: scope, tables: environment.tables))
    }

    // MARK: INSERT

    func insert(_ body: Node, _ environment: Environment) throws(Halt) -> Output {
        try only(body, ["relation", "cols", "selectStmt", "onConflictClause", "returningList", "withClause", "override"])
        guard let relation = body["relation"] else { throw unknown("InsertStmt", body) }
        let environment = try with(body["withClause"], environment)
        let item = try target(relation)
        let columns = try insertColumns(body.list("cols"), item, relation, environment)
        if let source = body["selectStmt"] { try insertSource(source, columns, item, environment) }
        let scope = ColumnScope(parent: nil, items: [item])
        if let conflict = body["onConflictClause"] { try onConflict(conflict, item, environment) }
        return try returning(body, scope, environment)
    }

    /// The columns values go to, in order; nil for one that is plain and not known.
    private func insertColumns(_ list: [Node], _ item: NamespaceItem, _ relation: Node, _ environment: Environment) throws(Halt) -> [(
        name: String, column: OutputColumn?
    )] {
        guard !list.isEmpty else {
            guard !item.isOpaque else {
                guard context.catalogIsCurrent else { throw Halt.needsCatalog }
                throw .refuse(.unknownRelation, "the server does not know the table \"\(item.name)\"", at: relation)
            }
            return item.columns.map { ($0.name, $0) }
        }
        var columns: [(name: String, column: OutputColumn?)] = []
        for target in list {
            let (_, body) = target.tagged
            try only(body, ["name", "indirection", "location"])
            let name = body.string("name") ?? ""
            let column = try writable(name, of: item, at: body)
            if body.has("indirection") {
                try column?.variable.requirePlain("assignment to a part", at: body)
                try indirection(body.list("indirection"), environment)
            }
            columns.append((name, column))
        }
        return columns
    }

    private func insertSource(
        _ source: Node, _ columns: [(name: String, column: OutputColumn?)], _ item: NamespaceItem, _ environment: Environment
    ) throws(Halt) {
        let (tag, select) = source.tagged
        guard tag == "SelectStmt" else { throw unknown(tag, select) }
        if select.has("valuesLists"), !select.has("sortClause"), !select.has("limitCount"), !select.has("limitOffset") {
            try only(select, ["valuesLists", "op", "limitOption", "withClause"])
            let inner = try with(select["withClause"], environment)
            for row in select.list("valuesLists") {
                for (index, value) in row.tagged.body.list("items").enumerated() {
                    let target = try place(index, of: columns)
                    let before = leaves.count
                    try assign(value, to: target.column, named: target.name, inner)
                    if leaves.count == before + 1 { leaves[before].isOwn = true }
                }
            }
            return
        }
        let output = try self.select(select, environment)
        if output.isOpaque {
            if let label = output.secretLabel ?? columns.lazy.compactMap({ $0.column?.variable.secretLabel }).first {
                throw .refuse(
                    .operationRefused, "INSERT … SELECT of columns that are not known one by one, with the encrypted column \(label)",
                    hint: Refused.starWithUnknownColumns.instead,
                    at: select)
            }
            return
        }
        for (index, value) in output.columns.enumerated() {
            let target = try place(index, of: columns)
            try assign(value.variable, to: target.column, named: target.name, at: select)
        }
    }

    private func onConflict(_ body: Node, _ item: NamespaceItem, _ environment: Environment) throws(Halt) {
        try only(body, ["action", "infer", "targetList", "whereClause", "location"])
        let alone = Environment(columns: ColumnScope(parent: nil, items: [item]), tables: environment.tables)
        if let infer = body["infer"] {
            try only(infer, ["indexElems", "whereClause", "conname", "location"])
            for element in infer.list("indexElems") {
                let (_, index) = element.tagged
                try only(index, ["name", "expr", "collation", "opclass", "ordering", "nulls_ordering"])
                if let name = index.string("name") {
                    let column = try writable(name, of: item, at: infer)
                    if index.has("collation") || index.has("opclass") {
                        try column?.variable.requirePlain("a collation or operator class", at: infer)
                    }
                } else if let expression = index["expr"] {
                    try self.expression(expression, alone).requirePlain("an index expression", at: infer)
                }
            }
            // The predicate must be the same as a partial index's: its constants are stored cells there, each different.
            if let predicate = infer["whereClause"] {
                let before = leaves.count
                try condition(predicate, alone)
                for leaf in leaves[before...] { leaf.variable.settlePlain() }
                if let leaf = leaves[before...].first(where: { $0.variable.encryption != nil }) {
                    throw .refused(
                        CloisterError(
                            .operationRefused,
                            "an ON CONFLICT predicate with a constant for the encrypted column \(leaf.variable.secretLabel ?? "")",
                            hint: Refused.conflictPredicate.instead),
                        at: tokens[leaf.tokens.lowerBound].start)
                }
            }
        }
        let excluded = NamespaceItem(name: "excluded", columns: item.columns, isOpaque: item.isOpaque, areColumnsVisible: false)
        let both = Environment(columns: ColumnScope(parent: nil, items: [item, excluded]), tables: environment.tables)
        try assignments(body.list("targetList"), item, both)
        if let condition = body["whereClause"] { try self.condition(condition, both) }
    }

    // MARK: UPDATE, DELETE

    func update(_ body: Node, _ environment: Environment) throws(Halt) -> Output {
        try only(body, ["relation", "targetList", "whereClause", "fromClause", "returningList", "withClause"])
        guard let relation = body["relation"] else { throw unknown("UpdateStmt", body) }
        let environment = try with(body["withClause"], environment)
        let item = try target(relation)
        let scope = ColumnScope(parent: environment.columns, items: [item])
        for node in body.list("fromClause") { scope.items += try fromItem(node, environment, siblings: scope.items) }
        let inner = Environment(columns: scope, tables: environment.tables)
        try assignments(body.list("targetList"), item, inner)
        if let condition = body["whereClause"] { try self.condition(condition, inner) }
        return try returning(body, scope, environment)
    }

    func delete(_ body: Node, _ environment: Environment) throws(Halt) -> Output {
        try only(body, ["relation", "usingClause", "whereClause", "returningList", "withClause"])
        guard let relation = body["relation"] else { throw unknown("DeleteStmt", body) }
        let environment = try with(body["withClause"], environment)
        let scope = ColumnScope(parent: environment.columns, items: [try target(relation)])
        for node in body.list("usingClause") { scope.items += try fromItem(node, environment, siblings: scope.items) }
        if let condition = body["whereClause"] { try self.condition(condition, Environment(columns: scope, tables: environment.tables)) }
        return try returning(body, scope, environment)
    }

    /// A SET list.
    private func assignments(_ list: [Node], _ item: NamespaceItem, _ environment: Environment) throws(Halt) {
        // `(a, b) = (SELECT …)` and `(a, b) = (1, 2)` repeat their source in every member; it is analysed once.
        var source: (location: Int, values: [TypeVariable])?
        for target in list {
            let (tag, body) = target.tagged
            guard tag == "ResTarget", let value = body["val"] else { throw unknown(tag, body) }
            try only(body, ["name", "indirection", "val", "location"])
            let name = body.string("name") ?? ""
            var column = try writable(name, of: item, at: body)
            if body.has("indirection") {
                try column?.variable.requirePlain("assignment to a part", at: body)
                try indirection(body.list("indirection"), environment)
                column = nil
            }
            guard value.tagged.tag == "MultiAssignRef" else {
                try assign(value, to: column, named: name, environment)
                continue
            }
            let reference = value.tagged.body
            try only(reference, ["source", "colno", "ncolumns"])
            guard let from = reference["source"] else { throw unknown("MultiAssignRef", body) }
            let number = reference.number("colno")
            if number == 1 || source == nil { source = (from.tagged.body.location, try multiple(from, environment)) }
            guard let values = source?.values, source?.location == from.tagged.body.location, number >= 1 else {
                throw unknown("this assignment", body)
            }
            guard number <= values.count else { continue }  // the server says that the numbers differ
            try assign(values[number - 1], to: column, named: name, at: body)
        }
    }

    private func multiple(_ node: Node, _ environment: Environment) throws(Halt) -> [TypeVariable] {
        let (tag, body) = node.tagged
        switch tag {
        case "RowExpr":
            var values: [TypeVariable] = []
            for argument in body.list("args") {
                values.append(argument.tagged.tag == "SetToDefault" ? .undecided : try expression(argument, environment))
            }
            return values
        case "SubLink" where body.string("subLinkType") == "EXPR_SUBLINK":
            guard let select = body["subselect"] else { throw unknown(tag, body) }
            let output = try query(select, environment)
            guard !output.isOpaque else { throw unknown("an assignment from columns that are not known one by one", body) }
            return output.columns.map(\.variable)
        default: throw unknown("this assignment", body)
        }
    }

    // MARK: MERGE

    func merge(_ body: Node, _ environment: Environment) throws(Halt) -> Output {
        try only(body, ["relation", "sourceRelation", "joinCondition", "mergeWhenClauses", "withClause"])
        guard let relation = body["relation"], let source = body["sourceRelation"], let on = body["joinCondition"] else {
            throw unknown("MergeStmt", body)
        }
        let environment = try with(body["withClause"], environment)
        let item = try target(relation)
        let sources = try fromItem(source, environment, siblings: [])
        let both = Environment(columns: ColumnScope(parent: environment.columns, items: [item] + sources), tables: environment.tables)
        let alone = Environment(columns: ColumnScope(parent: environment.columns, items: sources), tables: environment.tables)
        try condition(on, both)
        for clause in body.list("mergeWhenClauses") {
            let (tag, when) = clause.tagged
            guard tag == "MergeWhenClause" else { throw unknown(tag, when) }
            try only(when, ["matched", "commandType", "override", "condition", "targetList", "values"])
            let inner = when.flag("matched") ? both : alone
            if let test = when["condition"] { try condition(test, inner) }
            switch when.string("commandType") ?? "" {
            case "CMD_UPDATE": try assignments(when.list("targetList"), item, inner)
            case "CMD_INSERT":
                let values = when.list("values")
                guard !values.isEmpty else { break }
                let columns = try insertColumns(when.list("targetList"), item, relation, inner)
                for (index, value) in values.enumerated() {
                    let target = try place(index, of: columns)
                    try assign(value, to: target.column, named: target.name, inner)
                }
            case "CMD_DELETE", "CMD_NOTHING": break
            default: throw unknown(tag, when)
            }
        }
        return Output()
    }
}
