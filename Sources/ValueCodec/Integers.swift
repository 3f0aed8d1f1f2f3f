import Diagnostics

/// smallint, integer and bigint. Text grammar: PostgreSQL 15 `pg_strtoint16/32/64` (white space, sign, decimal digits, white
/// space); a number that overflows is out of range even if junk follows.
enum IntegerCodec {
    static func parse<T: FixedWidthInteger & SignedInteger>(
        _ text: Span<UInt8>, _ range: Range<Int>? = nil, as: T.Type, name: StaticString
    ) throws(CloisterError) -> T {
        let end = range?.upperBound ?? text.count
        var index = range?.lowerBound ?? 0
        while index < end, text[index].isSpace { index += 1 }
        var negative = false
        if index < end, text[index] == ascii("-") || text[index] == ascii("+") {
            negative = text[index] == ascii("-")
            index += 1
        }
        guard index < end, text[index].isDigit else { throw ValueError.syntax(name) }
        // Negative accumulation reaches T.min, as PostgreSQL does.
        var value: T = 0
        while index < end, text[index].isDigit {
            let (product, overflow1) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow2) = product.subtractingReportingOverflow(T(truncatingIfNeeded: text[index].digit))
            if overflow1 || overflow2 { throw ValueError.range(name) }
            value = sum
            index += 1
        }
        while index < end, text[index].isSpace { index += 1 }
        guard index == end else { throw ValueError.syntax(name) }
        if negative { return value }
        guard value != T.min else { throw ValueError.range(name) }
        return 0 - value
    }

    static func append<T: FixedWidthInteger & SignedInteger>(_ value: T, to output: inout [UInt8]) {
        if value < 0 { output.append(ascii("-")) }
        var magnitude = UInt64(value.magnitude)
        var digits: (UInt64, UInt64) = (0, 0)  // packed decimal digits, least significant first
        var count = 0
        repeat {
            let digit = magnitude % 10
            magnitude /= 10
            if count < 16 { digits.0 |= digit << UInt64(count * 4) } else { digits.1 |= digit << UInt64((count - 16) * 4) }
            count += 1
        } while magnitude > 0
        while count > 0 {
            count -= 1
            let digit = count < 16 ? digits.0 >> UInt64(count * 4) & 15 : digits.1 >> UInt64((count - 16) * 4) & 15
            output.append(UInt8(0x30 + digit))
        }
    }

    static func text<T: FixedWidthInteger & SignedInteger>(_ value: T) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(20)
        append(value, to: &output)
        return output
    }
}

/// boolean: PostgreSQL's `parse_bool_with_len` (unique prefixes of true, false, yes, no, on, off; 1, 0).
enum BooleanCodec {
    static func parse(_ text: Span<UInt8>) throws(CloisterError) -> Bool {
        let range = Bytes.trimmed(text)
        guard !range.isEmpty else { throw ValueError.syntax("boolean") }
        func isPrefix(of word: StaticString, atLeast minimum: Int = 1) -> Bool {
            let word = word.description.utf8
            guard range.count >= minimum, range.count <= word.count else { return false }
            return zip(range, word).allSatisfy { text[$0].lowercased == $1 }
        }
        switch text[range.lowerBound].lowercased {
        case ascii("t"): if isPrefix(of: "true") { return true }
        case ascii("f"): if isPrefix(of: "false") { return false }
        case ascii("y"): if isPrefix(of: "yes") { return true }
        case ascii("n"): if isPrefix(of: "no") { return false }
        case ascii("o"):
            if isPrefix(of: "on", atLeast: 2) { return true }
            if isPrefix(of: "off", atLeast: 2) { return false }
        case ascii("1"): if range.count == 1 { return true }
        case ascii("0"): if range.count == 1 { return false }
        default: break
        }
        throw ValueError.syntax("boolean")
    }
}
