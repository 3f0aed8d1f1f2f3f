import ColumnCatalog
import Testing

@testable import SQLBinding

/// Queries of the server's catalog, in which encrypted columns have their logical types.
@Suite struct CatalogQueryTests {
    private static let views: [[String?]] = ["logical_pg_attribute", "logical_columns"].map {
        ["c", "cloister", $0, "v", "1", "attname", "19", "-1"]
    }
    private static let catalog = World.catalog(views)

    private func shown(_ sql: String, path: [String]? = ["pg_catalog", "public"], more: [[String?]] = [], extended: Bool = false) -> String
    {
        transcript(sql, path: path, extended: extended, catalog: more.isEmpty ? Self.catalog : World.catalog(Self.views + more))
    }

    @Test(arguments: [
        ("SELECT attname FROM pg_attribute", "SELECT attname FROM cloister.logical_pg_attribute AS pg_attribute"),
        ("SELECT a.* FROM pg_catalog.pg_attribute a", "SELECT a.* FROM cloister.logical_pg_attribute a"),
        ("SELECT a.* FROM \"pg_catalog\" . \"pg_attribute\" AS a", "SELECT a.* FROM cloister.logical_pg_attribute AS a"),
        (
            "SELECT pg_catalog.pg_attribute.attname, pg_attribute.attnum FROM pg_catalog.pg_attribute",
            "SELECT  pg_attribute.attname, pg_attribute.attnum FROM cloister.logical_pg_attribute AS pg_attribute"
        ),
        (
            "SELECT count(pg_catalog.pg_class.oid) FROM pg_catalog.pg_class JOIN pg_catalog.pg_attribute ON pg_catalog.pg_attribute.attrelid = pg_catalog.pg_class.oid",
            "SELECT count(pg_catalog.pg_class.oid) FROM pg_catalog.pg_class JOIN cloister.logical_pg_attribute AS pg_attribute ON  pg_attribute.attrelid = pg_catalog.pg_class.oid"
        ),
        (
            "SELECT (SELECT attname FROM pg_attribute WHERE attrelid = c.oid) FROM pg_class c",
            "SELECT (SELECT attname FROM cloister.logical_pg_attribute AS pg_attribute WHERE attrelid = c.oid) FROM pg_class c"
        ),
        ("SELECT * FROM information_schema.columns c, pg_type", "SELECT * FROM cloister.logical_columns c, pg_type"),
        ("TABLE pg_attribute", "TABLE cloister.logical_pg_attribute"),
        ("SELECT 1 FROM ONLY (pg_attribute)", "SELECT 1 FROM ONLY (cloister.logical_pg_attribute) AS pg_attribute"),
        ("SELECT 1 FROM pg_attribute * WHERE attnum > 0", "SELECT 1 FROM cloister.logical_pg_attribute AS pg_attribute WHERE attnum > 0"),
        ("EXPLAIN SELECT 1 FROM pg_attribute a", "EXPLAIN SELECT 1 FROM cloister.logical_pg_attribute a"),
        (
            "PREPARE p(oid) AS SELECT 1 FROM pg_attribute a WHERE attrelid = $1",
            "PREPARE p(oid) AS SELECT 1 FROM cloister.logical_pg_attribute a WHERE attrelid = $1"
        ),
        ("COPY (SELECT 1 FROM pg_attribute a) TO STDOUT", "COPY (SELECT 1 FROM cloister.logical_pg_attribute a) TO STDOUT"),
        ("DECLARE c CURSOR FOR SELECT 1 FROM pg_attribute a", "DECLARE c CURSOR FOR SELECT 1 FROM cloister.logical_pg_attribute a"),
        ("SELECT 1; SELECT 2 FROM pg_attribute a", "SELECT 1; SELECT 2 FROM cloister.logical_pg_attribute a"),
        (
            "SELECT 1 FROM pg_attribute a, people p WHERE p.name = 'x'",
            "SELECT 1 FROM cloister.logical_pg_attribute a, people p WHERE p.name = ‹o people.name:x›"
        ),
    ])
    func shows(_ sql: String, _ sent: String) {
        #expect(shown(sql) == sent)
    }

    @Test(arguments: [
        "SELECT attname FROM pg_attribute FOR SHARE", "SELECT attname, ctid FROM pg_attribute", "SELECT a.xmin FROM pg_attribute a",
        "UPDATE pg_attribute SET attname = 'x'", "DELETE FROM pg_attribute", "SELECT attname INTO TEMP t FROM pg_attribute",
        "CREATE VIEW v AS SELECT attname FROM pg_attribute", "WITH pg_attribute AS (SELECT 1 AS x) SELECT x FROM pg_attribute",
        "SELECT 'pg_attribute'::regclass, pg_attribute.x FROM pg_type AS pg_attribute", "SELECT * FROM public.pg_attribute",
        "SELECT * FROM information_schema.tables", "SELECT * FROM pg_class", "LOCK TABLE pg_attribute",
    ])
    func leaves(_ sql: String) {
        #expect(shown(sql) == "= " + sql || shown(sql) == "? catalog", Comment(rawValue: sql))
    }

    @Test func namesAreThoseOfTheSearchPath() {
        let own: [[String?]] = [["c", "public", "pg_attribute", "r", "1", "x", "23", "-1"]]
        let bare = "SELECT 1 FROM pg_attribute a"
        let replaced = "SELECT 1 FROM cloister.logical_pg_attribute a"
        #expect(shown(bare, more: own) == replaced)
        #expect(shown(bare, path: ["public", "pg_catalog"], more: own) == "= " + bare)
        #expect(shown(bare, path: nil, more: own) == "? path")
        #expect(shown(bare, path: nil) == replaced)
        let columns = "SELECT 1 FROM columns c"
        #expect(shown(columns, path: ["pg_catalog", "information_schema"]) == "SELECT 1 FROM cloister.logical_columns c")
        #expect(shown(columns) == "= " + columns)
        let table: [[String?]] = [["c", "public", "columns", "r", "1", "x", "23", "-1"]]
        #expect(shown(columns, more: table) == "= " + columns)
        #expect(
            shown(columns, path: ["pg_catalog", "information_schema", "public"], more: table) == "SELECT 1 FROM cloister.logical_columns c")
    }

    @Test func parametersStayWhatTheyAre() throws {
        let sql = "SELECT attname FROM pg_attribute a WHERE attrelid = $2 AND attnum > $1"
        let context = BindContext(catalog: Self.catalog, searchPath: ["pg_catalog", "public"], isExtendedProtocol: true)
        guard case .bound(let bound) = Binder().bind(Array(sql.utf8), context: context) else {
            Issue.record("not bound")
            return
        }
        #expect(bound.clientParameterCount == 2)
        #expect(bound.parameters == [ServerParameter(clientIndex: 0, use: .plain), ServerParameter(clientIndex: 1, use: .plain)])
    }

    @Test func withoutTheViewsOrIfTurnedOffNothingChanges() {
        let sql = "SELECT attname FROM pg_attribute"
        #expect(transcript(sql) == "= " + sql)
        #expect(transcript(sql, catalog: Self.catalog, binder: Binder(showsLogicalTypes: false)) == "= " + sql)
    }

    @Test func attributesAreASubqueryThatKnowsLimitsUnlessTheRowIsAskedFor() {
        let names = [
            "attrelid", "attname", "atttypid", "attstattarget", "attlen", "attnum", "attndims", "attcacheoff", "atttypmod", "attbyval",
            "attalign", "attstorage", "attcompression", "attnotnull", "atthasdef", "atthasmissing", "attidentity", "attgenerated",
            "attisdropped", "attislocal", "attinhcount", "attcollation", "attacl", "attoptions", "attfdwoptions", "attmissingval",
        ]
        let view = names.enumerated().map { ["c", "cloister", "logical_pg_attribute", "v", String($0 + 1), $1, "19", "-1"] as [String?] }
        var marks = World.marks
        marks[0].modifier = 44
        let catalog = World.catalog(view, marks: marks)
        func shown(_ sql: String) -> String { transcript(sql, catalog: catalog) }
        let sent = shown("SELECT pg_attribute.attname FROM pg_catalog.pg_attribute WHERE attnum > 0")
        #expect(
            sent.hasPrefix(
                "SELECT pg_attribute.attname FROM (SELECT a.attrelid, a.attname, CASE WHEN a.atttypid OPERATOR(pg_catalog.<) 16384"))
        #expect(sent.contains("('\"public\".\"people\"', 'name', 44)"))
        #expect(sent.hasSuffix(" a.attmissingval FROM pg_catalog.pg_attribute a) AS pg_attribute WHERE attnum > 0"))
        #expect(shown("SELECT a.* FROM pg_attribute a").hasSuffix("FROM pg_catalog.pg_attribute a) a"))
        for whole in ["a", "f(a.*)", "f(a)"] {
            #expect(shown("SELECT \(whole) FROM pg_attribute a") == "SELECT \(whole) FROM cloister.logical_pg_attribute a")
        }
    }

    @Test func aPlanIsCachedAndGoodForOtherConstants() {
        let binder = Binder()
        for name in ["x", "y"] {
            let sql = "SELECT 1 FROM pg_attribute a WHERE attname = '\(name)'"
            #expect(
                transcript(sql, catalog: Self.catalog, binder: binder)
                    == "SELECT 1 FROM cloister.logical_pg_attribute a WHERE attname = '\(name)'")
        }
    }
}

/// What Django adds to indexes on text columns.
@Suite struct PatternClassTests {
    @Test func patternClassesOfTextAreLeftOut() {
        #expect(transcript("CREATE INDEX i ON people (name text_pattern_ops)") == "CREATE INDEX i ON people (name )")
        #expect(transcript("CREATE INDEX i ON people (\"pid\" varchar_pattern_ops, id)") == "CREATE INDEX i ON people (\"pid\" , id)")
        #expect(
            transcript("CREATE INDEX i ON people (note text_pattern_ops, name)")
                == "= CREATE INDEX i ON people (note text_pattern_ops, name)")
        #expect(transcript("CREATE INDEX i ON people (weight text_pattern_ops)").hasPrefix("! "))
        #expect(transcript("CREATE INDEX i ON people (name text_ops)").hasPrefix("! "))
    }
}
