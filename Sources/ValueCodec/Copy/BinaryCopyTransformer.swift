package import Diagnostics

/// Rewrites some columns of a COPY stream in binary format and passes all else byte for byte, in either direction.
///
/// | part | content (PostgreSQL manual, COPY, "Binary Format") |
/// |---|---|
/// | header | `PGCOPY\n\xff\r\n\0`, flags (4), length of an extension (4), the extension |
/// | row | number of fields (2), then of each its length (4; -1: NULL) and bytes |
/// | trailer | -1 (2) |
///
/// Fed with chunks cut anywhere; holds at most one incomplete row and the chunk.
package struct BinaryCopyTransformer: Sendable {
    private static let signature: [UInt8] = [0x50, 0x47, 0x43, 0x4f, 0x50, 0x59, 0x0a, 0xff, 0x0d, 0x0a, 0x00]
    /// Flag: rows have OIDs, which no PostgreSQL writes any more.
    private static let criticalFlags: UInt32 = 0xffff_0000

    package let columns: [CopyTransformer.Column]
    private let maximumRow: Int
    private var buffer: [UInt8] = []
    private var start = 0
    private var hasHeader = false
    /// The trailer was seen: nothing may follow.
    private var isEnded = false
    private var rowCount = 0

    package init(columns: [CopyTransformer.Column], maximumRow: Int = CopyTransformer.defaultMaximumRow) {
        self.columns = columns
        self.maximumRow = maximumRow
    }

    /// Takes a chunk and appends what of it is complete, rewritten, to `output`. `replace` gets a column's index and its bytes
    /// (never called for NULL) and returns the new ones. Throws 22P04, 54000, or what `replace` throws.
    package mutating func feed(
        _ chunk: [UInt8], into output: inout [UInt8],
        replace: (_ column: Int, _ value: [UInt8]) throws(CloisterError) -> [UInt8]
    ) throws(CloisterError) {
        if start > 0 { buffer.removeFirst(start) }
        start = 0
        buffer.append(contentsOf: chunk)
        if !hasHeader, !(try header(&output)) { return try checkSize() }
        while !isEnded, try row(&output, replace) {}
        guard !isEnded || start == buffer.count else { throw CopyError.data("received copy data after EOF marker") }
        try checkSize()
    }

    /// The stream is complete. Throws 22P04 if it ended in the middle. A stream without trailer is complete too, as for PostgreSQL.
    package func finish() throws(CloisterError) {
        guard start == buffer.count, hasHeader else { throw CopyError.data("unexpected EOF in COPY data") }
    }

    private func checkSize() throws(CloisterError) {
        guard buffer.count - start <= maximumRow else {
            throw CloisterError(
                .copyRowTooLarge, "a row of COPY data is longer than \(maximumRow) bytes", location: "COPY row \(rowCount + 1)")
        }
    }

    private mutating func header(_ output: inout [UInt8]) throws(CloisterError) -> Bool {
        let fixed = Self.signature.count + 8
        guard buffer.count >= fixed else { return false }
        guard buffer.starts(with: Self.signature) else { throw CopyError.data("COPY file signature not recognized") }
        let flags = number(at: Self.signature.count)
        guard flags & Self.criticalFlags == 0 else { throw CopyError.data("unrecognized critical flags in COPY file header") }
        let length = Int(number(at: Self.signature.count + 4))
        guard length <= maximumRow else { throw CopyError.data("invalid COPY file header (wrong length)") }
        guard buffer.count >= fixed + length else { return false }
        output.append(contentsOf: buffer[..<(fixed + length)])
        start = fixed + length
        hasHeader = true
        return true
    }

    private func number(at offset: Int) -> UInt32 {
        var value: UInt32 = 0
        for index in offset..<offset + 4 { value = value << 8 | UInt32(buffer[index]) }
        return value
    }

    /// One row, or the trailer; false if bytes are missing.
    private mutating func row(
        _ output: inout [UInt8], _ replace: (_ column: Int, _ value: [UInt8]) throws(CloisterError) -> [UInt8]
    ) throws(CloisterError) -> Bool {
        var at = start
        guard buffer.count - at >= 2 else { return false }
        let count = UInt16(buffer[at]) << 8 | UInt16(buffer[at + 1])
        at += 2
        guard count != 0xffff else {
            output.append(contentsOf: [0xff, 0xff])
            start = at
            isEnded = true
            return true
        }
        guard Int(count) == columns.count else {
            throw CloisterError(
                .badCopyData, "row field count is \(count), expected \(columns.count)", location: "COPY row \(rowCount + 1)")
        }
        var fields: [Range<Int>?] = []
        for _ in columns {
            guard buffer.count - at >= 4 else { return false }
            let length = Int32(bitPattern: number(at: at))
            at += 4
            guard length >= 0 else {
                guard length == -1 else { throw CopyError.data("invalid field size") }
                fields.append(nil)
                continue
            }
            guard Int(length) <= maximumRow else {
                throw CloisterError(
                    .copyRowTooLarge, "a row of COPY data is longer than \(maximumRow) bytes", location: "COPY row \(rowCount + 1)")
            }
            guard buffer.count - at >= Int(length) else { return false }
            fields.append(at..<at + Int(length))
            at += Int(length)
        }
        rowCount += 1
        output.append(contentsOf: [UInt8(count >> 8), UInt8(count & 0xff)])
        for (index, field) in fields.enumerated() {
            guard let field else {
                output.append(contentsOf: [0xff, 0xff, 0xff, 0xff])
                continue
            }
            var value = Array(buffer[field])
            if columns[index].isReplaced {
                do throws(CloisterError) { value = try replace(index, value) } catch {
                    throw error.location.isEmpty
                        ? CloisterError(
                            error.code, error.message, hint: error.hint,
                            location: "COPY row \(rowCount), column \"\(columns[index].name)\"") : error
                }
            }
            output.append(contentsOf: Bytes.bigEndian(Int32(clamping: value.count)))
            output.append(contentsOf: value)
        }
        start = at
        return true
    }
}
