import Diagnostics

/// Arithmetic of finite numerics, with the scales that PostgreSQL 15 gives the results.
extension Numeric {
    /// NUMERIC_MIN_SIG_DIGITS: digits of a quotient.
    private static let quotientDigits = 16
    /// NUMERIC_MAX_DISPLAY_SCALE.
    private static let maximumQuotientScale = 1000

    var isZero: Bool { digits.isEmpty }

    /// The digits as an integer of which the last counts 10000^exponent.
    private var lowest: Int { weight - digits.count + 1 }

    private func aligned(to exponent: Int) -> [UInt16] {
        isZero ? [] : digits + [UInt16](repeating: 0, count: lowest - exponent)
    }

    private static func make(_ magnitude: [UInt16], lowest: Int, sign: Sign, dscale: Int) throws(CloisterError) -> Numeric {
        var result = Numeric(weight: lowest + magnitude.count - 1, sign: sign, dscale: dscale, digits: magnitude)
        try result.finish()
        return result
    }

    var negated: Numeric {
        var result = self
        if !isZero { result.sign = sign == .plus ? .minus : .plus }
        return result
    }

    func adding(_ other: Numeric) throws(CloisterError) -> Numeric {
        let scale = max(dscale, other.dscale)
        let exponent = isZero ? other.lowest : other.isZero ? lowest : min(lowest, other.lowest)
        let (a, b) = (aligned(to: exponent), other.aligned(to: exponent))
        if sign == other.sign { return try Self.make(Magnitude.sum(a, b), lowest: exponent, sign: sign, dscale: scale) }
        return Magnitude.isLess(a, b)
            ? try Self.make(Magnitude.difference(b, a), lowest: exponent, sign: other.sign, dscale: scale)
            : try Self.make(Magnitude.difference(a, b), lowest: exponent, sign: sign, dscale: scale)
    }

    func multiplied(by other: Numeric) throws(CloisterError) -> Numeric {
        let scale = dscale + other.dscale
        guard scale <= Self.maximumScale else { throw Self.overflow() }
        return try Self.make(
            Magnitude.product(digits, other.digits), lowest: lowest + other.lowest, sign: sign == other.sign ? .plus : .minus, dscale: scale
        )
    }

    static func divisionByZero() -> CloisterError { CloisterError(.divisionByZero, "division by zero") }

    /// numeric_div: rounded half away from zero at the scale that select_div_scale gives.
    func divided(by other: Numeric) throws(CloisterError) -> Numeric {
        guard !other.isZero else { throw Self.divisionByZero() }
        var quotientWeight = (isZero ? 0 : weight) - other.weight
        if (digits.first ?? 0) <= other.digits[0] { quotientWeight -= 1 }
        let scale = min(max(Self.quotientDigits - quotientWeight * 4, dscale, other.dscale, 0), Self.maximumQuotientScale)
        var result = try quotient(other, groups: scale / 4 + 2)
        result.round(toScale: scale)
        try result.finish()
        return result
    }

    /// numeric_mod: the sign of the dividend.
    func remainder(dividingBy other: Numeric) throws(CloisterError) -> Numeric {
        guard !other.isZero else { throw Self.divisionByZero() }
        var whole = try quotient(other, groups: 1)
        whole.truncate(toScale: 0)
        whole.dscale = 0
        try whole.finish()
        var result = try adding(whole.multiplied(by: other).negated)
        result.dscale = max(dscale, other.dscale)
        return result
    }

    /// The quotient cut after `groups` fractional base-10000 digits, which is exact enough to round or truncate before the
    /// last of them.
    private func quotient(_ other: Numeric, groups: Int) throws(CloisterError) -> Numeric {
        guard !isZero else { return Numeric(weight: 0, sign: .plus, dscale: 0, digits: []) }
        // digits × 10000^shift / other.digits counts 10000^-groups.
        let shift = lowest - other.lowest + groups
        let dividend = shift >= 0 ? digits + [UInt16](repeating: 0, count: shift) : Array(digits.dropLast(min(digits.count, -shift)))
        return try Self.make(
            Magnitude.quotient(dividend, other.digits), lowest: -groups, sign: sign == other.sign ? .plus : .minus,
            dscale: min(groups * 4, Self.maximumScale))
    }

    /// Towards minus infinity (`isUp` false) or plus infinity.
    func integral(isUp: Bool) throws(CloisterError) -> Numeric {
        var result = self
        result.truncate(toScale: 0)
        result.dscale = 0
        let isExact = result.digits.count == digits.count || digits[result.digits.count...].allSatisfy { $0 == 0 }
        try result.finish()
        guard !isExact, (sign == .plus) == isUp else { return result }
        let one = Numeric(weight: 0, sign: isUp ? .plus : .minus, dscale: 0, digits: [1])
        return try result.adding(one)
    }
}

/// Unsigned integers in base 10000, most significant first.
enum Magnitude {
    private static func stripped(_ a: [UInt16]) -> ArraySlice<UInt16> { a.drop { $0 == 0 } }

    static func isLess(_ a: [UInt16], _ b: [UInt16]) -> Bool {
        let (a, b) = (stripped(a), stripped(b))
        return a.count != b.count ? a.count < b.count : a.lexicographicallyPrecedes(b)
    }

    static func sum(_ a: [UInt16], _ b: [UInt16]) -> [UInt16] {
        let count = max(a.count, b.count) + 1
        var result = [UInt16](repeating: 0, count: count)
        var carry: UInt16 = 0
        for place in 0..<count {
            let left = place < a.count ? a[a.count - 1 - place] : 0
            let right = place < b.count ? b[b.count - 1 - place] : 0
            let digit = left + right + carry
            result[count - 1 - place] = digit % 10000
            carry = digit / 10000
        }
        return result
    }

    /// a - b; a is not less than b.
    static func difference(_ a: [UInt16], _ b: [UInt16]) -> [UInt16] {
        let b = Array(stripped(b))
        var result = a
        var borrow = 0
        for place in 0..<a.count {
            var digit = Int(a[a.count - 1 - place]) - borrow - (place < b.count ? Int(b[b.count - 1 - place]) : 0)
            borrow = digit < 0 ? 1 : 0
            if digit < 0 { digit += 10000 }
            result[a.count - 1 - place] = UInt16(truncatingIfNeeded: digit)
        }
        return result
    }

    static func product(_ a: [UInt16], _ b: [UInt16]) -> [UInt16] {
        guard !a.isEmpty, !b.isEmpty else { return [] }
        var result = [UInt64](repeating: 0, count: a.count + b.count)
        for (i, left) in a.enumerated() {
            for (j, right) in b.enumerated() { result[i + j + 1] += UInt64(left) * UInt64(right) }
        }
        for place in stride(from: result.count - 1, to: 0, by: -1) {
            result[place - 1] += result[place] / 10000
            result[place] %= 10000
        }
        return result.map { UInt16(truncatingIfNeeded: $0) }
    }

    /// Schoolbook division, each digit found by bisection.
    static func quotient(_ a: [UInt16], _ b: [UInt16]) -> [UInt16] {
        var result: [UInt16] = []
        var rest: [UInt16] = []
        for digit in a {
            rest.append(digit)
            var low: UInt16 = 0
            var high: UInt16 = 9999
            while low < high {
                let middle = (low + high + 1) / 2
                if isLess(rest, product(b, [middle])) { high = middle - 1 } else { low = middle }
            }
            result.append(low)
            if low > 0 { rest = Array(stripped(difference(rest, product(b, [low])))) }
        }
        return result
    }
}
