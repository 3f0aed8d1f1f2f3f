extension Interval {
    /// interval_out: EncodeInterval in the four styles.
    func appendText(_ style: SessionSettings.IntervalStyle, to output: inout [UInt8]) {
        let parts = Parts(self)
        switch style {
        case .postgres: parts.appendPostgres(to: &output)
        case .postgresVerbose: parts.appendVerbose(to: &output)
        case .sqlStandard: parts.appendSQL(to: &output)
        case .iso8601: parts.appendISO(to: &output)
        }
    }

    /// interval2itm: each part has the sign of the field it comes from.
    struct Parts {
        var year: Int
        var month: Int
        var day: Int
        var hour: Int
        var minute: Int
        var second: Int
        var microsecond: Int

        init(_ interval: Interval) {
            year = Int(interval.month) / 12
            month = Int(interval.month) % 12
            day = Int(interval.day)
            hour = Int(interval.time / Interval.microsecondsPerHour)
            let rest = Int(interval.time % Interval.microsecondsPerHour)
            minute = rest / 60_000_000
            second = rest / 1_000_000 % 60
            microsecond = rest % 1_000_000
        }

        private var hasTime: Bool { hour != 0 || minute != 0 || second != 0 || microsecond != 0 }
        private var isTimeNegative: Bool { hour < 0 || minute < 0 || second < 0 || microsecond < 0 }
        private var all: [Int] { [year, month, day, hour, minute, second, microsecond] }

        private func appendSeconds(padded: Bool, to output: inout [UInt8]) {
            output.append(decimal: second, width: padded ? 2 : 1)
            TimeCodec.append(fraction: microsecond, to: &output)
        }

        private func appendClock(hourWidth: Int, to output: inout [UInt8]) {
            output.append(decimal: hour, width: hourWidth)
            output.append(ascii(":"))
            output.append(decimal: minute, width: 2)
            output.append(ascii(":"))
            appendSeconds(padded: true, to: &output)
        }

        func appendPostgres(to output: inout [UInt8]) {
            var isZero = true
            var isBefore = false
            for (value, unit) in [(year, "year"), (month, "mon"), (day, "day")] where value != 0 {
                if !isZero { output.append(0x20) }
                if isBefore, value > 0 { output.append(ascii("+")) }
                IntegerCodec.append(value, to: &output)
                output.append(contentsOf: " \(unit)\(value != 1 ? "s" : "")".utf8)
                // Each field marks only the next one.
                isBefore = value < 0
                isZero = false
            }
            guard isZero || hasTime else { return }
            if !isZero { output.append(0x20) }
            if isTimeNegative { output.append(ascii("-")) } else if isBefore { output.append(ascii("+")) }
            appendClock(hourWidth: 2, to: &output)
        }

        func appendVerbose(to output: inout [UInt8]) {
            var isZero = true
            var isBefore = false
            output.append(ascii("@"))
            for (value, unit) in [(year, "year"), (month, "mon"), (day, "day"), (hour, "hour"), (minute, "min")] where value != 0 {
                var value = value
                if isZero {
                    isBefore = value < 0
                    value = abs(value)
                } else if isBefore {
                    value = -value
                }
                output.append(0x20)
                IntegerCodec.append(value, to: &output)
                output.append(contentsOf: " \(unit)\(value == 1 ? "" : "s")".utf8)
                isZero = false
            }
            if second != 0 || microsecond != 0 {
                output.append(0x20)
                if second < 0 || (second == 0 && microsecond < 0) {
                    if isZero { isBefore = true } else if !isBefore { output.append(ascii("-")) }
                } else if isBefore {
                    output.append(ascii("-"))
                }
                appendSeconds(padded: false, to: &output)
                output.append(contentsOf: " sec\(abs(second) != 1 || microsecond != 0 ? "s" : "")".utf8)
                isZero = false
            }
            if isZero { output.append(ascii: " 0") }
            if isBefore { output.append(ascii: " ago") }
        }

        func appendSQL(to output: inout [UInt8]) {
            let hasNegative = all.contains { $0 < 0 }
            let hasPositive = all.contains { $0 > 0 }
            let hasYearMonth = year != 0 || month != 0
            guard hasNegative || hasPositive else { return output.append(ascii("0")) }
            guard !(hasNegative && hasPositive), !(hasYearMonth && (day != 0 || hasTime)) else {
                // Not a value of the standard: every group has its sign.
                func sign(_ isNegative: Bool) -> UInt8 { isNegative ? ascii("-") : ascii("+") }
                output.append(sign(year < 0 || month < 0))
                output.append(decimal: year)
                output.append(ascii("-"))
                output.append(decimal: month)
                output.append(0x20)
                output.append(sign(day < 0))
                output.append(decimal: day)
                output.append(0x20)
                output.append(sign(isTimeNegative))
                return appendClock(hourWidth: 1, to: &output)
            }
            if hasNegative { output.append(ascii("-")) }
            if hasYearMonth {
                output.append(decimal: year)
                output.append(ascii("-"))
                output.append(decimal: month)
                return
            }
            if day != 0 {
                output.append(decimal: day)
                output.append(0x20)
            }
            appendClock(hourWidth: 1, to: &output)
        }

        func appendISO(to output: inout [UInt8]) {
            guard all.contains(where: { $0 != 0 }) else { return output.append(ascii: "PT0S") }
            func append(_ value: Int, _ unit: Unicode.Scalar) {
                guard value != 0 else { return }
                IntegerCodec.append(value, to: &output)
                output.append(ascii(unit))
            }
            output.append(ascii("P"))
            append(year, "Y")
            append(month, "M")
            append(day, "D")
            if hasTime { output.append(ascii("T")) }
            append(hour, "H")
            append(minute, "M")
            if second != 0 || microsecond != 0 {
                if second < 0 || microsecond < 0 { output.append(ascii("-")) }
                appendSeconds(padded: false, to: &output)
                output.append(ascii("S"))
            }
        }
    }
}
