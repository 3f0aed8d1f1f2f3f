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
        case "in":
            let modifier = fields.count > 3 ? Int32(fields[3]) ?? -1 : -1
            return try ValueCodec.canonical(fromText: bytes(fields[2]), type: type(1), modifier: modifier, settings: settings)
        case "out": return try ValueCodec.text(fromCanonical: bytes(fields[2]), type: type(1), settings: settings)
        case "recv": return try ValueCodec.canonical(fromBinary: bytes(fields[2]), type: type(1))
        case "norm": return ValueCodec.normalizedForEquality(bytes(fields[2]), type: try type(1))
        case "cast": return try ValueCodec.convert(canonical: bytes(fields[3]), from: type(1), to: type(2), settings: settings)
        case "compare":
            return try ValueCodec.convert(
                canonical: bytes(fields[3]), from: type(1), to: type(2), purpose: .comparison, settings: settings)
        case "call":
            // call NAME operator|function NOW TYPE:HEX …: the result's type, a colon, its bytes
            var arguments: [TypedValue] = []
            for field in fields.dropFirst(4) {
                let parts = field.split(separator: ":")
                let isNull = parts[1] == "null"
                arguments.append(TypedValue(type: LogicalType(name: String(parts[0])), bytes: isNull ? nil : bytes(parts[1])))
            }
            let value = try ConstantFunctions.evaluate(
                String(fields[1]), isOperator: fields[2] == "operator", arguments, settings: settings, now: Int64(fields[3]) ?? 0)
            return Array("\(value.type?.name ?? "unknown"):\(value.bytes.map(hex) ?? "null")".utf8)
        case "limit":
            return try ValueCodec.limited(
                bytes(fields[4]), type: type(1), modifier: Int32(fields[2]) ?? -1, isExplicit: fields[3] == "explicit")
        case "like":
            return try LikePattern.canonical(bytes(fields[1]), escape: fields.count > 2 ? bytes(fields[2]) : nil)
        case "array":
            let array = try ArrayCodec.elements(ofText: bytes(fields[1]))
            return ArrayCodec.binary(elements: array.elements, dimensions: array.dimensions, elementOID: LogicalType.text.oid)
        case "array-text":
            let array = try ArrayCodec.elements(ofBinary: bytes(fields[1]))
            return ArrayCodec.text(elements: array.elements, dimensions: array.dimensions)
        case "copy": return try copy(fields.dropFirst())
        default: throw CloisterError(.unsupportedValue, "no such request")
        }
    }

    /// `copy key=value …`: rewrites a COPY stream cut into chunks. Values become `\x` and their hexadecimal (from) or are
    /// made of it again (to), as cells would be.
    func copy(_ fields: ArraySlice<Substring>) throws(CloisterError) -> [UInt8] {
        var options: [Substring: Substring] = [:]
        for field in fields {
            let pair = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            options[pair[0]] = pair[1]
        }
        func byte(_ name: Substring) -> UInt8? { options[name].map { bytes($0)[0] } }
        func indexes(_ name: Substring) -> Set<Int> { Set((options[name] ?? "").split(separator: ",").compactMap { Int($0) }) }
        let format = try CopyFormat(
            options["kind"] == "csv" ? .csv : .text, delimiter: byte("delimiter"), null: options["null"].map { bytes($0) },
            quote: byte("quote"), escape: byte("escape"),
            header: options["header"] == "match" ? .match : options["header"] == "true" ? .present : .none,
            forceQuote: indexes("force_quote"), forceNotNull: indexes("force_not_null"), forceNull: indexes("force_null"))
        let replaced = indexes("replaced")
        let columns = (options["columns"] ?? "").split(separator: ",").enumerated().map {
            CopyTransformer.Column(name: String($0.element), isReplaced: replaced.contains($0.offset))
        }
        let isTo = options["direction"] == "to"
        var transformer = CopyTransformer(isTo ? .to : .from, format: format, columns: columns)
        func replace(_ column: Int, _ value: [UInt8]) throws(CloisterError) -> [UInt8] {
            if isTo { return try ValueCodec.canonical(fromText: value, type: .bytea, settings: settings) }
            _ = try ValueCodec.canonical(fromText: value, type: .text, settings: settings)
            return try ValueCodec.text(fromCanonical: value, type: .bytea, settings: settings)
        }
        let data = bytes(options["data"] ?? "-")
        let size = Int(options["chunk"] ?? "1000000") ?? 1
        var output: [UInt8] = []
        for start in stride(from: 0, to: data.count, by: size) {
            try transformer.feed(Array(data[start..<min(start + size, data.count)]), into: &output, replace: replace)
        }
        try transformer.finish(into: &output, replace: replace)
        return output
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
