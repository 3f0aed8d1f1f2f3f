import Diagnostics

/// uuid: PostgreSQL's `string_to_uuid` (hexadecimal in any case, an optional hyphen after every second byte, optional braces).
enum UUIDCodec {
    static func parse(_ text: Span<UInt8>) throws(CloisterError) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(16)
        var index = 0
        let braces = text.count > 0 && text[0] == ascii("{")
        if braces { index = 1 }
        for byte in 0..<16 {
            guard index + 1 < text.count, let high = text[index].hexDigit, let low = text[index + 1].hexDigit else {
                throw ValueError.syntax("uuid")
            }
            result.append(high << 4 | low)
            index += 2
            if byte % 2 == 1, byte < 15, index < text.count, text[index] == ascii("-") { index += 1 }
        }
        if braces {
            guard index < text.count, text[index] == ascii("}") else { throw ValueError.syntax("uuid") }
            index += 1
        }
        guard index == text.count else { throw ValueError.syntax("uuid") }
        return result
    }

    static func text(_ bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(36)
        for index in bytes.indices {
            if index == 4 || index == 6 || index == 8 || index == 10 { output.append(ascii("-")) }
            ByteaCodec.appendHex(bytes[index], to: &output)
        }
        return output
    }
}

/// bytea in its two text forms (PostgreSQL documentation 8.4).
enum ByteaCodec {
    static func parse(_ text: Span<UInt8>) throws(CloisterError) -> [UInt8] {
        var result: [UInt8] = []
        if text.count >= 2, text[0] == ascii("\\"), text[1] == ascii("x") {
            result.reserveCapacity((text.count - 2) / 2)
            var index = 2
            while index < text.count {
                let byte = text[index]
                // hex_decode skips these four between pairs, not inside one.
                if byte == 0x20 || byte == 0x0a || byte == 0x09 || byte == 0x0d {
                    index += 1
                    continue
                }
                guard let high = byte.hexDigit else {
                    throw CloisterError(.invalidParameterValue, "invalid hexadecimal digit")
                }
                guard index + 1 < text.count else {
                    throw CloisterError(.invalidParameterValue, "invalid hexadecimal data: odd number of digits")
                }
                guard let low = text[index + 1].hexDigit else {
                    throw CloisterError(.invalidParameterValue, "invalid hexadecimal digit")
                }
                result.append(high << 4 | low)
                index += 2
            }
            return result
        }
        result.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            guard text[index] == ascii("\\") else {
                result.append(text[index])
                index += 1
                continue
            }
            func octal(_ offset: Int, _ limit: UInt8) -> UInt8? {
                guard index + offset < text.count else { return nil }
                let digit = text[index + offset] &- 0x30
                return digit <= limit ? digit : nil
            }
            if let a = octal(1, 3), let b = octal(2, 7), let c = octal(3, 7) {
                result.append(a << 6 | b << 3 | c)
                index += 4
            } else if index + 1 < text.count, text[index + 1] == ascii("\\") {
                result.append(ascii("\\"))
                index += 2
            } else {
                throw ValueError.syntax("bytea")
            }
        }
        return result
    }

    @inline(__always)
    static func appendHex(_ byte: UInt8, to output: inout [UInt8]) {
        let high = byte >> 4
        let low = byte & 15
        output.append(high < 10 ? 0x30 &+ high : 0x57 &+ high)
        output.append(low < 10 ? 0x30 &+ low : 0x57 &+ low)
    }

    static func text(_ bytes: [UInt8], as style: SessionSettings.ByteaOutput) -> [UInt8] {
        var output: [UInt8] = []
        switch style {
        case .hex:
            output.reserveCapacity(2 + bytes.count * 2)
            output.append(ascii("\\"))
            output.append(ascii("x"))
            for byte in bytes { appendHex(byte, to: &output) }
        case .escape:
            output.reserveCapacity(bytes.count)
            for byte in bytes {
                if byte == ascii("\\") {
                    output.append(byte)
                    output.append(byte)
                } else if byte < 0x20 || byte > 0x7e {
                    output.append(ascii("\\"))
                    output.append(0x30 + (byte >> 6))
                    output.append(0x30 + (byte >> 3 & 7))
                    output.append(0x30 + (byte & 7))
                } else {
                    output.append(byte)
                }
            }
        }
        return output
    }
}
