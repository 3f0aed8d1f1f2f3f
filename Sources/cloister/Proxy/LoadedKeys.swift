internal import Attestation
internal import CellCrypto
internal import CellFormat
internal import ColumnCatalog
internal import Configuration
internal import Diagnostics
internal import KeyStore

/// The keys and marks of one configuration, after every check: what the proxy encrypts with, what it may release.
struct LoadedKeys: Sendable {
    let ciphers: [KeyID: CellCipher]
    /// The keys whose signed policy allows an enclave to have them.
    let released: [ReleasedKey]
    let marks: MarkedColumns

    /// Verifies and unwraps the keys that the configuration names, and only those. Fails closed: one doubtful key or column
    /// refuses the whole configuration.
    init(_ configuration: Configuration, records: [ColumnKeyRecord], trusted: Set<String>, provider: any MasterKeyProvider)
        throws(CloisterError)
    {
        var ciphers: [KeyID: CellCipher] = [:]
        var released: [ReleasedKey] = []
        var marks: [ColumnMark] = []
        for name in configuration.keyNames {
            let columns = configuration.columns(underKey: name)
            guard let record = records.first(where: { $0.name == name }) else {
                throw CloisterError(
                    .keyNotInDatabase, "column key '\(name)' is not in the database",
                    hint: "make it with 'cloister keys create-column \(name)'", location: columns.first?.location ?? "")
            }
            let unwrapped = try record.unwrap(trusted: trusted, provider: provider)
            let metadata = unwrapped.metadata
            for column in columns {
                guard metadata.columns.contains(column.path) else {
                    throw CloisterError(
                        .columnNotUnderKey, "the signed metadata of column key '\(name)' does not list \(column.path)",
                        hint: "add it with 'cloister keys create-column \(name) --amend'", location: column.location)
                }
                marks.append(
                    ColumnMark(
                        schema: column.schema, table: column.table, column: column.column,
                        type: EncryptedType(column.type, column.scheme, key: metadata.id, collation: column.collation.rawValue),
                        modifier: column.modifier, keyName: name))
            }
            let cipher = try unwrapped.cipher()
            ciphers[metadata.id] = cipher
            if metadata.enclave { released.append(ReleasedKey(id: metadata.id.rawValue, cipher, operations: metadata.operationMask)) }
        }
        self.ciphers = ciphers
        self.released = released
        self.marks = try MarkedColumns(marks)
    }
}
