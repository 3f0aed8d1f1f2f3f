import Diagnostics

/// numeric in PostgreSQL's binary form (numeric_send), the canonical form of the type:
///
/// | byte | content (big endian) |
/// |---|---|
/// | 0..1 | ndigits: how many base-10000 digits follow |
/// | 2..3 | weight: the first digit counts 10000^weight |
/// | 4..5 | sign: 0 plus, 0x4000 minus, 0xC000 NaN, 0xD000 Infinity, 0xF000 -Infinity |
/// | 6..7 | dscale: decimal digits shown after the point (0x20 for the infinities, as the server sends it) |
/// | 8... | the digits, 0...9999 each; neither the first nor the last is 0 |
struct Numeric {
    enum Sign: UInt16 {
        case plus = 0
        case minus = 0x4000
        case nan = 0xc000
        case infinity = 0xd000
        case minusInfinity = 0xf000
    }

    static let maximumScale = 0x3fff
    static let headerSize = 8

    var weight: Int
    var sign: Sign
    var dscale: Int
    /// Base 10000, most significant first; no leading or trailing zeros once normalised.
    var digits: [UInt16]

    static let nan = Numeric(weight: 0, sign: .nan, dscale: 0, digits: [])
    static let infinity = Numeric(weight: 0, sign: .infinity, dscale: 0x20, digits: [])
    static let minusInfinity = Numeric(weight: 0, sign: .minusInfinity, dscale: 0x20, digits: [])

    var isFinite: Bool { sign == .plus || sign == .minus }

    static func overflow() -> CloisterError { ValueError.outOfRange("value overflows numeric format") }

    // MARK: Binary

    /// numeric_recv: validates, truncates digits that dscale hides, strips zeros, checks the stored form's limits.
    init(binary bytes: [UInt8]) throws(CloisterError) {
        guard bytes.count >= 6 else { throw ValueCodec.shortBinary() }
        let count = Int(Bytes.integer(bytes, at: 0, as: UInt16.self))
        weight = Int(Bytes.integer(bytes, at: 2, as: Int16.self))
        guard let sign = Sign(rawValue: Bytes.integer(bytes, at: 4)) else {
            throw ValueError.binary("invalid sign in external \"numeric\" value")
        }
        self.sign = sign
        guard bytes.count >= Self.headerSize else { throw ValueCodec.shortBinary() }
        dscale = Int(Bytes.integer(bytes, at: 6, as: UInt16.self))
        guard dscale <= Self.maximumScale else { throw ValueError.binary("invalid scale in external \"numeric\" value") }
        digits = []
        digits.reserveCapacity(min(count, bytes.count / 2))
        for index in 0..<count {
            guard bytes.count >= Self.headerSize + 2 * index + 2 else { throw ValueCodec.shortBinary() }
            let digit: UInt16 = Bytes.integer(bytes, at: Self.headerSize + 2 * index)
            guard digit < 10000 else { throw ValueError.binary("invalid digit in external \"numeric\" value") }
            digits.append(digit)
        }
        guard bytes.count == Self.headerSize + 2 * count else { throw ValueCodec.longBinary() }
        switch sign {
        case .nan: self = .nan
        case .infinity: self = .infinity
        case .minusInfinity: self = .minusInfinity
        case .plus, .minus:
            truncate(toScale: dscale)
            try finish()
        }
    }

    /// Reads bytes that this module made.
    init(canonical bytes: [UInt8]) throws(CloisterError) { try self.init(binary: bytes) }

    init(weight: Int, sign: Sign, dscale: Int, digits: [UInt16]) {
        self.weight = weight
        self.sign = sign
        self.dscale = dscale
        self.digits = digits
    }

    var canonical: [UInt8] {
        [UInt8](capacity: Self.headerSize + 2 * digits.count) { (output: inout OutputSpan<UInt8>) in
            func append(_ value: UInt16) {
                output.append(UInt8(truncatingIfNeeded: value >> 8))
                output.append(UInt8(truncatingIfNeeded: value))
            }
            append(UInt16(truncatingIfNeeded: digits.count))
            append(UInt16(truncatingIfNeeded: weight))
            append(sign.rawValue)
            append(UInt16(truncatingIfNeeded: dscale))
            for digit in digits { append(digit) }
        }
    }

    /// trunc_var: drops decimal digits after the `scale`th fractional one.
    mutating func truncate(toScale scale: Int) {
        let kept = (weight + 1) * 4 + scale
        guard kept > 0 else {
            digits = []
            return
        }
        let groups = (kept + 3) / 4
        guard groups <= digits.count else { return }
        digits.removeLast(digits.count - groups)
        let partial = kept % 4
        if partial > 0 {
            let unit: UInt16 = [0, 1000, 100, 10][partial]
            digits[groups - 1] -= digits[groups - 1] % unit
        }
    }

    /// make_result: strips zeros, gives zero its one form, checks the limits of the stored form.
    mutating func finish() throws(CloisterError) {
        if let first = digits.firstIndex(where: { $0 != 0 }) {
            digits.removeFirst(first)
            weight -= first
            while digits.last == 0 { digits.removeLast() }
        } else {
            digits = []
            weight = 0
            sign = .plus
        }
        guard weight >= Int(Int16.min), weight <= Int(Int16.max), dscale <= Self.maximumScale else { throw Self.overflow() }
    }

    // MARK: Text

    /// numeric_in without a type modifier.
    init(text: Span<UInt8>) throws(CloisterError) {
        let trimmed = Bytes.trimmed(text)
        var index = trimmed.lowerBound
        let end = trimmed.upperBound
        if let special = Self.special(text, trimmed) {
            self = special
            return
        }
        var sign = Sign.plus
        if index < end, text[index] == ascii("-") || text[index] == ascii("+") {
            if text[index] == ascii("-") { sign = .minus }
            index += 1
        }
        let start = index
        while index < end, text[index].isDigit { index += 1 }
        let integerDigits = index - start
        var fractionDigits = 0
        if index < end, text[index] == ascii(".") {
            index += 1
            // A point needs a digit on one side: "1." and ".1" are numbers, "." is none.
            let first = index
            while index < end, text[index].isDigit { index += 1 }
            fractionDigits = index - first
        }
        guard integerDigits + fractionDigits > 0 else { throw ValueError.syntax("numeric") }
        var exponent = 0
        if index < end, text[index] | 0x20 == ascii("e") {
            index += 1
            exponent = try Self.exponent(text, &index, end)
        }
        guard abs(exponent) < Int(Int32.max) / 2 else { throw Self.overflow() }
        guard index == end else { throw ValueError.syntax("numeric") }
        try self.init(
            sign: sign, count: integerDigits + fractionDigits, pointAfter: integerDigits, exponent: exponent
        ) { position in
            text[start + position + (position >= integerDigits ? 1 : 0)].digit
        }
    }

    /// From decimal digits, most significant first, with the point after `pointAfter` of them, times 10^exponent.
    init(sign: Sign, count: Int, pointAfter: Int, exponent: Int, digit: (Int) -> Int) throws(CloisterError) {
        let dscale = max(0, count - pointAfter - exponent)
        // Digit k counts 10^(top - k).
        let top = pointAfter - 1 + exponent
        var first = 0
        while first < count, digit(first) == 0 { first += 1 }
        guard first < count else {
            guard dscale <= Self.maximumScale else { throw Self.overflow() }
            self.init(weight: 0, sign: .plus, dscale: dscale, digits: [])
            return
        }
        var last = count - 1
        while digit(last) == 0 { last -= 1 }
        let weight = (top - first) >> 2
        let lowest = (top - last) >> 2
        guard weight >= Int(Int16.min), weight <= Int(Int16.max), dscale <= Self.maximumScale else { throw Self.overflow() }
        var digits: [UInt16] = []
        digits.reserveCapacity(weight - lowest + 1)
        var group = 0
        var power = weight * 4 + 3
        while power >= lowest * 4 {
            let position = top - power
            group = group * 10 + (position >= first && position <= last ? digit(position) : 0)
            if power & 3 == 0 {
                digits.append(UInt16(group))
                group = 0
            }
            power -= 1
        }
        self.init(weight: weight, sign: sign, dscale: dscale, digits: digits)
    }

    private static func special(_ text: Span<UInt8>, _ range: Range<Int>) -> Numeric? {
        guard let first = range.isEmpty ? nil : text[range.lowerBound] else { return nil }
        var word = range
        var negative = false
        if first == ascii("-") || first == ascii("+") {
            negative = first == ascii("-")
            word = range.lowerBound + 1..<range.upperBound
        } else if Bytes.equals(text, range, ignoringCase: "nan") {
            return .nan
        }
        guard Bytes.equals(text, word, ignoringCase: "infinity") || Bytes.equals(text, word, ignoringCase: "inf") else {
            return nil
        }
        return negative ? .minusInfinity : .infinity
    }

    /// What C's `strtol` reads: white space, sign, digits; saturates.
    private static func exponent(_ text: Span<UInt8>, _ index: inout Int, _ end: Int) throws(CloisterError) -> Int {
        while index < end, text[index].isSpace { index += 1 }
        var negative = false
        if index < end, text[index] == ascii("-") || text[index] == ascii("+") {
            negative = text[index] == ascii("-")
            index += 1
        }
        guard index < end, text[index].isDigit else { throw ValueError.syntax("numeric") }
        var value = 0
        while index < end, text[index].isDigit {
            value = min(value * 10 + text[index].digit, Int(Int32.max))
            index += 1
        }
        return negative ? -value : value
    }

    /// numeric_out.
    func appendText(to output: inout [UInt8]) {
        switch sign {
        case .nan: return output.append(ascii: "NaN")
        case .infinity: return output.append(ascii: "Infinity")
        case .minusInfinity: return output.append(ascii: "-Infinity")
        case .minus: output.append(ascii("-"))
        case .plus: break
        }
        func group(_ power: Int) -> Int {
            let index = weight - power
            return digits.indices.contains(index) ? Int(digits[index]) : 0
        }
        if weight < 0 || digits.isEmpty {
            output.append(ascii("0"))
        } else {
            output.append(decimal: group(weight))
            for power in stride(from: weight - 1, through: 0, by: -1) { output.append(decimal: group(power), width: 4) }
        }
        guard dscale > 0 else { return }
        output.append(ascii("."))
        var left = dscale
        var power = -1
        while left > 0 {
            var value = group(power)
            var unit = 1000
            for _ in 0..<min(4, left) {
                output.append(UInt8(0x30 + value / unit))
                value %= unit
                unit /= 10
            }
            left -= 4
            power -= 1
        }
    }

    /// The one form of all equal values: as few fractional digits as the value needs.
    mutating func normalizeScale() {
        guard isFinite, let last = digits.last else {
            if isFinite { dscale = 0 }
            return
        }
        var scale = (digits.count - 1 - weight) * 4
        guard scale > 0 else {
            dscale = 0
            return
        }
        var rest = last
        while rest % 10 == 0 {
            rest /= 10
            scale -= 1
        }
        dscale = scale
    }
}
