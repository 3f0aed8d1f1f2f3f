/// real and double precision in text form: PostgreSQL 15's float4out and float8out (extra_float_digits decides between the
/// shortest exact form and `%.*g`).
protocol DecimalFloat: BinaryFloatingPoint, LosslessStringConvertible {
    /// FLT_DIG, DBL_DIG: digits that any decimal keeps.
    static var decimalDigits: Int { get }
    /// Digits that tell any two numbers apart.
    static var roundTripDigits: Int { get }
    /// The power of two of the last bit of the smallest numbers.
    static var lowestExponent: Int { get }
    /// value = mantissa × 2^exponent.
    var parts: (mantissa: UInt64, exponent: Int) { get }
}

extension DecimalFloat {
    var parts: (mantissa: UInt64, exponent: Int) {
        let fraction = UInt64(significandBitPattern)
        return exponentBitPattern == 0
            ? (fraction, Self.lowestExponent)
            : (fraction | 1 << UInt64(Self.significandBitCount), Int(exponentBitPattern) - 1 + Self.lowestExponent)
    }
}

extension Double: DecimalFloat {
    static var decimalDigits: Int { 15 }
    static var roundTripDigits: Int { 17 }
    static var lowestExponent: Int { -1074 }
}

extension Float: DecimalFloat {
    static var decimalDigits: Int { 6 }
    static var roundTripDigits: Int { 9 }
    static var lowestExponent: Int { -149 }
}

extension FloatText {
    static func appendText<T: DecimalFloat>(_ value: T, extraFloatDigits: Int, to output: inout [UInt8]) {
        if value.isNaN { return output.append(ascii: "NaN") }
        if value.sign == .minus { output.append(ascii("-")) }
        if value.isInfinite { return output.append(ascii: "Infinity") }
        if value == 0 { return output.append(ascii("0")) }
        if extraFloatDigits > 0 {
            let (digits, exponent) = shortest(value.magnitude)
            layout(digits, exponent: exponent, precision: T.decimalDigits, to: &output)
        } else {
            let precision = max(1, T.decimalDigits + extraFloatDigits)
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
    private static func shortest<T: DecimalFloat>(_ value: T) -> (digits: [UInt8], exponent: Int) {
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
        if DecimalExpansion.isOnBorder(of: value, digits: digits, exponent: first), digits.count < T.roundTripDigits {
            let exact = DecimalExpansion(value)
            for precision in digits.count + 1...T.roundTripDigits {
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
