internal import CellFormat
internal import ColumnCatalog
internal import Diagnostics

/// The end of an analysis: every constant and parameter is settled, the plan is made.
extension Analyzer {
    func finish() throws(Halt) {
        try settleOutputs()
        plan.edits += fixedEdits
        try settleParameters()
        try settlePreparedTypes()
        for leaf in leaves {
            if case .aggregate(_, let label) = leaf.variable.state {
                throw .refuse(.operationRefused, "an operation on an aggregate of the encrypted column \(label)")
            }
            switch leaf.source {
            case .parameter: break
            case .null:
                guard let (type, label) = leaf.variable.encryption else { continue }
                if leaf.isDomainCast || leaf.enumeration != nil { try check(leaf, type, label, number: nil) }
                plan.edits.append(
                    .init(tokens: leaf.tokens, text: "NULL::pg_catalog.\(type.serverTypeName)\(leaf.form == .array ? "[]" : "")"))
            case .typeName(let logical): try settleTypeName(leaf, logical)
            case .collate(let name): try settleCollation(leaf, name)
            case .literal(let value, let kind, let negative):
                guard let (type, label) = leaf.variable.encryption else { continue }
                try check(leaf, type, label, number: kind)
                let constant = ConstantToken(token: value, kind: kind, negative: negative)
                plan.edits.append(cell(leaf, type, label, .constant(constant, declared: leaf.declaredType)))
            case .computed(let computation):
                guard let (type, label) = leaf.variable.encryption, !isParameter(computation) else { continue }
                try check(leaf, type, label, number: nil)
                plan.edits.append(cell(leaf, type, label, .computed(computation)))
            }
        }
        plan.edits.sort { $0.tokens.lowerBound < $1.tokens.lowerBound }
        for (a, b) in zip(plan.edits, plan.edits.dropFirst()) where a.tokens.upperBound >= b.tokens.lowerBound {
            throw .refuse(.statementRefused, "a constant is used in a way that is not bound")
        }
    }

    private func cell(_ leaf: Leaf, _ type: EncryptedType, _ label: String, _ value: CellTemplate.Value) -> Plan.Edit {
        let template = CellTemplate(
            value: value, target: type, role: role(of: leaf), column: label, modifier: modifier(of: leaf), form: leaf.form,
            isOwn: leaf.isOwn && leaf.variable.isStored)
        return .init(tokens: leaf.tokens, parts: [.cell(template)])
    }

    /// A pattern is an operand, in views and CHECKs too: no column takes it, and the enclave takes no other.
    private func role(of leaf: Leaf) -> CellRole {
        if leaf.form == .pattern { return .operand }
        return leaf.variable.isStored ? .stored : leaf.role
    }

    private func modifier(of leaf: Leaf) -> Int32 {
        leaf.variable.isStored && leaf.form == .value ? leaf.variable.storedModifier : -1
    }

    /// A computation that is made anew for each execution: of the client's parameters, or of the time.
    private func isParameter(_ computation: Computation<ConstantToken>) -> Bool {
        !computation.parameters.isEmpty || context.isExtendedProtocol && computation.usesClock || isPreparing && computation.usesClock
    }

    /// A cast of something encrypted: to its own type (or between text and varchar) it changes nothing.
    private func settleTypeName(_ leaf: Leaf, _ logical: LogicalType?) throws(Halt) {
        guard let (type, label) = leaf.variable.encryption else {
            return try leaf.variable.requirePlain("a cast", at: nil)
        }
        let at = tokens[leaf.tokens.lowerBound].start
        func refuse(_ why: String) -> Halt {
            .refused(
                CloisterError(
                    .operationRefused, "\(why) is not available on the encrypted column \(label)",
                    hint: Refused.cast.instead), at: at)
        }
        if let obstacle = leaf.obstacle { throw refuse("a cast that \(obstacle)") }
        let isSame =
            logical == type.logical || (logical == .text || logical == .varchar) && (type.logical == .text || type.logical == .varchar)
        guard isSame else { throw refuse("a cast to \(logical?.name ?? "another type")") }
        plan.edits.append(
            .init(
                tokens: leaf.tokens,
                // In a view or a new table the column's key is known by it.
                text: leaf.role == .stored && leaf.form == .value
                    ? type.declaration : "pg_catalog.\(type.serverTypeName)\(leaf.form == .array ? "[]" : "")"))
    }

    /// Of which enumerations a result's columns are. A view or table made from a query must tell it by key and type.
    private func settleOutputs() throws(Halt) {
        for (index, output, makes) in outputs where !output.isOpaque {
            var found: [TypeName?] = []
            var isTold = false
            for column in output.columns {
                let encryption = column.variable.encryption
                found.append(encryption?.type.enumeration)
                guard let (type, label) = encryption else { continue }
                let byKey = catalog.marks.type(type.logical, type.scheme, key: type.key).enumeration
                if type.enumeration != nil || byKey != nil { isTold = true }
                if makes == .table, !column.variable.isOfBaseType, isOfConstrainedDomain(type, label: label) {
                    throw .refuse(
                        .definitionRefused, "\(label), which is of a domain, in a table made from a query",
                        hint: Refused.domainInQuery.instead)
                }
                guard makes != nil, byKey != type.enumeration else { continue }
                throw .refuse(
                    .definitionRefused, "\(label), which is of an enum, as text in a new relation", hint: Refused.enumerationAsText.instead)
            }
            if isTold, plan.effects.statements.indices.contains(index) { plan.effects.statements[index].enumerations = found }
        }
    }

    private func settleCollation(_ leaf: Leaf, _ name: String) throws(Halt) {
        guard let (type, label) = leaf.variable.encryption else { return try leaf.variable.requirePlain("COLLATE", at: nil) }
        guard type.logical.isText, let collation = Collation(rawValue: type.collation), collation.isNamed(name) else {
            throw .refused(
                CloisterError(
                    .operationRefused, "COLLATE \(name) is not available on the encrypted column \(label)",
                    hint: Refused.otherCollation.instead),
                at: tokens[leaf.tokens.lowerBound].start)
        }
        plan.edits.append(.init(tokens: leaf.tokens, text: ""))
    }

    // MARK: Parameters

    private func settleParameters() throws(Halt) {
        if isFunctionBody { return }
        var mentioned: Set<Int> = []
        for token in tokens where token.kind == .parameter {
            let number = Int(String(decoding: text[token.start + 1..<token.end], as: UTF8.self)) ?? 0
            guard (1...65535).contains(number) else {
                throw .refused(CloisterError(.parameterRefused, "a parameter number is out of range"), at: token.start)
            }
            plan.clientParameterCount = max(plan.clientParameterCount, number)
            mentioned.insert(number - 1)
        }
        // PREPARE and Parse may declare more than the text uses.
        plan.clientParameterCount = max(plan.clientParameterCount, declaredByPrepare.count)
        if isStrict, !isPreparing {
            plan.clientParameterCount = max(plan.clientParameterCount, context.declaredParameterTypes.count)
        }
        let uses = leaves.filter { leaf in
            switch leaf.source {
            case .parameter: true
            case .computed(let computation): leaf.variable.encryption != nil ? isParameter(computation) : !computation.parameters.isEmpty
            case .literal, .null, .typeName, .collate: false
            }
        }
        guard plan.clientParameterCount > 0 || !uses.isEmpty else { return }
        var places = ParameterPlaces(count: plan.clientParameterCount)
        try settleUndecided(uses, &places)
        for leaf in uses where leaf.variable.encryption == nil {
            for index in leaf.parameters where places.nullness[index] == nil { places.makePlain(index) }
        }
        for leaf in uses {
            guard let (type, label) = leaf.variable.encryption else { continue }
            let at = tokens[leaf.tokens.lowerBound].start
            guard context.isExtendedProtocol || isPreparing else {
                throw .refused(CloisterError(.parameterRefused, "a parameter in a simple query"), at: at)
            }
            try check(leaf, type, label, number: nil)
            var computation: Computation<ConstantToken>?
            if case .computed(let computed) = leaf.source { computation = computed }
            if case .parameter(let number) = leaf.source, leaf.form == .value {
                try places.show(leaf.declaredType ?? type.logical, for: number, context.declaredParameterTypes, at: at)
            }
            let wanted = ParameterTemplate(
                parameter: ServerParameter(
                    clientIndex: leaf.parameters.min() ?? 0, use: .encrypted(type, role(of: leaf), column: label),
                    declaredType: leaf.declaredType, modifier: modifier(of: leaf), form: leaf.form),
                computation: computation)
            let position = places.place(wanted, of: leaf.parameters)
            plan.edits.append(
                .init(
                    tokens: leaf.tokens,
                    text: "$\(position)::pg_catalog.\(type.serverTypeName)\(leaf.form == .array ? "[]" : "")"))
        }
        for (leaf, index) in places.tested {
            plan.edits.append(.init(tokens: leaf.tokens, text: "$\(places.placeOfNullness(index))::pg_catalog.bool"))
        }
        var withheld = uses.reduce(into: Set<Int>()) { $0.formUnion($1.variable.encryption == nil ? [] : $1.parameters) }
        // What the text does not use the server need not have: it may be meant for an encrypted column.
        if isStrict { withheld.formUnion((0..<plan.clientParameterCount).filter { !mentioned.contains($0) }) }
        plan.parameters = places.all(withheld: withheld)
        guard plan.parameters.count <= 65535 else { throw .refuse(.parameterRefused, "the statement has too many parameters") }
    }

    /// Undecided to the end (`$1 IS NULL OR name = $1`): it is what it is elsewhere in the text, or only its being NULL is told.
    private func settleUndecided(_ uses: [Leaf], _ places: inout ParameterPlaces) throws(Halt) {
        for leaf in uses {
            guard case .parameter(let number) = leaf.source, leaf.variable.encryption == nil else { continue }
            let others = uses.filter { $0.variable.encryption != nil && $0.parameters.contains(number - 1) }
            guard !others.isEmpty else { continue }
            let direct = others.first { if case .parameter = $0.source { $0.form == .value } else { false } }
            if leaf.variable.isUndecided, leaf.declaredType == nil, let direct {
                try leaf.variable.unify(direct.variable, operation: "a use", at: nil)
            } else if leaf.isNullTest {
                places.nullness[number - 1] = 0
                places.tested.append((leaf, number - 1))
            } else if leaf.variable.isUndecided {
                throw .refused(
                    CloisterError(
                        .parameterRefused, "parameter $\(number) is used with an encrypted column and also in a way that is not known",
                        hint: Refused.parameterUsedTwice.instead),
                    at: tokens[leaf.tokens.lowerBound].start)
            }
        }
    }

    // MARK: Checks

    /// An enumeration meets strings of no type, and values of its own.
    private func checkEnumeration(
        _ leaf: Leaf, _ type: EncryptedType, _ label: String, _ kind: LiteralSlot.Kind?, at offset: Int
    ) throws(Halt) {
        func refuse(_ code: ErrorCode, _ what: String, _ hint: String) -> Halt {
            .refused(CloisterError(code, "a constant for the encrypted column \(label) \(what)", hint: hint), at: offset)
        }
        guard let enumeration = type.enumeration else {
            if leaf.enumeration != nil {
                throw refuse(.constantRefused, "is cast to an enum that the column is not of", Refused.constantForm.instead)
            }
            return
        }
        if leaf.enumeration == enumeration { return }
        let mismatch = leaf.variable.isStored ? ErrorCode.assignmentMismatch : .operatorMissing
        if leaf.enumeration != nil || leaf.declaredType != nil || kind == .number || kind == .boolean {
            throw refuse(mismatch, "is of another type than enum \(enumeration)", "leave the cast out")
        }
        switch leaf.source {
        case .computed: throw refuse(mismatch, "is a text, not of enum \(enumeration)", "write the label as a constant or parameter")
        case .parameter(let number) where number <= context.declaredParameterTypes.count:
            let oid = context.declaredParameterTypes[number - 1]
            guard LogicalType(oid: oid) == nil, LogicalType(arrayOID: oid) == nil else {
                throw refuse(mismatch, "is declared as another type than enum \(enumeration)", "declare it as that, or not at all")
            }
        case .parameter, .literal, .null, .typeName, .collate: break
        }
    }

    /// Whether this constant can be read as a value of the column's type.
    private func check(_ leaf: Leaf, _ type: EncryptedType, _ label: String, number kind: LiteralSlot.Kind?) throws(Halt) {
        let at = tokens[leaf.tokens.lowerBound].start
        func refuse(_ why: String, _ hint: String) -> Halt {
            .refused(CloisterError(.constantRefused, "a constant for the encrypted column \(label) \(why)", hint: hint), at: at)
        }
        if let obstacle = leaf.obstacle {
            throw refuse(obstacle, leaf.isDomainCast ? Refused.domainCast.instead : Refused.constantForm.instead)
        }
        if leaf.form != .pattern { try checkEnumeration(leaf, type, label, kind, at: at) }
        if leaf.variable.isStored, leaf.form == .value, leaf.variable.storedModifier == TypeVariable.mixed {
            throw refuse("goes into columns of different lengths or precisions", "write it for each of them")
        }
        if leaf.form == .pattern {
            if let declared = leaf.declaredType, declared != .text, declared != .varchar {
                throw refuse("is a pattern cast to \(declared.name)", "leave the cast out")
            }
            if kind == .number || kind == .boolean { throw refuse("is a pattern, but not a text", "write it in quotes") }
            return
        }
        if let declared = leaf.declaredType, !declared.converts(to: type.logical) {
            throw refuse(
                "is cast to \(declared.name), but the column is of type \(type.logical.name)",
                "cast to \(type.logical.name), or leave the cast out")
        }
        if leaf.form == .array {
            if kind == .number || kind == .boolean { throw refuse("is not an array", "write an array: '{…}'") }
            return
        }
        switch kind {
        case .number where !type.logical.isNumber && leaf.declaredType == nil:
            throw refuse("is a number, but the column is of type \(type.logical.name)", "write it in quotes")
        case .boolean where type.logical != .boolean:
            throw refuse("is a boolean, but the column is of type \(type.logical.name)", "write a value of that type")
        default: break
        }
    }
}

/// Which server parameter stands for what: the client's own places first, then those that are added.
struct ParameterPlaces {
    private var first: [ParameterTemplate?]
    private var appended: [ParameterTemplate] = []
    /// The logical type that the client sees of each parameter.
    private var shown: [LogicalType?]
    /// Parameters of which only their being NULL is told, by their index, and their place once it is given.
    var nullness: [Int: Int] = [:]
    var tested: [(leaf: Leaf, index: Int)] = []

    init(count: Int) {
        first = Array(repeating: nil, count: count)
        shown = Array(repeating: nil, count: count)
    }

    mutating func makePlain(_ index: Int) {
        guard first.indices.contains(index) else { return }
        first[index] = ParameterTemplate(parameter: ServerParameter(clientIndex: index, use: .plain))
    }

    mutating func show(_ type: LogicalType, for number: Int, _ declared: [UInt32], at offset: Int) throws(Halt) {
        let isDeclared = number <= declared.count && declared[number - 1] != 0
        if let known = shown[number - 1], known != type, !isDeclared {
            throw .refused(
                CloisterError(
                    .parameterRefused, "parameter $\(number) is used with columns of the types \(known.name) and \(type.name)",
                    hint: Refused.parameterUsedTwice.instead),
                at: offset)
        }
        shown[number - 1] = type
    }

    /// The number of the server parameter for `wanted`, which is made of the client's parameters `indexes`.
    mutating func place(_ wanted: ParameterTemplate, of indexes: Set<Int>) -> Int {
        for index in indexes.sorted() where first.indices.contains(index) {
            if let known = first[index] {
                if known.isSame(as: wanted) { return index + 1 }
            } else {
                first[index] = wanted
                return index + 1
            }
        }
        if let index = appended.firstIndex(where: { $0.isSame(as: wanted) }) { return first.count + index + 1 }
        appended.append(wanted)
        return first.count + appended.count
    }

    mutating func placeOfNullness(_ index: Int) -> Int {
        place(ParameterTemplate(parameter: ServerParameter(clientIndex: index, use: .nullness)), of: [index])
    }

    /// A client's parameter that nothing was made of in its own place: unused if its value goes into others or nowhere, else plain.
    func all(withheld: Set<Int>) -> [ParameterTemplate] {
        first.enumerated().map { index, template in
            template
                ?? ParameterTemplate(
                    parameter: ServerParameter(clientIndex: index, use: withheld.contains(index) ? .unused : .plain))
        } + appended
    }
}
