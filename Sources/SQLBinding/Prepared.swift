internal import CellFormat
internal import ColumnCatalog
internal import Diagnostics

/// SQL's own prepared statements: `PREPARE name (types) AS query` and `EXECUTE name (values)`.
extension Analyzer {
    // MARK: PREPARE

    func prepare(_ body: Node) throws(Halt) {
        try only(body, ["name", "argtypes", "query"])
        guard let inner = body["query"] else { throw unknown("PrepareStmt", body) }
        guard !hasSeveralStatements else {
            throw .refuse(
                .statementRefused, "PREPARE over encrypted columns together with other statements in one text",
                hint: Refused.severalStatements.instead)
        }
        isPreparing = true
        declaredByPrepare = body.list("argtypes").map(\.tagged.body)
        _ = try query(inner, Environment())
    }

    /// The declared types of parameters that became cells: the server's in their place, the client's kept for EXECUTE.
    func settlePreparedTypes() throws(Halt) {
        for (index, type) in declaredByPrepare.enumerated() where plan.parameters.indices.contains(index) {
            guard let start = token(at: type.location), let end = endOfTypeName(start) else { throw unknown("this type name", type) }
            switch plan.parameters[index].parameter.use {
            case .plain, .unused: break
            case .nullness: plan.edits.append(.init(tokens: start...end, text: "pg_catalog.bool"))
            case .encrypted(let encrypted, _, let label):
                let isArray = plan.parameters[index].parameter.form == .array
                let isUnknown = [["unknown"], ["pg_catalog", "unknown"]].contains(type.names("names")) && !type.has("arrayBounds")
                let declared = try userType(type.names("names"))
                let isOwn = encrypted.enumeration != nil && declared == encrypted.enumeration
                let isValueType =
                    isUnknown || isOwn || encrypted.enumeration == nil && LogicalType(typeNames: type.names("names")) != nil
                guard isValueType, !type.has("typmods"), isUnknown || type.has("arrayBounds") == isArray else {
                    throw .refused(
                        CloisterError(
                            .parameterRefused, "parameter $\(index + 1) for the encrypted column \(label) is declared as another type",
                            hint: "declare it as \(encrypted.logical.name)\(isArray ? "[]" : ""), without a length"),
                        at: tokens[start].start)
                }
                let name = "pg_catalog.\(encrypted.serverTypeName)\(isArray ? "[]" : "")"
                plan.edits.append(.init(tokens: start...end, text: name))
            }
        }
        for index in plan.parameters.indices where plan.parameters[index].parameter.declaredType == nil {
            let client = plan.parameters[index].parameter.clientIndex
            guard declaredByPrepare.indices.contains(client), plan.parameters[index].computation == nil else { continue }
            plan.parameters[index].parameter.declaredType = LogicalType(typeNames: declaredByPrepare[client].names("names"))
        }
    }

    // MARK: EXECUTE

    /// Values for a statement that has encrypted parameters. `from`: the first token of the statement.
    func execute(_ body: Node, _ parameters: [ServerParameter], from: Int) throws(Halt) {
        try only(body, ["name", "params"])
        plan.isCacheable = false
        let name = body.string("name") ?? ""
        let arguments = body.list("params")
        let wanted = parameters.reduce(0) { count, parameter in
            max(count, (parameter.computation?.parameters.max() ?? (parameter.needsClient ? parameter.clientIndex : -1)) + 1)
        }
        guard arguments.count == wanted else {
            throw .refused(
                CloisterError(.syntaxError, "wrong number of parameters for prepared statement \"\(name)\": \(wanted) are expected"),
                at: nil)
        }
        guard let keyword = (from..<tokens.count).first(where: { isWord($0, "execute") }), isIdentifier(keyword + 1) else {
            throw unknown("this EXECUTE", body)
        }
        var values: [(computation: Computation<ConstantText>, tokens: ClosedRange<Int>)?] = []
        for argument in arguments {
            guard let (computation, span) = computation(argument),
                let read = computation.map({
                    $0.text(tokens, text, standardConformingStrings: context.standardConformingStrings)
                })
            else {
                values.append(nil)
                continue
            }
            values.append((read, span))
        }
        var appended: [Plan.Part] = []
        for (index, parameter) in parameters.enumerated() {
            let part = try executeValue(parameter, values, number: index + 1)
            if index < wanted {
                guard let part else { continue }
                guard let span = values[index]?.tokens else { throw notConstant(parameter, number: index + 1) }
                plan.edits.append(.init(tokens: span, parts: [part]))
            } else if let part {
                appended += [.text(", "), part]
            }
        }
        guard !appended.isEmpty else { return }
        if isSymbol(keyword + 2, "("), let close = closing(keyword + 2) {
            plan.edits.append(.init(tokens: close...close, parts: appended + [.text(")")]))
        } else {
            plan.edits.append(
                .init(
                    tokens: keyword + 1...keyword + 1,
                    parts: [.verbatim(keyword + 1...keyword + 1), .text(" (")] + appended.dropFirst() + [.text(")")]))
        }
    }

    /// What the server gets for one parameter; nil: the client's argument as it is.
    private func executeValue(
        _ parameter: ServerParameter, _ values: [(computation: Computation<ConstantText>, tokens: ClosedRange<Int>)?], number: Int
    ) throws(Halt) -> Plan.Part? {
        let own = values.indices.contains(parameter.clientIndex) ? values[parameter.clientIndex]?.computation : nil
        switch parameter.use {
        case .plain: return nil
        case .unused: return .text("NULL")
        case .nullness:
            guard let own else { throw notConstant(parameter, number: number) }
            return .text(own.withoutCasts == .null ? "NULL" : "true")
        case .encrypted(let type, let role, let column):
            let computation: Computation<ConstantText>
            if let made = parameter.computation {
                guard let substituted = made.substituting({ values.indices.contains($0) ? values[$0]?.computation : nil }) else {
                    throw notConstant(parameter, number: number)
                }
                computation = substituted
            } else {
                guard let own else { throw notConstant(parameter, number: number) }
                // An array's declared type is that of its elements, which are read one by one.
                let isArray = parameter.form == .array
                computation = isArray ? own : parameter.declaredType.map { .cast(own, $0) } ?? own
            }
            guard computation.parameters.isEmpty else { throw notConstant(parameter, number: number) }
            return .slot(
                LiteralSlot(
                    value: [], kind: .string, declaredType: parameter.form == .array ? parameter.declaredType : nil, target: type,
                    role: role, column: column, modifier: parameter.modifier,
                    form: parameter.form, computation: computation, isOwn: role == .stored, range: 0..<0))
        }
    }

    private func notConstant(_ parameter: ServerParameter, number: Int) -> Halt {
        var label = "an encrypted column"
        if case .encrypted(_, _, let column) = parameter.use { label = "the encrypted column \(column)" }
        return .refused(
            CloisterError(
                .parameterRefused, "EXECUTE gives parameter $\(number), which is for \(label), a value that is not constant",
                hint: Refused.executeNotConstant.instead), at: nil)
    }
}

extension ServerParameter {
    /// Whether the client gives a value at `clientIndex` for it.
    fileprivate var needsClient: Bool { computation == nil }
}

extension Computation {
    /// With `value` in the place of each parameter; nil if one has none.
    fileprivate func substituting(_ value: (Int) -> Computation?) -> Computation? {
        switch self {
        case .constant, .null: return self
        case .parameter(let index): return value(index)
        case .call(let name, let isOperator, let arguments):
            var replaced: [Computation] = []
            for argument in arguments {
                guard let next = argument.substituting(value) else { return nil }
                replaced.append(next)
            }
            return .call(name, isOperator: isOperator, replaced)
        case .cast(let inner, let type): return inner.substituting(value).map { .cast($0, type) }
        }
    }
}
