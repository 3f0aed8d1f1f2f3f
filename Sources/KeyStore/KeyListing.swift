internal import CellCrypto
internal import Diagnostics

/// The rows of `cloister keys list`: what is stored, and whether it may be believed. Pure: the rows come from the caller.
package enum KeyListing {
    package struct MasterKeyLine: Sendable, Equatable {
        package var name, provider, created: String
        /// The public key's first eight bytes in hexadecimal.
        package var fingerprint: String
        package var trusted: Bool
    }

    package struct ColumnKeyLine: Sendable, Equatable {
        package var id: Int32
        package var name: String
        package var masterKeys: [String]
        /// Empty if the row is refused.
        package var columns: [String]
        package var enclave: Bool
        package var operations: [String]
        /// "verified", or the code and message of the refusal.
        package var status: String
    }

    package static func masterKeys(_ keys: [MasterKeyDescription], trusted: Set<String>) -> [MasterKeyLine] {
        keys.sorted { $0.name < $1.name }.map { key in
            MasterKeyLine(
                name: key.name, provider: key.provider, created: key.created, fingerprint: fingerprint(key.publicKey.bytes),
                trusted: trusted.contains(key.name))
        }
    }

    package static func columnKeys(
        _ records: [ColumnKeyRecord], trusted: Set<String>, provider: any MasterKeyProvider
    ) -> [ColumnKeyLine] {
        records.sorted { ($0.name, $0.id) < ($1.name, $1.id) }.map { record in
            var line = ColumnKeyLine(
                id: record.id, name: record.shownName, masterKeys: record.values.map(\.masterKey).filter(KeyName.isValid), columns: [],
                enclave: false, operations: [], status: "")
            do throws(CloisterError) {
                let metadata = try record.verify(trusted: trusted, provider: provider)
                line.columns = metadata.columns
                line.enclave = metadata.enclave
                line.operations = metadata.operations.map { operation in
                    guard operation == .aggregate, let least = metadata.minimumGroup else { return operation.rawValue }
                    return "aggregate of at least \(least)"
                }
                line.status = "verified"
            } catch {
                line.status = "\(error.code.name): \(error.message)"
            }
            return line
        }
    }

    private static func fingerprint(_ bytes: [UInt8]) -> String {
        bytes.prefix(8).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
