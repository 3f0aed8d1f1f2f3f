package import CellFormat
package import Diagnostics

/// What a converted value is for.
package enum ConversionPurpose: Sendable {
    /// Stored in the column: PostgreSQL's assignment cast, which may round (numeric 1.5 → integer 2).
    case assignment
    /// Compared with the column: a conversion that changes the value would change the answer and is refused (0A000).
    case comparison
}

extension ValueCodec {
    /// Converts a value between types as PostgreSQL's assignment cast does (pg_cast; for text also the I/O conversions).
    ///
    /// Throws 22003, 22008 for what does not fit, 42804 where PostgreSQL has no assignment cast, 0A000 for a type that is
    /// not supported and for a comparison whose conversion is not exact.
    package static func convert(
        canonical bytes: [UInt8], from source: LogicalType, to target: LogicalType,
        purpose: ConversionPurpose = .assignment, settings: SessionSettings = SessionSettings()
    ) throws(CloisterError) -> [UInt8] {
        guard LogicalType.supported.contains(source) else { throw unsupportedType(source) }
        guard LogicalType.supported.contains(target) else { throw unsupportedType(target) }
        if source == target { return bytes }
        guard purpose == .comparison else { return try assign(bytes, source, target, settings) }
        return try compare(bytes, source, target, settings)
    }

    private static func assign(
        _ bytes: [UInt8], _ source: LogicalType, _ target: LogicalType, _ settings: SessionSettings
    ) throws(CloisterError) -> [UInt8] {
        let value = try canonical(fromBinary: bytes, type: source)
        switch (source, target) {
        case (.text, .varchar), (.varchar, .text): return value
        case (.boolean, .text), (.boolean, .varchar): return Array((value[0] != 0 ? "true" : "false").utf8)
        case (_, .text), (_, .varchar): return try text(fromCanonical: value, type: source, settings: settings)

        case (.int2, .int4), (.int2, .int8), (.int4, .int2), (.int4, .int8), (.int8, .int2), (.int8, .int4):
            return try integer(Conversion.integer(value), target)
        case (.int2, .float8), (.int4, .float8), (.int8, .float8):
            return Bytes.bigEndian(Double(Conversion.integer(value)).bitPattern)
        case (.int2, .numeric), (.int4, .numeric), (.int8, .numeric):
            return try Numeric(text: IntegerCodec.text(Conversion.integer(value)).span).canonical

        case (.float8, .int2), (.float8, .int4), (.float8, .int8):
            let number = Double(bitPattern: Bytes.integer(value)).rounded(.toNearestOrEven)
            guard let whole = Int64(exactly: number) else { throw Conversion.outOfRange(target) }
            return try integer(whole, target)
        case (.float8, .numeric):
            // PostgreSQL keeps DBL_DIG = 15 digits.
            var digits: [UInt8] = []
            Float8.appendText(Double(bitPattern: Bytes.integer(value)), extraFloatDigits: 0, to: &digits)
            return try Numeric(text: digits.span).canonical

        case (.numeric, .int2), (.numeric, .int4), (.numeric, .int8):
            return try integer(try Numeric(canonical: value).roundedInteger(target), target)
        case (.numeric, .float8):
            var digits: [UInt8] = []
            try Numeric(canonical: value).appendText(to: &digits)
            return Bytes.bigEndian(try Float8.parse(digits.span).bitPattern)

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

        default:
            throw CloisterError(
                .datatypeMismatch, "a value of type \(source.name) cannot be assigned to a column of type \(target.name)",
                hint: "You will need to rewrite or cast the expression.")
        }
    }

    private static func integer(_ value: Int64, _ target: LogicalType) throws(CloisterError) -> [UInt8] {
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

    /// PostgreSQL compares in the wider of the two types, which may be the constant's. Comparing in the column's type gives
    /// the same answer only where the constant comes through unchanged; all else is refused.
    private static func compare(
        _ bytes: [UInt8], _ source: LogicalType, _ target: LogicalType, _ settings: SessionSettings
    ) throws(CloisterError) -> [UInt8] {
        func refuse() -> CloisterError {
            ValueError.unsupported(
                "a constant of type \(source.name) cannot be compared with a column of type \(target.name) without changing it",
                hint: "Write the constant as a value of the column's type.")
        }
        if target.isText, !source.isText {
            throw CloisterError(.datatypeMismatch, "operator does not exist: \(target.name) with \(source.name)")
        }
        let result: [UInt8]
        do throws(CloisterError) { result = try assign(bytes, source, target, settings) } catch {
            throw error.code == .datatypeMismatch ? error : refuse()
        }
        switch (source, target) {
        case (.text, _), (.varchar, _), (.int2, _), (.int4, _), (.int8, _), (.numeric, .float8), (.date, _),
            (.timestamp, .timestamptz):
            // The constant's type is the one PostgreSQL converts, or the conversion never changes a value.
            return result
        case (.float8, .numeric):
            // PostgreSQL rounds the column to double precision here.
            throw refuse()
        case (.float8, .int8):
            guard Double(bitPattern: Bytes.integer(bytes)).magnitude < 0x1p53 else { throw refuse() }
        case (.timestamptz, .timestamp):
            // PostgreSQL converts the column by the session's zone: the order differs only where the zone's offset changes.
            let instant: Int64 = Bytes.integer(bytes)
            let seconds = Int(instant / 1_000_000) &+ Calendar.epochDifference
            if instant != .max, instant != .min, try settings.timeZone.known().changes(near: seconds) { throw refuse() }
        default: break
        }
        let back: [UInt8]
        do throws(CloisterError) { back = try assign(result, target, source, settings) } catch { throw refuse() }
        guard normalizedForEquality(back, type: source) == normalizedForEquality(bytes, type: source) else { throw refuse() }
        return result
    }
}

private enum Conversion {
    static func integer(_ bytes: [UInt8]) -> Int64 {
        switch bytes.count {
        case 2: Int64(Bytes.integer(bytes, as: Int16.self))
        case 4: Int64(Bytes.integer(bytes, as: Int32.self))
        default: Bytes.integer(bytes)
        }
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
    fileprivate func roundedInteger(_ target: LogicalType) throws(CloisterError) -> Int64 {
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
