package import CellCrypto
internal import Diagnostics
package import Logging
internal import NIOCore
internal import NIOPosix
internal import PGWire
package import SQLBinding
internal import ServiceLifecycle
package import SessionCore
internal import Synchronization

/// The proxy as a service: listens until shutdown, then drains.
///
/// `run()` returns after a graceful shutdown: no new connections, idle sessions are told 57P01, busy ones may finish until
/// `ProxyConfiguration.drainSeconds` have passed.
package final class ProxyService: Service {
    private let configuration: ProxyConfiguration
    private let bind: SessionResources.Bind
    private let catalogs: CatalogStore
    private let keys: KeyRing
    private let tls: TLSContexts
    private let logger: Logger
    private let onListening: @Sendable (ProxyConfiguration.Address) -> Void
    private let connections = Atomic<Int>(0)

    /// `catalogs` and `keys` are updated by the maintenance task while the service runs. `onListening` is called once, with
    /// the address that is really bound (`listen.port` 0 picks one).
    package init(
        configuration: ProxyConfiguration, tls: TLSContexts = TLSContexts(), bind: @escaping SessionResources.Bind,
        catalogs: CatalogStore, keys: KeyRing, logger: Logger,
        onListening: @escaping @Sendable (ProxyConfiguration.Address) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.bind = bind
        self.catalogs = catalogs
        self.keys = keys
        self.tls = tls
        self.logger = logger
        self.onListening = onListening
    }

    package convenience init(
        configuration: ProxyConfiguration, tls: TLSContexts = TLSContexts(), binder: Binder, catalogs: CatalogStore, keys: KeyRing,
        logger: Logger,
        onListening: @escaping @Sendable (ProxyConfiguration.Address) -> Void = { _ in }
    ) {
        self.init(
            configuration: configuration, tls: tls, bind: { binder.bind($0, context: $1) }, catalogs: catalogs, keys: keys,
            logger: logger, onListening: onListening)
    }

    /// Client connections at this moment.
    package var connectionCount: Int { connections.load(ordering: .relaxed) }

    package func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.threads > 0 ? configuration.threads : System.coreCount)
        do {
            try await serve(on: group)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
    }

    private func serve(on group: MultiThreadedEventLoopGroup) async throws {
        var loops: [ObjectIdentifier: LoopSessions] = [:]
        for loop in group.makeIterator() {
            loops[ObjectIdentifier(loop)] = try await loop.submit {
                try LoopSessions(
                    loop: loop, configuration: self.configuration, tls: self.tls, bind: self.bind, catalogs: self.catalogs, keys: self.keys)
            }.get()
        }
        let loopSessions = loops
        let connections = ConnectionCounter(service: self)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(
                .writeBufferWaterMark,
                value: .init(low: configuration.limits.outputLowWaterMark, high: configuration.limits.outputHighWaterMark)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let sessions = loopSessions[ObjectIdentifier(channel.eventLoop)] else { throw ChannelError.ioOnClosedChannel }
                    try sessions.accept(channel, counter: connections)
                }
            }
        let listener =
            if let path = configuration.listen.socketPath {
                try await bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
            } else {
                try await bootstrap.serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                    .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                    .bind(host: configuration.listen.host, port: configuration.listen.port).get()
            }
        let bound = ProxyConfiguration.Address(
            host: configuration.listen.host, port: listener.localAddress?.port ?? configuration.listen.port)
        logger.info("listening", [.address: bound.description])
        onListening(bound)

        let shutdown = AsyncStream.makeStream(of: Void.self)
        await withTaskCancellationOrGracefulShutdownHandler {
            for await _ in shutdown.stream {}
        } onCancelOrGracefulShutdown: {
            shutdown.continuation.finish()
        }

        try? await listener.close().get()
        logger.info("draining", [.connections: "\(connectionCount)"])
        for sessions in loopSessions.values { sessions.drain() }
        let deadline = ContinuousClock.now + .seconds(configuration.drainSeconds)
        while connectionCount > 0, ContinuousClock.now < deadline, !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(20))
        }
        if connectionCount > 0 {
            logger.warning("the drain's deadline has passed", [.connections: "\(connectionCount)"])
            for sessions in loopSessions.values { sessions.endDrain() }
            let end = ContinuousClock.now + .seconds(1)
            while connectionCount > 0, ContinuousClock.now < end { try? await Task.sleep(for: .milliseconds(20)) }
        }
        logger.info("stopped")
    }

    fileprivate func count(_ change: Int) -> Int {
        connections.wrappingAdd(change, ordering: .relaxed).newValue
    }
}

/// Counts connections over all loops against the limit.
struct ConnectionCounter: Sendable {
    private let service: ProxyService
    fileprivate init(service: ProxyService) { self.service = service }

    func enter() -> Int { service.count(1) }
    func leave() { _ = service.count(-1) }
}
