internal import CellFormat
internal import Diagnostics

extension ValueCodec {
    /// PostgreSQL's assignment casts (pg_cast; to text also the I/O conversions).
    static func assign(
        _ bytes: [UInt8], _ source: LogicalType, _ target: LogicalType, _ settings: SessionSettings
    ) throws(CloisterError) -> [UInt8] {
        let value = try canonical(fromBinary: bytes, type: source)
        switch (source, target) {
        case (.text, .varchar), (.varchar, .text), (.text, .bpchar), (.varchar, .bpchar): return value
        case (.bpchar, .text), (.bpchar, .varchar): return TextCodec.withoutTrailingBlanks(value)
        case (.boolean, .text), (.boolean, .varchar), (.boolean, .bpchar): return Array((value[0] != 0 ? "true" : "false").utf8)
        case (.inet, .text), (.inet, .varchar), (.inet, .bpchar):
            var shown: [UInt8] = []
            try InetCodec.appendText(value, isFull: true, to: &shown)
            return shown
        case (_, .text), (_, .varchar), (_, .bpchar): return try text(fromCanonical: value, type: source, settings: settings)

        case (.int2, .int4), (.int2, .int8), (.int4, .int2), (.int4, .int8), (.int8, .int2), (.int8, .int4):
            return try integer(Conversion.integer(value), target)
        case (.int2, .float8), (.int4, .float8), (.int8, .float8):
            return Bytes.bigEndian(Double(Conversion.integer(value)).bitPattern)
        case (.int2, .float4), (.int4, .float4), (.int8, .float4):
            return Bytes.bigEndian(Float(Conversion.integer(value)).bitPattern)
        case (.int2, .numeric), (.int4, .numeric), (.int8, .numeric):
            return try Numeric(text: IntegerCodec.text(Conversion.integer(value)).span).canonical

        case (.float4, .float8): return Bytes.bigEndian(Double(Float(bitPattern: Bytes.integer(value))).bitPattern)
        case (.float8, .float4):
            let wide = Double(bitPattern: Bytes.integer(value))
            let narrow = Float(wide)
            if narrow.isInfinite, !wide.isInfinite { throw ValueError.outOfRange("value out of range: overflow") }
            if narrow == 0, wide != 0 { throw ValueError.outOfRange("value out of range: underflow") }
            return Bytes.bigEndian(narrow.bitPattern)
        case (.float4, .int2), (.float4, .int4), (.float4, .int8), (.float8, .int2), (.float8, .int4), (.float8, .int8):
            let number = Conversion.double(value).rounded(.toNearestOrEven)
            guard let whole = Int64(exactly: number) else { throw Conversion.outOfRange(target) }
            return try integer(whole, target)
        case (.float4, .numeric), (.float8, .numeric):
            // PostgreSQL keeps FLT_DIG = 6 or DBL_DIG = 15 digits.
            var digits: [UInt8] = []
            if source == .float4 {
                FloatText.appendText(Float(bitPattern: Bytes.integer(value)), extraFloatDigits: 0, to: &digits)
            } else {
                FloatText.appendText(Double(bitPattern: Bytes.integer(value)), extraFloatDigits: 0, to: &digits)
            }
            return try Numeric(text: digits.span).canonical

        case (.numeric, .int2), (.numeric, .int4), (.numeric, .int8):
            return try integer(try Numeric(canonical: value).roundedInteger(target), target)
        case (.numeric, .float4), (.numeric, .float8):
            var digits: [UInt8] = []
            try Numeric(canonical: value).appendText(to: &digits)
            return try canonical(fromText: digits, type: target, settings: SessionSettings())

        case (.date, .timestamp), (.date, .timestamptz):
            let days: Int32 = Bytes.integer(value)
            if days == Calendar.dateInfinity { return Bytes.bigEndian(Int64.max) }
            if days == Calendar.dateMinusInfinity { return Bytes.bigEndian(Int64.min) }
            let (time, overflow) = Int64(days).multipliedReportingOverflow(by: Calendar.microsecondsPerDay)
            guard !overflow, time < Calendar.timestamps.upperBound else {
                throw CloisterError(.dateTimeOutOfRange, "date out of range for timestamp")
            }
            return Bytes.bigEndian(target == .timestamp ? time : try Conversion.instant(time, settings))
        case (.timestamp, .date):
            let time: Int64 = Bytes.integer(value)
            return Bytes.bigEndian(Conversion.day(time))
        case (.timestamp, .timestamptz):
            let time: Int64 = Bytes.integer(value)
            if time == .max || time == .min { return value }
            return Bytes.bigEndian(try Conversion.instant(time, settings))
        case (.timestamptz, .timestamp), (.timestamptz, .date):
            let instant: Int64 = Bytes.integer(value)
            var time = instant
            if instant != .max, instant != .min {
                guard let local = try DateTimeCodec.local(instant, settings).0.timestamp() else {
                    throw DateTimeCodec.timestampOutOfRange()
                }
                time = local
            }
            return target == .timestamp ? Bytes.bigEndian(time) : Bytes.bigEndian(Conversion.day(time))

        case (.time, .interval): return Interval(time: Bytes.integer(value)).canonical
        case (.time, .timetz):
            let offset = try TimeCodec.presentOffset(of: settings.timeZone.known())
            return value + Bytes.bigEndian(Int32(-offset))
        case (.timetz, .time): return Array(value[..<8])
        case (.timestamp, .time), (.timestamptz, .time), (.timestamptz, .timetz):
            let instant: Int64 = Bytes.integer(value)
            guard instant != .max, instant != .min else {
                // PostgreSQL's cast gives NULL.
                throw ValueError.unsupported("infinity has no time of day", hint: "Write NULL.")
            }
            if source == .timestamp { return Bytes.bigEndian(Conversion.timeOfDay(instant)) }
            let period = try DateTimeCodec.local(instant, settings).1
            let time = Bytes.bigEndian(Conversion.timeOfDay(instant &+ Int64(period.offset) * 1_000_000))
            return target == .time ? time : time + Bytes.bigEndian(Int32(-period.offset))
        case (.interval, .time): return Bytes.bigEndian(Conversion.timeOfDay(try Interval(binary: value).time))

        case (.json, .jsonb): return try JSONBCodec.canonical(fromText: value)
        case (.jsonb, .json): return Array(value[1...])

        default:
            throw CloisterError(
                .datatypeMismatch, "a value of type \(source.name) cannot be assigned to a column of type \(target.name)",
                hint: "You will need to rewrite or cast the expression.")
        }
    }

    static func integer(_ value: Int64, _ target: LogicalType) throws(CloisterError) -> [UInt8] {
        switch target {
        case .int2:
            guard let narrow = Int16(exactly: value) else { throw Conversion.outOfRange(target) }
            return Bytes.bigEndian(narrow)
        case .int4:
            guard let narrow = Int32(exactly: value) else { throw Conversion.outOfRange(target) }
            return Bytes.bigEndian(narrow)
        default: return Bytes.bigEndian(value)
        }
    }
}

enum Conversion {
    static func integer(_ bytes: [UInt8]) -> Int64 {
        switch bytes.count {
        case 2: Int64(Bytes.integer(bytes, as: Int16.self))
        case 4: Int64(Bytes.integer(bytes, as: Int32.self))
        default: Bytes.integer(bytes)
        }
    }

    /// A float4's or float8's value.
    static func double(_ bytes: [UInt8]) -> Double {
        bytes.count == 4 ? Double(Float(bitPattern: Bytes.integer(bytes))) : Double(bitPattern: Bytes.integer(bytes))
    }

    /// Microseconds since midnight.
    static func timeOfDay(_ time: Int64) -> Int64 {
        let rest = time % Calendar.microsecondsPerDay
        return rest < 0 ? rest + Calendar.microsecondsPerDay : rest
    }

    static func outOfRange(_ target: LogicalType) -> CloisterError {
        switch target {
        case .int2: ValueError.outOfRange("smallint out of range")
        case .int4: ValueError.outOfRange("integer out of range")
        default: ValueError.outOfRange("bigint out of range")
        }
    }

    /// The date of a timestamp.
    static func day(_ time: Int64) -> Int32 {
        if time == .max { return Calendar.dateInfinity }
        if time == .min { return Calendar.dateMinusInfinity }
        let days = time / Calendar.microsecondsPerDay
        return Int32(time % Calendar.microsecondsPerDay < 0 ? days - 1 : days)
    }

    /// The instant of a local time of the session (timestamp2timestamptz).
    static func instant(_ time: Int64, _ settings: SessionSettings) throws(CloisterError) -> Int64 {
        let fields = DateTimeFields(timestamp: time)
        let offset = try settings.timeZone.known().offset(local: fields)
        guard let instant = fields.timestamp(offset: offset) else { throw DateTimeCodec.timestampOutOfRange() }
        return instant
    }
}

extension Numeric {
    /// Rounded half away from zero, as numeric_int8 and its kin.
    func roundedInteger(_ target: LogicalType) throws(CloisterError) -> Int64 {
        switch sign {
        case .nan: throw ValueError.unsupported("cannot convert NaN to \(Self.sqlName(target))")
        case .infinity, .minusInfinity: throw ValueError.unsupported("cannot convert infinity to \(Self.sqlName(target))")
        case .plus, .minus: break
        }
        var value: Int64 = 0
        for power in stride(from: weight, through: 0, by: -1) {
            let index = weight - power
            let digit = index < digits.count ? Int64(digits[index]) : 0
            let (product, overflow1) = value.multipliedReportingOverflow(by: 10000)
            let (sum, overflow2) = product.subtractingReportingOverflow(digit)
            if overflow1 || overflow2 { throw Conversion.outOfRange(target) }
            value = sum
        }
        // The first fractional group decides: 5000 or more rounds away from zero.
        let fraction = weight + 1
        if fraction >= 0, fraction < digits.count, digits[fraction] >= 5000 {
            let (sum, overflow) = value.subtractingReportingOverflow(1)
            if overflow { throw Conversion.outOfRange(target) }
            value = sum
        }
        if sign == .minus { return value }
        guard value != .min else { throw Conversion.outOfRange(target) }
        return -value
    }

    private static func sqlName(_ type: LogicalType) -> String {
        switch type {
        case .int2: "smallint"
        case .int4: "integer"
        default: "bigint"
        }
    }
}
