import Testing

@testable import SQLBinding

@Suite struct LexerTests {
    private func words(_ sql: String, scs: Bool = true) throws -> [String] {
        let text = Array(sql.utf8)
        return try Lexer.tokens(of: text, standardConformingStrings: scs).map {
            "\($0.kind) \(String(decoding: text[$0.range], as: UTF8.self))"
        }
    }

    @Test func constants() throws {
        #expect(
            try words("'a''b' E'c\\'d' $$e$$ $t$f$$$t$ B'01' x'1F' U&'g' N'h'") == [
                "string 'a''b'", "escapeString E'c\\'d'", "dollarString $$e$$", "dollarString $t$f$$$t$", "bitString B'01'",
                "bitString x'1F'", "unicodeString U&'g'", "word N", "string 'h'",
            ])
        #expect(
            try words("U&'d!0061' UESCAPE '!' u&\"x\" /* c */ uescape '+' uescape") == [
                "unicodeString U&'d!0061' UESCAPE '!'", "quotedIdentifier u&\"x\" /* c */ uescape '+'", "word uescape",
            ])
        #expect(
            try words("1 1.5 .5 1. 1e5 1.5E-3 1..2 $1 $23") == [
                "integer 1", "decimal 1.5", "decimal .5", "decimal 1.", "decimal 1e5", "decimal 1.5E-3", "integer 1", "symbol ..",
                "integer 2", "parameter $1", "parameter $23",
            ])
        #expect(try words("'a'\n'b' 'c' 'd' 'e' -- x\n 'f'") == ["string 'a'\n'b'", "string 'c'", "string 'd'", "string 'e' -- x\n 'f'"])
        #expect(try words(#"'a\' || 'b'"#) == [#"string 'a\'"#, "symbol ||", "string 'b'"])
    }

    @Test func operatorsAndComments() throws {
        #expect(
            try words("a<-1 b=-1 c@-d e*-f g- -h i--j\nk /* /* n */ */ l+/*m*/n o<>-p") == [
                "word a", "symbol <", "symbol -", "integer 1", "word b", "symbol =", "symbol -", "integer 1", "word c", "symbol @-",
                "word d", "word e", "symbol *", "symbol -", "word f", "word g",
                "symbol -", "symbol -", "word h", "word i", "word k", "word l", "symbol +", "word n", "word o", "symbol <>", "symbol -",
                "word p",
            ])
        #expect(
            try words("a::b c:=d e=>f g.h[1:2];") == [
                "word a", "symbol ::", "word b", "word c", "symbol :=", "word d", "word e", "symbol =>", "word f", "word g", "symbol .",
                "word h", "symbol [", "integer 1", "symbol :", "integer 2", "symbol ]", "symbol ;",
            ])
        #expect(
            try words("a$b _c $a éü \"x\"\"y\"") == ["word a$b", "word _c", "symbol $", "word a", "word éü", "quotedIdentifier \"x\"\"y\""])
    }

    @Test(arguments: ["'a", "\"a", "$$a", "/* a", "E'a\\'", "$t$a$$", "/* /* */"]) func unterminated(_ sql: String) {
        #expect(throws: Lexer.Failure.self) { try Lexer.tokens(of: Array(sql.utf8), standardConformingStrings: true) }
    }

    // MARK: Against PostgreSQL's own scanner

    /// (start, end) of the tokens of `pg_query_scan`, comments left out: message ScanResult { int32 version = 1; repeated
    /// ScanToken tokens = 2 }, ScanToken { int32 start = 1; int32 end = 2; Token token = 4; KeywordKind keyword_kind = 5 }.
    private func theirs(_ sql: [UInt8]) -> [Range<Int>]? {
        guard let bytes = PGQuery.scan(sql) else { return nil }
        var at = 0
        func varint() -> Int {
            var value = 0
            var shift = 0
            while true {
                let byte = bytes[at]
                at += 1
                value |= Int(byte & 0x7f) << shift
                if byte < 0x80 { return value }
                shift += 7
            }
        }
        var ranges: [Range<Int>] = []
        while at < bytes.count {
            let field = varint()
            guard field == 2 << 3 | 2 else {
                _ = varint()
                continue
            }
            let end = varint() + at
            var numbers: [Int: Int] = [:]
            while at < end {
                let key = varint()
                numbers[key >> 3] = varint()
            }
            let range = (numbers[1] ?? 0)..<(numbers[2] ?? 0)
            let isComment =
                sql[range.lowerBound...].starts(with: Array("--".utf8)) || sql[range.lowerBound...].starts(with: Array("/*".utf8))
            if !isComment { ranges.append(range) }
        }
        return ranges
    }

    /// 1 if the text was one that both can read.
    @discardableResult
    private func compare(_ sql: String) -> Int {
        let bytes = Array(sql.utf8)
        guard !bytes.contains(0), let theirs = theirs(bytes) else { return 0 }
        guard let ours = try? Lexer.tokens(of: bytes, standardConformingStrings: true) else {
            Issue.record("we refuse, they do not: \(sql.debugDescription)")
            return 0
        }
        // Ours joins UESCAPE to its constant, and continues constants after comments as the server does.
        guard
            !ours.contains(where: {
                $0.kind == .unicodeString || bytes[$0.start] | 0x20 == UInt8(ascii: "u") && $0.kind == .quotedIdentifier
            })
        else { return 0 }
        guard
            !ours.contains(where: {
                $0.kind.isString && sql.utf8.count > 0 && bytes[$0.range].split(separator: UInt8(ascii: "-")).count > 1
            })
        else { return 0 }
        #expect(ours.map(\.range) == theirs, "\(sql.debugDescription)")
        return 1
    }

    @Test func corpusAgrees() {
        for statement in LeakSweepTests.statements {
            for literal in LeakSweepTests.literals { compare(statement.replacing("§", with: literal)) }
        }
    }

    @Test func fuzzAgrees() {
        var random = Seeded(state: 20260101)
        let parts = [
            "'", "''", "\"", "$", "$$", "$a$", "E'", "e'\\", "B'", "X'", "N'", "\\", "--", "/*", "*/", "\n", " ", "\t", "\r", "\u{c}", "+",
            "-", "*", "<", ">", "=", "@", "!", "~", "#", "&", "|", "?", "%", "^", "`", "/",
            "a", "Z", "_", "é", "1", "23", ".", "..", ":", "::", ":=", "e5", "E+", "$1", "(", ")", "[", "]", ",", ";", "0x", "name",
            "select", "x1f", "$1a",
        ]
        var compared = 0
        for _ in 0..<30_000 {
            var sql = ""
            for _ in 0..<Int.random(in: 1...9, using: &random) { sql += parts.randomElement(using: &random) ?? "" }
            compared += compare(sql)
        }
        #expect(compared > 5_000)
        for statement in LeakSweepTests.statements {
            // One random change in a real statement.
            var bytes = Array(statement.replacing("§", with: "'a''b'").utf8)
            let at = Int.random(in: 0..<bytes.count, using: &random)
            let part = Array((parts.randomElement(using: &random) ?? "").utf8)
            bytes.replaceSubrange(at..<min(bytes.count, at + Int.random(in: 0...2, using: &random)), with: part)
            compare(String(decoding: bytes, as: UTF8.self))
        }
    }
}

/// SplitMix64: the same sequence every run.
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
