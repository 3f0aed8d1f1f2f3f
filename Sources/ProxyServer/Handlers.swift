internal import NIOCore
internal import NIOTLS

/// Hands a client channel's events to its session and holds back reads while the session wants none.
final class ClientHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let session: Session
    private var context: ChannelHandlerContext?
    private var isReadHeld = false

    init(session: Session) { self.session = session }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { session.clientRead(unwrapInboundIn(data)) }
    func channelReadComplete(context: ChannelHandlerContext) { session.clientReadComplete() }
    func channelInactive(context: ChannelHandlerContext) { session.clientInactive() }
    func channelWritabilityChanged(context: ChannelHandlerContext) { session.writabilityChanged() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { session.clientEnded() }
        if case .handshakeCompleted(let name)? = event as? TLSUserEvent { session.clientSecured(applicationProtocol: name) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func read(context: ChannelHandlerContext) {
        if session.clientMayRead { context.read() } else { isReadHeld = true }
    }

    func resume() {
        guard isReadHeld else { return }
        isReadHeld = false
        context?.read()
    }
}

/// The same for the server's channel.
final class ServerHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let session: Session
    private var context: ChannelHandlerContext?
    private var isReadHeld = false
    private var hasEnded = false

    init(session: Session) { self.session = session }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if !hasEnded { session.serverRead(unwrapInboundIn(data)) }
    }
    func channelReadComplete(context: ChannelHandlerContext) { session.serverReadComplete() }
    func channelInactive(context: ChannelHandlerContext) { end() }
    func channelWritabilityChanged(context: ChannelHandlerContext) { session.writabilityChanged() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // PostgreSQL never half-closes: the end of its output is the end.
        if case ChannelEvent.inputClosed? = event as? ChannelEvent {
            end()
            context.close(promise: nil)
        }
        if case .handshakeCompleted? = event as? TLSUserEvent, !hasEnded { session.serverSecured() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if !hasEnded { session.serverFailed(error) }
        context.close(promise: nil)
    }

    /// The session has given this connection up: nothing of it is an event any more.
    func abandon() { hasEnded = true }

    func read(context: ChannelHandlerContext) {
        if session.serverMayRead { context.read() } else { isReadHeld = true }
    }

    func resume() {
        guard isReadHeld else { return }
        isReadHeld = false
        context?.read()
    }

    private func end() {
        guard !hasEnded else { return }
        hasEnded = true
        session.serverInactive()
    }
}
