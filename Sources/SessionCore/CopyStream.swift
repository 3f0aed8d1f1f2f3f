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

    var isBinary: Bool { layout.format == .binary }

    init(_ direction: CopyTransformer.Direction, _ layout: CopyInPlan, forceQuote: Set<Int> = []) throws(CloisterError) {
        self.layout = layout
        let columns = layout.columns.map { CopyTransformer.Column(name: $0.name, isReplaced: $0.encryption != nil) }
        let kind: CopyFormat.Kind
        switch layout.format {
        case .text: kind = .text
        case .csv: kind = .csv
        case .binary:
            transformer = .binary(BinaryCopyTransformer(columns: columns))
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
            forceQuote: forceQuote, forceNotNull: layout.forceNotNull, forceNull: layout.forceNull, encoding: layout.encoding)
        transformer = .text(CopyTransformer(direction, format: format, columns: columns))
    }

    /// Takes a chunk of data and returns what of it is complete.
    mutating func feed(
        _ chunk: [UInt8], replace: (CopyInPlan.Column, [UInt8]) throws(CloisterError) -> [UInt8]
    ) throws(CloisterError) -> [UInt8] {
        var output: [UInt8] = []
        let columns = layout.columns
        switch transformer {
        case .text(var text):
            try text.feed(chunk, into: &output) { (column, value) throws(CloisterError) in try replace(columns[column], value) }
            transformer = .text(text)
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
        case .binary(let binary): try binary.finish()
        }
        return output
    }
}
