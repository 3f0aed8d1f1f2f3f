package import CellFormat
package import Diagnostics
internal import Foundation

/// The signed statement that a column is encrypted, and how: canonical JSON (schemas/key-store-v1.md).
package struct ColumnMarkMetadata: Sendable, Hashable {
    /// Who marked it.
    package enum Origin: String, Sendable {
        /// A configuration file; signed by `cloister keys create-column`.
        case configuration
        /// `ENCRYPTED WITH` in a statement.
        case ddl
    }

    package static let byteLimit = 4096
    /// Integers of JSON that every reader keeps exact.
    static let counterLimit: UInt64 = 1 << 53

    package let schema: String
    package let table: String
    package let column: String
    package let type: DeclaredType
    package let scheme: EncryptionScheme
    package let collation: Collation
    package let key: KeyID
    package let keyName: String
    package let origin: Origin
    /// The manifest's counter when it was signed.
    package let counter: UInt64
    /// The enumeration (of which `type` is text) or domain (of which `type` is the base) that the column is declared with.
    package let enumeration: TypeName?
    package let domain: TypeName?

    /// Throws `malformedColumnMark`.
    package init(
        schema: String, table: String, column: String, type: DeclaredType, scheme: EncryptionScheme, collation: Collation, key: KeyID,
        keyName: String, origin: Origin, counter: UInt64, enumeration: TypeName? = nil, domain: TypeName? = nil
    ) throws(CloisterError) {
        let malformed = CloisterError(.malformedColumnMark, "the signed mark of a column is malformed")
        guard [schema, table, column].allSatisfy({ (1...63).contains($0.utf8.count) && !$0.utf8.contains(0) }), KeyName.isValid(keyName),
            !ColumnPath.isReserved(schema: schema), collation == .c || type.logical.isText && scheme == .randomized,
            (1..<Self.counterLimit).contains(counter), enumeration == nil || domain == nil && type == DeclaredType(.text) && collation == .c
        else { throw malformed }
        for name in [enumeration, domain].compactMap(\.self) {
            guard [name.schema, name.name].allSatisfy({ (1...63).contains($0.utf8.count) && !$0.utf8.contains(0) }) else { throw malformed }
        }
        self.enumeration = enumeration
        self.domain = domain
        self.schema = schema
        self.table = table
        self.column = column
        self.type = type
        self.scheme = scheme
        self.collation = collation
        self.key = key
        self.keyName = keyName
        self.origin = origin
        self.counter = counter
    }

    /// Reads a mark as signed. Throws `malformedColumnMark` unless the bytes are exactly what `json` of the result is.
    package init(json bytes: [UInt8]) throws(CloisterError) {
        struct Document: Decodable {
            var collation, column, encryption, key, origin, schema, table, type: String
            var counter: UInt64
            var id: UInt32
            var version: Int
            var type_kind, type_name, type_schema: String?
        }
        let malformed = CloisterError(.malformedColumnMark, "the signed mark of a column is malformed")
        guard bytes.count <= Self.byteLimit, let document = try? JSONDecoder().decode(Document.self, from: Data(bytes)) else {
            throw malformed
        }
        guard document.version == 1 else {
            throw CloisterError(
                .malformedColumnMark, "the signed mark of a column has a version this program does not know", hint: "use a newer cloister")
        }
        guard let type = try? DeclaredType(sql: document.type), let scheme = EncryptionScheme(rawValue: document.encryption),
            let collation = Collation(name: document.collation), let key = KeyID(rawValue: document.id),
            let origin = Origin(rawValue: document.origin)
        else { throw malformed }
        var enumeration: TypeName?
        var domain: TypeName?
        switch (document.type_kind, document.type_schema, document.type_name) {
        case (nil, nil, nil): break
        case ("enum", let schema?, let name?): enumeration = TypeName(schema, name)
        case ("domain", let schema?, let name?): domain = TypeName(schema, name)
        default: throw malformed
        }
        try self.init(
            schema: document.schema, table: document.table, column: document.column, type: type, scheme: scheme, collation: collation,
            key: key, keyName: document.key, origin: origin, counter: document.counter, enumeration: enumeration, domain: domain)
        guard json == bytes else { throw malformed }
    }

    /// The canonical bytes.
    package var json: [UInt8] {
        let members =
            [
                ("collation", CanonicalJSON.quoted(collation.name)), ("column", CanonicalJSON.quoted(column)), ("counter", "\(counter)"),
                ("encryption", CanonicalJSON.quoted(scheme.rawValue)), ("id", "\(key.rawValue)"), ("key", CanonicalJSON.quoted(keyName)),
                ("origin", CanonicalJSON.quoted(origin.rawValue)), ("schema", CanonicalJSON.quoted(schema)),
                ("table", CanonicalJSON.quoted(table)), ("type", CanonicalJSON.quoted(type.description)),
            ] + typeMembers + [("version", "1")]
        return Array(("{" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}").utf8)
    }

    /// Of a column that is declared with a type of the users'.
    private var typeMembers: [(String, String)] {
        guard let name = enumeration ?? domain else { return [] }
        return [
            ("type_kind", CanonicalJSON.quoted(enumeration != nil ? "enum" : "domain")), ("type_name", CanonicalJSON.quoted(name.name)),
            ("type_schema", CanonicalJSON.quoted(name.schema)),
        ]
    }

    package var path: String { ColumnPath.text(schema, table, column) }

    /// Whether both say the same of one column; origin and counter apart.
    package func agrees(with other: Self) -> Bool {
        path == other.path && type == other.type && scheme == other.scheme && collation == other.collation && key == other.key
            && keyName == other.keyName && enumeration == other.enumeration && domain == other.domain
    }

    /// `randomized varchar(40), key people, collation de`.
    package var words: String {
        "\(scheme.rawValue) \(enumeration.map { "enum \($0)" } ?? domain.map { "\(type) (domain \($0))" } ?? "\(type)"), key \(keyName)"
            + (collation == .c ? "" : ", collation \(collation.name)")
    }

    func signed(at counter: UInt64) throws(CloisterError) -> Self {
        try Self(
            schema: schema, table: table, column: column, type: type, scheme: scheme, collation: collation, key: key, keyName: keyName,
            origin: origin, counter: counter, enumeration: enumeration, domain: domain)
    }
}
