package import CellFormat

/// What binding a text comes to, for people: `cloister explain`.
package struct Explanation: Sendable {
    /// A constant or parameter of the text, where it stands.
    package struct Constant: Sendable {
        package var range: Range<Int>
        package var isParameter: Bool
        /// nil: it goes to the server as it is.
        package var encryption: (type: EncryptedType, role: CellRole, column: String)?
    }

    /// An operation over an encrypted column, and who decides it.
    package struct Operation: Sendable, Hashable {
        package var name: String
        /// `schema.table.column`.
        package var column: String
        /// Else the server, by the bytes of deterministic cells.
        package var isInEnclave: Bool
    }

    package var outcome: BindOutcome
    package var constants: [Constant]
    package var operations: [Operation]
    /// The text as the server gets it, cells without their bytes; nil if it is refused.
    package var sent: String?
}

/// Collects what is asked of encrypted columns while a text is analysed.
final class OperationLog {
    /// These give values a type, and compare nothing.
    private static let silent: Set<String> = ["VALUES", "COALESCE", "an assignment", "DEFAULT", "a use", "CASE"]
    private(set) var operations: [Explanation.Operation] = []

    func note(_ operation: String, label: String, _ scheme: EncryptionScheme) {
        let entry = Explanation.Operation(name: operation, column: label, isInEnclave: scheme == .randomized)
        if !Self.silent.contains(operation), !operations.contains(entry) { operations.append(entry) }
    }
}

extension Binder {
    /// Binds a text and tells what became of each constant, parameter and operation in it.
    package func explain(_ sql: [UInt8], context: BindContext) -> Explanation {
        let log = OperationLog()
        let outcome = bind(sql, context: context, log: log)
        let tokens = (try? Lexer.tokens(of: sql, standardConformingStrings: context.standardConformingStrings)) ?? []
        var constants: [Explanation.Constant] = tokens.filter { $0.kind.isLiteral || $0.kind == .parameter }.map {
            Explanation.Constant(range: $0.range, isParameter: $0.kind == .parameter, encryption: nil)
        }
        var sent: String?
        switch outcome {
        case .passThrough: sent = String(decoding: sql, as: UTF8.self)
        case .refused, .needsCatalog, .needsSearchPath, .administer: constants = []
        case .bound(let bound):
            sent = Self.masked(bound, sql)
            for index in constants.indices {
                let range = constants[index].range
                for case .cell(let slot) in bound.pieces where slot.range.overlaps(range) {
                    constants[index].encryption = (slot.target, slot.role, slot.column)
                }
                guard constants[index].isParameter, let number = Int(String(decoding: sql[range].dropFirst(), as: UTF8.self)) else {
                    continue
                }
                for parameter in bound.parameters {
                    guard case .encrypted(let type, let role, let column) = parameter.use,
                        parameter.computation?.parameters.contains(number - 1) ?? (parameter.clientIndex == number - 1)
                    else { continue }
                    constants[index].encryption = (type, role, column)
                }
            }
        }
        return Explanation(outcome: outcome, constants: constants, operations: log.operations, sent: sent)
    }

    private static func masked(_ bound: BoundStatement, _ sql: [UInt8]) -> String {
        bound.pieces.map { piece in
            switch piece {
            case .verbatim(let range): String(decoding: sql[range], as: UTF8.self)
            case .text(let text): text
            case .cell(let slot):
                "'\(slot.form == .array ? "{…}" : "\\x…")'::pg_catalog.\(slot.target.serverTypeName)\(slot.form == .array ? "[]" : "")"
            }
        }.joined()
    }
}
