package import CellFormat

/// PostgreSQL's order of two values, on their canonical bytes (the type's binary send form).
///
/// Text compares by UTF-8 bytes (collation "C"), bpchar without its trailing blanks; NaN is equal to itself and above
/// everything for floats and numeric; infinities of date and timestamp are their extreme integers; bytea and uuid compare by
/// bytes; time with time zone, interval and inet as `TimeOrder` and `InetOrder` say.
///
/// An operand may be *wide* (schemas/cell-v1.md, section 4): a constant that the column's type cannot hold.
package enum ValueOrder {
    /// -1, 0 or 1. Throws `badCell` if either byte string is not a value of the type: a cell that was sealed so is refused,
    /// whatever its tag says. Throws `mismatch` for the types that are stored only. `aIsOperand`, `bIsOperand`: whether that
    /// side may be wide.
    package static func compare(
        _ a: Span<UInt8>, _ b: Span<UInt8>, type: LogicalType, aIsOperand: Bool = false, bIsOperand: Bool = false
    ) throws(Refusal) -> Int32 {
        switch type {
        case .boolean: return order(try boolean(a), try boolean(b))
        case .int2, .int4, .int8:
            let width = WideOperand.width(type)
            guard WideOperand.isWide(a, aIsOperand) || WideOperand.isWide(b, bIsOperand) else {
                return order(try signed(a, width), try signed(b, width))
            }
            return try WideOperand.compare(a, aIsOperand, b, bIsOperand, width)
        case .date: return order(try signed(a, 4), try signed(b, 4))
        case .time, .timestamp, .timestamptz: return order(try signed(a, 8), try signed(b, 8))
        case .float4: return floats(try float4(a, aIsOperand), try float4(b, bIsOperand))
        case .float8: return floats(Double(bitPattern: try integer(a, 8)), Double(bitPattern: try integer(b, 8)))
        case .numeric: return NumericForm.compare(try NumericForm(a), a, try NumericForm(b), b)
        case .uuid:
            guard a.count == 16, b.count == 16 else { throw .badCell }
            return compareBytes(a, b)
        case .text, .varchar, .bytea: return compareBytes(a, b)
        case .bpchar: return compareBytes(withoutBlanks(a), withoutBlanks(b))
        case .timetz: return try TimeOrder.compareZoned(a, b)
        case .interval: return order(try TimeOrder.span(a), try TimeOrder.span(b))
        case .inet: return try InetOrder.compare(a, b)
        case .json, .jsonb: throw .mismatch
        }
    }

    /// The bytes that are equal exactly for equal values, appended to `output`: what HASH hashes (schemas/cell-v1.md,
    /// section 5). Throws as `compare` does.
    package static func normalize(
        _ value: Span<UInt8>, type: LogicalType, isOperand: Bool = false, into output: inout [UInt8]
    ) throws(Refusal) {
        switch type {
        case .boolean: output.append(try boolean(value))
        case .int2, .int4, .int8:
            let width = WideOperand.width(type)
            if WideOperand.isWide(value, isOperand) {
                try WideOperand.normalize(value, width, into: &output)
            } else {
                append(try integer(value, width), width, &output)
            }
        case .date: append(try integer(value, 4), 4, &output)
        case .time, .timestamp, .timestamptz: append(try integer(value, 8), 8, &output)
        case .float4:
            let number = try float4(value, isOperand)
            let narrow = Float(number)
            if number.isNaN {
                append(0x7fc0_0000, 4, &output)
            } else if Double(narrow) == number {
                append(UInt64(narrow == 0 ? 0 : narrow.bitPattern), 4, &output)
            } else {
                append(number.bitPattern, 8, &output)
            }
        case .float8:
            let number = Double(bitPattern: try integer(value, 8))
            let canonical = number.isNaN ? 0x7ff8_0000_0000_0000 : number == 0 ? 0 : number.bitPattern
            append(canonical, 8, &output)
        case .numeric: try NumericForm(value).normalize(value, into: &output)
        case .uuid:
            guard value.count == 16 else { throw .badCell }
            appendBytes(value, to: &output)
        case .text, .varchar, .bytea: appendBytes(value, to: &output)
        case .bpchar: appendBytes(withoutBlanks(value), to: &output)
        case .timetz:
            try TimeOrder.checkZoned(value)
            appendBytes(value, to: &output)
        case .interval: TimeOrder.normalize(span: try TimeOrder.span(value), into: &output)
        case .inet:
            try InetOrder.check(value)
            appendBytes(value, to: &output)
        case .json, .jsonb: throw .mismatch
        }
    }

    /// A bpchar as it is compared: PostgreSQL ignores trailing blanks (`bpchartruelen`).
    @_lifetime(copy value)
    static func withoutBlanks(_ value: Span<UInt8>) -> Span<UInt8> {
        var count = value.count
        while count > 0, value[count - 1] == 0x20 { count -= 1 }
        return value.extracting(0..<count)
    }

    static func order<T: Comparable>(_ a: T, _ b: T) -> Int32 { a < b ? -1 : a == b ? 0 : 1 }

    private static func floats(_ a: Double, _ b: Double) -> Int32 {
        if a.isNaN { return b.isNaN ? 0 : 1 }
        if b.isNaN { return -1 }
        return a < b ? -1 : a > b ? 1 : 0
    }

    /// A float4, or of an operand a float8: PostgreSQL compares the two kinds as float8 (`float48eq`).
    private static func float4(_ value: Span<UInt8>, _ isOperand: Bool) throws(Refusal) -> Double {
        if isOperand, value.count == 8 { return Double(bitPattern: try integer(value, 8)) }
        return Double(Float(bitPattern: UInt32(truncatingIfNeeded: try integer(value, 4))))
    }

    private static func boolean(_ value: Span<UInt8>) throws(Refusal) -> UInt8 {
        guard value.count == 1, value[0] <= 1 else { throw .badCell }
        return value[0]
    }

    /// A big-endian two's complement integer of exactly `width` bytes.
    static func signed(_ value: Span<UInt8>, _ width: Int) throws(Refusal) -> Int64 {
        let unused = UInt64(64 - 8 * width)
        return Int64(bitPattern: try integer(value, width) << unused) >> Int64(unused)
    }

    /// A big-endian integer of exactly `width` bytes; the caller cuts it to its signed type.
    static func integer(_ value: Span<UInt8>, _ width: Int) throws(Refusal) -> UInt64 {
        guard value.count == width else { throw .badCell }
        var result: UInt64 = 0
        for index in 0..<width { result = result << 8 | UInt64(value[index]) }
        return result
    }

    static func append(_ value: UInt64, _ width: Int, _ output: inout [UInt8]) {
        for shift in stride(from: 8 * (width - 1), through: 0, by: -8) { output.append(UInt8(truncatingIfNeeded: value >> UInt64(shift))) }
    }
}
