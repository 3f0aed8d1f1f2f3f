/// A numeric in PostgreSQL's send form (`numeric_send`, src/backend/utils/adt/numeric.c), read without making a big number.
///
/// | byte | content |
/// |---|---|
/// | 0..1 | number of base-10000 digits, big endian |
/// | 2..3 | weight of the first digit: its exponent to base 10000, signed |
/// | 4..5 | 0x0000 positive, 0x4000 negative, 0xC000 NaN, 0xD000 Infinity, 0xF000 -Infinity (PostgreSQL 14 and later) |
/// | 6..7 | display scale: decimal digits after the point |
/// | 8... | the digits, 0...9999, big endian |
///
/// Leading and trailing zero digits are accepted and mean nothing. The bytes themselves stay with the caller, who passes
/// the same span again.
struct NumericForm {
    /// Where a number stands before its digits are looked at: rank orders the classes.
    enum Rank: Int32 { case minusInfinity, negative, zero, positive, plusInfinity, notANumber }

    let rank: Rank
    /// The exponent (base 10000) of the first significant digit.
    private let weight: Int
    /// The significant digits: indices into the digits.
    private let first: Int
    private let end: Int

    /// Throws `badCell` unless the bytes are a numeric.
    init(_ bytes: Span<UInt8>) throws(Refusal) {
        guard bytes.count >= 8 else { throw .badCell }
        let count = Int(bytes[0]) << 8 | Int(bytes[1])
        let stated = Int(Int16(truncatingIfNeeded: Int(bytes[2]) << 8 | Int(bytes[3])))
        let sign = Int(bytes[4]) << 8 | Int(bytes[5])
        guard bytes.count == 8 + 2 * count else { throw .badCell }
        for index in 0..<count where Self.digit(bytes, index) > 9999 { throw .badCell }
        var first = 0
        var end = count
        while first < end, Self.digit(bytes, first) == 0 { first += 1 }
        while end > first, Self.digit(bytes, end - 1) == 0 { end -= 1 }
        switch sign {
        case 0x0000: rank = first == end ? .zero : .positive
        case 0x4000: rank = first == end ? .zero : .negative
        case 0xC000: rank = .notANumber
        case 0xD000: rank = .plusInfinity
        case 0xF000: rank = .minusInfinity
        default: throw .badCell
        }
        self.first = first
        self.end = end
        weight = stated - first
    }

    /// -1, 0 or 1 by value.
    static func compare(_ a: NumericForm, _ aBytes: Span<UInt8>, _ b: NumericForm, _ bBytes: Span<UInt8>) -> Int32 {
        if a.rank != b.rank { return a.rank.rawValue < b.rank.rawValue ? -1 : 1 }
        switch a.rank {
        case .minusInfinity, .zero, .plusInfinity, .notANumber: return 0
        case .positive: return compareMagnitudes(a, aBytes, b, bBytes)
        case .negative: return -compareMagnitudes(a, aBytes, b, bBytes)
        }
    }

    private static func compareMagnitudes(
        _ a: NumericForm, _ aBytes: Span<UInt8>, _ b: NumericForm, _ bBytes: Span<UInt8>
    ) -> Int32 {
        if a.weight != b.weight { return a.weight < b.weight ? -1 : 1 }
        let aCount = a.end - a.first
        let bCount = b.end - b.first
        for index in 0..<min(aCount, bCount) {
            let x = digit(aBytes, a.first + index)
            let y = digit(bBytes, b.first + index)
            if x != y { return x < y ? -1 : 1 }
        }
        // The last significant digit is not zero: the longer one is the greater one.
        return aCount < bCount ? -1 : aCount == bCount ? 0 : 1
    }

    /// The form without leading and trailing zero digits and with the least scale that shows every digit. Zero and the
    /// special values have no digits, weight 0 and scale 0.
    func normalize(_ bytes: Span<UInt8>, into output: inout [UInt8]) {
        let isFinite = rank == .positive || rank == .negative
        let count = isFinite ? end - first : 0
        let sign =
            switch rank {
            case .zero, .positive: 0x0000
            case .negative: 0x4000
            case .notANumber: 0xC000
            case .plusInfinity: 0xD000
            case .minusInfinity: 0xF000
            }
        for field in [count, isFinite ? weight : 0, sign, isFinite ? leastScale(bytes) : 0] {
            output.append(UInt8(truncatingIfNeeded: field >> 8))
            output.append(UInt8(truncatingIfNeeded: field))
        }
        for index in 0..<(2 * count) { output.append(bytes[8 + 2 * first + index]) }
    }

    /// The significant digits, least significant first, and the exponent to base 10000 of the first of these.
    func significant(_ bytes: Span<UInt8>) -> (digits: [UInt32], exponent: Int) {
        ((first..<end).reversed().map { UInt32(Self.digit(bytes, $0)) }, weight - (end - first - 1))
    }

    /// The number as an integer, if it is one that 64 bits hold.
    func integer(_ bytes: Span<UInt8>) -> Int64? {
        if rank == .zero { return 0 }
        guard rank == .positive || rank == .negative, weight <= 4, end - first <= weight + 1 else { return nil }
        var result: Int128 = 0
        for place in 0...weight { result = result * 10_000 + Int128(first + place < end ? Self.digit(bytes, first + place) : 0) }
        return Int64(exactly: rank == .negative ? -result : result)
    }

    /// The send form of an integer.
    static func bytes(of integer: Int64) -> [UInt8] {
        var digits: [UInt64] = []
        var rest = integer.magnitude
        while rest > 0 {
            digits.append(rest % 10_000)
            rest /= 10_000
        }
        var output: [UInt8] = []
        ValueOrder.append(UInt64(digits.count), 2, &output)
        ValueOrder.append(UInt64(max(digits.count - 1, 0)), 2, &output)
        ValueOrder.append(integer < 0 ? 0x4000 : 0, 2, &output)
        ValueOrder.append(0, 2, &output)
        for digit in digits.reversed() { ValueOrder.append(digit, 2, &output) }
        return output
    }

    /// Decimal digits after the point down to the last one that is not zero.
    private func leastScale(_ bytes: Span<UInt8>) -> Int {
        let places = (end - first - 1) - weight
        guard places > 0 else { return 0 }
        var last = Self.digit(bytes, end - 1)
        var scale = 4 * places
        while last % 10 == 0, scale > 0 {
            last /= 10
            scale -= 1
        }
        return scale
    }

    private static func digit(_ bytes: Span<UInt8>, _ index: Int) -> Int {
        Int(bytes[8 + 2 * index]) << 8 | Int(bytes[9 + 2 * index])
    }
}
