internal import CellFormat

/// A constant that is compared with a column of a smaller type (schemas/cell-v1.md, section 4): 0xFF ‖ a numeric in its
/// send form, against int2, int4 or int8, as PostgreSQL compares an integer with a numeric.
enum WideOperand {
    /// The bytes of an integer type.
    static func width(_ type: LogicalType) -> Int { type == .int2 ? 2 : type == .int4 ? 4 : 8 }

    /// No integer has nine bytes.
    static func isWide(_ value: Span<UInt8>, _ isOperand: Bool) -> Bool { isOperand && value.count >= 9 && value[0] == 0xff }

    static func compare(
        _ a: Span<UInt8>, _ aIsOperand: Bool, _ b: Span<UInt8>, _ bIsOperand: Bool, _ width: Int
    ) throws(Refusal) -> Int32 {
        let x = try numeric(a, aIsOperand, width)
        let y = try numeric(b, bIsOperand, width)
        return NumericForm.compare(try NumericForm(x.span), x.span, try NumericForm(y.span), y.span)
    }

    /// An integer's own bytes if the number is one that `width` bytes hold, so that equal values hash alike; else the
    /// normalised numeric, which is longer than any integer.
    static func normalize(_ value: Span<UInt8>, _ width: Int, into output: inout [UInt8]) throws(Refusal) {
        let bytes = value.extracting(1..<value.count)
        let form = try NumericForm(bytes)
        if let integer = form.integer(bytes), integer == (integer << (64 - 8 * width)) >> (64 - 8 * width) {
            ValueOrder.append(UInt64(bitPattern: integer), width, &output)
        } else {
            output.append(0xff)
            form.normalize(bytes, into: &output)
        }
    }

    private static func numeric(_ value: Span<UInt8>, _ isOperand: Bool, _ width: Int) throws(Refusal) -> [UInt8] {
        guard isWide(value, isOperand) else { return NumericForm.bytes(of: try ValueOrder.signed(value, width)) }
        var bytes: [UInt8] = []
        appendBytes(value.extracting(1..<value.count), to: &bytes)
        return bytes
    }
}
