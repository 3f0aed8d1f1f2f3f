/// A POSIX TZ rule ("CET-1CEST,M3.5.0,M10.5.0/3"): the footer of a TZif file (RFC 8536) or a zone name of its own.
struct PosixZone: Sendable {
    /// When summer time begins or ends each year.
    enum Day: Sendable {
        /// Jn: 1...365, February 29 never counted.
        case julian(Int)
        /// n: 0...365, February 29 counted.
        case zeroBased(Int)
        /// Mm.w.d: weekday d (0 Sunday) of week w (5: the last) of month m.
        case monthWeekDay(month: Int, week: Int, weekday: Int)
    }
    struct Change: Sendable {
        var day: Day
        /// Seconds after local midnight, -167...167 hours.
        var time: Int

        /// Seconds since 1970 of the change in a year, for the offset (seconds east) in force before it.
        func instant(year: Int, offset: Int) -> Int {
            let january1 = Calendar.julianDay(year, 1, 1)
            let julianDay: Int
            switch day {
            case .julian(let n): julianDay = january1 + n - 1 + (Calendar.isLeap(year) && n >= 60 ? 1 : 0)
            case .zeroBased(let n): julianDay = january1 + n
            case .monthWeekDay(let month, let week, let weekday):
                let first = Calendar.julianDay(year, month, 1)
                var day = (weekday - Calendar.weekday(julianDay: first) + 7) % 7 + 1 + (week - 1) * 7
                while day > Calendar.days(inMonth: month, of: year) { day -= 7 }
                julianDay = first + day - 1
            }
            return (julianDay - Calendar.unixEpoch) * Calendar.secondsPerDay + time - offset
        }
    }

    var standard: ZoneRules.Period
    var summer: ZoneRules.Period?
    var begin = Change(day: .zeroBased(0), time: 0)
    var end = Change(day: .zeroBased(0), time: 0)

    /// Summer time without saying when it begins: PostgreSQL then takes the server's `posixrules`, which we can't know.
    var lacksRules = false

    /// nil if the text is no TZ rule.
    init?(_ text: [UInt8]) {
        var reader = Reader(text: text)
        guard let name = reader.name(), let offset = reader.offset() else { return nil }
        standard = ZoneRules.Period(offset: -offset, isSummer: false, abbreviation: name)
        if reader.atEnd { return }
        guard let summerName = reader.name() else { return nil }
        var summerOffset = offset - 3600
        if let next = reader.peek, next != ascii(","), next != ascii(";") {
            guard let explicit = reader.offset() else { return nil }
            summerOffset = explicit
        }
        summer = ZoneRules.Period(offset: -summerOffset, isSummer: true, abbreviation: summerName)
        if reader.atEnd {
            lacksRules = true
            return
        }
        guard reader.skip(ascii(",")) || reader.skip(ascii(";")), let begin = reader.change(), reader.skip(ascii(",")),
            let end = reader.change(), reader.atEnd
        else { return nil }
        self.begin = begin
        self.end = end
    }

    /// The zone's offset if it has no summer time.
    var onlyOffset: Int? { summer == nil || summer?.offset == standard.offset ? standard.offset : nil }

    /// The changes of one year in order of time: when, and into what.
    func changes(year: Int) -> [(instant: Int, into: ZoneRules.Period)] {
        guard let summer else { return [] }
        let first = (begin.instant(year: year, offset: standard.offset), summer)
        let second = (end.instant(year: year, offset: summer.offset), standard)
        return first.0 < second.0 ? [first, second] : [second, first]
    }

    /// The last change at or before an instant (seconds since 1970), and the first after it.
    func around(_ instant: Int) -> (current: ZoneRules.Period, next: (instant: Int, into: ZoneRules.Period)?) {
        guard summer != nil else { return (standard, nil) }
        let days = Int((Double(instant) / 86_400).rounded(.down))
        let year = Calendar.date(julianDay: days + Calendar.unixEpoch).year
        var current = standard
        for candidate in year - 1...year + 1 {
            for change in changes(year: candidate) {
                if change.instant > instant { return (current, change) }
                current = change.into
            }
        }
        return (current, nil)
    }

    private struct Reader {
        let text: [UInt8]
        var index = 0

        var peek: UInt8? { index < text.count ? text[index] : nil }
        var atEnd: Bool { index == text.count }

        mutating func skip(_ byte: UInt8) -> Bool {
            guard peek == byte else { return false }
            index += 1
            return true
        }

        mutating func name() -> [UInt8]? {
            let start: Int
            let end: Int
            if skip(ascii("<")) {
                start = index
                while let next = peek, next != ascii(">") { index += 1 }
                end = index
                guard skip(ascii(">")) else { return nil }
            } else {
                start = index
                while let next = peek, !next.isDigit, next != ascii(","), next != ascii("-"), next != ascii("+") { index += 1 }
                end = index
            }
            return end > start ? Array(text[start..<end]) : nil
        }

        mutating func number(_ range: ClosedRange<Int>) -> Int? {
            guard let first = peek, first.isDigit else { return nil }
            var value = 0
            while let next = peek, next.isDigit {
                value = value * 10 + next.digit
                if value > range.upperBound { return nil }
                index += 1
            }
            return value >= range.lowerBound ? value : nil
        }

        mutating func offset() -> Int? {
            var negative = false
            if skip(ascii("-")) { negative = true } else { _ = skip(ascii("+")) }
            guard let hours = number(0...167) else { return nil }
            var seconds = hours * 3600
            if skip(ascii(":")) {
                guard let minutes = number(0...59) else { return nil }
                seconds += minutes * 60
                if skip(ascii(":")) {
                    guard let rest = number(0...60) else { return nil }
                    seconds += rest
                }
            }
            return negative ? -seconds : seconds
        }

        mutating func change() -> Change? {
            let day: Day
            if skip(ascii("J")) {
                guard let n = number(1...365) else { return nil }
                day = .julian(n)
            } else if skip(ascii("M")) {
                guard let month = number(1...12), skip(ascii(".")), let week = number(1...5), skip(ascii(".")),
                    let weekday = number(0...6)
                else { return nil }
                day = .monthWeekDay(month: month, week: week, weekday: weekday)
            } else {
                guard let n = number(0...365) else { return nil }
                day = .zeroBased(n)
            }
            guard skip(ascii("/")) else { return Change(day: day, time: 7200) }
            guard let time = offset() else { return nil }
            return Change(day: day, time: time)
        }
    }
}
