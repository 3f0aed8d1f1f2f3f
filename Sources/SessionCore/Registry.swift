internal import PGWire

/// What names stand for: prepared statements or portals, as the server knows them, and as it will know them once it
/// has answered what is in flight.
///
/// A name is defined at ParseComplete/BindComplete (`confirm`); a message that the client sends before that answer must
/// see it already (`announce`). After an error the server has skipped some of what was announced; `forgetAnnounced` and
/// announcing again what is still in flight restores the truth.
struct Registry<Record: AnyObject> {
    private var confirmed: [Identifier: Record] = [:]
    /// nil: the name will be gone.
    private var announced: [Identifier: Record?] = [:]

    var count: Int { confirmed.count + announced.count }

    func lookup(_ name: Identifier) -> Record? {
        if !announced.isEmpty, let last = announced[name] { return last }
        return confirmed[name]
    }

    mutating func announce(_ name: Identifier, _ record: Record?) { announced[name] = .some(record) }

    /// The server has defined (or, with nil, removed) the name.
    mutating func confirm(_ name: Identifier, _ record: Record?) {
        confirmed[name] = record
        if let last = announced[name], last === record { announced[name] = nil }
    }

    /// The server has removed every name that it has defined so far; names in flight stay.
    mutating func confirmRemovalOfAll() { confirmed.removeAll(keepingCapacity: true) }

    mutating func confirmRemoval(where isGone: (Identifier) -> Bool) {
        for name in confirmed.keys where isGone(name) { confirmed[name] = nil }
    }

    mutating func forgetAnnounced() { announced.removeAll(keepingCapacity: true) }
}
