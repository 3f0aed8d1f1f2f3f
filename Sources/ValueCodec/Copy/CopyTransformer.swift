package import Diagnostics

/// Rewrites some columns of a COPY stream and passes all else byte for byte: COPY FROM STDIN on its way to the server
/// (values become cells), COPY TO STDOUT on its way to the client (cells become values).
///
/// Fed with chunks cut anywhere; holds at most one incomplete row and the chunk. Every row is checked as PostgreSQL does:
/// newline style, end marker, quotes, number of fields (SQLSTATE 22P04).
package struct CopyTransformer: Sendable {
    package enum Direction: Sendable { case from, to }

    package struct Column: Sendable, Hashable {
        package var name: String
        /// Whether `replace` is asked for this column's values.
        package var isReplaced: Bool
        package init(name: String, isReplaced: Bool) {
            self.name = name
            self.isReplaced = isReplaced
        }
    }

    /// Far more than a useful row, far less than the proxy's memory (PostgreSQL itself ends at 1 GB).
    package static let defaultMaximumRow = 64 << 20

    package let format: CopyFormat
    package let direction: Direction
    package let columns: [Column]
    /// Longest row in bytes.
    package let maximumRow: Int
    /// Rows seen, the header not counted.
    package private(set) var rowCount = 0
    /// Whether `\.` was seen: what follows is dropped.
    package private(set) var isEnded = false

    private let splitter: CopyFieldSplitter
    private let replaced: [Int]
    private var scanner: CopyLineScanner
    private var buffer: [UInt8] = []
    /// Where the next row begins in `buffer`.
    private var start = 0
    private var awaitsHeader: Bool
    private var fields: [CopyField] = []

    package init(_ direction: Direction, format: CopyFormat, columns: [Column], maximumRow: Int = defaultMaximumRow) {
        self.direction = direction
        self.format = format
        self.columns = columns
        self.maximumRow = maximumRow
        splitter = CopyFieldSplitter(format: format)
        scanner = CopyLineScanner(format)
        replaced = columns.indices.filter { columns[$0].isReplaced }
        awaitsHeader = format.header != .none
    }

    /// Takes a chunk and appends what of it is complete, rewritten, to `output`. `replace` gets a column's index and its
    /// decoded value (never called for NULL) and returns the new value, unescaped. Throws 22P04, 54000, or what `replace`
    /// throws, with the row and column as location; rows before the bad one are in `output`.
    package mutating func feed(
        _ chunk: [UInt8], into output: inout [UInt8],
        replace: (_ column: Int, _ value: [UInt8]) throws(CloisterError) -> [UInt8]
    ) throws(CloisterError) {
        guard !isEnded else { return }
        if start == buffer.count {
            buffer = chunk
            scanner.rebase(by: start)
        } else {
            if start > 0 {
                buffer.removeFirst(start)
                scanner.rebase(by: start)
            }
            buffer.append(contentsOf: chunk)
        }
        start = 0
        output.reserveCapacity(output.count + chunk.count + chunk.count / 2)
        try run(isEnd: false, &output, replace)
        guard buffer.count - start <= maximumRow else { throw rowTooLarge() }
    }

    /// The stream is complete (CopyDone): a last row without a newline counts.
    package mutating func finish(
        into output: inout [UInt8], replace: (_ column: Int, _ value: [UInt8]) throws(CloisterError) -> [UInt8]
    ) throws(CloisterError) {
        try run(isEnd: true, &output, replace)
        isEnded = true
        buffer = []
        start = 0
    }

    private func rowTooLarge() -> CloisterError {
        CloisterError(
            .copyRowTooLarge, "a row of COPY data is longer than \(maximumRow) bytes",
            hint: "A quote that is never closed makes one row of the rest of the data.", location: "COPY row \(rowCount + 1)")
    }

    private mutating func run(
        isEnd: Bool, _ output: inout [UInt8], _ replace: (_ column: Int, _ value: [UInt8]) throws(CloisterError) -> [UInt8]
    ) throws(CloisterError) {
        // A second reference, not a copy: nothing changes the buffer while rows are read from it.
        let bytes = buffer
        while !isEnded {
            let found: CopyLineScanner.Found
            do throws(CloisterError) { found = try scanner.scan(bytes.span, from: start, isEnd: isEnd) } catch { throw at(error) }
            switch found {
            case .incomplete: return
            case .row(let end, let next):
                try row(bytes, start..<end, next: next, &output, replace)
                start = next
            case .last(let end):
                if end > start { try row(bytes, start..<end, next: end, &output, replace) }
                start = end
                return
            case .marker(let end, let next):
                if end > start { try row(bytes, start..<end, next: end, &output, replace) }
                output.append(contentsOf: bytes[end..<next])
                isEnded = true
                buffer = []
                start = 0
            }
        }
    }

    /// One row's bytes, then its newline up to `next`.
    private mutating func row(
        _ bytes: [UInt8], _ range: Range<Int>, next: Int, _ output: inout [UInt8],
        _ replace: (_ column: Int, _ value: [UInt8]) throws(CloisterError) -> [UInt8]
    ) throws(CloisterError) {
        guard range.count <= maximumRow else { throw rowTooLarge() }
        if awaitsHeader {
            awaitsHeader = false
            try header(bytes, range, &output)
            output.append(contentsOf: bytes[range.upperBound..<next])
            return
        }
        rowCount += 1
        guard !replaced.isEmpty else {
            output.append(contentsOf: bytes[range.lowerBound..<next])
            return
        }
        do throws(CloisterError) {
            try splitter.split(bytes.span, range, into: &fields)
            guard fields.count <= columns.count else { throw CopyError.data("extra data after last expected column") }
            guard fields.count == columns.count else {
                throw CopyError.data("missing data for column \"\(columns[fields.count].name)\"")
            }
        } catch { throw at(error) }
        var copied = range.lowerBound
        for column in replaced {
            let field = fields[column]
            guard let value = splitter.value(field, column: column, bytes.span) else { continue }
            output.append(contentsOf: bytes[copied..<field.start])
            copied = field.end
            // A lone backslash at the end of the data stands for nothing: it goes with the field.
            if column == columns.count - 1 { copied = range.upperBound }
            let new: [UInt8]
            do throws(CloisterError) {
                // PostgreSQL checks the encoding before it takes escapes away.
                if field.isEncoded { try TextCodec.verify(bytes.span.extracting(field.start..<field.end)) }
                new = try replace(column, value)
            } catch { throw at(error, column) }
            let begin = output.count
            format.append(new, column: column, isOnlyColumn: columns.count == 1, to: &output)
            if direction == .from, output.count - begin == format.null.count, output[begin...].elementsEqual(format.null) {
                throw at(ValueError.unsupported("COPY's NULL marker looks like an encrypted value"), column)
            }
        }
        output.append(contentsOf: bytes[copied..<next])
    }

    /// COPY FROM: whatever stands in the first line may be data by mistake and must not reach the server, so the server gets
    /// the columns' names. COPY TO: the server's header passes.
    private mutating func header(_ bytes: [UInt8], _ range: Range<Int>, _ output: inout [UInt8]) throws(CloisterError) {
        guard direction == .from else { return output.append(contentsOf: bytes[range]) }
        if format.header == .match {
            try splitter.split(bytes.span, range, into: &fields)
            guard fields.count == columns.count else {
                throw CopyError.data("wrong number of fields in header line: got \(fields.count), expected \(columns.count)")
            }
            for (index, column) in columns.enumerated() {
                guard let name = splitter.headerName(fields[index], bytes.span), name.elementsEqual(column.name.utf8) else {
                    throw CopyError.data("column name mismatch in header line field \(index + 1): expected \"\(column.name)\"")
                }
            }
        }
        for (index, column) in columns.enumerated() {
            if index > 0 { output.append(format.delimiter) }
            format.append(Array(column.name.utf8), column: index, isOnlyColumn: columns.count == 1, to: &output)
        }
    }

    /// The error with the place it happened at.
    private func at(_ error: CloisterError, _ column: Int? = nil) -> CloisterError {
        guard error.location.isEmpty else { return error }
        let place = column.map { ", column \"\(columns[$0].name)\"" } ?? ""
        return CloisterError(
            error.code, error.message, hint: error.hint, location: "COPY row \(max(1, rowCount))\(place)")
    }
}

extension CopyFieldSplitter {
    /// A header's field: the FORCE options do not apply to it.
    fileprivate func headerName(_ field: CopyField, _ bytes: Span<UInt8>) -> [UInt8]? {
        if isNullMarker(field, bytes) { return nil }
        return value(field, column: -1, bytes)
    }
}
