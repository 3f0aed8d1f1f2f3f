import Diagnostics

extension Interval {
    /// timestamp_pl_interval, or timestamptz_pl_interval in a zone: months first (to the month's last day at most), then days,
    /// both on the local calendar, then the time.
    func added(to start: Int64, _ zone: ZoneRules?) throws(CloisterError) -> Int64 {
        guard start != .max, start != .min else { return start }
        var instant = start
        /// Changes the local date and finds the instant again.
        func move(_ change: (inout DateTimeFields) -> Void) throws(CloisterError) {
            var fields: DateTimeFields
            if let zone {
                let seconds = instant / 1_000_000 - (instant % 1_000_000 < 0 ? 1 : 0)
                let offset = zone.period(at: Int(seconds) + Calendar.epochDifference).offset
                fields = DateTimeFields(timestamp: instant &+ Int64(offset) * 1_000_000)
            } else {
                fields = DateTimeFields(timestamp: instant)
            }
            change(&fields)
            guard let moved = fields.timestamp(offset: zone?.offset(local: fields) ?? 0) else { throw DateTimeCodec.timestampOutOfRange() }
            instant = moved
        }
        if month != 0 {
            try move { fields in
                let months = fields.year * 12 + fields.month - 1 + Int(month)
                fields.year = months >= 0 ? months / 12 : (months - 11) / 12
                fields.month = months - fields.year * 12 + 1
                fields.day = min(fields.day, Calendar.days(inMonth: fields.month, of: fields.year))
            }
        }
        if day != 0 {
            try move { fields in
                let julian = Calendar.julianDay(fields.year, fields.month, fields.day) + Int(day)
                (fields.year, fields.month, fields.day) = Calendar.date(julianDay: julian)
            }
        }
        let (sum, overflow) = instant.addingReportingOverflow(time)
        guard !overflow, Calendar.timestamps.contains(sum) else { throw DateTimeCodec.timestampOutOfRange() }
        return sum
    }

    /// interval_mul.
    func scaled(by factor: Double) throws(CloisterError) -> Interval { try cascade { $0 * factor } }

    /// interval_div.
    func divided(by factor: Double) throws(CloisterError) -> Interval {
        guard factor != 0 else { throw Numeric.divisionByZero() }
        return try cascade { $0 / factor }
    }

    /// Fractions of months go to days (30 each), those of days to the time, rounded to microseconds on the way.
    private func cascade(_ scale: (Double) -> Double) throws(CloisterError) -> Interval {
        func whole(_ value: Double) throws(CloisterError) -> Int32 {
            guard let narrow = Int32(exactly: value.rounded(.towardZero)) else { throw Self.outOfRange() }
            return narrow
        }
        func rounded(_ value: Double) -> Double { (value * 1_000_000).rounded(.toNearestOrEven) / 1_000_000 }
        var result = Interval(day: try whole(scale(Double(day))), month: try whole(scale(Double(month))))
        let monthDays = rounded((scale(Double(month)) - Double(result.month)) * 30)
        let wholeMonthDays = Double(try whole(monthDays))
        let secondsPerDay = Double(Calendar.secondsPerDay)
        var seconds = rounded((scale(Double(day)) - Double(result.day) + monthDays - wholeMonthDays) * secondsPerDay)
        func add(_ days: Double) throws(CloisterError) {
            let (sum, overflow) = result.day.addingReportingOverflow(try whole(days))
            if overflow { throw Self.outOfRange() }
            result.day = sum
        }
        if seconds.magnitude >= secondsPerDay {
            let days = (seconds / secondsPerDay).rounded(.towardZero)
            try add(days)
            seconds -= days * secondsPerDay
        }
        try add(wholeMonthDays)
        let microseconds = (scale(Double(time)) + seconds * 1_000_000).rounded(.toNearestOrEven)
        guard let time = Int64(exactly: microseconds) else { throw Self.outOfRange() }
        result.time = time
        return result
    }
}
