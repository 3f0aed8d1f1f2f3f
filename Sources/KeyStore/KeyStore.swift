/// Master keys (CMK) and the column keys (CEK) they protect: providers, the vault file, signed metadata, wrapped keys.
///
/// Rows of the tables in schema `cloister` come from the database server and are untrusted until a trusted master key has
/// verified them; nothing here believes a name, an id or a list of columns that is not under a signature. What must not
/// be here: SQL of the server, sockets, cells.
package import Diagnostics

extension ErrorCode {
    /// There is no vault at the path.
    package static let vaultMissing = ErrorCode("CL3001", sqlState: "F0000")
    /// A vault is to be made where something already is.
    package static let vaultExists = ErrorCode("CL3002", sqlState: "F0000")
    /// The vault or the passphrase file can be read by others, or by us not at all.
    package static let unsafePermissions = ErrorCode("CL3003", sqlState: "F0000")
    /// The file is something else than a vault.
    package static let notAVault = ErrorCode("CL3004", sqlState: "F0000")
    /// The vault is damaged: cut, overwritten, or a row was altered.
    package static let vaultDamaged = ErrorCode("CL3005", sqlState: "XX001")
    /// The vault was made by a later version.
    package static let vaultFromTheFuture = ErrorCode("CL3006", sqlState: "F0000")
    /// The passphrase does not open the vault.
    package static let wrongPassphrase = ErrorCode("CL3007", sqlState: "28P01")
    /// No passphrase could be had, or it is empty or too long.
    package static let passphraseUnavailable = ErrorCode("CL3008", sqlState: "28P01")
    /// The provider has no master key of this name.
    package static let masterKeyMissing = ErrorCode("CL3009", sqlState: "42704")
    /// The name of a new key is taken.
    package static let keyExists = ErrorCode("CL3010", sqlState: "42710")
    /// The vault can't be read or written: disk, locks, the file system.
    package static let vaultUnavailable = ErrorCode("CL3011", sqlState: "58030")
    /// A name, column list or operation list that key metadata does not allow.
    package static let invalidKeyDefinition = ErrorCode("CL3012", sqlState: "22023")
    /// Metadata of a column key that is not canonical JSON of version 1.
    package static let malformedKeyMetadata = ErrorCode("CL3020", sqlState: "22023")
    /// No trusted master key has signed this column key.
    package static let untrustedColumnKey = ErrorCode("CL3021", sqlState: "28000")
    /// The signature over a column key's metadata is wrong.
    package static let columnKeySignature = ErrorCode("CL3022", sqlState: "28000")
    /// The wrapped bytes of a column key do not open under the master key and this metadata.
    package static let wrappedKeyRefused = ErrorCode("CL3023", sqlState: "28000")
    /// A row's id or name differs from what is signed.
    package static let columnKeyMismatch = ErrorCode("CL3024", sqlState: "28000")
    /// A signed mark or manifest that is not canonical JSON of version 1, or says what can't be.
    package static let malformedColumnMark = ErrorCode("CL3025", sqlState: "22023")
    /// No trusted master key has signed a mark or the manifest.
    package static let columnMarkSignature = ErrorCode("CL3026", sqlState: "28000")
    /// The marks are not those that the manifest lists.
    package static let columnMarksIncomplete = ErrorCode("CL3027", sqlState: "28000")
    /// The manifest is older than one that was seen, or of another sequence.
    package static let columnMarksRolledBack = ErrorCode("CL3028", sqlState: "28000")
}

/// Names of master and column keys: they stand in configuration files, tables and messages.
package enum KeyName {
    /// A letter or digit, then up to 62 letters, digits, `_`, `-`, `.`; ASCII only.
    package static func isValid(_ name: String) -> Bool {
        func isWord(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: false
            }
        }
        let bytes = Array(name.utf8)
        guard let first = bytes.first, bytes.count <= 63, isWord(first) else { return false }
        return bytes.allSatisfy { isWord($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
    }

    static func check(_ name: String, _ what: String) throws(CloisterError) {
        guard isValid(name) else {
            throw CloisterError(
                .invalidKeyDefinition, "the name of a \(what) is 1 to 63 letters, digits, '_', '-' or '.', starting with a letter or digit")
        }
    }
}
