/// Canonical bytes of values ⇄ PostgreSQL's text and binary forms, per logical type and session settings.
///
/// Text is UTF-8 on every side, in binary forms too: `TextEncoding` stands between it and a client's encoding.
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

    // MARK: Text to canonical

    /// Reads a value's text form. Throws PostgreSQL's SQLSTATE for text that is not of the type, 0A000 for spellings and
    /// settings that are not supported. `modifier`: atttypmod where the text is a literal of an interval type or a COPY
    /// field, which decides what a number without a unit means (`'5'::interval hour`); no other type looks at it.
    package static func canonical(
        fromText text: Span<UInt8>, type: LogicalType, modifier: Int32 = -1, settings: SessionSettings
    ) throws(CloisterError) -> [UInt8] {
        try TextCodec.verify(text)
        switch type {
        case .boolean: return [try BooleanCodec.parse(text) ? 1 : 0]
        case .int2: return Bytes.bigEndian(try IntegerCodec.parse(text, as: Int16.self, name: "smallint"))
        case .int4: return Bytes.bigEndian(try IntegerCodec.parse(text, as: Int32.self, name: "integer"))
        case .int8: return Bytes.bigEndian(try IntegerCodec.parse(text, as: Int64.self, name: "bigint"))
        case .float4: return Bytes.bigEndian(try FloatText.parse(text, as: Float.self, name: "real").bitPattern)
        case .float8: return Bytes.bigEndian(try FloatText.parse(text, as: Double.self, name: "double precision").bitPattern)
        case .numeric: return try Numeric(text: text).canonical
        case .text, .varchar, .bpchar: return Bytes.copy(text)
        case .bytea: return try ByteaCodec.parse(text)
        case .uuid: return try UUIDCodec.parse(text)
        case .date: return Bytes.bigEndian(try DateTimeCodec.date(text, settings))
        case .timestamp: return Bytes.bigEndian(try DateTimeCodec.timestamp(text, settings))
        case .timestamptz: return Bytes.bigEndian(try DateTimeCodec.timestampTZ(text, settings))
        case .time: return Bytes.bigEndian(try TimeCodec.time(text, settings))
        case .timetz: return try TimeCodec.timeTZ(text, settings)
        case .interval: return try IntervalDecoder.parse(text, settings.intervalStyle, IntervalModifier(modifier)).canonical
        case .inet: return try InetCodec.parse(text)
        case .json:
            let bytes = Bytes.copy(text)
            try JSONScanner.validate(bytes)
            return bytes
        case .jsonb: return try JSONBCodec.canonical(fromText: Bytes.copy(text))
        }
    }

    package static func canonical(
        fromText text: [UInt8], type: LogicalType, modifier: Int32 = -1, settings: SessionSettings
    ) throws(CloisterError) -> [UInt8] {
        if type.isText {
            try TextCodec.verify(text.span)
            return text
        }
        return try canonical(fromText: text.span, type: type, modifier: modifier, settings: settings)
    }

    // MARK: Binary to canonical

    /// Checks a value's binary form as PostgreSQL's receive function does, and returns what its send function would then
    /// give (a boolean becomes 0 or 1, a numeric loses digits its scale hides).
    package static func canonical(fromBinary bytes: [UInt8], type: LogicalType) throws(CloisterError) -> [UInt8] {
        switch type {
        case .boolean:
            try checkSize(bytes, 1)
            return [bytes[0] != 0 ? 1 : 0]
        case .int2: try checkSize(bytes, 2)
        case .int4, .float4: try checkSize(bytes, 4)
        case .int8, .float8: try checkSize(bytes, 8)
        case .uuid: try checkSize(bytes, 16)
        case .numeric: return try Numeric(binary: bytes).canonical
        case .text, .varchar, .bpchar: try TextCodec.verify(bytes.span)
        case .json:
            try TextCodec.verify(bytes.span)
            try JSONScanner.validate(bytes)
        case .jsonb: return try JSONBCodec.canonical(fromBinary: bytes)
        case .inet: return try InetCodec.check(binary: bytes)
        case .interval: return try Interval(binary: bytes).canonical
        case .time:
            guard bytes.count >= 8 else { throw shortBinary() }
            try TimeCodec.check(time: Bytes.integer(bytes))
            try checkSize(bytes, 8)
        case .timetz:
            guard bytes.count >= 8 else { throw shortBinary() }
            try TimeCodec.check(time: Bytes.integer(bytes))
            guard bytes.count >= 12 else { throw shortBinary() }
            try TimeCodec.check(zone: Bytes.integer(bytes, at: 8))
            try checkSize(bytes, 12)
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
        }
        return bytes
    }

    static func checkSize(_ bytes: [UInt8], _ size: Int) throws(CloisterError) {
        if bytes.count < size { throw shortBinary() }
        if bytes.count > size { throw longBinary() }
    }

    // MARK: Canonical to text and binary

    /// Writes a value as the server would under these settings.
    package static func text(
        fromCanonical bytes: [UInt8], type: LogicalType, settings: SessionSettings
    ) throws(CloisterError) -> [UInt8] {
        if type.isText || type == .json { return bytes }
        var output: [UInt8] = []
        try appendText(fromCanonical: bytes, type: type, settings: settings, to: &output)
        return output
    }

    /// As `text(fromCanonical:)`, at the end of a buffer.
    package static func appendText(
        fromCanonical bytes: [UInt8], type: LogicalType, settings: SessionSettings, to output: inout [UInt8]
    ) throws(CloisterError) {
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
        case .float4:
            try checkSize(bytes, 4)
            let value = Float(bitPattern: Bytes.integer(bytes))
            FloatText.appendText(value, extraFloatDigits: settings.extraFloatDigits, to: &output)
        case .float8:
            try checkSize(bytes, 8)
            let value = Double(bitPattern: Bytes.integer(bytes))
            FloatText.appendText(value, extraFloatDigits: settings.extraFloatDigits, to: &output)
        case .numeric: try Numeric(canonical: bytes).appendText(to: &output)
        case .text, .varchar, .bpchar, .json: output.append(contentsOf: bytes)
        case .jsonb:
            guard bytes.first == JSONBCodec.version else { throw shortBinary() }
            output.append(contentsOf: bytes[1...])
        case .inet: try InetCodec.appendText(bytes, to: &output)
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
        case .time:
            try checkSize(bytes, 8)
            TimeCodec.append(time: Bytes.integer(bytes), to: &output)
        case .timetz:
            try checkSize(bytes, 12)
            TimeCodec.append(time: Bytes.integer(bytes), zone: Bytes.integer(bytes, at: 8), to: &output)
        case .interval: try Interval(binary: bytes).appendText(settings.intervalStyle, to: &output)
        }
    }

    /// The binary form: the canonical bytes, checked.
    package static func binary(fromCanonical bytes: [UInt8], type: LogicalType) throws(CloisterError) -> [UInt8] {
        try canonical(fromBinary: bytes, type: type)
    }
}
