package import CellFormat
package import Diagnostics
internal import Foundation

/// What an enclave may do with a released column key.
package enum KeyOperation: String, Sendable, CaseIterable, Comparable {
    /// SUM, AVG, STDDEV, VARIANCE over groups of a minimum size. Off unless asked for.
    case aggregate
    case compare
    case hash
    /// Matching patterns: LIKE, ILIKE, starts_with.
    case match

    /// The bit in a release frame (schemas/release-v1.md).
    package var bit: UInt32 {
        switch self {
        case .compare: 1
        case .hash: 2
        case .match: 4
        case .aggregate: 8
        }
    }

    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// The signed half of a column key: its name and id, which columns may use it, whether an enclave may receive it, which
/// operations that enclave may do with it. Canonical JSON, so that one meaning has one signature (schemas/key-store-v1.md).
package struct ColumnKeyMetadata: Sendable, Hashable {
    package static let byteLimit = 1 << 16
    package static let columnLimit = 1024
    /// Three names of at most 63 bytes and two points; quoted names may need more room for nothing.
    package static let columnByteLimit = 3 * 63 + 2

    package let id: KeyID
    package let name: String
    /// `schema.table.column`, sorted, each once.
    package let columns: [String]
    package let enclave: Bool
    /// Sorted, each once; empty unless `enclave`.
    package let operations: [KeyOperation]
    /// The fewest values that an aggregate may be made of; there iff `operations` has `aggregate`.
    package let minimumGroup: Int?

    /// What `minimumGroup` may be: one value alone would be shown.
    package static let minimumGroups = 2...65535

    /// Throws `invalidKeyDefinition`.
    package init(
        id: KeyID, name: String, columns: some Sequence<String>, enclave: Bool, operations: some Sequence<KeyOperation>,
        minimumGroup: Int? = nil
    ) throws(CloisterError) {
        try KeyName.check(name, "column key")
        let columns = Set(columns).sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
        let operations = Set(operations).sorted()
        func invalid(_ why: String) -> CloisterError { CloisterError(.invalidKeyDefinition, "column key \(name): \(why)") }
        guard columns.count <= Self.columnLimit else { throw invalid("it can name \(Self.columnLimit) columns at most") }
        for column in columns {
            let parts = column.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count >= 3, parts.allSatisfy({ !$0.isEmpty }), column.utf8.count <= Self.columnByteLimit,
                !column.utf8.contains(0)
            else { throw invalid("a column is written schema.table.column") }
        }
        guard enclave || operations.isEmpty else { throw invalid("operations are for keys that an enclave may have") }
        guard operations.contains(.aggregate) == (minimumGroup != nil) else {
            throw invalid("aggregates and a minimum group belong together")
        }
        if let minimumGroup, !Self.minimumGroups.contains(minimumGroup) {
            throw invalid("a minimum group is \(Self.minimumGroups.lowerBound) to \(Self.minimumGroups.upperBound)")
        }
        self.minimumGroup = minimumGroup
        self.id = id
        self.name = name
        self.columns = columns
        self.enclave = enclave
        self.operations = operations
        guard json.count <= Self.byteLimit else { throw invalid("its metadata is too large") }
    }

    /// Reads metadata as signed. Throws `malformedKeyMetadata` unless the bytes are exactly what `json` of the result is:
    /// sorted keys, no spaces, no unknown or repeated key, version 1, within the bounds.
    package init(json bytes: [UInt8]) throws(CloisterError) {
        struct Document: Decodable {
            var columns: [String]
            var enclave: Bool
            var id: UInt32
            var minimum_group: Int?
            var name: String
            var operations: [String]
            var version: Int
        }
        let malformed = CloisterError(.malformedKeyMetadata, "the metadata of a column key is malformed")
        guard bytes.count <= Self.byteLimit, let document = try? JSONDecoder().decode(Document.self, from: Data(bytes)) else {
            throw malformed
        }
        guard document.version == 1 else {
            throw CloisterError(
                .malformedKeyMetadata, "the metadata of a column key has a version this program does not know", hint: "use a newer cloister"
            )
        }
        let operations = document.operations.compactMap(KeyOperation.init(rawValue:))
        guard operations.count == document.operations.count, let id = KeyID(rawValue: document.id) else { throw malformed }
        do {
            try self.init(
                id: id, name: document.name, columns: document.columns, enclave: document.enclave, operations: operations,
                minimumGroup: document.minimum_group)
        } catch {
            throw malformed
        }
        guard json == bytes else { throw malformed }
    }

    /// The canonical bytes: UTF-8, keys sorted, no spaces; in strings only `"`, `\` and control characters are escaped,
    /// the last as `\u00xx`.
    package var json: [UInt8] {
        var out = #"{"columns":["#
        out += columns.map(CanonicalJSON.quoted).joined(separator: ",")
        out += #"],"enclave":\#(enclave),"id":\#(id.rawValue),"#
        if let minimumGroup { out += #""minimum_group":\#(minimumGroup),"# }
        out += #""name":\#(CanonicalJSON.quoted(name)),"operations":["#
        out += operations.map { CanonicalJSON.quoted($0.rawValue) }.joined(separator: ",")
        out += #"],"version":1}"#
        return Array(out.utf8)
    }

    /// The operations as a release frame's mask, with the minimum group in its upper half.
    package var operationMask: UInt32 { operations.reduce(UInt32(minimumGroup ?? 0) << 16) { $0 | $1.bit } }
}
