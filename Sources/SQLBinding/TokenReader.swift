internal import Diagnostics

/// Reads the words of statements and clauses that PostgreSQL's grammar does not have, token by token.
struct TokenReader {
    let text: [UInt8]
    let tokens: [Token]
    let standardConformingStrings: Bool
    /// The next token.
    private(set) var at: Int
    /// Behind the last one.
    let end: Int

    init(_ text: [UInt8], _ tokens: [Token], standardConformingStrings: Bool, _ range: Range<Int>) {
        self.text = text
        self.tokens = tokens
        self.standardConformingStrings = standardConformingStrings
        at = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { at >= end }

    func isWord(_ index: Int, _ word: StaticString) -> Bool {
        index < end && tokens[index].kind == .word && text.matches(word, in: tokens[index].range)
    }

    func isSymbol(_ index: Int, _ symbol: StaticString) -> Bool {
        index < end && tokens[index].kind == .symbol && text.matches(symbol, in: tokens[index].range)
    }

    mutating func accept(_ words: StaticString...) -> Bool {
        for (offset, word) in words.enumerated() where !isWord(at + offset, word) { return false }
        at += words.count
        return true
    }

    mutating func accept(symbol: StaticString) -> Bool {
        guard isSymbol(at, symbol) else { return false }
        at += 1
        return true
    }

    func failure(_ what: String) -> Halt {
        let offset = at < tokens.count ? tokens[min(at, max(end - 1, 0))].start : text.count
        return .refused(CloisterError(.keyStatementRefused, what, hint: "docs/sql.md has the forms"), at: offset)
    }

    mutating func expect(_ word: StaticString) throws(Halt) {
        guard accept(word) else { throw failure("\(String(describing: word).uppercased()) is missing") }
    }

    mutating func expect(symbol: StaticString) throws(Halt) {
        guard accept(symbol: symbol) else { throw failure("'\(symbol)' is missing") }
    }

    /// An identifier as PostgreSQL reads it: folded, or as quoted.
    mutating func name(_ what: String) throws(Halt) -> String {
        guard at < end else { throw failure("\(what) is missing") }
        let token = tokens[at]
        let bytes: [UInt8]
        switch token.kind {
        case .word: bytes = text[token.range].map { $0 >= 0x41 && $0 <= 0x5a ? $0 | 0x20 : $0 }
        case .quotedIdentifier where text[token.start] == UInt8(ascii: "\""):
            bytes = Array(String(decoding: text[token.start + 1..<token.end - 1], as: UTF8.self).replacing("\"\"", with: "\"").utf8)
        default: throw failure("\(what) is missing")
        }
        at += 1
        guard !isSymbol(at, ".") else { throw failure("\(what) has no schema") }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A name, or a string constant.
    mutating func value(_ what: String) throws(Halt) -> String {
        guard at < end, tokens[at].kind.isString else { return try name(what) }
        guard let bytes = LiteralDecoding.value(of: tokens[at], in: text, standardConformingStrings: standardConformingStrings) else {
            throw failure("\(what) is malformed")
        }
        at += 1
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `( key = value, … )`; keys in lower case, each once.
    mutating func options() throws(Halt) -> [String: String] {
        try expect(symbol: "(")
        var options: [String: String] = [:]
        repeat {
            let key = try name("an option's name").lowercased()
            try expect(symbol: "=")
            // What its value is does not matter: these are refused by their names.
            if key == "encrypted_value" {
                throw failure("ENCRYPTED_VALUE: a column key is made by the proxy and never comes from a client; leave it out")
            }
            let value = try value("the value of \(key.uppercased())")
            guard options.updateValue(value, forKey: key) == nil else { throw failure("\(key.uppercased()) is given twice") }
        } while accept(symbol: ",")
        try expect(symbol: ")")
        return options
    }
}
