package import CellFormat
package import Diagnostics

/// A constant while an expression of constants is computed.
package struct TypedValue: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// nil: a string constant whose type is open (`unknown`).
    package var type: LogicalType?
    /// Canonical bytes of the type, or text if that is nil; nil: NULL.
    package var bytes: [UInt8]?

    package init(type: LogicalType?, bytes: [UInt8]?) {
        self.type = type
        self.bytes = bytes
    }

    package var description: String { "TypedValue(\(type?.name ?? "unknown"))" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// PostgreSQL's operators and functions over constants, resolved as PostgreSQL 15 resolves them and computed to the same bits.
/// What depends on the server alone (its locale beyond ASCII, its clock) or is not computed here is refused (0A000).
package enum ConstantFunctions {
    package static let operators: Set<String> = ["+", "-", "*", "/", "%", "||"]
    package static let names: Set<String> = [
        "abs", "btrim", "ceil", "ceiling", "char_length", "character_length", "concat", "current_date", "current_time",
        "current_timestamp", "date_trunc", "floor", "initcap", "left", "length", "localtime", "localtimestamp", "lower", "ltrim",
        "make_date", "make_interval", "make_timestamp", "now", "repeat", "replace", "right", "round", "rtrim", "substr", "substring",
        "transaction_timestamp", "trim", "upper",
    ]

    /// `name`: an operator's symbol or a function's name in lower case; `now`: microseconds since 2000-01-01 UTC. Throws 0A000 for
    /// what is not computed exactly as PostgreSQL does.
    package static func evaluate(
        _ name: String, isOperator: Bool, _ arguments: [TypedValue], settings: SessionSettings, now: Int64
    ) throws(CloisterError) -> TypedValue {
        guard (isOperator ? operators : names).contains(name) else { throw refusal(name, isOperator: isOperator) }
        // All but concat are strict.
        if name != "concat", arguments.contains(where: { $0.bytes == nil }) {
            // No text function takes a bigint, be it of NULL.
            guard isOperator || arguments.count < 2 || !arguments.contains(where: { $0.type == .int8 }) else {
                throw refusal(name, isOperator: false)
            }
            return TypedValue(type: nil, bytes: nil)
        }
        let call = ConstantCall(name: name, isOperator: isOperator, arguments: arguments, settings: settings, now: now)
        if isOperator { return try call.operation() }
        if let value = try call.clock() { return value }
        if let value = try call.textFunction() { return value }
        if let value = try call.numberFunction() { return value }
        if let value = try call.dateFunction() { return value }
        throw refusal(name, isOperator: false)
    }

    static func refusal(_ name: String, isOperator: Bool) -> CloisterError {
        ValueError.unsupported(
            "\(isOperator ? "the operator" : "the function") \(name) is not computed by the proxy for these types",
            hint: "Write its result.")
    }
}

/// One operator or function and what it is applied to: no NULL, unless it is concat.
struct ConstantCall {
    let name: String
    let isOperator: Bool
    let arguments: [TypedValue]
    let settings: SessionSettings
    let now: Int64

    func refusal() -> CloisterError { ConstantFunctions.refusal(name, isOperator: isOperator) }

    var types: [LogicalType?] { arguments.map(\.type) }

    // MARK: Arguments

    /// The argument as a value of a type: an unknown literal is read as one, another type is converted if PostgreSQL does so
    /// without being asked (`implicit`: the types that it converts from).
    func value(_ index: Int, _ type: LogicalType, implicit: [LogicalType] = []) throws(CloisterError) -> [UInt8] {
        guard arguments.indices.contains(index), let bytes = arguments[index].bytes else { throw refusal() }
        guard let source = arguments[index].type else {
            return try ValueCodec.canonical(fromText: bytes, type: type, settings: settings)
        }
        if source == type { return bytes }
        guard implicit.contains(source) else { throw refusal() }
        return try ValueCodec.convert(canonical: bytes, from: source, to: type, settings: settings)
    }

    func text(_ index: Int) throws(CloisterError) -> [UInt8] { try value(index, .text, implicit: [.varchar, .bpchar]) }

    func int4(_ index: Int) throws(CloisterError) -> Int { Int(Bytes.integer(try value(index, .int4, implicit: [.int2]), as: Int32.self)) }

    func float8(_ index: Int) throws(CloisterError) -> Double {
        Double(bitPattern: Bytes.integer(try value(index, .float8, implicit: [.int2, .int4, .int8, .numeric, .float4])))
    }

    func numeric(_ index: Int) throws(CloisterError) -> Numeric {
        try Numeric(canonical: value(index, .numeric, implicit: [.int2, .int4, .int8]))
    }

    // MARK: Results

    func result(_ type: LogicalType, _ bytes: [UInt8]) -> TypedValue { TypedValue(type: type, bytes: bytes) }
    func result(_ value: Numeric) -> TypedValue { result(.numeric, value.canonical) }
    func result(_ value: Interval) -> TypedValue { result(.interval, value.canonical) }
    func result(_ value: Double) -> TypedValue { result(.float8, Bytes.bigEndian(value.bitPattern)) }
    func result(int4 value: Int) -> TypedValue { result(.int4, Bytes.bigEndian(Int32(truncatingIfNeeded: value))) }

    // MARK: The clock

    func clock() throws(CloisterError) -> TypedValue? {
        guard arguments.isEmpty else { return nil }
        let instant = result(.timestamptz, Bytes.bigEndian(now))
        func converted(_ type: LogicalType) throws(CloisterError) -> TypedValue {
            result(type, try ValueCodec.convert(canonical: Bytes.bigEndian(now), from: .timestamptz, to: type, settings: settings))
        }
        switch name {
        case "now", "current_timestamp", "transaction_timestamp": return instant
        case "current_date": return try converted(.date)
        case "localtimestamp": return try converted(.timestamp)
        case "current_time": return try converted(.timetz)
        case "localtime": return try converted(.time)
        default: return nil
        }
    }
}
