package import CellFormat

/// PostgreSQL's order of two values, on their canonical bytes (the type's binary send form).
///
/// Text compares by UTF-8 bytes (collation "C"); NaN is equal to itself and above everything for float8 and numeric;
/// infinities of date and timestamp are their extreme integers; bytea and uuid compare by bytes.
package enum ValueOrder {
    /// -1, 0 or 1. Throws `badCell` if either byte string is not a value of the type: a cell that was sealed so is refused,
    /// whatever its tag says. Throws `mismatch` for a type this version does not compare.
    package static func compare(
        _ a: Span<UInt8>, _ b: Span<UInt8>, type: LogicalType
    ) throws(Refusal) -> Int32 {
        switch type {
        case .boolean: return order(try boolean(a), try boolean(b))
        case .int2: return order(Int16(truncatingIfNeeded: try integer(a, 2)), Int16(truncatingIfNeeded: try integer(b, 2)))
        case .int4, .date:
            return order(Int32(truncatingIfNeeded: try integer(a, 4)), Int32(truncatingIfNeeded: try integer(b, 4)))
        case .int8, .timestamp, .timestamptz:
            return order(Int64(bitPattern: try integer(a, 8)), Int64(bitPattern: try integer(b, 8)))
        case .float8: return floats(Double(bitPattern: try integer(a, 8)), Double(bitPattern: try integer(b, 8)))
        case .numeric: return NumericForm.compare(try NumericForm(a), a, try NumericForm(b), b)
        case .uuid:
            guard a.count == 16, b.count == 16 else { throw .badCell }
            return compareBytes(a, b)
        case .text, .varchar, .bytea: return compareBytes(a, b)
        case .float4, .bpchar, .time, .timetz, .interval, .inet, .json, .jsonb: throw .mismatch
        }
    }

    /// The bytes that are equal exactly for equal values, appended to `output`: what HASH hashes. -0.0 becomes 0.0, every
    /// NaN the same one, a numeric loses its trailing zeros and its scale. Throws as `compare` does.
    package static func normalize(_ value: Span<UInt8>, type: LogicalType, into output: inout [UInt8]) throws(Refusal) {
        switch type {
        case .boolean: output.append(try boolean(value))
        case .int2: append(try integer(value, 2), 2, &output)
        case .int4, .date: append(try integer(value, 4), 4, &output)
        case .int8, .timestamp, .timestamptz: append(try integer(value, 8), 8, &output)
        case .float8:
            let number = Double(bitPattern: try integer(value, 8))
            let canonical = number.isNaN ? 0x7ff8_0000_0000_0000 : number == 0 ? 0 : number.bitPattern
            append(canonical, 8, &output)
        case .numeric: try NumericForm(value).normalize(value, into: &output)
        case .uuid:
            guard value.count == 16 else { throw .badCell }
            appendBytes(value, to: &output)
        case .text, .varchar, .bytea: appendBytes(value, to: &output)
        case .float4, .bpchar, .time, .timetz, .interval, .inet, .json, .jsonb: throw .mismatch
        }
    }

    private static func order<T: Comparable>(_ a: T, _ b: T) -> Int32 { a < b ? -1 : a == b ? 0 : 1 }

    private static func floats(_ a: Double, _ b: Double) -> Int32 {
        if a.isNaN { return b.isNaN ? 0 : 1 }
        if b.isNaN { return -1 }
        return a < b ? -1 : a > b ? 1 : 0
    }

    private static func boolean(_ value: Span<UInt8>) throws(Refusal) -> UInt8 {
        guard value.count == 1, value[0] <= 1 else { throw .badCell }
        return value[0]
    }

    /// A big-endian integer of exactly `width` bytes; the caller cuts it to its signed type.
    private static func integer(_ value: Span<UInt8>, _ width: Int) throws(Refusal) -> UInt64 {
        guard value.count == width else { throw .badCell }
        var result: UInt64 = 0
        for index in 0..<width { result = result << 8 | UInt64(value[index]) }
        return result
    }

    private static func append(_ value: UInt64, _ width: Int, _ output: inout [UInt8]) {
        for shift in stride(from: 8 * (width - 1), through: 0, by: -8) { output.append(UInt8(truncatingIfNeeded: value >> UInt64(shift))) }
    }
}
