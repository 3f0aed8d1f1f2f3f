import CellFormat
import Testing

@testable import SQLBinding

@Suite struct DefinitionTests {
    /// Nothing exists yet: the configuration alone marks.
    private let empty = CatalogOnlyConfigured.snapshot

    private func bind(_ sql: String) -> String { transcript(sql, catalog: empty) }

    @Test func createTable() {
        #expect(
            bind(
                "CREATE TABLE people (id int PRIMARY KEY, name text NOT NULL, birth date UNIQUE, pid text, weight integer, seen timestamp without time zone, score decimal)"
            )
                == "CREATE TABLE people (id int PRIMARY KEY, name pg_catalog.enc_text(7) NOT NULL, birth pg_catalog.enc_date(7) UNIQUE, pid pg_catalog.det_text(9), weight pg_catalog.enc_int4(7), seen pg_catalog.enc_timestamp(7), score pg_catalog.enc_numeric(7))"
        )
        #expect(
            bind("create table if not exists public.people(name text,primary key(name), unique (name))")
                == "create table if not exists public.people(name pg_catalog.enc_text(7),primary key(name), unique (name))")
        #expect(
            bind("CREATE TABLE people (name text CHECK (name <> ''), id int CHECK (id > 0))")
                == "CREATE TABLE people (name pg_catalog.enc_text(7) CHECK (name <> ‹s people.name:›), id int CHECK (id > 0))")
        #expect(bind("CREATE TABLE people (name pg_catalog.enc_text(7))") == "= CREATE TABLE people (name pg_catalog.enc_text(7))")
        #expect(bind("CREATE TABLE clinic.visits (reason text)") == "CREATE TABLE clinic.visits (reason pg_catalog.enc_text(7))")
        #expect(bind("CREATE TABLE visits (reason text)") == "! CL6003")
        #expect(bind("CREATE TABLE other.visits (reason text)") == "= CREATE TABLE other.visits (reason text)")
        #expect(bind("CREATE TEMP TABLE people (name text)") == "! CL6003")
        #expect(transcript("CREATE TABLE people (name text)", path: nil, catalog: empty) == "? path")
        for column in [
            "name varchar", "name varchar(20)", "name text DEFAULT note", "name text DEFAULT md5('x')",
            "seen timestamp DEFAULT current_timestamp", "name text COLLATE \"C\"",
            "name text GENERATED ALWAYS AS ('x') STORED", "weight serial",
            "weight int GENERATED ALWAYS AS IDENTITY", "name text[]", "name text REFERENCES plain (name)", "name enc_text(8)",
            "score numeric(8,2)", "seen timestamp(3)",
            "id int, LIKE plain", "id int, LIKE salaries, pid text", "name text CHECK (lower(name) = 'x')", "other enc_text(7)",
        ] {
            let result = bind("CREATE TABLE people (\(column))")
            #expect(result.hasPrefix("! CL60"), "\(column) → \(result)")
        }
        #expect(bind("CREATE TABLE people (name text DEFAULT NULL)") == "CREATE TABLE people (name pg_catalog.enc_text(7) DEFAULT NULL)")
        #expect(
            bind("CREATE TABLE people (pid text); INSERT INTO people VALUES ('a')")
                == "CREATE TABLE people (pid pg_catalog.det_text(9)); INSERT INTO people VALUES (‹s people.pid:a›)")
        #expect(
            bind("CREATE TABLE people (name text DEFAULT 'x', weight int DEFAULT -1)")
                == "CREATE TABLE people (name pg_catalog.enc_text(7) DEFAULT ‹s people.name:x›, weight pg_catalog.enc_int4(7) DEFAULT ‹s people.weight:-1›)"
        )
        #expect(bind("CREATE TABLE people AS SELECT 'a' AS name") == "! CL6008")
        #expect(bind("SELECT 'a' AS name INTO people") == "! CL6008")
    }

    @Test func lengthsAndPrecisions() throws {
        let marks =
            [
                ("a", DeclaredType(.varchar, modifier: 44)), ("b", DeclaredType(.bpchar, modifier: 5)),
                ("c", DeclaredType(.numeric, modifier: 327_684)),
            ]
            + [
                ("d", DeclaredType(.timestamptz, modifier: 0)), ("e", try DeclaredType(sql: "interval day to second(3)")),
                ("f", DeclaredType(.interval)),
            ]
        let catalog = try CatalogSnapshot.load(
            rows: [],
            marks: MarkedColumns(
                marks.map {
                    ColumnMark(
                        schema: "public", table: "t", column: $0.0, type: EncryptedType($0.1.logical, .randomized, key: World.people),
                        modifier: $0.1.modifier, keyName: "k")
                }))
        #expect(
            transcript(
                "CREATE TABLE t (a character varying (40) NOT NULL, b char, c numeric(5), d timestamp(0) with time zone, e interval day to second(3), f interval, g int)",
                catalog: catalog)
                == "CREATE TABLE t (a pg_catalog.enc_varchar(7) NOT NULL, b pg_catalog.enc_bpchar(7), c pg_catalog.enc_numeric(7), d pg_catalog.enc_timestamptz(7), e pg_catalog.enc_interval(7), f pg_catalog.enc_interval(7), g int)"
        )
        for column in [
            "a varchar", "a varchar(41)", "a text", "b char(2)", "b bpchar", "c numeric", "c numeric(5,1)", "c numeric(50)",
            "d timestamptz",
            "d timestamptz(1)", "d timestamp(0)", "e interval", "e interval(3)", "f interval day", "a varchar(40)[]", "a varchar(0)",
        ] {
            #expect(transcript("CREATE TABLE t (\(column))", catalog: catalog) == "! CL6008", "\(column)")
        }
    }

    @Test func references() {
        expectPass("CREATE TABLE x (id int REFERENCES people (id), p int REFERENCES people)")
        expect("CREATE TABLE x (id text REFERENCES people (pid))", "! CL6008")
        #expect(
            bind("CREATE TABLE salaries (pid text REFERENCES people (pid))")
                == "CREATE TABLE salaries (pid pg_catalog.det_text(9) REFERENCES people (pid))")
        #expect(bind("CREATE TABLE salaries (pid text REFERENCES people)") == "! CL6008")
        #expect(bind("CREATE TABLE salaries (pid text, FOREIGN KEY (pid) REFERENCES people (name))") == "! CL6008")
    }

    @Test func alterTable() {
        expect("ALTER TABLE people ADD COLUMN note2 text, DROP COLUMN id", "= ALTER TABLE people ADD COLUMN note2 text, DROP COLUMN id")
        #expect(
            bind("ALTER TABLE people ADD COLUMN birth date NOT NULL")
                == "ALTER TABLE people ADD COLUMN birth pg_catalog.enc_date(7) NOT NULL")
        expect("ALTER TABLE people ALTER COLUMN name TYPE varchar", "! CL6008")
        expect("ALTER TABLE people ALTER COLUMN note TYPE text USING name", "! CL6001")
        expect("ALTER TABLE people ALTER name SET DEFAULT 'x'", "ALTER TABLE people ALTER name SET DEFAULT ‹s people.name:x›")
        expect("ALTER TABLE people RENAME TO p2", "! CL6008")
        expect("ALTER TABLE people RENAME name TO n2", "! CL6008")
        expectPass("ALTER TABLE people RENAME note TO n2")
        expect("ALTER TABLE plain RENAME TO people", "! CL6008")
        expect("ALTER TABLE people SET SCHEMA clinic", "! CL6002")
        expect("ALTER SCHEMA public RENAME TO x", "! CL6008")
        expect("ALTER TABLE people ADD CHECK (birth > '1800-01-01')", "ALTER TABLE people ADD CHECK (birth > ‹s people.birth:1800-01-01›)")
        expectPass("ALTER TABLE people ALTER name SET NOT NULL, ADD PRIMARY KEY (id)")
        expectPass("ALTER TABLE salaries ADD FOREIGN KEY (pid) REFERENCES people (pid)")
        expect("ALTER TABLE salaries ADD FOREIGN KEY (pid) REFERENCES plain (name)", "! CL6008")
    }

    @Test func indexesAndOthers() {
        expectPass("CREATE INDEX ON people (name, birth DESC)")
        expectPass("CREATE UNIQUE INDEX CONCURRENTLY i ON people USING hash (pid) WHERE id > 0")
        expect("CREATE INDEX ON people (birth) WHERE name > 'm'", "CREATE INDEX ON people (birth) WHERE name > ‹s people.name:m›")
        expect("CREATE INDEX ON people (lower(name))", "! CL6001")
        expect("CREATE INDEX ON people USING gin (name)", "! CL6008")
        expect("CREATE INDEX ON people (name text_ops)", "! CL6008")
        expectPass("DROP TABLE people")
        expectPass("TRUNCATE people")
        expectPass("VACUUM ANALYZE people (name)")
        expectPass("COMMENT ON COLUMN people.name IS 'x'")
        expectPass("GRANT SELECT ON people TO PUBLIC")
        expect(
            "CREATE VIEW v AS SELECT name FROM people WHERE birth > '1960-01-01'",
            "CREATE VIEW v AS SELECT name FROM people WHERE birth > ‹s people.birth:1960-01-01›")
        expect(
            "CREATE VIEW v AS SELECT name FROM people WHERE name LIKE 'a%'",
            "CREATE VIEW v AS SELECT name FROM people WHERE name LIKE ‹o people.name%:a%›")
        expect(
            "CREATE TABLE t2 AS SELECT name FROM people WHERE name = 'a'",
            "CREATE TABLE t2 AS SELECT name FROM people WHERE name = ‹s people.name:a›")
        expect("CREATE VIEW v AS SELECT name FROM people; SELECT * FROM v WHERE name = 'a'", "! CL6002")
        expect("CREATE TRIGGER t AFTER INSERT ON people FOR EACH ROW EXECUTE FUNCTION f()", "! CL6002")
        expect("CREATE RULE r AS ON INSERT TO people DO NOTHING", "! CL6002")
        expect("DO $$ BEGIN DELETE FROM People WHERE name = 'a'; END $$", "! CL6009")
        expectPass("DO $$ BEGIN NULL; END $$")
        expect("CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN PERFORM 1 FROM people; END'", "! CL6009")
    }

    @Test func routinesInSQL() {
        expect(
            "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM people WHERE name = 'a' AND id = 1 $$",
            "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS $cloister$ SELECT count(*) FROM people WHERE name = ‹s people.name:a› AND id = 1 $cloister$"
        )
        expect(
            "CREATE FUNCTION f(n int) RETURNS bigint AS 'SELECT count(*) FROM people WHERE name = ''a'' AND id = n' LANGUAGE sql",
            "CREATE FUNCTION f(n int) RETURNS bigint AS $cloister$SELECT count(*) FROM people WHERE name = ‹s people.name:a› AND id = n$cloister$ LANGUAGE sql"
        )
        expectPass("CREATE FUNCTION f(int) RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM people WHERE id = $1 $$")
        expectPass("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        // Arguments are the server's values.
        expect(
            "CREATE FUNCTION f(t text) RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM people WHERE name = t $$", "! CL6005")
        expect("CREATE FUNCTION f(text) RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM people WHERE name = $1 $$", "! CL6005")
        expect("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT length(name) FROM people $$", "! CL6001")
        expect(
            "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM people WHERE name = 'a'; END",
            "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM people WHERE name = ‹s people.name:a›; END")
        expect("CREATE PROCEDURE f() LANGUAGE sql AS 'SELECT 1 FROM people WHERE'", "! CL6004")
        expect("SELECT query_to_xml('select * from people where name = ''a''', true, true, '')", "! CL6009")
        expect(
            "EXPLAIN (ANALYZE) SELECT * FROM people WHERE name = 'a'",
            "EXPLAIN (ANALYZE) SELECT * FROM people WHERE name = ‹o people.name:a›")
        expect(
            "DECLARE c CURSOR FOR SELECT * FROM people WHERE name = 'a'",
            "DECLARE c CURSOR FOR SELECT * FROM people WHERE name = ‹o people.name:a›")
        expect("CREATE STATISTICS s ON name, nick FROM people", "! CL6002")
    }

    @Test func syntaxErrors() {
        expectPass("SELEC 1")
        expect("SELECT * FROM people WHERE name = 'a' AND", "! CL6004")
        expect("SELECT 'unterminated people", "! CL6004")
        expectPass("SELECT 'unterminated")
    }
}

import ColumnCatalog

enum CatalogOnlyConfigured {
    static let snapshot: CatalogSnapshot = {
        let rows: [[String?]] = [
            ["c", "public", "plain", "r", "1", "id", "23", "-1"], ["c", "public", "plain", "r", "2", "name", "25", "-1"],
        ]
        return try! CatalogSnapshot.load(rows: rows, marks: MarkedColumns(World.marks))
    }()
}
