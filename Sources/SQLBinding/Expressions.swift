internal import CellFormat
internal import ColumnCatalog
internal import Diagnostics

extension Analyzer {
    static let equalities: Set<String> = ["=", "<>"]
    static let orderings: Set<String> = ["<", "<=", ">", ">="]

    /// What an expression is. Everything below it is analysed.
    func expression(_ node: Node, _ environment: Environment) throws(Halt) -> TypeVariable {
        try deeper(node) { () throws(Halt) -> TypeVariable in
            let (tag, body) = node.tagged
            switch tag {
            case "A_Const": return try constant(body)
            case "ParamRef": return try parameter(body)
            case "ColumnRef": return try column(body, environment)
            case "TypeCast": return try cast(body, environment)
            case "A_Expr": return try operation(body, environment)
            case "BoolExpr":
                try only(body, ["boolop", "args", "location"])
                for argument in body.list("args") { try condition(argument, environment) }
                return plain
            case "NullTest":
                try only(body, ["arg", "nulltesttype", "argisrow", "location"])
                if let argument = body["arg"] {
                    let before = leaves.count
                    let value = try expression(argument, environment)
                    if case .aggregate = value.state { try value.requirePlain("IS NULL", at: body) }
                    if leaves.count == before + 1, case .parameter = leaves[before].source { leaves[before].isNullTest = true }
                }
                return plain
            case "BooleanTest":
                try only(body, ["arg", "booltesttype", "location"])
                if let argument = body["arg"] { try condition(argument, environment, "IS TRUE/FALSE/UNKNOWN") }
                return plain
            case "SubLink": return try subLink(body, environment)
            case "FuncCall": return try function(body, environment)
            case "CaseExpr": return try caseExpression(body, environment)
            case "CoalesceExpr":
                try only(body, ["args", "location"])
                let result = TypeVariable.undecided
                for argument in body.list("args") {
                    try result.accept(try expression(argument, environment), operation: "COALESCE", at: body)
                }
                return result
            case "MinMaxExpr":
                try only(body, ["op", "args", "location"])
                let name = body.string("op") == "IS_LEAST" ? "LEAST" : "GREATEST"
                let result = TypeVariable.undecided
                for argument in body.list("args") {
                    let value = try expression(argument, environment)
                    try value.order(name, at: body)
                    try result.accept(value, operation: name, at: body)
                }
                return result
            case "CollateClause":
                try only(body, ["arg", "collname", "location"])
                return try collate(body, environment)
            case "RowExpr":
                try only(body, ["args", "row_format", "location"])
                for argument in body.list("args") {
                    let value = try expression(argument, environment)
                    if let label = value.secretLabel { return TypeVariable(.encryptedRow(label: label)) }
                    value.settlePlain()
                }
                return plain
            case "A_ArrayExpr":
                try only(body, ["elements", "location"])
                try plainOnly(body.list("elements"), "ARRAY[…]", environment, body)
                return plain
            case "A_Indirection":
                try only(body, ["arg", "indirection"])
                if let argument = body["arg"] { try expression(argument, environment).requirePlain("field selection", at: body) }
                try indirection(body.list("indirection"), environment)
                return plain
            case "GroupingFunc":
                try only(body, ["args", "location"])
                for argument in body.list("args") { try expression(argument, environment).equate("GROUPING", at: body) }
                return plain
            case "NamedArgExpr":
                try only(body, ["arg", "name", "argnumber", "location"])
                guard let argument = body["arg"] else { return plain }
                return try expression(argument, environment)
            case "SQLValueFunction": return computed(body, tag: tag) ?? plain
            case "CurrentOfExpr": return plain
            default: throw unknown(tag, body)
            }
        }
    }

    /// A place where PostgreSQL wants a boolean. An encrypted column there becomes `(column = true)`.
    func condition(_ node: Node, _ environment: Environment, _ operation: String = "use as a condition") throws(Halt) {
        let (tag, body) = node.tagged
        let value = try expression(node, environment)
        guard tag == "ColumnRef", let (type, label) = value.encryption, type.logical == .boolean, let start = token(at: body.location)
        else { return try value.requirePlain(operation, hint: Refused.bareBoolean.instead, at: body) }
        var end = start
        while isSymbol(end + 1, "."), isIdentifier(end + 2) { end += 2 }
        let truth = CellTemplate(value: .truth, target: type, role: constantRole, column: label)
        fixedEdits.append(
            .init(
                tokens: start...end, parts: [.text("("), .verbatim(start...end), .text(" = "), .cell(truth), .text(")")]))
    }

    /// `x COLLATE name`: of an encrypted text it may only name the column's own collation.
    private func collate(_ body: Node, _ environment: Environment) throws(Halt) -> TypeVariable {
        guard let argument = body["arg"] else { return plain }
        let value = try expression(argument, environment)
        if value.isPlain { return plain }
        let names = body.names("collname")
        guard let name = names.last, names.count == 1 || names[0] == "pg_catalog", let start = token(at: body.location),
            isWord(start, "collate"), isIdentifier(start + 1)
        else {
            try value.requirePlain("COLLATE", hint: Refused.otherCollation.instead, at: body)
            return plain
        }
        var end = start + 1
        while isSymbol(end + 1, "."), isIdentifier(end + 2) { end += 2 }
        leaves.append(Leaf(source: .collate(name), tokens: start...end, variable: value))
        return value
    }

    /// Expressions that must hold nothing encrypted.
    func plainOnly(_ nodes: [Node], _ operation: String, hint: String = "", _ environment: Environment, _ at: Node) throws(Halt) {
        for node in nodes where !node.tagged.tag.isEmpty { try expression(node, environment).requirePlain(operation, hint: hint, at: at) }
    }

    func indirection(_ steps: [Node], _ environment: Environment) throws(Halt) {
        for step in steps {
            let (tag, body) = step.tagged
            switch tag {
            case "String", "A_Star": break
            case "A_Indices":
                try only(body, ["is_slice", "lidx", "uidx"])
                try plainOnly([body["lidx"], body["uidx"]].compactMap(\.self), "subscripting", environment, body)
            default: throw unknown(tag, body)
            }
        }
    }

    func caseExpression(_ body: Node, _ environment: Environment) throws(Halt) -> TypeVariable {
        try only(body, ["arg", "args", "defresult", "location"])
        let subject: TypeVariable? = if let argument = body["arg"] { try expression(argument, environment) } else { nil }
        let result = TypeVariable.undecided
        for branch in body.list("args") {
            let (tag, when) = branch.tagged
            guard tag == "CaseWhen", let test = when["expr"], let value = when["result"] else { throw unknown(tag, when) }
            try only(when, ["expr", "result", "location"])
            if let subject {
                try subject.unify(try expression(test, environment), operation: "CASE", at: when)
            } else {
                try condition(test, environment)
            }
            try result.accept(try expression(value, environment), operation: "CASE", at: when)
        }
        if let value = body["defresult"] { try result.accept(try expression(value, environment), operation: "CASE", at: body) }
        return result
    }

    // MARK: Subqueries

    func subquery(_ body: Node, _ environment: Environment) throws(Halt) -> Output {
        guard let select = body["subselect"] else { throw unknown("SubLink", body) }
        return try query(select, environment)
    }

    func subLink(_ body: Node, _ environment: Environment) throws(Halt) -> TypeVariable {
        try only(body, ["subLinkType", "testexpr", "operName", "subselect", "location"])
        switch body.string("subLinkType") ?? "" {
        case "EXISTS_SUBLINK":
            _ = try subquery(body, environment)
            return plain
        case "EXPR_SUBLINK":
            let output = try subquery(body, environment)
            if output.columns.count == 1, !output.isOpaque { return output.columns[0].variable }
            if let label = output.secretLabel {
                throw .refuse(.operationRefused, "a subquery of several columns with the encrypted column \(label)", at: body)
            }
            for column in output.columns { column.variable.settlePlain() }
            return plain
        case "ARRAY_SUBLINK":
            for column in try subquery(body, environment).columns { try column.variable.requirePlain("ARRAY(SELECT …)", at: body) }
            return plain
        case "ANY_SUBLINK", "ALL_SUBLINK":
            guard let test = body["testexpr"] else { throw unknown("SubLink", body) }
            let names = body.has("operName") ? body.names("operName") : ["="]
            let name = names.last ?? ""
            let output = try subquery(body, environment)
            let left = try row(test, environment)
            guard names.count == 1 || names[0] == "pg_catalog", Self.equalities.contains(name) || Self.orderings.contains(name),
                !output.isOpaque
            else {
                for value in left + output.columns.map(\.variable) {
                    try value.requirePlain("the operator \(name) with a subquery", at: body)
                }
                return plain
            }
            try pairwise(left, output.columns.map(\.variable), name, body)
            return plain
        default: throw unknown("SubLink", body)
        }
    }
}
