import Foundation
import Testing

/// The repository's own rules, read from its files.
enum Repository {
    static let root = URL(filePath: #filePath).appending(path: "../../..").standardized
    static let sources = root.appending(path: "Sources")

    /// Paths below `folder`, without build products.
    static func files(in folder: URL, extensions: Set<String>) -> [URL] {
        guard let walk = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil) else { return [] }
        return walk.compactMap { $0 as? URL }.filter { extensions.contains($0.pathExtension) && !$0.path.contains("/.build/") }
            .sorted { $0.path < $1.path }
    }

    static func swiftFiles(of module: String) -> [URL] { files(in: sources.appending(path: module), extensions: ["swift"]) }

    static func text(_ file: URL) throws -> String { try String(contentsOf: file, encoding: .utf8) }

    /// The path from the root, for messages.
    static func name(_ file: URL) -> String { String(file.path.dropFirst(root.path.count + (root.path.hasSuffix("/") ? 0 : 1))) }

    static let modules: [String] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: sources.path)) ?? []
        return names.filter { $0 != "pg_cloister" && !$0.hasPrefix(".") }.sorted()
    }()

    /// The text without comments and string literals, near enough for looking for words.
    static func code(_ text: String) -> String {
        text.replacing(/\/\*.*?\*\//.dotMatchesNewlines(), with: "").replacing(/"""(.|\n)*?"""/, with: "\"\"")
            .replacing(/"(?:\\.|[^"\\\n])*"/, with: "\"\"").replacing(/\/\/[^\n]*/, with: "")
    }

    static func imports(of text: String) -> [String] {
        // swift-format-ignore
        let line = /^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)/.anchorsMatchLineEndings()
        return code(text).matches(of: line).map { String($0.1) }
    }
}

@Suite struct Modules {
    @Test func everyModuleHasARule() {
        #expect(Set(Repository.modules) == Set(importRules.keys))
    }

    @Test(arguments: importRules.keys.sorted())
    func importsOnlyWhatItMay(module: String) throws {
        let rule = try #require(importRules[module])
        for file in Repository.swiftFiles(of: module) {
            for imported in Repository.imports(of: try Repository.text(file)) {
                let cLibrary = imported == "Glibc" && (file.pathComponents.contains("Unsafe") || module.hasPrefix("cloister"))
                #expect(
                    rule.allowed.contains(imported) || cLibrary || imported == "Synchronization",
                    "\(Repository.name(file)) imports \(imported); \(module): \(rule.why)")
                if imported == "Foundation", let files = foundationFiles[module] {
                    #expect(
                        files.contains { file.lastPathComponent.contains($0) },
                        "\(Repository.name(file)) imports Foundation; only files for time zones may")
                }
            }
        }
    }

    /// The first file comment of a module says what it is for: one file opens with a `///` sentence.
    @Test(arguments: Repository.modules)
    func saysWhatItIsFor(module: String) throws {
        let files = Repository.files(in: Repository.sources.appending(path: module), extensions: ["swift", "h", "modulemap"])
        try #require(!files.isEmpty)
        let documented = try files.contains { file in
            let opening = try Repository.text(file).split(separator: "\n").first { !$0.contains("import ") && !$0.hasPrefix("#") }
            return opening.map { $0.hasPrefix("//") || $0.hasPrefix("/*") } ?? false
        }
        #expect(documented, "\(module): no file opens with a comment that says what the module is for")
        for file in files {
            #expect(!(try Repository.text(file)).contains("Placeholder until"), "\(Repository.name(file)) is still a placeholder")
        }
    }
}

@Suite struct SourceFiles {
    static let handWritten = Repository.files(
        in: Repository.root, extensions: ["swift", "c", "h", "py", "sh"]
    ).filter { !$0.path.contains("/.venv/") && !$0.path.contains("/.cloister/") }

    @Test func noneIsAboveAThousandLines() throws {
        for file in Self.handWritten {
            let lines = try Repository.text(file).utf8.count { $0 == UInt8(ascii: "\n") }
            #expect(lines <= 1000, "\(Repository.name(file)) has \(lines) lines")
        }
    }

    @Test func theExtensionIsThin() throws {
        let files = Repository.files(in: Repository.sources.appending(path: "pg_cloister"), extensions: ["c", "h"])
        let lines = try files.filter { !$0.path.contains("/test/") }.map { try Repository.text($0).utf8.count { $0 == UInt8(ascii: "\n") } }
        #expect(lines.reduce(0, +) <= 1900)
    }

    @Test func unsafeStaysInUnsafeFolders() throws {
        for file in Repository.files(in: Repository.sources, extensions: ["swift"]) {
            let text = try Repository.text(file)
            let uses = Repository.code(text).matches(of: /\bunsafe\b/).count
            guard uses > 0 else { continue }
            #expect(file.pathComponents.contains("Unsafe"), "\(Repository.name(file)) says unsafe outside a folder Unsafe/")
            #expect(text.contains("// SAFETY:"), "\(Repository.name(file)) has unsafe code without a // SAFETY: line")
        }
    }

    @Test func nothingTrapsOnPurposeOutsideTests() throws {
        for file in Repository.files(in: Repository.sources, extensions: ["swift"]) {
            let code = Repository.code(try Repository.text(file))
            for word in [/\btry!/, /\bas!/, /\bfatalError\(/] {
                #expect(code.firstMatch(of: word) == nil, "\(Repository.name(file)) may trap")
            }
        }
    }

    @Test func readmeIsShort() throws {
        let lines = try Repository.text(Repository.root.appending(path: "README.md")).split(
            separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count <= 150)
    }
}

@Suite struct ErrorCodes {
    /// `## CLnnnn name` of schemas/errors.md.
    static func entries() throws -> [String: String] {
        var entries: [String: String] = [:]
        let text = try Repository.text(Repository.root.appending(path: "schemas/errors.md"))
        for section in ("\n" + text).split(separator: "\n## ") {
            guard let code = String(section).prefixMatch(of: /CL\d{4}/) else { continue }
            #expect(entries[String(code.0)] == nil, "\(code.0) has two entries")
            entries[String(code.0)] = String(section)
        }
        return entries
    }

    @Test func everyCodeHasAnEntryWithItsState() throws {
        let entries = try Self.entries()
        var states: [String: String] = [:]
        for file in Repository.files(in: Repository.sources, extensions: ["swift"]) {
            for match in try Repository.text(file).matches(of: /ErrorCode\(\s*"(CL\d{4})",\s*sqlState:\s*"(\w{5})"/) {
                let (code, state) = (String(match.1), String(match.2))
                if let other = states[code] { #expect(other == state, "\(code) has two SQLSTATEs") }
                states[code] = state
                guard let entry = entries[code] else {
                    Issue.record("\(code) of \(Repository.name(file)) has no entry in schemas/errors.md")
                    continue
                }
                #expect(entry.contains(state), "the entry of \(code) does not name SQLSTATE \(state)")
            }
        }
        for file in Repository.files(in: Repository.sources.appending(path: "pg_cloister"), extensions: ["c", "h"]) {
            for match in try Repository.text(file).matches(of: /CL7\d{3}/) {
                #expect(entries[String(match.0)] != nil, "\(match.0) of \(Repository.name(file)) has no entry in schemas/errors.md")
            }
        }
        #expect(!states.isEmpty)
    }

    @Test func everyEntryTellsCauseAndFix() throws {
        for (code, entry) in try Self.entries() {
            #expect(entry.contains("Cause:") && entry.contains("Fix:"), "\(code): an entry has a line 'Cause:' and a line 'Fix:'")
        }
    }
}
