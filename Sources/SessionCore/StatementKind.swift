internal import NIOCore

/// What a statement's first keyword tells about its results.
struct StatementKind {
    /// The result's columns can't change while the statement lives ("cached plan must not change result type").
    let hasStableShape: Bool
    /// It never returns rows.
    let returnsNoRows: Bool

    init(_ text: [UInt8]) {
        switch Self.firstKeyword(text) {
        case "select", "insert", "update", "delete", "merge", "with", "values", "table": (hasStableShape, returnsNoRows) = (true, false)
        case "begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "set", "reset", "discard", "deallocate",
            "listen",
            "unlisten", "notify", "lock", "truncate", "create", "alter", "drop", "grant", "revoke", "comment", "vacuum", "analyze", "copy",
            "close", "declare", "prepare", "checkpoint", "":
            (hasStableShape, returnsNoRows) = (true, true)
        // FETCH, EXECUTE, EXPLAIN, SHOW, CALL, MOVE and what we don't know: described every time.
        default: (hasStableShape, returnsNoRows) = (false, false)
        }
    }

    /// The first word in lower case, past white space, comments and opening parentheses; empty if there is none.
    static func firstKeyword(_ text: [UInt8]) -> String {
        var index = 0
        func at(_ offset: Int) -> UInt8 { index + offset < text.count ? text[index + offset] : 0 }
        scan: while index < text.count {
            switch text[index] {
            case 0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x28, 0x3b: index += 1
            case 0x2d where at(1) == 0x2d:
                while index < text.count, text[index] != 0x0a, text[index] != 0x0d { index += 1 }
            case 0x2f where at(1) == 0x2a:
                var depth = 0
                repeat {
                    if at(0) == 0x2f, at(1) == 0x2a {
                        depth += 1
                        index += 2
                    } else if at(0) == 0x2a, at(1) == 0x2f {
                        depth -= 1
                        index += 2
                    } else {
                        index += 1
                    }
                } while depth > 0 && index < text.count
            default: break scan
            }
        }
        var word = ""
        while index < text.count, word.utf8.count < 16 {
            let byte = text[index] | 0x20
            guard (0x61...0x7a).contains(byte) else { break }
            word.unicodeScalars.append(Unicode.Scalar(byte))
            index += 1
        }
        return word
    }
}
