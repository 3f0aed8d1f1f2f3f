/// What string constants mean: escapes, continuations and quotes resolved.
enum LiteralDecoding {
    /// The value of a string token, nil if it is malformed (the server would refuse it too).
    static func value(of token: Token, in text: [UInt8], standardConformingStrings: Bool) -> [UInt8]? {
        switch token.kind {
        case .string:
            return quoted(text, from: token.start + 1, to: token.end, escapes: !standardConformingStrings)
        case .escapeString:
            return quoted(text, from: token.start + 2, to: token.end, escapes: true)
        case .unicodeString:
            return unicode(token, in: text)
        case .dollarString:
            var tag = token.start + 1
            while text[tag] != UInt8(ascii: "$") { tag += 1 }
            let length = tag + 1 - token.start
            return Array(text[token.start + length..<token.end - length])
        case .integer, .decimal, .word:
            return Array(text[token.range])
        case .quotedIdentifier, .bitString, .parameter, .symbol:
            return nil
        }
    }

    private static func quoted(_ text: [UInt8], from start: Int, to end: Int, escapes: Bool) -> [UInt8]? {
        var value: [UInt8] = []
        value.reserveCapacity(end - start)
        var i = start
        var pendingSurrogate: UInt32?
        while i < end {
            let c = text[i]
            if c == UInt8(ascii: "'") {
                if i + 1 < end, text[i + 1] == c {
                    value.append(c)
                    i += 2
                } else if let more = Lexer.continuation(in: text, from: i + 1), more <= end {
                    i = more
                } else {
                    guard pendingSurrogate == nil else { return nil }
                    return i + 1 == end ? value : nil
                }
                guard pendingSurrogate == nil else { return nil }
                continue
            }
            guard escapes, c == UInt8(ascii: "\\") else {
                guard pendingSurrogate == nil else { return nil }
                value.append(c)
                i += 1
                continue
            }
            guard i + 1 < end else { return nil }
            let e = text[i + 1]
            i += 2
            if e == UInt8(ascii: "u") || e == UInt8(ascii: "U") {
                let count = e == UInt8(ascii: "u") ? 4 : 8
                guard let (code, next) = hex(text, i, max: count), next - i == count else { return nil }
                i = next
                guard append(code, to: &value, pending: &pendingSurrogate) else { return nil }
                continue
            }
            guard pendingSurrogate == nil else { return nil }
            switch e {
            case UInt8(ascii: "b"): value.append(8)
            case UInt8(ascii: "f"): value.append(12)
            case UInt8(ascii: "n"): value.append(10)
            case UInt8(ascii: "r"): value.append(13)
            case UInt8(ascii: "t"): value.append(9)
            case UInt8(ascii: "x"):
                if let (code, next) = hex(text, i, max: 2) {
                    value.append(UInt8(truncatingIfNeeded: code))
                    i = next
                } else {
                    value.append(e)
                }
            case UInt8(ascii: "0")...UInt8(ascii: "7"):
                var code = UInt32(e - UInt8(ascii: "0"))
                var digits = 1
                while digits < 3, i < end, text[i] >= UInt8(ascii: "0"), text[i] <= UInt8(ascii: "7") {
                    code = code << 3 | UInt32(text[i] - UInt8(ascii: "0"))
                    i += 1
                    digits += 1
                }
                value.append(UInt8(truncatingIfNeeded: code))
            default: value.append(e)
            }
        }
        return nil
    }

    private static func unicode(_ token: Token, in text: [UInt8]) -> [UInt8]? {
        // U&'…' [UESCAPE 'c']: the body ends at the quote that nothing continues.
        var end = token.start + 3
        while end < token.end {
            if text[end] == UInt8(ascii: "'") {
                if end + 1 < token.end, text[end + 1] == UInt8(ascii: "'") {
                    end += 2
                    continue
                }
                guard let more = Lexer.continuation(in: text, from: end + 1), more <= token.end else { break }
                end = more
                continue
            }
            end += 1
        }
        var escape = UInt8(ascii: "\\")
        if end + 1 < token.end {
            guard let tail = text[end + 1..<token.end].lastIndex(of: UInt8(ascii: "'")), tail >= 2, text[tail - 2] == UInt8(ascii: "'")
            else { return nil }
            escape = text[tail - 1]
            let isHex = Lexer.isDigit(escape) || (escape | 0x20) >= UInt8(ascii: "a") && (escape | 0x20) <= UInt8(ascii: "f")
            guard !isHex, escape < 0x80, !" \t\n\r\u{c}+'\"".utf8.contains(escape) else { return nil }
        }
        guard let body = quoted(text, from: token.start + 3, to: end + 1, escapes: false) else { return nil }
        var value: [UInt8] = []
        var pending: UInt32?
        var i = 0
        while i < body.count {
            guard body[i] == escape else {
                guard pending == nil else { return nil }
                value.append(body[i])
                i += 1
                continue
            }
            if i + 1 < body.count, body[i + 1] == escape {
                guard pending == nil else { return nil }
                value.append(escape)
                i += 2
                continue
            }
            let isLong = i + 1 < body.count && body[i + 1] == UInt8(ascii: "+")
            let count = isLong ? 6 : 4
            let from = i + (isLong ? 2 : 1)
            guard let (code, next) = hex(body, from, max: count), next - from == count else { return nil }
            i = next
            guard append(code, to: &value, pending: &pending) else { return nil }
        }
        return pending == nil ? value : nil
    }

    /// Up to `max` hexadecimal digits; nil if there is none.
    private static func hex(_ text: [UInt8], _ start: Int, max: Int) -> (UInt32, Int)? {
        var code: UInt32 = 0
        var i = start
        while i < text.count, i - start < max {
            let c = text[i]
            switch c {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): code = code << 4 | UInt32(c - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): code = code << 4 | UInt32(c - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): code = code << 4 | UInt32(c - UInt8(ascii: "A") + 10)
            default: return i > start ? (code, i) : nil
            }
            i += 1
        }
        return i > start ? (code, i) : nil
    }

    /// A code point, or half of a surrogate pair. False if it is not one.
    private static func append(_ code: UInt32, to value: inout [UInt8], pending: inout UInt32?) -> Bool {
        var scalar = code
        if let high = pending {
            guard (0xdc00...0xdfff).contains(code) else { return false }
            scalar = 0x10000 + (high - 0xd800) << 10 + (code - 0xdc00)
            pending = nil
        } else if (0xd800...0xdbff).contains(code) {
            pending = code
            return true
        }
        guard scalar != 0, let character = Unicode.Scalar(scalar) else { return false }
        value.append(contentsOf: Array(String(Character(character)).utf8))
        return true
    }
}
