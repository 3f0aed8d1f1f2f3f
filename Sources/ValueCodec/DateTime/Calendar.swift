/// Calendar arithmetic on Julian day numbers, and the ranges of PostgreSQL's date and timestamp types (datatype/timestamp.h).
enum Calendar {
    static let postgresEpoch = 2_451_545  // 2000-01-01
    static let unixEpoch = 2_440_588  // 1970-01-01
    static let secondsPerDay = 86_400
    static let microsecondsPerDay: Int64 = 86_400_000_000
    /// Seconds from 1970-01-01 to 2000-01-01.
    static let epochDifference = (postgresEpoch - unixEpoch) * secondsPerDay

    static let dateInfinity = Int32.max
    static let dateMinusInfinity = Int32.min
    static let dates = (0 - postgresEpoch)..<(2_147_483_494 - postgresEpoch)
    static let timestamps: Range<Int64> = -211_813_488_000_000_000..<9_223_371_331_200_000_000

    /// The Julian day of a proleptic Gregorian date; year 0 is 1 BC.
    static func julianDay(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let m = month > 2 ? month + 1 : month + 13
        let y = month > 2 ? year + 4800 : year + 4799
        let century = y / 100
        return y * 365 - 32167 + y / 4 - century + century / 4 + 7834 * m / 256 + day
    }

    static func date(julianDay: Int) -> (year: Int, month: Int, day: Int) {
        // Days since 0000-03-01 of the proleptic calendar, in 400-year eras.
        let days = julianDay - 1_721_120
        let era = days >= 0 ? days / 146_097 : (days - 146_096) / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    /// 0 Sunday … 6 Saturday.
    static func weekday(julianDay: Int) -> Int {
        let day = (julianDay + 1) % 7
        return day < 0 ? day + 7 : day
    }

    static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    static func days(inMonth month: Int, of year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// IS_VALID_JULIAN: Julian day arithmetic is safe for the date.
    static func isValidJulian(_ year: Int, _ month: Int) -> Bool {
        (year > -4713 || (year == -4713 && month >= 11)) && (year < 5_874_898 || (year == 5_874_898 && month < 6))
    }
}

/// A date and time of day as fields. Year 0 is 1 BC.
struct DateTimeFields: Equatable {
    var year = 0
    var month = 0
    var day = 0
    var hour = 0
    var minute = 0
    var second = 0
    var microsecond = 0

    /// Seconds since 1970-01-01 as if the fields were UTC.
    var unixSeconds: Int {
        (Calendar.julianDay(year, month, day) - Calendar.unixEpoch) * Calendar.secondsPerDay + hour * 3600 + minute * 60 + second
    }

    /// Microseconds since 2000-01-01, or nil if out of timestamp's range (tm2timestamp); `offset` is seconds east of UTC.
    func timestamp(offset: Int = 0) -> Int64? {
        guard Calendar.isValidJulian(year, month) else { return nil }
        let days = Int64(Calendar.julianDay(year, month, day) - Calendar.postgresEpoch)
        let time = Int64(hour * 3600 + minute * 60 + second) * 1_000_000 + Int64(microsecond)
        let (whole, overflow1) = days.multipliedReportingOverflow(by: Calendar.microsecondsPerDay)
        let (sum, overflow2) = whole.addingReportingOverflow(time)
        // Without an overflow check PostgreSQL accepts no more: it tests the sign, which comes to the same.
        if overflow1 || overflow2 { return nil }
        let (result, overflow3) = sum.subtractingReportingOverflow(Int64(offset) * 1_000_000)
        return !overflow3 && Calendar.timestamps.contains(result) ? result : nil
    }

    init() {}

    /// Splits a timestamp (microseconds since 2000-01-01).
    init(timestamp: Int64) {
        var days = timestamp / Calendar.microsecondsPerDay
        var time = timestamp % Calendar.microsecondsPerDay
        if time < 0 {
            time += Calendar.microsecondsPerDay
            days -= 1
        }
        (year, month, day) = Calendar.date(julianDay: Int(days) + Calendar.postgresEpoch)
        let seconds = Int(time / 1_000_000)
        microsecond = Int(time % 1_000_000)
        hour = seconds / 3600
        minute = seconds / 60 % 60
        second = seconds % 60
    }
}
