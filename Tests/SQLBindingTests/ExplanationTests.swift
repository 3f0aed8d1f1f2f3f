import CellFormat
import ColumnCatalog
import Diagnostics
import Testing

@testable import SQLBinding

/// What `cloister explain` is told.
@Suite struct ExplanationTests {
    private func explain(_ sql: String) -> Explanation {
        Binder().explain(
            Array(sql.utf8),
            context: BindContext(
                catalog: World.shared, searchPath: ["pg_catalog", "public"], isExtendedProtocol: true, catalogIsCurrent: true))
    }

    @Test func constantsAndParameters() {
        let sql = "SELECT id FROM people WHERE name = 'a' AND id = 5 AND birth > $1 AND note = $2 AND nick = upper('b')"
        let constants = explain(sql).constants.map { constant in
            String(decoding: Array(sql.utf8)[constant.range], as: UTF8.self) + " " + (constant.encryption?.column ?? "plain")
        }
        #expect(
            constants == [
                "'a' public.people.name", "5 plain", "$1 public.people.birth", "$2 plain", "'b' public.people.nick",
            ])
    }

    @Test func operations() {
        let found = explain("SELECT name FROM people p JOIN salaries s USING (pid) WHERE name LIKE 'a%' AND birth >= $1 ORDER BY weight")
        let shown = found.operations.map { "\($0.name) \($0.column) \($0.isInEnclave)" }
        #expect(shown.contains("JOIN USING public.people.pid false"))
        #expect(shown.contains("LIKE public.people.name true"))
        #expect(shown.contains(">= public.people.birth true"))
        #expect(shown.contains("ORDER BY public.people.weight true"))
    }

    @Test func textIsMasked() {
        #expect(
            explain("UPDATE people SET name = 'secret' WHERE pid = ANY ('{secret}')").sent
                == "UPDATE people SET name = '\\x…'::pg_catalog.enc_text WHERE pid = ANY ('{…}'::pg_catalog.det_text[])")
        let refused = explain("SELECT length(name) FROM people")
        #expect(refused.sent == nil)
        guard case .refused(let error, _) = refused.outcome else {
            Issue.record("not refused")
            return
        }
        #expect(error.code == .operationRefused)
    }
}
