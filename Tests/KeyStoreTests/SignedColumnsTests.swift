import CellFormat
import Diagnostics
import Testing

@testable import KeyStore

/// The marks of a database as a hostile server may show them.
@Suite struct SignedColumnsChecks {
    let folder: Folder
    let vault: FileVault

    init() throws {
        folder = try Folder()
        vault = try FileVault.create(path: folder.file("v"), passphrase: passphrase(), parameters: cheap)
        try vault.createMasterKey("dev")
        try vault.createMasterKey("other")
    }

    func mark(
        _ column: String, table: String = "people", type: String = "varchar(40)", scheme: EncryptionScheme = .randomized,
        collation: Collation = .c, origin: ColumnMarkMetadata.Origin = .ddl
    ) throws -> ColumnMarkMetadata {
        try ColumnMarkMetadata(
            schema: "public", table: table, column: column, type: DeclaredType(sql: type), scheme: scheme, collation: collation,
            key: try #require(KeyID(rawValue: 7)), keyName: "k", origin: origin, counter: 1)
    }

    func verify(_ signed: SignedColumns, after seen: VerifiedColumns = .none) throws -> VerifiedColumns {
        try signed.verify(trusted: ["dev"], provider: vault, after: seen)
    }

    /// `a` and `b` marked in two steps: the states after each.
    func history() throws -> [SignedColumns] {
        let one = try SignedColumns().changed(.none, marking: [mark("a")], under: "dev", of: vault)
        let two = try one.changed(verify(one), marking: [mark("b", type: "numeric(10,2)")], under: "dev", of: vault)
        return [one, two]
    }

    @Test func canonicalForm() throws {
        let german = try mark("na\"me", type: "text", collation: try #require(Collation(name: "de")), origin: .configuration)
        #expect(
            String(decoding: german.json, as: UTF8.self)
                == #"{"collation":"de","column":"na\"me","counter":1,"encryption":"randomized","id":7,"key":"k","origin":"configuration","schema":"public","table":"people","type":"text","version":1}"#
        )
        #expect(try ColumnMarkMetadata(json: german.json) == german)
        #expect(german.path == "public.people.\"na\"\"me\"")
        let manifest = try ColumnManifest(
            series: String(repeating: "0f", count: 16), counter: 2, digests: ["b": String(repeating: "00", count: 32)])
        #expect(
            String(decoding: manifest.json, as: UTF8.self)
                == #"{"columns":[{"digest":""# + String(repeating: "0", count: 64)
                + #"","path":"b"}],"counter":2,"series":"0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f","version":1}"#)
    }

    @Test(
        arguments: [
            (#""version":1"#, #""version":2"#), ("varchar(40)", "character varying(40)"), ("varchar(40)", "varchar(0)"),
            ("varchar(40)", "xml"), ("\"public\"", "\"pg_catalog\""), ("\"public\"", "\"cloister\""), ("\"people\"", "\"\""),
            ("\"randomized\"", "\"none\""), ("\"id\":7", "\"id\":0"), ("\"C\"", "\"xx\""), ("\"counter\":1", "\"counter\":0"),
            ("\"counter\":1", "\"counter\":1.0"), ("\"counter\":1", "\"counter\":9007199254740992"), ("\"ddl\"", "\"server\""),
            (",", ", "), (#""version":1"#, #""version":1,"x":1"#), ("\"k\"", "\"k k\""),
        ])
    func malformedMarks(from: String, to: String) throws {
        let json = String(decoding: try mark("a").json, as: UTF8.self)
        #expect(json.contains(from))
        #expect(code { _ = try ColumnMarkMetadata(json: Array(json.replacing(from, with: to).utf8)) } == .malformedColumnMark)
    }

    /// A column declared with a domain or an enum says so; what says neither is read as before.
    @Test func declaredTypesAreSigned() throws {
        func mark(_ type: String, enumeration: TypeName? = nil, domain: TypeName? = nil) throws -> ColumnMarkMetadata {
            try ColumnMarkMetadata(
                schema: "public", table: "t", column: "c", type: DeclaredType(sql: type), scheme: .randomized, collation: .c,
                key: try #require(KeyID(rawValue: 7)), keyName: "k", origin: .ddl, counter: 1, enumeration: enumeration, domain: domain)
        }
        let mood = try mark("text", enumeration: TypeName("app", "mood"))
        let text = String(decoding: mood.json, as: UTF8.self)
        #expect(text.hasSuffix(#""type":"text","type_kind":"enum","type_name":"mood","type_schema":"app","version":1}"#))
        #expect(try ColumnMarkMetadata(json: mood.json) == mood && mood.enumeration == TypeName("app", "mood"))
        let level = try mark("int4", domain: TypeName("app", "level"))
        #expect(try ColumnMarkMetadata(json: level.json).domain == TypeName("app", "level"))
        #expect(try !mood.agrees(with: mark("text")) && !level.agrees(with: mark("int4")))
        #expect(code { _ = try mark("int4", enumeration: TypeName("app", "mood")) } == .malformedColumnMark)
        for (from, to) in [
            ("\"enum\"", "\"range\""), (#""type_name":"mood","#, ""), ("\"mood\"", "\"\""), (#""type":"text""#, #""type":"int4""#),
        ] {
            #expect(text.contains(from))
            #expect(code { _ = try ColumnMarkMetadata(json: Array(text.replacing(from, with: to).utf8)) } == .malformedColumnMark)
        }
    }

    @Test func collationsAreForRandomizedText() throws {
        let german = try #require(Collation(name: "de"))
        #expect(code { _ = try mark("a", type: "date", collation: german) } == .malformedColumnMark)
        #expect(code { _ = try mark("a", scheme: .deterministic, collation: german) } == .malformedColumnMark)
    }

    @Test func whatWasSignedIsBelieved() throws {
        let states = try history()
        let first = try verify(states[0])
        #expect(first.counters.map(\.counter) == [1] && first.marks.map(\.path) == ["public.people.a"])
        let second = try verify(states[1], after: first)
        #expect(second.counters.map(\.counter) == [2] && second.manifests["dev"]?.series == first.manifests["dev"]?.series)
        #expect(second.marks.map(\.type.description) == ["varchar(40)", "numeric(10,2)"])
        #expect(second.marks.map(\.counter) == [1, 2])
        // Showing the same again is no rollback.
        _ = try verify(states[1], after: second)
        let third = try states[1].changed(second, marking: [], removing: ["public.people.a"], under: "dev", of: vault)
        #expect(try verify(third, after: second).marks.map(\.path) == ["public.people.b"])
        #expect(try verify(SignedColumns()) == .none)
    }

    @Test func aRowThatIsWithheldOrAdded() throws {
        let states = try history()
        for index in states[1].columns.indices {
            var signed = states[1]
            signed.columns.remove(at: index)
            #expect(code { _ = try verify(signed) } == .columnMarksIncomplete)
        }
        var signed = states[1]
        signed.manifests = []
        #expect(code { _ = try verify(signed) } == .columnMarksIncomplete)
        // Rows that were signed once, but are not of this manifest.
        signed = states[0]
        signed.columns.append(states[1].columns[1])
        #expect(code { _ = try verify(signed) } == .columnMarksIncomplete)
        signed = states[0]
        signed.columns.append(signed.columns[0])
        #expect(code { _ = try verify(signed) } == .columnMarksIncomplete)
        let changed = try states[0].changed(verify(states[0]), marking: [mark("a", type: "text")], under: "dev", of: vault)
        signed = changed
        signed.columns = states[0].columns
        #expect(code { _ = try verify(signed) } == .columnMarksIncomplete)
    }

    @Test func aForgedRow() throws {
        let states = try history()
        var signed = states[1]
        let text = String(decoding: signed.columns[0].metadata, as: UTF8.self)
        signed.columns[0].metadata = Array(text.replacing("randomized", with: "deterministic").utf8)
        #expect(code { _ = try verify(signed) } == .columnMarkSignature)
        // A mark's signature is not a manifest's.
        signed = states[1]
        signed.manifests = [signed.columns[0]]
        #expect(code { _ = try verify(signed) } == .columnMarkSignature)
        signed = states[1]
        let signature = signed.manifests[0].signature
        signed.manifests[0].signature = flipped(signature, at: 0)
        #expect(code { _ = try verify(signed) } == .columnMarkSignature)
        signed = states[1]
        let manifest = String(decoding: signed.manifests[0].metadata, as: UTF8.self)
        signed.manifests[0].metadata = Array(manifest.replacing("\"counter\":2", with: "\"counter\":3").utf8)
        #expect(code { _ = try verify(signed) } == .columnMarkSignature)
        signed = states[1]
        signed.manifests += states[0].manifests
        #expect(code { _ = try verify(signed) } == .malformedColumnMark)
    }

    @Test func otherMasterKeys() throws {
        // Signed by a master key that is in the vault, but not trusted: another application's.
        let states = try history()
        let others = try SignedColumns().changed(.none, marking: [mark("a", type: "text"), mark("z")], under: "other", of: vault)
        #expect(try verify(others) == .none)
        let both = SignedColumns(columns: states[1].columns + others.columns, manifests: states[1].manifests + others.manifests)
        #expect(try verify(both).marks.map(\.path) == ["public.people.a", "public.people.b"])
        // A row that is given to another master key is missing from its own.
        var moved = states[1]
        moved.columns[0].masterKey = "other"
        #expect(code { _ = try verify(moved) } == .columnMarksIncomplete)
        moved = states[1]
        moved.columns += others.columns.map { SignedColumns.Row(metadata: $0.metadata, masterKey: "dev", signature: $0.signature) }
        #expect(code { _ = try verify(moved) } == .columnMarkSignature)
        // Both trusted: two ways to mark one column; a change under one removes the other's.
        let trusted: Set = ["dev", "other"]
        #expect(code { _ = try both.verify(trusted: trusted, provider: vault) } == .malformedColumnMark)
        let same = try SignedColumns().changed(.none, marking: [mark("a")], under: "other", of: vault)
        let joined = SignedColumns(columns: states[1].columns + same.columns, manifests: states[1].manifests + same.manifests)
        let verified = try joined.verify(trusted: trusted, provider: vault)
        let changed = try joined.changed(verified, marking: [mark("a", type: "text")], under: "dev", of: vault)
        let after = try changed.verify(trusted: trusted, provider: vault, after: verified)
        #expect(after.mark(of: "public.people.a")?.type.description == "text" && after.marks.count == 2)
        #expect(after.counters.map(\.counter) == [3, 2])
        // Trusted, but not in this vault.
        let elsewhere = try FileVault.create(path: folder.file("w"), passphrase: passphrase(), parameters: cheap)
        try elsewhere.createMasterKey("other")
        #expect(code { _ = try states[1].verify(trusted: ["dev"], provider: elsewhere) } == .columnMarkSignature)
    }

    @Test func anOlderManifest() throws {
        let states = try history()
        let second = try verify(states[1])
        #expect(code { _ = try verify(states[0], after: second) } == .columnMarksRolledBack)
        #expect(code { _ = try verify(SignedColumns(), after: second) } == .columnMarksRolledBack)
        // Another sequence that has come further, and another manifest of the same number.
        var other = try history()[1]
        for name in ["c", "d"] { other = try other.changed(verify(other), marking: [mark(name)], under: "dev", of: vault) }
        #expect(code { _ = try verify(other, after: second) } == .columnMarksRolledBack)
        let fork = try states[0].changed(verify(states[0]), marking: [mark("c")], under: "dev", of: vault)
        #expect(code { _ = try verify(fork, after: second) } == .columnMarksRolledBack)
    }
}
