internal import CellFormat
internal import Diagnostics

extension ConstantCall {
    func dateFunction() throws(CloisterError) -> TypedValue? {
        switch (name, arguments.count) {
        case ("make_date", 3): return result(.date, Bytes.bigEndian(Int32(try makeDate())))
        case ("make_timestamp", 6): return try makeTimestamp()
        case ("make_interval", 0...7): return try makeInterval()
        case ("date_trunc", 2): return try truncated()
        default: return nil
        }
    }

    private func fieldOverflow() -> CloisterError { CloisterError(.dateTimeOutOfRange, "date field value out of range") }

    /// Days since 2000-01-01 of the first three arguments; a negative year is one BC.
    private func makeDate() throws(CloisterError) -> Int {
        let (given, month, day) = (try int4(0), try int4(1), try int4(2))
        guard given != 0 else { throw fieldOverflow() }
        let year = given < 0 ? given + 1 : given
        guard (1...12).contains(month), day >= 1, day <= Calendar.days(inMonth: month, of: year) else { throw fieldOverflow() }
        guard Calendar.isValidJulian(year, month) else { throw CloisterError(.dateTimeOutOfRange, "date out of range") }
        let days = Calendar.julianDay(year, month, day) - Calendar.postgresEpoch
        guard Calendar.dates.contains(days) else { throw CloisterError(.dateTimeOutOfRange, "date out of range") }
        return days
    }

    private func makeTimestamp() throws(CloisterError) -> TypedValue {
        let days = Int64(try makeDate())
        let (hour, minute, second) = (try int4(3), try int4(4), try float8(5))
        guard (0...24).contains(hour), (0...59).contains(minute), second >= 0, second <= 60 else {
            throw CloisterError(.dateTimeOutOfRange, "time field value out of range")
        }
        let time = Int64(hour * 60 + minute) * 60_000_000 + Int64((second * 1_000_000).rounded(.toNearestOrEven))
        guard time <= Calendar.microsecondsPerDay else { throw CloisterError(.dateTimeOutOfRange, "time field value out of range") }
        let (start, overflow1) = days.multipliedReportingOverflow(by: Calendar.microsecondsPerDay)
        let (sum, overflow2) = start.addingReportingOverflow(time)
        guard !overflow1, !overflow2, Calendar.timestamps.contains(sum) else { throw DateTimeCodec.timestampOutOfRange() }
        return result(.timestamp, Bytes.bigEndian(sum))
    }

    /// years, months, weeks, days, hours, minutes, seconds; those that are left out are 0.
    private func makeInterval() throws(CloisterError) -> TypedValue {
        func field(_ index: Int) throws(CloisterError) -> Int { index < arguments.count ? try int4(index) : 0 }
        let seconds = arguments.count == 7 ? try float8(6) : 0
        // What becomes of months and days that overflow differs between the server's minor versions.
        guard let month = Int32(exactly: try field(0) * 12 + field(1)), let day = Int32(exactly: try field(2) * 7 + field(3)) else {
            throw refusal()
        }
        guard let rest = Int64(exactly: (seconds * 1_000_000).rounded(.toNearestOrEven)) else { throw Interval.outOfRange() }
        let (time, overflow) = Int64(try field(4) * 60 + field(5)).multipliedReportingOverflow(by: Interval.microsecondsPerMinute)
        let (sum, overflow2) = time.addingReportingOverflow(rest)
        if overflow || overflow2 { throw refusal() }
        return result(Interval(time: sum, day: day, month: month))
    }

    private func truncated() throws(CloisterError) -> TypedValue {
        guard arguments[0].type == nil || arguments[0].type?.isText == true, let kind = arguments[1].type else { throw refusal() }
        let unit = String(decoding: try text(0).map(\.lowercased), as: UTF8.self)
        switch kind {
        case .timestamp:
            let value: Int64 = Bytes.integer(try value(1, .timestamp))
            if value == .max || value == .min { return arguments[1] }
            guard let truncated = try fields(DateTimeFields(timestamp: value), to: unit).timestamp() else {
                throw DateTimeCodec.timestampOutOfRange()
            }
            return result(.timestamp, Bytes.bigEndian(truncated))
        case .timestamptz, .date:
            let value: Int64 = Bytes.integer(try value(1, .timestamptz, implicit: [.date]))
            if value == .max || value == .min { return result(.timestamptz, Bytes.bigEndian(value)) }
            let (local, period) = try DateTimeCodec.local(value, settings)
            let cut = try fields(local, to: unit)
            // From a day on the offset may be another.
            let isTime = ["microseconds", "milliseconds", "second", "minute", "hour"].contains(unit)
            let offset = isTime ? period.offset : try settings.timeZone.known().offset(local: cut)
            guard let truncated = cut.timestamp(offset: offset) else { throw DateTimeCodec.timestampOutOfRange() }
            return result(.timestamptz, Bytes.bigEndian(truncated))
        default: throw refusal()
        }
    }

    /// timestamp_trunc.
    private func fields(_ given: DateTimeFields, to unit: String) throws(CloisterError) -> DateTimeFields {
        var fields = given
        func clearTime() { (fields.hour, fields.minute, fields.second, fields.microsecond) = (0, 0, 0, 0) }
        func years(_ count: Int) {
            let year = fields.year
            fields.year = year > 0 ? (year + count - 1) / count * count - count + 1 : -((count - 1 - (year - 1)) / count) * count + 1
        }
        switch unit {
        case "microseconds": break
        case "milliseconds": fields.microsecond = fields.microsecond / 1000 * 1000
        case "second": fields.microsecond = 0
        case "minute": (fields.second, fields.microsecond) = (0, 0)
        case "hour": (fields.minute, fields.second, fields.microsecond) = (0, 0, 0)
        case "day": clearTime()
        case "week":
            clearTime()
            let julian = Calendar.julianDay(fields.year, fields.month, fields.day)
            (fields.year, fields.month, fields.day) = Calendar.date(julianDay: julian - (Calendar.weekday(julianDay: julian) + 6) % 7)
        case "month":
            clearTime()
            fields.day = 1
        case "quarter":
            clearTime()
            (fields.month, fields.day) = ((fields.month - 1) / 3 * 3 + 1, 1)
        case "year", "decade", "century", "millennium":
            clearTime()
            (fields.month, fields.day) = (1, 1)
            switch unit {
            case "millennium": years(1000)
            case "century": years(100)
            case "decade": fields.year = fields.year > 0 ? fields.year / 10 * 10 : -((8 - (fields.year - 1)) / 10) * 10
            default: break
            }
        default: throw refusal()
        }
        return fields
    }
}
