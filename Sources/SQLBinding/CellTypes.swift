internal import CellFormat
internal import ColumnCatalog
internal import Diagnostics

/// Names of types whose values hold cells: the extension's own, and the row types of marked relations. What is cast to
/// them, or read as one (`'(1,secret)'::people`, `json_populate_record(NULL::people, …)`), would be plaintext that the
/// server sees before its type refuses it.
extension Analyzer {
    /// In these a type's name stands for an object only.
    private static let namingStatements: Set<String> = ["DropStmt", "CommentStmt", "GrantStmt", "AlterOwnerStmt", "CreateExtensionStmt"]

    /// Refuses such names everywhere but as the type of a column that `CREATE TABLE` or `ALTER TABLE` defines in a marked
    /// relation: there it is checked against the configuration.
    func refuseCellTypes(_ tag: String, _ statement: Node, definesMarked: Bool) throws(Halt) {
        if Self.namingStatements.contains(tag) { return }
        let mayDefine = definesMarked && (tag == "CreateStmt" || tag == "AlterTableStmt")
        var defined: Set<Int> = []
        var found: (name: String, node: Node)?
        statement.walk { node in
            if mayDefine, node.has("colname"), let type = node["typeName"], ServerType(name: type.names("names").last ?? "") != nil {
                defined.insert(type.location)
            }
            if node.has("names"), node.has("typemod"), !defined.contains(node.location) || node.location < 0,
                let name = cellType(node.names("names"), isColumnsType: node.flag("pct_type"))
            {
                found = (name, node)
            }
            if let name = node.names("funcname").last, isCoercion(name, node) { found = (name, node) }
            return found == nil
        }
        guard let found else { return }
        throw .refuse(
            .operationRefused, "a value of type \(found.name), which holds encrypted values",
            hint: Refused.cellTypeAsValue.instead, at: found.node)
    }

    private func cellType(_ names: [String], isColumnsType: Bool) -> String? {
        guard var name = names.last else { return nil }
        if isColumnsType { return names.first { catalog.markedNames.contains($0) } }
        if ServerType(name: name) != nil { return name }
        if names.count > 1 {
            let schema = names[names.count - 2]
            if catalog.relations[QualifiedName(schema, name)]?.hasMarks == true { return name }
            guard name.hasPrefix("_") else { return nil }
            name.removeFirst()
            return ServerType(name: name) != nil || catalog.relations[QualifiedName(schema, name)]?.hasMarks == true ? name : nil
        }
        // PostgreSQL finds its own types first.
        if LogicalType(typeNames: names) != nil { return nil }
        if catalog.markedNames.contains(name) { return name }
        guard name.hasPrefix("_") else { return nil }
        name.removeFirst()
        return ServerType(name: name) != nil || catalog.markedNames.contains(name) ? name : nil
    }

    /// `enc_text('x')`, `people('(1,x)')`: a cast written as a function.
    private func isCoercion(_ name: String, _ call: Node) -> Bool {
        if ServerType(name: name) != nil { return true }
        let arguments = call.list("args")
        guard arguments.count == 1, catalog.markedNames.contains(name) else { return false }
        return ["A_Const", "ParamRef", "TypeCast"].contains(arguments[0].tagged.tag)
    }
}
