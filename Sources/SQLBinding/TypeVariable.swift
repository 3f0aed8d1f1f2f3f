internal import CellFormat
internal import Diagnostics

/// A literal or parameter whose meaning (plain, or encrypted as what) is not settled until all of the text was seen.
struct Leaf {
    enum Source {
        /// `value`: index of the token that holds it; negative: whether a sign precedes it.
        case literal(value: Int, kind: LiteralSlot.Kind, negative: Bool)
        /// `number` from 1.
        case parameter(number: Int)
        /// NULL whose type PostgreSQL would take from what is written (its cast, or text in a subquery's list): it must
        /// be of the encrypted type instead, if it is encrypted.
        case null
    }
    var source: Source
    /// Tokens to replace if it is encrypted: the constant and a cast around it.
    var tokens: ClosedRange<Int>
    var declaredType: LogicalType?
    /// Why the constant can't be encrypted although it is one (a type modifier in its cast, …).
    var obstacle: String?
    /// The role if its value is not stored: what the statement around it is for.
    var role = CellRole.operand
    var variable: TypeVariable
}

/// What an expression is: one class of expressions that must agree is one variable (union-find).
///
/// PostgreSQL resolves the types of constants from their surroundings; this does the same for "encrypted as what". An
/// undecided class is settled by the first encrypted or plain expression it meets, however far away that is (a VALUES list
/// in a CTE that is joined with a marked column, say).
final class TypeVariable {
    enum State {
        case undecided
        case plain
        /// `label`: the column it comes from, for messages.
        case encrypted(EncryptedType, label: String)
        /// A whole row that has encrypted fields: may be nothing but expanded.
        case encryptedRow(label: String)
    }

    private var parent: TypeVariable?
    private var ownState: State
    /// An ordering was asked of this class while it was undecided: what asked.
    private var ordering: String?
    /// This expression's value is stored in a column: constants in it are sealed as stored cells.
    private(set) var isStored = false
    /// Expressions whose value may become this one's.
    private var feeds: [TypeVariable] = []

    init(_ state: State) { ownState = state }

    static var plain: TypeVariable { TypeVariable(.plain) }
    static var undecided: TypeVariable { TypeVariable(.undecided) }

    private var root: TypeVariable {
        guard var node = parent else { return self }
        while let next = node.parent { node = next }
        parent = node
        return node
    }

    var state: State { root.ownState }
    var isUndecided: Bool { if case .undecided = state { true } else { false } }
    var isPlain: Bool { if case .plain = state { true } else { false } }

    var encryption: (type: EncryptedType, label: String)? {
        if case .encrypted(let type, let label) = state { (type, label) } else { nil }
    }

    /// The label of what is encrypted in it, if anything is.
    var secretLabel: String? {
        switch state {
        case .encrypted(_, let label), .encryptedRow(let label): label
        case .undecided, .plain: nil
        }
    }

    /// An undecided class becomes plain: it took part in something that only plain values do.
    func settlePlain() { if isUndecided { root.ownState = .plain } }

    /// The two must be of one type. `operation` names what joins them (`=`, `UNION`, …), for messages.
    func unify(_ other: TypeVariable, operation: String, at node: Node?) throws(Halt) {
        let a = root
        let b = other.root
        guard a !== b else { return }
        switch (a.ownState, b.ownState) {
        case (.encryptedRow(let label), _), (_, .encryptedRow(let label)):
            throw .refuse(
                .operationRefused, "\(operation) with a whole row of \(label), which has encrypted columns", hint: "name the columns",
                at: node)
        case (.undecided, .undecided), (.plain, .plain):
            b.parent = a
            a.ordering = a.ordering ?? b.ordering
        case (.plain, .undecided):
            b.parent = a
        case (.undecided, .plain):
            a.parent = b
        case (.encrypted(let type, let label), .undecided):
            try b.requireOrder(of: type, label: label, at: node)
            b.parent = a
        case (.undecided, .encrypted(let type, let label)):
            try a.requireOrder(of: type, label: label, at: node)
            a.parent = b
        case (.encrypted(let x, let labelX), .encrypted(let y, let labelY)):
            guard x == y else {
                throw .refuse(
                    .encryptionMismatch,
                    "\(operation) between \(labelX) (\(x.words)) and \(labelY) (\(y.words)), which are encrypted differently",
                    hint: "columns that meet in one query need the same type, encryption and key in the configuration", at: node)
            }
        case (.encrypted(_, let label), .plain), (.plain, .encrypted(_, let label)):
            throw .refuse(
                .plainMeetsEncrypted, "\(operation) between the encrypted column \(label) and an expression that is not encrypted",
                hint: "use a constant, a parameter or a column with the same encryption; compute expressions in the client", at: node)
        }
    }

    /// The value of `source` may become this one's: same type, and what is stored of it is stored of the source.
    func accept(_ source: TypeVariable, operation: String, at node: Node?) throws(Halt) {
        try unify(source, operation: operation, at: node)
        feeds.append(source)
        if isStored { source.markStored() }
    }

    func markStored() {
        guard !isStored else { return }
        var pending = [self]
        while let next = pending.popLast() {
            guard !next.isStored else { continue }
            next.isStored = true
            pending.append(contentsOf: next.feeds)
        }
    }

    /// `<`, ORDER BY, min, …: randomized columns only.
    func order(_ operation: String, at node: Node?) throws(Halt) {
        switch state {
        case .plain: break
        case .undecided: root.ordering = root.ordering ?? operation
        case .encrypted(let type, let label):
            root.ordering = operation
            try root.requireOrder(of: type, label: label, at: node)
        case .encryptedRow(let label):
            throw .refuse(
                .operationRefused, "\(operation) on a whole row of \(label), which has encrypted columns", hint: "name the columns",
                at: node)
        }
    }

    /// Equality, grouping: any encrypted column, no whole row.
    func equate(_ operation: String, at node: Node?) throws(Halt) {
        if case .encryptedRow(let label) = state {
            throw .refuse(
                .operationRefused, "\(operation) on a whole row of \(label), which has encrypted columns", hint: "name the columns",
                at: node)
        }
    }

    private func requireOrder(of type: EncryptedType, label: String, at node: Node?) throws(Halt) {
        guard let ordering, type.scheme == .deterministic else { return }
        throw .refuse(
            .orderOnDeterministic, "\(ordering) needs an order, which the deterministic column \(label) does not have",
            hint: "deterministic columns have = and <> only; use randomized encryption for ranges and sorting", at: node)
    }

    /// Nothing encrypted may go into `operation`; an undecided class becomes plain.
    func requirePlain(_ operation: String, hint: String = "", at node: Node?) throws(Halt) {
        switch state {
        case .plain: break
        case .undecided: settlePlain()
        case .encrypted(_, let label):
            throw .refuse(
                .operationRefused, "\(operation) is not available on the encrypted column \(label)",
                hint: hint.isEmpty ? "select the column and compute in the client" : hint, at: node)
        case .encryptedRow(let label):
            throw .refuse(
                .operationRefused, "\(operation) on a whole row of \(label), which has encrypted columns",
                hint: "name the columns, or use `SELECT t.*`", at: node)
        }
    }
}
