import Diagnostics

/// jsonb. Its canonical bytes are PostgreSQL's binary form (jsonb_send): the byte 1, then the text as jsonb_out prints it:
/// keys by length and then by bytes, the last of equal keys, numbers as numeric shows them, `": "` and `", "` between.
enum JSONBCodec {
    static let version: UInt8 = 1

    /// jsonb_recv.
    static func canonical(fromBinary bytes: [UInt8]) throws(CloisterError) -> [UInt8] {
        guard let first = bytes.first else { throw ValueCodec.shortBinary() }
        guard first == version else { throw CloisterError(.unknownVersion, "unsupported jsonb version number") }
        let text = Array(bytes[1...])
        try TextCodec.verify(text.span)
        return try canonical(fromText: text)
    }

    /// jsonb_in. `isNormalized`: numbers with the least scale that shows them, so that equal values have one text.
    static func canonical(fromText text: [UInt8], isNormalized: Bool = false) throws(CloisterError) -> [UInt8] {
        var builder = Builder(isNormalized: isNormalized)
        var scanner = JSONScanner(text)
        try scanner.scan { token, isKey throws(CloisterError) in try builder.take(token, isKey: isKey, in: text) }
        return builder.output
    }

    /// Writes containers from the inside out: a member is finished text by the time its container ends.
    private struct Builder {
        private struct Member {
            var key: [UInt8]
            var value: [UInt8]
        }
        private struct Container {
            var isObject: Bool
            /// Of the next value, unescaped.
            var key: [UInt8] = []
            var members: [Member] = []
        }

        let isNormalized: Bool
        private var stack: [Container] = []
        var output: [UInt8] = [version]

        init(isNormalized: Bool) { self.isNormalized = isNormalized }

        mutating func take(_ token: JSONScanner.Token, isKey: Bool, in text: [UInt8]) throws(CloisterError) {
            switch token {
            case .beginObject: stack.append(Container(isObject: true))
            case .beginArray: stack.append(Container(isObject: false))
            case .string(let range):
                let content = try unescaped(text[range])
                if isKey { stack[stack.count - 1].key = content } else { add(quoted(content)) }
            case .number(let range):
                var number = try Numeric(text: Array(text[range]).span)
                if isNormalized { number.normalizeScale() }
                var shown: [UInt8] = []
                number.appendText(to: &shown)
                add(shown)
            case .literal(let range): add(Array(text[range]))
            case .endObject, .endArray:
                guard let container = stack.popLast() else { return }
                add(shown(container))
            case .colon, .comma, .end: break
            }
        }

        private mutating func add(_ value: [UInt8]) {
            guard !stack.isEmpty else { return output.append(contentsOf: value) }
            let key = stack[stack.count - 1].key
            stack[stack.count - 1].members.append(Member(key: key, value: value))
        }

        private func shown(_ container: Container) -> [UInt8] {
            var output = [container.isObject ? ascii("{") : ascii("[")]
            var isFirst = true
            func separate() {
                if !isFirst { output.append(ascii: ", ") }
                isFirst = false
            }
            if container.isObject {
                // Stable order: of equal keys the last comes last, and is the one kept.
                let order = container.members.indices.sorted {
                    let (a, b) = (container.members[$0].key, container.members[$1].key)
                    if a.count != b.count { return a.count < b.count }
                    return a == b ? $0 < $1 : a.lexicographicallyPrecedes(b)
                }
                for (place, index) in order.enumerated() {
                    let member = container.members[index]
                    if place + 1 < order.count, container.members[order[place + 1]].key == member.key { continue }
                    separate()
                    output += quoted(member.key)
                    output.append(ascii: ": ")
                    output += member.value
                }
            } else {
                for member in container.members {
                    separate()
                    output += member.value
                }
            }
            output.append(container.isObject ? ascii("}") : ascii("]"))
            return output
        }

        /// A checked string's content without escapes. Surrogates must come in pairs; U+0000 can't be stored.
        private func unescaped(_ text: ArraySlice<UInt8>) throws(CloisterError) -> [UInt8] {
            guard text.contains(ascii("\\")) else { return Array(text) }
            var output: [UInt8] = []
            var index = text.startIndex
            var high: UInt32?
            while index < text.endIndex {
                let byte = text[index]
                guard byte == ascii("\\") else {
                    if high != nil { throw ValueError.syntax("json") }
                    output.append(byte)
                    index += 1
                    continue
                }
                let escape = text[index + 1]
                guard escape == ascii("u") else {
                    if high != nil { throw ValueError.syntax("json") }
                    switch escape {
                    case ascii("b"): output.append(0x08)
                    case ascii("f"): output.append(0x0c)
                    case ascii("n"): output.append(0x0a)
                    case ascii("r"): output.append(0x0d)
                    case ascii("t"): output.append(0x09)
                    default: output.append(escape)
                    }
                    index += 2
                    continue
                }
                var unit: UInt32 = 0
                for digit in text[index + 2..<index + 6] { unit = unit << 4 | UInt32(digit.hexDigit ?? 0) }
                index += 6
                switch unit {
                case 0xd800...0xdbff:
                    if high != nil { throw ValueError.syntax("json") }
                    high = unit
                    continue
                case 0xdc00...0xdfff:
                    guard let first = high else { throw ValueError.syntax("json") }
                    unit = 0x10000 + (first & 0x3ff) << 10 + unit & 0x3ff
                    high = nil
                default:
                    if high != nil { throw ValueError.syntax("json") }
                }
                guard unit != 0 else { throw CloisterError(.untranslatable, "unsupported Unicode escape sequence") }
                guard let scalar = Unicode.Scalar(unit) else { throw ValueError.syntax("json") }
                output.append(contentsOf: String(Character(scalar)).utf8)
            }
            if high != nil { throw ValueError.syntax("json") }
            return output
        }

        /// escape_json.
        private func quoted(_ text: [UInt8]) -> [UInt8] {
            var output: [UInt8] = [ascii("\"")]
            output.reserveCapacity(text.count + 2)
            for byte in text {
                switch byte {
                case 0x08: output.append(ascii: "\\b")
                case 0x09: output.append(ascii: "\\t")
                case 0x0a: output.append(ascii: "\\n")
                case 0x0c: output.append(ascii: "\\f")
                case 0x0d: output.append(ascii: "\\r")
                case ascii("\""), ascii("\\"):
                    output.append(ascii("\\"))
                    output.append(byte)
                case 0..<0x20:
                    output.append(ascii: "\\u00")
                    ByteaCodec.appendHex(byte, to: &output)
                default: output.append(byte)
                }
            }
            output.append(ascii("\""))
            return output
        }
    }
}
