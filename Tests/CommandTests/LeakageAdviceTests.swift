import Configuration
import Testing

@testable import cloister

@Suite struct LeakageAdviceTests {
    private func advice(_ columns: String, enclave: String = "{ sessions: granted, comparisons_per_session: 1000 }") throws -> [String] {
        let text = "enclave: \(enclave)\ncolumns:\n  public.t:\n" + columns.split(separator: "\n").map { "    \($0)\n" }.joined()
        return LeakageAdvice.of(try Configuration(yaml: text, file: "f.yaml"))
    }

    @Test func deterministicColumnsOfFewValues() throws {
        let found = try advice(
            """
            a: { type: boolean, encryption: deterministic, key: a }
            b: { type: "char(2)", encryption: deterministic, key: b }
            c: { type: date, encryption: deterministic, key: c }
            d: { type: "varchar(40)", encryption: deterministic, key: d }
            e: { type: uuid, encryption: deterministic, key: e }
            f: { type: boolean, encryption: randomized, key: f }
            """)
        #expect(found.map { String($0.prefix { $0 != ":" }) } == ["public.t.a", "public.t.b", "public.t.c"])
        #expect(found[1].contains("2 characters"))
    }

    @Test func sharedKeys() throws {
        let found = try advice(
            """
            a: { type: text, encryption: randomized, key: k }
            b: { type: text, encryption: randomized, key: k }
            c: { type: int4, encryption: randomized, key: k }
            """)
        #expect(found.count == 1)
        #expect(found[0].hasPrefix("key k: public.t.a, public.t.b share it"))
    }

    @Test func openSessions() throws {
        let open = try advice("a: { type: text, encryption: randomized, key: k }", enclave: "{ sessions: open }")
        #expect(open.map { $0.prefix(16) } == ["enclave.sessions", "enclave.comparis"])
        #expect(try advice("a: { type: text, encryption: deterministic, key: k }", enclave: "{ sessions: open }") == [])
    }
}
