internal import Diagnostics
internal import NIOCore
internal import PGWire
internal import SQLBinding
internal import ValueCodec

/// A bound statement as it was sent: its plan, and what leads back from the sent text to the client's.
final class SentStatement {
    let plan: BoundStatement
    private let original: [UInt8]
    private let sent: [UInt8]
    private let cellLengths: [Int]
    /// The sent text in the client's encoding.
    let text: ByteBuffer

    /// Puts the pieces together. `original`: the client's text in UTF-8. `cell` makes the literal's text, cast included.
    init(
        plan: BoundStatement, original: [UInt8], encoding: TextEncoding, cell: (LiteralSlot) throws(CloisterError) -> [UInt8]
    ) throws(CloisterError) {
        self.plan = plan
        self.original = original
        guard plan.isRewritten else {
            sent = original
            cellLengths = []
            self.text = ByteBuffer(bytes: encoding.isUTF8 ? original : try encoding.encoded(original))
            return
        }
        var text: [UInt8] = []
        text.reserveCapacity(original.count + 128)
        var lengths: [Int] = []
        for piece in plan.pieces {
            switch piece {
            case .verbatim(let range): text.append(contentsOf: original[range.clamped(to: 0..<original.count)])
            case .text(let own): text.append(contentsOf: own.utf8)
            case .cell(let slot):
                let literal = try cell(slot)
                lengths.append(literal.count)
                text.append(contentsOf: literal)
            }
        }
        sent = text
        cellLengths = lengths
        self.text = ByteBuffer(bytes: encoding.isUTF8 ? text : try encoding.encoded(text))
    }

    /// A position (characters from 1) in the sent text as one in the client's.
    func originalPosition(ofSent position: Int) -> Int {
        guard plan.isRewritten, position > 0 else { return position }
        let offset = Self.offset(ofCharacter: position, in: sent)
        return Self.character(atOffset: plan.originalOffset(ofSent: offset, cellLengths: cellLengths), in: original)
    }

    static func offset(ofCharacter position: Int, in text: [UInt8]) -> Int {
        var character = 0
        for index in text.indices where text[index] & 0xc0 != 0x80 {
            character += 1
            if character == position { return index }
        }
        return text.count
    }

    /// The position of the character at a byte offset, from 1.
    static func character(atOffset offset: Int, in text: [UInt8]) -> Int {
        var character = 1
        for index in 0..<min(max(offset, 0), text.count) where text[index] & 0xc0 != 0x80 { character += 1 }
        return character
    }
}
