import Diagnostics

/// A time of day and, for timetz, its offset.
struct TimeOnly {
    /// Microseconds since midnight; 86,400,000,000 is 24:00:00.
    var time: Int64
    /// Seconds west of UTC, as PostgreSQL keeps them.
    var zone: Int32
}

/// PostgreSQL 15's DecodeTimeOnly. A time zone may be written and, if a zone's rules need it, a date.
extension DateTimeDecoder {
    /// `sessionOffset`: seconds east of UTC of the session's zone, for the local date and time if the text has a date.
    mutating func decodeTime(
        _ fields: [DateTimeField], sessionOffset: (DateTimeFields?) throws(CloisterError) -> Int
    ) throws(CloisterError) -> TimeOnly {
        var seen: Seen = []
        var unit: DateTimeUnit?
        var isPM: Bool?
        var isBC = false
        var offset = 0
        var zone: ZoneRules?
        let last = fields.count - 1

        for (index, field) in fields.enumerated() {
            var mask: Seen = []
            switch field.kind {
            case .date:
                if index == 0, last >= 1, fields[last].kind == .date || fields[1].kind == .time {
                    mask = try date(field.text, seen)
                } else if field.text[0].isDigit {
                    guard !seen.isSuperset(of: .time), let minus = field.text.firstIndex(of: ascii("-")) else { throw badFormat() }
                    offset = try numericZone(field.text[minus...])
                    mask = try concatenated(Array(field.text[..<minus]), seen.union(.date)).union(.zone)
                } else {
                    zone = try namedZone(field.text)
                    guard zone != nil else { throw CloisterError(.invalidParameterValue, "time zone not recognized") }
                    mask = .zone
                }
            case .time: mask = try time(field.text)
            case .offset:
                offset = try numericZone(field.text[...])
                mask = .zone
            case .number:
                if let label = unit {
                    mask = try labelled(field.text, label, seen)
                    unit = nil
                } else if let point = field.text.firstIndex(of: ascii(".")) {
                    if index == 0, last >= 1, fields[last].kind == .date {
                        mask = try date(field.text, seen)
                    } else if point > 2 {
                        mask = try concatenated(field.text, seen.union(.date))
                    } else {
                        throw badFormat()
                    }
                } else if field.text.count > 4 {
                    mask = try concatenated(field.text, seen.union(.date))
                } else {
                    mask = try number(field.text, haveTextMonth: false, seen.union(.date))
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
                case .clock:
                    // Only "now" is known here; the others are no times.
                    guard field.text == Array("now".utf8) else { throw badFormat() }
                    throw DateTimeWord.clockRefusal()
                case .midnight:
                    mask = [.time, .zone]
                    (tm.hour, tm.minute, tm.second) = (0, 0, 0)
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
                case .unit(let label): unit = label
                case .timeFollows:
                    guard index < last, [.number, .time, .date].contains(fields[index + 1].kind) else { throw badFormat() }
                    unit = .time
                case .month, .weekday, .epoch, .infinity, .minusInfinity: throw badFormat()
                }
            }
            guard seen.isDisjoint(with: mask) else { throw badFormat() }
            seen.formUnion(mask)
        }
        try validate(seen, isBC: isBC)
        try apply(meridian: isPM)
        guard tm.hour >= 0, (0...59).contains(tm.minute), (0...60).contains(tm.second), (0...1_000_000).contains(tm.microsecond),
            !overflowsDay
        else { throw fieldOverflow() }
        let time = Int64(tm.hour * 3600 + tm.minute * 60 + tm.second) * 1_000_000 + Int64(tm.microsecond)
        guard seen.isSuperset(of: .time) else { throw badFormat() }
        let hasDate = seen.isSuperset(of: .date)
        if let zone {
            guard !seen.contains(.summerModifier) else { throw badFormat() }
            if let only = zone.onlyOffset {
                offset = only
            } else {
                guard hasDate else { throw badFormat() }
                offset = zone.offset(local: tm)
            }
        } else if !seen.contains(.zone) {
            guard !seen.contains(.summerModifier), hasDate || seen.isDisjoint(with: .date) else { throw badFormat() }
            offset = try sessionOffset(hasDate ? tm : nil)
        }
        return TimeOnly(time: time, zone: Int32(-offset))
    }
}
