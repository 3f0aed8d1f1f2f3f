internal import Diagnostics
internal import Yams

/// Walks a YAML tree and collects what is wrong with it, each mistake at its place.
///
/// A reader never throws on content: it notes the mistake, returns nil and lets its caller go on, so that one run reports
/// everything. Messages tell the kind of what was found, not its text: a file may hold a password at the wrong place.
struct YAMLReader {
    let file: String
    private(set) var problems: [(line: Int, column: Int, error: CloisterError)] = []

    init(file: String) { self.file = file }

    func location(_ mark: Mark?) -> String { mark.map { "\(file):\($0.line):\($0.column)" } ?? file }

    mutating func note(_ code: ErrorCode, _ message: String, hint: String = "", at mark: Mark?) {
        let error = CloisterError(code, message, hint: hint, location: location(mark))
        problems.append((mark?.line ?? 0, mark?.column ?? 0, error))
    }

    /// In the file's order.
    var sortedProblems: [CloisterError] {
        problems.enumerated().sorted { ($0.element.line, $0.element.column, $0.offset) < ($1.element.line, $1.element.column, $1.offset) }
            .map(\.element.error)
    }

    /// One entry of a mapping.
    struct Entry {
        let key: String
        let keyMark: Mark?
        let value: Node
    }

    /// The entries of a mapping; keys that are not text are noted and left out.
    mutating func entries(_ node: Node, _ what: String) -> [Entry]? {
        guard let mapping = node.mapping else {
            note(.configurationWrongKind, "\(what): expected a mapping, found \(kind(node))", at: node.mark)
            return nil
        }
        var entries: [Entry] = []
        for (key, value) in mapping {
            guard let text = key.scalar?.string, Resolver.default.resolveTag(of: key) == .str else {
                note(
                    .configurationWrongKind, "\(what): expected a name as key, found \(kind(key))",
                    hint: "put quotes around a name that YAML reads as something else", at: key.mark)
                continue
            }
            entries.append(Entry(key: text, keyMark: key.mark, value: value))
        }
        return entries
    }

    /// The entries of a mapping with fixed keys. Unknown keys and missing ones are noted.
    mutating func section(_ node: Node, _ what: String, required: [String], optional: [String] = []) -> [String: Entry]? {
        guard let entries = entries(node, what) else { return nil }
        var section: [String: Entry] = [:]
        let known = required + optional
        for entry in entries {
            guard known.contains(entry.key) else {
                noteUnknownKey(entry, in: what, known: known)
                continue
            }
            section[entry.key] = entry
        }
        for key in required where section[key] == nil {
            note(.configurationMissing, "\(what): key '\(key)' is missing", at: node.mark)
        }
        return section
    }

    mutating func noteUnknownKey(_ entry: Entry, in what: String, known: [String]) {
        var hint = "known keys: " + known.joined(separator: ", ")
        if entry.key.lowercased().contains("password") || entry.key.lowercased() == "passphrase" {
            hint = "secrets do not belong into this file; name a file that holds it (password_file, passphrase_file)"
        } else if entry.key.hasSuffix(")") {
            hint = "between braces a text with a comma needs quotes: 'numeric(10,2)'"
        } else if let meant = DidYouMean.suggestion(for: entry.key, among: known) {
            hint = "did you mean '\(meant)'?"
        }
        note(.configurationUnknownKey, "\(what): unknown key '\(entry.key)'", hint: hint, at: entry.keyMark)
    }

    /// A non-empty text.
    mutating func text(_ node: Node, _ what: String) -> String? {
        guard let scalar = node.scalar, Resolver.default.resolveTag(of: node) == .str else {
            note(.configurationWrongKind, "\(what): expected a text, found \(kind(node))", at: node.mark)
            return nil
        }
        guard !scalar.string.isEmpty, !scalar.string.unicodeScalars.contains("\0") else {
            note(.configurationWrongValue, "\(what): expected a text that is not empty", at: node.mark)
            return nil
        }
        return scalar.string
    }

    /// A text that `convert` understands; `expected` says what that is.
    mutating func value<T>(_ node: Node, _ what: String, expected: String, _ convert: (String) -> T?) -> T? {
        guard let text = text(node, what) else { return nil }
        guard let value = convert(text) else {
            note(.configurationWrongValue, "\(what): expected \(expected)", at: node.mark)
            return nil
        }
        return value
    }

    /// One of a few words.
    mutating func word<T>(_ node: Node, _ what: String, among words: [(String, T)], aliases: [String: String] = [:]) -> T? {
        guard let text = text(node, what) else { return nil }
        if let found = words.first(where: { $0.0 == text }) { return found.1 }
        let names = words.map(\.0)
        let meant = aliases[text.lowercased()] ?? DidYouMean.suggestion(for: text, among: names)
        note(
            .configurationWrongValue, "\(what): expected one of \(names.joined(separator: ", ")), found another word",
            hint: meant.map { "did you mean '\($0)'?" } ?? "", at: node.mark)
        return nil
    }

    /// `true` or `false`.
    mutating func boolean(_ node: Node, _ what: String) -> Bool? {
        guard let scalar = node.scalar, Resolver.default.resolveTag(of: node) == .bool, ["true", "false"].contains(scalar.string) else {
            note(.configurationWrongKind, "\(what): expected true or false, found \(kind(node))", at: node.mark)
            return nil
        }
        return scalar.string == "true"
    }

    mutating func integer(_ node: Node, _ what: String, in range: ClosedRange<Int>) -> Int? {
        guard node.scalar != nil, Resolver.default.resolveTag(of: node) == .int, let number = node.int else {
            note(.configurationWrongKind, "\(what): expected a whole number, found \(kind(node))", at: node.mark)
            return nil
        }
        guard range.contains(number) else {
            note(
                .configurationWrongValue, "\(what): expected a number from \(range.lowerBound) to \(range.upperBound)", at: node.mark)
            return nil
        }
        return number
    }

    /// A list whose elements `read` reads; elements that occur twice are noted.
    mutating func list<T: Hashable>(
        _ node: Node, _ what: String, atLeast: Int = 0, _ read: (inout Self, Node, String) -> T?
    ) -> [T]? {
        guard let sequence = node.sequence else {
            note(.configurationWrongKind, "\(what): expected a list, found \(kind(node))", at: node.mark)
            return nil
        }
        if sequence.count < atLeast {
            note(.configurationWrongValue, "\(what): expected a list of at least \(atLeast), found an empty one", at: node.mark)
        }
        var values: [T] = []
        var seen: Set<T> = []
        for (index, element) in sequence.enumerated() {
            guard let value = read(&self, element, "\(what)[\(index)]") else { continue }
            guard seen.insert(value).inserted else {
                note(.configurationWrongValue, "\(what): an element occurs twice", at: element.mark)
                continue
            }
            values.append(value)
        }
        return values
    }

    /// The kind of a node, in words: never its text.
    func kind(_ node: Node) -> String {
        switch node {
        case .mapping: return "a mapping"
        case .sequence: return "a list"
        case .alias: return "an alias"
        case .scalar:
            switch Resolver.default.resolveTag(of: node) {
            case .null: return "nothing"
            case .bool: return "a truth value (yes, no, on, off, true, false)"
            case .int: return "a whole number"
            case .float: return "a number"
            case .timestamp: return "a date"
            case .str: return "a text"
            default: return "a tagged value"
            }
        }
    }
}
