package import Diagnostics

/// A client_encoding: the client's text ⇄ UTF-8, in which the proxy reads statements and cells hold text.
///
/// Follows PostgreSQL's conversions (https://www.postgresql.org/docs/15/multibyte.html), with its SQLSTATEs: 22021 for bytes that
/// are none of the encoding, 22P05 for a character that the client's encoding lacks.
package struct TextEncoding: Sendable {
    /// As PostgreSQL reports it.
    package let name: String
    /// nil: UTF-8 itself.
    private let table: EncodingTable?

    package static let utf8 = TextEncoding(name: "UTF8", table: nil)

    private init(name: String, table: EncodingTable?) {
        self.name = name
        self.table = table
    }

    /// nil: the encoding is not supported, or none. `name`: in any of PostgreSQL's spellings. `server`: the database's encoding,
    /// whose bytes SQL_ASCII leaves as they are.
    package init?(named name: String, server: String = "UTF8") {
        guard let canonical = EncodingName.canonical(name) else { return nil }
        if canonical == "UTF8" || (canonical == "SQL_ASCII" && EncodingName.canonical(server) == "UTF8") {
            self.init(name: canonical, table: nil)
        } else {
            guard let table = EncodingTable.named(canonical) else { return nil }
            self.init(name: canonical, table: table)
        }
    }

    /// Whether the client's bytes are UTF-8 already.
    package var isUTF8: Bool { table == nil }

    // MARK: Whole texts

    /// A text of the client's, verified.
    package func utf8(_ text: [UInt8]) throws(CloisterError) -> [UInt8] {
        guard !isUTF8 else {
            try TextCodec.verify(text.span)
            return text
        }
        var output: [UInt8] = []
        guard try decode(text, into: &output) == text.count else { throw invalid() }
        return output
    }

    /// A text for the client.
    package func encoded(_ text: [UInt8]) throws(CloisterError) -> [UInt8] {
        var output: [UInt8] = []
        guard try encode(text, into: &output) == text.count else { throw TextCodec.invalid() }
        return output
    }

    /// A message for the client: what its encoding lacks becomes `?`.
    package func message(_ text: String) -> [UInt8] {
        guard let table else { return Array(text.utf8) }
        var output: [UInt8] = []
        for scalar in text.unicodeScalars {
            if scalar.value < 0x80 {
                output.append(UInt8(scalar.value))
            } else if !table.append(scalar, to: &output) {
                output.append(ascii("?"))
            }
        }
        return output
    }

    // MARK: Parts of texts

    /// Appends the complete characters of a text and returns how many bytes they are: the rest is less than one character.
    package func decode(_ text: [UInt8], into output: inout [UInt8]) throws(CloisterError) -> Int {
        guard let table else {
            output.append(contentsOf: text)
            return text.count
        }
        output.reserveCapacity(output.count + text.count)
        var index = 0
        while index < text.count {
            if text[index] < 0x80 {
                output.append(text[index])
                index += 1
                continue
            }
            let end = index + table.length(text[index])
            guard end <= text.count else { break }
            guard let scalar = table.scalar(text[index..<end]) else {
                throw table.isWellFormed(text[index..<end]) ? unknown() : invalid()
            }
            output.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [])
            index = end
        }
        return index
    }

    /// As `decode`, from UTF-8 to the client's encoding.
    package func encode(_ text: [UInt8], into output: inout [UInt8]) throws(CloisterError) -> Int {
        guard let table else {
            output.append(contentsOf: text)
            return text.count
        }
        output.reserveCapacity(output.count + text.count)
        var index = 0
        while index < text.count {
            let lead = text[index]
            if lead < 0x80 {
                output.append(lead)
                index += 1
                continue
            }
            let end = index + (lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4)
            guard end <= text.count else { break }
            guard let scalar = String(validating: text[index..<end], as: UTF8.self)?.unicodeScalars.first else { throw TextCodec.invalid() }
            guard table.append(scalar, to: &output) else { throw untranslatable() }
            index = end
        }
        return index
    }

    private func invalid() -> CloisterError {
        CloisterError(.invalidByteSequence, "invalid byte sequence for encoding \"\(name)\"")
    }

    private func unknown() -> CloisterError {
        CloisterError(.untranslatable, "a character in encoding \"\(name)\" has no equivalent in encoding \"UTF8\"")
    }

    private func untranslatable() -> CloisterError {
        CloisterError(
            .untranslatable, "a character of an encrypted value has no equivalent in encoding \"\(name)\"",
            hint: "SET client_encoding TO 'UTF8'.")
    }
}

extension TextEncoding: Hashable {
    package static func == (a: Self, b: Self) -> Bool { a.name == b.name }
    package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

/// Text that comes in pieces, which may end within a character.
package struct EncodedStream: Sendable {
    private let encoding: TextEncoding
    private var incoming: [UInt8] = []
    private var outgoing: [UInt8] = []

    package init(_ encoding: TextEncoding) { self.encoding = encoding }

    package mutating func utf8(_ piece: [UInt8]) throws(CloisterError) -> [UInt8] {
        guard !encoding.isUTF8 else { return piece }
        incoming.append(contentsOf: piece)
        var output: [UInt8] = []
        incoming.removeFirst(try encoding.decode(incoming, into: &output))
        return output
    }

    package mutating func encoded(_ piece: [UInt8]) throws(CloisterError) -> [UInt8] {
        guard !encoding.isUTF8 else { return piece }
        outgoing.append(contentsOf: piece)
        var output: [UInt8] = []
        outgoing.removeFirst(try encoding.encode(outgoing, into: &output))
        return output
    }

    /// Throws 22021 if the text ended within a character.
    package func finish() throws(CloisterError) {
        guard incoming.isEmpty, outgoing.isEmpty else {
            throw CloisterError(.invalidByteSequence, "invalid byte sequence for encoding \"\(encoding.name)\"")
        }
    }
}
