package import CellFormat
package import Diagnostics

/// What a type's modifier (pg_attribute.atttypmod) allows: varchar(n), numeric(p,s), timestamp(p), interval fields.
extension ValueCodec {
    /// PostgreSQL 15's length coercion (the functions varchar, bpchar, numeric, time, timetz, timestamp, timestamptz, interval
    /// with a modifier). `modifier` is atttypmod; -1 and modifiers of other types change nothing. `isExplicit`: a cast in
    /// the statement, which cuts text that is too long where an assignment refuses it. Throws 22001 and 22003 as the server.
    package static func limited(
        _ canonical: [UInt8], type: LogicalType, modifier: Int32, isExplicit: Bool
    ) throws(CloisterError) -> [UInt8] {
        guard modifier >= 0 else { return canonical }
        switch type {
        case .varchar: return try Limit.varchar(canonical, modifier, isExplicit)
        case .bpchar: return try Limit.bpchar(canonical, modifier, isExplicit)
        case .numeric:
            guard let limit = NumericModifier(modifier) else { return canonical }
            var value = try Numeric(canonical: canonical)
            try value.limit(precision: limit.precision, scale: limit.scale)
            return value.canonical
        case .time: return Bytes.bigEndian(Limit.rounded(try int64(canonical, size: 8), modifier))
        case .timetz:
            return Bytes.bigEndian(Limit.rounded(try int64(canonical, size: 12), modifier)) + canonical[8...]
        case .timestamp, .timestamptz:
            let value = try int64(canonical, size: 8)
            return value == .max || value == .min ? canonical : Bytes.bigEndian(Limit.rounded(value, modifier))
        case .interval:
            var value = try Interval(binary: canonical)
            value.limit(IntervalModifier(modifier))
            return value.canonical
        case .boolean, .int2, .int4, .int8, .float4, .float8, .text, .bytea, .date, .uuid, .inet, .json, .jsonb: return canonical
        }
    }

    private static func int64(_ bytes: [UInt8], size: Int) throws(CloisterError) -> Int64 {
        guard bytes.count >= size else { throw shortBinary() }
        guard bytes.count == size else { throw longBinary() }
        return Bytes.integer(bytes)
    }
}

/// numeric(p,s) as atttypmod packs it: p in the upper 16 bits, s in eleven signed bits, plus four.
struct NumericModifier {
    let precision: Int
    let scale: Int

    init?(_ modifier: Int32) {
        guard modifier >= 4 else { return nil }
        precision = Int((modifier - 4) >> 16 & 0xffff)
        scale = Int((modifier - 4) & 0x7ff ^ 1024) - 1024
    }
}

enum Limit {
    /// atttypmod of a text type counts its four bytes of length.
    private static let header: Int32 = 4

    static func varchar(_ text: [UInt8], _ modifier: Int32, _ isExplicit: Bool) throws(CloisterError) -> [UInt8] {
        guard modifier >= header else { return text }
        let length = Int(modifier - header)
        guard text.count > length, let end = offset(ofCharacter: length, in: text) else { return text }
        guard isExplicit || text[end...].allSatisfy({ $0 == 0x20 }) else { throw tooLong("character varying", length) }
        return Array(text[..<end])
    }

    static func bpchar(_ text: [UInt8], _ modifier: Int32, _ isExplicit: Bool) throws(CloisterError) -> [UInt8] {
        guard modifier >= header else { return text }
        let length = Int(modifier - header)
        if let end = offset(ofCharacter: length, in: text) {
            guard isExplicit || text[end...].allSatisfy({ $0 == 0x20 }) else { throw tooLong("character", length) }
            return Array(text[..<end])
        }
        return text + [UInt8](repeating: 0x20, count: length - characterCount(text))
    }

    private static func tooLong(_ type: StaticString, _ length: Int) -> CloisterError {
        CloisterError(.stringTooLong, "value too long for type \(type)(\(length))")
    }

    /// How many code points well-formed UTF-8 has.
    static func characterCount(_ text: [UInt8]) -> Int {
        var count = 0
        for byte in text where byte & 0xc0 != 0x80 { count += 1 }
        return count
    }

    /// Where the character number `index` (from 0) begins; nil if the text has no more than `index` characters.
    static func offset(ofCharacter index: Int, in text: [UInt8]) -> Int? {
        var count = 0
        for position in text.indices where text[position] & 0xc0 != 0x80 {
            if count == index { return position }
            count += 1
        }
        return nil
    }

    /// Microseconds rounded to `precision` decimals of a second, half away from zero.
    static func rounded(_ microseconds: Int64, _ precision: Int32) -> Int64 {
        guard (0..<6).contains(precision) else { return microseconds }
        let scale: Int64 = [1_000_000, 100_000, 10_000, 1_000, 100, 10][Int(precision)]
        if microseconds >= 0 { return (microseconds &+ scale / 2) / scale &* scale }
        return 0 &- ((0 &- microseconds &+ scale / 2) / scale &* scale)
    }
}
