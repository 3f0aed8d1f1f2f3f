import Diagnostics

extension Numeric {
    /// The exact decimal value of a double.
    init(exactly value: Double) throws(CloisterError) {
        if value.isNaN {
            self = .nan
        } else if value.isInfinite {
            self = value < 0 ? .minusInfinity : .infinity
        } else if value == 0 {
            self.init(weight: 0, sign: .plus, dscale: 0, digits: [])
        } else {
            // More digits than any double has.
            let (digits, exponent) = DecimalExpansion(value.magnitude).rounded(to: 1200)
            try self.init(
                sign: value < 0 ? .minus : .plus, count: digits.count, pointAfter: 1, exponent: exponent, digit: { digits[$0].digit })
        }
    }

    /// round_var: half away from zero at the `scale`th fractional digit; a negative scale rounds before the point. Leaves
    /// zeros that `finish` strips; `dscale` becomes `scale`, which a negative one makes 0.
    mutating func round(toScale scale: Int) {
        guard isFinite else { return }
        dscale = max(0, scale)
        let kept = (weight + 1) * 4 + scale
        guard kept >= 0 else {
            (digits, weight, sign) = ([], 0, .plus)
            return
        }
        let groups = (kept + 3) / 4
        let partial = kept % 4
        guard groups < digits.count || (groups == digits.count && partial > 0) else { return }
        var carry = false
        if partial == 0 {
            carry = digits[groups] >= 5000
            digits.removeLast(digits.count - groups)
        } else {
            digits.removeLast(digits.count - groups)
            let unit: UInt16 = [0, 1000, 100, 10][partial]
            let extra = digits[groups - 1] % unit
            digits[groups - 1] -= extra
            if extra >= unit / 2 {
                digits[groups - 1] += unit
                if digits[groups - 1] >= 10000 {
                    digits[groups - 1] -= 10000
                    propagate(from: groups - 2)
                }
            }
        }
        if carry { propagate(from: groups - 1) }
    }

    /// Adds one to the group at `index` and carries on.
    private mutating func propagate(from index: Int) {
        var index = index
        while index >= 0 {
            if digits[index] < 9999 {
                digits[index] += 1
                return
            }
            digits[index] = 0
            index -= 1
        }
        digits.insert(1, at: 0)
        weight += 1
    }

    /// apply_typmod: rounds to the scale, refuses what the precision can't hold (numeric(precision, scale)).
    mutating func limit(precision: Int, scale: Int) throws(CloisterError) {
        switch sign {
        case .nan: return
        case .infinity, .minusInfinity:
            throw CloisterError(
                .numberOutOfRange, "numeric field overflow",
                hint: "A field with precision \(precision), scale \(scale) cannot hold an infinite value.")
        case .plus, .minus: break
        }
        round(toScale: scale)
        try finish()
        let wholeDigits = precision - scale
        // The power of ten above the first digit.
        guard let first = digits.first else { return }
        let firstDigits = first >= 1000 ? 4 : first >= 100 ? 3 : first >= 10 ? 2 : 1
        guard weight * 4 + firstDigits <= wholeDigits else {
            let bound = wholeDigits == 0 ? "1" : "10^\(wholeDigits)"
            throw CloisterError(
                .numberOutOfRange, "numeric field overflow",
                hint: "A field with precision \(precision), scale \(scale) must round to an absolute value less than \(bound).")
        }
    }
}
