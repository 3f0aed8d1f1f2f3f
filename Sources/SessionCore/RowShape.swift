internal import CellFormat
internal import ColumnCatalog
internal import NIOCore
internal import PGWire

/// How to show the rows of one result: chosen once per RowDescription.
struct RowShape {
    struct Column {
        let type: ServerType
        /// The key that the column's typmod names; nil if it names none (an expression).
        let key: UInt32?
        /// 0 text, 1 binary.
        var format: Int16
        /// The column's name in the result, for messages.
        let name: String
        /// `ColumnMark.modifier`, where the result tells the column.
        var modifier: Int32 = -1
    }

    /// One entry a column; nil passes as it is.
    private(set) var columns: [Column?]
    let hasCells: Bool

    static let noRows = RowShape(columns: [], hasCells: false)

    private init(columns: [Column?], hasCells: Bool) {
        self.columns = columns
        self.hasCells = hasCells
    }

    /// Reads a server's description; nil in `shown`: it can go to the client as it is.
    /// `enumerations`: of which each column is, where the statement tells it; else its key and type do.
    static func reading(
        _ description: RowDescription, catalog: CatalogSnapshot, enumerations: [TypeName?]? = nil
    ) -> (shape: RowShape, shown: RowDescription?) {
        let enumerations = enumerations?.count == description.fields.count ? enumerations : nil
        var columns: [Column?] = []
        var shown = description
        var hasCells = false
        for (index, field) in description.fields.enumerated() {
            // The extension's types have OIDs above those of initdb.
            guard field.type >= 16384, let type = catalog.serverTypes[field.type] else {
                if hasCells { columns.append(nil) }
                continue
            }
            if !hasCells {
                hasCells = true
                columns = Array(repeating: nil, count: index)
            }
            columns.append(
                Column(
                    type: type, key: field.typeModifier > 0 ? UInt32(field.typeModifier) : nil, format: field.format,
                    name: String(buffer: field.name),
                    modifier: catalog.modifiers[ColumnAddress(table: field.table, attribute: field.attribute)] ?? -1))
            shown.fields[index].type = type.isArray ? 25 : type.logical.oid
            shown.fields[index].size = type.isArray ? -1 : type.logical.size
            shown.fields[index].typeModifier = columns[index]?.modifier ?? -1
            guard !type.isArray, type.logical == .text else { continue }
            let byKey = columns[index]?.key.flatMap(KeyID.init(rawValue:)).flatMap { key in
                catalog.marks.type(type.logical, type.scheme, key: key).enumeration
            }
            guard let name = enumerations.map({ $0[index] }) ?? byKey, let user = catalog.userTypes[name] else { continue }
            shown.fields[index].type = user.oid
            shown.fields[index].size = 4
        }
        return (RowShape(columns: columns, hasCells: hasCells), hasCells ? shown : nil)
    }

    /// The same result in the formats that a portal was bound with.
    func formatted(by portal: Portal) -> RowShape {
        guard hasCells else { return self }
        var shape = self
        for index in shape.columns.indices { shape.columns[index]?.format = portal.resultFormat(index) }
        return shape
    }
}
