/// The JSON of libpg_query as a flat arena: read without recursion, bounded by its input's length.
final class ParseTree {
    enum Value {
        case object, array, string(String), number(Int), bool(Bool), null
    }
    struct Entry {
        /// Member name in an object; empty in an array.
        var key: String
        var value: Value
        /// First child and next sibling, 0 for none (entry 0 is the root and nobody's child).
        var child: Int32 = 0
        var next: Int32 = 0
    }
    fileprivate var entries: [Entry] = []

    /// nil if the bytes are not the JSON libpg_query writes.
    init?(json: [UInt8]) {
        entries.reserveCapacity(json.count / 16 + 8)
        guard read(json) else { return nil }
    }

    var root: Node { Node(tree: self, index: 0) }

    private func read(_ json: [UInt8]) -> Bool {
        var i = 0
        /// Containers that are open: entry, its last child so far.
        var open: [(entry: Int32, last: Int32)] = []
        var key = ""
        func add(_ value: Value) -> Int32 {
            let index = Int32(truncatingIfNeeded: entries.count)
            entries.append(Entry(key: key, value: value))
            key = ""
            if let parent = open.last {
                if parent.last == 0 { entries[Int(parent.entry)].child = index } else { entries[Int(parent.last)].next = index }
                open[open.count - 1].last = index
            }
            return index
        }
        while i < json.count {
            guard entries.count < Int(Int32.max) else { return false }
            switch json[i] {
            case UInt8(ascii: "{"):
                open.append((add(.object), 0))
                i += 1
            case UInt8(ascii: "["):
                open.append((add(.array), 0))
                i += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard open.popLast() != nil else { return false }
                i += 1
            case UInt8(ascii: ","), 32, 10:
                i += 1
            case UInt8(ascii: "\""):
                guard let string = Self.string(json, &i) else { return false }
                if i < json.count, json[i] == UInt8(ascii: ":") {
                    key = string
                    i += 1
                } else {
                    _ = add(.string(string))
                }
            case UInt8(ascii: "t"):
                _ = add(.bool(true))
                i += 4
            case UInt8(ascii: "f"):
                _ = add(.bool(false))
                i += 5
            case UInt8(ascii: "n"):
                _ = add(.null)
                i += 4
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                let start = i
                i += 1
                while i < json.count, Lexer.isDigit(json[i]) { i += 1 }
                guard let number = Int(String(decoding: json[start..<i], as: UTF8.self)) else { return false }
                _ = add(.number(number))
            default:
                return false
            }
        }
        return open.isEmpty && !entries.isEmpty
    }

    /// A JSON string at `i`, which moves behind it.
    private static func string(_ json: [UInt8], _ i: inout Int) -> String? {
        i += 1
        let start = i
        while i < json.count, json[i] != UInt8(ascii: "\""), json[i] != UInt8(ascii: "\\") { i += 1 }
        guard i < json.count else { return nil }
        if json[i] == UInt8(ascii: "\"") {
            i += 1
            return String(decoding: json[start..<i - 1], as: UTF8.self)
        }
        var bytes = Array(json[start..<i])
        while i < json.count {
            let c = json[i]
            i += 1
            if c == UInt8(ascii: "\"") { return String(decoding: bytes, as: UTF8.self) }
            guard c == UInt8(ascii: "\\") else {
                bytes.append(c)
                continue
            }
            guard i < json.count else { return nil }
            let e = json[i]
            i += 1
            switch e {
            case UInt8(ascii: "n"): bytes.append(10)
            case UInt8(ascii: "t"): bytes.append(9)
            case UInt8(ascii: "r"): bytes.append(13)
            case UInt8(ascii: "b"): bytes.append(8)
            case UInt8(ascii: "f"): bytes.append(12)
            case UInt8(ascii: "u"):
                // libpg_query escapes control characters, < and > only: always one byte.
                guard i + 4 <= json.count, let code = UInt8(String(decoding: json[i..<i + 4], as: UTF8.self), radix: 16) else { return nil }
                bytes.append(code)
                i += 4
            default: bytes.append(e)
            }
        }
        return nil
    }
}

/// A place in a parse tree.
struct Node {
    fileprivate let tree: ParseTree
    fileprivate let index: Int32

    private var entry: ParseTree.Entry { tree.entries[Int(index)] }

    var key: String { entry.key }

    subscript(_ key: String) -> Node? {
        var child = entry.child
        while child != 0 {
            if tree.entries[Int(child)].key == key { return Node(tree: tree, index: child) }
            child = tree.entries[Int(child)].next
        }
        return nil
    }

    var children: [Node] {
        var list: [Node] = []
        var child = entry.child
        while child != 0 {
            list.append(Node(tree: tree, index: child))
            child = tree.entries[Int(child)].next
        }
        return list
    }

    var string: String? { if case .string(let s) = entry.value { s } else { nil } }
    var number: Int? { if case .number(let n) = entry.value { n } else { nil } }
    var isTrue: Bool { if case .bool(true) = entry.value { true } else { false } }

    func string(_ key: String) -> String? { self[key]?.string }
    func number(_ key: String) -> Int { self[key]?.number ?? 0 }
    func flag(_ key: String) -> Bool { self[key]?.isTrue ?? false }
    func list(_ key: String) -> [Node] { self[key]?.children ?? [] }
    func has(_ key: String) -> Bool { self[key] != nil }

    /// The strings of a list of String nodes.
    func names(_ key: String) -> [String] { list(key).map { $0["String"]?.string("sval") ?? ($0.has("A_Star") ? "*" : "") } }

    /// `{"Tag": body}` as tag and body; `{}` (a null pointer in a list) is ("", self).
    var tagged: (tag: String, body: Node) {
        let child = entry.child
        guard child != 0 else { return ("", self) }
        return (tree.entries[Int(child)].key, Node(tree: tree, index: child))
    }

    /// Byte offset in the text; -1 if unknown. Absent means 0.
    var location: Int { self["location"]?.number ?? 0 }

    /// Calls `visit` for this node and everything below it, in the order of the text, without recursion. `visit` returns
    /// false to skip what is below.
    func walk(_ visit: (Node) -> Bool) {
        var pending = [index]
        while let next = pending.popLast() {
            let node = Node(tree: tree, index: next)
            guard visit(node) else { continue }
            pending.append(contentsOf: node.children.reversed().map(\.index))
        }
    }
}
