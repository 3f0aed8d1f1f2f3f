import Testing

@testable import SQLBinding

/// Types that hold cells: values are never cast to them or read as them.
@Suite struct CellTypeTests {
    @Test(
        arguments: [
            "SELECT 'a'::enc_text", "SELECT enc_text 'a'", "SELECT CAST($1 AS pg_catalog.det_text)", "SELECT enc_text('a')",
            "SELECT '{a}'::enc_text[]",
            "SELECT '{a}'::_enc_text", "SELECT '(1,a)'::people", "SELECT ROW(1, 'a')::public.people", "SELECT people '(1,a)'",
            "SELECT people('(1,a)')",
            "SELECT '{}'::_people", "SELECT json_populate_record(NULL::people, '{}')", "SELECT * FROM json_to_record('{}') AS r(x people)",
            "SELECT NULL::people FROM plain", "SELECT 'a'::enc_text FROM people", "CREATE TABLE x (a enc_text(7) DEFAULT 'a')",
            "CREATE TABLE x (a people)",
            "CREATE TYPE x AS (a people)", "CREATE DOMAIN x AS enc_text", "CREATE TABLE x OF people",
            "ALTER TABLE plain ADD COLUMN x people",
            "CREATE FUNCTION f(x people) RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "CREATE FUNCTION f(x people.name%TYPE) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        ])
    func isRefused(_ sql: String) {
        #expect(transcript(sql, extended: true) == "! CL6001")
    }

    @Test func namesOfOtherThingsPass() {
        #expect(transcript("DROP FUNCTION f(people)").hasPrefix("="))
        #expect(transcript("SELECT '2000-01-01'::date, 'a'::other.people").hasPrefix("="))
        #expect(transcript("SELECT count(*) FROM people").hasPrefix("="))
        #expect(transcript("CREATE TABLE people (name pg_catalog.enc_text(7))").hasPrefix("="))
    }

    @Test func valuesTooManyAreRefused() {
        #expect(transcript("INSERT INTO people (name) VALUES ('a', 'b')").hasPrefix("!"))
        #expect(transcript("INSERT INTO people (name) SELECT 'a', 'b'").hasPrefix("!"))
    }

    @Test func identifiersWithEscapesMayNameAnything() {
        #expect(transcript(#"SELEC x FROM U&"\0070eople" WHERE y = 'a'"#).hasPrefix("!"))
        #expect(transcript(#"DO $$BEGIN PERFORM 1 FROM U&"\0070eople"; END$$"#) == "! CL6009")
    }

    @Test func severalCopiesInOneTextAreRefused() {
        #expect(transcript("COPY plain FROM STDIN; COPY people (name) FROM STDIN") == "! CL6002")
    }
}
