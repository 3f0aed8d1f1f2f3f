/// Lets Tests/Integration/test_values.py ask ValueCodec what it asks PostgreSQL. One request per line of standard input,
/// fields separated by blanks, bytes as hexadecimal ("-" if empty); one answer per line: `ok HEX` or `err SQLSTATE`.
import CellFormat
import Diagnostics
import ValueCodec

func hex(_ bytes: [UInt8]) -> String {
    if bytes.isEmpty { return "-" }
    let digits = Array("0123456789abcdef")
    var text = ""
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return text
}

func bytes(_ text: Substring) -> [UInt8] {
    if text == "-" { return [] }
    var result: [UInt8] = []
    var high: UInt8?
    for digit in text {
        let value = UInt8(digit.hexDigitValue ?? 0)
        if let first = high {
            result.append(first << 4 | value)
            high = nil
        } else {
            high = value
        }
    }
    return result
}

struct Probe {
    var settings = SessionSettings()

    mutating func answer(_ line: String) throws(CloisterError) -> [UInt8] {
        let fields = line.split(separator: " ")
        func type(_ index: Int) throws(CloisterError) -> LogicalType {
            guard let type = LogicalType(name: String(fields[index])) else {
                throw CloisterError(.unsupportedValue, "no such type")
            }
            return type
        }
        switch fields[0] {
        case "set":
            try settings.apply(String(fields[1]), String(decoding: bytes(fields[2]), as: UTF8.self))
            return []
        case "in": return try ValueCodec.canonical(fromText: bytes(fields[2]), type: type(1), settings: settings)
        case "out": return try ValueCodec.text(fromCanonical: bytes(fields[2]), type: type(1), settings: settings)
        case "recv": return try ValueCodec.canonical(fromBinary: bytes(fields[2]), type: type(1))
        case "norm": return ValueCodec.normalizedForEquality(bytes(fields[2]), type: try type(1))
        case "cast": return try ValueCodec.convert(canonical: bytes(fields[3]), from: type(1), to: type(2), settings: settings)
        case "compare":
            return try ValueCodec.convert(
                canonical: bytes(fields[3]), from: type(1), to: type(2), purpose: .comparison, settings: settings)
        default: throw CloisterError(.unsupportedValue, "no such request")
        }
    }
}

var probe = Probe()
while let line = readLine() {
    do throws(CloisterError) {
        print("ok", hex(try probe.answer(line)))
    } catch {
        print("err", error.code.sqlState)
    }
}
