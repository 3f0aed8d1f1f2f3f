import CellFormat
import Testing
import ValueCodec

/// A value's canonical bytes from its text, and the text they are shown as.
func roundTrip(_ text: String, _ type: LogicalType, _ settings: SessionSettings = SessionSettings()) throws -> String {
    let canonical = try ValueCodec.canonical(fromText: Array(text.utf8), type: type, settings: settings)
    return String(decoding: try ValueCodec.text(fromCanonical: canonical, type: type, settings: settings), as: UTF8.self)
}

@Suite struct ValueCodecTests {
    @Test(arguments: [
        (LogicalType.boolean, " YES ", "t"), (.boolean, "of", "f"), (.int2, " -32768 ", "-32768"), (.int4, "+7", "7"),
        (.int8, "-9223372036854775808", "-9223372036854775808"), (.float8, "1e15", "1e+15"), (.float8, "-0", "-0"),
        (.float8, "123456789012345", "123456789012345"), (.float8, "1e23", "9.999999999999999e+22"), (.float8, "5e-324", "5e-324"),
        (.numeric, "1.500", "1.500"), (.numeric, "-.000012", "-0.000012"), (.numeric, "12e3", "12000"), (.numeric, "nan", "NaN"),
        (.numeric, "1234567890123456789.0001", "1234567890123456789.0001"), (.text, "héllo", "héllo"),
        (.date, "2001-02-16", "2001-02-16"), (.date, "January 8, 99 BC", "0099-01-08 BC"), (.date, "infinity", "infinity"),
        (.timestamp, "2001-02-16T20:38:40.1234567", "2001-02-16 20:38:40.123457"),
        (.timestamptz, "2001-02-16 20:38:40+01", "2001-02-16 19:38:40+00"),
        (.timestamptz, "2001-07-16 20:38:40 America/New_York", "2001-07-17 00:38:40+00"),
        (.uuid, "{A0EEBC99-9C0B4EF8-BB6D6BB9-BD380A11}", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), (.bytea, "\\x00 fF", "\\x00ff"),
        (.bytea, "a\\000\\\\", "\\x61005c"),
    ])
    func readsAndShows(type: LogicalType, text: String, shown: String) throws {
        #expect(try roundTrip(text, type) == shown)
    }
}
