import Synchronization

/// All characters of one character set beyond ASCII, as code points and back. Made once per process, on first use.
final class EncodingTable: Sendable {
    /// By the character's bytes as a number.
    private let scalars: [UInt32: UInt32]
    private let codes: [UInt32: UInt32]
    private let structure: EncodingName.Structure

    private static let known = Mutex<[String: EncodingTable]>([:])

    /// nil: the charset is not converted, or not known to this host's C library. `name`: as PostgreSQL reports it.
    static func named(_ name: String) -> EncodingTable? {
        guard let charset = EncodingName.charsets[name] else { return nil }
        if let table = known.withLock({ $0[name] }) { return table }
        guard let table = EncodingTable(charset) else { return nil }
        known.withLock { $0[name] = table }
        return table
    }

    private init?(_ charset: EncodingName.Charset) {
        guard let iconv = Iconv(from: charset.name) else { return nil }
        structure = charset.structure
        var scalars: [UInt32: UInt32] = [:]
        var codes: [UInt32: UInt32] = [:]
        for code in Self.candidates(charset.structure) {
            guard let scalar = iconv.character(code)?.value, scalar >= 0x80, !Self.isPrivate(scalar) else { continue }
            let number = code.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            scalars[number] = scalar
            if let other = codes[scalar], !Self.isPreferred(number, over: other, charset.structure) { continue }
            codes[scalar] = number
        }
        self.scalars = scalars
        self.codes = codes
    }

    /// User-defined characters, which PostgreSQL's tables leave out.
    private static func isPrivate(_ scalar: UInt32) -> Bool { (0xe000...0xf8ff).contains(scalar) }

    /// Of two codes of one character PostgreSQL writes the one of JIS X 0208 or else IBM's extension (utf8_to_sjis.map).
    private static func isPreferred(_ code: UInt32, over other: UInt32, _ structure: EncodingName.Structure) -> Bool {
        func isStandard(_ code: UInt32) -> Bool { code < 0x8740 || (0x889f...0xeaa4).contains(code) }
        if case .shiftJIS = structure { return !isStandard(other) && (isStandard(code) || code > other) }
        return code < other
    }

    private static func candidates(_ structure: EncodingName.Structure) -> [[UInt8]] {
        let high: ClosedRange<UInt8> = 0xa1...0xfe
        switch structure {
        case .single: return (0x80...0xff).map { [$0] }
        case .euc(let hasKana):
            var codes = high.flatMap { lead in high.map { [lead, $0] } }
            if hasKana {
                codes += high.map { [0x8e, $0] }
                codes += high.flatMap { lead in high.map { [0x8f, lead, $0] } }
            }
            return codes
        case .shiftJIS:
            let leads = Array<UInt8>(0x81...0x9f) + Array(0xe0...0xfc)
            return (0xa1...0xdf).map { [$0] } + leads.flatMap { lead in (0x40...0xfc).map { [lead, $0] } }
        case .double: return (0x81...0xfe).flatMap { lead in (0x40...0xfe).map { [lead, $0] } }
        }
    }

    /// The bytes of the character that starts with `lead`, as PostgreSQL counts them (pg_encoding_mblen).
    func length(_ lead: UInt8) -> Int {
        guard lead >= 0x80 else { return 1 }
        return switch structure {
        case .single: 1
        case .euc: lead == 0x8f ? 3 : 2
        case .shiftJIS: (0xa1...0xdf).contains(lead) ? 1 : 2
        case .double: 2
        }
    }

    /// Whether these bytes could be a character (the encoding's verifier in src/common/wchar.c), known or not.
    func isWellFormed(_ code: ArraySlice<UInt8>) -> Bool {
        guard let lead = code.first, lead >= 0x80 else { return true }
        let trail = code.dropFirst()
        switch structure {
        case .single: return true
        case .euc: return (lead == 0x8e || lead == 0x8f || lead >= 0xa1) && lead != 0xff && trail.allSatisfy { (0xa1...0xfe).contains($0) }
        case .shiftJIS: return trail.allSatisfy { (0x40...0xfc).contains($0) && $0 != 0x7f } && lead != 0x80 && lead != 0xa0 && lead <= 0xfc
        case .double: return !trail.contains(0)
        }
    }

    /// nil: no such character.
    func scalar(_ code: ArraySlice<UInt8>) -> Unicode.Scalar? {
        scalars[code.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }].flatMap { Unicode.Scalar($0) }
    }

    /// Appends a character's bytes; false if the charset has no such character.
    func append(_ scalar: Unicode.Scalar, to output: inout [UInt8]) -> Bool {
        guard let code = codes[scalar.value] else { return false }
        if code > 0xffff { output.append(UInt8(truncatingIfNeeded: code >> 16)) }
        if code > 0xff { output.append(UInt8(truncatingIfNeeded: code >> 8)) }
        output.append(UInt8(truncatingIfNeeded: code))
        return true
    }
}
