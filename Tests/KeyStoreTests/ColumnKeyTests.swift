import CellCrypto
import CellFormat
import Diagnostics
@testable import KeyStore
import Testing

@Suite struct ColumnKeyMetadataTests {
    let id = KeyID(rawValue: 7)!

    @Test func theBytesAreCanonical() throws {
        let metadata = try ColumnKeyMetadata(
            id: id, name: "people", columns: ["public.people.name_last", "public.people.birth_date", "public.people.name_last"],
            enclave: true, operations: [.hash, .compare])
        let json =
            #"{"columns":["public.people.birth_date","public.people.name_last"],"enclave":true,"id":7,"name":"people","operations":["compare","hash"],"version":1}"#
        #expect(String(decoding: metadata.json, as: UTF8.self) == json)
        #expect(try ColumnKeyMetadata(json: Array(json.utf8)) == metadata)
        #expect(metadata.operationMask == 3)
    }

    @Test func aggregatesComeWithAMinimumGroup() throws {
        let metadata = try ColumnKeyMetadata(
            id: id, name: "pay", columns: ["a.b.c"], enclave: true, operations: [.compare, .aggregate], minimumGroup: 5)
        let json =
            #"{"columns":["a.b.c"],"enclave":true,"id":7,"minimum_group":5,"name":"pay","operations":["aggregate","compare"],"version":1}"#
        #expect(String(decoding: metadata.json, as: UTF8.self) == json)
        #expect(try ColumnKeyMetadata(json: Array(json.utf8)) == metadata)
        #expect(metadata.operationMask == 0x0005_0009)
        for (operations, least) in [([.aggregate], nil), ([.compare], 5), ([.aggregate], 1), ([.aggregate], 65536), ([.aggregate], -3)]
            as [([KeyOperation], Int?)]
        {
            let made = code {
                _ = try ColumnKeyMetadata(
                    id: id, name: "p", columns: ["a.b.c"], enclave: true, operations: operations, minimumGroup: least)
            }
            #expect(made == .invalidKeyDefinition)
        }
    }

    @Test func namesOfAllKindsGoThereAndBack() throws {
        let metadata = try ColumnKeyMetadata(
            id: KeyID(rawValue: 0x7fff_ffff)!, name: "ids", columns: ["public.\"Größe\".a\\b", "s.t.x\u{1}\n/é\u{7f}", "s.t.🙂"],
            enclave: false, operations: [])
        let text = String(decoding: metadata.json, as: UTF8.self)
        #expect(text.contains(#"\"Größe\".a\\b"#) && text.contains(#"x\u0001\u000a/é"#))
        #expect(try ColumnKeyMetadata(json: metadata.json) == metadata)
    }

    @Test(arguments: [
        "", "{}", "null", "[]", "7",
        // spaces, order, repeated, unknown and missing keys
        #"{"columns":["a.b.c"], "enclave":true,"id":7,"name":"p","operations":[],"version":1}"#,
        #"{"enclave":true,"columns":["a.b.c"],"id":7,"name":"p","operations":[],"version":1}"#,
        #"{"columns":["a.b.c"],"enclave":true,"id":8,"id":7,"name":"p","operations":[],"version":1}"#,
        #"{"columns":["a.b.c"],"enclave":true,"id":7,"name":"p","operations":[],"version":1,"x":1}"#,
        #"{"columns":["a.b.c"],"enclave":true,"id":7,"name":"p","operations":[]}"#,
        #"{"columns":["a.b.c"],"enclave":true,"id":7,"name":"p","operations":[],"version":1}"# + "\n",
        // values
        #"{"columns":["a.b.c"],"enclave":true,"id":7,"name":"p","operations":[],"version":2}"#,
        #"{"columns":["a.b.c"],"enclave":true,"id":0,"name":"p","operations":[],"version":1}"#,
        #"{"columns":["a.b.c"],"enclave":true,"id":2147483648,"name":"p","operations":[],"version":1}"#,
        #"{"columns":["a.b.c"],"enclave":true,"id":7.0,"name":"p","operations":[],"version":1}"#,
        #"{"columns":["a.b.c"],"enclave":1,"id":7,"name":"p","operations":[],"version":1}"#,
        #"{"columns":["a.b.c"],"enclave":true,"id":7,"name":"","operations":[],"version":1}"#,
        #"{"columns":["a.b.c"],"enclave":true,"id":7,"name":"a b","operations":[],"version":1}"#,
        #"{"columns":["b.b.c","a.b.c"],"enclave":true,"id":7,"name":"p","operations":[],"version":1}"#,
        #"{"columns":["a.b.c","a.b.c"],"enclave":true,"id":7,"name":"p","operations":[],"version":1}"#,
        #"{"columns":["a.b"],"enclave":true,"id":7,"name":"p","operations":[],"version":1}"#,
        #"{"columns":["a..c"],"enclave":true,"id":7,"name":"p","operations":[],"version":1}"#,
        #"{"columns":["a.b.\u0063"],"enclave":true,"id":7,"name":"p","operations":[],"version":1}"#,
        #"{"columns":["a.b.c"],"enclave":true,"id":7,"name":"p","operations":["decrypt"],"version":1}"#,
        #"{"columns":["a.b.c"],"enclave":true,"id":7,"name":"p","operations":["hash","compare"],"version":1}"#,
        #"{"columns":["a.b.c"],"enclave":false,"id":7,"name":"p","operations":["hash"],"version":1}"#,
        #"{"columns":["a.b.c"],"enclave":true,"id":7,"name":"p","operations":["aggregate"],"version":1}"#,
        #"{"columns":["a.b.c"],"enclave":true,"id":7,"minimum_group":5,"name":"p","operations":[],"version":1}"#,
        #"{"columns":["a.b.c"],"enclave":true,"id":7,"minimum_group":1,"name":"p","operations":["aggregate"],"version":1}"#,
        #"{"columns":["a.b.c"],"enclave":true,"id":7,"name":"p","minimum_group":5,"operations":["aggregate"],"version":1}"#,
        #"{"columns":["a.b.c"],"enclave":true,"id":7,"minimum_group":null,"name":"p","operations":[],"version":1}"#,
    ])
    func anythingElseIsMalformed(json: String) {
        #expect(code { _ = try ColumnKeyMetadata(json: Array(json.utf8)) } == .malformedKeyMetadata)
    }

    @Test func sizesAreBounded() throws {
        let many = (0...ColumnKeyMetadata.columnLimit).map { "s.t.c\($0)" }
        func refusal(_ columns: [String]) -> ErrorCode? {
            code { _ = try ColumnKeyMetadata(id: id, name: "p", columns: columns, enclave: false, operations: []) }
        }
        #expect(refusal(many) == .invalidKeyDefinition)
        #expect(refusal(many.dropLast()) == nil)
        #expect(refusal(["s.t." + String(repeating: "c", count: 190)]) == .invalidKeyDefinition)
        let huge = [UInt8](repeating: UInt8(ascii: "["), count: 70_000)
        #expect(code { _ = try ColumnKeyMetadata(json: huge) } == .malformedKeyMetadata)
        let deep = [UInt8](repeating: UInt8(ascii: "["), count: 60_000)
        #expect(code { _ = try ColumnKeyMetadata(json: deep) } == .malformedKeyMetadata)
    }
}

@Suite struct ColumnKeyRecordTests {
    let folder: Folder
    let vault: FileVault
    let record: ColumnKeyRecord
    let trusted: Set<String> = ["dev"]

    init() throws {
        folder = try Folder()
        vault = try FileVault.create(path: folder.file("vault"), passphrase: passphrase(), parameters: cheap)
        try vault.createMasterKey("dev")
        try vault.createMasterKey("other")
        record = try ColumnKeyRecord.create(
            name: "people", columns: ["public.people.name_last"], enclave: true, operations: [.compare, .hash], under: "dev", of: vault)
    }

    private func refusal(_ record: ColumnKeyRecord, trusted: Set<String>? = nil) -> ErrorCode? {
        code { _ = try record.unwrap(trusted: trusted ?? self.trusted, provider: vault) }
    }

    @Test func aNewKeyIsVerifiedAndUnwrapped() throws {
        let metadata = try record.verify(trusted: trusted, provider: vault)
        #expect(metadata.name == "people" && metadata.enclave && metadata.operations == [.compare, .hash])
        #expect(Int32(bitPattern: metadata.id.rawValue) == record.id && record.id > 0)
        #expect(record.values[0].wrapped.count == 61 && record.values[0].wrapped[0] == 1)
        #expect(record.values[0].signature.count == 64)
        let first = try record.unwrap(trusted: trusted, provider: vault)
        let second = try record.unwrap(trusted: trusted, provider: vault)
        #expect(copy(first.key) == copy(second.key))
        let cipher = try first.cipher()
        #expect(cipher.id == metadata.id)
    }

    @Test func twoKeysDiffer() throws {
        let other = try ColumnKeyRecord.create(
            name: "people", columns: ["public.people.name_last"], enclave: true, operations: [.compare], under: "dev", of: vault,
            avoiding: [KeyID(rawValue: UInt32(record.id))!])
        #expect(other.id != record.id)
        let a = try record.unwrap(trusted: trusted, provider: vault)
        let b = try other.unwrap(trusted: trusted, provider: vault)
        #expect(copy(a.key) != copy(b.key))
    }

    @Test func everyByteOfTheMetadataIsSigned() {
        for index in record.metadata.indices {
            var changed = record
            changed.metadata[index] ^= 1
            #expect(refusal(changed) == .columnKeySignature)
        }
        var longer = record
        longer.metadata += [UInt8(ascii: " ")]
        #expect(refusal(longer) == .columnKeySignature)
    }

    @Test func everyByteOfTheSignatureCounts() {
        for index in 0..<64 {
            var changed = record
            changed.values[0].signature[index] ^= 1
            #expect(refusal(changed) == .columnKeySignature)
        }
        for signature in [[], Array(record.values[0].signature.dropLast()), record.values[0].signature + [0]] {
            var changed = record
            changed.values[0].signature = signature
            #expect(refusal(changed) == .columnKeySignature)
        }
    }

    @Test func everyByteOfTheWrappedKeyCounts() {
        for index in record.values[0].wrapped.indices {
            var changed = record
            changed.values[0].wrapped[index] ^= 1
            #expect(refusal(changed) == .wrappedKeyRefused)
        }
        for count in 0..<record.values[0].wrapped.count {
            var changed = record
            changed.values[0].wrapped = Array(record.values[0].wrapped.prefix(count))
            #expect(refusal(changed) == .wrappedKeyRefused)
        }
        var longer = record
        longer.values[0].wrapped.append(0)
        #expect(refusal(longer) == .wrappedKeyRefused)
    }

    @Test func theRowMustSayWhatIsSigned() {
        var renamed = record
        renamed.name = "ids"
        #expect(refusal(renamed) == .columnKeyMismatch)
        var renumbered = record
        renumbered.id ^= 1
        #expect(refusal(renumbered) == .columnKeyMismatch)
        renumbered.id = -record.id
        #expect(refusal(renumbered) == .columnKeyMismatch)
    }

    @Test func aWrappedKeyBelongsToItsMetadata() throws {
        // The server gives the wrapped key of one record to the signed metadata of another.
        let other = try ColumnKeyRecord.create(
            name: "ids", columns: ["public.people.player_id"], enclave: false, operations: [], under: "dev", of: vault)
        var swapped = record
        swapped.values[0].wrapped = other.values[0].wrapped
        #expect(refusal(swapped) == .wrappedKeyRefused)
        // And the signature with it.
        swapped.values[0].signature = other.values[0].signature
        #expect(refusal(swapped) == .columnKeySignature)
    }

    @Test func onlyTrustedMasterKeysCount() throws {
        #expect(refusal(record, trusted: []) == .untrustedColumnKey)
        #expect(refusal(record, trusted: ["other"]) == .untrustedColumnKey)
        #expect(refusal(record, trusted: ["dev", "missing"]) == nil)
        // Trusted by name, but the vault has no such key: the server's word for its public key counts for nothing.
        var elsewhere = record
        elsewhere.values[0].masterKey = "missing"
        #expect(refusal(elsewhere, trusted: ["missing"]) == .untrustedColumnKey)
        // Trusted, but not the one that signed.
        elsewhere.values[0].masterKey = "other"
        #expect(refusal(elsewhere, trusted: ["other"]) == .columnKeySignature)
        var none = record
        none.values = []
        #expect(refusal(none) == .untrustedColumnKey)
    }

    @Test func whileRotatingEitherMasterKeyOpensIt() throws {
        let unwrapped = try record.unwrap(trusted: trusted, provider: vault)
        let again = try ColumnKeyRecord.seal(unwrapped.key, unwrapped.metadata, under: "other", of: vault)
        var both = record
        both.values = again.values + record.values
        for trusted: Set<String> in [["dev"], ["other"], ["dev", "other"]] {
            let opened = try both.unwrap(trusted: trusted, provider: vault)
            #expect(copy(opened.key) == copy(unwrapped.key))
        }
    }

    @Test func anAmendedKeyIsTheSameKeyUnderOtherMetadata() throws {
        let amended = try record.amended(
            columns: ["public.people.name_last", "public.people.name_first"], enclave: true, operations: [.compare], trusted: trusted,
            under: "dev", of: vault)
        let before = try record.unwrap(trusted: trusted, provider: vault)
        let after = try amended.unwrap(trusted: trusted, provider: vault)
        #expect(copy(before.key) == copy(after.key))
        #expect(amended.id == record.id && amended.name == record.name)
        #expect(after.metadata.columns == ["public.people.name_first", "public.people.name_last"])
        #expect(after.metadata.operations == [.compare])
        // The old wrapped key does not fit the new metadata, nor the new one the old.
        var mixed = amended
        mixed.values[0].wrapped = record.values[0].wrapped
        #expect(refusal(mixed) == .wrappedKeyRefused)
    }

    @Test func aForgedRecordIsNotAmended() {
        var forged = record
        forged.values[0].signature[0] ^= 1
        let refusal = code {
            _ = try forged.amended(
                columns: ["public.people.name_last"], enclave: true, operations: [.compare], trusted: trusted, under: "dev", of: vault)
        }
        #expect(refusal == .columnKeySignature)
    }

    @Test func badDefinitionsAreRefused() {
        func refused(_ name: String, _ columns: [String], _ enclave: Bool, _ operations: [KeyOperation]) -> ErrorCode? {
            code {
                _ = try ColumnKeyRecord.create(
                    name: name, columns: columns, enclave: enclave, operations: operations, under: "dev", of: vault)
            }
        }
        #expect(refused("", ["a.b.c"], true, []) == .invalidKeyDefinition)
        // A key may wait for its columns.
        #expect(refused("p", [], true, []) == nil)
        #expect(refused("p", ["b.c"], true, []) == .invalidKeyDefinition)
        #expect(refused("p", ["a.b.c"], false, [.compare]) == .invalidKeyDefinition)
        #expect(
            code {
                _ = try ColumnKeyRecord.create(name: "p", columns: ["a.b.c"], enclave: false, operations: [], under: "no", of: vault)
            } == .masterKeyMissing)
    }

    @Test func aListSaysWhatMayBeBelieved() throws {
        var forged = record
        forged.name = "forged\u{1b}[2J"
        let lines = KeyListing.columnKeys([forged, record], trusted: trusted, provider: vault)
        #expect(lines.map(\.name) == ["number \(record.id)", "people"])
        #expect(lines[0].status.hasPrefix("CL3024") && lines[0].columns.isEmpty)
        #expect(lines[1].status == "verified" && lines[1].columns == ["public.people.name_last"])
        #expect(lines[1].operations == ["compare", "hash"] && lines[1].masterKeys == ["dev"])
        let masters = KeyListing.masterKeys(vault.masterKeys, trusted: trusted)
        #expect(masters.map(\.name) == ["dev", "other"])
        #expect(masters.map(\.trusted) == [true, false])
        #expect(masters[0].fingerprint.count == 16)
    }
}
