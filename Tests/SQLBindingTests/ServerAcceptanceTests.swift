import CellFormat
import Foundation
import Testing

@testable import SQLBinding

/// Writes what the corpus is bound to, with well-formed (but unsealed) cells, as a psql script: PostgreSQL with the
/// extension must accept the types of every statement. Run by hand or by the integration tests:
/// `CLOISTER_BINDING_SCRIPT=/tmp/x.sql swift test --filter ServerAcceptance`, then psql -f it and look for errors.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["CLOISTER_BINDING_SCRIPT"] != nil)) struct ServerAcceptanceTests {
    @Test func writeScript() throws {
        let path = try #require(ProcessInfo.processInfo.environment["CLOISTER_BINDING_SCRIPT"])
        var script = ""
        for (number, statement) in LeakSweepTests.statements.enumerated() {
            for value in ["'x'", "$1", "NULL"] {
                let sql = statement.replacing("U&§", with: value).replacing("E§", with: value).replacing("N§", with: value).replacing(
                    "§", with: value)
                let bytes = Array(sql.utf8)
                let context = BindContext(
                    catalog: World.shared, searchPath: ["pg_catalog", "public"], isExtendedProtocol: value == "$1", catalogIsCurrent: true)
                guard case .bound(let bound) = Binder().bind(bytes, context: context), bound.copyIn == nil else { continue }
                var text = ""
                for piece in bound.pieces {
                    switch piece {
                    case .verbatim(let range): text += String(decoding: bytes[range], as: UTF8.self)
                    case .text(let more): text += more
                    case .cell(let slot):
                        let cell = slot.target.header(slot.role).bytes + [UInt8](repeating: 7, count: 48)
                        text += "'\\x" + cell.map { String(format: "%02x", $0) }.joined() + "'::pg_catalog.\(slot.target.serverTypeName)"
                    }
                }
                if text.contains(";") || text.hasPrefix("COPY") || text.hasPrefix("CALL") { continue }
                script += "BEGIN;\n\\echo # \(number) \(sql.replacing("\n", with: " ").replacing("'", with: "`"))\n"
                let isQuery = ["SELECT", "(SELECT", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH"].contains {
                    text.hasPrefix($0)
                }
                if value == "$1" {
                    guard isQuery else { script += "ROLLBACK;\n"; continue }
                    script += "PREPARE q AS \(text);\nDEALLOCATE q;\n"
                } else {
                    script += (isQuery ? "EXPLAIN (COSTS OFF) " : "") + text + ";\n"
                }
                script += "ROLLBACK;\n"
            }
        }
        try script.write(toFile: path, atomically: true, encoding: .utf8)
    }
}
