/// A pattern of LIKE in UTF-8 with backslash as escape character, matched as PostgreSQL does (src/backend/utils/adt/like_match.c).
///
/// `%` stands for any characters, `_` for one, a backslash makes the next byte stand for itself. PostgreSQL complains of a
/// backslash at the end only when matching gets there while text is left: so does this.
///
/// A mismatch goes back to the last `%` only (an earlier one could not do better), so the work is at most the product of
/// both lengths; beyond `stepLimit` it is refused.
struct LikePattern {
    /// About half a second.
    static let stepLimit = 1 << 28

    private static let anyCharacter: UInt16 = 0x100
    private static let anyText: UInt16 = 0x101
    private static let danglingEscape: UInt16 = 0x102
    /// A byte of the text, or one of the above.
    private var tokens: [UInt16] = []
    private let foldsASCII: Bool

    init() { foldsASCII = false }

    /// `foldsASCII`: letters A to Z of pattern and text count as small ones.
    init(_ pattern: Span<UInt8>, foldsASCII: Bool) {
        self.foldsASCII = foldsASCII
        tokens.reserveCapacity(pattern.count)
        var index = 0
        while index < pattern.count {
            switch pattern[index] {
            case 0x25: tokens.append(Self.anyText)
            case 0x5f: tokens.append(Self.anyCharacter)
            case 0x5c:
                index += 1
                tokens.append(
                    index < pattern.count ? UInt16(foldsASCII ? Self.folded(pattern[index]) : pattern[index]) : Self.danglingEscape)
            default: tokens.append(UInt16(foldsASCII ? Self.folded(pattern[index]) : pattern[index]))
            }
            index += 1
        }
    }

    /// Throws `badPattern` as said above, `tooLarge` beyond the limit.
    func matches(_ text: Span<UInt8>, stepLimit: Int = LikePattern.stepLimit) throws(Refusal) -> Bool {
        var at = 0
        var token = 0
        /// Where matching goes on after a mismatch: the token after the last `%`, and the place in the text tried last.
        var retry: (token: Int, at: Int)?
        var steps = 0
        while true {
            steps += 1
            guard steps <= stepLimit else { throw .tooLarge }
            if at >= text.count { return tokens[token...].allSatisfy { $0 == Self.anyText } }
            if token < tokens.count {
                switch tokens[token] {
                case Self.danglingEscape: throw .badPattern
                case Self.anyText:
                    token += 1
                    while token < tokens.count {
                        if tokens[token] == Self.anyCharacter {
                            if at >= text.count { return false }
                            at = Self.next(text, at)
                        } else if tokens[token] != Self.anyText {
                            break
                        }
                        token += 1
                    }
                    if token >= tokens.count { return true }
                    if tokens[token] == Self.danglingEscape { throw .badPattern }
                    if at >= text.count { return false }
                    retry = (token, at)
                    continue
                case Self.anyCharacter:
                    at = Self.next(text, at)
                    token += 1
                    continue
                case let byte:
                    if byte == UInt16(foldsASCII ? Self.folded(text[at]) : text[at]) {
                        at += 1
                        token += 1
                        continue
                    }
                }
            }
            guard let last = retry else { return false }
            at = Self.next(text, last.at)
            if at >= text.count { return false }
            token = last.token
            retry = (token, at)
        }
    }

    /// The start of the character after the one at `index`.
    private static func next(_ text: Span<UInt8>, _ index: Int) -> Int {
        var index = index + 1
        while index < text.count, text[index] & 0xc0 == 0x80 { index += 1 }
        return index
    }

    private static func folded(_ byte: UInt8) -> UInt8 { (0x41...0x5a).contains(byte) ? byte + 0x20 : byte }
}
