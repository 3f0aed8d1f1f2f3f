/// The one way to write signed metadata (schemas/key-store-v1.md): no spaces, members in order.
enum CanonicalJSON {
    /// UTF-8; only `"`, `\` and control characters are escaped, the last as `\u00xx`.
    static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\u{0}"..<"\u{20}": out += "\\u" + hexadecimal(UInt8(truncatingIfNeeded: scalar.value), width: 4)
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    static func hexadecimal(_ bytes: [UInt8]) -> String { bytes.map { hexadecimal($0, width: 2) }.joined() }

    private static func hexadecimal(_ byte: UInt8, width: Int) -> String {
        let digits = String(byte, radix: 16)
        return String(repeating: "0", count: width - digits.count) + digits
    }
}
