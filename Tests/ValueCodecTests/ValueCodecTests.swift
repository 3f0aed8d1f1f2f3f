import CellFormat
import Diagnostics
import Testing
import ValueCodec

// What the tables expect was asked of PostgreSQL 15; Tests/Integration/test_values.py asks it anew for thousands of values.

/// The session settings after some SETs.
func settings(_ pairs: (String, String)...) throws -> SessionSettings {
    var settings = SessionSettings()
    for (name, value) in pairs { #expect(try settings.apply(name, value)) }
    return settings
}

/// A value's canonical bytes from its text.
func read(_ text: String, _ type: LogicalType, _ settings: SessionSettings = SessionSettings()) throws(CloisterError) -> [UInt8] {
    try ValueCodec.canonical(fromText: Array(text.utf8), type: type, settings: settings)
}

func show(_ canonical: [UInt8], _ type: LogicalType, _ settings: SessionSettings = SessionSettings()) throws(CloisterError) -> String {
    String(decoding: try ValueCodec.text(fromCanonical: canonical, type: type, settings: settings), as: UTF8.self)
}

/// The text a value is shown as after it was read.
func roundTrip(_ text: String, _ type: LogicalType, _ settings: SessionSettings = SessionSettings()) throws(CloisterError) -> String {
    try show(read(text, type, settings), type, settings)
}

/// The SQLSTATE something is refused with; nil if it is not.
func refusal<T>(_ body: () throws(CloisterError) -> T) -> String? {
    do throws(CloisterError) {
        _ = try body()
        return nil
    } catch { return error.code.sqlState }
}

func hex(_ bytes: [UInt8]) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
}

func unhex(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = text.filter { $0 != " " }[...]
    while let byte = UInt8(rest.prefix(2), radix: 16) {
        bytes.append(byte)
        rest = rest.dropFirst(2)
    }
    return bytes
}

@Suite struct ValueCodecTests {
    @Test(arguments: [
        (LogicalType.boolean, " YES ", "t"), (.boolean, "of", "f"), (.int2, " -32768 ", "-32768"), (.int4, "+7", "7"),
        (.int8, "-9223372036854775808", "-9223372036854775808"), (.int4, "\t0\n", "0"), (.text, "héllo", "héllo"), (.varchar, "", ""),
        (.uuid, "{A0EEBC99-9C0B4EF8-BB6D6BB9-BD380A11}", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        (.uuid, "a0eebc999c0b4ef8bb6d6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        (.bytea, "\\x00 fF", "\\x00ff"), (.bytea, "a\\000\\\\", "\\x61005c"), (.bytea, "", "\\x"),
    ])
    func readsAndShows(type: LogicalType, text: String, shown: String) throws {
        #expect(try roundTrip(text, type) == shown)
    }

    @Test(arguments: [
        (LogicalType.boolean, "", "22P02"), (.boolean, "o", "22P02"), (.boolean, "truee", "22P02"), (.int2, "32768", "22003"),
        (.int2, "", "22P02"), (.int4, "2147483648", "22003"), (.int4, "99999999999x", "22003"), (.int4, "1 2", "22P02"),
        (.int4, "0x1", "22P02"),
        (.int8, "9223372036854775808", "22003"), (.int8, "- 1", "22P02"), (.uuid, " a0eebc999c0b4ef8bb6d6bb9bd380a11", "22P02"),
        (.uuid, "a0eebc999c0b4ef8bb6d6bb9bd380a11-", "22P02"), (.uuid, "a-0eebc999c0b4ef8bb6d6bb9bd380a11", "22P02"),
        (.bytea, "\\xabc", "22023"), (.bytea, "\\xzz", "22023"), (.bytea, "\\8", "22P02"), (.bytea, "\\", "22P02"),
        (.json, "{", "22P02"), (.interval, "1 dy", "22007"), (.interval, "2147483648 days", "22015"), (.jsonb, "\"\\u0000\"", "22P05"),
        (.inet, "1.2.3", "22P02"), (.time, "25:00", "22008"), (.float4, "1e39", "22003"), (.timetz, "12:00 now", "0A000"),
    ])
    func refuses(type: LogicalType, text: String, state: String) {
        #expect(refusal { () throws(CloisterError) in try read(text, type) } == state)
    }

    @Test func messagesHoldNoValue() {
        for (type, text) in [
            (LogicalType.int4, "secret"), (.date, "secret"), (.numeric, "se12"), (.timestamptz, "2001-01-01 12:00 Se/Cret"),
        ] {
            do throws(CloisterError) {
                _ = try read(text, type)
                Issue.record("accepted")
            } catch {
                #expect(
                    !error.description.lowercased().contains("secret") && !error.description.contains("se12")
                        && !error.description.contains("Cret"))
            }
        }
    }

    @Test(arguments: [
        "80", "c080", "c1bf", "e08080", "e09fbf", "eda080", "edbfbf", "f0808080", "f08fbfbf", "f4908080", "f5808080", "ff", "61c3", "e282",
        "f09f98", "610062", "00",
    ])
    func textIsUTF8WithoutZeroes(bytes: String) {
        #expect(
            refusal { () throws(CloisterError) in try ValueCodec.canonical(fromText: unhex(bytes), type: .text, settings: SessionSettings())
            } == "22021")
        #expect(refusal { () throws(CloisterError) in try ValueCodec.canonical(fromBinary: unhex(bytes), type: .varchar) } == "22021")
        #expect(
            refusal { () throws(CloisterError) in try ValueCodec.canonical(fromText: unhex(bytes), type: .int4, settings: SessionSettings())
            } == "22021")
    }

    @Test(arguments: ["", "7f", "c280", "dfbf", "e0a080", "ed9fbf", "ee8080", "efbfbf", "f0908080", "f48fbfbf"])
    func wellFormedTextPasses(bytes: String) throws {
        #expect(try ValueCodec.canonical(fromBinary: unhex(bytes), type: .text) == unhex(bytes))
    }

    @Test(arguments: [
        (LogicalType.boolean, "02", "01"), (.int2, "7fff", "7fff"), (.date, "7fffffff", "7fffffff"),
        (.float8, "7ff8000000000001", "7ff8000000000001"),
        (.numeric, "0002 0000 0000 0001 0001 0d80", "0002 0000 0000 0001 0001 0bb8"),  // 1.3456 at scale 1 is 1.3
        (.numeric, "0003 0001 4000 0000 0000 0001 0000", "0001 0000 4000 0000 0001"),  // zeros are stripped
        (.numeric, "0001 0005 4000 0003 0000", "0000 0000 0000 0003"),  // there is no -0
        (.numeric, "0001 0007 c000 0003 0001", "0000 0000 c000 0000"), (.numeric, "0000 0000 d000 0000", "0000 0000 d000 0020"),
    ])
    func receivesBinary(type: LogicalType, sent: String, canonical: String) throws {
        #expect(hex(try ValueCodec.canonical(fromBinary: unhex(sent), type: type)) == canonical.filter { $0 != " " })
    }

    @Test(arguments: [
        (LogicalType.int4, "000001", "08P01"), (.int4, "0000000001", "22P03"), (.boolean, "", "08P01"), (.uuid, "00", "08P01"),
        (.date, "7ffffffe", "22008"), (.timestamp, "7ffffffffffffffe", "22008"), (.numeric, "0001 0000 0000 0000 2710", "22P03"),
        (.numeric, "0001 0000 8000 0000 0001", "22P03"), (.numeric, "0001 0000 0000 4000 0001", "22P03"),
        (.numeric, "0002 0000 0000 0000 0001", "08P01"),
        (.jsonb, "01", "22P02"), (.jsonb, "0231", "XX000"), (.time, "000000141dd76001", "22008"), (.inet, "02210004", "22P03"),
    ])
    func refusesBinary(type: LogicalType, sent: String, state: String) {
        #expect(refusal { () throws(CloisterError) in try ValueCodec.canonical(fromBinary: unhex(sent), type: type) } == state)
    }

    @Test func encodingsOfTheSession() throws {
        #expect(try settings(("client_encoding", "LATIN1")).encoding?.name == "LATIN1")
        #expect(try settings(("client_encoding", "utf-8")).encoding?.isUTF8 == true)
        #expect(try settings(("client_encoding", "BIG5")).encoding == nil)
        // SQL_ASCII leaves the database's bytes as they are.
        #expect(try settings(("client_encoding", "SQL_ASCII")).encoding?.isUTF8 == true)
        #expect(try settings(("client_encoding", "SQL_ASCII"), ("server_encoding", "LATIN1")).encoding == nil)
    }

    @Test func byteaOutput() throws {
        let value = Array("a\\\u{1}\u{7f}".utf8) + [0xff]
        #expect(try show(value, .bytea, settings(("bytea_output", "escape"))) == "a\\\\\\001\\177\\377")
        #expect(try show(value, .bytea, settings(("bytea_output", "hex"))) == "\\x615c017fff")
    }

    @Test func settingsAreParsed() throws {
        var settings = SessionSettings()
        #expect(try !settings.apply("application_name", "x"))
        try settings.apply("DateStyle", "Postgres, DMY")
        #expect(settings.dateStyle == .postgres && settings.dateOrder == .dmy)
        try settings.apply("datestyle", "iso")
        #expect(settings.dateStyle == .iso && settings.dateOrder == .dmy)
        try settings.apply("DateStyle", "SQL, US")
        #expect(settings.dateStyle == .sql && settings.dateOrder == .mdy)
        try settings.apply("DateStyle", "German")
        #expect(settings.dateStyle == .german && settings.dateOrder == .dmy)
        try settings.apply("standard_conforming_strings", "off")
        #expect(!settings.standardConformingStrings)
        try settings.apply("TimeZone", "No/Where")
        #expect(!settings.timeZone.isKnown && settings.timeZone.name == "No/Where")
        for (name, value) in [("DateStyle", "ISO, XYZ"), ("extra_float_digits", "4"), ("bytea_output", "base64"), ("IntervalStyle", "iso")]
        {
            let before = settings
            #expect(throws: CloisterError(.invalidParameterValue, "")) { try settings.apply(name, value) }
            #expect(settings == before)
        }
    }
}
