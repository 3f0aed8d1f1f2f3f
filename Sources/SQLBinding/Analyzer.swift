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
    /// Whether queries of the server's catalog see encrypted columns as their logical types.
    var showsLogicalTypes = true

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
    /// Inside PREPARE: parameters are its own.
    var isPreparing = false
    /// The types that PREPARE declares for them.
    var declaredByPrepare: [Node] = []
    var hasSeveralStatements = false
    /// Inside a routine's body: parameters and arguments are plain values of the server's.
    var isFunctionBody = false
    var bodyArguments: [String] = []
    /// Set to explain the statement.
    var log: OperationLog?
    /// The text's `ENCRYPTED WITH` clauses, and the first tokens of those that belonged to a column.
    var clauses: [EncryptedWith] = []
    var handled: Set<Int> = []
    /// Domains and enumerations created earlier in the same text.
    var createdTypes: [TypeName: ServerUserType] = [:]
    enum MadeRelation { case view, table }
    /// Results of the text's statements, by the statement's index, and what is made of them.
    var outputs: [(statement: Int, output: Output, makes: MadeRelation?)] = []
    private var depth = 0
    var computationDepth = 0
    static let maxComputationDepth = 100
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
                hint: Refused.unlisted.instead, at: node)
        }
    }

    func unknown(_ tag: String, _ body: Node) -> Halt {
        .refuse(
            .statementRefused, "\(tag.isEmpty ? "this expression" : tag) is not bound in statements that touch encrypted columns",
            hint: Refused.unlisted.instead, at: body)
    }

    func deeper<T>(_ node: Node, _ work: () throws(Halt) -> T) throws(Halt) -> T {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maxDepth else {
            throw .refuse(.textRefused, "the statement is nested too deeply to be bound", hint: "split it", at: node)
        }
        return try work()
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
