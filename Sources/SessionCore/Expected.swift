internal import Diagnostics
internal import PGWire
internal import SQLBinding

/// One exchange that the server still owes answers for. The queue of these is the session's memory of protocol order:
/// whatever the server sends belongs to its head.
enum Expected {
    /// `Q`: any number of results, then ReadyForQuery.
    case query(QueryExchange)
    /// `P`: ParseComplete.
    case parse(Identifier, PreparedStatement)
    /// `B`: BindComplete.
    case bind(Identifier, Portal)
    /// `D` of a statement: ParameterDescription, then RowDescription or NoData. `swallowed`: we asked, not the client.
    case describeStatement(PreparedStatement?, swallowed: Bool)
    /// `D` of a portal: RowDescription or NoData.
    case describePortal(Portal, swallowed: Bool)
    /// `E`: rows, then CommandComplete, EmptyQueryResponse or PortalSuspended.
    case execute(Portal)
    case closeStatement(Identifier)
    case closePortal(Identifier)
    /// `S`: ReadyForQuery.
    case sync
    /// `F`: FunctionCallResponse, then ReadyForQuery.
    case functionCall
    /// A message made here that the server must refuse, in the place of one that we refuse: its error is replaced by ours,
    /// so that order, transaction state and skipping are the server's own. `statement`: it was a Parse of this name.
    case refused(Refusal, statement: Identifier?)
    /// Part of an injected query.
    case injected(InjectedStep)
}

/// One answer of an injected query.
enum InjectedStep {
    case parseComplete, bindComplete, closeComplete
    /// The rows and their CommandComplete.
    case rows
    /// The last answer of an injection within a batch (CloseComplete) or on its own (ReadyForQuery).
    case lastClose
    case lastReady
    /// ReadyForQuery of a Sync that ends the skipping after a failed injection.
    case recovery
}

/// An error made here, with its place in the client's text.
final class Refusal {
    let error: CloisterError
    /// In characters from 1, as in field `P`.
    let position: Int?

    init(_ error: CloisterError, position: Int? = nil) {
        self.error = error
        self.position = position
    }
}

/// A simple query in flight.
final class QueryExchange {
    let effects: StatementEffects
    let sent: SentStatement?
    /// We made the server refuse it, or gave up on it: the server's error becomes this one.
    var refusal: Refusal?
    /// How many of its statements are complete.
    var completed = 0
    /// How to read the rows of the present result.
    var shape: RowShape?
    /// The proxy did it: what the server is sent is a stand-in.
    let command: ColumnCommand?

    init(effects: StatementEffects, sent: SentStatement? = nil, refusal: Refusal? = nil, command: ColumnCommand? = nil) {
        self.command = command
        self.effects = effects
        self.sent = sent
        self.refusal = refusal
    }
}

/// A statement as the server knows it: made at Parse, registered at ParseComplete.
final class PreparedStatement {
    let effects: StatementEffects
    /// nil: it passed untouched.
    let sent: SentStatement?
    /// Carried out by the proxy at Execute; the server has a stand-in.
    let command: ColumnCommand?
    /// The client's declared parameter types.
    let declaredTypes: [UInt32]
    /// Whether its result can't change while it lives (plannable statements; FETCH and EXECUTE differ each time).
    let hasStableShape: Bool
    let returnsNoRows: Bool
    /// What its rows look like, once described.
    var shape: RowShape?
    /// A Describe whose answer will set `shape` is in flight.
    var isShapeRequested = false
    /// A Bind waits for the description and has pushed it.
    var isFlushed = false
    /// The server's types of its parameters contradict the plan: nothing may be bound.
    var contradiction: CloisterError?
    /// Set once the server's parameter types were found to agree with the plan (or need no check).
    var parametersAgree: Bool

    init(
        effects: StatementEffects, sent: SentStatement?, declaredTypes: [UInt32], hasStableShape: Bool, returnsNoRows: Bool,
        parametersAgree: Bool, command: ColumnCommand? = nil
    ) {
        self.command = command
        self.effects = effects
        self.sent = sent
        self.declaredTypes = declaredTypes
        self.hasStableShape = hasStableShape
        self.returnsNoRows = returnsNoRows
        self.parametersAgree = parametersAgree
    }
}

/// A portal: made at Bind, registered at BindComplete, gone with its transaction.
final class Portal {
    /// nil: made by SQL (DECLARE), or of a statement we don't know (SQL PREPARE).
    let statement: PreparedStatement?
    /// nil: not known; then only a Describe of the portal tells.
    let resultFormats: [Int16]?
    var shape: RowShape?
    /// A Describe whose answer will set `shape` is in flight.
    var isShapeRequested = false
    /// Rows can't be shown: the Execute fails with this.
    var refusal: Refusal?

    init(statement: PreparedStatement?, resultFormats: [Int16]?) {
        self.statement = statement
        self.resultFormats = resultFormats
    }

    /// The format in which the server sends column `index`, if it is known from Bind.
    func resultFormat(_ index: Int) -> Int16 {
        guard let resultFormats else { return 0 }
        return switch resultFormats.count {
        case 0: 0
        case 1: resultFormats[0]
        default: index < resultFormats.count ? resultFormats[index] : 0
        }
    }
    /// How to read the portal's rows: as described itself, or as its statement was, in the formats of Bind.
    func currentShape() -> RowShape? {
        if let shape { return shape }
        guard let statement, statement.hasStableShape, resultFormats != nil, let described = statement.shape else { return nil }
        shape = described.formatted(by: self)
        return shape
    }

    /// Whether an Execute now can count on a shape when its rows come.
    var willHaveShape: Bool {
        if shape != nil || isShapeRequested { return true }
        guard let statement else { return false }
        if statement.returnsNoRows { return true }
        return statement.hasStableShape && resultFormats != nil && (statement.shape != nil || statement.isShapeRequested)
    }
}
