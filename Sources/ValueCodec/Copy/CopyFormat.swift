package import Diagnostics

/// The options of one COPY in text or csv format, checked as PostgreSQL 15's ProcessCopyOptions does.
package struct CopyFormat: Sendable, Hashable {
    package enum Kind: Sendable, Hashable { case text, csv }
    package enum Header: Sendable, Hashable {
        case none
        /// COPY FROM ignores the first line, COPY TO writes the columns' names.
        case present
        /// COPY FROM requires the first line to be the columns' names.
        case match
    }

    package let kind: Kind
    package let delimiter: UInt8
    /// What stands for NULL.
    package let null: [UInt8]
    /// csv only.
    package let quote: UInt8
    /// csv only.
    package let escape: UInt8
    package let header: Header
    /// csv, COPY TO: columns (indexes into the row) that are quoted always.
    package let forceQuote: Set<Int>
    /// csv, COPY FROM: columns whose NULL marker is a value.
    package let forceNotNull: Set<Int>
    /// csv, COPY FROM: columns whose quoted NULL marker is NULL too.
    package let forceNull: Set<Int>

    /// nil means the format's default. Throws 22023 or 0A000 with PostgreSQL's message.
    package init(
        _ kind: Kind, delimiter: UInt8? = nil, null: [UInt8]? = nil, quote: UInt8? = nil, escape: UInt8? = nil,
        header: Header = .none, forceQuote: Set<Int> = [], forceNotNull: Set<Int> = [], forceNull: Set<Int> = []
    ) throws(CloisterError) {
        self.kind = kind
        self.delimiter = delimiter ?? (kind == .csv ? ascii(",") : 0x09)
        self.null = null ?? (kind == .csv ? [] : [ascii("\\"), ascii("N")])
        self.quote = quote ?? ascii("\"")
        self.escape = escape ?? self.quote
        self.header = header
        self.forceQuote = forceQuote
        self.forceNotNull = forceNotNull
        self.forceNull = forceNull

        if self.delimiter == 0x0a || self.delimiter == 0x0d {
            throw CopyError.option("COPY delimiter cannot be newline or carriage return")
        }
        if self.null.contains(where: { $0 == 0x0a || $0 == 0x0d }) {
            throw CopyError.option("COPY null representation cannot use newline or carriage return")
        }
        switch kind {
        case .text:
            let byte = self.delimiter
            if byte == ascii("\\") || byte == ascii(".") || byte.isDigit || (byte.isAlpha && byte == byte.lowercased) {
                throw CopyError.option("COPY delimiter cannot be this character")
            }
            if quote != nil { throw ValueError.unsupported("COPY quote available only in CSV mode") }
            if escape != nil { throw ValueError.unsupported("COPY escape available only in CSV mode") }
            if !forceQuote.isEmpty { throw ValueError.unsupported("COPY force quote available only in CSV mode") }
            if !forceNotNull.isEmpty { throw ValueError.unsupported("COPY force not null available only in CSV mode") }
            if !forceNull.isEmpty { throw ValueError.unsupported("COPY force null available only in CSV mode") }
        case .csv:
            if self.delimiter == self.quote { throw CopyError.option("COPY delimiter and quote must be different") }
            if self.null.contains(self.quote) {
                throw ValueError.unsupported("CSV quote character must not appear in the NULL specification")
            }
        }
        if self.null.contains(self.delimiter) {
            throw ValueError.unsupported("COPY delimiter must not appear in the NULL specification")
        }
    }

    /// Appends a value as COPY TO writes it, quoted or escaped as needed. `isOnlyColumn`: the row has no other.
    package func append(_ value: [UInt8], column: Int, isOnlyColumn: Bool, to output: inout [UInt8]) {
        switch kind {
        case .text: appendEscaped(value, to: &output)
        case .csv:
            let isQuoted =
                forceQuote.contains(column) || value == null || (isOnlyColumn && value == [ascii("\\"), ascii(".")])
                || value.contains { $0 == delimiter || $0 == quote || $0 == 0x0a || $0 == 0x0d }
            guard isQuoted else { return output.append(contentsOf: value) }
            output.append(quote)
            for byte in value {
                if byte == quote || byte == escape { output.append(escape) }
                output.append(byte)
            }
            output.append(quote)
        }
    }

    private func appendEscaped(_ value: [UInt8], to output: inout [UInt8]) {
        for byte in value {
            if byte < 0x20 {
                switch byte {
                case 0x08: output.append(ascii: "\\b")
                case 0x0c: output.append(ascii: "\\f")
                case 0x0a: output.append(ascii: "\\n")
                case 0x0d: output.append(ascii: "\\r")
                case 0x09: output.append(ascii: "\\t")
                case 0x0b: output.append(ascii: "\\v")
                default:
                    if byte == delimiter { output.append(ascii("\\")) }
                    output.append(byte)
                }
            } else {
                if byte == ascii("\\") || byte == delimiter { output.append(ascii("\\")) }
                output.append(byte)
            }
        }
    }
}
