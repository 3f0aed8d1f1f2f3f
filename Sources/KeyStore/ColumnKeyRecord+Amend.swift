package import Diagnostics

extension ColumnKeyRecord {
    /// The same key with other signed metadata: more columns, or another policy. The key never leaves this function.
    ///
    /// A key that keeps its aggregates keeps its minimum group, unless another is given. The record is verified first; the result is wrapped and signed anew under `masterKey` only. Throws as `unwrap` and
    /// `create`.
    package func amended(
        columns: some Sequence<String>, enclave: Bool, operations: some Sequence<KeyOperation>, minimumGroup: Int? = nil,
        trusted: Set<String>, under masterKey: String, of provider: any MasterKeyProvider
    ) throws(CloisterError) -> ColumnKeyRecord {
        let unwrapped = try unwrap(trusted: trusted, provider: provider)
        let operations = Set(operations)
        let metadata = try ColumnKeyMetadata(
            id: unwrapped.metadata.id, name: unwrapped.metadata.name, columns: columns, enclave: enclave, operations: operations,
            minimumGroup: operations.contains(.aggregate) ? minimumGroup ?? unwrapped.metadata.minimumGroup : nil)
        return try Self.seal(unwrapped.key, metadata, under: masterKey, of: provider)
    }
}
