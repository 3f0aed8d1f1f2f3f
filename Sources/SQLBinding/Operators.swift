internal import CellFormat
internal import ColumnCatalog
internal import Diagnostics

extension Analyzer {
    // MARK: Operators

    func operation(_ body: Node, _ environment: Environment) throws(Halt) -> TypeVariable {
        try only(body, ["kind", "name", "lexpr", "rexpr", "location"])
        guard let right = body["rexpr"] else { throw unknown("A_Expr", body) }
        let names = body.names("name")
        let isBuiltIn = names.count == 1 || names.count == 2 && names[0] == "pg_catalog"
        let name = names.last ?? ""
        guard let left = body["lexpr"] else {
            if let variable = computed(body, tag: "A_Expr") { return variable }
            try expression(right, environment).requirePlain("the operator \(name)", at: body)
            return plain
        }
        switch body.string("kind") ?? "" {
        case "AEXPR_OP":
            if isBuiltIn, Self.patterns.contains(name) {
                try match(left, right, name, environment, body)
                return plain
            }
            guard isBuiltIn, Self.equalities.contains(name) || Self.orderings.contains(name) else {
                if let variable = computed(body, tag: "A_Expr") { return variable }
                try plainOnly([left, right], "the operator \(name)", hint: Self.hint(operator: name), environment, body)
                return plain
            }
            if try matchFolded(left, right, name, environment, body) { return plain }
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
            try anyOrAll(left, right, isBuiltIn ? name : "", environment, body)
            return plain
        case "AEXPR_LIKE", "AEXPR_ILIKE":
            try match(left, right, name, environment, body)
            return plain
        case "AEXPR_SIMILAR":
            try plainOnly([left, right], "SIMILAR TO", hint: Refused.similarTo.instead, environment, body)
            return plain
        default: throw unknown("A_Expr", body)
        }
    }

    private static func hint(operator name: String) -> String {
        switch name {
        case "||": Refused.concatenation.instead
        case "~", "~*", "!~", "!~*": Refused.regularExpression.instead
        case "+", "-", "*", "/", "%", "^": Refused.arithmetic.instead
        default: Refused.otherOperator.instead
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

    func pairwise(_ left: [TypeVariable], _ right: [TypeVariable], _ name: String, _ body: Node) throws(Halt) {
        guard left.count == right.count else {
            for value in left + right { try value.requirePlain("comparison of rows of different lengths", at: body) }
            return
        }
        for (a, b) in zip(left, right) {
            if Self.orderings.contains(name) {
                try a.order(name, at: body)
                try b.order(name, at: body)
            }
            try a.unify(b, operation: name, at: body)
        }
    }

    /// The elements of a row, also of one that a subquery returns.
    func row(_ node: Node, _ environment: Environment) throws(Halt) -> [TypeVariable] {
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

    // MARK: Arrays

    /// `left op ANY (array)`; `name` is empty for an operator that is not PostgreSQL's own.
    private func anyOrAll(_ left: Node, _ right: Node, _ name: String, _ environment: Environment, _ body: Node) throws(Halt) {
        let value = try expression(left, environment)
        let isOrdering = Self.orderings.contains(name)
        let isPattern = Self.patterns.contains(name)
        func meets(_ element: TypeVariable) throws(Halt) {
            if isOrdering {
                try value.order(name, at: body)
                try element.order(name, at: body)
            }
            if isPattern { try value.match(Self.words(pattern: name), at: body) }
            try value.unify(element, operation: "\(name) ANY", at: body)
        }
        guard isOrdering || isPattern || Self.equalities.contains(name) else {
            try value.requirePlain("this operator with ANY/ALL", at: body)
            return try expression(right, environment).requirePlain("ANY/ALL", at: body)
        }
        var (tag, array) = right.tagged
        if tag == "TypeCast", let inner = array["arg"], inner.tagged.tag == "A_ArrayExpr", let type = array["typeName"] {
            // ARRAY[…]::text[]: the array's type is its own; its elements are analysed below.
            guard let start = token(at: type.location), let end = endOfTypeName(start) else { throw unknown("this cast", array) }
            let logical = type.has("arrayBounds") ? LogicalType(typeNames: type.names("names")) : nil
            leaves.append(
                Leaf(
                    source: .typeName(logical), tokens: start...end, obstacle: type.has("typmods") ? "has a length or precision" : nil,
                    form: .array, variable: value))
            (tag, array) = inner.tagged
        }
        switch tag {
        case "A_ArrayExpr":
            try only(array, ["elements", "location"])
            for item in array.list("elements") { try meets(isPattern ? try pattern(item, environment) : try expression(item, environment)) }
        case "ParamRef", "A_Const", "TypeCast":
            let before = leaves.count
            let element = try expression(right, environment)
            for index in before..<leaves.count where leaves[index].variable === element { leaves[index].form = .array }
            if isPattern {
                try element.requirePlain("LIKE ANY of an array parameter", at: body)
                try value.requirePlain("LIKE ANY of an array parameter", hint: Refused.patternArray.instead, at: body)
            }
            try meets(element)
        default:
            try value.requirePlain("\(name) ANY/ALL of a computed array", hint: Refused.computedArray.instead, at: body)
            try expression(right, environment).requirePlain("ANY/ALL", at: body)
        }
    }

    // MARK: Patterns

    static let patterns: Set<String> = ["~~", "!~~", "~~*", "!~~*", "^@"]

    static func words(pattern name: String) -> String {
        switch name {
        case "~~": "LIKE"
        case "!~~": "NOT LIKE"
        case "~~*": "ILIKE"
        case "!~~*": "NOT ILIKE"
        default: "starts_with"
        }
    }

    /// `left LIKE right`, where an encrypted left side wants a constant on the right.
    func match(_ left: Node, _ right: Node, _ name: String, _ environment: Environment, _ body: Node) throws(Halt) {
        if try matchFolded(left, right, name, environment, body) { return }
        let value = try expression(left, environment)
        try value.match(Self.words(pattern: name), at: body)
        try value.unify(try pattern(right, environment), operation: Self.words(pattern: name), at: body)
    }

    /// The pattern of a LIKE: what of it is constant becomes one text, ESCAPE included.
    private func pattern(_ node: Node, _ environment: Environment) throws(Halt) -> TypeVariable {
        let (tag, body) = node.tagged
        if tag == "FuncCall", body.names("funcname").last == "like_escape" {
            let arguments = body.list("args")
            guard arguments.count == 2, let (text, low) = computation(arguments[0]), let (escape, high) = computation(arguments[1]) else {
                try plainOnly(arguments, "a LIKE pattern that is not constant", environment, body)
                return plain
            }
            let variable = TypeVariable.undecided
            leaves.append(
                Leaf(
                    source: .computed(.call("like_escape", isOperator: false, [text, escape])),
                    tokens: parenthesized(low).lowerBound...parenthesized(high).upperBound, role: constantRole, form: .pattern,
                    variable: variable))
            return variable
        }
        let before = leaves.count
        let variable = try expression(node, environment)
        if let label = variable.secretLabel {
            throw .refuse(
                .operationRefused, "a LIKE pattern that is the encrypted column \(label)",
                hint: Refused.patternColumn.instead,
                at: body)
        }
        for index in before..<leaves.count where leaves[index].variable === variable && leaves[index].form == .value {
            leaves[index].form = .pattern
        }
        return variable
    }

    /// `upper(column) LIKE upper('…')` and `lower(column) = lower('…')`, which ORMs write for ILIKE: they are ILIKE, for a column that
    /// compares by code point (only ASCII letters have another case there).
    private func matchFolded(_ left: Node, _ right: Node, _ name: String, _ environment: Environment, _ body: Node) throws(Halt) -> Bool {
        let (tag, call) = left.tagged
        guard ["~~", "!~~", "=", "<>"].contains(name), tag == "FuncCall", let function = call.names("funcname").last,
            function == "upper" || function == "lower", call.names("funcname").count == 1, call.list("args").count == 1,
            let start = token(at: call.location), let end = endOfCall(start), isSymbol(start + 1, "("),
            let argument = call.list("args").first
        else { return false }
        let before = (leaves.count, fixedEdits.count)
        let value = try expression(argument, environment)
        guard let (type, _) = value.encryption, type.logical.isText, type.collation == 0 else {
            leaves.removeSubrange(before.0...)
            fixedEdits.removeSubrange(before.1...)
            return false
        }
        let isPattern = name == "~~" || name == "!~~"
        try value.match(isPattern ? "LIKE" : "a comparison of \(function)()", at: body)
        let (patternTag, patternCall) = right.tagged
        guard patternTag == "FuncCall", patternCall.names("funcname") == [function], patternCall.list("args").count == 1,
            let (inner, _) = computation(patternCall.list("args")[0]), let from = token(at: patternCall.location), let to = endOfCall(from)
        else {
            throw .refuse(
                .operationRefused, "\(function)() is not available on the encrypted column \(value.secretLabel ?? "")",
                hint: Refused.foldedLike.instead, at: call)
        }
        let folded = TypeVariable.undecided
        leaves.append(
            Leaf(
                source: .computed(.call(isPattern ? "like_folded" : "like_literal", isOperator: false, [inner])), tokens: from...to,
                role: constantRole, form: .pattern, variable: folded))
        guard let at = token(at: body.location) else { throw unknown("this LIKE", body) }
        let isNegated = isWord(at, "not")
        let keyword = isNegated ? at + 1 : at
        guard isPattern ? isWord(keyword, "like") : tokens[at].kind == .symbol else { throw unknown("this LIKE", body) }
        fixedEdits.append(.init(tokens: start...start + 1, text: "("))
        fixedEdits.append(.init(tokens: end...end, text: ")"))
        fixedEdits.append(.init(tokens: keyword...keyword, text: name == "<>" ? "NOT ILIKE" : "ILIKE"))
        try value.unify(folded, operation: "LIKE", at: body)
        return true
    }
}
