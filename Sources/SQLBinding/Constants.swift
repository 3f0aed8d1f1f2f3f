internal import CellFormat
internal import ColumnCatalog
internal import Diagnostics

/// Constants, parameters and casts.
extension Analyzer {
    func constant(_ body: Node) throws(Halt) -> TypeVariable {
        if body.flag("isnull") { return .undecided }
        // A constant that the grammar made up (EXTRACT's field, FETCH FIRST ROW) has no token of its own kind: it is plain.
        guard let first = token(at: body.location) else { return plain }
        let variable = TypeVariable.undecided
        switch constantToken(body, at: first) {
        case .none: return plain
        case .signed:
            leaves.append(
                Leaf(
                    source: .literal(value: first, kind: .number, negative: false), tokens: first...first,
                    obstacle: "is written in a form that is not bound (a sign before brackets)", role: constantRole, variable: variable))
        case .token(let constant):
            leaves.append(
                Leaf(
                    source: .literal(value: constant.token, kind: constant.kind, negative: constant.negative),
                    tokens: first...constant.token, role: constantRole, variable: variable))
        }
        return variable
    }

    private enum ConstantForm { case none, signed, token(ConstantToken) }

    /// What stands at token `first` for the constant `body`.
    private func constantToken(_ body: Node, at first: Int) -> ConstantForm {
        var index = first
        var negative = false
        if body.has("sval") {
            return tokens[index].kind.isString ? .token(ConstantToken(token: index, kind: .string, negative: false)) : .none
        }
        if body.has("ival") || body.has("fval") {
            while isSymbol(index, "-") {
                negative.toggle()
                index += 1
            }
            guard index < tokens.count, tokens[index].kind.isNumber else { return .signed }
            return .token(ConstantToken(token: index, kind: .number, negative: negative))
        }
        if body.has("boolval"), isWord(index, "true") || isWord(index, "false") {
            return .token(ConstantToken(token: index, kind: .boolean, negative: false))
        }
        // B'…' and X'…'
        return .none
    }

    func parameter(_ body: Node) throws(Halt) -> TypeVariable {
        if isFunctionBody { return plain }
        guard let index = token(at: body.location), tokens[index].kind == .parameter else { throw unknown("ParamRef", body) }
        let variable = TypeVariable.undecided
        leaves.append(
            Leaf(source: .parameter(number: body.number("number")), tokens: index...index, role: constantRole, variable: variable))
        return variable
    }

    // MARK: Casts

    func cast(_ body: Node, _ environment: Environment) throws(Halt) -> TypeVariable {
        try only(body, ["arg", "typeName", "location"])
        guard let argument = body["arg"], let type = body["typeName"] else { throw unknown("TypeCast", body) }
        let (tag, constant) = argument.tagged
        if tag == "TypeCast" || tag == "A_Expr" || tag == "FuncCall" || tag == "SQLValueFunction",
            let variable = computed(body, tag: "TypeCast")
        {
            return variable
        }
        guard tag == "A_Const" || tag == "ParamRef" else { return try castOfExpression(body, argument, type, environment) }
        let before = leaves.count
        let variable = try expression(argument, environment)
        let isNull = constant.flag("isnull")
        if isNull, let index = token(at: constant.location) {
            leaves.append(Leaf(source: .null, tokens: index...index, role: constantRole, variable: variable))
        }
        let user = try isStrict ? userType(type.names("names")) : nil
        guard leaves.count == before + 1, let span = castSpan(body, type, leaves[before].tokens),
            let logical = LogicalType(typeNames: type.names("names")) ?? user.map({ domain($0)?.base.logical ?? .text }),
            !type.flag("setof")
        else {
            variable.settlePlain()
            return variable
        }
        leaves[before].tokens = span
        if type.has("arrayBounds") { leaves[before].form = .array }
        if let user {
            if case .enumeration? = catalog.userTypes[user]?.kind {
                leaves[before].enumeration = user
            } else if !isUnconstrained(user) {
                leaves[before].obstacle = "is cast to domain \(user)"
                leaves[before].isDomainCast = true
            }
        }
        guard !isNull else { return variable }
        leaves[before].declaredType = logical
        if type.has("typmods") || logical == .bpchar { leaves[before].obstacle = "is cast with a length or precision" }
        return variable
    }

    /// A cast of something that is no constant: allowed if it changes nothing, which is known at the end.
    private func castOfExpression(_ body: Node, _ argument: Node, _ type: Node, _ environment: Environment) throws(Halt) -> TypeVariable {
        let variable = try expression(argument, environment)
        switch variable.state {
        case .plain: return plain
        case .encryptedRow, .aggregate: try variable.requirePlain("a cast", at: body)
        case .undecided, .encrypted: break
        }
        guard let start = token(at: type.location), let end = endOfTypeName(start) else {
            try variable.requirePlain("this cast", at: body)
            return plain
        }
        let isArray = type.has("arrayBounds")
        let isOfElements = argument.tagged.tag == "A_ArrayExpr"
        var logical = type.flag("setof") || isArray != isOfElements ? nil : LogicalType(typeNames: type.names("names"))
        if !isOfElements, !isArray, let (encrypted, label) = variable.encryption {
            let user = try userType(type.names("names"))
            if let own = encrypted.enumeration {
                if user == own {
                    logical = .text
                } else if logical == .text || logical == .varchar, !type.has("typmods") {
                    // The label as text: the same cell, of another type.
                    var text = encrypted
                    text.enumeration = nil
                    let cast = TypeVariable(.encrypted(text, label: label))
                    cast.log = log
                    leaves.append(Leaf(source: .typeName(.text), tokens: start...end, role: constantRole, variable: cast))
                    return cast
                } else {
                    logical = nil
                }
            } else if let user, domainOf(label) == user {
                logical = encrypted.logical
            } else if user == nil, logical != nil, !type.has("typmods"), isOfConstrainedDomain(encrypted, label: label) {
                let cast = TypeVariable(.encrypted(encrypted, label: label), modifier: variable.modifier)
                cast.isOfBaseType = true
                cast.log = log
                leaves.append(Leaf(source: .typeName(logical), tokens: start...end, role: constantRole, variable: cast))
                return cast
            }
        }
        leaves.append(
            Leaf(
                source: .typeName(logical), tokens: start...end, obstacle: type.has("typmods") ? "has a length or precision" : nil,
                role: constantRole, form: isArray ? .array : .value, variable: variable))
        return variable
    }

    /// The domain of the marked column `label`.
    private func domainOf(_ label: String) -> TypeName? {
        catalog.marks.marks.first { "\($0.relation).\($0.column)" == label }?.domain
    }

    /// The tokens of `type 'x'`, `x::type` or `CAST(x AS type)`, given those of x. nil: a form that is not bound.
    private func castSpan(_ body: Node, _ type: Node, _ inner: ClosedRange<Int>) -> ClosedRange<Int>? {
        guard let typeStart = token(at: type.location) else { return nil }
        if body.location < 0 { return typeStart < inner.lowerBound ? typeStart...inner.upperBound : nil }
        guard let at = token(at: body.location) else { return nil }
        let wrapped = parenthesized(inner)
        guard let typeEnd = endOfTypeName(typeStart) else { return nil }
        if isSymbol(at, "::") { return wrapped.upperBound + 1 == at ? wrapped.lowerBound...typeEnd : nil }
        // The brackets of CAST itself are not the operand's.
        let operand = isWord(wrapped.lowerBound - 1, "cast") ? wrapped.lowerBound + 1...wrapped.upperBound - 1 : wrapped
        guard isWord(at, "cast"), isSymbol(at + 1, "("), operand.lowerBound == at + 2, isWord(operand.upperBound + 1, "as"),
            typeStart == operand.upperBound + 2, isSymbol(typeEnd + 1, ")")
        else { return nil }
        return at...typeEnd + 1
    }

    /// With the brackets around it.
    func parenthesized(_ range: ClosedRange<Int>) -> ClosedRange<Int> {
        var low = range.lowerBound
        var high = range.upperBound
        while isSymbol(low - 1, "("), isSymbol(high + 1, ")") {
            low -= 1
            high += 1
        }
        return low...high
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
            guard let close = closing(end + 1) else { return nil }
            end = close
        }
        if isWord(start, "timestamp") || isWord(start, "time"), isWord(end + 1, "with") || isWord(end + 1, "without"),
            isWord(end + 2, "time"), isWord(end + 3, "zone")
        {
            end += 3
        }
        if isWord(start, "interval") { end = endOfIntervalFields(end) }
        while isSymbol(end + 1, "[") {
            let close = end + 2 < tokens.count && tokens[end + 2].kind == .integer ? end + 3 : end + 2
            guard isSymbol(close, "]") else { return nil }
            end = close
        }
        if isWord(end + 1, "array") { end += 1 }
        return end
    }

    /// The bracket that closes the one at `open`.
    func closing(_ open: Int) -> Int? {
        var depth = 0
        var index = open
        while index < tokens.count {
            if isSymbol(index, "(") { depth += 1 }
            if isSymbol(index, ")") {
                depth -= 1
                if depth == 0 { return index }
            }
            index += 1
        }
        return nil
    }

    // MARK: Computations

    /// An expression of constants alone becomes one constant, computed before anything is sent if it meets an encrypted column.
    func computed(_ body: Node, tag: String, form: CellForm = .value) -> TypeVariable? {
        guard let (computation, span) = computation(tag, body), case .call = computation.withoutCasts else { return nil }
        let variable = TypeVariable.undecided
        leaves.append(Leaf(source: .computed(computation), tokens: span, role: constantRole, form: form, variable: variable))
        return variable
    }

    func computation(_ node: Node) -> (Computation<ConstantToken>, ClosedRange<Int>)? {
        guard computationDepth < Self.maxComputationDepth else { return nil }
        computationDepth += 1
        defer { computationDepth -= 1 }
        let (tag, body) = node.tagged
        return computation(tag, body)
    }

    /// What the node computes and its tokens; nil if it is not made of constants, or not by what we compute. Changes nothing.
    private func computation(_ tag: String, _ body: Node) -> (Computation<ConstantToken>, ClosedRange<Int>)? {
        switch tag {
        case "A_Const":
            guard let first = token(at: body.location) else { return nil }
            if body.flag("isnull") { return isWord(first, "null") ? (.null, first...first) : nil }
            guard case .token(let constant) = constantToken(body, at: first) else { return nil }
            return (.constant(constant), first...constant.token)
        case "ParamRef":
            guard !isFunctionBody, let index = token(at: body.location), tokens[index].kind == .parameter else { return nil }
            return (.parameter(body.number("number") - 1), index...index)
        case "TypeCast":
            guard let argument = body["arg"], let type = body["typeName"], !type.has("arrayBounds"), !type.flag("setof"),
                !type.has("typmods"), let logical = LogicalType(typeNames: type.names("names")), logical != .bpchar,
                let (inner, tokens) = computation(argument), let span = castSpan(body, type, tokens)
            else { return nil }
            return (.cast(inner, logical), span)
        case "A_Expr": return computedOperator(body)
        case "FuncCall": return computedFunction(body)
        case "SQLValueFunction":
            let name = (body.string("op") ?? "").replacing("SVFOP_", with: "").lowercased()
            guard constantRole != .stored, ComputationNames.clocks.contains(name), let index = token(at: body.location) else { return nil }
            return (.call(name, isOperator: false, []), index...index)
        default: return nil
        }
    }

    private func computedOperator(_ body: Node) -> (Computation<ConstantToken>, ClosedRange<Int>)? {
        let names = body.names("name")
        guard body.string("kind") == "AEXPR_OP", names.count == 1, ComputationNames.operators.contains(names[0]),
            let right = body["rexpr"], let (b, rightTokens) = computation(right), let at = token(at: body.location)
        else { return nil }
        let end = parenthesized(rightTokens).upperBound
        guard let left = body["lexpr"] else {
            guard names[0] == "-" || names[0] == "+" else { return nil }
            return (.call(names[0], isOperator: true, [b]), at...max(at, end))
        }
        guard let (a, leftTokens) = computation(left) else { return nil }
        return (.call(names[0], isOperator: true, [a, b]), parenthesized(leftTokens).lowerBound...end)
    }

    private func computedFunction(_ body: Node) -> (Computation<ConstantToken>, ClosedRange<Int>)? {
        let names = body.names("funcname")
        guard names.count == 1 || names.count == 2 && names[0] == "pg_catalog", let name = names.last,
            ComputationNames.functions.contains(name), constantRole != .stored || !ComputationNames.clocks.contains(name)
        else { return nil }
        for member in ["agg_order", "agg_filter", "over", "agg_within_group", "agg_star", "agg_distinct", "func_variadic"]
        where body.has(member) { return nil }
        var arguments: [Computation<ConstantToken>] = []
        for argument in body.list("args") {
            guard let (next, _) = computation(argument) else { return nil }
            arguments.append(next)
        }
        guard let start = token(at: body.location), let end = endOfCall(start) else { return nil }
        return (.call(name, isOperator: false, arguments), start...end)
    }

    /// The closing bracket of the call whose function's name starts at `start`.
    func endOfCall(_ start: Int) -> Int? {
        var index = start
        while isSymbol(index + 1, "."), isIdentifier(index + 2) { index += 2 }
        return isSymbol(index + 1, "(") ? closing(index + 1) : nil
    }
}

extension Computation {
    /// What is below the outer casts.
    var withoutCasts: Computation {
        if case .cast(let inner, _) = self { return inner.withoutCasts }
        return self
    }
}
