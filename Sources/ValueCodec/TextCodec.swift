import Diagnostics

/// text and varchar: UTF-8 without zero bytes, as PostgreSQL's `pg_utf8_verifystr`.
enum TextCodec {
    static func invalid() -> CloisterError {
        CloisterError(.invalidByteSequence, "invalid byte sequence for encoding \"UTF8\"")
    }

    static func withoutTrailingBlanks(_ text: [UInt8]) -> [UInt8] {
        var end = text.count
        while end > 0, text[end - 1] == 0x20 { end -= 1 }
        return Array(text[..<end])
    }

    /// Throws SQLSTATE 22021 unless every byte belongs to well-formed UTF-8 (no surrogates, nothing above U+10FFFF, shortest
    /// forms only) and none is zero.
    static func verify(_ text: Span<UInt8>) throws(CloisterError) {
        var index = 0
        let count = text.count
        while index < count {
            let lead = text[index]
            if lead < 0x80 {
                if lead == 0 { throw invalid() }
                index += 1
                continue
            }
            let length: Int
            var lowest: UInt8 = 0x80
            var highest: UInt8 = 0xbf
            switch lead {
            case 0xc2...0xdf: length = 2
            case 0xe0: (length, lowest) = (3, 0xa0)
            case 0xed: (length, highest) = (3, 0x9f)
            case 0xe1...0xef: length = 3
            case 0xf0: (length, lowest) = (4, 0x90)
            case 0xf1...0xf3: length = 4
            case 0xf4: (length, highest) = (4, 0x8f)
            default: throw invalid()
            }
            guard index + length <= count, text[index + 1] >= lowest, text[index + 1] <= highest else { throw invalid() }
            for next in index + 2..<max(index + 2, index + length) where text[next] & 0xc0 != 0x80 { throw invalid() }
            index += length
        }
    }
}
