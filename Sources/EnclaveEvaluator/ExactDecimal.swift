/// A decimal number with a scale, calculated with as PostgreSQL's numeric (src/backend/utils/adt/numeric.c): the value is
/// `magnitude` / 10^`scale`, negative or not.
struct ExactDecimal: Equatable {
    private static let leastSignificantDigits = 16
    private static let largestScale = 1000

    var isNegative: Bool
    var magnitude: Magnitude
    /// Decimal digits after the point: PostgreSQL's dscale.
    var scale: Int

    static let zero = ExactDecimal(isNegative: false, magnitude: Magnitude(), scale: 0)

    init(isNegative: Bool, magnitude: Magnitude, scale: Int) {
        self.isNegative = isNegative && !magnitude.isZero
        self.magnitude = magnitude
        self.scale = scale
    }

    init(_ integer: Int128) { self.init(isNegative: integer < 0, magnitude: Magnitude(integer.magnitude), scale: 0) }

    static func + (a: ExactDecimal, b: ExactDecimal) -> ExactDecimal {
        let scale = max(a.scale, b.scale)
        let x = a.magnitude.scaled(by: scale - a.scale)
        let y = b.magnitude.scaled(by: scale - b.scale)
        if a.isNegative == b.isNegative { return ExactDecimal(isNegative: a.isNegative, magnitude: x + y, scale: scale) }
        return x < y
            ? ExactDecimal(isNegative: b.isNegative, magnitude: y - x, scale: scale)
            : ExactDecimal(isNegative: a.isNegative, magnitude: x - y, scale: scale)
    }

    static func - (a: ExactDecimal, b: ExactDecimal) -> ExactDecimal {
        a + ExactDecimal(isNegative: !b.isNegative, magnitude: b.magnitude, scale: b.scale)
    }

    /// The exact product; its scale is the sum of both.
    static func * (a: ExactDecimal, b: ExactDecimal) -> ExactDecimal {
        ExactDecimal(isNegative: a.isNegative != b.isNegative, magnitude: a.magnitude * b.magnitude, scale: a.scale + b.scale)
    }

    /// `numeric_div`: rounded half away from zero, to the scale that `select_div_scale` chooses. Nil for a divisor of zero.
    func divided(by divisor: ExactDecimal) -> ExactDecimal? {
        let mine = leadingDigit
        let theirs = divisor.leadingDigit
        var weight = mine.weight - theirs.weight
        if mine.digit <= theirs.digit { weight -= 1 }
        let places = min(max(Self.leastSignificantDigits - 4 * weight, scale, divisor.scale, 0), Self.largestScale)
        let numerator = magnitude.scaled(by: places + divisor.scale)
        let denominator = divisor.magnitude.scaled(by: scale)
        guard let (quotient, remainder) = numerator.divided(by: denominator) else { return nil }
        let roundsUp = !(remainder + remainder < denominator)
        return ExactDecimal(
            isNegative: isNegative != divisor.isNegative, magnitude: roundsUp ? quotient + Magnitude(1) : quotient, scale: places)
    }

    /// `sqrt_var` of a number that is not negative, to the number's own scale.
    var squareRoot: ExactDecimal {
        // One digit more than wanted, of which half up decides.
        let root = magnitude.scaled(by: scale + 2).squareRoot
        let rounded = (root + Magnitude(5)).divided(by: Magnitude(10))?.quotient ?? Magnitude()
        return ExactDecimal(isNegative: false, magnitude: rounded, scale: scale)
    }

    /// The first digit to base 10000 that is not zero, and its weight; both 0 for zero.
    private var leadingDigit: (digit: UInt32, weight: Int) {
        let aligned = aligned
        guard let digit = aligned.digits.last else { return (0, 0) }
        return (digit, aligned.digits.count - 1 - fractionDigits)
    }

    /// Digits to base 10000 after the point.
    private var fractionDigits: Int { (scale + 3) / 4 }

    /// The magnitude with the point between two of its digits.
    private var aligned: Magnitude { magnitude.scaled(by: 4 * fractionDigits - scale) }

    /// PostgreSQL's send form.
    var bytes: [UInt8] {
        let digits = aligned.digits
        let first = digits.firstIndex { $0 != 0 } ?? 0
        var output: [UInt8] = []
        ValueOrder.append(UInt64(digits.count - first), 2, &output)
        ValueOrder.append(UInt64(bitPattern: Int64(digits.isEmpty ? 0 : digits.count - 1 - fractionDigits)), 2, &output)
        ValueOrder.append(isNegative ? 0x4000 : 0, 2, &output)
        ValueOrder.append(UInt64(scale), 2, &output)
        for digit in digits[first...].reversed() { ValueOrder.append(UInt64(digit), 2, &output) }
        return output
    }
}

extension NumericForm {
    /// Longer numbers would be too much work in a sum of squares.
    private static let digitLimit = 2000

    /// A finite number with its scale. Throws `badCell` if digits lie beyond the scale, which PostgreSQL's never do, and
    /// `tooLarge` for one of thousands of digits.
    func decimal(_ bytes: Span<UInt8>) throws(Refusal) -> ExactDecimal {
        let scale = Int(bytes[6]) << 8 | Int(bytes[7])
        guard rank == .positive || rank == .negative else { return ExactDecimal(isNegative: false, magnitude: Magnitude(), scale: scale) }
        let (digits, exponent) = significant(bytes)
        guard digits.count + abs(exponent) + scale / 4 <= Self.digitLimit else { throw .tooLarge }
        // value = digits × 10000^exponent = magnitude / 10^scale
        let places = 4 * exponent + scale
        let whole = Magnitude(digits: digits)
        if places >= 0 { return ExactDecimal(isNegative: rank == .negative, magnitude: whole.scaled(by: places), scale: scale) }
        guard let (quotient, remainder) = whole.divided(by: Magnitude(1).scaled(by: -places)), remainder.isZero else { throw .badCell }
        return ExactDecimal(isNegative: rank == .negative, magnitude: quotient, scale: scale)
    }
}
