/// Decides for every statement what in it must be encrypted.
///
/// Text goes in; out come the same text with named places for cells, a list of server parameters, or a refusal.
/// Knows PostgreSQL's lexical rules, parse tree and scoping; knows no keys, cells, sockets or sessions.
/// `docs/sql.md` says what is bound and what is refused.
package import CellFormat
package import ColumnCatalog
package import Diagnostics

/// What a binding depends on besides the text.
package struct BindContext: Sendable {
    package var catalog: CatalogSnapshot
    /// The *effective* search path, as `pg_catalog.current_schemas(true)` returns it; nil if it is not known.
    package var searchPath: [String]?
    package var standardConformingStrings: Bool
    /// Parameter types the client declared in Parse (OIDs; 0 or absent: undeclared). Logical types, as clients know them.
    package var declaredParameterTypes: [UInt32]
    /// False: parameters (`$1`) are refused, several statements may come in one text.
    package var isExtendedProtocol: Bool
    /// Set after `needsCatalog` was answered with a freshly loaded catalog: an unknown relation then does not exist, and
    /// `needsCatalog` is not returned again.
    package var catalogIsCurrent: Bool
    /// What EXECUTE can name, as this session prepared it: the parameters that the server has.
    package var prepared: [String: [ServerParameter]] = [:]

    package init(
        catalog: CatalogSnapshot, searchPath: [String]? = nil, standardConformingStrings: Bool = true,
        declaredParameterTypes: [UInt32] = [], isExtendedProtocol: Bool = false, catalogIsCurrent: Bool = false
    ) {
        self.catalog = catalog
        self.searchPath = searchPath
        self.standardConformingStrings = standardConformingStrings
        self.declaredParameterTypes = declaredParameterTypes
        self.isExtendedProtocol = isExtendedProtocol
        self.catalogIsCurrent = catalogIsCurrent
    }
}

/// The answer to `Binder.bind`.
package enum BindOutcome: Sendable {
    /// Nothing to encrypt: the bytes go to the server as they are, parameters too.
    case passThrough(StatementEffects)
    case bound(BoundStatement)
    /// Nothing of the text may be sent. `statementOffset`: byte offset in the text of what is refused (the `P` field
    /// is one more, in characters); nil if there is no one place.
    case refused(CloisterError, statementOffset: Int?)
    /// The text names a relation that the snapshot does not know: load the catalog, set `catalogIsCurrent`, bind again.
    case needsCatalog
    /// The meaning of a name depends on the search path: ask the server, bind again.
    case needsSearchPath
    /// The proxy itself must do something: if it is marking columns, then bind again, else that is all the text asks for.
    case administer(ColumnCommand)
}

/// A statement (or several, in one simple query) with places to fill in.
package struct BoundStatement: Sendable {
    /// In order; together they are the text to send.
    package var pieces: [Piece]
    /// What the server sees as `$1`, `$2`, …; the first are the client's own in their order. Empty if the text has none.
    package var parameters: [ServerParameter]
    /// How many parameters the client's text has.
    package var clientParameterCount: Int
    package var effects: StatementEffects
    /// Set if this is `COPY … FROM STDIN` into a relation with marked columns.
    package var copyIn: CopyInPlan?
    /// Set if this is `COPY … TO STDOUT` of encrypted columns.
    package var copyOut: CopyOutPlan?
    /// Whether anything differs from the client's text (else only parameters or COPY data need work).
    package var isRewritten: Bool

    package enum Piece: Sendable, Hashable {
        /// Bytes of the client's text.
        case verbatim(Range<Int>)
        /// Text of ours: type names, casts, parameter numbers.
        case text(String)
        /// `'\x…'::pg_catalog.enc_T` goes here (`E'\\x…'` if standard_conforming_strings is off).
        case cell(LiteralSlot)
    }

    /// Parameters that a Parse declares beyond those of its text: PostgreSQL takes values for them, so the server gets NULLs.
    package mutating func declareParameters(_ count: Int) {
        guard count > clientParameterCount else { return }
        for index in clientParameterCount..<count { parameters.append(ServerParameter(clientIndex: index, use: .unused)) }
        clientParameterCount = count
    }

    /// Whether nothing is made of the client's parameter `index`.
    package func isSpare(_ index: Int) -> Bool {
        !parameters.contains { $0.clientIndex == index && $0.use != .unused || $0.computation?.parameters.contains(index) == true }
    }

    /// Where in the client's text an error at byte `offset` of the sent text belongs. `cellLengths`: how many bytes were
    /// sent for each `cell` piece, in order.
    package func originalOffset(ofSent offset: Int, cellLengths: [Int]) -> Int {
        var sent = 0
        var original = 0
        var cell = 0
        for piece in pieces {
            switch piece {
            case .verbatim(let range):
                if offset < sent + range.count { return range.lowerBound + max(0, offset - sent) }
                sent += range.count
                original = range.upperBound
            case .text(let text):
                if offset < sent + text.utf8.count { return original }
                sent += text.utf8.count
            case .cell(let slot):
                let count = cell < cellLengths.count ? cellLengths[cell] : 0
                cell += 1
                if offset < sent + count { return slot.range.lowerBound }
                sent += count
                original = slot.range.upperBound
            }
        }
        return original
    }
}

/// A literal that must become a cell.
package struct LiteralSlot: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package enum Kind: Sendable, Hashable {
        /// A string constant: the type's input function reads it.
        case string
        /// An integer or decimal constant with its sign.
        case number
        /// TRUE or FALSE (`value` is "true" or "false").
        case boolean
    }
    /// The constant's text, decoded: escapes and quotes gone, in the client's encoding. NULL never becomes a slot.
    package var value: [UInt8]
    package var kind: Kind
    /// The type a cast around it names (`DATE '…'`, `'…'::date`): read as this type first, then converted to the target's.
    package var declaredType: LogicalType?
    package var target: EncryptedType
    package var role: CellRole
    /// `schema.table.column` of the column it meets: for messages.
    package var column: String
    /// The column's `ColumnMark.modifier`, if the value is stored in it; -1: none.
    package var modifier: Int32
    package var form: CellForm
    /// How the value is computed; `value`, `kind` and `declaredType` mean nothing then.
    package var computation: Computation<ConstantText>?
    /// Its cell is no other's. Else equal constants of a statement are one cell: PostgreSQL compares expressions by their constants.
    package var isOwn: Bool
    /// The bytes of the client's text that it replaces.
    package var range: Range<Int>

    package init(
        value: [UInt8], kind: Kind, declaredType: LogicalType?, target: EncryptedType, role: CellRole, column: String,
        modifier: Int32 = -1, form: CellForm = .value, computation: Computation<ConstantText>? = nil, isOwn: Bool = false,
        range: Range<Int>
    ) {
        self.form = form
        self.isOwn = isOwn
        self.computation = computation
        self.value = value
        self.kind = kind
        self.declaredType = declaredType
        self.target = target
        self.role = role
        self.column = column
        self.modifier = modifier
        self.range = range
    }

    package var description: String { "LiteralSlot(\(role) \(column))" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// What is made of a constant or parameter.
package enum CellForm: Sendable, Hashable {
    /// A cell of the value.
    case value
    /// A constant of an array type (`= ANY($1)`): an array of cells.
    case array
    /// The right side of LIKE: text as it is, whatever the column's limits.
    case pattern
}

/// One parameter as the server sees it.
package struct ServerParameter: Sendable, Hashable {
    package enum Use: Sendable, Hashable {
        case plain
        /// The client's parameter is needed here only to make others: the server gets NULL.
        case unused
        /// The statement asks only whether it is NULL: the server gets true or NULL.
        case nullness
        case encrypted(EncryptedType, CellRole, column: String)
    }
    /// The client's parameter it is made of, from 0. A client parameter used in two ways is two server parameters.
    package var clientIndex: Int
    package var use: Use
    /// The type the client's text casts it to (`$1::date`), if any; of an array, its elements'.
    package var declaredType: LogicalType?
    /// `ColumnMark.modifier` of the column it is stored in; -1: none.
    package var modifier: Int32
    package var form: CellForm
    /// How the value is computed of the client's parameters (any number of them); nil: it is the one at `clientIndex`.
    package var computation: Computation<ConstantText>?

    package init(
        clientIndex: Int, use: Use, declaredType: LogicalType? = nil, modifier: Int32 = -1, form: CellForm = .value,
        computation: Computation<ConstantText>? = nil
    ) {
        self.clientIndex = clientIndex
        self.use = use
        self.declaredType = declaredType
        self.modifier = modifier
        self.form = form
        self.computation = computation
    }
}

/// How to encrypt the rows of a COPY FROM STDIN.
package struct CopyInPlan: Sendable, Hashable {
    package struct Column: Sendable, Hashable {
        package var name: String
        /// nil: passed as it is.
        package var encryption: EncryptedType?
        /// `schema.table.column`.
        package var label: String
        /// `ColumnMark.modifier`.
        package var modifier: Int32

        package init(name: String, encryption: EncryptedType?, label: String, modifier: Int32 = -1) {
            self.name = name
            self.encryption = encryption
            self.label = label
            self.modifier = modifier
        }
    }
    package enum Format: Sendable, Hashable { case text, csv, binary }
    package enum Header: Sendable, Hashable { case none, skip, match }

    package var relation: QualifiedName
    /// The columns of a row, in order.
    package var columns: [Column]
    package var format: Format
    /// One byte; nil: the format's default (tab, comma).
    package var delimiter: UInt8?
    /// nil: the format's default (`\N`, empty).
    package var null: [UInt8]?
    package var quote: UInt8?
    package var escape: UInt8?
    package var header: Header
    /// Indexes into `columns`.
    package var forceNotNull: Set<Int>
    package var forceNull: Set<Int>
    /// ENCODING as written; nil: client_encoding.
    package var encoding: String?

    package init(relation: QualifiedName, columns: [Column], format: Format) {
        self.relation = relation
        self.columns = columns
        self.format = format
        header = .none
        forceNotNull = []
        forceNull = []
    }
}

/// How to decrypt the rows of a COPY TO STDOUT.
package struct CopyOutPlan: Sendable, Hashable {
    /// Columns, format and options, as for the other direction; `relation` is for messages.
    package var layout: CopyInPlan
    /// Indexes into `layout.columns`.
    package var forceQuote: Set<Int>

    package init(layout: CopyInPlan, forceQuote: Set<Int> = []) {
        self.layout = layout
        self.forceQuote = forceQuote
    }
}

/// What the statements of a text do to the session, one entry a statement, in order. Assumed of what can't be seen:
/// a function called in SELECT may change settings only if it is `set_config`; CALL, DO and EXECUTE may change anything.
package struct StatementEffects: Sendable, Hashable {
    package struct Flags: OptionSet, Sendable, Hashable {
        package let rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }
        /// Creates, alters or drops relations or types: the catalog may be stale afterwards.
        package static let ddl = Flags(rawValue: 1)
        /// SET, RESET, DISCARD, set_config, SET ROLE, CALL, DO, … : settings may differ afterwards.
        package static let mayChangeSettings = Flags(rawValue: 2)
        /// The effective search path may differ afterwards (also by CREATE SCHEMA, SET ROLE, the first temporary table).
        package static let mayChangeSearchPath = Flags(rawValue: 4)
        package static let deallocateAll = Flags(rawValue: 8)
        package static let discardAll = Flags(rawValue: 16)
        package static let listen = Flags(rawValue: 32)
        package static let copyIn = Flags(rawValue: 64)
        package static let copyOut = Flags(rawValue: 128)
        /// SQL-level PREPARE or DEALLOCATE name.
        package static let preparedStatements = Flags(rawValue: 256)
    }
    package enum Transaction: Sendable, Hashable {
        case begin, commit, rollback, savepoint, release, rollbackTo, prepare, commitPrepared, rollbackPrepared
    }
    package struct Statement: Sendable, Hashable {
        package var flags: Flags
        package var transaction: Transaction?
        /// The name in SQL's EXECUTE. It may be a statement prepared through the protocol: if that one has encrypted
        /// parameters, the session must refuse (the binder does not know the names).
        package var executes: String?
        /// The name in SQL's PREPARE.
        package var prepares: String?
        /// What the server's parameters of that PREPARE are.
        package var preparedParameters: [ServerParameter] = []
        /// Of which enumeration each column of the result is, if that is known; nil: not known here.
        package var enumerations: [TypeName?]?
        /// The name in SQL's DEALLOCATE.
        package var deallocates: String?

        package init(flags: Flags = [], transaction: Transaction? = nil, executes: String? = nil, prepares: String? = nil) {
            self.flags = flags
            self.transaction = transaction
            self.executes = executes
            self.prepares = prepares
        }
    }
    package var statements: [Statement]

    package init(_ statements: [Statement] = []) { self.statements = statements }

    /// Every statement's flags together.
    package var flags: Flags { statements.reduce(into: []) { $0.formUnion($1.flags) } }
}
