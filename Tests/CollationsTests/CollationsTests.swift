import CellFormat
import Collations
import Testing

@Suite struct CollationsTests {
    let collators = Collators()

    func collator(_ name: String) throws -> Collator {
        let collation = try #require(Collation(name: name))
        return try #require(collators.collator(collation.rawValue))
    }

    func order(_ name: String, _ a: String, _ b: String) throws -> Int32 {
        try #require(try collator(name).compare(Array(a.utf8).span, Array(b.utf8).span))
    }

    func key(_ name: String, _ text: String) throws -> [UInt8] {
        var key: [UInt8] = []
        #expect(try collator(name).appendSortKey(of: Array(text.utf8).span, to: &key))
        return key
    }

    func lowered(_ name: String, _ text: String) throws -> String {
        var bytes: [UInt8] = []
        #expect(try collator(name).appendLowered(Array(text.utf8).span, to: &bytes))
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func languagesDiffer() throws {
        #expect(try order("sv", "z", "ö") == -1 && order("de", "z", "ö") == 1)
        #expect(try order("da", "Aarhus", "Zagreb") == 1 && order("en", "Aarhus", "Zagreb") == -1)
        #expect(try order("und", "a", "B") == -1 && order("und", "a", "A") == -1)
    }

    @Test func strengths() throws {
        for (name, upper, accent) in [("und", 1, 1), ("und-u-ks-level2", 0, 1), ("und-u-ks-level1", 0, 0), ("und-u-ks-level1-kc", 1, 0)] {
            #expect(try (order(name, "e", "E") != 0) == (upper == 1), "\(name)")
            #expect(try (order(name, "e", "é") != 0) == (accent == 1), "\(name)")
            let same = try key(name, "cafe") == key(name, "CAFE")
            #expect(try same == (order(name, "cafe", "CAFE") == 0), "\(name)")
        }
    }

    /// Composed and decomposed: equal to ICU, told apart by bytes under a deterministic collation.
    @Test func deterministicCollationsBreakTiesByBytes() throws {
        #expect(try order("und", "\u{e9}", "e\u{301}") == 1 && order("und", "e\u{301}", "\u{e9}") == -1)
        #expect(try order("und-u-ks-level2", "\u{e9}", "e\u{301}") == 0)
    }

    @Test func lettersAreLoweredAsTheLanguageDoes() throws {
        #expect(try lowered("tr", "DIŞ I") == "dış ı" && lowered("en", "DIŞ I") == "diş i")
        #expect(try lowered("el", "ΟΔΟΣ") == "οδος" && lowered("de", "STRASSE ẞ") == "strasse ß" && lowered("en", "") == "")
        let long = String(repeating: "İ", count: 2000)
        #expect(try lowered("en", long).unicodeScalars.count == 4000)
    }

    @Test func everyLanguageAndStrengthOpens() throws {
        for language in Collation.languages {
            for strength in 0..<4 as Range<UInt8> {
                let id = strength << 6 | UInt8((Collation.languages.firstIndex(of: language) ?? 0) + 1)
                #expect(collators.collator(id) != nil, "\(language) \(strength)")
            }
        }
        #expect(collators.collator(0) == nil && collators.collator(63) == nil)
    }

    @Test func longTextsHaveKeys() throws {
        let long = String(repeating: "aé日", count: 3000)
        #expect(try key("und-u-ks-level1", long) == key("und-u-ks-level1", long.uppercased()))
        #expect(try key("und-u-ks-level1", long) != key("und-u-ks-level1", long + "b"))
    }

    @Test func whatIsNotUTF8IsRefused() throws {
        for bytes in [[0xff], [0x61, 0xc3], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]] as [[UInt8]] {
            var output: [UInt8] = []
            #expect(try !collator("und").appendSortKey(of: bytes.span, to: &output))
            #expect(try !collator("und").appendLowered(bytes.span, to: &output))
            #expect(output.isEmpty)
            _ = try collator("und").compare(bytes.span, Array("a".utf8).span)
        }
    }
}
