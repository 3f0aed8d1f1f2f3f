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
    /// For a comparison with an integer column, a constant that the type can't hold becomes a *wide operand*: the byte 0xFF and
    /// a canonical numeric, which the enclave compares as numeric.
    ///
    /// Throws 22003, 22008 for what does not fit, 42804 where PostgreSQL has no assignment cast, 42883 where it has no
    /// comparison, 0A000 for a comparison whose conversion is not exact and for what depends on the server's clock.
    package static func convert(
        canonical bytes: [UInt8], from source: LogicalType, to target: LogicalType,
        purpose: ConversionPurpose = .assignment, settings: SessionSettings = SessionSettings()
    ) throws(CloisterError) -> [UInt8] {
        if source == target { return bytes }
        guard purpose == .comparison else { return try assign(bytes, source, target, settings) }
        return try compare(bytes, source, target, settings)
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
        guard let family = Family(source),
            family == Family(target) || (source, target) == (.interval, .time) || (source, target) == (.time, .interval)
        else {
            throw CloisterError(.undefinedOperator, "operator does not exist: \(target.name) with \(source.name)")
        }
        switch (source, target) {
        case (_, .int2), (_, .int4), (_, .int8): return try compare(bytes, source, integer: target, refuse)
        case (.float4, .numeric), (.float8, .numeric):
            // PostgreSQL rounds the column to double precision here.
            throw refuse()
        case (_, .float4):
            // Both sides become double precision.
            let wide: Double
            do throws(CloisterError) {
                wide = Conversion.double(source == .float8 ? bytes : try assign(bytes, source, .float8, settings))
            } catch {
                throw refuse()
            }
            guard wide.isNaN || Double(Float(wide)) == wide else { throw refuse() }
            return Bytes.bigEndian(Float(wide).bitPattern)
        case (.bpchar, .varchar):
            // PostgreSQL then ignores trailing blanks of the column.
            throw refuse()
        case (.text, .bpchar):
            // PostgreSQL strips the column and compares as text.
            guard bytes.last != 0x20 else { throw refuse() }
        case (.timetz, .time): throw refuse()
        default: break
        }
        let result: [UInt8]
        do throws(CloisterError) { result = try assign(bytes, source, target, settings) } catch { throw refuse() }
        switch (source, target) {
        case (.text, _), (.varchar, _), (.bpchar, _), (.int2, _), (.int4, _), (.int8, _), (.float4, _), (.numeric, _), (.date, _),
            (.timestamp, .timestamptz), (.time, _):
            // The constant's type is the one PostgreSQL converts, or the conversion never changes a value.
            return result
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

    /// Types that PostgreSQL compares with each other.
    private enum Family {
        case number, text, dateTime, timeOfDay

        init?(_ type: LogicalType) {
            switch type {
            case .int2, .int4, .int8, .float4, .float8, .numeric: self = .number
            case .text, .varchar, .bpchar: self = .text
            case .date, .timestamp, .timestamptz: self = .dateTime
            case .time, .timetz: self = .timeOfDay
            case .interval: self = .timeOfDay
            case .boolean, .bytea, .uuid, .inet, .json, .jsonb: return nil
            }
        }
    }

    /// First byte of a wide operand; no integer has its length.
    static let wideOperand: UInt8 = 0xff

    /// A number compared with an integer column: the integer if it is one of the type, else a wide operand.
    private static func compare(
        _ bytes: [UInt8], _ source: LogicalType, integer target: LogicalType, _ refuse: () -> CloisterError
    ) throws(CloisterError) -> [UInt8] {
        var number: Numeric
        switch source {
        case .float4, .float8:
            let value = Conversion.double(bytes)
            // PostgreSQL rounds a bigint column to double precision.
            guard target != .int8 || !value.isFinite || value.magnitude < 0x1p53 || value.magnitude > 0x1p64 else { throw refuse() }
            number = try Numeric(exactly: value)
        case .numeric: number = try Numeric(canonical: bytes)
        default: number = try Numeric(text: IntegerCodec.text(Conversion.integer(bytes)).span)
        }
        number.normalizeScale()
        if number.isFinite, number.dscale == 0, let whole = try? number.roundedInteger(target), let value = try? integer(whole, target) {
            return value
        }
        return [wideOperand] + number.canonical
    }
}
