@testable import EnclaveEvaluator
import Testing

@Suite struct LikePatternTests {
    static func matches(_ text: String, _ pattern: String, fold: Bool = false) throws -> Bool {
        try LikePattern(Array(pattern.utf8).span, foldsASCII: fold).matches(Array(text.utf8).span)
    }

    /// As PostgreSQL 15 answers `SELECT text LIKE pattern`.
    @Test(arguments: [
        ("", "", true), ("", "%", true), ("", "_", false), ("", "%_", false), ("a", "", false), ("abc", "abc", true), ("abc", "ab", false),
        ("ab", "abc", false), ("abc", "a%", true), ("abc", "%c", true), ("abc", "%b%", true), ("abc", "_b_", true), ("abc", "__", false),
        ("aab", "%ab", true), ("abab", "%ab", true), ("ababab", "a%ab%b", true), ("é", "_", true), ("éa", "_a", true), ("é", "__", false),
        ("日本語", "日_語", true), ("日本語", "%本%", true), ("a%b", "a\\%b", true), ("axb", "a\\%b", false), ("a_b", "a\\_b", true),
        ("a\\b", "a\\\\b", true), ("ab", "a\\b", true), ("A", "a", false), ("abc", "%%%", true), ("abc", "%_%_%_%", true),
        ("abc", "%_%_%_%_", false), ("aXbXc", "a%b%c", true), ("abcabd", "%abd", true),
    ])
    func asPostgreSQL(text: String, pattern: String, expected: Bool) throws {
        #expect(try Self.matches(text, pattern) == expected)
    }

    @Test(arguments: [("", "\\"), ("abc", "abc\\"), ("abc", "x\\"), ("", "%\\"), ("abc", "abcd\\")])
    func aDanglingEscapeThatIsNotReached(text: String, pattern: String) throws {
        #expect(try !Self.matches(text, pattern))
    }

    @Test(arguments: [("a", "\\"), ("abcd", "abc\\"), ("abc", "%\\"), ("ab", "_%\\"), ("abc", "%%\\"), ("ba", "%b\\")])
    func aDanglingEscapeThatIsReached(text: String, pattern: String) {
        #expect(throws: Refusal.badPattern) { try Self.matches(text, pattern) }
    }

    @Test func foldingIsForASCIILettersOnly() throws {
        #expect(try Self.matches("ABZ[@", "abz[@", fold: true) && Self.matches("abz", "A_Z", fold: true))
        #expect(try !Self.matches("É", "é", fold: true) && !Self.matches("[", "{", fold: true))
        #expect(try Self.matches("aB", "\\A\\b", fold: true))
    }

    /// Against the recursion of like_match.c written down plainly.
    @Test func randomPatternsMatchAsByRecursion() throws {
        func reference(_ text: ArraySlice<UInt8>, _ pattern: ArraySlice<UInt8>) -> Bool {
            guard let first = pattern.first else { return text.isEmpty }
            if first == UInt8(ascii: "%") {
                return reference(text, pattern.dropFirst()) || (!text.isEmpty && reference(text.dropFirst(), pattern))
            }
            guard let byte = text.first else { return false }
            if first == UInt8(ascii: "\\") { return pattern.dropFirst().first == byte && reference(text.dropFirst(), pattern.dropFirst(2)) }
            return (first == UInt8(ascii: "_") || first == byte) && reference(text.dropFirst(), pattern.dropFirst())
        }
        var generator = SeededGenerator(seed: 1)
        func some(_ alphabet: String, _ limit: Int) -> [UInt8] {
            (0..<Int.random(in: 0...limit, using: &generator)).map { _ in Array(alphabet.utf8).randomElement(using: &generator) ?? 0 }
        }
        for _ in 0..<20_000 {
            let text = some("aab%\\", 7)
            var pattern = some("aab%%_\\", 6)
            if pattern.reversed().prefix(while: { $0 == UInt8(ascii: "\\") }).count % 2 == 1 { pattern.append(UInt8(ascii: "a")) }
            let matched = try LikePattern(pattern.span, foldsASCII: false).matches(text.span)
            #expect(matched == reference(text[...], pattern[...]), "\(text) \(pattern)")
        }
    }

    @Test func theWorkIsBounded() throws {
        let text = [UInt8](repeating: UInt8(ascii: "a"), count: 2000)
        let glob = Array((String(repeating: "%_a", count: 300) + "b").utf8)
        let hostile = LikePattern(glob.span, foldsASCII: false)
        #expect(try !hostile.matches(text.span))
        #expect(throws: Refusal.tooLarge) { try hostile.matches(text.span, stepLimit: 100) }
    }
}

/// The same numbers on every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}
