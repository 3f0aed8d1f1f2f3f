import Foundation
import Testing

/// docs/protocol-checklist.md names a test for every line, and each of them exists.
@Suite struct Checklist {
    private static let text = (try? Repository.text(Repository.root.appending(path: "docs/protocol-checklist.md"))) ?? ""

    @Test func everyLineHasItsTests() {
        let lines = Self.text.matches(of: /(?m)^\| (\d+) \|.*\|.*`.+` \|$/).compactMap { Int($0.1) }
        #expect(lines == Array(1...27))
    }

    @Test func everyNamedTestExists() throws {
        let tests = Repository.root.appending(path: "Tests")
        let files = Repository.files(in: tests, extensions: ["swift", "py"])
        let sources = try files.map { (file: $0, text: try Repository.text($0)) }
        let swift = Self.text.matches(of: /`(\w+Tests)\.(\w+)`/)
        let python = Self.text.matches(of: /`(test_\w+\.py)::(test_\w+)`/)
        #expect(swift.count > 50 && python.count > 40)
        for match in swift {
            let found = sources.contains { $0.text.contains("@Suite struct \(match.1) ") && $0.text.contains("func \(match.2)(") }
            #expect(found, "\(match.1).\(match.2) does not exist")
        }
        for match in python {
            let found = sources.contains { $0.file.lastPathComponent == match.1 && $0.text.contains("def \(match.2)(") }
            #expect(found, "\(match.1)::\(match.2) does not exist")
        }
    }
}
