internal import CellCrypto
internal import CellFormat
internal import Diagnostics

/// One side of a comparison: the value of the last cell opened there, and that cell. A query compares one constant with row
/// after row: the same bytes under the same key need no second opening.
struct Operand {
    /// Longer cells are not remembered: looking at them would cost what it saves.
    static let rememberedByteCount = 1024

    private(set) var buffer: [UInt8] = []
    private(set) var count = 0
    /// The bytes that gave the value; empty if there is none. Set after a cell has verified, cleared before any other is tried.
    private var cell: [UInt8] = []
    /// Counts the cells that were opened: what was made of the value is good as long as this is the same.
    private(set) var serial: UInt64 = 0

    mutating func forget() { cell.removeAll(keepingCapacity: true) }

    /// The value as text of `type` is compared: a bpchar without its trailing blanks.
    @_lifetime(borrow self)
    func text(_ type: LogicalType) -> Span<UInt8> {
        let whole = buffer.span.extracting(0..<count)
        return type == .bpchar ? ValueOrder.withoutBlanks(whole) : whole
    }

    /// Makes the value of `cell` available in `buffer`, whose first `count` bytes it is.
    mutating func open(_ cell: Span<UInt8>, _ header: CellHeader, _ cipher: CellCipher, _ opener: CellOpener) throws(Refusal) {
        if !self.cell.isEmpty, equalBytes(cell, self.cell.span) { return }
        forget()
        serial &+= 1
        let needed = CellOpener.plaintextByteCount(cell, header)
        if buffer.count < needed { buffer = [UInt8](repeating: 0, count: max(needed, 256)) }
        var target = buffer.mutableSpan
        do {
            count = try opener.open(cell, header: header, with: cipher, into: &target)
        } catch {
            count = 0
            throw error.code == .cryptographyFailed ? .noMemory : .badCell
        }
        if cell.count <= Self.rememberedByteCount { appendBytes(cell, to: &self.cell) }
    }
}
