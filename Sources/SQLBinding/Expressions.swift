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
                if let argument = body["arg"] { _ = try expression(argument, environment) }
                return plain
            case "BooleanTest":
                try only(body, ["arg", "booltesttype", "location"])
                if let argument = body["arg"] {
                    try expression(argument, environment).requirePlain(
                        "IS TRUE/FALSE/UNKNOWN", hint: "write `column = true` or `column IS NULL`", at: body)
                }
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
                if let argument = body["arg"] {
                    try expression(argument, environment).requirePlain(
                        "COLLATE", hint: "an encrypted column's collation is fixed", at: body)
                }
                return plain
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
            case "SQLValueFunction", "CurrentOfExpr": return plain
            default: throw unknown(tag, body)
            }
        }
    }

    /// A place where PostgreSQL wants a boolean.
    func condition(_ node: Node, _ environment: Environment) throws(Halt) {
        try expression(node, environment).requirePlain("use as a condition", hint: "write `column = true`", at: node.tagged.body)
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

    // MARK: Constants

    private func constant(_ body: Node) throws(Halt) -> TypeVariable {
        if body.flag("isnull") { return .undecided }
        // A constant that the grammar made up (EXTRACT's field, FETCH FIRST ROW) has no token of its own kind: it is plain.
        guard var index = token(at: body.location) else { return plain }
        let first = index
        var negative = false
        let kind: LiteralSlot.Kind
        if body.has("sval") {
            guard tokens[index].kind.isString else { return plain }
            kind = .string
        } else if body.has("ival") || body.has("fval") {
            while isSymbol(index, "-") {
                negative.toggle()
                index += 1
            }
            guard index < tokens.count, tokens[index].kind.isNumber else {
                let variable = TypeVariable.undecided
                leaves.append(
                    Leaf(
                        source: .literal(value: first, kind: .number, negative: false), tokens: first...first,
                        obstacle: "is written in a form that is not bound (a sign before brackets)", role: constantRole, variable: variable)
                )
                return variable
            }
            kind = .number
        } else if body.has("boolval") {
            guard isWord(index, "true") || isWord(index, "false") else { return plain }
            kind = .boolean
        } else {
            // B'…' and X'…'
            return plain
        }
        let variable = TypeVariable.undecided
        leaves.append(
            Leaf(
                source: .literal(value: index, kind: kind, negative: negative), tokens: first...index, role: constantRole,
                variable: variable))
        return variable
    }

    private func parameter(_ body: Node) throws(Halt) -> TypeVariable {
        guard let index = token(at: body.location), tokens[index].kind == .parameter else { throw unknown("ParamRef", body) }
        let variable = TypeVariable.undecided
        leaves.append(
            Leaf(source: .parameter(number: body.number("number")), tokens: index...index, role: constantRole, variable: variable))
        return variable
    }

    private func cast(_ body: Node, _ environment: Environment) throws(Halt) -> TypeVariable {
        try only(body, ["arg", "typeName", "location"])
        guard let argument = body["arg"], let type = body["typeName"] else { throw unknown("TypeCast", body) }
        let (tag, constant) = argument.tagged
        guard tag == "A_Const" || tag == "ParamRef" else {
            try expression(argument, environment).requirePlain(
                "a cast", hint: "cast constants and parameters, not the column; the client gets the column's own type", at: body)
            return plain
        }
        let before = leaves.count
        let variable = try expression(argument, environment)
        let isNull = constant.flag("isnull")
        if isNull, let index = token(at: constant.location) {
            leaves.append(Leaf(source: .null, tokens: index...index, role: constantRole, variable: variable))
        }
        guard leaves.count == before + 1, let span = castSpan(body, type, leaves[before].tokens),
            let logical = LogicalType(typeNames: type.names("names")), !type.has("arrayBounds"), !type.flag("setof")
        else {
            variable.settlePlain()
            return variable
        }
        leaves[before].tokens = span
        guard !isNull else { return variable }
        leaves[before].declaredType = logical
        if type.has("typmods") || logical == .bpchar { leaves[before].obstacle = "is cast with a length or precision" }
        return variable
    }

    /// The tokens of `type 'x'`, `x::type` or `CAST(x AS type)`, given those of x. nil: a form that is not bound.
    private func castSpan(_ body: Node, _ type: Node, _ inner: ClosedRange<Int>) -> ClosedRange<Int>? {
        guard let typeStart = token(at: type.location) else { return nil }
        if body.location < 0 { return typeStart < inner.lowerBound ? typeStart...inner.upperBound : nil }
        guard let at = token(at: body.location) else { return nil }
        var low = inner.lowerBound
        var high = inner.upperBound
        while isSymbol(low - 1, "("), isSymbol(high + 1, ")") {
            low -= 1
            high += 1
        }
        guard let typeEnd = endOfTypeName(typeStart) else { return nil }
        if isSymbol(at, "::") { return high + 1 == at ? low...typeEnd : nil }
        guard isWord(at, "cast"), isSymbol(at + 1, "("), low == at + 2, isWord(high + 1, "as"), typeStart == high + 2,
            isSymbol(typeEnd + 1, ")")
        else { return nil }
        return at...typeEnd + 1
    }

    /// The last token of the type name that starts at `start`.
    func endOfTypeName(_ start: Int) -> Int? {
        guard isIdentifier(start) else { return nil }
        var end = start
        if isWord(end, "national") { end += 1 }
        if isWord(end, "double"), isWord(end + 1, "precision") {
            end += 1
        } else if isWord(end, "character") || isWord(end, "char") || isWord(end, "nchar") || isWord(end, "bit"), isWord(end + 1, "varying")
        {
            end += 1
        }
        while isSymbol(end + 1, "."), isIdentifier(end + 2) { end += 2 }
        if isSymbol(end + 1, "(") {
            var close = end + 2
            while close < tokens.count, !isSymbol(close, ")") { close += 1 }
            guard close < tokens.count else { return nil }
            end = close
        }
        if isWord(start, "timestamp") || isWord(start, "time"), isWord(end + 1, "with") || isWord(end + 1, "without"),
            isWord(end + 2, "time"), isWord(end + 3, "zone")
        {
            end += 3
        }
        return isWord(start, "interval") ? endOfIntervalFields(end) : end
    }

    // MARK: Operators

    private func operation(_ body: Node, _ environment: Environment) throws(Halt) -> TypeVariable {
        try only(body, ["kind", "name", "lexpr", "rexpr", "location"])
        guard let right = body["rexpr"] else { throw unknown("A_Expr", body) }
        let names = body.names("name")
        let isBuiltIn = names.count == 1 || names.count == 2 && names[0] == "pg_catalog"
        let name = names.last ?? ""
        guard let left = body["lexpr"] else {
            try expression(right, environment).requirePlain("the operator \(name)", at: body)
            return plain
        }
        switch body.string("kind") ?? "" {
        case "AEXPR_OP":
            guard isBuiltIn, Self.equalities.contains(name) || Self.orderings.contains(name) else {
                try plainOnly([left, right], "the operator \(name)", hint: Self.hint(operator: name), environment, body)
                return plain
            }
            try compare(left, right, name, environment, body)
            return plain
        case "AEXPR_DISTINCT", "AEXPR_NOT_DISTINCT":
            try compare(left, right, "IS DISTINCT FROM", environment, body)
            return plain
        case "AEXPR_IN":
            guard right.tagged.tag == "List" else { throw unknown("IN", body) }
            let items = right.tagged.body.list("items")
            if left.tagged.tag == "RowExpr" {
                // The left side is analysed once per row, but its constants must be settled once.
                let values = try row(left, environment)
                for item in items {
                    guard item.tagged.tag == "RowExpr" else { throw unknown("IN", body) }
                    try pairwise(values, try row(item, environment), "=", body)
                }
                return plain
            }
            let value = try expression(left, environment)
            for item in items {
                let element = try expression(item, environment)
                try value.unify(element, operation: "IN", at: body)
            }
            return plain
        case "AEXPR_BETWEEN", "AEXPR_NOT_BETWEEN", "AEXPR_BETWEEN_SYM", "AEXPR_NOT_BETWEEN_SYM":
            guard right.tagged.tag == "List" else { throw unknown("BETWEEN", body) }
            let value = try expression(left, environment)
            try value.order("BETWEEN", at: body)
            for bound in right.tagged.body.list("items") {
                let element = try expression(bound, environment)
                try element.order("BETWEEN", at: body)
                try value.unify(element, operation: "BETWEEN", at: body)
            }
            return plain
        case "AEXPR_NULLIF":
            let value = try expression(left, environment)
            try value.unify(try expression(right, environment), operation: "NULLIF", at: body)
            return value
        case "AEXPR_OP_ANY", "AEXPR_OP_ALL":
            let value = try expression(left, environment)
            let (tag, array) = right.tagged
            let isOrdering = Self.orderings.contains(name)
            if tag == "A_ArrayExpr", isBuiltIn, isOrdering || Self.equalities.contains(name) {
                try only(array, ["elements", "location"])
                if isOrdering { try value.order(name, at: body) }
                for item in array.list("elements") {
                    let element = try expression(item, environment)
                    if isOrdering { try element.order(name, at: body) }
                    try value.unify(element, operation: "\(name) ANY", at: body)
                }
                return plain
            }
            try value.requirePlain("\(name) ANY/ALL of an array", hint: "write IN (…) with single constants or parameters", at: body)
            try expression(right, environment).requirePlain("ANY/ALL", at: body)
            return plain
        case "AEXPR_LIKE", "AEXPR_ILIKE", "AEXPR_SIMILAR":
            try plainOnly(
                [left, right], "LIKE, ILIKE or SIMILAR TO", hint: "compare with =, <, BETWEEN …; patterns are matched in the client",
                environment, body)
            return plain
        default: throw unknown("A_Expr", body)
        }
    }

    private static func hint(operator name: String) -> String {
        switch name {
        case "||": "concatenate in the client"
        case "~", "~*", "!~", "!~*", "~~", "~~*", "!~~", "!~~*": "compare with =, <, BETWEEN …; patterns are matched in the client"
        case "+", "-", "*", "/", "%", "^": "compute in the client"
        default: "encrypted columns have =, <>, <, <=, > and >= only"
        }
    }

    /// `left op right`, also of rows.
    private func compare(_ left: Node, _ right: Node, _ name: String, _ environment: Environment, _ body: Node) throws(Halt) {
        if left.tagged.tag == "RowExpr" || right.tagged.tag == "RowExpr" {
            try pairwise(try row(left, environment), try row(right, environment), name, body)
        } else {
            try pairwise([try expression(left, environment)], [try expression(right, environment)], name, body)
        }
    }

    private func pairwise(_ left: [TypeVariable], _ right: [TypeVariable], _ name: String, _ body: Node) throws(Halt) {
        guard left.count == right.count else {
            for value in left + right { try value.requirePlain("comparison of rows of different lengths", at: body) }
            return
        }
        for (a, b) in zip(left, right) {
            if Self.orderings.contains(name) {
                if left.count > 1, let label = a.secretLabel ?? b.secretLabel {
                    throw .refuse(
                        .operationRefused, "the comparison of rows with \(name) is not available on the encrypted column \(label)",
                        hint: "compare the columns one by one", at: body)
                }
                try a.order(name, at: body)
                try b.order(name, at: body)
                if left.count > 1 {
                    // Undecided to here: rows are ordered in the clear or not at all.
                    a.settlePlain()
                    b.settlePlain()
                }
            }
            try a.unify(b, operation: name, at: body)
        }
    }

    /// The elements of a row, also of one that a subquery returns.
    private func row(_ node: Node, _ environment: Environment) throws(Halt) -> [TypeVariable] {
        let (tag, body) = node.tagged
        switch tag {
        case "RowExpr":
            try only(body, ["args", "row_format", "location"])
            var values: [TypeVariable] = []
            for argument in body.list("args") { values.append(try expression(argument, environment)) }
            return values
        case "SubLink" where body.string("subLinkType") == "EXPR_SUBLINK":
            try only(body, ["subLinkType", "subselect", "location"])
            return try subquery(body, environment).columns.map(\.variable)
        default: return [try expression(node, environment)]
        }
    }

    private func caseExpression(_ body: Node, _ environment: Environment) throws(Halt) -> TypeVariable {
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

    private func subquery(_ body: Node, _ environment: Environment) throws(Halt) -> Output {
        guard let select = body["subselect"] else { throw unknown("SubLink", body) }
        return try query(select, environment)
    }

    private func subLink(_ body: Node, _ environment: Environment) throws(Halt) -> TypeVariable {
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

    // MARK: Functions

    /// Window functions that return their first argument as it is.
    private static let forwarding: Set<String> = ["lag", "lead", "first_value", "last_value", "nth_value"]

    private func function(_ body: Node, _ environment: Environment) throws(Halt) -> TypeVariable {
        try only(
            body,
            [
                "funcname", "args", "agg_order", "agg_filter", "over", "agg_within_group", "agg_star", "agg_distinct", "func_variadic",
                "funcformat", "location",
            ])
        let names = body.names("funcname")
        let name = names.last ?? ""
        let isBuiltIn = names.count == 1 || names.count == 2 && names[0] == "pg_catalog"
        let isWithinGroup = body.flag("agg_within_group")
        if let filter = body["agg_filter"] { try condition(filter, environment) }
        if let window = body["over"] { try windowDefinition(window, environment) }
        for sort in body.list("agg_order") {
            let value = try sortKey(sort, environment)
            if isWithinGroup { try value.requirePlain("\(name)() WITHIN GROUP", at: body) } else { try value.order("ORDER BY", at: body) }
        }
        let arguments = body.list("args")
        if isBuiltIn, !isWithinGroup, !body.flag("func_variadic") {
            switch name {
            case "count" where arguments.count == 1:
                try expression(arguments[0], environment).equate("count", at: body)
                return plain
            case "min" where arguments.count == 1, "max" where arguments.count == 1:
                let value = try expression(arguments[0], environment)
                try value.order(name, at: body)
                let result = TypeVariable.undecided
                try result.accept(value, operation: name, at: body)
                return result
            case _ where Self.forwarding.contains(name) && body.has("over") && !arguments.isEmpty:
                let result = TypeVariable.undecided
                try result.accept(try expression(arguments[0], environment), operation: name, at: body)
                if arguments.count > 1 { try expression(arguments[1], environment).requirePlain("an offset", at: body) }
                if arguments.count > 2 { try result.accept(try expression(arguments[2], environment), operation: name, at: body) }
                for extra in arguments.dropFirst(3) { try expression(extra, environment).requirePlain("\(name)()", at: body) }
                return result
            default: break
            }
        }
        try plainOnly(arguments, "\(name)()", hint: Self.hint(function: name), environment, body)
        return plain
    }

    private static func hint(function name: String) -> String {
        switch name {
        case "sum", "avg", "stddev", "variance", "stddev_pop", "stddev_samp", "var_pop", "var_samp":
            "select the values and aggregate in the client"
        case "lower", "upper", "initcap", "trim", "btrim", "substring", "substr", "left", "right", "length", "concat", "replace":
            "select the column and compute in the client"
        case "extract", "date_part", "date_trunc", "age", "timezone": "use a range (`column >= … AND column < …`), or compute in the client"
        default: "functions get cells, not values: select the column and compute in the client"
        }
    }

    func windowDefinition(_ body: Node, _ environment: Environment) throws(Halt) {
        try only(body, ["name", "refname", "partitionClause", "orderClause", "frameOptions", "startOffset", "endOffset", "location"])
        for partition in body.list("partitionClause") { try expression(partition, environment).equate("PARTITION BY", at: body) }
        for sort in body.list("orderClause") {
            let value = try sortKey(sort, environment)
            try value.order("ORDER BY", at: body)
            // RANGE with an offset adds to the ordering column.
            let frame = body.number("frameOptions")
            if frame & 0x2 != 0, body.has("startOffset") || body.has("endOffset") {
                try value.requirePlain("RANGE with an offset", at: body)
            }
        }
        try plainOnly([body["startOffset"], body["endOffset"]].compactMap(\.self), "a frame offset", environment, body)
    }

    /// The expression of a SortBy whose ORDER BY has no aliases and ordinals (windows, aggregates).
    private func sortKey(_ node: Node, _ environment: Environment) throws(Halt) -> TypeVariable {
        let (tag, body) = node.tagged
        guard tag == "SortBy", let key = body["node"] else { throw unknown(tag, body) }
        try only(body, ["node", "sortby_dir", "sortby_nulls", "useOp", "location"])
        let value = try expression(key, environment)
        if body.string("sortby_dir") == "SORTBY_USING" { try value.requirePlain("ORDER BY … USING", at: body) }
        return value
    }
}
