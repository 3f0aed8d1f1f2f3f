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
        /// A constant expression that is computed before it is sent, if it is encrypted.
        case computed(Computation<ConstantToken>)
        /// The name of a type that something is cast to: the encrypted one takes its place. nil: none of ours.
        case typeName(LogicalType?)
        /// `COLLATE name` behind a text: taken away, if it is the column's own.
        case collate(String)
    }
    var source: Source
    /// Tokens to replace if it is encrypted: the constant and a cast around it.
    var tokens: ClosedRange<Int>
    var declaredType: LogicalType?
    /// Why the constant can't be encrypted although it is one (a type modifier in its cast, …).
    var obstacle: String?
    /// The enumeration that a cast around it names.
    var enumeration: TypeName?
    /// The cast around it names a domain that would check it.
    var isDomainCast = false
    /// The role if its value is not stored: what the statement around it is for.
    var role = CellRole.operand
    var form = CellForm.value
    /// A parameter of which only `IS NULL` is asked here.
    var isNullTest = false
    /// A value of a row of VALUES: if it is stored, its cell is its own, so that equal values of different rows do not show.
    var isOwn = false
    var variable: TypeVariable

    /// The client's parameters in it, from 0.
    var parameters: Set<Int> {
        switch source {
        case .parameter(let number): [number - 1]
        case .computed(let computation): computation.parameters
        case .literal, .null, .typeName, .collate: []
        }
    }
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
        /// What the enclave made of many values (sum, avg): may be nothing but shown.
        case aggregate(EncryptedType, label: String)
    }

    private var parent: TypeVariable?
    private var ownState: State
    /// An ordering was asked of this class while it was undecided: what asked.
    private var ordering: String?
    /// LIKE was asked of this class while it was undecided.
    private var matching: String?
    /// This expression's value is stored in a column: constants in it are sealed as stored cells.
    private(set) var isStored = false
    /// The limit of that column (`ColumnMark.modifier`); `mixed` if there are several.
    private(set) var storedModifier: Int32 = -1
    /// The limit of the column that the values come from; `mixed` if there are several.
    private var ownModifier: Int32 = -1
    /// It was cast to a type that is no domain.
    var isOfBaseType = false
    /// Told what is asked of the class, once it is encrypted.
    var log: OperationLog?
    static let mixed = Int32.min
    /// Expressions whose value may become this one's.
    private var feeds: [TypeVariable] = []

    init(_ state: State, modifier: Int32 = -1) {
        ownState = state
        ownModifier = modifier
    }

    static var plain: TypeVariable { TypeVariable(.plain) }
    static var undecided: TypeVariable { TypeVariable(.undecided) }

    private var root: TypeVariable {
        guard var node = parent else { return self }
        while let next = node.parent { node = next }
        parent = node
        return node
    }

    var state: State { root.ownState }
    /// The limit that the values of an encrypted expression are known to keep.
    var modifier: Int32 { root.ownModifier }
    var isUndecided: Bool { if case .undecided = state { true } else { false } }
    var isPlain: Bool { if case .plain = state { true } else { false } }

    var encryption: (type: EncryptedType, label: String)? {
        if case .encrypted(let type, let label) = state { (type, label) } else { nil }
    }

    /// The label of what is encrypted in it, if anything is.
    var secretLabel: String? {
        switch state {
        case .encrypted(_, let label), .encryptedRow(let label), .aggregate(_, let label): label
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
                .operationRefused, "\(operation) with a whole row of \(label), which has encrypted columns", hint: Refused.wholeRow.instead,
                at: node)
        case (.aggregate(_, let label), _), (_, .aggregate(_, let label)):
            throw Self.refuseAggregate(operation, label, node)
        case (.undecided, .undecided), (.plain, .plain):
            b.parent = a
            a.ordering = a.ordering ?? b.ordering
            a.matching = a.matching ?? b.matching
        case (.plain, .undecided):
            b.parent = a
        case (.undecided, .plain):
            a.parent = b
        case (.encrypted(let type, let label), .undecided):
            try b.requireOrder(of: type, label: label, at: node)
            try b.requireMatch(of: type, label: label, at: node)
            b.parent = a
            a.log?.note(operation, label: label, type.scheme)
        case (.undecided, .encrypted(let type, let label)):
            try a.requireOrder(of: type, label: label, at: node)
            try a.requireMatch(of: type, label: label, at: node)
            a.parent = b
            b.log?.note(operation, label: label, type.scheme)
        case (.encrypted(let x, let labelX), .encrypted(let y, let labelY)):
            guard x == y else {
                if x.enumeration != y.enumeration {
                    throw Self.refuseEnumeration(
                        operation,
                        "\(labelX) (\(x.enumeration.map { "\($0)" } ?? x.logical.name)) and \(labelY) "
                            + "(\(y.enumeration.map { "\($0)" } ?? y.logical.name))", node)
                }
                throw .refuse(
                    .encryptionMismatch,
                    "\(operation) between \(labelX) (\(x.words)) and \(labelY) (\(y.words)), which are encrypted differently",
                    hint: Refused.differentEncryption.instead, at: node)
            }
            if a.ownModifier != b.ownModifier { a.ownModifier = Self.mixed }
            a.log?.note(operation, label: labelX, x.scheme)
            b.log?.note(operation, label: labelY, y.scheme)
        case (.encrypted(_, let label), .plain), (.plain, .encrypted(_, let label)):
            throw .refuse(
                .plainMeetsEncrypted, "\(operation) between the encrypted column \(label) and an expression that is not encrypted",
                hint: Refused.plainMeetsEncrypted.instead, at: node)
        }
    }

    /// The value of `source` may become this one's: same type, and what is stored of it is stored of the source.
    func accept(_ source: TypeVariable, operation: String, at node: Node?) throws(Halt) {
        if let (mine, label) = encryption, let (theirs, _) = source.encryption, mine.enumeration != theirs.enumeration {
            // PostgreSQL writes an enumeration into a text column, by its output function.
            guard mine.enumeration != nil else {
                throw .refuse(
                    .encryptionMismatch, "\(operation) of an enum into \(label), which is encrypted differently",
                    hint: Refused.differentEncryption.instead, at: node)
            }
            throw .refuse(.assignmentMismatch, "\(operation): \(label) is of an enum that the expression is not of", at: node)
        }
        try unify(source, operation: operation, at: node)
        feeds.append(source)
        if isStored { source.markStored(modifier: storedModifier) }
    }

    /// The value goes into a column of that limit.
    func markStored(modifier: Int32) {
        var pending = [self]
        while let next = pending.popLast() {
            let wanted = next.isStored && next.storedModifier != modifier ? Self.mixed : modifier
            guard !next.isStored || next.storedModifier != wanted else { continue }
            next.isStored = true
            next.storedModifier = wanted
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
            root.log?.note(operation, label: label, type.scheme)
            try root.requireOrder(of: type, label: label, at: node)
        case .aggregate(_, let label): throw Self.refuseAggregate(operation, label, node)
        case .encryptedRow(let label):
            throw .refuse(
                .operationRefused, "\(operation) on a whole row of \(label), which has encrypted columns", hint: Refused.wholeRow.instead,
                at: node)
        }
    }

    private static let matchedTypes: Set<String> = ["UNION", "INTERSECT", "EXCEPT", "VALUES"]

    private static func refuseEnumeration(_ operation: String, _ sides: String, _ node: Node?) -> Halt {
        .refuse(
            matchedTypes.contains(operation) ? .assignmentMismatch : .operatorMissing,
            "\(operation) between \(sides): PostgreSQL has none for an enum and another type", at: node)
    }

    private static func refuseAggregate(_ operation: String, _ label: String, _ node: Node?) -> Halt {
        .refuse(
            .operationRefused, "\(operation) on an aggregate of the encrypted column \(label), which can only be shown",
            hint: Refused.aggregateUsed.instead, at: node)
    }

    /// LIKE and its kin: randomized text columns only.
    func match(_ operation: String, at node: Node?) throws(Halt) {
        switch state {
        case .plain: break
        case .undecided: root.matching = root.matching ?? operation
        case .encrypted(let type, let label):
            root.matching = operation
            root.log?.note(operation, label: label, type.scheme)
            try root.requireMatch(of: type, label: label, at: node)
        case .encryptedRow, .aggregate: try requirePlain(operation, at: node)
        }
    }

    private func requireMatch(of type: EncryptedType, label: String, at node: Node?) throws(Halt) {
        guard let matching else { return }
        if let name = type.enumeration {
            throw .refuse(.operatorMissing, "\(matching) on \(label), which is of enum \(name)", hint: "cast it: \(label)::text", at: node)
        }
        guard type.logical.isText else {
            throw .refuse(
                .operationRefused, "\(matching) on the encrypted column \(label), which is of type \(type.logical.name)",
                hint: Refused.patternOnOtherType.instead, at: node)
        }
        guard type.scheme == .randomized else {
            throw .refuse(
                .operationRefused, "\(matching) on the deterministic column \(label)",
                hint: Refused.patternOnDeterministic.instead, at: node)
        }
    }

    /// Equality, grouping: any encrypted column, no whole row.
    func equate(_ operation: String, at node: Node?) throws(Halt) {
        if case .aggregate(_, let label) = state { throw Self.refuseAggregate(operation, label, node) }
        if case .encrypted(let type, let label) = state { root.log?.note(operation, label: label, type.scheme) }
        if case .encryptedRow(let label) = state {
            throw .refuse(
                .operationRefused, "\(operation) on a whole row of \(label), which has encrypted columns", hint: Refused.wholeRow.instead,
                at: node)
        }
    }

    private func requireOrder(of type: EncryptedType, label: String, at node: Node?) throws(Halt) {
        guard let ordering else { return }
        if type.enumeration != nil {
            throw .refuse(
                .operationRefused, "\(ordering) needs the order of an enum, which the encrypted column \(label) does not have",
                hint: Refused.enumerationOrder.instead, at: node)
        }
        guard type.scheme == .deterministic else { return }
        throw .refuse(
            .orderOnDeterministic, "\(ordering) needs an order, which the deterministic column \(label) does not have",
            hint: Refused.orderOnDeterministic.instead, at: node)
    }

    /// Nothing encrypted may go into `operation`; an undecided class becomes plain.
    func requirePlain(_ operation: String, hint: String = "", at node: Node?) throws(Halt) {
        switch state {
        case .plain: break
        case .undecided: settlePlain()
        case .encrypted(_, let label):
            throw .refuse(
                .operationRefused, "\(operation) is not available on the encrypted column \(label)",
                hint: hint.isEmpty ? Refused.function.instead : hint, at: node)
        case .aggregate(_, let label): throw Self.refuseAggregate(operation, label, node)
        case .encryptedRow(let label):
            throw .refuse(
                .operationRefused, "\(operation) on a whole row of \(label), which has encrypted columns",
                hint: Refused.wholeRow.instead, at: node)
        }
    }
}
