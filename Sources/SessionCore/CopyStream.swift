internal import CellFormat
internal import Diagnostics
internal import SQLBinding
internal import ValueCodec

/// The data of one COPY, in whichever format and direction: values of some columns are replaced, all else stays byte for byte.
struct CopyStream {
    private enum Transformer {
        case text(CopyTransformer)
        case binary(BinaryCopyTransformer)
    }
    let layout: CopyInPlan
    private var transformer: Transformer
    /// Between the data's encoding and UTF-8; binary data are converted field by field.
    private var stream: EncodedStream

    var isBinary: Bool { layout.format == .binary }

    init(_ direction: CopyTransformer.Direction, _ layout: CopyInPlan, forceQuote: Set<Int> = [], settings: SessionSettings)
        throws(CloisterError)
    {
        self.layout = layout
        let columns = layout.columns.map { CopyTransformer.Column(name: $0.name, isReplaced: $0.encryption != nil) }
        let kind: CopyFormat.Kind
        switch layout.format {
        case .text: kind = .text
        case .csv: kind = .csv
        case .binary:
            transformer = .binary(BinaryCopyTransformer(columns: columns))
            stream = EncodedStream(.utf8)
            return
        }
        let header: CopyFormat.Header =
            switch layout.header {
            case .none: .none
            case .skip: .present
            case .match: .match
            }
        let format = try CopyFormat(
            kind, delimiter: layout.delimiter, null: layout.null, quote: layout.quote, escape: layout.escape, header: header,
            forceQuote: forceQuote, forceNotNull: layout.forceNotNull, forceNull: layout.forceNull)
        transformer = .text(CopyTransformer(direction, format: format, columns: columns))
        stream = EncodedStream(try Self.encoding(layout, settings))
    }

    /// The option ENCODING's, else the session's.
    private static func encoding(_ layout: CopyInPlan, _ settings: SessionSettings) throws(CloisterError) -> TextEncoding {
        guard let name = layout.encoding else { return try CellService.encoding(settings) }
        guard let encoding = TextEncoding(named: name, server: settings.serverEncoding) else {
            throw CloisterError(
                .clientEncoding, "ENCODING '\(name.prefix(32))' is not supported with encrypted columns", hint: "Use ENCODING 'UTF8'.")
        }
        return encoding
    }

    /// Takes a chunk of data and returns what of it is complete.
    mutating func feed(
        _ chunk: [UInt8], replace: (CopyInPlan.Column, [UInt8]) throws(CloisterError) -> [UInt8]
    ) throws(CloisterError) -> [UInt8] {
        var output: [UInt8] = []
        let columns = layout.columns
        switch transformer {
        case .text(var text):
            let chunk = try stream.utf8(chunk)
            try text.feed(chunk, into: &output) { (column, value) throws(CloisterError) in try replace(columns[column], value) }
            transformer = .text(text)
            output = try stream.encoded(output)
        case .binary(var binary):
            try binary.feed(chunk, into: &output) { (column, value) throws(CloisterError) in try replace(columns[column], value) }
            transformer = .binary(binary)
        }
        return output
    }

    /// The data are complete.
    mutating func finish(replace: (CopyInPlan.Column, [UInt8]) throws(CloisterError) -> [UInt8]) throws(CloisterError) -> [UInt8] {
        var output: [UInt8] = []
        let columns = layout.columns
        switch transformer {
        case .text(var text):
            try text.finish(into: &output) { (column, value) throws(CloisterError) in try replace(columns[column], value) }
            transformer = .text(text)
            output = try stream.encoded(output)
            try stream.finish()
        case .binary(let binary): try binary.finish()
        }
        return output
    }
}
