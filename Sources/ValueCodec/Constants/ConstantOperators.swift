internal import CellFormat
internal import Diagnostics

extension ConstantCall {
    private static let integers: [LogicalType] = [.int2, .int4, .int8]
    private static let numbers: [LogicalType] = [.int2, .int4, .int8, .numeric, .float4, .float8]
    private static let moments: [LogicalType] = [.date, .timestamp, .timestamptz]

    /// Operands beyond this many base-10000 digits are left to the server's patience.
    private static let maximumDigits = 600

    func operation() throws(CloisterError) -> TypedValue {
        switch arguments.count {
        case 1: return try unary()
        case 2: break
        default: throw refusal()
        }
        if name == "||" { return try concatenation() }
        switch (arguments[0].type, arguments[1].type) {
        case (nil, nil): throw refusal()
        case (let left?, let right?):
            if Self.numbers.contains(left), Self.numbers.contains(right) { return try arithmetic(Self.common(left, right)) }
        case (let known?, nil), (nil, let known?):
            if Self.numbers.contains(known) { return try arithmetic(known) }
        }
        return try temporal()
    }

    private func unary() throws(CloisterError) -> TypedValue {
        guard let type = arguments[0].type, name == "-" || name == "+" else { throw refusal() }
        guard Self.numbers.contains(type) || type == .interval && name == "-" else { throw refusal() }
        if name == "+" { return arguments[0] }
        switch type {
        case .numeric: return result(try finite(0).negated)
        case .interval: return result(try negated(Interval(binary: value(0, .interval))))
        case .float8: return result(-(try float8(0)))
        case .float4: return result(.float4, Bytes.bigEndian((-Float(bitPattern: Bytes.integer(try value(0, .float4)))).bitPattern))
        default:
            return try ConstantCall(name: "-", isOperator: true, arguments: [zero(type), arguments[0]], settings: settings, now: now)
                .operation()
        }
    }

    private func zero(_ type: LogicalType) -> TypedValue { result(type, [UInt8](repeating: 0, count: Int(type.size))) }

    private func finite(_ index: Int) throws(CloisterError) -> Numeric {
        let value = try numeric(index)
        guard value.isFinite, value.digits.count <= Self.maximumDigits, abs(value.weight) <= Self.maximumDigits else { throw refusal() }
        return value
    }

    // MARK: Numbers

    /// The type both operands become.
    private static func common(_ a: LogicalType, _ b: LogicalType) -> LogicalType {
        if a == b { return a }
        if [a, b].contains(where: { $0 == .float4 || $0 == .float8 }) { return .float8 }
        if a == .numeric || b == .numeric { return .numeric }
        return a == .int8 || b == .int8 ? .int8 : .int4
    }

    private func arithmetic(_ type: LogicalType) throws(CloisterError) -> TypedValue {
        if name == "%", type == .float4 || type == .float8 { throw refusal() }
        switch type {
        case .int2: return result(.int2, Bytes.bigEndian(try integer(Int16.self, .int2, "smallint out of range")))
        case .int4: return result(.int4, Bytes.bigEndian(try integer(Int32.self, .int4, "integer out of range")))
        case .int8: return result(.int8, Bytes.bigEndian(try integer(Int64.self, .int8, "bigint out of range")))
        case .numeric:
            let (a, b) = (try finite(0), try finite(1))
            switch name {
            case "+": return result(try a.adding(b))
            case "-": return result(try a.adding(b.negated))
            case "*": return result(try a.multiplied(by: b))
            case "/": return result(try a.divided(by: b))
            default: return result(try a.remainder(dividingBy: b))
            }
        case .float4:
            let a = Float(bitPattern: Bytes.integer(try value(0, .float4)))
            let b = Float(bitPattern: Bytes.integer(try value(1, .float4)))
            return result(.float4, Bytes.bigEndian(try floating(a, b).bitPattern))
        default: return result(try floating(float8(0), float8(1)))
        }
    }

    private func integer<T: FixedWidthInteger & SignedInteger>(_: T.Type, _ type: LogicalType, _ message: StaticString)
        throws(CloisterError) -> T
    {
        let a: T = Bytes.integer(try value(0, type, implicit: Self.integers))
        let b: T = Bytes.integer(try value(1, type, implicit: Self.integers))
        let (value, overflow): (T, Bool)
        switch name {
        case "+": (value, overflow) = a.addingReportingOverflow(b)
        case "-": (value, overflow) = a.subtractingReportingOverflow(b)
        case "*": (value, overflow) = a.multipliedReportingOverflow(by: b)
        default:
            guard b != 0 else { throw Numeric.divisionByZero() }
            if name == "%" { return b == -1 ? 0 : a % b }
            (value, overflow) = a.dividedReportingOverflow(by: b)
        }
        if overflow { throw ValueError.outOfRange(message) }
        return value
    }

    private func floating<T: BinaryFloatingPoint>(_ a: T, _ b: T) throws(CloisterError) -> T {
        let value: T
        switch name {
        case "+": value = a + b
        case "-": value = a - b
        case "*": value = a * b
        case "/":
            if b == 0, !a.isNaN { throw Numeric.divisionByZero() }
            value = a / b
        default: throw refusal()
        }
        if value.isInfinite, !a.isInfinite, !b.isInfinite { throw ValueError.outOfRange("value out of range: overflow") }
        if value == 0 {
            let isUnderflow = name == "*" ? a != 0 && b != 0 : name == "/" && a != 0 && !b.isInfinite
            if isUnderflow { throw ValueError.outOfRange("value out of range: underflow") }
        }
        // The sign of a NaN that the processor makes is not ours to guess.
        if value.isNaN, !a.isNaN, !b.isNaN { throw refusal() }
        return value
    }

    // MARK: Text

    private func concatenation() throws(CloisterError) -> TypedValue {
        let known = types.compactMap(\.self)
        if known.allSatisfy({ $0 == .bytea }), !known.isEmpty { return result(.bytea, try value(0, .bytea) + value(1, .bytea)) }
        guard known.count < 2 || known.contains(where: \.isText) else { throw refusal() }
        guard !known.contains(where: { $0 == .bytea || $0 == .json || $0 == .jsonb }) else { throw refusal() }
        func shown(_ index: Int) throws(CloisterError) -> [UInt8] {
            try value(index, .text, implicit: LogicalType.allCases)
        }
        return result(.text, try shown(0) + shown(1))
    }

    // MARK: Dates and times

    /// The types of the operator that PostgreSQL picks; an unknown literal takes the other side's type if there is such an
    /// operator, else the only one that there is.
    private func temporal() throws(CloisterError) -> TypedValue {
        let left = arguments[0].type
        let right = arguments[1].type
        switch (left, name, right) {
        case (.date, "+", .int4), (.date, "+", .int2): return try shifted(days: int4(1), dateAt: 0)
        case (.int4, "+", .date), (.int2, "+", .date): return try shifted(days: int4(0), dateAt: 1)
        case (.date, "-", .int4), (.date, "-", .int2): return try shifted(days: -int4(1), dateAt: 0)
        case (.date, "-", .date), (.date, "-", nil), (nil, "-", .date):
            let (a, b): (Int32, Int32) = (Bytes.integer(try value(0, .date)), Bytes.integer(try value(1, .date)))
            for days in [a, b] where days == Calendar.dateInfinity || days == Calendar.dateMinusInfinity {
                throw CloisterError(.dateTimeOutOfRange, "cannot subtract infinite dates")
            }
            return result(int4: Int(a) - Int(b))
        case (.date, "+", .time): return try moment(dateAt: 0, timeAt: 1)
        case (.time, "+", .date): return try moment(dateAt: 1, timeAt: 0)

        case (.date, "+", .interval), (.timestamp, "+", .interval), (.timestamp, "+", nil):
            return try plus(.timestamp, at: 0, Interval(binary: value(1, .interval)))
        case (.interval, "+", .date), (.interval, "+", .timestamp), (nil, "+", .timestamp):
            return try plus(.timestamp, at: 1, Interval(binary: value(0, .interval)))
        case (.timestamptz, "+", .interval), (.timestamptz, "+", nil):
            return try plus(.timestamptz, at: 0, Interval(binary: value(1, .interval)))
        case (.interval, "+", .timestamptz), (nil, "+", .timestamptz):
            return try plus(.timestamptz, at: 1, Interval(binary: value(0, .interval)))
        case (.date, "-", .interval), (.timestamp, "-", .interval):
            return try plus(.timestamp, at: 0, negated(Interval(binary: value(1, .interval))))
        case (.timestamptz, "-", .interval): return try plus(.timestamptz, at: 0, negated(Interval(binary: value(1, .interval))))
        case (_, "-", _)
        where (left == nil || Self.moments.contains(left ?? .text)) && (right == nil || Self.moments.contains(right ?? .text)):
            return try span(left == .timestamptz || right == .timestamptz ? .timestamptz : .timestamp)

        case (.time, "+", .interval): return try timePlus(Interval(binary: value(1, .interval)).time, timeAt: 0)
        case (.interval, "+", .time): return try timePlus(Interval(binary: value(0, .interval)).time, timeAt: 1)
        case (.time, "-", .interval): return try timePlus(0 &- Interval(binary: value(1, .interval)).time, timeAt: 0)
        case (.time, "-", .time), (.time, "-", nil), (nil, "-", .time):
            return result(Interval(time: Bytes.integer(try value(0, .time)) - Bytes.integer(try value(1, .time))))

        case (.interval, "+", .interval), (.interval, "+", nil), (nil, "+", .interval):
            return result(try sum(Interval(binary: value(0, .interval)), Interval(binary: value(1, .interval))))
        case (.interval, "-", .interval), (.interval, "-", nil), (nil, "-", .interval):
            return result(try sum(Interval(binary: value(0, .interval)), negated(Interval(binary: value(1, .interval)))))
        case (.interval, "*", _): return result(try Interval(binary: value(0, .interval)).scaled(by: float8(1)))
        case (_, "*", .interval): return result(try Interval(binary: value(1, .interval)).scaled(by: float8(0)))
        case (.interval, "/", _): return result(try Interval(binary: value(0, .interval)).divided(by: float8(1)))
        default: throw refusal()
        }
    }

    private func shifted(days: Int, dateAt index: Int) throws(CloisterError) -> TypedValue {
        let date: Int32 = Bytes.integer(try value(index, .date))
        if date == Calendar.dateInfinity || date == Calendar.dateMinusInfinity { return arguments[index] }
        guard let sum = Int32(exactly: Int(date) + days), Calendar.dates.contains(Int(sum)) else {
            throw CloisterError(.dateTimeOutOfRange, "date out of range")
        }
        return result(.date, Bytes.bigEndian(sum))
    }

    private func moment(dateAt date: Int, timeAt time: Int) throws(CloisterError) -> TypedValue {
        let start: Int64 = Bytes.integer(try value(date, .timestamp, implicit: [.date]))
        if start == .max || start == .min { return result(.timestamp, Bytes.bigEndian(start)) }
        let (sum, overflow) = start.addingReportingOverflow(Bytes.integer(try value(time, .time)))
        guard !overflow, Calendar.timestamps.contains(sum) else { throw DateTimeCodec.timestampOutOfRange() }
        return result(.timestamp, Bytes.bigEndian(sum))
    }

    private func plus(_ type: LogicalType, at index: Int, _ interval: Interval) throws(CloisterError) -> TypedValue {
        let start: Int64 = Bytes.integer(try value(index, type, implicit: [.date]))
        let rules = type == .timestamptz ? try settings.timeZone.known() : nil
        return result(type, Bytes.bigEndian(try interval.added(to: start, rules)))
    }

    /// timestamp_mi.
    private func span(_ type: LogicalType) throws(CloisterError) -> TypedValue {
        let a: Int64 = Bytes.integer(try value(0, type, implicit: Self.moments))
        let b: Int64 = Bytes.integer(try value(1, type, implicit: Self.moments))
        for instant in [a, b] where instant == .max || instant == .min {
            throw CloisterError(.dateTimeOutOfRange, "cannot subtract infinite timestamps")
        }
        let (time, overflow) = a.subtractingReportingOverflow(b)
        if overflow { throw refusal() }
        return result(Interval(time: time % Calendar.microsecondsPerDay, day: Int32(time / Calendar.microsecondsPerDay)))
    }

    private func timePlus(_ microseconds: Int64, timeAt index: Int) throws(CloisterError) -> TypedValue {
        let (sum, overflow) = Bytes.integer(try value(index, .time), as: Int64.self).addingReportingOverflow(microseconds)
        if overflow { throw refusal() }
        return result(.time, Bytes.bigEndian(Conversion.timeOfDay(sum)))
    }

    private func sum(_ a: Interval, _ b: Interval) throws(CloisterError) -> Interval {
        let (time, overflow1) = a.time.addingReportingOverflow(b.time)
        let (day, overflow2) = a.day.addingReportingOverflow(b.day)
        let (month, overflow3) = a.month.addingReportingOverflow(b.month)
        if overflow1 || overflow2 || overflow3 { throw Interval.outOfRange() }
        return Interval(time: time, day: day, month: month)
    }

    private func negated(_ interval: Interval) throws(CloisterError) -> Interval {
        guard interval.time != .min, interval.day != .min, interval.month != .min else { throw Interval.outOfRange() }
        return Interval(time: -interval.time, day: -interval.day, month: -interval.month)
    }
}
