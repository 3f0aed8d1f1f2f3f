internal import CellFormat
internal import ColumnCatalog

/// What binding a template came to, in terms of token indexes: good for every text of the same template whose pinned
/// tokens are the same.
struct Plan: Sendable {
    struct Edit: Sendable {
        enum Action: Sendable {
            case text(String)
            case cell(
                value: Int, kind: LiteralSlot.Kind, negative: Bool, declared: LogicalType?, target: EncryptedType, role: CellRole,
                column: String)
        }
        var tokens: ClosedRange<Int>
        var action: Action
    }
    /// Sorted, disjoint.
    var edits: [Edit] = []
    var parameters: [ServerParameter] = []
    var clientParameterCount = 0
    var effects = StatementEffects()
    var copyIn: CopyInPlan?
    /// Literal tokens whose value the plan depends on (ordinals).
    var pins: [(token: Int, value: [UInt8])] = []
    var isCacheable = true

    /// Nothing to encrypt and nothing to rewrite.
    var isPassThrough: Bool { edits.isEmpty && copyIn == nil && !parameters.contains { $0.use != .plain } }

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
            switch edit.action {
            case .text(let replacement): pieces.append(.text(replacement))
            case .cell(let value, let kind, let negative, let declared, let target, let role, let column):
                guard var bytes = LiteralDecoding.value(of: tokens[value], in: text, standardConformingStrings: standardConformingStrings)
                else { return nil }
                switch kind {
                case .boolean: bytes = text.matches("true", in: tokens[value].range) ? Array("true".utf8) : Array("false".utf8)
                case .number: if negative { bytes.insert(UInt8(ascii: "-"), at: 0) }
                case .string: break
                }
                pieces.append(
                    .cell(
                        LiteralSlot(
                            value: bytes, kind: kind, declaredType: declared, target: target, role: role, column: column, range: range)))
            }
            if range.upperBound < text.count, Self.glues(text[range.upperBound]) { pieces.append(.text(" ")) }
            at = range.upperBound
        }
        if at < text.count { pieces.append(.verbatim(at..<text.count)) }
        return .bound(
            BoundStatement(
                pieces: pieces, parameters: parameters, clientParameterCount: clientParameterCount, effects: effects, copyIn: copyIn,
                isRewritten: !edits.isEmpty))
    }

    private static func glues(_ c: UInt8) -> Bool {
        Lexer.isWordPart(c) || c == UInt8(ascii: "'") || c == UInt8(ascii: "\"") || c == UInt8(ascii: ".")
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
