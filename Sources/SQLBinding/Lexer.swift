/// One token of a statement's text.
struct Token: Sendable, Hashable {
    enum Kind: UInt8, Sendable, Hashable {
        /// Unquoted identifier or keyword.
        case word
        /// `"…"` or `U&"…"` (with its UESCAPE).
        case quotedIdentifier
        /// `'…'`, with continuations over newlines.
        case string
        /// `E'…'`.
        case escapeString
        /// `U&'…'` with its UESCAPE.
        case unicodeString
        /// `$tag$…$tag$`.
        case dollarString
        /// `B'…'`, `X'…'`.
        case bitString
        case integer
        /// Anything numeric with a point or an exponent.
        case decimal
        /// `$1`.
        case parameter
        /// Operator or punctuation.
        case symbol

        var isString: Bool { self == .string || self == .escapeString || self == .unicodeString || self == .dollarString }
        var isNumber: Bool { self == .integer || self == .decimal }
        /// Whether the token's text is a value that may differ between two uses of one template.
        var isLiteral: Bool { isString || isNumber }
    }
    var kind: Kind
    var start: Int
    var end: Int

    var range: Range<Int> { start..<end }
}

/// PostgreSQL's lexical rules (src/backend/parser/scan.l of PostgreSQL 15; manual 4.1), on bytes.
struct Lexer {
    /// Where lexing stopped.
    struct Failure: Error { var offset: Int; var what: String }

    /// PostgreSQL's words, with its SQLSTATE 0A000.
    static let unsafeUnicode = "unsafe use of string constant with Unicode escapes"

    private let text: [UInt8]
    private let standardConforming: Bool
    private var at = 0
    private var tokens: [Token] = []

    /// The tokens of `text`, without comments and white space.
    static func tokens(of text: [UInt8], standardConformingStrings: Bool) throws(Failure) -> [Token] {
        var lexer = Lexer(text, standardConformingStrings)
        try lexer.run()
        return lexer.tokens
    }

    private init(_ text: [UInt8], _ standardConforming: Bool) {
        self.text = text
        self.standardConforming = standardConforming
        tokens.reserveCapacity(text.count / 5 + 4)
    }

    private func byte(_ i: Int) -> UInt8 { i < text.count ? text[i] : 0 }

    private mutating func emit(_ kind: Token.Kind, to end: Int) {
        tokens.append(Token(kind: kind, start: at, end: end))
        at = end
    }

    private mutating func run() throws(Failure) {
        while at < text.count {
            let c = text[at]
            switch c {
            case UInt8(ascii: " "), 9, 10, 12, 13:
                at += 1
            case UInt8(ascii: "-") where byte(at + 1) == UInt8(ascii: "-"):
                at = endOfLine(at)
            case UInt8(ascii: "/") where byte(at + 1) == UInt8(ascii: "*"):
                at = try endOfBlockComment(at)
            case UInt8(ascii: "'"):
                try quoted(.string, contentFrom: at + 1)
            case UInt8(ascii: "\""):
                try identifier(contentFrom: at + 1)
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                if byte(at + 1) == UInt8(ascii: "'") { try quoted(.escapeString, contentFrom: at + 2) } else { word() }
            case UInt8(ascii: "b"), UInt8(ascii: "B"), UInt8(ascii: "x"), UInt8(ascii: "X"):
                if byte(at + 1) == UInt8(ascii: "'") { try quoted(.bitString, contentFrom: at + 2) } else { word() }
            case UInt8(ascii: "n"), UInt8(ascii: "N"):
                // N'…' is the keyword NCHAR and then a string: the word is the token, the string follows.
                if byte(at + 1) == UInt8(ascii: "'") { emit(.word, to: at + 1) } else { word() }
            case UInt8(ascii: "u"), UInt8(ascii: "U"):
                if byte(at + 1) == UInt8(ascii: "&"), byte(at + 2) == UInt8(ascii: "'") {
                    try quoted(.unicodeString, contentFrom: at + 3)
                    try joinUescape()
                } else if byte(at + 1) == UInt8(ascii: "&"), byte(at + 2) == UInt8(ascii: "\"") {
                    try identifier(contentFrom: at + 3)
                    try joinUescape()
                } else {
                    word()
                }
            case UInt8(ascii: "$"):
                try dollar()
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                number()
            case UInt8(ascii: "."):
                if Self.isDigit(byte(at + 1)) { number() } else { emit(.symbol, to: byte(at + 1) == c ? at + 2 : at + 1) }
            case UInt8(ascii: ":"):
                let next = byte(at + 1)
                emit(.symbol, to: next == c || next == UInt8(ascii: "=") ? at + 2 : at + 1)
            default:
                if Self.isWordStart(c) {
                    word()
                } else if Self.isOperator(c) {
                    try `operator`()
                } else {
                    emit(.symbol, to: at + 1)
                }
            }
        }
    }

    // MARK: Words and numbers

    static func isWordStart(_ c: UInt8) -> Bool {
        (c | 0x20) >= UInt8(ascii: "a") && (c | 0x20) <= UInt8(ascii: "z") || c == UInt8(ascii: "_") || c >= 0x80
    }
    static func isDigit(_ c: UInt8) -> Bool { c >= UInt8(ascii: "0") && c <= UInt8(ascii: "9") }
    static func isWordPart(_ c: UInt8) -> Bool { isWordStart(c) || isDigit(c) || c == UInt8(ascii: "$") }
    private static func isSpace(_ c: UInt8) -> Bool { c == 32 || c == 9 || c == 10 || c == 12 || c == 13 }
    private static func isOperator(_ c: UInt8) -> Bool {
        switch c {
        case UInt8(ascii: "~"), UInt8(ascii: "!"), UInt8(ascii: "@"), UInt8(ascii: "#"), UInt8(ascii: "^"), UInt8(ascii: "&"),
            UInt8(ascii: "|"),
            UInt8(ascii: "`"), UInt8(ascii: "?"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "*"), UInt8(ascii: "/"),
            UInt8(ascii: "%"),
            UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "="):
            true
        default: false
        }
    }

    private mutating func word() {
        var end = at + 1
        while end < text.count, Self.isWordPart(text[end]) { end += 1 }
        emit(.word, to: end)
    }

    private func digits(from i: Int) -> Int {
        var end = i
        while Self.isDigit(byte(end)) { end += 1 }
        return end
    }

    private mutating func number() {
        var end = digits(from: at)
        var kind = Token.Kind.integer
        // `1..2` is an integer and two dots.
        if byte(end) == UInt8(ascii: "."), byte(end + 1) != UInt8(ascii: ".") || end == at {
            end = digits(from: end + 1)
            kind = .decimal
        }
        if byte(end) | 0x20 == UInt8(ascii: "e") {
            let sign = byte(end + 1) == UInt8(ascii: "+") || byte(end + 1) == UInt8(ascii: "-") ? 1 : 0
            if Self.isDigit(byte(end + 1 + sign)) {
                end = digits(from: end + 1 + sign)
                kind = .decimal
            }
        }
        emit(kind, to: end)
    }

    /// The longest run of operator characters that does not contain the start of a comment; a trailing + or - belongs to
    /// it only if it has one of `~ ! @ # ^ & | ? % `` ` (manual 4.1.3).
    private mutating func `operator`() throws(Failure) {
        var end = at
        while end < text.count, Self.isOperator(text[end]) {
            if end > at, text[end] == UInt8(ascii: "-"), byte(end + 1) == UInt8(ascii: "-") { break }
            if end > at, text[end] == UInt8(ascii: "/"), byte(end + 1) == UInt8(ascii: "*") { break }
            end += 1
        }
        if end - at > 1, text[end - 1] == UInt8(ascii: "+") || text[end - 1] == UInt8(ascii: "-") {
            let special = text[at..<end].contains { c in
                switch c {
                case UInt8(ascii: "~"), UInt8(ascii: "!"), UInt8(ascii: "@"), UInt8(ascii: "#"), UInt8(ascii: "^"), UInt8(ascii: "&"),
                    UInt8(ascii: "|"), UInt8(ascii: "`"), UInt8(ascii: "?"), UInt8(ascii: "%"):
                    true
                default: false
                }
            }
            if !special {
                while end - at > 1, text[end - 1] == UInt8(ascii: "+") || text[end - 1] == UInt8(ascii: "-") { end -= 1 }
            }
        }
        emit(.symbol, to: end)
    }

    // MARK: Comments

    private func endOfLine(_ i: Int) -> Int {
        var end = i
        while end < text.count, text[end] != 10, text[end] != 13 { end += 1 }
        return end
    }

    private func endOfBlockComment(_ i: Int) throws(Failure) -> Int {
        var depth = 0
        var end = i
        repeat {
            guard end + 1 < text.count else { throw Failure(offset: i, what: "unterminated comment") }
            if text[end] == UInt8(ascii: "/"), text[end + 1] == UInt8(ascii: "*") {
                depth += 1
                end += 2
            } else if text[end] == UInt8(ascii: "*"), text[end + 1] == UInt8(ascii: "/") {
                depth -= 1
                end += 2
            } else {
                end += 1
            }
        } while depth > 0
        return end
    }

    // MARK: Strings

    /// A quoted constant and its continuations. `contentFrom`: the byte after the first quote.
    private mutating func quoted(_ kind: Token.Kind, contentFrom: Int) throws(Failure) {
        let escapes = kind == .escapeString || (kind == .string && !standardConforming)
        guard kind != .unicodeString || standardConforming else {
            throw Failure(offset: at, what: Self.unsafeUnicode)
        }
        var end = contentFrom
        while true {
            guard end < text.count else { throw Failure(offset: at, what: "unterminated string constant") }
            if text[end] == UInt8(ascii: "'") {
                if byte(end + 1) == UInt8(ascii: "'"), kind != .bitString {
                    end += 2
                } else if let more = Self.continuation(in: text, from: end + 1) {
                    end = more
                } else {
                    emit(kind, to: end + 1)
                    return
                }
            } else if escapes, text[end] == UInt8(ascii: "\\") {
                end += 2
            } else {
                end += 1
            }
        }
    }

    /// After a closing quote: white space with a newline (and `--` comments) and another quote continue the constant.
    /// Returns the first byte after that quote.
    static func continuation(in text: [UInt8], from start: Int) -> Int? {
        var i = start
        var sawNewline = false
        while i < text.count {
            switch text[i] {
            case 10, 13:
                sawNewline = true
                i += 1
            case 32, 9, 12:
                i += 1
            case UInt8(ascii: "-") where i + 1 < text.count && text[i + 1] == UInt8(ascii: "-"):
                while i < text.count, text[i] != 10, text[i] != 13 { i += 1 }
                // A comment that ends with the text continues nothing.
                if i == text.count { return nil }
            case UInt8(ascii: "'"):
                return sawNewline ? i + 1 : nil
            default:
                return nil
            }
        }
        return nil
    }

    private mutating func identifier(contentFrom: Int) throws(Failure) {
        var end = contentFrom
        while true {
            guard end < text.count else { throw Failure(offset: at, what: "unterminated quoted identifier") }
            if text[end] == UInt8(ascii: "\"") {
                guard byte(end + 1) == UInt8(ascii: "\"") else { break }
                end += 2
            } else {
                end += 1
            }
        }
        emit(.quotedIdentifier, to: end + 1)
    }

    /// `UESCAPE 'c'` belongs to the U& token before it.
    private mutating func joinUescape() throws(Failure) {
        let first = tokens.count - 1
        let saved = at
        var probe = Lexer(text, standardConforming)
        probe.at = at
        // The next two tokens, if they are UESCAPE and a string.
        while probe.tokens.count < 2, probe.at < text.count {
            let c = text[probe.at]
            if Self.isSpace(c) {
                probe.at += 1
            } else if c == UInt8(ascii: "-"), byte(probe.at + 1) == c {
                probe.at = endOfLine(probe.at)
            } else if c == UInt8(ascii: "/"), byte(probe.at + 1) == UInt8(ascii: "*") {
                probe.at = try endOfBlockComment(probe.at)
            } else if probe.tokens.isEmpty, c | 0x20 == UInt8(ascii: "u") {
                probe.word()
                guard text.matches("uescape", in: probe.tokens[0].range) else { break }
            } else if probe.tokens.count == 1, c == UInt8(ascii: "'") {
                try probe.quoted(.string, contentFrom: probe.at + 1)
            } else {
                break
            }
        }
        if probe.tokens.count == 2, text.matches("uescape", in: probe.tokens[0].range) {
            tokens[first].end = probe.tokens[1].end
            at = probe.at
        } else {
            at = saved
        }
    }

    private mutating func dollar() throws(Failure) {
        if Self.isDigit(byte(at + 1)) {
            emit(.parameter, to: digits(from: at + 1))
            return
        }
        var tagEnd = at + 1
        if Self.isWordStart(byte(tagEnd)) {
            while tagEnd < text.count, Self.isWordPart(text[tagEnd]), text[tagEnd] != UInt8(ascii: "$") { tagEnd += 1 }
        }
        guard byte(tagEnd) == UInt8(ascii: "$") else {
            emit(.symbol, to: at + 1)
            return
        }
        let tag = Array(text[at...tagEnd])
        var i = tagEnd + 1
        while i + tag.count <= text.count {
            if text[i] == UInt8(ascii: "$"), text[i..<i + tag.count].elementsEqual(tag) {
                emit(.dollarString, to: i + tag.count)
                return
            }
            i += 1
        }
        throw Failure(offset: at, what: "unterminated dollar-quoted string")
    }
}

extension [UInt8] {
    /// Whether the bytes of `range` are `word` (lower case ASCII), in any case.
    func matches(_ word: StaticString, in range: Range<Int>) -> Bool {
        guard range.count == word.utf8CodeUnitCount, range.upperBound <= count else { return false }
        var i = range.lowerBound
        for expected in String(describing: word).utf8 {
            let c = self[i]
            guard (c >= 0x41 && c <= 0x5a ? c | 0x20 : c) == expected else { return false }
            i += 1
        }
        return true
    }
}
