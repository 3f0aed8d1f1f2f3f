package import Diagnostics

extension ColumnKeyRecord {
    /// The same key with other signed metadata: more columns, or another policy. The key never leaves this function.
    ///
    /// The record is verified first; the result is wrapped and signed anew under `masterKey` only. Throws as `unwrap` and
    /// `create`.
    package func amended(
        columns: some Sequence<String>, enclave: Bool, operations: some Sequence<KeyOperation>, trusted: Set<String>,
        under masterKey: String, of provider: any MasterKeyProvider
    ) throws(CloisterError) -> ColumnKeyRecord {
        let unwrapped = try unwrap(trusted: trusted, provider: provider)
        let metadata = try ColumnKeyMetadata(
            id: unwrapped.metadata.id, name: unwrapped.metadata.name, columns: columns, enclave: enclave, operations: operations)
        return try Self.seal(unwrapped.key, metadata, under: masterKey, of: provider)
    }
}
