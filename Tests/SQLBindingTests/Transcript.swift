import CellFormat
import ColumnCatalog
import Diagnostics
import Testing

@testable import SQLBinding

/// The database that every transcript runs against.
enum World {
    static let people = key(7)
    static let ids = key(9)

    static func key(_ id: UInt32) -> KeyID { KeyID(rawValue: id)! }

    static func mark(
        _ schema: String, _ table: String, _ column: String, _ type: LogicalType, _ scheme: EncryptionScheme = .randomized,
        _ key: KeyID = people
    )
        -> ColumnMark
    { ColumnMark(schema: schema, table: table, column: column, type: EncryptedType(type, scheme, key: key), keyName: "k") }

    /// people(id int4, name text*, nick text*, birth date*, weight int4*, alive bool*, pid text det, note text, player text det)
    static let marks: [ColumnMark] = [
        mark("public", "people", "name", .text), mark("public", "people", "nick", .text), mark("public", "people", "birth", .date),
        mark("public", "people", "weight", .int4), mark("public", "people", "alive", .boolean),
        mark("public", "people", "seen", .timestamp),
        mark("public", "people", "score", .numeric),
        mark("public", "people", "pid", .text, .deterministic, ids),
        mark("public", "salaries", "pid", .text, .deterministic, ids), mark("public", "salaries", "amount", .int4, .randomized, key(11)),
        mark("public", "Mixed Case", "Secret", .text),
        mark("clinic", "visits", "reason", .text),
        ColumnMark(
            schema: "public", table: "staff", column: "mood", type: enumeration(TypeName("public", "mood"), key(21)), keyName: "k"),
        ColumnMark(
            schema: "public", table: "staff", column: "size", type: enumeration(TypeName("public", "size"), key(22), .deterministic),
            keyName: "k"),
        domain("level", .int4, -1, "posint"), domain("nick", .varchar, 14, "nickname"), domain("mail", .text, -1, "email"),
        domain("free", .text, -1, "anytext"),
    ]
    static func enumeration(_ name: TypeName, _ key: KeyID, _ scheme: EncryptionScheme = .randomized) -> EncryptedType {
        EncryptedType(.text, scheme, key: key, enumeration: name)
    }
    private static func domain(_ column: String, _ type: LogicalType, _ modifier: Int32, _ domain: String) -> ColumnMark {
        ColumnMark(
            schema: "public", table: "staff", column: column, type: EncryptedType(type, .randomized, key: people), modifier: modifier,
            keyName: "k", domain: TypeName("public", domain))
    }
    static let userTypes: [TypeName: UserType] = [
        TypeName("public", "mood"): .enumeration,
        TypeName("public", "size"): .enumeration,
        TypeName("public", "posint"): .domain(
            .init(base: DeclaredType(.int4), isNotNull: true, checks: ["VALUE > 0"], defaultValue: "1")),
        TypeName("public", "shortname"): .domain(.init(base: DeclaredType(.varchar, modifier: 14), checks: ["value <> ''"])),
        TypeName("public", "nickname"): .domain(
            .init(base: DeclaredType(.varchar, modifier: 14), parent: TypeName("public", "shortname"), checks: ["VALUE NOT LIKE '%@%'"])),
        TypeName("public", "email"): .domain(.init(base: DeclaredType(.text), checks: ["VALUE ~ '@'"])),
        TypeName("public", "anytext"): .domain(.init(base: DeclaredType(.text))),
    ]

    static func catalog(_ more: [[String?]] = [], marks: [ColumnMark] = marks) -> CatalogSnapshot {
        var rows: [[String?]] = []
        var oid = 20000
        var oids: [String: String] = [:]
        for type in LogicalType.supported {
            for scheme in EncryptionScheme.allCases {
                let name = scheme.typePrefix + type.name
                rows.append(["t", name, String(oid), String(oid + 1), nil, nil, nil, nil])
                oids[name] = String(oid)
                oid += 2
            }
        }
        func table(_ schema: String, _ name: String, _ columns: [(String, String, String)], kind: String = "r") {
            for (index, column) in columns.enumerated() {
                rows.append(["c", schema, name, kind, String(index + 1), column.0, oids[column.1] ?? column.1, column.2])
            }
        }
        table(
            "public", "people",
            [
                ("id", "23", "-1"), ("name", "enc_text", "7"), ("nick", "enc_text", "7"), ("birth", "enc_date", "7"),
                ("weight", "enc_int4", "7"),
                ("alive", "enc_boolean", "7"), ("pid", "det_text", "9"), ("note", "25", "-1"), ("seen", "enc_timestamp", "7"),
                ("score", "enc_numeric", "7"),
            ])
        table("public", "salaries", [("id", "23", "-1"), ("pid", "det_text", "9"), ("amount", "enc_int4", "11"), ("year", "23", "-1")])
        table("public", "Mixed Case", [("Secret", "enc_text", "7"), ("plain", "25", "-1")])
        table("clinic", "visits", [("reason", "enc_text", "7"), ("at", "1082", "-1")])
        table("other", "visits", [("reason", "25", "-1"), ("at", "1082", "-1")])
        table("public", "plain", [("id", "23", "-1"), ("name", "25", "-1"), ("t", "25", "-1")])
        table("public", "copyof", [("name", "enc_text", "7"), ("id", "23", "-1")])
        table("public", "view_of", [("person", "enc_text", "7"), ("id", "23", "-1")], kind: "v")
        table(
            "public", "staff",
            [
                ("id", "23", "-1"), ("mood", "enc_text", "21"), ("size", "det_text", "22"), ("level", "enc_int4", "7"),
                ("nick", "enc_varchar", "7"), ("mail", "enc_text", "7"), ("free", "enc_text", "7"),
            ])
        table("public", "staff_view", [("mood", "enc_text", "21")], kind: "v")
        for (name, oid, labels) in [("mood", "30000", ["sad", "ok", "happy"]), ("size", "30002", ["S", "L"]), ("other", "30004", ["x"])] {
            for label in labels { rows.append(["e", "public", name, oid, String(Int(oid)! + 1), label, nil, nil]) }
        }
        for (index, (name, checks)) in [("posint", "1"), ("shortname", "1"), ("nickname", "1"), ("email", "1"), ("anytext", "0")]
            .enumerated()
        {
            let isFirst = index == 0 ? "true" : "false"
            rows.append(["d", "public", name, String(30010 + 2 * index), String(30011 + 2 * index), isFirst, checks, isFirst])
        }
        return try! CatalogSnapshot.load(rows: rows + more, marks: MarkedColumns(marks, userTypes: userTypes))
    }

    static let shared = catalog()
}

/// What came of a text, as one line.
///
/// `‹o people.name text:Smith›` is an operand cell, `‹s …›` a stored one; parameters and COPY columns follow. `! CL6001`
/// is a refusal, `= ` stands before a text that passes unchanged.
func transcript(
    _ sql: String, path: [String]? = ["pg_catalog", "public"], scs: Bool = true, extended: Bool = false, declared: [UInt32] = [],
    current: Bool = true,
    catalog: CatalogSnapshot = World.shared, binder: Binder = Binder()
) -> String {
    let context = BindContext(
        catalog: catalog, searchPath: path, standardConformingStrings: scs, declaredParameterTypes: declared, isExtendedProtocol: extended,
        catalogIsCurrent: current)
    let bytes = Array(sql.utf8)
    switch binder.bind(bytes, context: context) {
    case .passThrough: return "= " + sql
    case .refused(let error, _): return "! \(error.code.name)"
    case .needsCatalog: return "? catalog"
    case .needsSearchPath: return "? path"
    case .administer(let command): return "? \(command.tag): \(words(command))"
    case .bound(let bound):
        var text = rendered(bound, bytes)
        for parameter in bound.parameters where bound.parameters.contains(where: { $0.use != .plain }) {
            switch parameter.use {
            case .plain: text += " [\(parameter.clientIndex + 1) plain]"
            case .unused: text += " [\(parameter.clientIndex + 1) unused]"
            case .nullness: text += " [\(parameter.clientIndex + 1) null?]"
            case .encrypted(_, let role, let column):
                text +=
                    " [\(parameter.clientIndex + 1) \(role == .operand ? "o" : "s") \(short(column))\(parameter.declaredType.map { " \($0.name)" } ?? "")\(words(parameter.form))\(parameter.computation.map { " = " + words($0) } ?? "")]"
            }
        }
        if let copy = bound.copyOut {
            text +=
                " {" + copy.layout.columns.map { $0.name + ($0.encryption == nil ? "" : "*") }.joined(separator: ",")
                + " \(copy.layout.format) out}"
        }
        if let copy = bound.copyIn {
            text += " {" + copy.columns.map { $0.name + ($0.encryption == nil ? "" : "*") }.joined(separator: ",") + " \(copy.format)}"
        }
        return text
    }
}

func rendered(_ bound: BoundStatement, _ bytes: [UInt8]) -> String {
    var text = ""
    for piece in bound.pieces {
        switch piece {
        case .verbatim(let range): text += String(decoding: bytes[range], as: UTF8.self)
        case .text(let more): text += more
        case .cell(let slot):
            let declared = slot.declaredType.map { " \($0.name)" } ?? ""
            let value = slot.computation.map(words) ?? String(decoding: slot.value, as: UTF8.self)
            text += "‹\(slot.role == .operand ? "o" : "s") \(short(slot.column))\(declared)\(words(slot.form)):\(value)›"
        }
    }
    return text
}

func words(_ form: CellForm) -> String {
    switch form {
    case .value: ""
    case .array: "[]"
    case .pattern: "%"
    }
}

func words(_ computation: Computation<ConstantText>) -> String {
    switch computation {
    case .constant(let constant): "'\(String(decoding: constant.value, as: UTF8.self))'"
    case .null: "null"
    case .parameter(let index): "$\(index + 1)"
    case .call(let name, _, let arguments): "\(name)(\(arguments.map(words).joined(separator: ", ")))"
    case .cast(let inner, let type): "\(words(inner))::\(type.name)"
    }
}

private func short(_ column: String) -> String { column.hasPrefix("public.") ? String(column.dropFirst(7)) : column }

/// Checks lines of `SQL` / `result` pairs.
func expect(_ sql: String, _ result: String, extended: Bool = false, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(transcript(sql, extended: extended) == result, sourceLocation: sourceLocation)
}

/// The text passes as it is.
func expectPass(_ sql: String, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(transcript(sql) == "= " + sql, sourceLocation: sourceLocation)
}

private func words(_ command: ColumnCommand) -> String {
    switch command.action {
    case .createMasterKey(let name): "\(name)"
    case .createColumnKey(let name, let master): "\(name) under \(master)"
    case .dropMasterKey(let name, let ifExists), .dropColumnKey(let name, let ifExists): name + (ifExists ? " if it exists" : "")
    case .mark(let requests):
        requests.map {
            "\($0.schema).\($0.table).\($0.column) \($0.scheme.rawValue) \($0.type) \($0.keyName)"
                + ($0.collation == .c ? "" : " \($0.collation.name)")
        }.joined(separator: ", ")
    }
}
