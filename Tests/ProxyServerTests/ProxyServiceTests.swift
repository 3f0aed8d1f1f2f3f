import CellCrypto
import ColumnCatalog
import Diagnostics
import Logging
import NIOCore
import NIOPosix
import PGWire
import ProxyServer
import SQLBinding
import ServiceLifecycle
import SessionCore
import Testing

/// The service as the command runs it: it listens, relays, and comes to an end. What passes through it is tested against a
/// real server (Tests/Integration/test_protocol.py).
@Suite struct ProxyServiceTests {
    /// A server that lets everyone in and answers every query with an empty result.
    private final class Greeter: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = unwrapInboundIn(data)
            let isStartup = bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) == 0
            var answer = ByteBuffer()
            if isStartup {
                answer.writeMessage(BackendType.authentication.rawValue) { $0.writeInteger(Int32(0)) }
            } else {
                answer.writeMessage(BackendType.emptyQueryResponse.rawValue) { _ in }
            }
            answer.writeMessage(BackendType.readyForQuery.rawValue) { $0.writeInteger(TransactionStatus.idle.rawValue) }
            context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
        }
    }

    /// Starts a proxy before a greeter, hands over its port, and shuts both down.
    private func withProxy(
        _ configure: (inout ProxyConfiguration) -> Void = { _ in }, server: Int? = nil, _ body: (Int) async throws -> Void
    )
        async throws
    {
        let greeter = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Greeter()) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        var configuration = ProxyConfiguration(
            listen: .init(host: "127.0.0.1", port: 0), server: .init(host: "127.0.0.1", port: server ?? greeter.localAddress?.port ?? 0))
        configuration.drainSeconds = 1
        configuration.threads = 1
        configure(&configuration)
        let catalogs = CatalogStore(initial: CatalogSnapshot.empty(marks: .none))
        catalogs.publish(catalogs.current.snapshot, load: catalogs.beginLoad())
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        let service = ProxyService(
            configuration: configuration, bind: { _, _ in .passThrough(StatementEffects()) }, catalogs: catalogs, keys: KeyRing(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) { continuation.yield($0.port) }
        let group = ServiceGroup(
            configuration: .init(services: [.init(service: service)], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            try await body(port)
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        try await greeter.close().get()
    }

    /// Sends bytes and gives what comes back up to the end of the stream or `enough` bytes.
    private func talk(_ port: Int, _ bytes: ByteBuffer, enough: Int = .max) async throws -> [UInt8] {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(bytes)
            var received: [UInt8] = []
            for try await part in inbound {
                received += Array(part.readableBytesView)
                if received.count >= enough { break }
            }
            return received
        }
    }

    private var startup: ByteBuffer {
        var buffer = ByteBuffer()
        StartupPacket.startup(StartupMessage(options: [("user", "ada")])).write(to: &buffer)
        return buffer
    }

    @Test(.timeLimit(.minutes(1))) func aSessionIsRelayedBothWays() async throws {
        try await withProxy { port in
            var bytes = startup
            QueryMessage(text: ByteBuffer(string: "")).write(to: &bytes)
            let received = try await talk(port, bytes, enough: 26)
            #expect(received.prefix(15) == [0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49])
            #expect(received.dropFirst(15) == [0x49, 0, 0, 0, 4, 0x5a, 0, 0, 0, 5, 0x49])
        }
    }

    @Test(.timeLimit(.minutes(1))) func anUnreachableServerIsToldToTheClient() async throws {
        try await withProxy(server: 1) { port in
            let received = try await talk(port, startup)
            #expect(received.first == 0x45)
            #expect(String(decoding: received, as: UTF8.self).contains("08006"))
        }
    }

    @Test(.timeLimit(.minutes(1))) func connectionsAboveTheLimitAreToldSo() async throws {
        try await withProxy({ $0.maxConnections = 0 }) { port in
            let received = try await talk(port, startup)
            #expect(String(decoding: received, as: UTF8.self).contains("53300"))
        }
    }

    @Test(.timeLimit(.minutes(1))) func aClientThatSaysNothingIsEnded() async throws {
        try await withProxy({ $0.startupTimeoutSeconds = 1 }) { port in
            let received = try await talk(port, ByteBuffer())
            #expect(String(decoding: received, as: UTF8.self).contains("57014"))
        }
    }

    /// Shutting down ends idle sessions with 57P01, and `run` returns.
    @Test(.timeLimit(.minutes(1))) func shutdownEndsIdleSessions() async throws {
        let (answers, continuation) = AsyncStream.makeStream(of: [UInt8].self)
        try await withProxy { port in
            let bytes = startup
            Task { continuation.yield((try? await talk(port, bytes)) ?? []) }
            try await Task.sleep(for: .milliseconds(300))
        }
        var iterator = answers.makeAsyncIterator()
        let received = try #require(await iterator.next())
        #expect(String(decoding: received, as: UTF8.self).contains("57P01"))
    }
}
