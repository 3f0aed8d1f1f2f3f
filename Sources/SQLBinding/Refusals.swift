internal import CellFormat
package import Diagnostics

extension ErrorCode {
    /// An operation that is not available on an encrypted column.
    package static let operationRefused = ErrorCode("CL6001", sqlState: "0A000")
    /// A kind of statement that is not bound when it touches an encrypted column.
    package static let statementRefused = ErrorCode("CL6002", sqlState: "0A000")
    /// An unqualified name that is a marked table's, but may mean another relation.
    package static let ambiguousRelation = ErrorCode("CL6003", sqlState: "0A000")
    /// The statement does not parse.
    package static let syntaxError = ErrorCode("CL6004", sqlState: "42601")
    /// An encrypted expression meets one that is not encrypted.
    package static let plainMeetsEncrypted = ErrorCode("CL6005", sqlState: "0A000")
    /// Two encrypted expressions that differ in type, scheme or key.
    package static let encryptionMismatch = ErrorCode("CL6006", sqlState: "0A000")
    /// An ordering on a deterministic column.
    package static let orderOnDeterministic = ErrorCode("CL6007", sqlState: "0A000")
    /// A definition of a marked column, or on one, that is not bound.
    package static let definitionRefused = ErrorCode("CL6008", sqlState: "0A000")
    /// A body or a string that the server will run mentions a marked table.
    package static let nameInBody = ErrorCode("CL6009", sqlState: "0A000")
    /// A column that no relation in sight has.
    package static let unknownColumn = ErrorCode("CL6010", sqlState: "42703")
    /// The text is nested too deeply or is not UTF-8.
    package static let textRefused = ErrorCode("CL6011", sqlState: "54001")
    /// A constant of a form or a declared type that the column can't take.
    package static let constantRefused = ErrorCode("CL6012", sqlState: "0A000")
    /// A parameter used in ways that can't be told apart.
    package static let parameterRefused = ErrorCode("CL6013", sqlState: "0A000")
    /// A relation that does not exist, in a statement that touches a marked one.
    package static let unknownRelation = ErrorCode("CL6014", sqlState: "42P01")
    /// A column name that several relations have.
    package static let ambiguousColumn = ErrorCode("CL6015", sqlState: "42702")
    /// A type that does not exist, of a marked column.
    package static let unknownType = ErrorCode("CL6018", sqlState: "42704")
    /// Two expressions, one of an enumeration, that PostgreSQL has no operator for.
    package static let operatorMissing = ErrorCode("CL6019", sqlState: "42883")
    /// A value of another type for a column of an enumeration.
    package static let assignmentMismatch = ErrorCode("CL6024", sqlState: "42804")
    /// A statement about keys, or an ENCRYPTED WITH, that can't be carried out as it stands.
    package static let keyStatementRefused = ErrorCode("CL6017", sqlState: "42601")
}

/// Why an analysis stops.
enum Halt: Error {
    /// `at`: byte offset in the text, if there is one place.
    case refused(CloisterError, at: Int?)
    case needsCatalog
    case needsSearchPath
    case administer(ColumnCommand)

    static func refuse(_ code: ErrorCode, _ message: String, hint: String = "", at node: Node? = nil) -> Halt {
        let location = node?.location ?? -1
        return .refused(CloisterError(code, message, hint: hint), at: location >= 0 && node?.has("location") == true ? location : nil)
    }
}

/// A bound on how deeply a text can nest, before it is given to a parser whose recursion we don't control.
enum NestingEstimate {
    /// libpg_query's JSON writer was seen to need about 120 bytes of stack a level; a worker thread may have 512 kB.
    static let limit = 3000

    /// Tokens since the last separator, summed over all open brackets, at the deepest place.
    static func depth(of tokens: [Token], in text: [UInt8]) -> Int {
        var open: [Int] = []
        var outer = 0
        var soft = 0
        var hard = 0
        var deepest = 0
        for token in tokens {
            switch token.kind {
            case .symbol:
                switch text[token.start] {
                case UInt8(ascii: "("), UInt8(ascii: "["):
                    open.append(soft)
                    open.append(hard)
                    outer += soft + hard + 1
                    soft = 0
                    hard = 0
                case UInt8(ascii: ")"), UInt8(ascii: "]"):
                    guard let h = open.popLast(), let s = open.popLast() else { break }
                    hard = h
                    soft = s + 1
                    outer -= s + h + 1
                case UInt8(ascii: ","): soft = 0
                case UInt8(ascii: ";"):
                    soft = 0
                    hard = 0
                    outer = 0
                    open = []
                default: soft += 1
                }
            case .word:
                switch token.end - token.start {
                case 2 where text.matches("or", in: token.range), 3 where text.matches("and", in: token.range): soft = 0
                case 3 where text.matches("end", in: token.range): hard = max(0, hard - 1)
                case 4 where text.matches("when", in: token.range): soft = 0
                case 4 where text.matches("join", in: token.range) || text.matches("case", in: token.range),
                    5 where text.matches("union", in: token.range), 6 where text.matches("except", in: token.range),
                    9 where text.matches("intersect", in: token.range):
                    hard += 1
                default: soft += 1
                }
            case .quotedIdentifier, .parameter, .bitString, .string, .escapeString, .unicodeString, .dollarString, .integer, .decimal: break
            }
            deepest = max(deepest, outer + soft + hard)
        }
        return deepest
    }
}

extension EncryptedType {
    /// For messages: `randomized date, key 7`.
    var words: String { "\(scheme.rawValue) \(logical.name), \(key)" }
}
