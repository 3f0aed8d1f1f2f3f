import Diagnostics

/// What a date/time text says.
enum DateTimeValue {
    /// Local fields and, if the text named one, the offset from UTC (seconds east).
    case fields(DateTimeFields, offset: Int?)
    case epoch, infinity, minusInfinity
}

/// Gives fields their meaning, as PostgreSQL 15's DecodeDateTime and what it calls.
struct DateTimeDecoder {
    /// Which fields were seen.
    struct Seen: OptionSet {
        var rawValue: UInt32
        static let reserved = Seen(rawValue: 1 << 0)
        static let month = Seen(rawValue: 1 << 1)
        static let year = Seen(rawValue: 1 << 2)
        static let day = Seen(rawValue: 1 << 3)
        static let zone = Seen(rawValue: 1 << 4)
        static let summer = Seen(rawValue: 1 << 5)
        static let meridian = Seen(rawValue: 1 << 6)
        static let hour = Seen(rawValue: 1 << 7)
        static let minute = Seen(rawValue: 1 << 8)
        static let second = Seen(rawValue: 1 << 9)
        static let fraction = Seen(rawValue: 1 << 10)
        static let dayOfYear = Seen(rawValue: 1 << 11)
        static let weekday = Seen(rawValue: 1 << 12)
        static let era = Seen(rawValue: 1 << 13)
        static let summerModifier = Seen(rawValue: 1 << 14)
        static let date: Seen = [.year, .month, .day]
        static let seconds: Seen = [.second, .fraction]
        static let time: Seen = [.hour, .minute, .second, .fraction]
    }

    let typeName: StaticString
    let order: SessionSettings.DateOrder

    var tm = DateTimeFields()
    var dayOfYear = 0
    var isTwoDigitYear = false
    var isJulian = false

    init(typeName: StaticString, order: SessionSettings.DateOrder) {
        self.typeName = typeName
        self.order = order
    }

    // MARK: Errors

    func badFormat() -> CloisterError {
        CloisterError(.invalidDateTime, "invalid input syntax for type \(typeName)")
    }
    func fieldOverflow() -> CloisterError {
        CloisterError(.dateTimeOutOfRange, "date/time field value out of range")
    }
    private func monthDayOverflow() -> CloisterError {
        CloisterError(
            .dateTimeOutOfRange, "date/time field value out of range",
            hint: "Perhaps you need a different \"datestyle\" setting.")
    }
    private func displacement() -> CloisterError {
        CloisterError(.timeZoneDisplacement, "time zone displacement out of range")
    }

    /// nil if there is no such zone.
    func namedZone(_ name: [UInt8]) throws(CloisterError) -> ZoneRules? {
        switch ZoneRules.named(name) {
        case .found(let zone): return zone
        case .unknown: return nil
        case .serverDefined:
            throw ValueError.unsupported(
                "this time zone is not supported: its rules are the server host's own",
                hint: "Write an offset such as +02 or a full zone name such as Europe/Paris.")
        }
    }

    // MARK: The whole

    mutating func decode(_ fields: [DateTimeField]) throws(CloisterError) -> DateTimeValue {
        var seen: Seen = []
        var unit: DateTimeUnit?
        var haveTextMonth = false
        var isPM: Bool?
        var isBC = false
        /// Seconds east of UTC.
        var offset = 0
        var zone: ZoneRules?
        var special: DateTimeValue?

        for (index, field) in fields.enumerated() {
            var mask: Seen = []
            switch field.kind {
            case .date:
                if unit == .julian {
                    var position = 0
                    guard let day = Self.integer(field.text, &position), day >= 0 else { throw fieldOverflow() }
                    (tm.year, tm.month, tm.day) = Calendar.date(julianDay: day)
                    isJulian = true
                    offset = try numericZone(field.text[position...])
                    mask = [.date, .time, .zone]
                    unit = nil
                } else if unit != nil || seen.isSuperset(of: [.month, .day]) {
                    if unit != nil || field.text[0].isDigit {
                        if let label = unit {
                            guard label == .time else { throw badFormat() }
                            unit = nil
                        }
                        guard !seen.isSuperset(of: .time), let minus = field.text.firstIndex(of: ascii("-")) else {
                            throw badFormat()
                        }
                        offset = try numericZone(field.text[minus...])
                        mask = try concatenated(Array(field.text[..<minus]), seen).union(.zone)
                    } else {
                        zone = try namedZone(field.text)
                        guard zone != nil else {
                            throw CloisterError(.invalidParameterValue, "time zone not recognized")
                        }
                        mask = .zone
                    }
                } else {
                    mask = try date(field.text, seen)
                }

            case .time:
                if let label = unit {
                    guard label == .time else { throw badFormat() }
                    unit = nil
                }
                mask = try time(field.text)
                guard !overflowsDay else { throw fieldOverflow() }

            case .offset:
                offset = try numericZone(field.text[...])
                mask = .zone

            case .number:
                if let label = unit {
                    mask = try labelled(field.text, label, seen)
                    unit = nil
                    special = nil
                } else {
                    let point = field.text.firstIndex(of: ascii("."))
                    if point != nil, seen.isDisjoint(with: .date) {
                        mask = try date(field.text, seen)
                    } else if let point, point > 2 {
                        mask = try concatenated(field.text, seen)
                    } else if field.text.count >= 6, seen.isDisjoint(with: .date) || seen.isDisjoint(with: .time) {
                        mask = try concatenated(field.text, seen)
                    } else {
                        mask = try number(field.text, haveTextMonth: haveTextMonth, seen)
                    }
                }

            case .word, .signedWord:
                if ZoneAbbreviation.isUTC(field.text) {
                    offset = 0
                    mask = .zone
                    break
                }
                if ZoneAbbreviation.isServerDefined(field.text) { throw ZoneAbbreviation.refusal() }
                guard let word = DateTimeWord(field.text) else {
                    zone = try namedZone(field.text)
                    guard zone != nil else { throw badFormat() }
                    mask = .zone
                    break
                }
                switch word {
                case .ignored: continue
                case .clock: throw DateTimeWord.clockRefusal()
                case .midnight:
                    mask = [.time, .zone]
                    special = nil
                    (tm.hour, tm.minute, tm.second) = (0, 0, 0)
                    offset = 0
                case .epoch:
                    mask = .reserved
                    special = .epoch
                case .infinity:
                    mask = .reserved
                    special = .infinity
                case .minusInfinity:
                    mask = .reserved
                    special = .minusInfinity
                case .month(let month):
                    mask = .month
                    // A number taken for the month was the day.
                    if seen.contains(.month), !haveTextMonth, !seen.contains(.day), (1...31).contains(tm.month) {
                        tm.day = tm.month
                        mask = .day
                    }
                    haveTextMonth = true
                    tm.month = month
                case .summerModifier:
                    mask = [.summerModifier, .summer]
                    offset += 3600
                case .ante:
                    mask = .meridian
                    isPM = false
                case .post:
                    mask = .meridian
                    isPM = true
                case .anno:
                    mask = .era
                    isBC = false
                case .before:
                    mask = .era
                    isBC = true
                case .weekday: mask = .weekday
                case .unit(let label): unit = label
                case .timeFollows:
                    guard seen.isSuperset(of: .date), index + 1 < fields.count,
                        [.number, .time, .date].contains(fields[index + 1].kind)
                    else { throw badFormat() }
                    unit = .time
                }
            }
            guard seen.isDisjoint(with: mask) else { throw badFormat() }
            seen.formUnion(mask)
        }

        try validate(seen, isBC: isBC)
        try apply(meridian: isPM)
        if let special { return special }
        guard seen.isSuperset(of: .date) else { throw badFormat() }
        if let zone {
            guard !seen.contains(.summerModifier) else { throw badFormat() }
            return .fields(tm, offset: zone.offset(local: tm))
        }
        if !seen.contains(.zone) {
            guard !seen.contains(.summerModifier) else { throw badFormat() }
            return .fields(tm, offset: nil)
        }
        return .fields(tm, offset: offset)
    }

    /// Beyond 24:00:00.
    var overflowsDay: Bool {
        tm.hour > 24 || Int64(tm.hour * 3600 + tm.minute * 60 + tm.second) * 1_000_000 + Int64(tm.microsecond) > Calendar.microsecondsPerDay
    }

    /// AM and PM.
    mutating func apply(meridian isPM: Bool?) throws(CloisterError) {
        guard let isPM else { return }
        guard tm.hour <= 12 else { throw fieldOverflow() }
        if !isPM, tm.hour == 12 { tm.hour = 0 } else if isPM, tm.hour != 12 { tm.hour += 12 }
    }

    // MARK: One field

    /// C's strtoint on a field: sign and digits; `position` moves behind them (stays if there are none). nil: out of Int32,
    /// or of Int64 if `wide`.
    static func integer(_ text: some Collection<UInt8>, _ position: inout Int, wide: Bool = false) -> Int? {
        let bytes = Array(text)
        var index = 0
        var negative = false
        if let first = bytes.first, first == ascii("-") || first == ascii("+") {
            negative = first == ascii("-")
            index = 1
        }
        guard index < bytes.count, bytes[index].isDigit else { return 0 }
        var value = 0
        var overflowed = false
        while index < bytes.count, bytes[index].isDigit {
            let (product, overflow1) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow2) = product.addingReportingOverflow(bytes[index].digit)
            overflowed = overflowed || overflow1 || overflow2
            value = overflowed ? 0 : sum
            index += 1
        }
        position += index
        if overflowed { return nil }
        if negative { value = -value }
        return wide ? value : Int32(exactly: value).map(Int.init)
    }

    /// Microseconds of ".ddd", as rint(strtod(fraction) * 1000000).
    static func microseconds(_ fraction: ArraySlice<UInt8>) -> Int? {
        let digits = fraction.dropFirst()
        guard digits.allSatisfy(\.isDigit) else { return nil }
        if digits.count <= 6 {
            var value = 0
            for digit in digits { value = value * 10 + digit.digit }
            for _ in digits.count..<6 { value *= 10 }
            return value
        }
        guard let value = Double("0." + String(decoding: digits, as: UTF8.self)) else { return nil }
        return Int((value * 1_000_000).rounded(.toNearestOrEven))
    }

    /// A number with a label before it ("y2001", "julian 2451187.5", "t040506").
    mutating func labelled(_ text: [UInt8], _ label: DateTimeUnit, _ seen: Seen) throws(CloisterError) -> Seen {
        var position = 0
        guard let value = Self.integer(text, &position) else { throw fieldOverflow() }
        let rest = text[position...]
        if rest.first == ascii(".") {
            guard label == .julian || label == .time || label == .second else { throw badFormat() }
        } else if !rest.isEmpty {
            throw badFormat()
        }
        switch label {
        case .year:
            tm.year = value
            return .year
        case .month:
            if seen.isSuperset(of: [.month, .hour]) {
                tm.minute = value
                return .minute
            }
            tm.month = value
            return .month
        case .day:
            tm.day = value
            return .day
        case .hour:
            tm.hour = value
            return .hour
        case .minute:
            tm.minute = value
            return .minute
        case .second:
            tm.second = value
            guard rest.first == ascii(".") else { return .second }
            guard let fraction = Self.microseconds(rest) else { throw badFormat() }
            tm.microsecond = fraction
            return .seconds
        case .julian:
            guard value >= 0 else { throw fieldOverflow() }
            (tm.year, tm.month, tm.day) = Calendar.date(julianDay: value)
            isJulian = true
            guard rest.first == ascii(".") else { return .date }
            guard rest.dropFirst().allSatisfy(\.isDigit) else { throw badFormat() }
            let fraction = rest.count == 1 ? 0 : Double("0" + String(decoding: rest, as: UTF8.self)) ?? 0
            let time = Int64(fraction * 86_400_000_000)
            let seconds = Int(time / 1_000_000)
            tm.microsecond = Int(time % 1_000_000)
            (tm.hour, tm.minute, tm.second) = (seconds / 3600, seconds / 60 % 60, seconds % 60)
            return [.date, .time]
        case .time:
            let mask = try concatenated(text, seen.union(.date))
            guard mask == .time else { throw badFormat() }
            return mask
        case .other: throw badFormat()
        }
    }

    /// DecodeDate: a date with separators.
    mutating func date(_ text: [UInt8], _ before: Seen) throws(CloisterError) -> Seen {
        var seen = before
        var found: Seen = []
        var parts: [ArraySlice<UInt8>] = []
        var index = 0
        while index < text.count {
            while index < text.count, !text[index].isAlphaNumeric { index += 1 }
            guard index < text.count else { throw badFormat() }
            let start = index
            if text[index].isDigit {
                while index < text.count, text[index].isDigit { index += 1 }
            } else {
                while index < text.count, text[index].isAlpha { index += 1 }
            }
            parts.append(text[start..<index])
            // PostgreSQL overwrites whatever follows, be it a separator or not.
            if index < text.count { index += 1 }
        }
        var haveTextMonth = false
        var numbers: [ArraySlice<UInt8>] = []
        for part in parts {
            guard part.first?.isAlpha == true else {
                numbers.append(part)
                continue
            }
            guard let word = DateTimeWord(Array(part)) else { throw badFormat() }
            if word == .ignored {
                // Left in place, PostgreSQL then fails to read it as a number.
                throw badFormat()
            }
            guard case .month(let month) = word, !seen.contains(.month) else { throw badFormat() }
            tm.month = month
            haveTextMonth = true
            seen.insert(.month)
            found.insert(.month)
        }
        for part in numbers {
            let mask = try number(Array(part), haveTextMonth: haveTextMonth, seen)
            guard seen.isDisjoint(with: mask) else { throw badFormat() }
            seen.formUnion(mask)
            found.formUnion(mask)
        }
        guard seen.subtracting([.dayOfYear, .zone]) == .date else { throw badFormat() }
        return found
    }

    /// DecodeNumber: a number without separators, understood by what is already known.
    mutating func number(_ text: [UInt8], haveTextMonth: Bool, _ seen: Seen) throws(CloisterError) -> Seen {
        var position = 0
        guard let value = Self.integer(text, &position) else { throw fieldOverflow() }
        guard position > 0 else { throw badFormat() }
        if position < text.count {
            guard text[position] == ascii(".") else { throw badFormat() }
            if position > 2 { return try concatenated(text, seen.union(.date)) }
            guard let fraction = Self.microseconds(text[position...]) else { throw badFormat() }
            tm.microsecond = fraction
        }
        let known = seen.intersection(.date)
        if text.count == 3, known == .year, (1...366).contains(value) {
            dayOfYear = value
            return [.dayOfYear, .month, .day]
        }
        let isYear = text.count >= 3 || order == .ymd
        let mask: Seen
        switch known {
        case []: mask = isYear ? .year : order == .dmy ? .day : .month
        case .year: mask = .month
        case .month: mask = haveTextMonth && isYear ? .year : .day
        case [.year, .month]:
            if haveTextMonth, text.count >= 3, isTwoDigitYear {
                // The first number was the day after all.
                tm.day = tm.year
                tm.year = value
                isTwoDigitYear = false
                return .day
            }
            mask = .day
        case .day: mask = .month
        case [.month, .day]: mask = .year
        case .date: return try concatenated(text, seen)
        default: throw badFormat()
        }
        switch mask {
        case .year:
            tm.year = value
            isTwoDigitYear = text.count <= 2
        case .month: tm.month = value
        default: tm.day = value
        }
        return mask
    }

    /// DecodeNumberField: run-together dates (yymmdd, yyyymmdd) and times (hhmm, hhmmss, hhmmss.fff).
    mutating func concatenated(_ field: [UInt8], _ seen: Seen) throws(CloisterError) -> Seen {
        var text = field
        func number(_ range: Range<Int>) -> Int {
            var position = 0
            return Self.integer(text[range], &position) ?? Int(Int32.max)
        }
        if let point = text.firstIndex(of: ascii(".")) {
            // C's strtod stops at the first byte that is no digit.
            let fraction = text[point...].prefix(1) + text[(point + 1)...].prefix { $0.isDigit }
            tm.microsecond = fraction.count == 1 ? 0 : Self.microseconds(fraction) ?? 0
            text = Array(text[..<point])
        } else if !seen.isSuperset(of: .date), text.count >= 6 {
            let count = text.count
            tm.day = number(count - 2..<count)
            tm.month = number(count - 4..<count - 2)
            tm.year = number(0..<count - 4)
            if count == 6 { isTwoDigitYear = true }
            return .date
        }
        guard !seen.isSuperset(of: .time), text.count == 6 || text.count == 4 else { throw badFormat() }
        tm.second = text.count == 6 ? number(4..<6) : 0
        tm.minute = number(2..<4)
        tm.hour = number(0..<2)
        return .time
    }

    /// DecodeTime: hh:mm[:ss[.fff]] or mm:ss.fff.
    mutating func time(_ text: [UInt8]) throws(CloisterError) -> Seen {
        var position = 0
        guard let hour = Self.integer(text, &position, wide: true) else { throw fieldOverflow() }
        guard position < text.count, text[position] == ascii(":") else { throw badFormat() }
        position += 1
        guard let minute = Self.integer(text[position...], &position) else { throw fieldOverflow() }
        (tm.hour, tm.minute, tm.second, tm.microsecond) = (hour, minute, 0, 0)
        if position < text.count, text[position] == ascii(":") {
            position += 1
            guard let second = Self.integer(text[position...], &position) else { throw fieldOverflow() }
            tm.second = second
        } else if position < text.count {
            (tm.hour, tm.minute, tm.second) = (0, hour, minute)
        }
        if position < text.count {
            guard text[position] == ascii("."), let fraction = Self.microseconds(text[position...]) else { throw badFormat() }
            tm.microsecond = fraction
        }
        guard tm.hour >= 0, (0...59).contains(tm.minute), (0...60).contains(tm.second), tm.microsecond <= 1_000_000 else {
            throw fieldOverflow()
        }
        return .time
    }

    /// DecodeTimezone: ±h, ±hh, ±hhmm, ±hh:mm, ±hh:mm:ss. Returns seconds east of UTC.
    func numericZone(_ slice: ArraySlice<UInt8>) throws(CloisterError) -> Int {
        let text = Array(slice)
        guard let sign = text.first, sign == ascii("+") || sign == ascii("-") else { throw badFormat() }
        var position = 1
        guard var hour = Self.integer(text[1...], &position) else { throw displacement() }
        var minute = 0
        var second = 0
        if position < text.count, text[position] == ascii(":") {
            position += 1
            guard let value = Self.integer(text[position...], &position) else { throw displacement() }
            minute = value
            if position < text.count, text[position] == ascii(":") {
                position += 1
                guard let value = Self.integer(text[position...], &position) else { throw displacement() }
                second = value
            }
        } else if position == text.count, text.count > 3 {
            minute = hour % 100
            hour /= 100
        }
        guard (0...15).contains(hour), (0...59).contains(minute), (0...59).contains(second) else { throw displacement() }
        guard position == text.count else { throw badFormat() }
        let offset = hour * 3600 + minute * 60 + second
        return sign == ascii("-") ? -offset : offset
    }

    /// ValidateDate.
    mutating func validate(_ seen: Seen, isBC: Bool) throws(CloisterError) {
        if seen.contains(.year), !isJulian {
            if isBC {
                guard tm.year > 0 else { throw fieldOverflow() }
                tm.year = 1 - tm.year
            } else if isTwoDigitYear {
                guard tm.year >= 0 else { throw fieldOverflow() }
                if tm.year < 70 { tm.year += 2000 } else if tm.year < 100 { tm.year += 1900 }
            } else {
                guard tm.year > 0 else { throw fieldOverflow() }
            }
        }
        if seen.contains(.dayOfYear) {
            (tm.year, tm.month, tm.day) = Calendar.date(julianDay: Calendar.julianDay(tm.year, 1, 1) + dayOfYear - 1)
        }
        if seen.contains(.month) {
            guard (1...12).contains(tm.month) else { throw monthDayOverflow() }
        }
        if seen.contains(.day) {
            guard (1...31).contains(tm.day) else { throw monthDayOverflow() }
        }
        if seen.isSuperset(of: .date) {
            guard tm.day <= Calendar.days(inMonth: tm.month, of: tm.year) else { throw fieldOverflow() }
        }
    }
}
