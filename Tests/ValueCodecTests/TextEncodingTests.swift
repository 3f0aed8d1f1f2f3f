import Diagnostics
import Testing

@testable import ValueCodec

@Suite struct TextEncodingTests {
    private func encoding(_ name: String) throws -> TextEncoding { try #require(TextEncoding(named: name)) }

    @Test(arguments: [
        ("LATIN1", "café £", "636166e920a3"), ("latin-9", "12 €", "313220a4"), ("win", "Ключ", "caebfef7"), ("WIN1252", "“€”", "938094"),
        ("KOI8R", "Ключ", "ebccc0de"), ("SJIS", "表ソ①ｱ", "955c835c8740b1"), ("EUC_JP", "日本ｱ", "c6fccbdc8eb1"), ("EUC_KR", "한글", "c7d1b1db"),
        ("GBK", "中文€", nil), ("gbk", "中文", "d6d0cec4"), ("UHC", "한똠", "c7d18c63"), ("EUC_CN", "中文", "d6d0cec4"),
        ("LATIN1", "€", nil), ("LATIN1", "日", nil), ("SJIS", "é", nil),
    ])
    func toTheClientAndBack(name: String, text: String, hexadecimal: String?) throws {
        let encoding = try encoding(name)
        guard let hexadecimal else {
            #expect(refusal { () throws(CloisterError) in try encoding.encoded(Array(text.utf8)) } == "22P05")
            return
        }
        #expect(hex(try encoding.encoded(Array(text.utf8))) == hexadecimal)
        #expect(try String(decoding: encoding.utf8(unhex(hexadecimal)), as: UTF8.self) == text)
    }

    @Test(arguments: [("SJIS", "81"), ("SJIS", "8127"), ("EUC_JP", "a127"), ("GBK", "80"), ("EUC_KR", "8027"), ("UHC", "4180")])
    func whatIsNoTextOfTheEncoding(name: String, bytes: String) throws {
        let encoding = try encoding(name)
        #expect(refusal { () throws(CloisterError) in try encoding.utf8(unhex(bytes)) } == "22021")
    }

    @Test(arguments: [("GBK", "8027"), ("UHC", "ff41"), ("SJIS", "f040"), ("EUC_CN", "fefe")])
    func whatIsNoCharacter(name: String, bytes: String) throws {
        let encoding = try encoding(name)
        #expect(refusal { () throws(CloisterError) in try encoding.utf8(unhex(bytes)) } == "22P05")
    }

    @Test(arguments: ["BIG5", "GB18030", "EUC_TW", "JOHAB", "MULE_INTERNAL", "EUC_JIS_2004", "KLINGON", ""])
    func unsupported(name: String) {
        #expect(TextEncoding(named: name) == nil)
    }

    @Test func piecesMayEndWithinACharacter() throws {
        var stream = EncodedStream(try encoding("SJIS"))
        let text = unhex("41955c8340")
        var read: [UInt8] = []
        for byte in text { read += try stream.utf8([byte]) }
        #expect(String(decoding: read, as: UTF8.self) == "A表ァ")
        var written: [UInt8] = []
        for byte in read { written += try stream.encoded([byte]) }
        #expect(written == text)
        try stream.finish()
        _ = try stream.utf8([0x95])
        let unfinished = stream
        #expect(refusal { () throws(CloisterError) in try unfinished.finish() } == "22021")
    }

    @Test func messagesLoseWhatTheEncodingLacks() throws {
        let latin = try encoding("LATIN1")
        #expect(latin.message("é 日") == [0xe9, 0x20, 0x3f])
    }
}
