import Diagnostics

/// Sums up what an interval's text says, field by field, with PostgreSQL 15's overflow checks.
struct IntervalSum {
    var microseconds: Int64 = 0
    var day: Int32 = 0
    var month: Int32 = 0
    var year: Int32 = 0

    static func overflow() -> CloisterError { CloisterError(.intervalOverflow, "interval field value out of range") }

    /// The sum of two, or an error.
    private static func sum<T: FixedWidthInteger>(_ a: T, _ b: T) throws(CloisterError) -> T {
        let (result, overflowed) = a.addingReportingOverflow(b)
        if overflowed { throw overflow() }
        return result
    }

    private static func product(_ value: Int64, _ scale: Int64) throws(CloisterError) -> Int32 {
        guard let narrow = Int32(exactly: value), let result = Int32(exactly: Int64(narrow) * scale) else { throw overflow() }
        return result
    }

    /// `fraction` of `scale` microseconds, rounded half towards zero.
    mutating func add(microsecondsOf fraction: Double, scale: Int64) throws(CloisterError) {
        if fraction == 0 { return }
        let scaled = fraction * Double(scale)
        guard var whole = Int64(exactly: scaled.rounded(.towardZero)) else { throw Self.overflow() }
        let rest = scaled - Double(whole)
        if rest > 0.5 { whole += 1 } else if rest < -0.5 { whole -= 1 }
        microseconds = try Self.sum(microseconds, whole)
    }

    /// (value + fraction) × scale microseconds.
    mutating func add(time value: Int64, _ fraction: Double, scale: Int64) throws(CloisterError) {
        let (product, overflowed) = value.multipliedReportingOverflow(by: scale)
        if overflowed { throw Self.overflow() }
        microseconds = try Self.sum(microseconds, product)
        try add(microsecondsOf: fraction, scale: scale)
    }

    mutating func add(days value: Int64, _ fraction: Double, scale: Int64 = 1) throws(CloisterError) {
        day = try Self.sum(day, Self.product(value, scale))
        if scale == 1 { return try add(microsecondsOf: fraction, scale: Calendar.microsecondsPerDay) }
        try add(daysOf: fraction, scale: scale)
    }

    private mutating func add(daysOf fraction: Double, scale: Int64) throws(CloisterError) {
        if fraction == 0 { return }
        let scaled = fraction * Double(scale)
        let whole = scaled.rounded(.towardZero)
        day = try Self.sum(day, Int32(whole))
        try add(microsecondsOf: scaled - whole, scale: Calendar.microsecondsPerDay)
    }

    mutating func add(months value: Int64, _ fraction: Double) throws(CloisterError) {
        month = try Self.sum(month, Self.product(value, 1))
        try add(daysOf: fraction, scale: 30)
    }

    mutating func add(years value: Int64, _ fraction: Double, scale: Int64 = 1) throws(CloisterError) {
        year = try Self.sum(year, Self.product(value, scale))
        let months = (fraction * Double(scale) * 12).rounded(.toNearestOrEven)
        month = try Self.sum(month, Int32(months))
    }

    mutating func negate() throws(CloisterError) {
        guard microseconds != .min, day != .min, month != .min, year != .min else { throw Self.overflow() }
        (microseconds, day, month, year) = (-microseconds, -day, -month, -year)
    }

    /// itmin2interval.
    func interval() throws(CloisterError) -> Interval {
        guard let months = Int32(exactly: Int64(year) * 12 + Int64(month)) else { throw Interval.outOfRange() }
        return Interval(time: microseconds, day: day, month: months)
    }
}

/// interval's text forms other than ISO 8601: PostgreSQL 15's DecodeInterval.
struct IntervalDecoder {
    private enum Unit {
        case microsecond, millisecond, second, minute, hour, day, week, month, year, decade, century, millennium
        /// A unit that no interval has (quarter, timezone, julian, …).
        case other
    }

    /// Which fields were seen.
    private struct Seen: OptionSet {
        var rawValue: UInt32
        static let hour = Seen(rawValue: 1 << 0)
        static let minute = Seen(rawValue: 1 << 1)
        static let second = Seen(rawValue: 1 << 2)
        static let millisecond = Seen(rawValue: 1 << 3)
        static let microsecond = Seen(rawValue: 1 << 4)
        static let day = Seen(rawValue: 1 << 5)
        static let week = Seen(rawValue: 1 << 6)
        static let month = Seen(rawValue: 1 << 7)
        static let year = Seen(rawValue: 1 << 8)
        static let decade = Seen(rawValue: 1 << 9)
        static let century = Seen(rawValue: 1 << 10)
        static let millennium = Seen(rawValue: 1 << 11)
        static let seconds: Seen = [.second, .millisecond, .microsecond]
        static let time: Seen = [.hour, .minute, .second, .millisecond, .microsecond]
    }

    private var sum = IntervalSum()
    private let fields: IntervalModifier.Fields

    static func badFormat() -> CloisterError {
        CloisterError(.invalidDateTime, "invalid input syntax for type interval")
    }

    /// interval_in. `modifier`: what the column's declared fields make of a number without a unit.
    static func parse(
        _ text: Span<UInt8>, _ style: SessionSettings.IntervalStyle, _ modifier: IntervalModifier
    ) throws(CloisterError) -> Interval {
        var decoder = IntervalDecoder(fields: modifier.fields)
        do throws(CloisterError) {
            guard let fields = DateTimeField.split(text, capacity: 255) else { throw badFormat() }
            try decoder.decode(fields, style)
        } catch {
            guard error.code == .invalidDateTime else { throw error }
            var reader = ISOIntervalReader(Bytes.copy(text))
            decoder.sum = try reader.read()
        }
        var interval = try decoder.sum.interval()
        interval.limit(modifier)
        return interval
    }

    private init(fields: IntervalModifier.Fields) { self.fields = fields }

    private mutating func decode(_ parts: [DateTimeField], _ style: SessionSettings.IntervalStyle) throws(CloisterError) {
        var seen: Seen = []
        var unit: Unit?
        var isAgo = false
        func isSigned(_ field: DateTimeField) -> Bool { field.text.first == ascii("-") || field.text.first == ascii("+") }
        // A leading minus of the standard's form goes for all fields.
        let isNegative = style == .sqlStandard && parts.first?.text.first == ascii("-") && !parts.dropFirst().contains(where: isSigned)

        for field in parts.reversed() {
            var mask: Seen = []
            switch field.kind {
            case .time:
                sum.microseconds = try time(field.text)
                if isNegative, sum.microseconds > 0 { sum.microseconds.negate() }
                mask = .time
                unit = .day
            case .offset where field.text.contains(ascii(":")) && (try? time(Array(field.text.dropFirst()))) != nil:
                let value = try time(Array(field.text.dropFirst()))
                sum.microseconds = field.text[0] == ascii("-") || isNegative ? -value : value
                mask = .time
                unit = .day
            case .offset, .date, .number:
                mask = try number(field.text, &unit, isNegative: isNegative)
            case .word, .signedWord:
                // Ten bytes are compared.
                let name = String(decoding: field.text.prefix(10), as: UTF8.self)
                if name == "ago" {
                    isAgo = true
                    unit = .other
                } else {
                    guard let named = Self.units[name] else { throw Self.badFormat() }
                    unit = named
                }
            }
            guard seen.isDisjoint(with: mask) else { throw Self.badFormat() }
            seen.formUnion(mask)
        }
        guard !seen.isEmpty else { throw Self.badFormat() }
        if isAgo { try sum.negate() }
    }

    /// strtoint64 and where it ends; nil if it overflows.
    private static func integer(_ text: [UInt8], from start: Int = 0) -> (value: Int64?, end: Int) {
        var index = start
        var negative = false
        if index < text.count, text[index] == ascii("-") || text[index] == ascii("+") {
            negative = text[index] == ascii("-")
            index += 1
        }
        let first = index
        var value: Int64? = 0
        while index < text.count, text[index].isDigit {
            if let known = value {
                let (product, overflow1) = known.multipliedReportingOverflow(by: 10)
                let (total, overflow2) = product.subtractingReportingOverflow(Int64(text[index].digit))
                value = overflow1 || overflow2 ? nil : total
            }
            index += 1
        }
        if index == first { return (0, start) }
        if !negative, let known = value { value = known == .min ? nil : -known }
        return (value, index)
    }

    /// ".ddd" up to the end.
    private static func fraction(_ text: ArraySlice<UInt8>) throws(CloisterError) -> Double {
        let digits = text.dropFirst()
        guard digits.allSatisfy(\.isDigit) else { throw badFormat() }
        if digits.isEmpty { return 0 }
        return Double("0." + String(decoding: digits, as: UTF8.self)) ?? 0
    }

    /// DecodeTimeForInterval: hh:mm[:ss[.fff]], mm:ss.fff; hours without bound.
    private func time(_ text: [UInt8]) throws(CloisterError) -> Int64 {
        let (hours, afterHours) = Self.integer(text)
        guard var hour = hours else { throw IntervalSum.overflow() }
        guard afterHours < text.count, text[afterHours] == ascii(":") else { throw Self.badFormat() }
        let (minutes, afterMinutes) = Self.integer(text, from: afterHours + 1)
        guard var minute = minutes, Int32(exactly: minute) != nil else { throw IntervalSum.overflow() }
        var second: Int64 = 0
        var microsecond: Int64 = 0
        var end = afterMinutes
        var isMinutes = end == text.count ? fields == [.minute, .second] : text[end] == ascii(".")
        if end < text.count, text[end] == ascii(":") {
            let (seconds, afterSeconds) = Self.integer(text, from: end + 1)
            guard let known = seconds, Int32(exactly: known) != nil else { throw IntervalSum.overflow() }
            second = known
            end = afterSeconds
            isMinutes = false
        }
        if end < text.count {
            guard text[end] == ascii(".") else { throw Self.badFormat() }
            microsecond = Int64((try Self.fraction(text[end...]) * 1_000_000).rounded(.toNearestOrEven))
        }
        if isMinutes {
            guard Int32(exactly: hour) != nil else { throw IntervalSum.overflow() }
            (hour, minute, second) = (0, hour, minute)
        }
        guard hour >= 0, (0...59).contains(minute), (0...60).contains(second), (0...1_000_000).contains(microsecond) else {
            throw IntervalSum.overflow()
        }
        var time = IntervalSum(microseconds: microsecond)
        try time.add(time: hour, 0, scale: Interval.microsecondsPerHour)
        try time.add(time: minute, 0, scale: Interval.microsecondsPerMinute)
        try time.add(time: second, 0, scale: 1_000_000)
        return time.microseconds
    }

    /// What a number without a unit counts: the last of the declared fields, else seconds.
    private var implicitUnit: Unit {
        switch fields {
        case .year: .year
        case .month, [.year, .month]: .month
        case .day: .day
        case .hour, [.day, .hour]: .hour
        case .minute, [.hour, .minute], [.day, .hour, .minute]: .minute
        default: .second
        }
    }

    private mutating func number(_ text: [UInt8], _ unit: inout Unit?, isNegative: Bool) throws(CloisterError) -> Seen {
        var kind = unit ?? implicitUnit
        let (number, end) = Self.integer(text)
        guard var value = number else { throw IntervalSum.overflow() }
        var fraction = 0.0
        let isMinus = text.first == ascii("-")
        if end < text.count, text[end] == ascii("-") {
            // years-months
            let (second, stop) = Self.integer(text, from: end + 1)
            guard let months = second, (0..<12).contains(months) else { throw IntervalSum.overflow() }
            guard stop == text.count else { throw Self.badFormat() }
            kind = .month
            let (product, overflow1) = value.multipliedReportingOverflow(by: 12)
            let (total, overflow2) = product.addingReportingOverflow(isMinus ? -months : months)
            if overflow1 || overflow2 { throw IntervalSum.overflow() }
            value = total
        } else if end < text.count {
            guard text[end] == ascii(".") else { throw Self.badFormat() }
            fraction = try Self.fraction(text[end...])
            if isMinus { fraction = -fraction }
        }
        if isNegative {
            if value > 0 { value = -value }
            if fraction > 0 { fraction = -fraction }
        }
        unit = kind
        switch kind {
        case .microsecond:
            try sum.add(time: value, fraction, scale: 1)
            return .microsecond
        case .millisecond:
            try sum.add(time: value, fraction, scale: 1000)
            return .millisecond
        case .second:
            try sum.add(time: value, fraction, scale: 1_000_000)
            return fraction == 0 ? .second : .seconds
        case .minute:
            try sum.add(time: value, fraction, scale: Interval.microsecondsPerMinute)
            return .minute
        case .hour:
            try sum.add(time: value, fraction, scale: Interval.microsecondsPerHour)
            unit = .day
            return .hour
        case .day:
            try sum.add(days: value, fraction)
            return .day
        case .week:
            try sum.add(days: value, fraction, scale: 7)
            return .week
        case .month:
            try sum.add(months: value, fraction)
            return .month
        case .year:
            try sum.add(years: value, fraction)
            return .year
        case .decade:
            try sum.add(years: value, fraction, scale: 10)
            return .decade
        case .century:
            try sum.add(years: value, fraction, scale: 100)
            return .century
        case .millennium:
            try sum.add(years: value, fraction, scale: 1000)
            return .millennium
        case .other: throw Self.badFormat()
        }
    }

    /// DecodeUnits.
    private static let units: [String: Unit] = {
        var units: [String: Unit] = [:]
        for (unit, names) in [
            (Unit.century, "c cent centuries century"), (.day, "d day days"), (.decade, "dec decade decades decs"),
            (.hour, "h hour hours hr hrs"), (.minute, "m min mins minute minutes"),
            (.microsecond, "microsecon us usec usecond useconds usecs"),
            (.millennium, "mil millennia millennium mils"), (.millisecond, "millisecon ms msec msecond mseconds msecs"),
            (.month, "mon mons month months"), (.second, "s sec second seconds secs"), (.week, "w week weeks"),
            (.year, "y year years yr yrs"), (.other, "qtr quarter timezone timezone_h timezone_m"),
        ] {
            for name in names.split(separator: " ") { units[String(name)] = unit }
        }
        return units
    }()
}
