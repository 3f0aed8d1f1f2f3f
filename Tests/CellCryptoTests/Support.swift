@testable import CellCrypto
import CellFormat
import Diagnostics
import Testing

/// Bytes of a hexadecimal text; spaces and line breaks are left out.
func hex(_ text: String) -> [UInt8] {
    let digits = text.utf8.compactMap { digit -> UInt8? in
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

extension Array where Element == UInt8 {
    init(copying span: Span<UInt8>) { self = span.indices.map { span[$0] } }
}

extension SecretBytes {
    func copy() -> [UInt8] { [UInt8](copying: bytes) }
}

/// The code an expression throws, or nil.
func code(_ body: () throws -> Void) -> ErrorCode? {
    do {
        try body()
        return nil
    } catch {
        return (error as? CloisterError)?.code
    }
}

/// The same with something else in one byte.
func flipped(_ bytes: [UInt8], at index: Int) -> [UInt8] {
    var bytes = bytes
    bytes[index] ^= 1
    return bytes
}

let key7 = KeyID(rawValue: 7)!
let key8 = KeyID(rawValue: 8)!

/// A cipher whose column key is `byte` thirty-two times.
func cipher(_ byte: UInt8 = 1, id: KeyID = key7) throws -> CellCipher {
    try CellCipher(ColumnKey(copying: [UInt8](repeating: byte, count: 32).span), id: id)
}
