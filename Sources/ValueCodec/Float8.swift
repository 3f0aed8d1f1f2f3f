import Diagnostics

/// double precision: PostgreSQL 15's float8in and float8out (extra_float_digits decides between the shortest exact form and
/// `%.*g`).
enum Float8 {
    // MARK: Input

    static func parse(_ text: Span<UInt8>) throws(CloisterError) -> Double {
        let range = Bytes.trimmed(text)
        let end = range.upperBound
        var index = range.lowerBound
        guard index < end else { throw ValueError.syntax("double precision") }
        var negative = false
        if text[index] == ascii("-") || text[index] == ascii("+") {
            negative = text[index] == ascii("-")
            index += 1
        }
        let body = index..<end
        guard !body.isEmpty else { throw ValueError.syntax("double precision") }
        if !text[index].isDigit && text[index] != ascii(".") {
            return try special(text, body, negative: negative)
        }
        if body.count > 2, text[index] == ascii("0"), text[index + 1] | 0x20 == ascii("x"),
            text[index + 2].hexDigit != nil || (text[index + 2] == ascii(".") && body.count > 3 && text[index + 3].hexDigit != nil)
        {
            return try hexadecimal(text, index + 2..<end, negative: negative)
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
        guard digits > 0 else { throw ValueError.syntax("double precision") }
        let exponent = exponent(text, &index, end, letter: ascii("e"))
        let value: Double
        let power = exponent - scale
        if significant == 0 {
            value = 0
        } else if significant <= 19, mantissa <= 1 << 53, abs(power) <= 22 {
            // Both factors are exact, so one rounding: the correctly rounded result (Clinger).
            value = power < 0 ? Double(mantissa) / tens[-power] : Double(mantissa) * tens[power]
        } else {
            value = try exact(Bytes.copy(text, body.lowerBound..<index))
        }
        // What can be read is out of range: PostgreSQL says so before it looks at what follows.
        if significant > 0, value == 0 || value.isInfinite { throw outOfRange() }
        guard index == end else { throw ValueError.syntax("double precision") }
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

    static func outOfRange() -> CloisterError { ValueError.outOfRange("value is out of range for type double precision") }

    /// The standard library's correctly rounded conversion of a checked decimal or hexadecimal number.
    private static func exact(_ digits: [UInt8]) throws(CloisterError) -> Double {
        // The standard library wants a digit before the point.
        let padded = digits.first == ascii(".") ? [ascii("0")] + digits : digits
        guard let value = Double(String(decoding: padded, as: UTF8.self)) else { throw ValueError.syntax("double precision") }
        return value
    }

    private static func special(_ text: Span<UInt8>, _ body: Range<Int>, negative: Bool) throws(CloisterError) -> Double {
        if Bytes.equals(text, body, ignoringCase: "infinity") || Bytes.equals(text, body, ignoringCase: "inf") {
            return negative ? -.infinity : .infinity
        }
        // glibc's strtod keeps the sign of a NaN, and so does the server's binary form.
        if Bytes.equals(text, body, ignoringCase: "nan") {
            return Double(bitPattern: negative ? 0xfff8_0000_0000_0000 : 0x7ff8_0000_0000_0000)
        }
        if Bytes.hasPrefix(text, body, ignoringCase: "nan("), text[body.upperBound - 1] == ascii(")") {
            throw ValueError.unsupported("a NaN with a payload is not supported", hint: "Write NaN.")
        }
        throw ValueError.syntax("double precision")
    }

    /// C99 hexadecimal floating point, which glibc's strtod (and so PostgreSQL on Linux) reads.
    private static func hexadecimal(_ text: Span<UInt8>, _ range: Range<Int>, negative: Bool) throws(CloisterError) -> Double {
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
        let value = try exact(literal)
        if nonZero, value == 0 || value.isInfinite { throw outOfRange() }
        guard index == end else { throw ValueError.syntax("double precision") }
        return negative ? -value : value
    }

    // MARK: Output

    static func appendText(_ value: Double, extraFloatDigits: Int, to output: inout [UInt8]) {
        if value.isNaN { return output.append(ascii: "NaN") }
        if value.sign == .minus { output.append(ascii("-")) }
        if value.isInfinite { return output.append(ascii: "Infinity") }
        if value == 0 { return output.append(ascii("0")) }
        if extraFloatDigits > 0 {
            let (digits, exponent) = shortest(value.magnitude)
            layout(digits, exponent: exponent, precision: 15, to: &output)
        } else {
            let precision = max(1, 15 + extraFloatDigits)
            let (digits, exponent) = DecimalExpansion(value.magnitude).rounded(to: precision)
            layout(digits, exponent: exponent, precision: precision, to: &output)
        }
    }

    /// `%g`: fixed notation for exponents -4..<precision, else scientific; `digits` carry no trailing zeros.
    private static func layout(_ digits: [UInt8], exponent: Int, precision: Int, to output: inout [UInt8]) {
        if exponent < -4 || exponent >= precision {
            output.append(digits[0])
            if digits.count > 1 {
                output.append(ascii("."))
                output.append(contentsOf: digits[1...])
            }
            output.append(ascii("e"))
            output.append(exponent < 0 ? ascii("-") : ascii("+"))
            output.append(decimal: abs(exponent), width: 2)
        } else if exponent < 0 {
            output.append(ascii: "0.")
            for _ in 0..<(-exponent - 1) { output.append(ascii("0")) }
            output.append(contentsOf: digits)
        } else {
            for index in 0...exponent { output.append(index < digits.count ? digits[index] : ascii("0")) }
            if digits.count > exponent + 1 {
                output.append(ascii("."))
                output.append(contentsOf: digits[(exponent + 1)...])
            }
        }
    }

    /// The fewest digits that read back as `value`, the nearest such; exponent of the first digit. PostgreSQL's Ryu never
    /// uses a decimal that lies exactly on the border to the neighbour, which the standard library's algorithm does.
    private static func shortest(_ value: Double) -> (digits: [UInt8], exponent: Int) {
        var digits: [UInt8] = []
        digits.reserveCapacity(17)
        var point: Int?
        var exponent = 0
        var negativeExponent = false
        var inExponent = false
        var leadingZeros = 0
        for byte in value.description.utf8 {
            switch byte {
            case ascii("."): point = digits.count + leadingZeros
            case ascii("e"): inExponent = true
            case ascii("-"): negativeExponent = true
            case ascii("+"): break
            default:
                if inExponent {
                    exponent = exponent * 10 + byte.digit
                } else if digits.isEmpty, byte == ascii("0") {
                    leadingZeros += 1
                } else {
                    digits.append(byte)
                }
            }
        }
        if negativeExponent { exponent = -exponent }
        let first = (point ?? digits.count + leadingZeros) - leadingZeros - 1 + exponent
        while digits.count > 1, digits.last == ascii("0") { digits.removeLast() }
        if DecimalExpansion.isOnBorder(of: value, digits: digits, exponent: first) {
            let exact = DecimalExpansion(value)
            for precision in digits.count + 1...17 {
                let candidate = exact.rounded(to: precision)
                if DecimalExpansion.reads(candidate.digits, candidate.exponent, as: value),
                    !DecimalExpansion.isOnBorder(of: value, digits: candidate.digits, exponent: candidate.exponent)
                {
                    return candidate
                }
            }
        }
        return (digits, first)
    }
}

/// The exact decimal value of a positive double: for `%.*g` and for the rare borders of the shortest form.
struct DecimalExpansion {
    /// ASCII digits, the first not 0.
    private let digits: [UInt8]
    /// The power of ten of the first digit.
    private let exponent: Int

    init(_ value: Double) {
        let (mantissa, binaryExponent) = Self.parts(of: value)
        var number = BigDecimalInteger(mantissa)
        if binaryExponent >= 0 {
            number.multiply(by: 2, times: binaryExponent)
        } else {
            number.multiply(by: 5, times: -binaryExponent)
        }
        digits = number.digits
        exponent = digits.count - 1 + min(0, binaryExponent)
    }

    /// value = mantissa × 2^exponent.
    static func parts(of value: Double) -> (mantissa: UInt64, exponent: Int) {
        let field = Int(value.exponentBitPattern)
        return field == 0
            ? (value.significandBitPattern, -1074) : (value.significandBitPattern | 1 << 52, field - 1075)
    }

    /// Rounded half to even at `precision` digits, trailing zeros removed.
    func rounded(to precision: Int) -> (digits: [UInt8], exponent: Int) {
        var kept = Array(digits.prefix(precision))
        var exponent = exponent
        if digits.count > precision {
            let next = digits[precision]
            let tie = next == ascii("5") && digits[(precision + 1)...].allSatisfy { $0 == ascii("0") }
            if next > ascii("5") || (next == ascii("5") && (!tie || kept[precision - 1] & 1 == 1)) {
                var index = precision - 1
                while index >= 0, kept[index] == ascii("9") {
                    kept[index] = ascii("0")
                    index -= 1
                }
                if index >= 0 {
                    kept[index] += 1
                } else {
                    kept.insert(ascii("1"), at: 0)
                    exponent += 1
                }
            }
        }
        while kept.count > 1, kept.last == ascii("0") { kept.removeLast() }
        return (kept, exponent)
    }

    static func reads(_ digits: [UInt8], _ exponent: Int, as value: Double) -> Bool {
        let text = digits + Array("e\(exponent - digits.count + 1)".utf8)
        return Double(String(decoding: text, as: UTF8.self)) == value
    }

    /// Whether the decimal lies exactly half-way between `value` and a neighbour.
    static func isOnBorder(of value: Double, digits: [UInt8], exponent: Int) -> Bool {
        let (mantissa, binaryExponent) = parts(of: value)
        guard mantissa & 1 == 0 else { return false }
        var decimal: UInt64 = 0
        for digit in digits { decimal = decimal &* 10 &+ UInt64(digit.digit) }
        let power = exponent - digits.count + 1
        // decimal × 10^power = border × 2^q, with border odd: compare odd parts and powers of two.
        func matches(_ border: UInt64, _ q: Int) -> Bool {
            var left = decimal >> UInt64(decimal.trailingZeroBitCount)
            var right = border
            for _ in 0..<min(abs(power), 30) {
                let (product, overflow) = (power > 0 ? left : right).multipliedReportingOverflow(by: 5)
                if overflow { return false }
                if power > 0 { left = product } else { right = product }
            }
            return abs(power) < 30 && left == right && decimal.trailingZeroBitCount + power == q
        }
        if matches(2 * mantissa + 1, binaryExponent - 1) { return true }
        if mantissa == 1 << 52, binaryExponent > -1074 { return matches(4 * mantissa - 1, binaryExponent - 2) }
        return matches(2 * mantissa - 1, binaryExponent - 1)
    }
}

/// A big integer that only grows by small factors, kept in base 10^9 so that its decimal digits are at hand.
private struct BigDecimalInteger {
    private var limbs: [UInt64]

    init(_ value: UInt64) {
        limbs = []
        var rest = value
        while rest > 0 {
            limbs.append(rest % 1_000_000_000)
            rest /= 1_000_000_000
        }
    }

    mutating func multiply(by factor: UInt64, times: Int) {
        var left = times
        while left > 0 {
            let step = min(left, 12)
            var power: UInt64 = 1
            for _ in 0..<step { power *= factor }
            var carry: UInt64 = 0
            for index in limbs.indices {
                let product = limbs[index] * power + carry
                limbs[index] = product % 1_000_000_000
                carry = product / 1_000_000_000
            }
            if carry > 0 { limbs.append(carry) }
            left -= step
        }
    }

    var digits: [UInt8] {
        var output: [UInt8] = []
        output.append(decimal: Int(limbs.last ?? 0))
        for limb in limbs.dropLast().reversed() { output.append(decimal: Int(limb), width: 9) }
        return output
    }
}
