import Attestation
import CellCrypto
import CellFormat
import ColumnCatalog
import Configuration
import Diagnostics
import Foundation
import KeyStore
import Testing

@testable import cloister

/// What the proxy makes of rows that a hostile server may have written.
@Suite struct LoadedKeysChecks {
    let vault: FileVault
    let configuration: Configuration

    init() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "cloister-\(UUID().uuidString).sqlite").path
        vault = try FileVault.create(
            path: path, passphrase: Passphrase(copying: Array("secret".utf8).span), parameters: Scrypt.Parameters(log2N: 10, r: 8, p: 1))
        try vault.createMasterKey("dev")
        try vault.createMasterKey("other")
        try? FileManager.default.removeItem(atPath: path)
        configuration = try Configuration(
            yaml: """
                columns:
                  public.people:
                    name_last: { type: text, encryption: randomized, key: people }
                    player_id: { type: text, encryption: deterministic, key: ids }
                """, file: "f.yaml")
    }

    func record(
        _ name: String, _ columns: [String], enclave: Bool = true, under master: String = "dev"
    ) throws -> ColumnKeyRecord {
        try ColumnKeyRecord.create(
            name: name, columns: columns, enclave: enclave, operations: enclave ? [.compare] : [], under: master, of: vault)
    }

    func good() throws -> [ColumnKeyRecord] {
        [try record("people", ["public.people.name_last"]), try record("ids", ["public.people.player_id"], enclave: false)]
    }

    func load(_ records: [ColumnKeyRecord]) throws -> LoadedKeys {
        try LoadedKeys(configuration, records: records, trusted: ["dev"], provider: vault)
    }

    func refusal(_ records: [ColumnKeyRecord]) throws -> CloisterError {
        try #require(throws: CloisterError.self) { _ = try load(records) }
    }

    @Test func goodRowsAreLoaded() throws {
        let records = try good()
        let keys = try load(records)
        #expect(keys.ciphers.count == 2)
        #expect(keys.released.map(\.id) == [UInt32(records[0].id)])
        #expect(keys.released[0].operations == 1)
        let mark = try #require(keys.marks.marks.first { $0.column == "name_last" })
        #expect(mark.type.logical == .text && mark.type.scheme == .randomized)
        #expect(mark.type.key.rawValue == UInt32(records[0].id))
    }

    @Test func limitsAndCollationsReachTheMarks() throws {
        let configuration = try Configuration(
            yaml: "columns: { public.people: { name_last: { type: varchar(40), encryption: randomized, key: people, collation: de } } }",
            file: "f")
        let keys = try LoadedKeys(configuration, records: good(), trusted: ["dev"], provider: vault)
        #expect(keys.marks.marks[0].modifier == 44)
        #expect(keys.marks.marks[0].type.collation == Collation(name: "de")?.rawValue)
    }

    private func marked(_ column: String, _ type: String, _ key: Int32, _ name: String) throws -> ColumnMarkMetadata {
        try ColumnMarkMetadata(
            schema: "public", table: "people", column: column, type: DeclaredType(sql: type), scheme: .randomized, collation: .c,
            key: try #require(KeyID(rawValue: UInt32(key))), keyName: name, origin: .ddl, counter: 1)
    }

    @Test func marksOfTheDatabaseJoinThoseOfTheFile() throws {
        let more = try record("more", ["public.people.note"])
        let records = try good() + [more]
        let marks = [try marked("name_last", "text", records[0].id, "people"), try marked("note", "varchar(9)", more.id, "more")]
        let keys = try LoadedKeys(configuration, records: records, columns: marks, trusted: ["dev"], provider: vault)
        #expect(keys.marks.marks.map(\.column).sorted() == ["name_last", "note", "player_id"])
        #expect(keys.marks.marks.first { $0.column == "note" }?.modifier == 13)
        #expect(keys.released.map(\.id).sorted() == [UInt32(records[0].id), UInt32(more.id)].sorted())
    }

    @Test func fileAndDatabaseMustAgree() throws {
        let records = try good()
        for (type, key) in [("varchar", records[0].id), ("text", records[1].id)] {
            let marks = [try marked("name_last", type, key, "people")]
            let error = try #require(throws: CloisterError.self) {
                _ = try LoadedKeys(configuration, records: records, columns: marks, trusted: ["dev"], provider: vault)
            }
            #expect(error.code == .markConflict && error.location == "f.yaml:3:5")
        }
    }

    @Test func marksOfTheDatabaseNeedTheirKeys() throws {
        let more = try record("more", ["public.people.other"])
        func code(_ records: [ColumnKeyRecord], _ mark: ColumnMarkMetadata) throws -> ErrorCode {
            try #require(throws: CloisterError.self) {
                _ = try LoadedKeys(configuration, records: records, columns: [mark], trusted: ["dev"], provider: vault)
            }.code
        }
        #expect(try code(good(), marked("other", "text", more.id, "more")) == .keyNotInDatabase)
        #expect(try code(good() + [more], marked("note", "text", more.id, "more")) == .columnNotUnderKey)
        #expect(try code(good() + [more], marked("other", "text", more.id ^ 1, "more")) == .columnNotUnderKey)
        #expect(
            try code(good() + [record("more", ["public.people.other"], under: "other")], marked("other", "text", 9, "more"))
                == .untrustedColumnKey)
    }

    @Test func rowsThatNobodyNamedAreLeftAlone() throws {
        let extra = ColumnKeyRecord(id: 5, name: "evil", metadata: [1, 2, 3], values: [])
        #expect(try load(good() + [extra]).ciphers.count == 2)
    }

    @Test func missingKey() throws {
        let error = try refusal([good()[0]])
        #expect(error.code == .keyNotInDatabase)
        #expect(error.location == "f.yaml:4:5" && error.message.contains("'ids'"))
    }

    @Test func columnThatTheSignedMetadataDoesNotList() throws {
        let error = try refusal([try record("people", ["public.people.name_first"]), good()[1]])
        #expect(error.code == .columnNotUnderKey)
        #expect(error.location == "f.yaml:3:5" && error.message.contains("public.people.name_last"))
    }

    @Test func keyOfAMasterKeyThatIsNotTrusted() throws {
        #expect(try refusal([try record("people", ["public.people.name_last"], under: "other"), good()[1]]).code == .untrustedColumnKey)
    }

    @Test func metadataThatWasChanged() throws {
        var records = try good()
        let text = String(decoding: records[0].metadata, as: UTF8.self)
        records[0].metadata = Array(text.replacing("\"enclave\":true", with: "\"enclave\":false").utf8)
        #expect(try refusal(records).code == .columnKeySignature)
    }

    @Test func keyUnderAnotherName() throws {
        var records = try good()
        records[0].name = "ids"
        records[1].name = "people"
        #expect(try refusal(records).code == .columnKeyMismatch)
    }

    @Test func wrappedBytesOfAnotherKey() throws {
        var records = try good()
        let foreign = records[1].values[0].wrapped
        records[0].values[0].wrapped = foreign
        #expect(try refusal(records).code == .wrappedKeyRefused)
    }

    @Test func amendedKeyIsTheSameKey() throws {
        let old = try record("people", ["public.people.name_first"])
        let new = try old.amended(
            columns: ["public.people.name_first", "public.people.name_last"], enclave: true, operations: [.compare, .hash],
            trusted: ["dev"],
            under: "dev", of: vault)
        #expect(new.id == old.id && new.metadata != old.metadata)
        let type = EncryptedType(.text, .deterministic, key: try #require(KeyID(rawValue: UInt32(old.id))))
        let value = Array("x".utf8)
        let before = try old.unwrap(trusted: ["dev"], provider: vault).cipher().sealDeterministic(value.span, type: type)
        let after = try new.unwrap(trusted: ["dev"], provider: vault).cipher().sealDeterministic(value.span, type: type)
        #expect(before == after)
        #expect(try load([new, good()[1]]).released[0].operations == 3)
    }

    @Test func enclaveGetsKeysOfRandomizedColumnsOnly() {
        #expect(!KeyPolicy(configuration.columns(underKey: "ids")).enclave)
        #expect(KeyPolicy(configuration.columns(underKey: "people")).operations == [.compare, .hash, .match])
        #expect(!KeyPolicy(configuration.columns(underKey: "people"), allowsEnclave: false).enclave)
    }
}
