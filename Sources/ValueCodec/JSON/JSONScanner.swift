import Diagnostics

/// PostgreSQL 15's JSON grammar (RFC 8259; json_lex and pg_parse_json) over UTF-8 that was verified. Without recursion, so
/// that no input's nesting reaches the stack's end.
struct JSONScanner {
    /// What stands at one place of a text.
    enum Token: Equatable {
        case beginObject, endObject, beginArray, endArray, colon, comma
        case string(Range<Int>)
        case number(Range<Int>)
        case literal(Range<Int>)
        case end
    }

    /// PostgreSQL's bound is its stack (about 7,000 levels at the default max_stack_depth): never deeper than it.
    static let maximumDepth = 5000

    let text: [UInt8]
    private var index = 0

    init(_ text: [UInt8]) { self.text = text }

    private static func invalid() -> CloisterError { ValueError.syntax("json") }

    // MARK: Tokens

    private mutating func next() throws(CloisterError) -> Token {
        while index < text.count, [0x20, 0x09, 0x0a, 0x0d].contains(text[index]) { index += 1 }
        guard index < text.count else { return .end }
        let start = index
        switch text[index] {
        case ascii("{"): index += 1; return .beginObject
        case ascii("}"): index += 1; return .endObject
        case ascii("["): index += 1; return .beginArray
        case ascii("]"): index += 1; return .endArray
        case ascii(":"): index += 1; return .colon
        case ascii(","): index += 1; return .comma
        case ascii("\""): return try string()
        case ascii("-"): return try number()
        case let byte where byte.isDigit: return try number()
        default:
            while index < text.count, Self.isWord(text[index]) { index += 1 }
            let word = text[start..<index]
            for known in ["true", "false", "null"] where word.elementsEqual(known.utf8) { return .literal(start..<index) }
            throw Self.invalid()
        }
    }

    private static func isWord(_ byte: UInt8) -> Bool { byte.isAlphaNumeric || byte == ascii("_") || byte >= 0x80 }

    /// The range is what lies between the quotes.
    private mutating func string() throws(CloisterError) -> Token {
        index += 1
        let start = index
        while index < text.count {
            switch text[index] {
            case ascii("\""):
                index += 1
                return .string(start..<index - 1)
            case 0..<0x20: throw Self.invalid()
            case ascii("\\"):
                guard index + 1 < text.count else { throw Self.invalid() }
                if text[index + 1] == ascii("u") {
                    guard index + 5 < text.count, text[index + 2...index + 5].allSatisfy({ $0.hexDigit != nil }) else {
                        throw Self.invalid()
                    }
                    index += 6
                } else {
                    guard "\"\\/bfnrt".utf8.contains(text[index + 1]) else { throw Self.invalid() }
                    index += 2
                }
            default: index += 1
            }
        }
        throw Self.invalid()
    }

    private mutating func number() throws(CloisterError) -> Token {
        let start = index
        func peek() -> UInt8 { index < text.count ? text[index] : 0 }
        if peek() == ascii("-") { index += 1 }
        guard peek().isDigit else { throw Self.invalid() }
        if peek() == ascii("0") { index += 1 } else { while peek().isDigit { index += 1 } }
        if peek() == ascii(".") {
            index += 1
            guard peek().isDigit else { throw Self.invalid() }
            while peek().isDigit { index += 1 }
        }
        if peek() | 0x20 == ascii("e") {
            index += 1
            if peek() == ascii("+") || peek() == ascii("-") { index += 1 }
            guard peek().isDigit else { throw Self.invalid() }
            while peek().isDigit { index += 1 }
        }
        guard index == text.count || !Self.isWord(text[index]) else { throw Self.invalid() }
        return .number(start..<index)
    }

    // MARK: Grammar

    /// Checks the whole text and hands its tokens to `body` in order, commas and colons left out; a string that is a key comes
    /// with `isKey`.
    mutating func scan(_ body: (Token, _ isKey: Bool) throws(CloisterError) -> Void) throws(CloisterError) {
        /// What the next token may be.
        enum Expected { case value, valueOrEnd, keyOrEnd, key, colon, commaOrEnd }
        var containers: [Token] = []
        var expected = Expected.value
        while true {
            let token = try next()
            switch (expected, token) {
            case (.value, .beginObject), (.valueOrEnd, .beginObject), (.value, .beginArray), (.valueOrEnd, .beginArray):
                guard containers.count < Self.maximumDepth else {
                    throw CloisterError(.tooDeep, "stack depth limit exceeded")
                }
                try body(token, false)
                containers.append(token)
                expected = token == .beginObject ? .keyOrEnd : .valueOrEnd
                continue
            case (.value, .string), (.valueOrEnd, .string), (.value, .number), (.valueOrEnd, .number), (.value, .literal),
                (.valueOrEnd, .literal):
                try body(token, false)
            case (.keyOrEnd, .string), (.key, .string):
                try body(token, true)
                expected = .colon
                continue
            case (.colon, .colon):
                expected = .value
                continue
            case (.keyOrEnd, .endObject), (.valueOrEnd, .endArray):
                try body(token, false)
                containers.removeLast()
            case (.commaOrEnd, .comma):
                expected = containers.last == .beginObject ? .key : .value
                continue
            case (.commaOrEnd, .endObject) where containers.last == .beginObject,
                (.commaOrEnd, .endArray) where containers.last == .beginArray:
                try body(token, false)
                containers.removeLast()
            default: throw Self.invalid()
            }
            // A value is complete.
            if containers.isEmpty {
                guard try next() == .end else { throw Self.invalid() }
                return
            }
            expected = .commaOrEnd
        }
    }

    /// json_in: nothing but the grammar.
    static func validate(_ text: [UInt8]) throws(CloisterError) {
        var scanner = JSONScanner(text)
        try scanner.scan { _, _ in }
    }
}
