/// Canonical bytes of values ⇄ PostgreSQL's text and binary forms, per logical type and session settings.
///
/// The canonical form is PostgreSQL's binary (send) form. Text input accepts what PostgreSQL 15 accepts and gives the bytes
/// it would give, or throws with its SQLSTATE; what is not supported is refused with 0A000, never guessed. Knows no keys,
/// cells or sockets.
package import CellFormat
package import Diagnostics

/// A format code of the extended protocol.
package enum WireFormat: Int16, Sendable {
    case text = 0
    case binary = 1
}

package enum ValueCodec {
    static func shortBinary() -> CloisterError {
        CloisterError(.shortBinaryValue, "insufficient data left in message")
    }
    static func longBinary() -> CloisterError { ValueError.binary("incorrect binary data format") }
    static func unsupportedType(_ type: LogicalType) -> CloisterError {
        ValueError.unsupported("type \(type.name) is not supported for encrypted columns")
    }
    static func requireUTF8(_ settings: SessionSettings) throws(CloisterError) {
        guard settings.isUTF8 else {
            throw ValueError.unsupported(
                "client_encoding must be UTF8 to use encrypted columns", hint: "SET client_encoding TO 'UTF8'.")
        }
    }

    // MARK: Text to canonical

    /// Reads a value's text form. Throws PostgreSQL's SQLSTATE for text that is not of the type, 0A000 for spellings and
    /// settings that are not supported.
    package static func canonical(
        fromText text: Span<UInt8>, type: LogicalType, settings: SessionSettings
    ) throws(CloisterError) -> [UInt8] {
        try requireUTF8(settings)
        try TextCodec.verify(text)
        switch type {
        case .boolean: return [try BooleanCodec.parse(text) ? 1 : 0]
        case .int2: return Bytes.bigEndian(try IntegerCodec.parse(text, as: Int16.self, name: "smallint"))
        case .int4: return Bytes.bigEndian(try IntegerCodec.parse(text, as: Int32.self, name: "integer"))
        case .int8: return Bytes.bigEndian(try IntegerCodec.parse(text, as: Int64.self, name: "bigint"))
        case .float8: return Bytes.bigEndian(try Float8.parse(text).bitPattern)
        case .numeric: return try Numeric(text: text).canonical
        case .text, .varchar: return Bytes.copy(text)
        case .bytea: return try ByteaCodec.parse(text)
        case .uuid: return try UUIDCodec.parse(text)
        case .date: return Bytes.bigEndian(try DateTimeCodec.date(text, settings))
        case .timestamp: return Bytes.bigEndian(try DateTimeCodec.timestamp(text, settings))
        case .timestamptz: return Bytes.bigEndian(try DateTimeCodec.timestampTZ(text, settings))
        case .float4, .bpchar, .time, .timetz, .interval, .inet, .json, .jsonb: throw unsupportedType(type)
        }
    }

    package static func canonical(
        fromText text: [UInt8], type: LogicalType, settings: SessionSettings
    ) throws(CloisterError) -> [UInt8] {
        if type == .text || type == .varchar {
            try requireUTF8(settings)
            try TextCodec.verify(text.span)
            return text
        }
        return try canonical(fromText: text.span, type: type, settings: settings)
    }

    // MARK: Binary to canonical

    /// Checks a value's binary form as PostgreSQL's receive function does, and returns what its send function would then
    /// give (a boolean becomes 0 or 1, a numeric loses digits its scale hides). Text in a binary form is in
    /// client_encoding too: the caller must have refused any but UTF8 (`SessionSettings.isUTF8`).
    package static func canonical(fromBinary bytes: [UInt8], type: LogicalType) throws(CloisterError) -> [UInt8] {
        switch type {
        case .boolean:
            try checkSize(bytes, 1)
            return [bytes[0] != 0 ? 1 : 0]
        case .int2: try checkSize(bytes, 2)
        case .int4: try checkSize(bytes, 4)
        case .int8, .float8: try checkSize(bytes, 8)
        case .uuid: try checkSize(bytes, 16)
        case .numeric: return try Numeric(binary: bytes).canonical
        case .text, .varchar: try TextCodec.verify(bytes.span)
        case .bytea: break
        case .date:
            guard bytes.count >= 4 else { throw shortBinary() }
            let days: Int32 = Bytes.integer(bytes)
            guard days == Calendar.dateInfinity || days == Calendar.dateMinusInfinity || Calendar.dates.contains(Int(days)) else {
                throw CloisterError(.dateTimeOutOfRange, "date out of range")
            }
            try checkSize(bytes, 4)
        case .timestamp, .timestamptz:
            guard bytes.count >= 8 else { throw shortBinary() }
            let value: Int64 = Bytes.integer(bytes)
            guard value == .max || value == .min || Calendar.timestamps.contains(value) else {
                throw DateTimeCodec.timestampOutOfRange()
            }
            try checkSize(bytes, 8)
        case .float4, .bpchar, .time, .timetz, .interval, .inet, .json, .jsonb: throw unsupportedType(type)
        }
        return bytes
    }

    private static func checkSize(_ bytes: [UInt8], _ size: Int) throws(CloisterError) {
        if bytes.count < size { throw shortBinary() }
        if bytes.count > size { throw longBinary() }
    }

    // MARK: Canonical to text and binary

    /// Writes a value as the server would under these settings.
    package static func text(
        fromCanonical bytes: [UInt8], type: LogicalType, settings: SessionSettings
    ) throws(CloisterError) -> [UInt8] {
        try requireUTF8(settings)
        if type == .text || type == .varchar { return bytes }
        var output: [UInt8] = []
        try appendText(fromCanonical: bytes, type: type, settings: settings, to: &output)
        return output
    }

    /// As `text(fromCanonical:)`, at the end of a buffer.
    package static func appendText(
        fromCanonical bytes: [UInt8], type: LogicalType, settings: SessionSettings, to output: inout [UInt8]
    ) throws(CloisterError) {
        try requireUTF8(settings)
        switch type {
        case .boolean:
            try checkSize(bytes, 1)
            output.append(bytes[0] != 0 ? ascii("t") : ascii("f"))
        case .int2:
            try checkSize(bytes, 2)
            IntegerCodec.append(Bytes.integer(bytes, as: Int16.self), to: &output)
        case .int4:
            try checkSize(bytes, 4)
            IntegerCodec.append(Bytes.integer(bytes, as: Int32.self), to: &output)
        case .int8:
            try checkSize(bytes, 8)
            IntegerCodec.append(Bytes.integer(bytes, as: Int64.self), to: &output)
        case .float8:
            try checkSize(bytes, 8)
            let value = Double(bitPattern: Bytes.integer(bytes))
            Float8.appendText(value, extraFloatDigits: settings.extraFloatDigits, to: &output)
        case .numeric: try Numeric(canonical: bytes).appendText(to: &output)
        case .text, .varchar: output.append(contentsOf: bytes)
        case .bytea: output.append(contentsOf: ByteaCodec.text(bytes, as: settings.byteaOutput))
        case .uuid:
            try checkSize(bytes, 16)
            output.append(contentsOf: UUIDCodec.text(bytes))
        case .date:
            try checkSize(bytes, 4)
            DateTimeCodec.append(date: Bytes.integer(bytes), settings, to: &output)
        case .timestamp:
            try checkSize(bytes, 8)
            DateTimeCodec.append(timestamp: Bytes.integer(bytes), settings, to: &output)
        case .timestamptz:
            try checkSize(bytes, 8)
            try DateTimeCodec.append(timestampTZ: Bytes.integer(bytes), settings, to: &output)
        case .float4, .bpchar, .time, .timetz, .interval, .inet, .json, .jsonb: throw unsupportedType(type)
        }
    }

    /// The binary form: the canonical bytes, checked.
    package static func binary(fromCanonical bytes: [UInt8], type: LogicalType) throws(CloisterError) -> [UInt8] {
        try canonical(fromBinary: bytes, type: type)
    }

    // MARK: Equality

    /// The one form of all values that are equal: numeric with the least scale that shows it, 0.0 for -0.0, one NaN.
    /// What a deterministic cell holds, and what hashes are taken of. Bytes that are not of the type are returned as they
    /// are (callers pass what this module made).
    package static func normalizedForEquality(_ canonical: [UInt8], type: LogicalType) -> [UInt8] {
        switch type {
        case .numeric:
            guard var value = try? Numeric(canonical: canonical) else { return canonical }
            value.normalizeScale()
            return value.canonical
        case .float8:
            guard canonical.count == 8 else { return canonical }
            let value = Double(bitPattern: Bytes.integer(canonical))
            if value == 0 { return [0, 0, 0, 0, 0, 0, 0, 0] }
            if value.isNaN { return [0x7f, 0xf8, 0, 0, 0, 0, 0, 0] }
            return canonical
        default: return canonical
        }
    }
}
