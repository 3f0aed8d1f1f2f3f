internal import CellFormat
internal import ColumnCatalog

/// What binding a template came to, in terms of token indexes: good for every text of the same template whose pinned
/// tokens are the same.
struct Plan: Sendable {
    /// What takes the place of some tokens.
    enum Part: Sendable {
        case text(String)
        case verbatim(ClosedRange<Int>)
        case cell(CellTemplate)
        /// A cell whose constants were read already: its plan is not for other texts.
        case slot(LiteralSlot)
    }
    struct Edit: Sendable {
        var tokens: ClosedRange<Int>
        var parts: [Part]

        init(tokens: ClosedRange<Int>, parts: [Part]) {
            self.tokens = tokens
            self.parts = parts
        }

        init(tokens: ClosedRange<Int>, text: String) { self.init(tokens: tokens, parts: [.text(text)]) }
    }
    /// Sorted, disjoint.
    var edits: [Edit] = []
    var parameters: [ParameterTemplate] = []
    var clientParameterCount = 0
    var effects = StatementEffects()
    var copyIn: CopyInPlan?
    var copyOut: CopyOutPlan?
    /// Literal tokens whose value the plan depends on (ordinals).
    var pins: [(token: Int, value: [UInt8])] = []
    var isCacheable = true

    /// Nothing to encrypt and nothing to rewrite.
    var isPassThrough: Bool {
        edits.isEmpty && copyIn == nil && copyOut == nil && !parameters.contains { $0.parameter.use != .plain }
    }

    func accepts(_ tokens: [Token], _ text: [UInt8]) -> Bool {
        pins.allSatisfy { pin in text[tokens[pin.token].range].elementsEqual(pin.value) }
    }

    /// The outcome for one text. nil if a string constant is malformed.
    func outcome(tokens: [Token], text: [UInt8], standardConformingStrings: Bool) -> BindOutcome? {
        if isPassThrough { return .passThrough(effects) }
        var pieces: [BoundStatement.Piece] = []
        var at = 0
        for edit in edits {
            let range = tokens[edit.tokens.lowerBound].start..<tokens[edit.tokens.upperBound].end
            if at < range.lowerBound { pieces.append(.verbatim(at..<range.lowerBound)) }
            // A constant may touch its neighbours (`IN'x'AND`); what replaces it must not.
            if range.lowerBound > 0, Self.glues(text[range.lowerBound - 1]) { pieces.append(.text(" ")) }
            for part in edit.parts {
                switch part {
                case .text(let replacement): pieces.append(.text(replacement))
                case .verbatim(let part): pieces.append(.verbatim(tokens[part.lowerBound].start..<tokens[part.upperBound].end))
                case .slot(var slot):
                    slot.range = range
                    pieces.append(.cell(slot))
                case .cell(let template):
                    guard
                        let slot = template.slot(
                            tokens, text, range: range, standardConformingStrings: standardConformingStrings)
                    else { return nil }
                    pieces.append(.cell(slot))
                }
            }
            if range.upperBound < text.count, Self.glues(text[range.upperBound]) { pieces.append(.text(" ")) }
            at = range.upperBound
        }
        if at < text.count { pieces.append(.verbatim(at..<text.count)) }
        var served: [ServerParameter] = []
        for template in parameters {
            guard let parameter = template.resolved(tokens, text, standardConformingStrings: standardConformingStrings) else { return nil }
            served.append(parameter)
        }
        var effects = effects
        if let index = effects.statements.indices.first(where: { effects.statements[$0].prepares != nil }) {
            effects.statements[index].preparedParameters = served
            if !isProtocolStatement { served = [] }
        }
        return .bound(
            BoundStatement(
                pieces: pieces, parameters: served, clientParameterCount: isProtocolStatement ? clientParameterCount : 0, effects: effects,
                copyIn: copyIn, copyOut: copyOut, isRewritten: !edits.isEmpty))
    }

    /// The parameters are those of the text itself, not of a PREPARE in it.
    private var isProtocolStatement: Bool { !effects.statements.contains { $0.prepares != nil } }

    private static func glues(_ c: UInt8) -> Bool {
        Lexer.isWordPart(c) || c == UInt8(ascii: "'") || c == UInt8(ascii: "\"") || c == UInt8(ascii: ".")
    }
}

/// A cell to be made, in terms of tokens.
struct CellTemplate: Sendable, Hashable {
    enum Value: Sendable, Hashable {
        case constant(ConstantToken, declared: LogicalType?)
        case computed(Computation<ConstantToken>)
        /// TRUE, which the text does not have.
        case truth
    }
    var value: Value
    var target: EncryptedType
    var role: CellRole
    var column: String
    var modifier: Int32 = -1
    var form = CellForm.value
    var isOwn = false

    func slot(_ tokens: [Token], _ text: [UInt8], range: Range<Int>, standardConformingStrings: Bool) -> LiteralSlot? {
        switch value {
        case .constant(let constant, let declared):
            guard let read = constant.text(tokens, text, standardConformingStrings: standardConformingStrings) else { return nil }
            return LiteralSlot(
                value: read.value, kind: read.kind, declaredType: declared, target: target, role: role, column: column, modifier: modifier,
                form: form, isOwn: isOwn, range: range)
        case .truth:
            return LiteralSlot(
                value: Array("true".utf8), kind: .boolean, declaredType: nil, target: target, role: role, column: column, range: range)
        case .computed(let computation):
            guard
                let computed = computation.map({ $0.text(tokens, text, standardConformingStrings: standardConformingStrings) })
            else { return nil }
            return LiteralSlot(
                value: [], kind: .string, declaredType: nil, target: target, role: role, column: column, modifier: modifier, form: form,
                computation: computed, isOwn: isOwn, range: range)
        }
    }
}

/// A server parameter whose computation is in terms of tokens.
struct ParameterTemplate: Sendable, Hashable {
    /// Its `computation` is not set.
    var parameter: ServerParameter
    var computation: Computation<ConstantToken>?

    func resolved(_ tokens: [Token], _ text: [UInt8], standardConformingStrings: Bool) -> ServerParameter? {
        guard let computation else { return parameter }
        guard let computed = computation.map({ $0.text(tokens, text, standardConformingStrings: standardConformingStrings) }) else {
            return nil
        }
        var parameter = parameter
        parameter.computation = computed
        return parameter
    }

    /// The same bytes would be sent for both: the label is for messages only.
    func isSame(as other: Self) -> Bool {
        guard computation == other.computation, parameter.form == other.parameter.form, parameter.modifier == other.parameter.modifier
        else { return false }
        switch (parameter.use, other.parameter.use) {
        case (.plain, .plain), (.unused, .unused), (.nullness, .nullness): return true
        case (.encrypted(let a, let x, _), .encrypted(let b, let y, _)):
            return a == b && x == y && parameter.declaredType == other.parameter.declaredType
        case (.plain, _), (.unused, _), (.nullness, _), (.encrypted, _): return false
        }
    }
}

/// What a plan may depend on: the text without its literals, and the context.
struct TemplateKey: Hashable, Sendable {
    var template: [UInt8]
    var catalog: UInt64
    var searchPath: [String]?
    var standardConformingStrings: Bool
    var declaredParameterTypes: [UInt32]
    var isExtendedProtocol: Bool
    var catalogIsCurrent: Bool

    init(tokens: [Token], text: [UInt8], context: BindContext) {
        var template: [UInt8] = []
        template.reserveCapacity(text.count)
        for token in tokens {
            // Control bytes can't begin a token, so the tags are unambiguous.
            if token.kind.isLiteral {
                template.append(token.kind.rawValue)
            } else {
                template.append(contentsOf: text[token.range])
                template.append(0x1f)
            }
        }
        self.template = template
        catalog = context.catalog.id
        searchPath = context.searchPath
        standardConformingStrings = context.standardConformingStrings
        declaredParameterTypes = context.declaredParameterTypes
        isExtendedProtocol = context.isExtendedProtocol
        catalogIsCurrent = context.catalogIsCurrent
    }
}
