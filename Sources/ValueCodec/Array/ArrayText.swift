package import Diagnostics

extension ArrayCodec {
    private static func malformed(_ detail: String) -> CloisterError {
        CloisterError(.invalidValueText, "malformed array literal", hint: detail)
    }

    // MARK: Input

    /// array_in without the elements' input functions: the elements' texts with quotes and escapes resolved.
    package static func elements(ofText text: [UInt8]) throws(CloisterError) -> Contents {
        guard !text.contains(0) else { throw TextCodec.invalid() }
        var reader = ArrayReader(text: text)
        let stated = try reader.statedDimensions()
        let start = reader.index
        let counts = try reader.count()
        var dimensions = counts.map { Dimension(count: Int32(clamping: $0)) }
        if let stated {
            guard stated.map(\.count) == dimensions.map(\.count) else {
                throw malformed("Specified array dimensions do not match array contents.")
            }
            dimensions = stated
        }
        let total = try elementCount(dimensions)
        guard total > 0 else { return Contents(dimensions: [], elements: []) }
        reader.index = start
        let elements = try reader.elements()
        guard elements.count == total else { throw malformed("Unexpected array element.") }
        return Contents(dimensions: dimensions, elements: elements)
    }

    /// The two passes of PostgreSQL: `count` checks and measures (ArrayCount), `elements` takes apart (ReadArrayStr).
    private struct ArrayReader {
        let text: [UInt8]
        var index = 0

        init(text: [UInt8]) { self.text = text }

        private var byte: UInt8 { index < text.count ? text[index] : 0 }
        private mutating func skipSpace() { while byte.isSpace { index += 1 } }

        /// `[1:3][0:1]=`; nil if the text begins with a brace.
        mutating func statedDimensions() throws(CloisterError) -> [Dimension]? {
            var dimensions: [Dimension] = []
            skipSpace()
            while byte == ascii("[") {
                index += 1
                guard dimensions.count < maximumDimensions else { throw tooManyDimensions() }
                guard let first = try bound() else { throw malformed("\"[\" must introduce explicitly-specified array dimensions.") }
                var lower = 1
                var upper = first
                if byte == ascii(":") {
                    index += 1
                    guard let second = try bound() else { throw malformed("Missing array dimension value.") }
                    (lower, upper) = (first, second)
                }
                guard byte == ascii("]") else { throw malformed("Missing \"]\" after array dimensions.") }
                index += 1
                guard upper >= lower else {
                    throw CloisterError(.arraySubscript, "upper bound cannot be less than lower bound")
                }
                guard let count = Int32(exactly: upper - lower + 1) else { throw tooLarge() }
                dimensions.append(Dimension(count: count, lowerBound: Int32(lower)))
                skipSpace()
            }
            if dimensions.isEmpty {
                guard byte == ascii("{") else { throw malformed("Array value must start with \"{\" or dimension information.") }
                return nil
            }
            guard byte == ascii("=") else { throw malformed("Missing \"=\" after array dimensions.") }
            index += 1
            skipSpace()
            guard byte == ascii("{") else { throw malformed("Array contents must start with \"{\".") }
            return dimensions
        }

        /// Signs and digits, of which atoi reads the first number; nil if there are none.
        private mutating func bound() throws(CloisterError) -> Int? {
            let start = index
            while byte.isDigit || byte == ascii("-") || byte == ascii("+") { index += 1 }
            guard index > start else { return nil }
            var position = start
            var negative = false
            if text[position] == ascii("-") || text[position] == ascii("+") {
                negative = text[position] == ascii("-")
                position += 1
            }
            var value = 0
            while position < index, text[position].isDigit {
                value = value * 10 + text[position].digit
                // What atoi makes of more is the C library's affair.
                guard value <= Int(Int32.max) else { throw ValueError.unsupported("array bounds beyond an integer are not supported") }
                position += 1
            }
            return negative ? -value : value
        }

        private enum State {
            case noLevel, levelStarted, elementStarted, quotedStarted, quotedCompleted, elementDelimited, levelCompleted, levelDelimited
        }

        /// ArrayCount: how many items each level has; none for an empty array. `index` is at the first brace.
        mutating func count() throws(CloisterError) -> [Int] {
            var state = State.noLevel
            var level = 0
            var depth = 1
            var items = [Int](repeating: 0, count: maximumDimensions)
            var present = [Int](repeating: 1, count: maximumDimensions)
            var last = [Int](repeating: 0, count: maximumDimensions)
            var inQuotes = false
            var isEmpty = true
            var atEnd = false
            while !atEnd {
                var itemDone = false
                while !itemDone {
                    if state == .elementStarted || state == .quotedStarted { isEmpty = false }
                    guard index < text.count else { throw malformed("Unexpected end of input.") }
                    switch text[index] {
                    case ascii("\\"):
                        guard [.levelStarted, .elementStarted, .quotedStarted, .elementDelimited].contains(state) else {
                            throw malformed("Unexpected \"\\\" character.")
                        }
                        if state != .quotedStarted { state = .elementStarted }
                        guard index + 1 < text.count else { throw malformed("Unexpected end of input.") }
                        index += 1
                    case ascii("\""):
                        guard [.levelStarted, .quotedStarted, .elementDelimited].contains(state) else {
                            throw malformed("Unexpected array element.")
                        }
                        inQuotes.toggle()
                        state = inQuotes ? .quotedStarted : .quotedCompleted
                    case _ where inQuotes: break
                    case ascii("{"):
                        guard [.noLevel, .levelStarted, .levelDelimited].contains(state) else {
                            throw malformed("Unexpected \"{\" character.")
                        }
                        state = .levelStarted
                        guard level < maximumDimensions else { throw tooManyDimensions() }
                        items[level] = 0
                        level += 1
                        depth = max(depth, level)
                    case ascii("}"):
                        guard
                            [.elementStarted, .quotedCompleted, .levelCompleted].contains(state) || (level == 1 && state == .levelStarted)
                        else { throw malformed("Unexpected \"}\" character.") }
                        state = .levelCompleted
                        guard level > 0 else { throw malformed("Unmatched \"}\" character.") }
                        level -= 1
                        guard last[level] == 0 || present[level] == last[level] else {
                            throw malformed("Multidimensional arrays must have sub-arrays with matching dimensions.")
                        }
                        last[level] = present[level]
                        present[level] = 1
                        if level == 0 {
                            atEnd = true
                            itemDone = true
                        } else {
                            // The item is done with the delimiter or brace that follows.
                            items[level - 1] += 1
                        }
                    case ascii(","):
                        guard [.elementStarted, .quotedCompleted, .levelCompleted].contains(state), level > 0 else {
                            throw malformed("Unexpected \",\" character.")
                        }
                        state = state == .levelCompleted ? .levelDelimited : .elementDelimited
                        itemDone = true
                        present[level - 1] += 1
                    case let byte where !byte.isSpace:
                        guard [.levelStarted, .elementStarted, .elementDelimited].contains(state) else {
                            throw malformed("Unexpected array element.")
                        }
                        state = .elementStarted
                    default: break
                    }
                    if !itemDone { index += 1 }
                }
                items[depth - 1] += 1
                index += 1
            }
            skipSpace()
            guard index == text.count else { throw malformed("Junk after closing right brace.") }
            return isEmpty ? [] : Array(items[..<depth])
        }

        /// The elements of a text that `count` has accepted.
        mutating func elements() throws(CloisterError) -> [[UInt8]?] {
            var elements: [[UInt8]?] = []
            var element: [UInt8] = []
            /// Where trailing blanks of an unquoted element begin.
            var kept = 0
            var isElement = false
            var hasQuotes = false
            var inQuotes = false
            func finish() {
                guard isElement else { return }
                element.removeLast(element.count - kept)
                let isNull = !hasQuotes && element.count == 4 && zip(element, "null".utf8).allSatisfy { $0.lowercased == $1 }
                elements.append(isNull ? nil : element)
                element = []
                kept = 0
                isElement = false
                hasQuotes = false
            }
            while index < text.count {
                let byte = text[index]
                index += 1
                switch byte {
                case ascii("\\"):
                    guard index < text.count else { throw malformed("Unexpected end of input.") }
                    element.append(text[index])
                    index += 1
                    kept = element.count
                    isElement = true
                    hasQuotes = true
                case ascii("\""):
                    inQuotes.toggle()
                    isElement = true
                    hasQuotes = true
                    kept = element.count
                case _ where inQuotes:
                    element.append(byte)
                    kept = element.count
                case ascii("{"): break
                case ascii("}"), ascii(","): finish()
                case _ where byte.isSpace: if isElement { element.append(byte) }
                default:
                    element.append(byte)
                    kept = element.count
                    isElement = true
                }
            }
            return elements
        }
    }

    // MARK: Output

    /// array_out of elements in text form.
    package static func text(elements: [[UInt8]?], dimensions: [Dimension]? = nil) -> [UInt8] {
        let dimensions = dimensions ?? Self.dimensions(of: elements)
        guard !elements.isEmpty, !dimensions.isEmpty else { return [ascii("{"), ascii("}")] }
        var output: [UInt8] = []
        if dimensions.contains(where: { $0.lowerBound != 1 }) {
            for dimension in dimensions {
                let upper = Int64(dimension.lowerBound) + Int64(dimension.count) - 1
                output += [UInt8]("[\(dimension.lowerBound):\(upper)]".utf8)
            }
            output.append(ascii("="))
        }
        /// How many elements one item of each level spans.
        var spans: [Int] = []
        var span = 1
        for dimension in dimensions.reversed() {
            span *= max(1, Int(dimension.count))
            spans.append(span)
        }
        for (position, element) in elements.enumerated() {
            if position > 0 { output.append(ascii(",")) }
            for span in spans.reversed() where position % span == 0 { output.append(ascii("{")) }
            append(element, to: &output)
            for span in spans where (position + 1) % span == 0 { output.append(ascii("}")) }
        }
        return output
    }

    private static func append(_ element: [UInt8]?, to output: inout [UInt8]) {
        guard let element else { return output.append(ascii: "NULL") }
        let looksNull = element.count == 4 && zip(element, "null".utf8).allSatisfy { $0.lowercased == $1 }
        let needsQuotes =
            element.isEmpty || looksNull
            || element.contains { $0.isSpace || [0x22, 0x5c, 0x7b, 0x7d, 0x2c].contains($0) }
        guard needsQuotes else { return output.append(contentsOf: element) }
        output.append(ascii("\""))
        for byte in element {
            if byte == ascii("\"") || byte == ascii("\\") { output.append(ascii("\\")) }
            output.append(byte)
        }
        output.append(ascii("\""))
    }
}
