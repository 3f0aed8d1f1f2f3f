import Diagnostics

/// Intervals of ISO 8601, with designators (P1Y2M3DT4H5M6S) and in the alternative form (P0001-02-03T04:05:06): PostgreSQL
/// 15's DecodeISO8601Interval.
struct ISOIntervalReader {
    private let text: [UInt8]
    private var index = 0
    private var sum = IntervalSum()

    init(_ text: [UInt8]) { self.text = text }

    private static func badFormat() -> CloisterError { IntervalDecoder.badFormat() }
    private var byte: UInt8 { index < text.count ? text[index] : 0 }

    private struct Number {
        var whole: Int64
        var fraction: Double
        /// Digits before the point.
        var width: Int
    }

    /// What strtod reads, its whole part and its fraction.
    private mutating func number() throws(CloisterError) -> Number {
        guard byte.isDigit || byte == ascii("-") || byte == ascii(".") else { throw Self.badFormat() }
        var end = index
        var digits: [UInt8] = []
        if text[end] == ascii("-") {
            digits.append(ascii("-"))
            end += 1
        }
        // Hexadecimal and the like, which strtod reads too, are refused by the server for their lack of a unit or value.
        let start = end
        while end < text.count, text[end].isDigit { end += 1 }
        let width = end - start
        digits += width == 0 ? [ascii("0")] : Array(text[start..<end])
        var count = width
        if end < text.count, text[end] == ascii(".") {
            let point = end
            end += 1
            while end < text.count, text[end].isDigit { end += 1 }
            count += end - point - 1
            if end - point > 1 { digits += text[point..<end] }
        }
        guard count > 0 else { throw Self.badFormat() }
        if end < text.count, text[end] | 0x20 == ascii("e") {
            var exponent = end + 1
            if exponent < text.count, text[exponent] == ascii("-") || text[exponent] == ascii("+") { exponent += 1 }
            if exponent < text.count, text[exponent].isDigit {
                while exponent < text.count, text[exponent].isDigit { exponent += 1 }
                digits += text[end..<exponent]
                end = exponent
            }
        }
        guard end == index || text[index] | 0x20 != ascii("x") else { throw Self.badFormat() }
        guard let value = Double(String(decoding: digits, as: UTF8.self)), value.isFinite else { throw Self.badFormat() }
        // strtod reports what is too small as well.
        let isZero = digits.prefix { $0 | 0x20 != ascii("e") }.allSatisfy { !$0.isDigit || $0 == ascii("0") }
        guard isZero || value.magnitude >= .leastNormalMagnitude else { throw Self.badFormat() }
        guard value.magnitude <= 1e15 else { throw IntervalSum.overflow() }
        index = end
        let whole = value.rounded(.towardZero)
        return Number(whole: Int64(whole), fraction: value - whole, width: width)
    }

    mutating func read() throws(CloisterError) -> IntervalSum {
        guard text.count >= 2, text[0] == ascii("P") else { throw Self.badFormat() }
        index = 1
        var isDate = true
        var hasField = false
        while index < text.count {
            if byte == ascii("T") {
                isDate = false
                hasField = false
                index += 1
                continue
            }
            let number = try number()
            let unit = byte
            let atEnd = index >= text.count
            index += 1
            if isDate {
                switch unit {
                case ascii("Y"): try sum.add(years: number.whole, number.fraction)
                case ascii("M"): try sum.add(months: number.whole, number.fraction)
                case ascii("W"): try sum.add(days: number.whole, number.fraction, scale: 7)
                case ascii("D"): try sum.add(days: number.whole, number.fraction)
                case ascii("T"), ascii("-"), 0:
                    if unit == 0, !atEnd { throw Self.badFormat() }
                    if try alternativeDate(number, unit, hasField: hasField) { return sum }
                    isDate = false
                    hasField = false
                    continue
                default: throw Self.badFormat()
                }
            } else {
                switch unit {
                case ascii("H"): try sum.add(time: number.whole, number.fraction, scale: Interval.microsecondsPerHour)
                case ascii("M"): try sum.add(time: number.whole, number.fraction, scale: Interval.microsecondsPerMinute)
                case ascii("S"): try sum.add(time: number.whole, number.fraction, scale: 1_000_000)
                case ascii(":"), 0:
                    if unit == 0, !atEnd { throw Self.badFormat() }
                    try alternativeTime(number, unit, hasField: hasField)
                    return sum
                default: throw Self.badFormat()
                }
            }
            hasField = true
        }
        return sum
    }

    /// yyyymmdd, or yyyy[-mm[-dd]]; true at the end of the text, false before a time (a `T` may still be unread).
    private mutating func alternativeDate(_ first: Number, _ unit: UInt8, hasField: Bool) throws(CloisterError) -> Bool {
        if unit != ascii("-"), first.width == 8, !hasField {
            try sum.add(years: first.whole / 10000, 0)
            try sum.add(months: first.whole / 100 % 100, 0)
            try sum.add(days: first.whole % 100, first.fraction)
            return unit == 0
        }
        if hasField { throw Self.badFormat() }
        try sum.add(years: first.whole, first.fraction)
        if unit == 0 { return true }
        if unit == ascii("T") { return false }
        let month = try number()
        try sum.add(months: month.whole, month.fraction)
        if index >= text.count { return true }
        if byte == ascii("T") { return false }
        guard byte == ascii("-") else { throw Self.badFormat() }
        index += 1
        let day = try number()
        try sum.add(days: day.whole, day.fraction)
        if index >= text.count { return true }
        guard byte == ascii("T") else { throw Self.badFormat() }
        return false
    }

    /// hhmmss, or hh[:mm[:ss]] up to the end of the text.
    private mutating func alternativeTime(_ first: Number, _ unit: UInt8, hasField: Bool) throws(CloisterError) {
        if unit == 0, first.width == 6, !hasField {
            try sum.add(time: first.whole / 10000, 0, scale: Interval.microsecondsPerHour)
            try sum.add(time: first.whole / 100 % 100, 0, scale: Interval.microsecondsPerMinute)
            try sum.add(time: first.whole % 100, 0, scale: 1_000_000)
            return try sum.add(microsecondsOf: first.fraction, scale: 1)
        }
        if hasField { throw Self.badFormat() }
        try sum.add(time: first.whole, first.fraction, scale: Interval.microsecondsPerHour)
        if unit == 0 { return }
        let minute = try number()
        try sum.add(time: minute.whole, minute.fraction, scale: Interval.microsecondsPerMinute)
        if index >= text.count { return }
        guard byte == ascii(":") else { throw Self.badFormat() }
        index += 1
        let second = try number()
        try sum.add(time: second.whole, second.fraction, scale: 1_000_000)
        guard index >= text.count else { throw Self.badFormat() }
    }
}
