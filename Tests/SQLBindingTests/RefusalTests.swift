import ColumnCatalog
import Diagnostics
import Foundation
import Testing

@testable import SQLBinding

/// The table of refusals: each row is what its example is told, and what the documentation prints.
@Suite struct RefusalTests {
    @Test(arguments: Refused.all.indices) func exampleIsRefusedSo(index: Int) {
        let row = Refused.all[index]
        guard let example = row.example else { return }
        let context = BindContext(
            catalog: World.shared, searchPath: ["pg_catalog", "public", "other"], catalogIsCurrent: true)
        guard case .refused(let error, _) = Binder().bind(Array(example.utf8), context: context) else {
            Issue.record("not refused: \(example)")
            return
        }
        #expect(error.code.name == row.code.name, "\(example): \(error)")
        #expect(error.hint == row.instead || !error.hint.isEmpty && Self.ownHints.contains(row.construct), "\(example): \(error)")
    }

    /// Rows whose errors name the type, table or length in question.
    static let ownHints: Set<String> = [
        Refused.declaredOtherwise.construct, Refused.parameterType.construct, Refused.ambiguousName.construct,
    ]

    @Test func rowsAreWhole() {
        #expect(Set(Refused.all.map(\.construct)).count == Refused.all.count)
        for row in Refused.all { #expect(!row.why.isEmpty && !row.instead.isEmpty, "\(row.construct)") }
    }

    /// With CLOISTER_WRITE_DOCS=1 the test writes the table instead.
    @Test func documentationHasTheTable() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/refusals.md").standardizedFileURL
        let text = try String(contentsOf: file, encoding: .utf8)
        let start = try #require(text.range(of: "| refused |"))
        if ProcessInfo.processInfo.environment["CLOISTER_WRITE_DOCS"] == "1" {
            try (text[..<start.lowerBound] + Refused.markdown).write(to: file, atomically: true, encoding: .utf8)
            return
        }
        #expect(text[start.lowerBound...] == Refused.markdown, "run it with CLOISTER_WRITE_DOCS=1")
    }
}
