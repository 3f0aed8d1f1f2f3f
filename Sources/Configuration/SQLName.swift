/// Names of tables and columns as a configuration file writes them: like SQL, except that nothing is folded silently.
///
/// An unquoted name must be what PostgreSQL makes of it anyway (lower-case letters, digits, `_`, `$`). A name with capitals
/// or other characters stands in double quotes, as in SQL. Were `People` accepted and read exactly, `CREATE TABLE People`
/// would make table `people`, which would then not be marked, and plaintext would reach the server.
enum SQLName {
    /// PostgreSQL cuts longer names (NAMEDATALEN - 1), which makes them another name.
    static let maximumBytes = 63

    enum Problem: Equatable {
        case empty, tooLong, unbalancedQuotes
        /// The character can't stand in an unquoted name; `folded` is what PostgreSQL would read, if that is all.
        case needsQuotes(name: String)
        case wrongPartCount(Int)

        func sentence(expected: String) -> String {
            switch self {
            case .empty: "expected \(expected), found an empty name"
            case .tooLong: "a name is longer than \(SQLName.maximumBytes) bytes; PostgreSQL would cut it"
            case .unbalancedQuotes: "a double quote is missing or stands inside a name"
            case .needsQuotes(let name):
                "'\(name)' is not a plain lower-case name; write it in double quotes as in SQL ('\"\(name)\"') if it was created so, "
                    + "else in lower case"
            case .wrongPartCount(let count): "expected \(expected), found \(count) part\(count == 1 ? "" : "s")"
            }
        }
    }

    /// Splits `a.b`, `"A".b`, `"x.y"` into names without quotes.
    static func parse(_ text: String, parts count: Int) throws(ParseFailure) -> [String] {
        var names: [String] = []
        var rest = Substring(text)
        while true {
            var name = ""
            if rest.first == "\"" {
                rest.removeFirst()
                while true {
                    guard let next = rest.popFirst() else { throw ParseFailure(.unbalancedQuotes) }
                    guard next == "\"" else {
                        name.append(next)
                        continue
                    }
                    guard rest.first == "\"" else { break }
                    name.append(rest.removeFirst())
                }
                guard !name.unicodeScalars.contains("\0") else { throw ParseFailure(.unbalancedQuotes) }
            } else {
                name = String(rest.prefix { $0 != "." })
                rest = rest.dropFirst(name.count)
                guard !name.contains("\"") else { throw ParseFailure(.unbalancedQuotes) }
                if !name.isEmpty, !isPlain(name) { throw ParseFailure(.needsQuotes(name: name)) }
            }
            guard !name.isEmpty else { throw ParseFailure(.empty) }
            guard name.utf8.count <= maximumBytes else { throw ParseFailure(.tooLong) }
            names.append(name)
            guard let dot = rest.popFirst() else { break }
            guard dot == "." else { throw ParseFailure(.unbalancedQuotes) }
        }
        guard names.count == count else { throw ParseFailure(.wrongPartCount(names.count)) }
        return names
    }

    struct ParseFailure: Error {
        let problem: Problem
        init(_ problem: Problem) { self.problem = problem }
    }

    /// PostgreSQL's unquoted identifier after folding (scan.l): ASCII letters are lower case; other letters stay as they are.
    static func isPlain(_ name: String) -> Bool {
        for (index, scalar) in name.unicodeScalars.enumerated() {
            switch scalar {
            case "a"..."z", "_": continue
            case "0"..."9", "$": if index == 0 { return false }
            default: if scalar.isASCII { return false }
            }
        }
        return !name.isEmpty
    }
}
