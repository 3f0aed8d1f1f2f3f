internal import CellFormat
internal import Diagnostics

extension ConstantCall {
    /// Results longer than this are not made.
    private static let maximumSize = 1 << 20

    func textFunction() throws(CloisterError) -> TypedValue? {
        switch (name, arguments.count) {
        case ("lower", 1): return try mapped { $0.lowercased }
        case ("upper", 1): return try mapped { $0.uppercased }
        case ("initcap", 1):
            var isInside = false
            return try mapped { byte in
                defer { isInside = byte.isAlphaNumeric }
                return isInside ? byte.lowercased : byte.uppercased
            }
        case ("trim", 1...2), ("btrim", 1...2): return try trimmed(start: true, end: true)
        case ("ltrim", 1...2): return try trimmed(start: true, end: false)
        case ("rtrim", 1...2): return try trimmed(start: false, end: true)
        case ("substring", 2...3), ("substr", 2...3): return try substring()
        case ("left", 2), ("right", 2): return try side()
        case ("repeat", 2):
            let piece = try text(0)
            let times = max(0, try int4(1))
            let count = piece.isEmpty ? 0 : times
            guard piece.count * count <= Self.maximumSize else { throw refusal() }
            return result(.text, [UInt8]((0..<count).flatMap { _ in piece }))
        case ("replace", 3): return try replaced()
        case ("concat", 1...): return try concatenated()
        case ("length", 1), ("char_length", 1), ("character_length", 1):
            if arguments[0].type == .bytea, name == "length" { return result(int4: try value(0, .bytea).count) }
            return result(int4: Limit.characterCount(try text(0)))
        default: return nil
        }
    }

    /// ASCII only: what becomes of other letters is the server's locale's affair.
    private func mapped(_ transform: (UInt8) -> UInt8) throws(CloisterError) -> TypedValue {
        let bytes = try text(0)
        guard bytes.allSatisfy({ $0 < 0x80 }) else {
            throw ValueError.unsupported(
                "\(name) of letters beyond ASCII is not computed by the proxy: the server's locale decides it", hint: "Write its result.")
        }
        return result(.text, bytes.map(transform))
    }

    /// Code points as pieces of UTF-8.
    private func characters(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var characters: [ArraySlice<UInt8>] = []
        var start = 0
        for index in bytes.indices.dropFirst() where bytes[index] & 0xc0 != 0x80 {
            characters.append(bytes[start..<index])
            start = index
        }
        if !bytes.isEmpty { characters.append(bytes[start...]) }
        return characters
    }

    private func joined(_ characters: some Sequence<ArraySlice<UInt8>>) -> TypedValue { result(.text, Array(characters.joined())) }

    private func trimmed(start: Bool, end: Bool) throws(CloisterError) -> TypedValue {
        if arguments[0].type == .bytea { throw refusal() }
        var rest = characters(try text(0))[...]
        let set = arguments.count == 2 ? Set(characters(try text(1))) : [[0x20]]
        if start { rest = rest.drop { set.contains($0) } }
        while end, let last = rest.last, set.contains(last) { rest.removeLast() }
        return joined(rest)
    }

    private func substring() throws(CloisterError) -> TypedValue {
        // substring(text, text) is a regular expression's.
        guard let kind = arguments[1].type, kind == .int4 || kind == .int2, arguments[0].type != .bytea else { throw refusal() }
        let all = characters(try text(0))
        let start = try int4(1)
        var end = all.count + 1
        if arguments.count == 3 {
            let length = try int4(2)
            guard length >= 0 else { throw CloisterError(.negativeLength, "negative substring length not allowed") }
            end = min(end, start + length)
        }
        let first = max(start, 1)
        return joined(first < end ? all[(first - 1)..<(end - 1)] : [])
    }

    private func side() throws(CloisterError) -> TypedValue {
        let all = characters(try text(0))
        let count = try int4(1)
        let kept = count >= 0 ? min(count, all.count) : max(0, all.count + count)
        return joined(name == "left" ? all.prefix(kept) : all.suffix(kept))
    }

    private func replaced() throws(CloisterError) -> TypedValue {
        let (bytes, from, to) = (try text(0), try text(1), try text(2))
        guard !from.isEmpty else { return result(.text, bytes) }
        var output: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index...].starts(with: from) {
                output += to
                index += from.count
            } else {
                output.append(bytes[index])
                index += 1
            }
            guard output.count <= Self.maximumSize else { throw refusal() }
        }
        return result(.text, output)
    }

    /// Each argument as its output function shows it; NULLs are left out.
    private func concatenated() throws(CloisterError) -> TypedValue {
        var output: [UInt8] = []
        for argument in arguments {
            guard let bytes = argument.bytes else { continue }
            output += try ValueCodec.text(fromCanonical: bytes, type: argument.type ?? .text, settings: settings)
        }
        return result(.text, output)
    }
}
