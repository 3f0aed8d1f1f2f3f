internal import Diagnostics
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import PGWire
internal import SQLBinding
internal import SessionCore

/// One client, its server connection and their machine, all on one event loop.
///
/// Reads are events for the machine; what it leaves in its outboxes is written when a read cycle ends, in one flush per
/// side. A side that can't take more stops the other side's reads.
final class Session {
    private enum Server {
        case none, dialling
        case connected(any Channel)
        case ended
    }

    private var machine: SessionMachine
    private let client: any Channel
    private var server = Server.none
    private let configuration: ProxyConfiguration
    private let tls: TLSContexts
    /// What the client was shown in its handshake.
    private var certificate: NIOSSLCertificate?
    private var startupTimer: Scheduled<Void>?
    private var isClosing = false
    private var clientWantsRead = false
    private var serverWantsRead = false
    private weak var clientHandler: ClientHandler?
    private weak var serverHandler: ServerHandler?

    init(
        client: any Channel, machine: consuming SessionMachine, configuration: ProxyConfiguration, tls: TLSContexts
    ) {
        self.client = client
        self.machine = machine
        self.configuration = configuration
        self.tls = tls
        let loop = client.eventLoop.assumeIsolated()
        startupTimer = loop.scheduleTask(in: .seconds(configuration.startupTimeoutSeconds)) { [weak self] in
            guard let self else { return }
            self.perform(self.machine.startupTimedOut())
        }
    }

    func attach(_ handler: ClientHandler) { clientHandler = handler }

    // MARK: Events of the client's channel

    func clientRead(_ bytes: ByteBuffer) { perform(machine.clientSent(bytes), flush: false) }

    func clientReadComplete() { flush() }

    func clientEnded() {
        if isClosing { return client.close(promise: nil) }
        perform(machine.clientClosed())
    }

    func clientSecured(applicationProtocol: String?) {
        perform(machine.clientSecured(Handshakes.result(of: client, applicationProtocol: applicationProtocol)))
    }

    func clientInactive() {
        guard !machine.outlivesClient else { return }
        startupTimer?.cancel()
        if case .connected(let channel) = server { channel.close(promise: nil) }
        isClosing = true
    }

    var clientMayRead: Bool {
        guard machine.wantsClientBytes, !isClosing else { return isClosing }
        switch server {
        case .none: return true
        case .dialling: return false
        case .connected(let channel): return channel.isWritable
        case .ended: return true
        }
    }

    // MARK: Events of the server's channel

    func serverRead(_ bytes: ByteBuffer) {
        perform(machine.serverSent(bytes), flush: false)
    }

    func serverReadComplete() {
        flush()
        if machine.isAuthenticated, let timer = startupTimer {
            timer.cancel()
            startupTimer = nil
        }
    }

    func serverInactive() {
        server = .ended
        perform(machine.serverClosed())
    }

    func serverSecured() {
        guard case .connected(let channel) = server else { return }
        perform(machine.serverSecured(showsOurCertificate: Handshakes.shows(certificate, channel)))
    }

    /// An error of the server's channel, which is closed next: of a handshake, the machine is told what failed.
    func serverFailed(_ error: any Error) { perform(machine.serverTLSFailed(Handshakes.failure(error))) }

    var serverMayRead: Bool { client.isWritable || isClosing || machine.outlivesClient }

    func writabilityChanged() {
        resumeReads()
    }

    // MARK: Drain

    func drain() { perform(machine.drainRequested()) }

    func endDrain() {
        perform(machine.drainDeadlinePassed())
        close()
    }

    // MARK: Actions

    private func perform(_ next: SessionMachine.Next, flush flushes: Bool = true) {
        if flushes { flush() }
        switch next {
        case .carryOn: break
        case .connect: connect()
        case .startClientTLS(let hello):
            flush()
            startClientTLS(hello)
        case .startServerTLS: startServerTLS()
        case .endServerOutput:
            flush()
            if case .connected(let channel) = server { channel.close(mode: .output, promise: nil) } else { close() }
        case .administer(let command): administer(command)
        case .close:
            flush()
            close()
        }
        resumeReads()
    }

    private func administer(_ command: ColumnCommand) {
        guard let administer = configuration.administer else {
            let error = CloisterError(
                .administrationUnavailable, "this proxy does not carry out statements about keys and encrypted columns",
                hint: "'keys.ddl: true' in its configuration allows them")
            return perform(machine.administered(.failure(error)))
        }
        let session = NIOLoopBound(self, eventLoop: client.eventLoop)
        let done = client.eventLoop.makePromise(of: Result<Void, CloisterError>.self)
        done.futureResult.assumeIsolated().whenSuccess { session.value.perform(session.value.machine.administered($0)) }
        administer(command) { done.succeed($0) }
    }

    private func flush() {
        if !machine.toServer.isEmpty {
            let chunks = machine.toServer.take()
            if case .connected(let channel) = server {
                for chunk in chunks { channel.write(chunk, promise: nil) }
                channel.flush()
            }
        }
        if !machine.toClient.isEmpty {
            for chunk in machine.toClient.take() { client.write(chunk, promise: nil) }
            client.flush()
        }
    }

    /// Both connections end once what was written is on its way: first the sending side, then, when the peer has ended its
    /// own or after a while, the rest. Closing at once would reset the connection under an error that the peer has yet to read.
    private func close() {
        guard !isClosing else { return }
        isClosing = true
        startupTimer?.cancel()
        closeAfterWrites(client)
        if case .connected(let channel) = server { closeAfterWrites(channel) }
    }

    private func closeAfterWrites(_ channel: any Channel) {
        channel.writeAndFlush(ByteBuffer()).assumeIsolated().whenComplete { _ in channel.close(mode: .output, promise: nil) }
        let timer = channel.eventLoop.assumeIsolated().scheduleTask(in: .seconds(Self.lingerSeconds)) { channel.close(promise: nil) }
        channel.closeFuture.assumeIsolated().whenComplete { _ in timer.cancel() }
    }

    /// How long a peer may take to read our last words.
    private static let lingerSeconds: Int64 = 2

    private func resumeReads() {
        if clientMayRead { clientHandler?.resume() }
        if serverMayRead { serverHandler?.resume() }
    }

    private func startClientTLS(_ hello: ByteBuffer) {
        do {
            guard let (context, shown) = tls.clients else { return close() }
            certificate = shown
            try Handshakes.begin(withClient: client, context, hello: hello)
        } catch { close() }
    }

    private func startServerTLS() {
        do {
            guard case .connected(let channel) = server, let context = tls.server else {
                return perform(machine.serverTLSFailed(.handshake))
            }
            try Handshakes.begin(withServer: channel, context, host: configuration.server.host)
        } catch { perform(machine.serverTLSFailed(.handshake)) }
    }

    /// Dials the server, in place of a connection that the machine has given up.
    private func connect() {
        if case .connected(let channel) = server {
            serverHandler?.abandon()
            channel.close(promise: nil)
        }
        server = .dialling
        let handler = NIOLoopBound(ServerHandler(session: self), eventLoop: client.eventLoop)
        let session = NIOLoopBound(self, eventLoop: client.eventLoop)
        let address = configuration.server
        let bootstrap = ClientBootstrap(group: client.eventLoop)
            .connectTimeout(.seconds(configuration.connectTimeoutSeconds))
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(
                .writeBufferWaterMark,
                value: .init(low: configuration.limits.outputLowWaterMark, high: configuration.limits.outputHighWaterMark)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler.value) }
            }
        let dialled =
            if let path = address.socketPath {
                bootstrap.connect(unixDomainSocketPath: path)
            } else {
                bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1).connect(host: address.host, port: address.port)
            }
        dialled.assumeIsolated().whenComplete { session.value.connected($0, handler: handler.value) }
    }

    private func connected(_ result: Result<any Channel, any Error>, handler: ServerHandler) {
        switch result {
        case .success(let channel):
            guard !isClosing, client.isActive || machine.outlivesClient else {
                channel.close(promise: nil)
                return
            }
            server = .connected(channel)
            serverHandler = handler
            perform(machine.serverConnected())
        case .failure:
            server = .ended
            perform(machine.serverUnreachable())
        }
    }
}
