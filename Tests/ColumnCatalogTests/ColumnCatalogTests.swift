import CellFormat
import ColumnCatalog
import Diagnostics
import Testing

@Suite struct CatalogTests {
    private func key(_ id: UInt32) -> KeyID { KeyID(rawValue: id)! }
    private func mark(_ table: String, _ column: String, _ type: LogicalType = .text, _ id: UInt32 = 7) -> ColumnMark {
        ColumnMark(schema: "public", table: table, column: column, type: EncryptedType(type, .randomized, key: key(id)), keyName: "k")
    }
    private let types: [[String?]] = [
        ["t", "enc_text", "20001", "20002", nil, nil, nil, nil], ["t", "det_text", "20003", "20004", nil, nil, nil, nil],
        ["t", "enc_something", "20005", "20006", nil, nil, nil, nil],
    ]
    private func column(_ table: String, _ number: Int, _ name: String, _ type: String, _ typmod: String = "-1", kind: String = "r")
        -> [String?]
    {
        ["c", "public", table, kind, String(number), name, type, typmod]
    }

    @Test func columnsInOrderWithTheirMarks() throws {
        let rows =
            types + [
                column("people", 3, "note", "25"), column("people", 1, "id", "23"), column("people", 2, "name", "20001", "7"),
                ["c", "public", "empty", "r", nil, nil, nil, nil],
            ]
        let catalog = try CatalogSnapshot.load(rows: rows, marks: MarkedColumns([mark("people", "name")]))
        let people = try #require(catalog.relations[QualifiedName("public", "people")])
        #expect(people.columns.map(\.name) == ["id", "name", "note"])
        #expect(people.columns.map { $0.encryption != nil } == [false, true, false])
        #expect(people.isComplete && people.hasMarks)
        #expect(catalog.relations[QualifiedName("public", "empty")]?.columns.isEmpty == true)
        #expect(catalog.serverTypes[20001] == ServerType(.text, .randomized))
        #expect(catalog.serverTypes[20002] == ServerType(.text, .randomized, isArray: true))
        #expect(catalog.typeOIDs[ServerType(.text, .deterministic)] == 20003)
        #expect(catalog.serverTypes.count == 4)
    }

    @Test func limitsByTheColumnsAddress() throws {
        let limited = ColumnMark(
            schema: "public", table: "people", column: "name", type: EncryptedType(.text, .randomized, key: key(7)), modifier: 44,
            keyName: "k")
        let rows =
            types + [
                column("people", 1, "id", "23"), column("people", 2, "name", "20001", "7"),
                ["o", "public", "people", "16400", nil, nil, nil, nil],
            ]
        let catalog = try CatalogSnapshot.load(rows: rows, marks: MarkedColumns([limited]))
        #expect(catalog.modifiers == [ColumnAddress(table: 16400, attribute: 2): 44])
        #expect(throws: CloisterError.self) {
            try CatalogSnapshot.load(rows: types + [["o", "public", "people", "x", nil, nil, nil, nil]], marks: .none)
        }
    }

    @Test func aServerThatLiesUnmarksNothing() throws {
        let marks = try MarkedColumns([mark("people", "name"), mark("people", "gone"), mark("missing", "x")])
        // The server says that name is text, that gone does not exist, and knows no table `missing`.
        let catalog = try CatalogSnapshot.load(rows: types + [column("people", 1, "name", "25")], marks: marks)
        let people = try #require(catalog.relations[QualifiedName("public", "people")])
        #expect(people.column("name")?.encryption?.key == key(7))
        #expect(people.column("gone")?.encryption?.key == key(7))
        let missing = try #require(catalog.relations[QualifiedName("public", "missing")])
        #expect(!missing.isComplete && missing.hasMarks)
        #expect(catalog.markedNames == ["people", "missing"])
        // It says another key than the configuration: the configuration holds.
        let other = try CatalogSnapshot.load(rows: types + [column("people", 1, "name", "20001", "9")], marks: marks)
        #expect(other.relations[QualifiedName("public", "people")]?.column("name")?.encryption?.key == key(7))
    }

    @Test func serverTypesMarkWhatNobodyConfigured() throws {
        let rows = types + [column("v", 1, "who", "20003", "9", kind: "v"), column("v", 2, "odd", "20001", "-1", kind: "v")]
        let catalog = try CatalogSnapshot.load(rows: rows, marks: .none)
        let view = try #require(catalog.relations[QualifiedName("public", "v")])
        #expect(view.column("who")?.encryption == EncryptedType(.text, .deterministic, key: key(9)))
        #expect(view.column("who")?.isConfigured == false)
        // No key id to be had: encrypted all the same.
        #expect(view.column("odd")?.encryption != nil)
        #expect(catalog.markedColumnNames == ["who", "odd"])
    }

    @Test func cellsOfOneKeyAndTypeShareACollation() throws {
        var german = mark("people", "name")
        german.type.collation = 13
        let rows = types + [column("v", 1, "who", "20001", "7", kind: "v"), column("v", 2, "other", "20001", "8", kind: "v")]
        let view = try #require(
            try CatalogSnapshot.load(rows: rows, marks: MarkedColumns([german])).relations[QualifiedName("public", "v")])
        #expect(view.column("who")?.encryption?.collation == 13)
        #expect(view.column("other")?.encryption?.collation == 0)
        #expect(throws: CloisterError(.collationsDiffer, "")) { try MarkedColumns([german, mark("people", "nick")]) }
        _ = try MarkedColumns([german, mark("people", "nick", .varchar), mark("people", "pet", .text, 8)])
    }

    @Test func equalContentIsOneSnapshot() throws {
        let marks = try MarkedColumns([mark("people", "name")])
        let rows = types + [column("people", 1, "name", "20001", "7"), column("people", 2, "id", "23")]
        let a = try CatalogSnapshot.load(rows: rows, marks: marks)
        let b = try CatalogSnapshot.load(rows: rows.reversed(), marks: marks)
        let c = try CatalogSnapshot.load(rows: rows + [column("people", 3, "more", "25")], marks: marks)
        #expect(a === b && a.id == b.id)
        #expect(a.id != c.id)
        #expect(CatalogSnapshot.empty(marks: marks) === CatalogSnapshot.empty(marks: marks))
    }

    @Test(
        arguments: [
            [["x", "a", "b", nil, nil, nil, nil, nil]], [["c", "public"]], [["c", "public", "t", "r", "0", "a", "23", "-1"]],
            [["c", "public", "t", "r", "1", "a", "-23", "-1"]],
            [["c", "public", "t", "i", "1", "a", "23", "-1"]], [["c", nil, "t", "r", "1", "a", "23", "-1"]],
            [["c", "public", "t", "r", "1", nil, "23", "-1"]], [[nil, "public", "t", "r", "1", "a", "23", "-1"]],
            [["c", "public", "t", "r", "1", "a", "23", "-1"], ["c", "public", "t", "r", "2", "a", "23", "-1"]],
            [["c", "public", "t", "r", "1", "a", "23", "-1"], ["c", "public", "t", "v", "2", "b", "23", "-1"]],
            [["t", "enc_text", "25", "0", nil, nil, nil, nil]],
            [["t", "enc_text", "20001", "0", nil, nil, nil, nil], ["t", "enc_text", "20009", "0", nil, nil, nil, nil]],
            [["t", "enc_text", "20001", "0", nil, nil, nil, nil], ["t", "enc_date", "20001", "0", nil, nil, nil, nil]],
            [["f", nil, "x", nil, nil, nil, nil, nil]],
        ] as [[[String?]]])
    func malformedRowsAreRefused(_ rows: [[String?]]) {
        #expect(throws: CloisterError(.malformedCatalog, "")) { try CatalogSnapshot.load(rows: rows, marks: .none) }
    }

    @Test func aColumnIsMarkedOnce() {
        #expect(throws: CloisterError(.columnMarkedTwice, "")) {
            try MarkedColumns([mark("people", "name"), mark("people", "name", .date)])
        }
    }

    @Test func usersTypesAsTheServerTellsThem() throws {
        let rows = [
            ["e", "app", "mood", "30000", "30001", "ok", nil, nil], ["e", "app", "mood", "30000", "30001", "sad", nil, nil],
            ["e", "app", "none", "30002", "30003", nil, nil, nil], ["d", "app", "level", "30004", "0", "true", "2", "false"],
        ]
        let catalog = try CatalogSnapshot.load(rows: types + rows, marks: .none)
        #expect(catalog.userTypes[TypeName("app", "mood")]?.kind == .enumeration(labels: ["ok", "sad"]))
        #expect(catalog.userTypes[TypeName("app", "none")]?.kind == .enumeration(labels: []))
        #expect(catalog.userTypes[TypeName("app", "level")]?.kind == .domain(isNotNull: true, checks: 2, hasDefault: false))
        #expect(catalog.userTypesByOID[30001] == TypeName("app", "mood") && catalog.userTypesByOID[0] == nil)
        for wrong in [
            ["e", "app", "mood", "30009", "30001", "new", nil, nil], ["d", "app", "x", "30006", "0", "true", "many", "false"],
            ["e", "app", "x", "25", "0", "a", nil, nil],
        ] {
            #expect(throws: CloisterError(.malformedCatalog, "")) { try CatalogSnapshot.load(rows: types + rows + [wrong], marks: .none) }
        }
    }

    /// Key and type tell whether a view's column is an enumeration.
    @Test func oneKeyHasOneEnumeration() throws {
        let mood = ColumnMark(
            schema: "public", table: "t", column: "mood",
            type: EncryptedType(.text, .randomized, key: key(7), enumeration: TypeName("app", "mood")), keyName: "k")
        #expect(throws: CloisterError(.enumerationsDiffer, "")) { try MarkedColumns([mood, mark("people", "name")]) }
        let marks = try MarkedColumns([mood, mark("people", "birth", .date), mark("people", "name", .text, 8)])
        #expect(marks.type(.text, .randomized, key: key(7)).enumeration == TypeName("app", "mood"))
        #expect(marks.type(.text, .randomized, key: key(8)).enumeration == nil)
        #expect(marks.type(.text, .deterministic, key: key(7)).enumeration == nil)
        #expect(marks.hasUserTypes && !MarkedColumns.none.hasUserTypes)
    }

    @Test func theQueryIsOneStatementOfEightColumns() {
        #expect(!CatalogSnapshot.loadQuery.contains(";"))
        #expect(!CatalogSnapshot.loadQuery.contains("\\"))
        #expect(CatalogSnapshot.columnCount == 8)
    }
}
