package import CellFormat

/// A constant expression next to an encrypted column, which the client's side computes: the server may see neither its
/// constants nor its value. `Constant`: what stands for a constant (a token of a template, or its decoded text).
package indirect enum Computation<Constant: Sendable & Hashable>: Sendable, Hashable {
    case constant(Constant)
    case null
    /// A parameter of the client's, from 0.
    case parameter(Int)
    /// A function (name in lower case) or an operator of PostgreSQL's. `like_escape` is LIKE's ESCAPE clause.
    case call(String, isOperator: Bool, [Computation])
    case cast(Computation, LogicalType)

    package func map<Other>(_ transform: (Constant) -> Other?) -> Computation<Other>? {
        switch self {
        case .constant(let constant): return transform(constant).map { .constant($0) }
        case .null: return .null
        case .parameter(let index): return .parameter(index)
        case .call(let name, let isOperator, let arguments):
            var mapped: [Computation<Other>] = []
            for argument in arguments {
                guard let next = argument.map(transform) else { return nil }
                mapped.append(next)
            }
            return .call(name, isOperator: isOperator, mapped)
        case .cast(let inner, let type): return inner.map(transform).map { .cast($0, type) }
        }
    }

    /// The client's parameters in it, from 0.
    package var parameters: Set<Int> {
        switch self {
        case .constant, .null: []
        case .parameter(let index): [index]
        case .call(_, _, let arguments): arguments.reduce(into: []) { $0.formUnion($1.parameters) }
        case .cast(let inner, _): inner.parameters
        }
    }

    /// Whether its value changes with time: then it is computed for each execution.
    package var usesClock: Bool {
        switch self {
        case .constant, .null, .parameter: false
        case .call(let name, let isOperator, let arguments):
            !isOperator && ComputationNames.clocks.contains(name) || arguments.contains(where: \.usesClock)
        case .cast(let inner, _): inner.usesClock
        }
    }
}

/// A constant as it stands in a text, decoded.
package struct ConstantText: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var value: [UInt8]
    package var kind: LiteralSlot.Kind

    package init(value: [UInt8], kind: LiteralSlot.Kind) {
        self.value = value
        self.kind = kind
    }

    package var description: String { "a constant" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// A constant of a template: where it stands.
struct ConstantToken: Sendable, Hashable {
    var token: Int
    var kind: LiteralSlot.Kind
    var negative: Bool

    func text(_ tokens: [Token], _ text: [UInt8], standardConformingStrings: Bool) -> ConstantText? {
        guard
            var bytes = LiteralDecoding.value(of: tokens[token], in: text, standardConformingStrings: standardConformingStrings)
        else { return nil }
        switch kind {
        case .boolean: bytes = Array((text.matches("true", in: tokens[token].range) ? "true" : "false").utf8)
        case .number: if negative { bytes.insert(UInt8(ascii: "-"), at: 0) }
        case .string: break
        }
        return ConstantText(value: bytes, kind: kind)
    }
}

/// What may stand in a computation. Whether the operand types fit is seen when it is computed.
enum ComputationNames {
    static let clocks: Set<String> = [
        "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "now", "transaction_timestamp",
    ]
    static let operators: Set<String> = ["+", "-", "*", "/", "%", "||"]
    static let functions: Set<String> = [
        "lower", "upper", "initcap", "trim", "btrim", "ltrim", "rtrim", "substring", "substr", "left", "right", "repeat", "replace",
        "concat", "length", "char_length", "character_length", "abs", "round", "floor", "ceil", "ceiling", "date_trunc", "make_date",
        "make_timestamp", "make_interval", "now", "transaction_timestamp",
    ]
}
