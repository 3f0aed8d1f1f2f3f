import CellFormat
import Diagnostics
import Testing
import ValueCodec

@Suite struct ConversionTests {
    func convert(_ text: String, _ source: LogicalType, _ target: LogicalType, _ purpose: ConversionPurpose, _ settings: SessionSettings)
        throws(CloisterError) -> String
    {
        let value = try ValueCodec.convert(
            canonical: read(text, source, settings), from: source, to: target, purpose: purpose, settings: settings)
        return try show(value, target, settings)
    }

    @Test(arguments: [
        (LogicalType.int8, "2147483647", LogicalType.int4, "2147483647"), (.int2, "-5", .numeric, "-5"), (.numeric, "1.5", .int4, "2"),
        (.numeric, "-2.5", .int4, "-3"),
        (.numeric, "0.49999", .int2, "0"), (.float8, "2.5", .int4, "2"), (.float8, "3.5", .int8, "4"), (.float8, "0.1", .numeric, "0.1"),
        (.float8, "123456789.123456789", .numeric, "123456789.123457"), (.numeric, "0.1", .float8, "0.1"),
        (.int8, "9007199254740993", .float8, "9.007199254740992e+15"),
        (.date, "2021-03-14", .timestamp, "2021-03-14 00:00:00"), (.date, "2021-07-14", .timestamptz, "2021-07-14 00:00:00-04"),
        (.timestamp, "1999-12-31 23:59:59", .date, "1999-12-31"),
        (.timestamptz, "2021-07-14 02:00+00", .date, "2021-07-13"),
        (.timestamptz, "2021-07-14 02:00+00", .timestamp, "2021-07-13 22:00:00"), (.date, "infinity", .timestamptz, "infinity"),
        (.boolean, "t", .text, "true"), (.numeric, "1.50", .text, "1.50"), (.text, "x", .varchar, "x"),
        (.timestamptz, "2021-07-14 00:00", .text, "2021-07-14 00:00:00-04"),
    ])
    func assigns(source: LogicalType, text: String, target: LogicalType, shown: String) throws {
        let newYork = try settings(("TimeZone", "America/New_York"))
        #expect(try convert(text, source, target, .assignment, newYork) == shown)
    }

    @Test(arguments: [
        (LogicalType.int8, "2147483648", LogicalType.int4, "22003"), (.numeric, "32767.5", .int2, "22003"),
        (.numeric, "nan", .int4, "0A000"), (.float8, "nan", .int4, "22003"),
        (.float8, "9.3e18", .int8, "22003"), (.numeric, "1e400", .float8, "22003"), (.date, "294277-01-01", .timestamp, "22008"),
        (.text, "1", .int4, "42804"),
        (.boolean, "t", .int4, "42804"), (.int4, "1", .boolean, "42804"), (.uuid, "a0eebc999c0b4ef8bb6d6bb9bd380a11", .bytea, "42804"),
    ])
    func refusesToAssign(source: LogicalType, text: String, target: LogicalType, state: String) {
        #expect(refusal { () throws(CloisterError) in try convert(text, source, target, .assignment, SessionSettings()) } == state)
    }

    @Test(arguments: [
        (LogicalType.numeric, "2.0", LogicalType.int4, "2" as String?), (.int8, "5", .int4, "5"), (.float8, "0.1", .numeric, nil),
        (.float8, "0.1", .float4, nil), (.float8, "0.5", .float4, "0.5"), (.numeric, "0.1", .float4, nil), (.text, "a ", .bpchar, nil),
        (.bpchar, "a ", .text, "a"), (.bpchar, "a", .varchar, nil), (.interval, "12:00", .time, "12:00:00"),
        (.interval, "1 day", .time, nil),
        (.float8, "2", .int4, "2"), (.float8, "9007199254740992", .int8, nil),
        (.numeric, "0.12345678901234567", .float8, "0.12345678901234566"),
        (.timestamp, "2021-01-01 00:00", .date, "2021-01-01"), (.timestamp, "2021-01-01 12:00", .date, nil),
        (.date, "2021-01-01", .timestamptz, "2021-01-01 00:00:00-05"),
        (.timestamptz, "2021-06-01 12:00", .timestamp, "2021-06-01 12:00:00"), (.timestamptz, "2021-03-14 04:00", .timestamp, nil),
    ])
    func comparesOnlyWithoutChange(source: LogicalType, text: String, target: LogicalType, shown: String?) throws {
        let newYork = try settings(("TimeZone", "America/New_York"))
        if let shown {
            #expect(try convert(text, source, target, .comparison, newYork) == shown)
        } else {
            #expect(refusal { () throws(CloisterError) in try convert(text, source, target, .comparison, newYork) } == "0A000")
        }
    }

    @Test func textIsNotComparedWithNumbers() {
        #expect(refusal { () throws(CloisterError) in try convert("1", .int4, .text, .comparison, SessionSettings()) } == "42883")
    }

    /// What an integer type can't hold becomes the byte 0xFF and a canonical numeric.
    @Test(arguments: [
        (LogicalType.numeric, "1.5", LogicalType.int8), (.int8, "3000000000", .int4), (.int4, "70000", .int2), (.float8, "-0.25", .int4),
        (.float4, "1e30", .int8), (.numeric, "NaN", .int2), (.float8, "-Infinity", .int8), (.numeric, "9223372036854775808", .int8),
    ])
    func constantsBeyondAnIntegerAreWideOperands(source: LogicalType, text: String, target: LogicalType) throws {
        let wide = try ValueCodec.convert(canonical: read(text, source), from: source, to: target, purpose: .comparison)
        #expect(wide.first == 0xff)
        let exact = source == .float4 ? "1000000015047466219876688855040" : text
        #expect(Array(wide.dropFirst()) == (try read(exact, .numeric)))
    }
}
