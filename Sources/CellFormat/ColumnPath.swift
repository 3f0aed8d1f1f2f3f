/// `schema.table.column`, as signed metadata lists columns and messages name them. A name with a point or a quote in it is quoted as
/// in SQL, so that two columns never share a path.
public enum ColumnPath {
    public static func text(_ schema: String, _ table: String, _ column: String) -> String {
        [schema, table, column].map { name in
            name.contains(".") || name.contains("\"") ? "\"" + name.replacing("\"", with: "\"\"") + "\"" : name
        }.joined(separator: ".")
    }

    /// Schemas whose tables are the server's or Cloister's own: nothing in them is marked.
    public static func isReserved(schema: String) -> Bool {
        schema.hasPrefix("pg_") || schema == "information_schema" || schema == "cloister"
    }
}
