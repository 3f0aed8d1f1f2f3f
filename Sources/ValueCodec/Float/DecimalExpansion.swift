/// The exact decimal value of a positive number: for `%.*g` and for the rare borders of the shortest form.
struct DecimalExpansion {
    /// ASCII digits, the first not 0.
    private let digits: [UInt8]
    /// The power of ten of the first digit.
    private let exponent: Int

    init(_ value: some DecimalFloat) {
        let (mantissa, binaryExponent) = value.parts
        var number = BigDecimalInteger(mantissa)
        if binaryExponent >= 0 {
            number.multiply(by: 2, times: binaryExponent)
        } else {
            number.multiply(by: 5, times: -binaryExponent)
        }
        digits = number.digits
        exponent = digits.count - 1 + min(0, binaryExponent)
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

    static func reads<T: DecimalFloat>(_ digits: [UInt8], _ exponent: Int, as value: T) -> Bool {
        let text = digits + Array("e\(exponent - digits.count + 1)".utf8)
        return T(String(decoding: text, as: UTF8.self)) == value
    }

    /// Whether the decimal lies exactly half-way between `value` and a neighbour.
    static func isOnBorder<T: DecimalFloat>(of value: T, digits: [UInt8], exponent: Int) -> Bool {
        let (mantissa, binaryExponent) = value.parts
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
        if mantissa == 1 << UInt64(T.significandBitCount), binaryExponent > T.lowestExponent {
            return matches(4 * mantissa - 1, binaryExponent - 2)
        }
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
