import CellFormat
import Diagnostics
import Testing
import ValueCodec

/// Rewrites a whole stream cut into chunks; values become `<value>`.
func rewrite(
    _ text: String, _ format: CopyFormat, _ direction: CopyTransformer.Direction = .from, replacing: Set<Int> = [1], columns: Int = 3,
    chunk: Int = .max,
    maximumRow: Int = CopyTransformer.defaultMaximumRow
) throws(CloisterError) -> String {
    let names = ["a", "b", "c"].prefix(columns).enumerated().map {
        CopyTransformer.Column(name: $0.element, isReplaced: replacing.contains($0.offset))
    }
    var transformer = CopyTransformer(direction, format: format, columns: Array(names), maximumRow: maximumRow)
    var output: [UInt8] = []
    let bytes = Array(text.utf8)
    var start = 0
    func replace(_ column: Int, _ value: [UInt8]) throws(CloisterError) -> [UInt8] { [0x3c] + value + [0x3e] }
    while start < bytes.count {
        let end = chunk < bytes.count - start ? start + chunk : bytes.count
        try transformer.feed(Array(bytes[start..<end]), into: &output, replace: replace)
        start = end
    }
    try transformer.finish(into: &output, replace: replace)
    return String(decoding: output, as: UTF8.self)
}

@Suite struct CopyTests {
    @Test(arguments: [
        ("1\tx\t3\n", "1\t<x>\t3\n"), ("1\t\\N\t3\n", "1\t\\N\t3\n"),
        ("\\x41\\\\\ta\\tb\\\\\\101\\x4a\\q\t\\N\r\n", "\\x41\\\\\t<a\\tb\\\\AJq>\t\\N\r\n"),
        ("1\tx\t3", "1\t<x>\t3"), ("1\ta\\\nb\t3\n", "1\t<a\\nb>\t3\n"), ("1\tx\t3\n\\.\nplain\ttext\n", "1\t<x>\t3\n\\.\n"), ("", ""),
        ("\\.\n", "\\.\n"),
        ("1\tx\t3\r2\ty\t4\r", "1\t<x>\t3\r2\t<y>\t4\r"), ("é\tü\t\u{1F600}\n", "é\t<ü>\t\u{1F600}\n"),
    ])
    func text(stream: String, expected: String) throws {
        for chunk in [1, 2, 3, 5, .max] { #expect(try rewrite(stream, CopyFormat(.text), chunk: chunk) == expected) }
    }

    @Test(arguments: [
        ("1,x,3\n", "1,<x>,3\n"), ("1,,3\n", "1,,3\n"), ("1,\"\",3\n", "1,<>,3\n"),
        ("\"a\"\"b\",\"x\ny\",3\n", "\"a\"\"b\",\"<x\ny>\",3\n"),
        ("1,a\"b,c\"d,3\r\n", "1,\"<ab,cd>\",3\r\n"), ("1,\"a\"\"b\",3\n", "1,\"<a\"\"b>\",3\n"),
        ("1,\\.,3\n\\.\nplain", "1,<\\.>,3\n\\.\n"), ("\\.x,y,z\n", "\\.x,<y>,z\n"),
    ])
    func csv(stream: String, expected: String) throws {
        for chunk in [1, 2, 3, 5, .max] { #expect(try rewrite(stream, CopyFormat(.csv), chunk: chunk) == expected) }
    }

    @Test func csvOptions() throws {
        let odd = try CopyFormat(.csv, delimiter: 0x3b, null: Array("NULL".utf8), quote: 0x27, escape: 0x5c)
        #expect(try rewrite("1;'a\\'b\\\\;';3\n1;NULL;3\n1;'NULL';3\n", odd) == "1;'<a\\'b\\\\;>';3\n1;NULL;3\n1;<NULL>;3\n")
        let notNull = try CopyFormat(.csv, forceNotNull: [1])
        #expect(try rewrite("1,,3\n", notNull) == "1,<>,3\n")
        let alsoNull = try CopyFormat(.csv, forceNull: [1])
        #expect(try rewrite("1,\"\",3\n", alsoNull) == "1,\"\",3\n")
        let quoted = try CopyFormat(.csv, forceQuote: [1])
        #expect(try rewrite("1,x,3\n", quoted, .to) == "1,\"<x>\",3\n")
    }

    @Test func headersNeverCarryData() throws {
        let present = try CopyFormat(.csv, header: .present)
        // No header after all: the row is lost, as with PostgreSQL, but not shown to the server.
        #expect(try rewrite("1,secret,3\n4,x,6\n", present) == "a,b,c\n4,<x>,6\n")
        #expect(try rewrite("a,b,c\n4,x,6\n", present, .to) == "a,b,c\n4,<x>,6\n")
        let match = try CopyFormat(.text, header: .match)
        #expect(try rewrite("a\tb\tc\n4\tx\t6\n", match) == "a\tb\tc\n4\t<x>\t6\n")
        for wrong in ["a\tb\n", "a\tc\tb\n", "a\t\\N\tc\n", "a\tb\tc\td\n"] {
            #expect(refusal { () throws(CloisterError) in try rewrite(wrong, match) } == "22P04")
        }
    }

    @Test(arguments: [
        (CopyFormat.Kind.text, "1\tx\n"), (.text, "1\tx\t3\t4\n"), (.text, "1\tx\t3\n2\ty\t4\r\n"), (.text, "1\tx\t3\r\n2\ty\t4\n"),
        (.text, "1\tx\t3\r\n2\ty\t4\r3\tz\t5\r"),
        (.text, "1\tx\t3\n\\.x\n"), (.text, "1\tx\t3\r\n\\.\n"), (.text, "1\tx\t3\n\\."), (.csv, "1,\"x,3\n"), (.csv, "1,x,3\n2\r,y,4\n"),
        (.csv, "1,x,3\n\\.\r"), (.csv, "\n"),
    ])
    func refusesWhatPostgreSQLRefuses(kind: CopyFormat.Kind, stream: String) throws {
        let format = try CopyFormat(kind)
        for chunk in [1, 2, .max] {
            #expect(refusal { () throws(CloisterError) in try rewrite(stream, format, chunk: chunk) } == "22P04", "\(stream)")
        }
    }

    @Test func untouchedStreamsPassByteForByte() throws {
        let stream = "\"a\",b\"c\"\"d\",\"\"\r\n\"x\ny\",,z\r\n"
        #expect(try rewrite(stream, CopyFormat(.csv), replacing: [], chunk: 1) == stream)
        #expect(try rewrite("\\x4\\061\t \\N\tq\n", CopyFormat(.text), replacing: [2]) == "\\x4\\061\t \\N\t<q>\n")
    }

    @Test func oneColumn() throws {
        #expect(try rewrite("\nx\n", CopyFormat(.text), replacing: [0], columns: 1) == "<>\n<x>\n")
        #expect(try rewrite("\n\"\"\n", CopyFormat(.csv), replacing: [0], columns: 1) == "\n<>\n")
        var alone: [UInt8] = []
        try CopyFormat(.csv).append(Array("\\.".utf8), column: 0, isOnlyColumn: true, to: &alone)
        #expect(alone == Array("\"\\.\"".utf8))
    }

    @Test func rowsAreBounded() throws {
        let open = "1,\"" + String(repeating: "x", count: 500)
        for chunk in [7, .max] {
            #expect(
                refusal { () throws(CloisterError) in try rewrite(open, try CopyFormat(.csv), chunk: chunk, maximumRow: 100) } == "54000")
            #expect(
                refusal { () throws(CloisterError) in try rewrite(open + "\",3\n", try CopyFormat(.csv), chunk: chunk, maximumRow: 100) }
                    == "54000")
        }
    }

    @Test func errorsSayWhere() throws {
        do throws(CloisterError) {
            var transformer = CopyTransformer(.from, format: try CopyFormat(.text), columns: [.init(name: "age", isReplaced: true)])
            var output: [UInt8] = []
            try transformer.feed(Array("1\n2\nold\n".utf8), into: &output) { (_, value) throws(CloisterError) in
                try ValueCodec.canonical(fromText: value, type: .int4, settings: SessionSettings())
            }
            Issue.record("accepted")
        } catch {
            #expect(error.code == .invalidValueText && error.location == "COPY row 3, column \"age\"" && !error.description.contains("old"))
        }
    }

    @Test func aMarkerThatLooksLikeACellIsRefused() throws {
        let format = try CopyFormat(.text, null: Array("<x>".utf8))
        #expect(refusal { () throws(CloisterError) in try rewrite("1\tx\t3\n", format) } == "0A000")
    }

    @Test func optionsAreChecked() {
        let bad: [(String, () throws(CloisterError) -> CopyFormat)] = [
            ("22023", { () throws(CloisterError) in try CopyFormat(.text, delimiter: 0x61) }),
            ("22023", { () throws(CloisterError) in try CopyFormat(.csv, delimiter: 0x0a) }),
            ("22023", { () throws(CloisterError) in try CopyFormat(.csv, delimiter: 0x22) }),
            ("22023", { () throws(CloisterError) in try CopyFormat(.text, null: [0x0d]) }),
            ("0A000", { () throws(CloisterError) in try CopyFormat(.text, quote: 0x27) }),
            ("0A000", { () throws(CloisterError) in try CopyFormat(.csv, null: [0x2c]) }),
            ("0A000", { () throws(CloisterError) in try CopyFormat(.text, forceNull: [0]) }),
        ]
        for (state, make) in bad { #expect(refusal(make) == state) }
    }
}
