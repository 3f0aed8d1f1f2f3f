/// Character classes as PostgreSQL's C library sees them in ASCII, and the few byte operations every codec needs.
extension UInt8 {
    /// C `isspace`: blank, \t, \n, \v, \f, \r.
    @inline(__always) var isSpace: Bool { self == 0x20 || (self >= 0x09 && self <= 0x0d) }
    @inline(__always) var isDigit: Bool { self &- 0x30 < 10 }
    @inline(__always) var isAlpha: Bool { (self | 0x20) &- 0x61 < 26 }
    @inline(__always) var isAlphaNumeric: Bool { isDigit || isAlpha }
    /// C `ispunct` in ASCII.
    var isPunctuation: Bool { self > 0x20 && self < 0x7f && !isAlphaNumeric }
    @inline(__always) var lowercased: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }
    @inline(__always) var uppercased: UInt8 { self &- 0x61 < 26 ? self & 0xdf : self }
    /// The digit's value; meaningless unless `isDigit`.
    @inline(__always) var digit: Int { Int(self &- 0x30) }
    /// The hexadecimal digit's value, or nil.
    @inline(__always) var hexDigit: UInt8? {
        switch self {
        case 0x30...0x39: self &- 0x30
        case 0x61...0x66: self &- 0x57
        case 0x41...0x46: self &- 0x37
        default: nil
        }
    }
}

/// A character literal as a byte; the argument is always an ASCII constant.
@inline(__always) func ascii(_ scalar: Unicode.Scalar) -> UInt8 { UInt8(truncatingIfNeeded: scalar.value) }

enum Bytes {
    /// Without C white space at both ends.
    static func trimmed(_ text: Span<UInt8>) -> Range<Int> {
        var low = 0
        var high = text.count
        while low < high, text[low].isSpace { low += 1 }
        while high > low, text[high - 1].isSpace { high -= 1 }
        return low..<high
    }

    /// Whether `text[range]` is `word` in any case; `word` is lower case.
    static func equals(_ text: Span<UInt8>, _ range: Range<Int>, ignoringCase word: StaticString) -> Bool {
        range.count == word.utf8CodeUnitCount && hasPrefix(text, range, ignoringCase: word)
    }

    /// Whether `text[range]` begins with `word` in any case; `word` is lower case.
    static func hasPrefix(_ text: Span<UInt8>, _ range: Range<Int>, ignoringCase word: StaticString) -> Bool {
        let word = word.description.utf8
        guard range.count >= word.count else { return false }
        var index = range.lowerBound
        for byte in word {
            if text[index].lowercased != byte { return false }
            index += 1
        }
        return true
    }

    static func copy(_ text: Span<UInt8>) -> [UInt8] {
        [UInt8](capacity: text.count) { (output: inout OutputSpan<UInt8>) in
            for index in text.indices { output.append(text[index]) }
        }
    }

    static func copy(_ text: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        [UInt8](capacity: range.count) { (output: inout OutputSpan<UInt8>) in
            for index in range { output.append(text[index]) }
        }
    }

    /// Big endian, as PostgreSQL's send functions write integers.
    static func bigEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        let size = T.bitWidth / 8
        return [UInt8](capacity: size) { (output: inout OutputSpan<UInt8>) in
            for index in 0..<size { output.append(UInt8(truncatingIfNeeded: value >> T((size - 1 - index) * 8))) }
        }
    }

    /// Reads a big-endian integer; the caller has checked the length.
    static func integer<T: FixedWidthInteger>(_ bytes: [UInt8], at offset: Int = 0, as: T.Type = T.self) -> T {
        var value: T = 0
        for index in offset..<offset + T.bitWidth / 8 { value = value << 8 | T(truncatingIfNeeded: bytes[index]) }
        return value
    }
}

extension [UInt8] {
    mutating func append(ascii text: StaticString) { append(contentsOf: text.description.utf8) }

    /// Appends an unsigned number, zero-padded on the left to at least `width` digits.
    mutating func append(decimal value: Int, width: Int = 1) {
        var magnitude = value.magnitude
        if width == 2, magnitude < 100 {
            append(UInt8(0x30 + magnitude / 10))
            append(UInt8(0x30 + magnitude % 10))
            return
        }
        var divisor: UInt = 1
        var digits = 1
        while digits < 20, magnitude / divisor >= 10 {
            divisor *= 10
            digits += 1
        }
        for _ in 0..<Swift.max(0, width - digits) { append(0x30) }
        while divisor > 0 {
            append(UInt8(0x30 + magnitude / divisor))
            magnitude %= divisor
            divisor /= 10
        }
    }
}
