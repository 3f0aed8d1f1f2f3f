import Diagnostics

/// real and double precision in text form: PostgreSQL 15's float4in and float8in.
enum FloatText {
    /// Correctly rounded in the type itself. `name` is the type as messages name it.
    static func parse<T: BinaryFloatingPoint & LosslessStringConvertible>(
        _ text: Span<UInt8>, as: T.Type, name: StaticString
    ) throws(CloisterError) -> T {
        let range = Bytes.trimmed(text)
        let end = range.upperBound
        var index = range.lowerBound
        guard index < end else { throw ValueError.syntax(name) }
        var negative = false
        if text[index] == ascii("-") || text[index] == ascii("+") {
            negative = text[index] == ascii("-")
            index += 1
        }
        let body = index..<end
        guard !body.isEmpty else { throw ValueError.syntax(name) }
        if !text[index].isDigit && text[index] != ascii(".") {
            return try special(text, body, negative: negative, name)
        }
        if body.count > 2, text[index] == ascii("0"), text[index + 1] | 0x20 == ascii("x"),
            text[index + 2].hexDigit != nil || (text[index + 2] == ascii(".") && body.count > 3 && text[index + 3].hexDigit != nil)
        {
            return try hexadecimal(text, index + 2..<end, negative: negative, name)
        }
        var mantissa: UInt64 = 0
        var significant = 0
        var digits = 0
        var scale = 0
        func take(_ byte: UInt8) {
            digits += 1
            if significant > 0 || byte != ascii("0") {
                significant += 1
                if significant <= 19 { mantissa = mantissa * 10 + UInt64(byte.digit) }
            }
        }
        while index < end, text[index].isDigit {
            take(text[index])
            index += 1
        }
        if index < end, text[index] == ascii(".") {
            index += 1
            while index < end, text[index].isDigit {
                take(text[index])
                scale += 1
                index += 1
            }
        }
        guard digits > 0 else { throw ValueError.syntax(name) }
        let exponent = exponent(text, &index, end, letter: ascii("e"))
        let value: T
        let power = exponent - scale
        if significant == 0 {
            value = 0
        } else if T.self == Double.self, significant <= 19, mantissa <= 1 << 53, abs(power) <= 22 {
            // Both factors are exact, so one rounding: the correctly rounded result (Clinger).
            value = T(power < 0 ? Double(mantissa) / tens[-power] : Double(mantissa) * tens[power])
        } else {
            value = try exact(Bytes.copy(text, body.lowerBound..<index), name)
        }
        // What can be read is out of range: PostgreSQL says so before it looks at what follows.
        if significant > 0, value == 0 || value.isInfinite { throw ValueError.range(name) }
        guard index == end else { throw ValueError.syntax(name) }
        return negative ? -value : value
    }

    /// Reads a complete exponent, as strtod does; leaves `index` alone if there is none.
    private static func exponent(_ text: Span<UInt8>, _ index: inout Int, _ end: Int, letter: UInt8) -> Int {
        guard index < end, text[index] | 0x20 == letter else { return 0 }
        var position = index + 1
        var negative = false
        if position < end, text[position] == ascii("-") || text[position] == ascii("+") {
            negative = text[position] == ascii("-")
            position += 1
        }
        guard position < end, text[position].isDigit else { return 0 }
        var value = 0
        while position < end, text[position].isDigit {
            value = min(value * 10 + text[position].digit, 1_000_000_000)
            position += 1
        }
        index = position
        return negative ? -value : value
    }

    private static let tens: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]

    /// The standard library's correctly rounded conversion of a checked decimal or hexadecimal number.
    private static func exact<T: LosslessStringConvertible>(_ digits: [UInt8], _ name: StaticString) throws(CloisterError) -> T {
        // The standard library wants a digit before the point.
        let padded = digits.first == ascii(".") ? [ascii("0")] + digits : digits
        guard let value = T(String(decoding: padded, as: UTF8.self)) else { throw ValueError.syntax(name) }
        return value
    }

    private static func special<T: BinaryFloatingPoint>(
        _ text: Span<UInt8>, _ body: Range<Int>, negative: Bool, _ name: StaticString
    ) throws(CloisterError) -> T {
        if Bytes.equals(text, body, ignoringCase: "infinity") || Bytes.equals(text, body, ignoringCase: "inf") {
            return negative ? -.infinity : .infinity
        }
        // glibc's strtod keeps the sign of a NaN, and so does the server's binary form.
        if Bytes.equals(text, body, ignoringCase: "nan") {
            return negative ? -T.nan : T.nan
        }
        if Bytes.hasPrefix(text, body, ignoringCase: "nan("), text[body.upperBound - 1] == ascii(")") {
            throw ValueError.unsupported("a NaN with a payload is not supported", hint: "Write NaN.")
        }
        throw ValueError.syntax(name)
    }

    /// C99 hexadecimal floating point, which glibc's strtod (and so PostgreSQL on Linux) reads.
    private static func hexadecimal<T: BinaryFloatingPoint & LosslessStringConvertible>(
        _ text: Span<UInt8>, _ range: Range<Int>, negative: Bool, _ name: StaticString
    ) throws(CloisterError) -> T {
        var literal = Array("0x".utf8)
        var index = range.lowerBound
        let end = range.upperBound
        var nonZero = false
        var pointed = false
        var fraction = false
        if text[index] == ascii(".") { literal.append(ascii("0")) }
        while index < end, text[index].hexDigit != nil || (text[index] == ascii(".") && !pointed) {
            if text[index] == ascii(".") {
                pointed = true
            } else {
                if pointed, !fraction {
                    literal.append(ascii("."))
                    fraction = true
                }
                literal.append(text[index])
                nonZero = nonZero || text[index] != ascii("0")
            }
            index += 1
        }
        let exponent = exponent(text, &index, end, letter: ascii("p"))
        literal.append(ascii("p"))
        literal.append(contentsOf: String(exponent).utf8)
        let value: T = try exact(literal, name)
        if nonZero, value == 0 || value.isInfinite { throw ValueError.range(name) }
        guard index == end else { throw ValueError.syntax(name) }
        return negative ? -value : value
    }
}
