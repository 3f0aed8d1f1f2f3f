internal import AdminConnection
internal import Configuration
internal import Diagnostics
internal import Dispatch
internal import Logging
internal import SQLBinding

/// Carries out what clients' statements ask of the proxy itself: one after the other, each on a connection of its own, as the
/// role of `proxy.admin`. When it says that it is done, this proxy serves the new keys and marks.
final class ColumnAdministrator: Sendable {
    private let options: AdminOptions
    private let served: ServedColumns
    private let logger: Logger
    private let queue = DispatchQueue(label: "administration")

    init(options: AdminOptions, served: ServedColumns, logger: Logger) {
        self.options = options
        self.served = served
        self.logger = logger
    }

    func administer(_ command: ColumnCommand, _ done: @escaping @Sendable (Result<Void, CloisterError>) -> Void) {
        queue.async { [self] in
            do {
                try carryOut(command)
                logger.notice("\(command.tag): done")
                done(.success(()))
            } catch let error as CloisterError {
                done(.failure(error))
            } catch let failure as AdminFailure {
                done(.failure(failure.error))
            } catch {
                done(.failure(CloisterError(.mayNotAdminister, "the statement could not be carried out")))
            }
        }
    }

    private func carryOut(_ command: ColumnCommand) throws {
        let connection = try AdminConnection(options)
        let work = ColumnAdministration(
            connection: connection, vault: served.vault, trusted: served.service.trustedMasterKeys, seen: served.seen)
        switch command.action {
        case .createMasterKey(let name): try work.createMasterKey(name)
        case .createColumnKey(let name, let masterKey): try work.createColumnKey(name, under: masterKey)
        case .dropMasterKey(let name, let ifExists): try work.dropMasterKey(name, ifExists: ifExists)
        case .dropColumnKey(let name, let ifExists):
            try work.dropColumnKey(name, ifExists: ifExists, configured: Set(served.configuration.keyNames))
        case .mark(let requests):
            try work.mark(requests)
            try served.reload(connection)
        }
    }
}
