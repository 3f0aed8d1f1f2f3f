package import CellFormat

/// The form that values which PostgreSQL calls equal share.
extension ValueCodec {
    /// The one form of all values that are equal: numeric with the least scale that shows it, 0.0 for -0.0, one NaN, char(n)
    /// without trailing blanks, an interval with as many months and days as its span holds ('30 days' is '1 mon', '24:00:00'
    /// is '1 day'), jsonb with its numbers so. What a deterministic cell holds, and what hashes are taken of. Bytes that are
    /// not of the type are returned as they are (callers pass what this module made).
    package static func normalizedForEquality(_ canonical: [UInt8], type: LogicalType) -> [UInt8] {
        switch type {
        case .numeric:
            guard var value = try? Numeric(canonical: canonical) else { return canonical }
            value.normalizeScale()
            return value.canonical
        case .float4:
            guard canonical.count == 4 else { return canonical }
            let value = Float(bitPattern: Bytes.integer(canonical))
            if value == 0 { return [0, 0, 0, 0] }
            if value.isNaN { return [0x7f, 0xc0, 0, 0] }
            return canonical
        case .float8:
            guard canonical.count == 8 else { return canonical }
            let value = Double(bitPattern: Bytes.integer(canonical))
            if value == 0 { return [0, 0, 0, 0, 0, 0, 0, 0] }
            if value.isNaN { return [0x7f, 0xf8, 0, 0, 0, 0, 0, 0] }
            return canonical
        case .bpchar: return TextCodec.withoutTrailingBlanks(canonical)
        case .interval:
            guard let value = try? Interval(binary: canonical) else { return canonical }
            return value.normalized.canonical
        case .jsonb:
            guard canonical.first == JSONBCodec.version else { return canonical }
            return (try? JSONBCodec.canonical(fromText: Array(canonical[1...]), isNormalized: true)) ?? canonical
        case .boolean, .int2, .int4, .int8, .text, .varchar, .bytea, .date, .time, .timetz, .timestamp, .timestamptz, .uuid, .inet,
            .json:
            // timetz: PostgreSQL tells 12:00+01 from 11:00+00.
            return canonical
        }
    }
}
