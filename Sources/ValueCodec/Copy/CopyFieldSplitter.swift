import Diagnostics

/// Where one field lies in a row, without its delimiters, as written.
struct CopyField {
    var start: Int
    var end: Int
    /// Whether the bytes differ from the value: an escape (text) or a quote (csv) was seen.
    var isEncoded: Bool
}

/// Splits rows into fields and decodes them, as PostgreSQL's CopyReadAttributesText and CopyReadAttributesCSV.
struct CopyFieldSplitter {
    let format: CopyFormat

    /// Throws 22P04 for an unterminated quote.
    func split(_ bytes: Span<UInt8>, _ range: Range<Int>, into fields: inout [CopyField]) throws(CloisterError) {
        fields.removeAll(keepingCapacity: true)
        switch format.kind {
        case .text: splitText(bytes, range, &fields)
        case .csv: try splitCSV(bytes, range, &fields)
        }
    }

    private func splitText(_ bytes: Span<UInt8>, _ range: Range<Int>, _ fields: inout [CopyField]) {
        let delimiter = format.delimiter
        var start = range.lowerBound
        var index = start
        var isEncoded = false
        while index < range.upperBound {
            let byte = bytes[index]
            if byte == ascii("\\") {
                isEncoded = true
                // A lone backslash at the very end stands for nothing.
                if index + 1 == range.upperBound {
                    fields.append(CopyField(start: start, end: index, isEncoded: true))
                    return
                }
                index += 2
            } else if byte == delimiter {
                fields.append(CopyField(start: start, end: index, isEncoded: isEncoded))
                index += 1
                start = index
                isEncoded = false
            } else {
                index += 1
            }
        }
        fields.append(CopyField(start: start, end: range.upperBound, isEncoded: isEncoded))
    }

    private func splitCSV(_ bytes: Span<UInt8>, _ range: Range<Int>, _ fields: inout [CopyField]) throws(CloisterError) {
        let (delimiter, quote, escape) = (format.delimiter, format.quote, format.escape)
        let end = range.upperBound
        var start = range.lowerBound
        var index = start
        var isEncoded = false
        while true {
            while index < end, bytes[index] != delimiter, bytes[index] != quote { index += 1 }
            guard index < end else {
                fields.append(CopyField(start: start, end: end, isEncoded: isEncoded))
                return
            }
            if bytes[index] == delimiter {
                fields.append(CopyField(start: start, end: index, isEncoded: isEncoded))
                index += 1
                start = index
                isEncoded = false
                continue
            }
            isEncoded = true
            index += 1
            while true {
                guard index < end else { throw CopyError.data("unterminated CSV quoted field") }
                let byte = bytes[index]
                index += 1
                if byte == escape, index < end, bytes[index] == escape || bytes[index] == quote {
                    index += 1
                } else if byte == quote {
                    break
                }
            }
        }
    }

    /// Whether the field, as written, is the NULL marker (a quoted one is not).
    func isNullMarker(_ field: CopyField, _ bytes: Span<UInt8>) -> Bool {
        let null = format.null
        guard field.end - field.start == null.count, format.kind == .text || !field.isEncoded else { return false }
        for index in 0..<null.count where bytes[field.start + index] != null[index] { return false }
        return true
    }

    /// The field's value; nil: NULL, by the marker and the column's FORCE options.
    func value(_ field: CopyField, column: Int, _ bytes: Span<UInt8>) -> [UInt8]? {
        if isNullMarker(field, bytes) { return format.forceNotNull.contains(column) ? format.null : nil }
        guard field.isEncoded else { return Bytes.copy(bytes, field.start..<field.end) }
        let value = format.kind == .text ? decodeText(field, bytes) : decodeCSV(field, bytes)
        if format.forceNull.contains(column), value == format.null { return nil }
        return value
    }

    private func decodeText(_ field: CopyField, _ bytes: Span<UInt8>) -> [UInt8] {
        var value: [UInt8] = []
        value.reserveCapacity(field.end - field.start)
        var index = field.start
        while index < field.end {
            let byte = bytes[index]
            index += 1
            guard byte == ascii("\\"), index < field.end else {
                value.append(byte)
                continue
            }
            let next = bytes[index]
            index += 1
            switch next {
            case 0x30...0x37:
                var code = UInt(next.digit)
                for _ in 0..<2 where index < field.end && bytes[index] >= 0x30 && bytes[index] <= 0x37 {
                    code = code << 3 + UInt(bytes[index].digit)
                    index += 1
                }
                value.append(UInt8(truncatingIfNeeded: code))
            case ascii("x"):
                guard index < field.end, var code = bytes[index].hexDigit else {
                    value.append(next)
                    continue
                }
                index += 1
                if index < field.end, let low = bytes[index].hexDigit {
                    code = code << 4 | low
                    index += 1
                }
                value.append(code)
            case ascii("b"): value.append(0x08)
            case ascii("f"): value.append(0x0c)
            case ascii("n"): value.append(0x0a)
            case ascii("r"): value.append(0x0d)
            case ascii("t"): value.append(0x09)
            case ascii("v"): value.append(0x0b)
            default: value.append(next)
            }
        }
        return value
    }

    private func decodeCSV(_ field: CopyField, _ bytes: Span<UInt8>) -> [UInt8] {
        var value: [UInt8] = []
        value.reserveCapacity(field.end - field.start)
        var index = field.start
        var isQuoted = false
        while index < field.end {
            let byte = bytes[index]
            index += 1
            if isQuoted, byte == format.escape, index < field.end,
                bytes[index] == format.escape || bytes[index] == format.quote
            {
                value.append(bytes[index])
                index += 1
            } else if byte == format.quote {
                isQuoted.toggle()
            } else {
                value.append(byte)
            }
        }
        return value
    }
}
