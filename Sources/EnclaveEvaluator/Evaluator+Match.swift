internal import CellFormat
internal import Collations
internal import EnclaveABI

/// How a value is matched (`enum cloister_pattern`).
enum PatternKind: Equatable {
    case like, caseInsensitive, prefix

    init?(_ raw: UInt32) {
        switch raw {
        case CLOISTER_LIKE.rawValue: self = .like
        case CLOISTER_ILIKE.rawValue: self = .caseInsensitive
        case CLOISTER_PREFIX.rawValue: self = .prefix
        default: return nil
        }
    }
}

/// What was made of the last pattern: a query matches one pattern with row after row.
struct CompiledPattern {
    private var kind: PatternKind?
    private var serial: UInt64 = 0
    private var made = LikePattern()

    /// The pattern whose text `operand` holds. With a collator ILIKE takes it in that language's small letters.
    mutating func pattern(_ operand: Operand, _ kind: PatternKind, _ collator: Collator?) throws(Refusal) -> LikePattern {
        if self.kind != kind || serial != operand.serial {
            let text = operand.buffer.span.extracting(0..<operand.count)
            if kind == .caseInsensitive, let collator {
                var lowered: [UInt8] = []
                guard collator.appendLowered(text, to: &lowered) else { throw .badCell }
                made = LikePattern(lowered.span, foldsASCII: false)
            } else {
                made = LikePattern(text, foldsASCII: kind == .caseInsensitive)
            }
            self.kind = kind
            serial = operand.serial
        }
        return made
    }
}

extension Evaluator {
    private static let matchHeaderByteCount = 12

    /// MATCH: `cloister_match`, value cell, pattern cell. The pattern is always a constant of the query, an operand: a stored
    /// cell is never taken for one, so the server can't match column against column.
    func match(_ request: Span<UInt8>, _ caller: Caller) throws(Refusal) -> Bool {
        guard request.count >= Self.matchHeaderByteCount, let kind = PatternKind(request.littleEndian32(at: 0)) else { throw .badRequest }
        let valueCount = Int(request.littleEndian32(at: 4))
        let patternCount = Int(request.littleEndian32(at: 8))
        guard valueCount <= request.count, patternCount <= request.count,
            Self.matchHeaderByteCount + valueCount + patternCount == request.count
        else { throw .badRequest }
        let value = request.extracting(Self.matchHeaderByteCount..<Self.matchHeaderByteCount + valueCount)
        let patternCell = request.extracting(Self.matchHeaderByteCount + valueCount..<request.count)
        let valueHeader = try header(value)
        let patternHeader = try header(patternCell)
        try Self.checkMeeting(value, valueHeader, patternCell, patternHeader)
        guard patternHeader.role == .operand, valueHeader.type.isText else { throw .mismatch }
        let collator = collators.collator(valueHeader.collation)
        if let collator, !collator.collation.isDeterministic { throw .nondeterministic }
        guard valueHeader.collation == 0 || collator != nil else { throw .mismatch }
        let entry = try key(valueHeader.key)
        guard entry.operations.contains(.match) else { throw .forbidden }
        try admit(caller, entry, valueHeader, Self.operandWriter(patternCell, patternHeader))
        try left.open(value, valueHeader, entry.cipher, opener)
        try pattern.open(patternCell, patternHeader, entry.cipher, opener)
        if kind == .prefix { return Self.startsWith(left, pattern, isBlankPadded: valueHeader.type == .bpchar) }
        let made = try compiled.pattern(pattern, kind, collator)
        return try Self.matches(left, made, lowering: kind == .caseInsensitive ? collator : nil)
    }

    private static func matches(_ value: Operand, _ pattern: LikePattern, lowering collator: Collator?) throws(Refusal) -> Bool {
        let text = value.buffer.span.extracting(0..<value.count)
        guard let collator else { return try pattern.matches(text) }
        var lowered: [UInt8] = []
        guard collator.appendLowered(text, to: &lowered) else { throw .badCell }
        return try pattern.matches(lowered.span)
    }

    /// `starts_with` takes text: a bpchar loses its trailing blanks on the way, the pattern is text already.
    private static func startsWith(_ value: Operand, _ pattern: Operand, isBlankPadded: Bool) -> Bool {
        let whole = value.buffer.span.extracting(0..<value.count)
        let text = isBlankPadded ? ValueOrder.withoutBlanks(whole) : whole
        guard text.count >= pattern.count else { return false }
        return equalBytes(text.extracting(0..<pattern.count), pattern.buffer.span.extracting(0..<pattern.count))
    }
}
