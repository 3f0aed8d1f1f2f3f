package import CellFormat

/// What a statement asks of the proxy itself: keys and marks, which the server only stores.
///
/// The binder reads it from the text; the session's owner carries it out and says how it went. `CREATE TABLE` and
/// `ALTER TABLE` with `ENCRYPTED WITH` ask for marks first and are bound again when the columns are marked.
package struct ColumnCommand: Sendable, Hashable {
    package enum Action: Sendable, Hashable {
        /// Registers a master key of the proxy's vault; makes it if the vault has none of that name.
        case createMasterKey(String)
        /// Makes a column key under a master key.
        case createColumnKey(String, masterKey: String)
        case dropMasterKey(String, ifExists: Bool)
        case dropColumnKey(String, ifExists: Bool)
        /// Signs and records marks. All of one table, which does not have these columns yet.
        case mark([ColumnMarkRequest])
    }
    package var action: Action
    /// What CommandComplete says: the statement's first words.
    package var tag: String

    package init(_ action: Action, tag: String) {
        self.action = action
        self.tag = tag
    }
}

/// A column with its `ENCRYPTED WITH` clause.
package struct ColumnMarkRequest: Sendable, Hashable {
    package var schema: String
    package var table: String
    package var column: String
    package var type: DeclaredType
    package var scheme: EncryptionScheme
    package var collation: Collation
    package var keyName: String
    /// The enumeration or domain that the column is declared with.
    package var enumeration: TypeName?
    package var domain: TypeName?

    package init(
        schema: String, table: String, column: String, type: DeclaredType, scheme: EncryptionScheme, collation: Collation, keyName: String,
        enumeration: TypeName? = nil, domain: TypeName? = nil
    ) {
        self.enumeration = enumeration
        self.domain = domain
        self.schema = schema
        self.table = table
        self.column = column
        self.type = type
        self.scheme = scheme
        self.collation = collation
        self.keyName = keyName
    }
}
