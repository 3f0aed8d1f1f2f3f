import Diagnostics

/// Text of date, timestamp and timestamptz ⇄ days or microseconds since 2000-01-01.
enum DateTimeCodec {
    // MARK: Input

    static func date(_ text: Span<UInt8>, _ settings: SessionSettings) throws(CloisterError) -> Int32 {
        if text.count == 10, let fields = isoDate(text) {
            return Int32(Calendar.julianDay(fields.year, fields.month, fields.day) - Calendar.postgresEpoch)
        }
        switch try decode(text, "date", capacity: 128, settings) {
        case .infinity: return Calendar.dateInfinity
        case .minusInfinity: return Calendar.dateMinusInfinity
        case .epoch: return Int32(Calendar.unixEpoch - Calendar.postgresEpoch)
        case .fields(let fields, _):
            let days = Calendar.julianDay(fields.year, fields.month, fields.day) - Calendar.postgresEpoch
            guard Calendar.isValidJulian(fields.year, fields.month), Calendar.dates.contains(days) else {
                throw CloisterError(.dateTimeOutOfRange, "date out of range")
            }
            return Int32(days)
        }
    }

    static func timestamp(_ text: Span<UInt8>, _ settings: SessionSettings) throws(CloisterError) -> Int64 {
        if let (fields, end) = isoTimestamp(text), end == text.count, let value = fields.timestamp() { return value }
        switch try decode(text, "timestamp", capacity: 152, settings) {
        case .infinity: return .max
        case .minusInfinity: return .min
        case .epoch: return -Int64(Calendar.epochDifference) * 1_000_000
        // A zone in the text is read and then ignored, as the type says.
        case .fields(let fields, _):
            guard let value = fields.timestamp() else { throw timestampOutOfRange() }
            return value
        }
    }

    static func timestampTZ(_ text: Span<UInt8>, _ settings: SessionSettings) throws(CloisterError) -> Int64 {
        if let (fields, end) = isoTimestamp(text) {
            if let offset = isoOffset(text, from: end), let value = fields.timestamp(offset: offset) { return value }
            if end == text.count, let rules = settings.timeZone.rules,
                let value = fields.timestamp(offset: rules.offset(local: fields))
            {
                return value
            }
        }
        switch try decode(text, "timestamp with time zone", capacity: 152, settings) {
        case .infinity: return .max
        case .minusInfinity: return .min
        case .epoch: return -Int64(Calendar.epochDifference) * 1_000_000
        case .fields(let fields, let explicit):
            let offset: Int
            if let explicit { offset = explicit } else { offset = try settings.timeZone.known().offset(local: fields) }
            guard let value = fields.timestamp(offset: offset) else { throw timestampOutOfRange() }
            return value
        }
    }

    static func timestampOutOfRange() -> CloisterError { CloisterError(.dateTimeOutOfRange, "timestamp out of range") }

    private static func decode(
        _ text: Span<UInt8>, _ name: StaticString, capacity: Int, _ settings: SessionSettings
    ) throws(CloisterError) -> DateTimeValue {
        var decoder = DateTimeDecoder(typeName: name, order: settings.dateOrder)
        guard let fields = DateTimeField.split(text, capacity: capacity) else { throw decoder.badFormat() }
        return try decoder.decode(fields)
    }

    /// yyyy-mm-dd at the start, valid; nil sends the text to the general reader.
    private static func isoDate(_ text: Span<UInt8>) -> DateTimeFields? {
        guard text.count >= 10, text[4] == ascii("-"), text[7] == ascii("-"),
            let century = pair(text, 0), let year = pair(text, 2), let month = pair(text, 5), let day = pair(text, 8)
        else { return nil }
        var fields = DateTimeFields()
        (fields.year, fields.month, fields.day) = (century * 100 + year, month, day)
        guard fields.year > 0, (1...12).contains(month), day > 0, day <= Calendar.days(inMonth: month, of: fields.year) else {
            return nil
        }
        return fields
    }

    /// yyyy-mm-dd hh:mm:ss[.f…] at the start; also where it ends.
    private static func isoTimestamp(_ text: Span<UInt8>) -> (DateTimeFields, end: Int)? {
        guard text.count >= 19, var fields = isoDate(text), text[10] == 0x20 || text[10] == ascii("T"),
            text[13] == ascii(":"), text[16] == ascii(":"),
            let hour = pair(text, 11), let minute = pair(text, 14), let second = pair(text, 17),
            hour < 24, minute < 60, second < 60
        else { return nil }
        (fields.hour, fields.minute, fields.second) = (hour, minute, second)
        guard text.count > 19, text[19] == ascii(".") else { return (fields, 19) }
        var index = 20
        var unit = 100_000
        while index < text.count, index < 26, text[index].isDigit {
            fields.microsecond += text[index].digit * unit
            unit /= 10
            index += 1
        }
        if index < text.count, text[index].isDigit { return nil }
        return (fields, index)
    }

    /// ±hh, ±hh:mm or Z up to the end of the text.
    private static func isoOffset(_ text: Span<UInt8>, from start: Int) -> Int? {
        let length = text.count - start
        guard length > 0 else { return nil }
        if length == 1 { return text[start] | 0x20 == ascii("z") ? 0 : nil }
        guard text[start] == ascii("+") || text[start] == ascii("-"), length == 3 || length == 6, let hour = pair(text, start + 1),
            hour <= 15
        else { return nil }
        var offset = hour * 3600
        if length == 6 {
            guard text[start + 3] == ascii(":"), let minute = pair(text, start + 4), minute < 60 else { return nil }
            offset += minute * 60
        }
        return text[start] == ascii("-") ? -offset : offset
    }

    @inline(__always)
    private static func pair(_ text: Span<UInt8>, _ index: Int) -> Int? {
        let high = text[index]
        let low = text[index + 1]
        return high.isDigit && low.isDigit ? high.digit * 10 + low.digit : nil
    }

    // MARK: Output

    static func append(date days: Int32, _ settings: SessionSettings, to output: inout [UInt8]) {
        if days == Calendar.dateInfinity { return output.append(ascii: "infinity") }
        if days == Calendar.dateMinusInfinity { return output.append(ascii: "-infinity") }
        let (year, month, day) = Calendar.date(julianDay: Int(days) + Calendar.postgresEpoch)
        switch settings.dateStyle {
        case .iso: join(ascii("-"), (shown(year), 4), (month, 2), (day, 2), to: &output)
        case .german: join(ascii("."), (day, 2), (month, 2), (shown(year), 4), to: &output)
        case .sql, .postgres:
            let separator = settings.dateStyle == .sql ? ascii("/") : ascii("-")
            let isDayFirst = settings.dateOrder == .dmy
            join(separator, (isDayFirst ? day : month, 2), (isDayFirst ? month : day, 2), (shown(year), 4), to: &output)
        }
        if year <= 0 { output.append(ascii: " BC") }
    }

    static func append(timestamp value: Int64, _ settings: SessionSettings, to output: inout [UInt8]) {
        if appendInfinity(value, to: &output) { return }
        append(DateTimeFields(timestamp: value), zone: nil, settings, to: &output)
    }

    static func append(timestampTZ value: Int64, _ settings: SessionSettings, to output: inout [UInt8]) throws(CloisterError) {
        if appendInfinity(value, to: &output) { return }
        let (fields, period) = try local(value, settings)
        append(fields, zone: period, settings, to: &output)
    }

    /// An instant as the session's clock shows it.
    static func local(_ value: Int64, _ settings: SessionSettings) throws(CloisterError) -> (DateTimeFields, ZoneRules.Period) {
        let seconds = value / 1_000_000 - (value % 1_000_000 < 0 ? 1 : 0)
        let period = try settings.timeZone.known().period(at: Int(seconds) + Calendar.epochDifference)
        // One zone offset cannot overflow what timestamp's range leaves of Int64.
        return (DateTimeFields(timestamp: value &+ Int64(period.offset) * 1_000_000), period)
    }

    private static func appendInfinity(_ value: Int64, to output: inout [UInt8]) -> Bool {
        if value == .max { output.append(ascii: "infinity") }
        if value == .min { output.append(ascii: "-infinity") }
        return value == .max || value == .min
    }

    private static func append(
        _ fields: DateTimeFields, zone: ZoneRules.Period?, _ settings: SessionSettings, to output: inout [UInt8]
    ) {
        output.reserveCapacity(output.count + 40)
        let isDayFirst = settings.dateOrder == .dmy
        let year = shown(fields.year)
        switch settings.dateStyle {
        case .iso:
            join(ascii("-"), (year, 4), (fields.month, 2), (fields.day, 2), to: &output)
        case .german:
            join(ascii("."), (fields.day, 2), (fields.month, 2), (year, 4), to: &output)
        case .sql:
            join(
                ascii("/"), (isDayFirst ? fields.day : fields.month, 2), (isDayFirst ? fields.month : fields.day, 2), (year, 4),
                to: &output)
        case .postgres:
            let weekday = Calendar.weekday(julianDay: Calendar.julianDay(fields.year, fields.month, fields.day))
            output.append(contentsOf: weekdays[weekday])
            output.append(0x20)
            if isDayFirst {
                output.append(decimal: fields.day, width: 2)
                output.append(0x20)
            }
            output.append(contentsOf: months[fields.month - 1])
            if !isDayFirst {
                output.append(0x20)
                output.append(decimal: fields.day, width: 2)
            }
        }
        output.append(0x20)
        join(ascii(":"), (fields.hour, 2), (fields.minute, 2), (fields.second, 2), to: &output)
        if fields.microsecond > 0 {
            output.append(ascii("."))
            var rest = fields.microsecond
            var unit = 100_000
            while rest > 0 {
                output.append(UInt8(0x30 + rest / unit))
                rest %= unit
                unit /= 10
            }
        }
        if settings.dateStyle == .postgres {
            output.append(0x20)
            output.append(decimal: year, width: 4)
        }
        if let zone {
            if settings.dateStyle == .iso {
                append(offset: zone.offset, to: &output)
            } else {
                output.append(0x20)
                output.append(contentsOf: zone.abbreviation.prefix(10))
            }
        }
        if fields.year <= 0 { output.append(ascii: " BC") }
    }

    /// ±hh[:mm[:ss]].
    static func append(offset: Int, to output: inout [UInt8]) {
        output.append(offset < 0 ? ascii("-") : ascii("+"))
        let seconds = abs(offset)
        output.append(decimal: seconds / 3600, width: 2)
        guard seconds % 3600 != 0 else { return }
        output.append(ascii(":"))
        output.append(decimal: seconds / 60 % 60, width: 2)
        guard seconds % 60 != 0 else { return }
        output.append(ascii(":"))
        output.append(decimal: seconds % 60, width: 2)
    }

    private static func shown(_ year: Int) -> Int { year > 0 ? year : 1 - year }

    private static func join(
        _ separator: UInt8, _ a: (Int, Int), _ b: (Int, Int), _ c: (Int, Int), to output: inout [UInt8]
    ) {
        output.append(decimal: a.0, width: a.1)
        output.append(separator)
        output.append(decimal: b.0, width: b.1)
        output.append(separator)
        output.append(decimal: c.0, width: c.1)
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"].map { Array($0.utf8) }
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"].map { Array($0.utf8) }
}
