internal import CellCrypto
internal import CellFormat
internal import ColumnCatalog
internal import Diagnostics
internal import NIOCore
internal import PGWire
internal import SQLBinding
internal import ValueCodec

/// Makes cells of literals, parameters and COPY fields, and values of cells. One per event loop: writer and opener keep
/// derived keys without locks.
final class CellService {
    let keys: KeyRing
    let writer: CellWriter
    /// Of operands: the session's own where the enclave binds them to it.
    let operands: CellWriter
    private let opener: CellOpener

    init(keys: KeyRing) throws(CloisterError) {
        self.keys = keys
        writer = try CellWriter()
        operands = writer
        opener = CellOpener()
    }

    /// The same for one session, with operands of its own. Throws `cryptographyFailed`.
    init(forSessionOf shared: CellService) throws(CloisterError) {
        keys = shared.keys
        writer = shared.writer
        opener = shared.opener
        operands = try CellWriter()
    }

    /// The client's encoding. Text in cells is UTF-8.
    static func encoding(_ settings: SessionSettings) throws(CloisterError) -> TextEncoding {
        guard let encoding = settings.encoding else {
            throw CloisterError(
                .clientEncoding, "client_encoding \(settings.clientEncoding) is not supported with encrypted columns",
                hint: "SET client_encoding TO 'UTF8'.")
        }
        return encoding
    }

    /// A value of the client's whose text is in its encoding. `format`: 0 text, 1 binary.
    static func utf8(_ value: [UInt8], format: Int16, type: LogicalType, _ settings: SessionSettings) throws(CloisterError) -> [UInt8] {
        let encoding = try encoding(settings)
        return encoding.isUTF8 || format != 0 && !type.isTextual ? value : try encoding.utf8(value)
    }

    /// One writer id for all the operands of a statement.
    func reserve(_ plan: BoundStatement) throws(CloisterError) { try operands.reserve(plan.pieces.count + plan.parameters.count) }

    // MARK: Opening

    /// Writes a DataRow with its cells opened, in the formats of the shape. On an error nothing is written.
    func open(row body: ByteBuffer, shape: RowShape, settings: SessionSettings, into output: inout ByteBuffer) throws(CloisterError) {
        let start = output.writerIndex
        do throws(CloisterError) {
            var failure: CloisterError?
            output.writeMessage(BackendType.dataRow.rawValue) { output in
                do throws(CloisterError) { try writeRow(body, shape, settings, &output) } catch { failure = error }
            }
            if let failure { throw failure }
        } catch {
            output.moveWriterIndex(to: start)
            throw error
        }
    }

    private func writeRow(_ body: ByteBuffer, _ shape: RowShape, _ settings: SessionSettings, _ output: inout ByteBuffer)
        throws(CloisterError)
    {
        var body = body
        let count = Int(try body.read(UInt16.self, "the number of values"))
        guard count == shape.columns.count else {
            throw CloisterError(.undecryptable, "a row has another number of columns than was described")
        }
        output.writeInteger(UInt16(clamping: count))
        for column in shape.columns {
            let value = try body.readValue("a value")
            guard let column, let value else {
                output.writeValue(value)
                continue
            }
            let lengthIndex = output.writerIndex
            output.writeInteger(Int32(0))
            try open(value, column, settings, &output)
            output.setInteger(Int32(clamping: output.writerIndex - lengthIndex - 4), at: lengthIndex)
        }
        try body.expectEnd("DataRow")
    }

    private func open(_ value: ByteBuffer, _ column: RowShape.Column, _ settings: SessionSettings, _ output: inout ByteBuffer)
        throws(CloisterError)
    {
        guard !column.type.isArray else {
            throw CloisterError(.undecryptable, "column \"\(column.name)\" is an array of encrypted values, which is not shown")
        }
        if column.format == 1 {
            try open(value.readableBytesUInt8Span, column, settings, &output)
        } else {
            guard let cell = Hex.decode(value.readableBytesUInt8Span) else { throw undecryptable(column) }
            try open(cell.span, column, settings, &output)
        }
    }

    private func open(_ cell: Span<UInt8>, _ column: RowShape.Column, _ settings: SessionSettings, _ output: inout ByteBuffer)
        throws(CloisterError)
    {
        let value = try value(of: cell, column, settings)
        let encoding = try Self.encoding(settings)
        output.writeBytes(
            encoding.isUTF8 || column.format != 0 && !column.type.logical.isTextual ? value : try encoding.encoded(value))
    }

    /// The value of a cell in the column's format, in UTF-8.
    private func value(of cell: Span<UInt8>, _ column: RowShape.Column, _ settings: SessionSettings) throws(CloisterError) -> [UInt8] {
        let header: CellHeader
        do { header = try CellHeader(cell: cell) } catch { throw undecryptable(column) }
        // The server may not pass one column's cell off as another's.
        // A constant of a query may come back (COALESCE, UNION, …): one that this very proxy made.
        guard header.type == column.type.logical, header.algorithm == column.type.scheme.algorithm,
            header.role != .operand || isOwn(cell),
            column.key == nil || column.key == header.key.rawValue
        else { throw undecryptable(column) }
        guard let cipher = keys.cipher(header.key) else {
            throw CloisterError(.keyUnavailable, "the proxy holds no key \(header.key.rawValue), which encrypts column \"\(column.name)\"")
        }
        let plaintext: Plaintext
        do { plaintext = try opener.open(cell, with: cipher).plaintext } catch { throw undecryptable(column) }
        var canonical: [UInt8] = []
        canonical.reserveCapacity(plaintext.count)
        let bytes = plaintext.bytes
        for index in bytes.indices { canonical.append(bytes[index]) }
        if column.type.logical == .bpchar, column.type.scheme == .deterministic, column.modifier >= 0 {
            // Deterministic cells hold it without its blanks, so that equal values are equal bytes.
            canonical = try ValueCodec.limited(canonical, type: .bpchar, modifier: column.modifier, isExplicit: true)
        }
        return column.format == 1
            ? try ValueCodec.binary(fromCanonical: canonical, type: column.type.logical)
            : try ValueCodec.text(fromCanonical: canonical, type: column.type.logical, settings: settings)
    }

    /// The value of a field of COPY data that holds a cell: binary in the client's encoding, text in UTF-8.
    func value(
        ofField field: [UInt8], isBinary: Bool, _ column: CopyInPlan.Column, _ settings: SessionSettings
    ) throws(CloisterError) -> [UInt8] {
        guard let type = column.encryption else { return field }
        let shown = RowShape.Column(
            type: ServerType(type.logical, type.scheme), key: type.key.rawValue, format: isBinary ? 1 : 0, name: column.name,
            modifier: column.modifier)
        if isBinary {
            let value = try value(of: field.span, shown, settings)
            let encoding = try Self.encoding(settings)
            return encoding.isUTF8 || !type.logical.isTextual ? value : try encoding.encoded(value)
        }
        guard let cell = Hex.decode(field.span) else { throw undecryptable(shown) }
        return try value(of: cell.span, shown, settings)
    }

    private func isOwn(_ cell: Span<UInt8>) -> Bool {
        var id: UInt64 = 0
        guard cell.count >= 16 else { return false }
        for index in 8..<16 { id = id << 8 | UInt64(cell[index]) }
        return id == operands.id
    }

    private func undecryptable(_ column: RowShape.Column) -> CloisterError {
        CloisterError(.undecryptable, "a cell of column \"\(column.name)\" was not made under its key and type, or was changed")
    }
}

extension LogicalType {
    /// Whether its binary form holds text in the client's encoding.
    var isTextual: Bool { isText || self == .json || self == .jsonb }
}

extension CellRole {
    /// A stored value is assigned, an operand compared.
    var purpose: ConversionPurpose { self == .stored ? .assignment : .comparison }
}

/// bytea's hex form.
enum Hex {
    static func append(_ bytes: Span<UInt8>, to text: inout [UInt8]) {
        for index in bytes.indices {
            text.append(digit(bytes[index] >> 4))
            text.append(digit(bytes[index] & 15))
        }
    }

    /// From `\x…`; nil if it is not that.
    static func decode(_ text: Span<UInt8>) -> [UInt8]? {
        guard text.count >= 2, text.count % 2 == 0, text[0] == 0x5c, text[1] == 0x78 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2 - 1)
        var index = 2
        while index < text.count {
            guard let high = value(text[index]), let low = value(text[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
            index += 2
        }
        return bytes
    }

    private static func digit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x57 + nibble }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x61...0x66: digit - 0x57
        case 0x41...0x46: digit - 0x37
        default: nil
        }
    }
}
