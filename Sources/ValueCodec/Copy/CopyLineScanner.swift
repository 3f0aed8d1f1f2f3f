import Diagnostics

/// Finds the ends of rows in COPY data, as PostgreSQL's CopyReadLineText: quoted newlines (csv), one newline style for the
/// whole stream, and the end marker `\.`.
struct CopyLineScanner {
    enum Newline { case lf, cr, crlf }
    enum Found {
        /// More bytes are needed.
        case incomplete
        /// The row's bytes end at `end`; the next row begins at `next`.
        case row(end: Int, next: Int)
        /// `\.`; what is before it, if anything, is a last row. It ends at `next`; whatever follows is ignored.
        case marker(end: Int, next: Int)
        /// The stream ended in the row, without a newline.
        case last(end: Int)
    }

    let isCSV: Bool
    private let quote: UInt8
    /// 0 if it is the quote itself.
    private let escape: UInt8
    private(set) var newline: Newline?

    // Within one row, kept while bytes are missing.
    private var index = 0
    private var isQuoted = false
    private var wasEscape = false

    init(_ format: CopyFormat) {
        isCSV = format.kind == .csv
        quote = format.quote
        escape = format.escape == format.quote ? 0 : format.escape
    }

    /// Looks for the end of the row that begins at `start`; called again with the same `start` and more bytes, it goes on
    /// where it stopped. `isEnd`: no more bytes will come.
    mutating func scan(_ bytes: Span<UInt8>, from start: Int, isEnd: Bool) throws(CloisterError) -> Found {
        if index < start { index = start }
        let count = bytes.count
        while true {
            // What most bytes are.
            if isCSV {
                while index < count, bytes[index] != quote, bytes[index] != escape || escape == 0, bytes[index] != 0x0a,
                    bytes[index] != 0x0d, bytes[index] != ascii("\\")
                {
                    wasEscape = false
                    index += 1
                }
            } else {
                while index < count, bytes[index] != 0x0a, bytes[index] != 0x0d, bytes[index] != ascii("\\") { index += 1 }
            }
            guard index < count else { return isEnd ? finish(.last(end: count)) : .incomplete }
            let position = index
            let byte = bytes[position]
            let next: UInt8? = position + 1 < count ? bytes[position + 1] : nil
            if next == nil, !isEnd, byte == ascii("\\") || byte == 0x0d { return .incomplete }
            if isCSV {
                let before = (isQuoted, wasEscape)
                if isQuoted, escape != 0, byte == escape { wasEscape.toggle() }
                if byte == quote, !wasEscape { isQuoted.toggle() }
                if escape == 0 || byte != escape { wasEscape = false }
                if byte == ascii("\\"), position == start {
                    guard let found = try marker(bytes, position, isEnd) else {
                        // Undecided: look again, from the same state, when more is there.
                        (isQuoted, wasEscape) = before
                        return .incomplete
                    }
                    if case .marker = found { return finish(found) }
                }
                index = position + 1
                if isQuoted { continue }
            } else if byte == ascii("\\") {
                guard next != nil else { return finish(.last(end: count)) }
                guard let found = try marker(bytes, position, isEnd) else { return .incomplete }
                if case .marker = found { return finish(found) }
                index = position + 2
                continue
            } else {
                index = position + 1
            }
            if byte == 0x0d {
                if newline == .lf { throw literal("carriage return", "\\r") }
                if newline != .cr {
                    if next == 0x0a {
                        newline = .crlf
                        return finish(.row(end: position, next: position + 2))
                    }
                    if newline == .crlf { throw literal("carriage return", "\\r") }
                    newline = .cr
                }
                return finish(.row(end: position, next: position + 1))
            }
            if byte == 0x0a {
                if newline == .cr || newline == .crlf { throw literal("newline", "\\n") }
                newline = .lf
                return finish(.row(end: position, next: position + 1))
            }
        }
    }

    /// Tells the scanner that the bytes before `offset` were dropped.
    mutating func rebase(by offset: Int) { index = max(0, index - offset) }

    private mutating func finish(_ found: Found) -> Found {
        isQuoted = false
        wasEscape = false
        return found
    }

    /// What a backslash at `position` is: `.marker`, or anything else if it is data; nil if more bytes are needed.
    private func marker(_ bytes: Span<UInt8>, _ position: Int, _ isEnd: Bool) throws(CloisterError) -> Found? {
        var next = position + 1
        guard next < bytes.count, bytes[next] == ascii(".") else { return .incomplete }
        func corrupt() throws(CloisterError) -> Found {
            if isCSV { return .incomplete }  // a value that begins like the marker
            throw CopyError.data("end-of-copy marker corrupt")
        }
        next += 1
        if newline == .crlf {
            guard next < bytes.count || isEnd else { return nil }
            let byte = next < bytes.count ? bytes[next] : 0
            if byte == 0x0a, !isCSV { throw CopyError.data("end-of-copy marker does not match previous newline style") }
            guard byte == 0x0d else { return try corrupt() }
            next += 1
        }
        guard next < bytes.count || isEnd else { return nil }
        let byte = next < bytes.count ? bytes[next] : 0
        guard byte == 0x0a || byte == 0x0d else { return try corrupt() }
        if let newline, (newline == .cr) != (byte == 0x0d) {
            throw CopyError.data("end-of-copy marker does not match previous newline style")
        }
        return .marker(end: position, next: next + 1)
    }

    private func literal(_ name: String, _ escape: String) -> CloisterError {
        isCSV
            ? CopyError.data("unquoted \(name) found in data", hint: "Use quoted CSV field to represent \(name).")
            : CopyError.data("literal \(name) found in data", hint: "Use \"\(escape)\" to represent \(name).")
    }
}
