import Diagnostics
import Foundation
import FuzzSupport
import Testing

@testable import SQLBinding

/// Statements that no one wrote: the leak sweep's with other spellings, wrappings and combinations, where the value must still be
/// bound or refused; and broken ones, where nothing may crash, hang, or repeat a value in an error.
@Suite struct BindingFuzzTests {
    /// Corpus/*.sql: past finds.
    private static let corpus: [String] = {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Corpus")
        let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
        return files.sorted { $0.path < $1.path }.compactMap { try? String(contentsOf: $0, encoding: .utf8) }
            .flatMap { $0.split(separator: "\n").map(String.init) }.filter { !$0.hasPrefix("--") }
    }()

    /// Binds and checks what holds of any text. Returns what would be sent; nil: nothing.
    private func sent(_ bytes: [UInt8], _ extended: Bool, _ binder: Binder = Binder()) -> [String]? {
        let begun = ContinuousClock.now
        defer { #expect(ContinuousClock.now - begun < longestInput, "slow: \(String(decoding: bytes, as: UTF8.self))") }
        let context = BindContext(
            catalog: World.shared, searchPath: ["pg_catalog", "public"], isExtendedProtocol: extended, catalogIsCurrent: true)
        switch binder.bind(bytes, context: context) {
        case .passThrough: return [String(decoding: bytes, as: UTF8.self)]
        case .needsCatalog, .needsSearchPath, .administer: return nil
        case .refused(let error, let offset):
            #expect(!"\(error.description) \(error.hint)".contains(LeakSweepTests.marker), "\(error)")
            if let offset { #expect((0...bytes.count).contains(offset)) }
            return nil
        case .bound(let statement):
            var end = 0
            var texts: [String] = []
            for piece in statement.pieces {
                switch piece {
                case .verbatim(let range):
                    #expect(range.lowerBound >= end && range.upperBound <= bytes.count, "\(String(decoding: bytes, as: UTF8.self))")
                    end = range.upperBound
                    texts.append(String(decoding: bytes[range.clamped(to: bytes.indices)], as: UTF8.self))
                case .text(let text): texts.append(text)
                case .cell: texts.append("‹›")
                }
            }
            return texts
        }
    }

    private func staysSecret(_ sql: String) {
        for extended in [false, true] {
            let leak = sent(Array(sql.utf8), extended)?.contains { $0.contains(LeakSweepTests.marker) } ?? false
            #expect(!leak, "leaks: \(sql)")
        }
    }

    private static func filled(_ sql: String, _ literal: String) -> String {
        sql.replacing("U&§", with: "§").replacing("E§", with: "§").replacing("N§", with: "§").replacing("§", with: literal)
    }

    /// Queries as a statement by itself.
    private static let queries = LeakSweepTests.conditions.map { "SELECT 1 FROM people p WHERE \($0)" }

    /// What changes nothing of a statement's meaning: blanks, comments, capitals, parentheses, and being part of another.
    private func respelled(_ generator: inout SeededGenerator) -> String {
        var sql: String
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: sql = generator.pick(LeakSweepTests.statements) ?? ""
        case 1, 2:
            let conditions = LeakSweepTests.conditions
            let words = [" AND ", " OR ", " AND NOT ", " OR NOT ", " IS NOT DISTINCT FROM "]
            sql = "SELECT 1 FROM people p WHERE (\(generator.pick(conditions) ?? ""))"
            for _ in 0...Int.random(in: 0..<2, using: &generator) {
                sql += "\(generator.pick(words) ?? " AND ")(\(generator.pick(conditions) ?? ""))"
            }
        case 3:
            let query = generator.pick(Self.queries) ?? ""
            sql =
                generator.pick([
                    "WITH w AS (\(query)) SELECT * FROM w", "WITH w AS MATERIALIZED (\(query)), v AS (SELECT * FROM w) TABLE v",
                    "SELECT * FROM (\(query)) s", "SELECT 1 WHERE EXISTS (\(query))", "SELECT (\(query) LIMIT 1)", "(\(query))",
                    "SELECT 1 IN (\(query))", "\(query) UNION ALL \(query)", "SELECT ARRAY(\(query))", "INSERT INTO plain (id) \(query)",
                    "DELETE FROM plain WHERE id IN (\(query))", "UPDATE plain SET id = (\(query) LIMIT 1)",
                    "SELECT 1 FROM plain q, LATERAL (\(query)) l", "SELECT CASE WHEN EXISTS (\(query)) THEN 1 END",
                    "CREATE TABLE t9 AS \(query)", "CREATE VIEW v9 AS \(query)", "DECLARE c9 CURSOR FOR \(query)", "PREPARE q9 AS \(query)",
                    "EXPLAIN (COSTS OFF) \(query)", "COPY (\(query)) TO STDOUT",
                ]) ?? query
        case 4: sql = (generator.pick(Self.queries) ?? "") + "; " + (generator.pick(LeakSweepTests.statements) ?? "")
        default:
            sql = (generator.pick(Self.queries) ?? "").replacing("§", with: generator.pick(["(§)", "((§))", "§::text", "( § )"]) ?? "§")
        }
        // Only outside of literals: § stands for those, and what has quotes is left alone.
        var respelled = ""
        let leavesCase = sql.contains("\"") || sql.contains("$") || sql.contains("'")
        for character in sql {
            switch character {
            case " " where !sql.contains("'") && !sql.contains("$x$"):
                respelled += generator.pick([" ", " ", " ", "  ", "\n", "\t", " /* 'x */ ", " -- it's\n", " /* /* \" */ */ "]) ?? " "
            case _ where !leavesCase && generator.chance(5): respelled += character.uppercased()
            default: respelled.append(character)
            }
        }
        return respelled
    }

    @Test func corpusIsReplayed() {
        #expect(Self.corpus.count >= 6)
        for statement in Self.corpus {
            for literal in LeakSweepTests.literals { staysSecret(Self.filled(statement, literal)) }
        }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func noSpellingLeaks(seed: UInt64) {
        fuzz(seed: seed, inputs: 500) { generator in
            let sql = respelled(&generator)
            staysSecret(Self.filled(sql, generator.pick(LeakSweepTests.literals) ?? "''"))
        }
    }

    /// One binder for all: what its cache has learnt of one text must not break another.
    @Test(arguments: [5, 6, 7, 8] as [UInt64]) func brokenTextsAreHarmless(seed: UInt64) {
        let binder = Binder(planCacheCapacity: 64)
        fuzz(seed: seed, inputs: 1_000) { generator in
            let sql = Self.filled(generator.pick(LeakSweepTests.statements) ?? "", generator.pick(LeakSweepTests.literals) ?? "''")
            var bytes = Array(sql.utf8)
            generator.mutate(&bytes)
            _ = sent(bytes, Bool.random(using: &generator), binder)
        }
    }

    /// Escapes, quotes and surrogates in every broken form: a value or an error.
    @Test(arguments: [9, 10] as [UInt64]) func brokenLiteralsAreHarmless(seed: UInt64) {
        let forms = [
            #"E'\x41\101\u0041\U00000041\n\'\\'"#, #"U&'\0041\+000041\\'"#, #"U&'d!0061' UESCAPE '!'"#, "'a''b'", "$t$x$t$", "'a'\n'b'",
            "B'0101'",
            "x'1fF'", "N'x'", #"U&"\0061""#, "1.5e-3", "$1", "'\u{e9}\u{1F600}'",
        ]
        fuzz(seed: seed, inputs: 2_000) { generator in
            var bytes = Array((generator.pick(forms) ?? "").utf8)
            generator.mutate(&bytes, rounds: 3)
            let statement = Array("SELECT 1 FROM people WHERE name = ".utf8) + bytes + Array(" OR nick = 'z'".utf8)
            _ = sent(statement, Bool.random(using: &generator))
        }
    }
}
