import CellFormat
import Diagnostics
import Testing
import ValueCodec

@Suite struct NumericTests {
    @Test(arguments: [
        ("0", "0000 0000 0000 0000", "0"), ("-0", "0000 0000 0000 0000", "0"), ("0.00", "0000 0000 0000 0002", "0.00"),
        ("1", "0001 0000 0000 0000 0001", "1"), ("1.500", "0002 0000 0000 0003 0001 1388", "1.500"),
        ("10000", "0001 0001 0000 0000 0001", "10000"), ("-.000012", "0001 fffe 4000 0006 04b0", "-0.000012"),
        ("12e3", "0002 0001 0000 0000 0001 07d0", "12000"), ("1.5e-3", "0001 ffff 0000 0004 000f", "0.0015"),
        ("1.23e1", "0002 0000 0000 0001 000c 0bb8", "12.3"), ("00012.", "0001 0000 0000 0000 000c", "12"),
        ("1e 2", "0001 0000 0000 0000 0064", "100"), (" nan ", "0000 0000 c000 0000", "NaN"), ("INF", "0000 0000 d000 0020", "Infinity"),
        ("-infinity", "0000 0000 f000 0020", "-Infinity"), ("99990000.0001", "0003 0001 0000 0004 270f 0000 0001", "99990000.0001"),
        ("0e131072", "0000 0000 0000 0000", "0"),
        ("1e-16383", "0001 f000 0000 3fff 000a", "0." + String(repeating: "0", count: 16382) + "1"),
    ])
    func readsAndShows(text: String, canonical: String, shown: String) throws {
        #expect(hex(try read(text, .numeric)) == canonical.filter { $0 != " " })
        #expect(try roundTrip(text, .numeric) == shown)
    }

    @Test(arguments: [
        ("", "22P02"), (".", "22P02"), ("1..2", "22P02"), ("1e", "22P02"), ("+nan", "22P02"), ("1_0", "22P02"), ("infinit", "22P02"),
        ("- 1", "22P02"),
        ("1e131072", "22003"), ("1e-16384", "22003"), ("0e-16384", "22003"), ("1e99999999999999999999", "22003"),
        ("1e2147483647 x", "22003"),
    ])
    func refuses(text: String, state: String) {
        #expect(refusal { () throws(CloisterError) in try read(text, .numeric) } == state)
    }

    @Test(arguments: [
        ("1.0", "1"), ("1.10", "1.1"), ("100", "100"), ("100.0100", "100.01"), ("0.000", "0"), ("0.00010", "0.0001"),
        ("12345678.90000", "12345678.9"), ("nan", "NaN"),
    ])
    func equalValuesHaveOneForm(text: String, form: String) throws {
        let normal = ValueCodec.normalizedForEquality(try read(text, .numeric), type: .numeric)
        #expect(try show(normal, .numeric) == form)
        #expect(normal == (try read(form, .numeric)))
    }
}

@Suite struct Float8Tests {
    @Test(arguments: [
        ("0", "0"), ("-0", "-0"), ("1", "1"), ("0.1", "0.1"), ("1e14", "100000000000000"), ("123456789012345", "123456789012345"),
        ("1e15", "1e+15"),
        ("1234567890123456", "1.234567890123456e+15"), ("0.0001", "0.0001"), ("0.00001", "1e-05"), ("1e100", "1e+100"),
        ("5e-324", "5e-324"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"), ("nan", "NaN"), ("-nan", "NaN"), ("inf", "Infinity"),
        ("-INFINITY", "-Infinity"),
        (".5", "0.5"), ("5.", "5"), ("0x1.8p1", "3"), ("0x10", "16"), ("1125899906842624.25", "1.1258999068426242e+15"),
        // On the border to the neighbour, where PostgreSQL's Ryu and the standard library differ.
        ("1e23", "9.999999999999999e+22"), ("9007199254740993", "9.007199254740992e+15"),
        ("4.4501477170144023e-308", "4.4501477170144023e-308"),
        ("2.2250738585072014e-308", "2.2250738585072014e-308"), ("1.1e-320", "1.1e-320"),
    ])
    func shortestForm(text: String, shown: String) throws {
        #expect(try roundTrip(text, .float8) == shown)
    }

    @Test(arguments: [
        ("0", "0.1", "0.1"), ("0", "0.3333333333333333333", "0.333333333333333"), ("0", "1e15", "1e+15"),
        ("-10", "123456.789", "1.2346e+05"), ("-15", "0.95", "0.9"),
        ("-14", "2.5", "2"), ("-14", "3.5", "4"), ("0", "5e-324", "4.94065645841247e-324"), ("0", "1e23", "1e+23"),
        ("-12", "999.96", "1e+03"), ("3", "0.1", "0.1"),
    ])
    func fewerDigits(extra: String, text: String, shown: String) throws {
        #expect(try roundTrip(text, .float8, settings(("extra_float_digits", extra))) == shown)
    }

    @Test(arguments: [
        ("", "22P02"), (".", "22P02"), ("1e", "22P02"), ("1 2", "22P02"), ("0x", "22P02"), ("infinit", "22P02"), ("1e400", "22003"),
        ("-1e400x", "22003"), ("1e-400", "22003"),
        ("2e-324", "22003"), ("0x1p99999", "22003"), ("nan(1)", "0A000"),
    ])
    func refuses(text: String, state: String) {
        #expect(refusal { () throws(CloisterError) in try read(text, .float8) } == state)
    }

    @Test func equalValuesHaveOneForm() throws {
        #expect(ValueCodec.normalizedForEquality(try read("-0", .float8), type: .float8) == (try read("0", .float8)))
        #expect(ValueCodec.normalizedForEquality(try read("-nan", .float8), type: .float8) == (try read("nan", .float8)))
    }
}
