package import Diagnostics
internal import NIOCore
internal import PGWire
internal import SQLBinding

/// Statements that the proxy carries out itself: keys, and the marks of columns.
///
/// The owner does it outside the session's transaction; the session only waits. Then the server gets a statement that does
/// nothing, so that protocol order and the transaction's state stay the server's own.
extension SessionMachine {
    /// Does nothing, shows no rows, and fails in a failed transaction as any statement does.
    static let standIn = "UNLISTEN cloister_administered"

    /// How the owner's work went: `Next.administer` is answered by this.
    package mutating func administered(_ result: Result<Void, CloisterError>) -> Next {
        guard let command = administering else { return settle() }
        administering = nil
        switch result {
        case .success:
            // What was asked before may have changed meanwhile.
            var again = Preparation()
            again.administered = prepared.administered.union([command])
            prepared = again
        case .failure(let error): prepared.failure = error
        }
        if isClientBlocked, phase != .closed { processClient() }
        return settle()
    }

    /// A statement whose text asks for `command`.
    mutating func decide(_ command: ColumnCommand, isExtended: Bool) -> Decision {
        if let failure = prepared.failure { return .refuse(Refusal(failure)) }
        let isDone = prepared.administered.contains(command)
        switch command.action {
        case .mark:
            guard !isDone else {
                return .refuse(
                    Refusal(
                        CloisterError(.catalogUnavailable, "the columns are marked, but the proxy has not learnt of it", hint: "Try again.")
                    ))
            }
            return ask(command)
        case .createMasterKey, .createColumnKey, .dropMasterKey, .dropColumnKey:
            // A prepared statement may be executed later, or never.
            return isExtended || isDone ? .command(command) : ask(command)
        }
    }

    /// Answers of the server that are still to come may be errors, after which this statement would not be executed.
    private mutating func ask(_ command: ColumnCommand) -> Decision {
        guard pending.isEmpty else {
            _ = awaitsBatch()
            return .wait
        }
        guard state.servesMarks else {
            return .refuse(
                Refusal(
                    CloisterError(
                        .administrationUnavailable,
                        "keys and marks of columns can only be changed in the database that the proxy's configuration names")))
        }
        administering = command
        next = .administer(command)
        return .wait
    }

    enum Administration {
        case goOn, wait
        case refuse(Refusal)
    }

    /// An Execute of a portal: whether its command has been carried out.
    mutating func administers(_ portal: Portal) -> Administration {
        guard let command = portal.statement?.command else { return .goOn }
        if awaitsBatch() { return .wait }
        // The server refuses the stand-in.
        if status == .failed { return .goOn }
        if let failure = prepared.failure { return .refuse(Refusal(failure)) }
        guard prepared.administered.contains(command) else {
            switch ask(command) {
            case .refuse(let refusal): return .refuse(refusal)
            case .wait, .pass, .send, .command: return .wait
            }
        }
        prepared = Preparation()
        return .goOn
    }

    /// The stand-in's answer has the tag of what the client sent.
    mutating func showComplete(_ header: FrameHeader, _ command: ColumnCommand?) {
        guard let command else { return show(header) }
        swallow(header)
        writeToClient { buffer in
            buffer.writeMessage(BackendType.commandComplete.rawValue) { $0.writeNullTerminatedString(command.tag) }
        }
    }
}
