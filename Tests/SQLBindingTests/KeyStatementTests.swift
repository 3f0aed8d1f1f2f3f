import CellFormat
import ColumnCatalog
import Testing

@testable import SQLBinding

@Suite struct KeyStatementTests {
    @Test(
        arguments: [
            // SQL Server
            ("CREATE COLUMN MASTER KEY cmk WITH (KEY_STORE_PROVIDER_NAME = 'file', KEY_PATH = 'cmk')", "? CREATE COLUMN MASTER KEY: cmk"),
            (
                "create column encryption key CEK1 with values (column_master_key = cmk, algorithm = 'RSA_OAEP');",
                "? CREATE COLUMN ENCRYPTION KEY: cek1 under cmk"
            ),
            ("DROP COLUMN ENCRYPTION KEY \"My.Key\"", "? DROP COLUMN ENCRYPTION KEY: My.Key"),
            ("DROP COLUMN MASTER KEY cmk", "? DROP COLUMN MASTER KEY: cmk"),
            // openGauss
            (
                "CREATE CLIENT MASTER KEY cmk WITH (KEY_STORE = localkms, KEY_PATH = \"cmk\", ALGORITHM = RSA_2048)",
                "? CREATE CLIENT MASTER KEY: cmk"
            ),
            (
                "CREATE CLIENT ENCRYPTION KEY k WITH VALUES (CLIENT_MASTER_KEY = cmk, ALGORITHM = AEAD_AES_256_CBC_HMAC_SHA256)",
                "? CREATE CLIENT ENCRYPTION KEY: k under cmk"
            ),
            ("DROP CLIENT MASTER KEY IF EXISTS cmk", "? DROP CLIENT MASTER KEY: cmk if it exists"),
            // PostgreSQL's proposed patch
            ("CREATE COLUMN MASTER KEY cmk -- comment\n", "? CREATE COLUMN MASTER KEY: cmk"),
            ("CREATE COLUMN MASTER KEY cmk WITH (realm = 'r')", "? CREATE COLUMN MASTER KEY: cmk"),
            ("DROP COLUMN ENCRYPTION KEY IF EXISTS k RESTRICT", "? DROP COLUMN ENCRYPTION KEY: k if it exists"),
        ])
    func threeDialects(sql: String, command: String) {
        #expect(transcript(sql) == command)
        #expect(transcript(sql, extended: true) == command)
    }

    @Test(
        arguments: [
            "CREATE COLUMN MASTER KEY cmk WITH (KEY_STORE_PROVIDER_NAME = 'AZURE_KEY_VAULT', KEY_PATH = 'cmk')",
            "CREATE COLUMN MASTER KEY cmk WITH (KEY_PATH = 'other')", "CREATE COLUMN MASTER KEY cmk WITH (colour = 'blue')",
            "CREATE COLUMN MASTER KEY cmk WITH (KEY_PATH = 'cmk', ENCLAVE_COMPUTATIONS = 'x')",
            "CREATE COLUMN MASTER KEY cmk WITH (realm = 'r', realm = 'r')", "CREATE COLUMN MASTER KEY cmk WITH realm = 'r'",
            "CREATE COLUMN MASTER KEY public.cmk", "CREATE COLUMN MASTER KEY 'cmk'", "CREATE COLUMN MASTER KEY",
            "CREATE COLUMN MASTER KEY a b",
            "CREATE COLUMN ENCRYPTION KEY k WITH VALUES (COLUMN_MASTER_KEY = m, ALGORITHM = 'RSA_OAEP', ENCRYPTED_VALUE = 0x01AB)",
            "CREATE COLUMN ENCRYPTION KEY k WITH VALUES (ALGORITHM = 'x')", "CREATE COLUMN ENCRYPTION KEY k",
            "CREATE COLUMN ENCRYPTION KEY k WITH (COLUMN_MASTER_KEY = m)", "DROP COLUMN MASTER KEY m CASCADE",
            "CREATE COLUMN MASTER KEY a; CREATE COLUMN MASTER KEY b", "SELECT 1; DROP COLUMN ENCRYPTION KEY k",
        ])
    func refused(sql: String) { #expect(transcript(sql) == "! CL6017") }

    @Test func otherStatementsPass() {
        for sql in ["SELECT 'CREATE COLUMN MASTER KEY x'", "CREATE TABLE master (key int)", "SELECT encryption FROM plain"] {
            #expect(transcript(sql) == "= " + sql)
        }
    }
}

@Suite struct EncryptedWithTests {
    private func bind(_ sql: String, current: Bool = true, path: [String]? = ["pg_catalog", "public"], marks: [ColumnMark] = []) throws
        -> String
    {
        transcript(sql, path: path, current: current, catalog: World.catalog(marks: World.marks + marks))
    }

    private let clause =
        "ENCRYPTED WITH (COLUMN_ENCRYPTION_KEY = k, ENCRYPTION_TYPE = RANDOMIZED, ALGORITHM = 'AEAD_AES_256_CBC_HMAC_SHA_256')"

    @Test func marksAreAskedFor() throws {
        #expect(
            try bind(
                "CREATE TABLE t (id int, a varchar(40) \(clause) NOT NULL, b text encrypted with (column_encryption_key = k2, encryption_type = deterministic))"
            )
                == "? CREATE TABLE: public.t.a randomized varchar(40) k, public.t.b deterministic text k2")
        #expect(
            try bind("CREATE TABLE clinic.\"T\" (\"A\" bpchar(3) ENCRYPTED WITH (column_encryption_key = k, collation = 'de'))")
                == "? CREATE TABLE: clinic.T.A randomized bpchar(3) k de")
        #expect(
            try bind("ALTER TABLE plain ADD COLUMN a numeric(10,2) \(clause), ADD b int")
                == "? ALTER TABLE: public.plain.a randomized numeric(10,2) k")
        #expect(try bind("ALTER TABLE plain ADD a date \(clause)", current: false) == "? catalog")
        #expect(try bind("CREATE TABLE t (a date \(clause))", path: nil) == "? path")
        #expect(try bind("CREATE TABLE IF NOT EXISTS t (a date \(clause))") == "? CREATE TABLE: public.t.a randomized date k")
    }

    @Test func whatIsMarkedIsBoundAndCut() throws {
        let marks = [World.mark("public", "t", "a", .text), World.mark("public", "t", "b", .int4, .deterministic, World.ids)]
        #expect(
            try bind("CREATE TABLE t (id int, a text \(clause) NOT NULL); INSERT INTO t (a) VALUES ('x')", marks: marks)
                == "CREATE TABLE t (id int, a pg_catalog.enc_text(7)  NOT NULL); INSERT INTO t (a) VALUES (‹s t.a:x›)")
        #expect(
            try bind(
                "CREATE TABLE t (b int ENCRYPTED WITH (column_encryption_key = k, encryption_type = 'Deterministic'), a text \(clause))",
                marks: marks)
                == "CREATE TABLE t (b pg_catalog.det_int4(9) , a pg_catalog.enc_text(7) )")
        for other in [
            "a text ENCRYPTED WITH (column_encryption_key = other)", "a varchar(3) \(clause)", "b int \(clause)",
            "a text ENCRYPTED WITH (column_encryption_key = k, collation = 'de')",
        ] {
            #expect(try bind("CREATE TABLE t (\(other))", marks: marks) == "! CL6017", "\(other)")
        }
    }

    @Test func whatCannotBeMarked() throws {
        for sql in [
            "CREATE TEMP TABLE t (a text \(clause))", "CREATE TABLE pg_temp.t (a text \(clause))",
            "CREATE TABLE cloister.t (a text \(clause))",
            "CREATE TABLE t (a xml \(clause))", "CREATE TABLE t (a text[] \(clause))", "CREATE TABLE t (a serial \(clause))",
            "CREATE TABLE t (a date ENCRYPTED WITH (column_encryption_key = k, collation = 'de'))",
            "CREATE TABLE t (a text ENCRYPTED WITH (column_encryption_key = k, encryption_type = deterministic, collation = 'de'))",
            "CREATE TABLE t (a text ENCRYPTED WITH (encryption_type = randomized))",
            "CREATE TABLE t (a text ENCRYPTED WITH (column_encryption_key = k, encryption_type = magic))",
            "CREATE TABLE t (a text ENCRYPTED WITH (column_encryption_key = k, collation = 'xx'))",
            "CREATE TABLE t (a text ENCRYPTED WITH (column_encryption_key = k, tint = 'blue'))",
            "CREATE TABLE t (a text \(clause) \(clause))", "CREATE TABLE t (a text, CHECK (a > 'x') \(clause))",
            "CREATE TABLE plain (a text \(clause))", "CREATE TABLE IF NOT EXISTS plain (name text \(clause))",
            "ALTER TABLE plain ADD COLUMN name text \(clause)", "ALTER TABLE plain ALTER COLUMN name TYPE text \(clause)",
            "ALTER TABLE missing ADD a text \(clause)", "CREATE TABLE t PARTITION OF plain (name \(clause)) DEFAULT",
            "CREATE FOREIGN TABLE t (a text \(clause)) SERVER s",
        ] {
            #expect(try bind(sql) == "! CL6017", "\(sql)")
        }
        // It does not parse: nothing of it is sent, for what follows may hold values.
        #expect(try bind("CREATE TABLE t (a text \(clause); INSERT INTO t VALUES ('secret')") == "! CL6004")
        #expect(try bind("SELECT 1 \(clause)") == "! CL6017")
    }
}
