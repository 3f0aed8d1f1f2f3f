internal import CellCrypto
internal import Diagnostics
internal import NIOCore
internal import SessionCore

/// The sessions of one event loop and what they share.
final class LoopSessions: Sendable {
    /// What only the loop touches.
    private final class State {
        let resources: SessionResources
        var sessions: [ObjectIdentifier: Session] = [:]
        var isDraining = false

        init(resources: SessionResources) { self.resources = resources }
    }

    private let loop: any EventLoop
    private let configuration: ProxyConfiguration
    private let tls: TLSContexts
    private let state: NIOLoopBound<State>

    /// On the loop.
    init(
        loop: any EventLoop, configuration: ProxyConfiguration, tls: TLSContexts, bind: @escaping SessionResources.Bind,
        catalogs: CatalogStore, keys: KeyRing
    ) throws {
        self.loop = loop
        self.configuration = configuration
        self.tls = tls
        let resources = try SessionResources(
            limits: configuration.limits, transport: tls.settings.policy, bind: bind, catalogs: catalogs, keys: keys,
            grants: configuration.grants, now: WallClock.now)
        state = NIOLoopBound(State(resources: resources), eventLoop: loop)
    }

    /// On the loop: a new client.
    func accept(_ channel: any Channel, counter: ConnectionCounter) throws {
        let state = state.value
        var refusal: CloisterError?
        if counter.enter() > configuration.maxConnections {
            refusal = CloisterError(.tooManyConnections, "sorry, too many clients already")
        }
        let machine = SessionMachine(resources: state.resources, admission: refusal)
        let session = Session(client: channel, machine: machine, configuration: configuration, tls: tls)
        state.sessions[ObjectIdentifier(session)] = session
        // Not when it becomes inactive: a channel that the listener's end catches before it is active never does.
        channel.closeFuture.assumeIsolated().whenComplete { _ in
            state.sessions[ObjectIdentifier(session)] = nil
            counter.leave()
        }
        let handler = ClientHandler(session: session)
        session.attach(handler)
        try channel.pipeline.syncOperations.addHandler(handler)
        if state.isDraining { session.drain() }
    }

    /// From anywhere: idle sessions end, busy ones when they are.
    func drain() {
        loop.execute {
            self.state.value.isDraining = true
            for session in self.state.value.sessions.values { session.drain() }
        }
    }

    /// From anywhere: every session ends.
    func endDrain() {
        loop.execute { for session in self.state.value.sessions.values { session.endDrain() } }
    }
}
