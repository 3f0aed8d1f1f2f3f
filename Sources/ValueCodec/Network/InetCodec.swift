import Diagnostics

/// inet in PostgreSQL's binary form (inet_send), the canonical form of the type:
///
/// | byte | content |
/// |---|---|
/// | 0 | family: 2 IPv4, 3 IPv6 |
/// | 1 | length of the network prefix in bits |
/// | 2 | 0 (1 for cidr, which is no logical type) |
/// | 3 | length of the address: 4 or 16 |
/// | 4... | the address |
enum InetCodec {
    private static let version4: UInt8 = 2
    private static let version6: UInt8 = 3

    private static func canonical(_ address: [UInt8], _ bits: Int) -> [UInt8] {
        [address.count == 4 ? version4 : version6, UInt8(truncatingIfNeeded: bits), 0, UInt8(truncatingIfNeeded: address.count)] + address
    }

    /// inet_recv.
    static func check(binary bytes: [UInt8]) throws(CloisterError) -> [UInt8] {
        guard bytes.count >= 1 else { throw ValueCodec.shortBinary() }
        guard bytes[0] == version4 || bytes[0] == version6 else {
            throw ValueError.binary("invalid address family in external \"inet\" value")
        }
        let size = bytes[0] == version4 ? 4 : 16
        guard bytes.count >= 2 else { throw ValueCodec.shortBinary() }
        guard bytes[1] <= size * 8 else { throw ValueError.binary("invalid bits in external \"inet\" value") }
        guard bytes.count >= 4 else { throw ValueCodec.shortBinary() }
        guard bytes[3] == size else { throw ValueError.binary("invalid length in external \"inet\" value") }
        guard bytes.count >= 4 + size else { throw ValueCodec.shortBinary() }
        guard bytes.count == 4 + size else { throw ValueCodec.longBinary() }
        return [bytes[0], bytes[1], 0, bytes[3]] + bytes[4...]
    }

    // MARK: Input

    /// inet_in. A zero byte can't be in the text.
    static func parse(_ text: Span<UInt8>) throws(CloisterError) -> [UInt8] {
        let bytes = Bytes.copy(text)
        guard let value = bytes.contains(ascii(":")) ? version6(bytes) : version4(bytes) else { throw ValueError.syntax("inet") }
        return value
    }

    /// Decimal octets, as many as there are, and the prefix; a missing prefix needs all four.
    private static func version4(_ text: [UInt8]) -> [UInt8]? {
        var address: [UInt8] = []
        var index = 0
        func peek() -> UInt8 { index < text.count ? text[index] : 0 }
        var delimiter: UInt8 = peek()
        while peek().isDigit {
            var octet = 0
            while peek().isDigit {
                octet = octet * 10 + peek().digit
                if octet > 255 { return nil }
                index += 1
            }
            if address.count == 4 { return nil }
            address.append(UInt8(octet))
            delimiter = peek()
            if delimiter == 0 || delimiter == ascii("/") { break }
            guard delimiter == ascii(".") else { return nil }
            index += 1
            delimiter = peek()
        }
        var bits: Int?
        if delimiter == ascii("/"), index + 1 < text.count, text[index + 1].isDigit, !address.isEmpty {
            index += 1
            var value = 0
            while peek().isDigit {
                value = min(value * 10 + peek().digit, 1000)
                index += 1
            }
            guard index == text.count, value <= 32 else { return nil }
            bits = value
        }
        guard index == text.count, !address.isEmpty else { return nil }
        if bits == nil {
            guard address.count == 4 else { return nil }
            bits = 32
        }
        guard let bits, bits / 8 <= address.count else { return nil }
        address += [UInt8](repeating: 0, count: 4 - address.count)
        return canonical(address, bits)
    }

    private static func version6(_ text: [UInt8]) -> [UInt8]? {
        var address: [UInt8] = []
        /// Where `::` was.
        var gap: Int?
        var index = 0
        func peek(_ offset: Int = 0) -> UInt8 { index + offset < text.count ? text[index + offset] : 0 }
        if peek() == ascii(":") {
            guard peek(1) == ascii(":") else { return nil }
            index = 1
        }
        var token = index
        var group = 0
        var digits = 0
        var bits: Int?
        while index < text.count {
            let byte = text[index]
            index += 1
            if let digit = byte.hexDigit {
                group = group << 4 | Int(digit)
                digits += 1
                if digits > 4 { return nil }
                continue
            }
            if byte == ascii(":") {
                token = index
                if digits == 0 {
                    if gap != nil { return nil }
                    gap = address.count
                    continue
                }
                if index == text.count { return nil }
                if address.count + 2 > 16 { return nil }
                address += [UInt8(group >> 8), UInt8(group & 0xff)]
                (group, digits) = (0, 0)
                continue
            }
            if byte == ascii("."), address.count + 4 <= 16, let (octets, prefix) = dotted(text[token...]) {
                address += octets
                if let prefix { bits = prefix }
                digits = 0
                break
            }
            if byte == ascii("/"), let prefix = prefix(text[index...]) {
                bits = prefix
                break
            }
            return nil
        }
        if digits > 0 {
            if address.count + 2 > 16 { return nil }
            address += [UInt8(group >> 8), UInt8(group & 0xff)]
        }
        if let gap {
            guard address.count < 16 else { return nil }
            address.insert(contentsOf: [UInt8](repeating: 0, count: 16 - address.count), at: gap)
        }
        guard address.count == 16 else { return nil }
        return canonical(address, bits ?? 128)
    }

    /// Digits up to the end, without leading zeros, at most 128.
    private static func prefix(_ text: ArraySlice<UInt8>) -> Int? {
        var value = 0
        var count = 0
        for byte in text {
            guard byte.isDigit, count == 0 || value != 0 else { return nil }
            count += 1
            value = value * 10 + byte.digit
            if value > 128 { return nil }
        }
        return count > 0 ? value : nil
    }

    /// The dotted end of an IPv6 address, filled up to four octets, and its prefix.
    private static func dotted(_ text: ArraySlice<UInt8>) -> (octets: [UInt8], prefix: Int?)? {
        var octets: [UInt8] = []
        var value = 0
        var count = 0
        func filled() -> [UInt8] { octets + [UInt8](repeating: 0, count: 4 - octets.count) }
        for index in text.indices {
            let byte = text[index]
            if byte.isDigit {
                guard count == 0 || value != 0 else { return nil }
                count += 1
                value = value * 10 + byte.digit
                if value > 255 { return nil }
                continue
            }
            guard byte == ascii(".") || byte == ascii("/"), octets.count < 4 else { return nil }
            octets.append(UInt8(value))
            if byte == ascii("/") {
                guard let prefix = prefix(text[(index + 1)...]) else { return nil }
                return (filled(), prefix)
            }
            (value, count) = (0, 0)
        }
        guard count > 0, octets.count < 4 else { return nil }
        octets.append(UInt8(value))
        return (filled(), nil)
    }

    // MARK: Output

    /// inet_out; `isFull`: with the prefix even of a single host, as a cast to text shows it.
    static func appendText(_ canonical: [UInt8], isFull: Bool = false, to output: inout [UInt8]) throws(CloisterError) {
        let value = try check(binary: canonical)
        let address = Array(value[4...])
        if address.count == 4 { appendDotted(address, to: &output) } else { appendGroups(address, to: &output) }
        let bits = Int(value[1])
        if isFull || bits != address.count * 8 {
            output.append(ascii("/"))
            output.append(decimal: bits)
        }
    }

    private static func appendDotted(_ octets: [UInt8], to output: inout [UInt8]) {
        for (index, octet) in octets.enumerated() {
            if index > 0 { output.append(ascii(".")) }
            output.append(decimal: Int(octet))
        }
    }

    private static func appendGroups(_ address: [UInt8], to output: inout [UInt8]) {
        let groups = (0..<8).map { Int(address[2 * $0]) << 8 | Int(address[2 * $0 + 1]) }
        // The longest run of zero groups, the first of equal ones; one group is no run.
        var best = 0..<0
        var index = 0
        while index < 8 {
            let start = index
            while index < 8, groups[index] == 0 { index += 1 }
            if index - start > best.count, index - start > 1 { best = start..<index }
            if index == start { index += 1 }
        }
        for index in 0..<8 {
            if best.contains(index) {
                if index == best.lowerBound { output.append(ascii(":")) }
                continue
            }
            if index > 0 { output.append(ascii(":")) }
            let isEmbedded =
                best.lowerBound == 0
                && (best.count == 6 || (best.count == 7 && groups[7] != 1) || (best.count == 5 && groups[5] == 0xffff))
            if index == 6, isEmbedded {
                appendDotted(Array(address[12...]), to: &output)
                break
            }
            output.append(contentsOf: String(groups[index], radix: 16).utf8)
        }
        if best.upperBound == 8, !best.isEmpty { output.append(ascii(":")) }
    }
}
