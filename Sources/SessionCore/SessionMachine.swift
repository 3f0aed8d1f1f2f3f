/// What the proxy does with every byte of a session, decided without doing any of it.
///
/// One `SessionMachine` a session. It is fed events (`clientSent`, `serverSent`, `clientClosed`, …), puts bytes into
/// `toClient` and `toServer` and answers with what its owner must do next. It knows no channel, promise, clock or logger.
///
/// Order is the server's: for every message that reaches the server an `Expected` entry waits for its answers, and what we
/// refuse ourselves goes to the server as something it must refuse too, so that skipping, ReadyForQuery and transaction
/// state are never invented here.
internal import CellFormat
internal import ColumnCatalog
package import Diagnostics
package import NIOCore
internal import PGWire
package import SQLBinding

package struct SessionMachine: ~Copyable {
    enum Phase: Equatable {
        /// Waiting for the startup packet.
        case startup
        /// The client's TLS handshake. `isDirect`: it came without SSLRequest, so ALPN must name the protocol.
        case securingClient(isDirect: Bool)
        /// The startup packet is there, the server is being dialled.
        case connecting
        /// SSLRequest has gone to the server, which owes one byte.
        case negotiating
        /// The TLS handshake with the server.
        case securingServer
        /// A cancel request has gone to the server. Its connection stays until the server closes it, else the cancel may hit the
        /// next query.
        case cancelling
        /// The server asks, the client answers. `mayAnswer`: the server waits for one message of the client's.
        case authenticating(mayAnswer: Bool)
        /// Authenticated; parameters and key come, until the first ReadyForQuery.
        case starting
        case ready
        case closed
    }

    /// What the owner does after it has written `toClient` and `toServer`.
    package enum Next: Equatable, Sendable {
        case carryOn
        /// Dial the server, giving up a connection that is there, then say `serverConnected` or `serverUnreachable`.
        case connect
        /// Begin TLS with the client, whose handshake starts with these bytes; then say `clientSecured`.
        case startClientTLS(ByteBuffer)
        /// Begin TLS with the server; then say `serverSecured` or `serverTLSFailed`.
        case startServerTLS
        /// The client will send no more: close the sending side of the server's connection.
        case endServerOutput
        /// Carry out what a statement asks of the proxy itself, then say `administered`.
        case administer(ColumnCommand)
        /// Close both connections once everything is written.
        case close
    }

    let resources: SessionResources
    var limits: Limits { resources.limits }
    var phase = Phase.startup
    var client = Inbox()
    var server = Inbox()
    package var toClient = Outbox()
    package var toServer = Outbox()
    var next = Next.carryOn

    // Startup
    var seenSSLRequest = false
    var seenGSSRequest = false
    var clientTLS: ClientTLS?
    /// What the server will be told first: a startup message or a cancel request. Kept until the server has answered.
    var startupPacket: StartupPacket?
    var isCancel = false
    /// The next connection to the server begins with SSLRequest.
    var asksServerForTLS: Bool
    var serverIsSecured = false
    /// SCRAM's channel binding (tls-server-end-point, RFC 5929) holds through us: it binds to the server's certificate, and both
    /// connections have the same one.
    var bindsChannel = false
    /// The server offered channel binding and the client was not told.
    var hasWithdrawnBinding = false
    /// The server has been dialled again with the other choice (sslmode allow and prefer).
    var hasRedialled = false
    /// The session is told this instead of being served.
    let admission: Refusal?
    let cells: CellService
    var grant = GrantState()

    // Ready
    var pending = CircularBuffer<Expected>(initialCapacity: 16)
    var statements = Registry<PreparedStatement>()
    var portals = Registry<Portal>()
    /// The client's messages are skipped up to its Sync, as the server does after an error in the extended protocol.
    var skipsUntilSync = false
    /// Results are dropped up to the next ReadyForQuery: the client has been told of an error that the server doesn't know.
    var isMuted = false
    /// Extended-protocol messages have gone to the server since the last Sync.
    var isBatchOpen = false
    /// A Query waits for the answers of such a batch, and the server has been asked to send them.
    var isBatchPushed = false
    var status = TransactionStatus.idle
    var copyIn: CopyInState?
    /// Decrypts the COPY TO STDOUT that the server is sending.
    var copyOut: CopyOutDecryption?
    /// What current_timestamp means until the transaction ends, once it was asked.
    private var transactionTime: Int64?
    var state: SessionState
    var injection: Injection?
    /// An injected query failed, perhaps after its Parse (a cancel): its name may still be taken.
    var injectionIsLeftOver = false
    /// What injections have been done for the message that waits at the head of the client's bytes.
    var prepared = Preparation()
    /// What the owner is carrying out; the client's messages wait.
    var administering: ColumnCommand?
    var isDraining = false
    /// The client sends no more; the server is told when all that came before has been sent.
    var clientHasEnded = false
    /// The last client step stopped for a reason other than missing bytes.
    var isClientBlocked = false

    /// `admission`: why this session is refused right after its startup packet, if it is.
    package init(resources: SessionResources, admission: CloisterError? = nil) {
        self.resources = resources
        var admission = admission
        var cells = resources.cells
        if resources.grants != nil {
            do throws(CloisterError) { cells = try CellService(forSessionOf: cells) } catch { admission = error }
        }
        self.cells = cells
        self.admission = admission.map { Refusal($0) }
        self.asksServerForTLS = resources.transport.server == .prefer || resources.transport.server == .require
        self.state = SessionState(catalogs: resources.catalogs, zones: resources.zones)
    }

    /// Whether more bytes of the client should be read now.
    package var wantsClientBytes: Bool { !isClientBlocked && phase != .closed }

    package var isAuthenticated: Bool { phase == .ready || phase == .starting }

    package var isClosed: Bool { phase == .closed }

    /// The server's connection must not end with the client's: a cancel request is on its way.
    package var outlivesClient: Bool { isCancel && phase != .closed }

    /// No answer is owed and no transaction is open.
    package var isIdle: Bool {
        phase == .ready && pending.isEmpty && !isBatchOpen && status == .idle && injection == nil && !isClientBlocked
    }

    // MARK: Events

    package mutating func clientSent(_ bytes: ByteBuffer) -> Next {
        client.append(bytes)
        processClient()
        return settle()
    }

    package mutating func serverSent(_ bytes: ByteBuffer) -> Next {
        guard phase != .closed else { return .carryOn }
        server.append(bytes)
        processServer()
        if isClientBlocked { processClient() }
        if phase == .ready { endIfDrained() }
        return settle()
    }

    /// The handshake that `startClientTLS` asked for is done.
    package mutating func clientSecured(_ tls: ClientTLS) -> Next {
        guard case .securingClient(let isDirect) = phase else { return settle() }
        if isDirect, tls.applicationProtocol != ClientTLS.postgresql {
            // A client of another protocol was led here (ALPACA): it gets no byte of ours.
            phase = .closed
            next = .close
            return settle()
        }
        clientTLS = tls
        phase = .startup
        return settle()
    }

    package mutating func serverConnected() -> Next {
        if phase == .connecting {
            if asksServerForTLS {
                phase = .negotiating
                toServer.write { StartupPacket.sslRequest.write(to: &$0) }
            } else {
                speakToServer()
            }
        }
        return settle()
    }

    package mutating func serverUnreachable() -> Next {
        fatal(CloisterError(.serverUnreachable, "the PostgreSQL server can't be reached"))
        return settle()
    }

    /// `showsOurCertificate`: the server's certificate is the one that the client has seen of us.
    package mutating func serverSecured(showsOurCertificate: Bool) -> Next {
        if phase == .securingServer {
            serverIsSecured = true
            bindsChannel = showsOurCertificate && clientTLS != nil
            speakToServer()
        }
        return settle()
    }

    package mutating func serverTLSFailed(_ failure: ServerTLSFailure) -> Next {
        if phase == .securingServer { serverHandshakeFailed(failure) }
        return settle()
    }

    /// The client closed its sending side (or vanished).
    package mutating func clientClosed() -> Next {
        switch phase {
        case .startup, .securingClient, .connecting, .negotiating, .securingServer:
            guard !isCancel else { break }
            phase = .closed
            next = .close
        case .authenticating, .starting, .ready:
            clientHasEnded = true
        case .cancelling, .closed: break
        }
        return settle()
    }

    package mutating func serverClosed() -> Next {
        switch phase {
        case .negotiating: fatal(CloisterError(.serverUnreachable, "the PostgreSQL server closed the connection"))
        case .securingServer: serverHandshakeFailed(.handshake)
        case .authenticating, .starting, .ready, .connecting, .startup, .securingClient, .cancelling:
            phase = .closed
            next = .close
        case .closed: break
        }
        return settle()
    }

    /// The time for authentication is over.
    package mutating func startupTimedOut() -> Next {
        if !isAuthenticated { fatal(CloisterError(.startupTimeout, "authentication did not finish in time")) }
        return settle()
    }

    /// No new work: the session ends as soon as it is idle.
    package mutating func drainRequested() -> Next {
        isDraining = true
        endIfDrained()
        return settle()
    }

    /// The drain's deadline has passed.
    package mutating func drainDeadlinePassed() -> Next {
        fatal(CloisterError(.shuttingDown, "terminating connection: the proxy is shutting down"))
        return settle()
    }

    // MARK: Common

    mutating func valueContext() -> ValueContext {
        let now = transactionTime ?? resources.now()
        transactionTime = now
        return ValueContext(settings: state.settings, now: now, catalog: state.catalog)
    }

    mutating func forgetTransactionTime() { transactionTime = nil }

    mutating func settle() -> Next {
        client.flush(to: &toServer)
        server.flush(to: &toClient)
        client.releaseIfEmpty()
        server.releaseIfEmpty()
        if clientHasEnded, !isClientBlocked, next == .carryOn, phase != .closed {
            clientHasEnded = false
            next = .endServerOutput
        }
        let result = next
        next = .carryOn
        return result
    }

    mutating func endIfDrained() {
        if isDraining, !isCancel, isIdle || !isAuthenticated {
            fatal(CloisterError(.shuttingDown, "terminating connection: the proxy is shutting down"))
        }
    }

    /// Ends the session with an error that the client is told, if its stream is between two messages.
    mutating func fatal(_ error: CloisterError) {
        guard phase != .closed else { return }
        let wasServed = phase == .ready || phase == .starting
        // Who sent a cancel request expects no answer; who is in the middle of a handshake can't read one.
        var isDeaf = isCancel
        if case .securingClient = phase { isDeaf = true }
        client.flush(to: &toServer)
        server.flush(to: &toClient)
        if !isDeaf, !server.isForwardingPartialMessage {
            let fields = state.fields(error, severity: .fatal)
            toClient.write { fields.write(to: &$0) }
        }
        if wasServed, !client.isForwardingPartialMessage { toServer.write { Frontend.write(.terminate, to: &$0) } }
        phase = .closed
        next = .close
        client.removeAll()
        server.removeAll()
    }

    /// Writes to the server, after what the client's own bytes before it.
    mutating func writeToServer(_ body: (inout ByteBuffer) -> Void) {
        client.flush(to: &toServer)
        toServer.write(body)
    }

    mutating func writeToClient(_ body: (inout ByteBuffer) -> Void) {
        guard !isMuted else { return }
        server.flush(to: &toClient)
        toClient.write(body)
    }

    mutating func processClient() {
        isClientBlocked = false
        do throws(CloisterError) {
            while phase != .closed {
                let goesOn: Bool
                switch phase {
                case .startup: goesOn = try clientStartupStep()
                case .connecting, .negotiating, .securingServer:
                    isClientBlocked = true
                    goesOn = false
                case .securingClient, .cancelling:
                    client.removeAll()
                    goesOn = false
                case .authenticating(let mayAnswer): goesOn = try clientAuthenticationStep(mayAnswer: mayAnswer)
                case .starting:
                    isClientBlocked = true
                    goesOn = false
                case .ready: goesOn = try clientStep()
                case .closed: goesOn = false
                }
                if !goesOn { break }
            }
        } catch { fatal(error) }
        if phase == .closed {
            client.flush(to: &toServer)
            client.removeAll()
        }
    }

    private mutating func processServer() {
        do throws(CloisterError) {
            while phase != .closed {
                let goesOn: Bool
                switch phase {
                case .startup, .securingClient, .connecting, .securingServer:
                    throw CloisterError(.serverProtocol, "the server spoke before it was asked")
                case .negotiating: goesOn = try serverNegotiationStep()
                case .cancelling:
                    server.removeAll()
                    goesOn = false
                case .authenticating, .starting: goesOn = try serverStartupStep()
                case .ready: goesOn = try serverStep()
                case .closed: goesOn = false
                }
                if !goesOn { break }
            }
        } catch { fatal(error) }
    }
}
