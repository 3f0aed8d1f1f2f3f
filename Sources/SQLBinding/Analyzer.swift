internal import CellFormat
internal import ColumnCatalog
internal import Diagnostics

/// Analyses one text: which statements touch marked relations, and in those what every constant is.
///
/// The walk is closed-world: an unknown kind of node, or an unknown member of a known one, is a refusal. The order of the
/// walk does not matter to constants: they are settled at the end (`finish`).
final class Analyzer {
    let text: [UInt8]
    let tokens: [Token]
    let context: BindContext
    var catalog: CatalogSnapshot { context.catalog }

    var plan = Plan()
    var leaves: [Leaf] = []
    /// Edits that are not constants: type names in DDL.
    var fixedEdits: [Plan.Edit] = []
    /// Constants of stored objects (CHECK, views, partial indexes) are stored cells; those of queries are operands.
    var constantRole = CellRole.operand
    /// Whether the statement at hand touches a marked relation.
    var isStrict = false
    /// Tables created earlier in the same text.
    var created: [QualifiedName: CatalogRelation] = [:]
    var createdByBareName: [String: CatalogRelation] = [:]
    /// An earlier statement of the text may have changed what names mean.
    var namesMayHaveChanged = false
    /// An earlier statement of the text made a relation with encrypted columns that the catalog does not know yet.
    var madeMarkedRelation = false
    /// An earlier statement of the text drops something.
    var hasDropped = false
    /// One variable for everything that is plain; never receives a value.
    let plain = TypeVariable.plain
    /// Strings whose escapes were hidden from the parser (standard_conforming_strings off): their value in the tree is wrong.
    var hasMaskedStrings = false
    private var depth = 0
    /// Levels of expressions and queries; each takes a few kilobytes of stack in a debug build.
    private static let maxDepth = 250

    init(text: [UInt8], tokens: [Token], context: BindContext) {
        self.text = text
        self.tokens = tokens
        self.context = context
    }

    // MARK: Tokens

    /// The token that starts at byte `offset`.
    func token(at offset: Int) -> Int? {
        var low = 0
        var high = tokens.count
        while low < high {
            let middle = (low + high) / 2
            if tokens[middle].start < offset { low = middle + 1 } else { high = middle }
        }
        return low < tokens.count && tokens[low].start == offset ? low : nil
    }

    func isSymbol(_ index: Int, _ symbol: StaticString) -> Bool {
        index >= 0 && index < tokens.count && tokens[index].kind == .symbol && text.matches(symbol, in: tokens[index].range)
    }

    func isWord(_ index: Int, _ word: StaticString) -> Bool {
        index >= 0 && index < tokens.count && tokens[index].kind == .word && text.matches(word, in: tokens[index].range)
    }

    func isIdentifier(_ index: Int) -> Bool {
        index >= 0 && index < tokens.count && (tokens[index].kind == .word || tokens[index].kind == .quotedIdentifier)
    }

    func pin(_ index: Int) { plan.pins.append((index, Array(text[tokens[index].range]))) }

    // MARK: Closed world

    /// Refuses a node that has a member other than those named: it means something we don't know.
    func only(_ node: Node, _ members: Set<String>) throws(Halt) {
        for child in node.children where !members.contains(child.key) {
            throw .refuse(
                .statementRefused, "this form of the statement is not bound on tables with encrypted columns (\(child.key))",
                hint: "docs/sql.md lists what is bound", at: node)
        }
    }

    func unknown(_ tag: String, _ body: Node) -> Halt {
        .refuse(
            .statementRefused, "\(tag.isEmpty ? "this expression" : tag) is not bound in statements that touch encrypted columns",
            hint: "docs/sql.md lists what is bound", at: body)
    }

    func deeper<T>(_ node: Node, _ work: () throws(Halt) -> T) throws(Halt) -> T {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maxDepth else {
            throw .refuse(.textRefused, "the statement is nested too deeply to be bound", hint: "split it", at: node)
        }
        return try work()
    }

    // MARK: The end

    /// Settles every constant and makes the plan.
    func finish() throws(Halt) {
        plan.edits = fixedEdits
        try settleParameters()
        for leaf in leaves {
            guard case .literal(let value, let kind, let negative) = leaf.source else {
                if case .null = leaf.source, let type = leaf.variable.encryption?.type {
                    plan.edits.append(.init(tokens: leaf.tokens, action: .text("NULL::pg_catalog.\(type.serverTypeName)")))
                }
                continue
            }
            guard let (type, label) = leaf.variable.encryption else { continue }
            try check(leaf, type, label, number: kind)
            plan.edits.append(
                .init(
                    tokens: leaf.tokens,
                    action: .cell(
                        value: value, kind: kind, negative: negative, declared: leaf.declaredType, target: type,
                        role: role(of: leaf), column: label)))
        }
        plan.edits.sort { $0.tokens.lowerBound < $1.tokens.lowerBound }
        for (a, b) in zip(plan.edits, plan.edits.dropFirst()) where a.tokens.upperBound >= b.tokens.lowerBound {
            throw .refuse(.statementRefused, "a constant is used in a way that is not bound")
        }
    }

    private func role(of leaf: Leaf) -> CellRole { leaf.variable.isStored ? .stored : leaf.role }

    private func settleParameters() throws(Halt) {
        var byNumber: [Int: [Leaf]] = [:]
        for leaf in leaves { if case .parameter(let number) = leaf.source { byNumber[number, default: []].append(leaf) } }
        for token in tokens where token.kind == .parameter {
            let number = Int(String(decoding: text[token.start + 1..<token.end], as: UTF8.self)) ?? 0
            guard (1...65535).contains(number) else {
                throw .refused(CloisterError(.parameterRefused, "a parameter number is out of range"), at: token.start)
            }
            plan.clientParameterCount = max(plan.clientParameterCount, number)
        }
        guard plan.clientParameterCount > 0 else { return }
        var first: [ServerParameter?] = Array(repeating: nil, count: plan.clientParameterCount)
        var appended: [ServerParameter] = []
        for number in byNumber.keys.sorted() {
            let uses = byNumber[number] ?? []
            // Undecided to the end (`$1 IS NULL OR name = $1`): it is what it is elsewhere in the text.
            let elsewhere = uses.first { $0.variable.encryption != nil }?.variable
            for leaf in uses where leaf.variable.isUndecided {
                if let elsewhere, leaf.declaredType == nil { try leaf.variable.unify(elsewhere, operation: "a use", at: nil) }
            }
            let plainUses = uses.contains { $0.variable.encryption == nil }
            var logical: LogicalType?
            if plainUses { first[number - 1] = ServerParameter(clientIndex: number - 1, use: .plain) }
            for leaf in uses {
                guard let (type, label) = leaf.variable.encryption else { continue }
                guard context.isExtendedProtocol else {
                    throw .refused(
                        CloisterError(.parameterRefused, "a parameter in a simple query"), at: tokens[leaf.tokens.lowerBound].start)
                }
                try check(leaf, type, label, number: nil)
                let shown = leaf.declaredType ?? type.logical
                let isDeclared = number <= context.declaredParameterTypes.count && context.declaredParameterTypes[number - 1] != 0
                if let logical, logical != shown, !isDeclared {
                    throw .refused(
                        CloisterError(
                            .parameterRefused, "parameter $\(number) is used with columns of the types \(logical.name) and \(shown.name)",
                            hint: "use two parameters"),
                        at: tokens[leaf.tokens.lowerBound].start)
                }
                logical = shown
                let wanted = ServerParameter(
                    clientIndex: number - 1, use: .encrypted(type, role(of: leaf), column: label), declaredType: leaf.declaredType)
                let position: Int
                if let known = first[number - 1], known.isSame(as: wanted) {
                    position = number
                } else if first[number - 1] == nil {
                    first[number - 1] = wanted
                    position = number
                } else if let index = appended.firstIndex(where: { $0.isSame(as: wanted) }) {
                    position = plan.clientParameterCount + index + 1
                } else {
                    appended.append(wanted)
                    position = plan.clientParameterCount + appended.count
                }
                plan.edits.append(.init(tokens: leaf.tokens, action: .text("$\(position)::pg_catalog.\(type.serverTypeName)")))
            }
        }
        plan.parameters = first.enumerated().map { $1 ?? ServerParameter(clientIndex: $0, use: .plain) } + appended
        guard plan.parameters.count <= 65535 else { throw .refuse(.parameterRefused, "the statement has too many parameters") }
    }

    /// Whether this constant can be read as a value of the column's type.
    private func check(_ leaf: Leaf, _ type: EncryptedType, _ label: String, number kind: LiteralSlot.Kind?) throws(Halt) {
        let at = tokens[leaf.tokens.lowerBound].start
        func refuse(_ why: String, _ hint: String) -> Halt {
            .refused(CloisterError(.constantRefused, "a constant for the encrypted column \(label) \(why)", hint: hint), at: at)
        }
        if let obstacle = leaf.obstacle { throw refuse(obstacle, "write it as a plain constant or parameter") }
        if let declared = leaf.declaredType, !declared.converts(to: type.logical) {
            throw refuse(
                "is cast to \(declared.name), but the column is of type \(type.logical.name)",
                "cast to \(type.logical.name), or leave the cast out")
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

extension ServerParameter {
    /// The same bytes would be sent for both: the label is for messages only.
    func isSame(as other: Self) -> Bool {
        switch (use, other.use) {
        case (.plain, .plain): true
        case (.encrypted(let a, let x, _), .encrypted(let b, let y, _)): a == b && x == y && declaredType == other.declaredType
        case (.plain, .encrypted), (.encrypted, .plain): false
        }
    }
}

extension LogicalType {
    var isNumber: Bool {
        switch self {
        case .int2, .int4, .int8, .float4, .float8, .numeric: true
        case .boolean, .text, .varchar, .bpchar, .bytea, .date, .time, .timetz, .timestamp, .timestamptz, .interval, .uuid, .inet, .json,
            .jsonb:
            false
        }
    }

    /// Whether a constant declared as this type may stand opposite a column of type `other` without a change of meaning
    /// (a value that does not fit is an error).
    func converts(to other: LogicalType) -> Bool {
        if self == other { return true }
        switch self {
        case .int2, .int4, .int8: return other.isNumber
        case .numeric: return other == .float8 || other == .float4
        case .float4: return other == .float8
        case .text: return other == .varchar
        case .varchar: return other == .text
        case .date: return other == .timestamp
        case .float8, .boolean, .bpchar, .bytea, .time, .timetz, .timestamp, .timestamptz, .interval, .uuid, .inet, .json, .jsonb:
            return false
        }
    }

    /// From a type name as the grammar delivers it (`int` → pg_catalog.int4): nil if it is none of ours.
    init?(typeNames: [String]) {
        guard typeNames.count == 1 || typeNames.count == 2 && typeNames[0] == "pg_catalog", let name = typeNames.last else { return nil }
        self.init(name: name == "bool" ? "boolean" : name == "boolean" && typeNames.count == 2 ? "" : name)
    }
}
