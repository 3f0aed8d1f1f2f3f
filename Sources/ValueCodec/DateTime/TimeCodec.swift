import Diagnostics

/// time and timetz. Binary: microseconds since midnight (eight bytes), for timetz then seconds west of UTC (four bytes).
enum TimeCodec {
    /// From the first of 2025 on: what a zone's offset is "now".
    private static let present = 20_089 * Calendar.secondsPerDay

    // MARK: Input

    static func time(_ text: Span<UInt8>, _ settings: SessionSettings) throws(CloisterError) -> Int64 {
        // The zone of the text, or the session's, is read and then ignored.
        try decode(text, "time", settings) { _ in 0 }.time
    }

    static func timeTZ(_ text: Span<UInt8>, _ settings: SessionSettings) throws(CloisterError) -> [UInt8] {
        let value = try decode(text, "time with time zone", settings) { local throws(CloisterError) in
            let rules = try settings.timeZone.known()
            if let local { return rules.offset(local: local) }
            return try presentOffset(of: rules)
        }
        guard abs(value.zone) < 16 * 3600 else {
            // "+15:59 dst": PostgreSQL stores it, and refuses its own binary form.
            throw ValueError.unsupported("an offset of 16 hours or more is not supported", hint: "Write the time at another offset.")
        }
        return Bytes.bigEndian(value.time) + Bytes.bigEndian(value.zone)
    }

    /// Where the session's offset depends on the day, a time without an offset means what the server's clock says.
    static func presentOffset(of rules: ZoneRules) throws(CloisterError) -> Int {
        guard let offset = rules.lastingOffset(from: present) else {
            throw ValueError.unsupported(
                "a time without an offset is not supported for time with time zone in a session zone with summer time: it depends on the server's clock",
                hint: "Write the offset, as in 12:00+02.")
        }
        return offset
    }

    private static func decode(
        _ text: Span<UInt8>, _ name: StaticString, _ settings: SessionSettings,
        sessionOffset: (DateTimeFields?) throws(CloisterError) -> Int
    ) throws(CloisterError) -> TimeOnly {
        var decoder = DateTimeDecoder(typeName: name, order: settings.dateOrder)
        guard let fields = DateTimeField.split(text, capacity: 128) else { throw decoder.badFormat() }
        return try decoder.decodeTime(fields, sessionOffset: sessionOffset)
    }

    // MARK: Binary

    static func check(time: Int64) throws(CloisterError) {
        guard (0...Calendar.microsecondsPerDay).contains(time) else {
            throw CloisterError(.dateTimeOutOfRange, "time out of range")
        }
    }

    static func check(zone: Int32) throws(CloisterError) {
        guard zone > -16 * 3600, zone < 16 * 3600 else {
            throw CloisterError(.timeZoneDisplacement, "time zone displacement out of range")
        }
    }

    // MARK: Output

    static func append(time: Int64, to output: inout [UInt8]) {
        let seconds = Int(time / 1_000_000)
        output.append(decimal: seconds / 3600, width: 2)
        output.append(ascii(":"))
        output.append(decimal: seconds / 60 % 60, width: 2)
        output.append(ascii(":"))
        output.append(decimal: seconds % 60, width: 2)
        append(fraction: Int(time % 1_000_000), to: &output)
    }

    static func append(time: Int64, zone: Int32, to output: inout [UInt8]) {
        append(time: time, to: &output)
        DateTimeCodec.append(offset: -Int(zone), to: &output)
    }

    /// The decimals of a second, without trailing zeros; the sign is dropped.
    static func append(fraction microseconds: Int, to output: inout [UInt8]) {
        var rest = abs(microseconds)
        guard rest > 0 else { return }
        output.append(ascii("."))
        var unit = 100_000
        while rest > 0 {
            output.append(UInt8(truncatingIfNeeded: 0x30 + rest / unit))
            rest %= unit
            unit /= 10
        }
    }
}
