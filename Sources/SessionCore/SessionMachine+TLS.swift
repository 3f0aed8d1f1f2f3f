internal import Diagnostics
internal import NIOCore
internal import PGWire

/// Which of the two connections become TLS, and what is done where they don't.
extension SessionMachine {
    // MARK: The client

    /// Direct TLS: a ClientHello (record type 22) as a connection's first byte, where a startup packet's length never has it.
    mutating func clientBeganTLS() -> Bool {
        guard resources.transport.client != .off, clientTLS == nil, !seenSSLRequest, !seenGSSRequest,
            client.buffer.getInteger(at: client.buffer.readerIndex, as: UInt8.self) == 0x16
        else { return false }
        let hello = client.buffer
        client.removeAll()
        phase = .securingClient(isDirect: true)
        next = .startClientTLS(hello)
        return true
    }

    mutating func answerSSLRequest() throws(CloisterError) -> Bool {
        try mustBeAlone()
        guard resources.transport.client != .off else {
            toClient.write { $0.writeInteger(UInt8(ascii: "N")) }
            return false
        }
        toClient.write { $0.writeInteger(UInt8(ascii: "S")) }
        phase = .securingClient(isDirect: false)
        next = .startClientTLS(ByteBuffer())
        return false
    }

    /// What came together with an encryption request was sent before the answer could be read and may be someone else's
    /// (CVE-2021-23214).
    func mustBeAlone() throws(CloisterError) {
        guard client.buffer.readableBytes == 0 else {
            throw CloisterError(.protocolViolation, "received unencrypted data after an encryption request")
        }
    }

    /// What PostgreSQL's pg_hba.conf would say of the client's connection (`hostssl`, `clientcert=verify-full`): the server
    /// sees only ours.
    func admit(user: ByteBuffer) throws(CloisterError) {
        let policy = resources.transport
        if policy.client == .require, clientTLS == nil {
            throw CloisterError(
                .tlsRequired, "the proxy accepts encrypted connections only", hint: "Connect with sslmode=require or higher.")
        }
        if policy.nameIsUser {
            guard let name = clientTLS?.certificateName, ByteBuffer(string: name) == user else {
                throw CloisterError(
                    .certificateUser, "the client's certificate is not for this user",
                    hint: "The certificate's common name must be the name of the user.")
            }
        }
    }

    /// A client inside TLS that says "I could bind the channel, but you don't offer it" (`y`, RFC 5802) takes the withdrawal for an
    /// attack if the server did offer it. The server's error would name no way out.
    func refuseUselessBinding(_ body: ByteBuffer) throws(CloisterError) {
        var body = body
        // What is malformed is the server's to refuse.
        guard hasWithdrawnBinding, (try? body.readTerminated("the mechanism")) != nil, body.readInteger(as: Int32.self) != nil,
            body.readInteger(as: UInt8.self) == UInt8(ascii: "y")
        else { return }
        throw CloisterError(
            .channelBinding, "SCRAM's channel binding can't go through the proxy with these certificates",
            hint: "Connect with channel_binding=disable, or let the proxy show the server's own certificate (proxy.tls.certificate).")
    }

    // MARK: The server

    /// The connection is as encrypted as it will be: the first message goes out.
    mutating func speakToServer() {
        guard let startupPacket else { return }
        phase = isCancel ? .cancelling : .authenticating(mayAnswer: false)
        toServer.write { startupPacket.write(to: &$0) }
    }

    /// `S` or `N`, alone: what comes with it was not encrypted and may be someone else's (CVE-2021-23222).
    mutating func serverNegotiationStep() throws(CloisterError) -> Bool {
        guard let answer = server.buffer.getInteger(at: server.buffer.readerIndex, as: UInt8.self) else { return false }
        guard server.buffer.readableBytes == 1 else {
            throw CloisterError(.serverProtocol, "received unencrypted data after the answer to SSLRequest")
        }
        server.removeAll()
        switch answer {
        case UInt8(ascii: "S"):
            phase = .securingServer
            next = .startServerTLS
        case UInt8(ascii: "N"):
            guard resources.transport.server != .require else {
                throw CloisterError(
                    .serverTLS, "the server does not offer TLS", hint: "Turn it on there (ssl = on), or change proxy.server_tls.mode.")
            }
            hasRedialled = true
            speakToServer()
        default:
            // An error of a server that can't start a session. Not authenticated: its words are not passed on.
            throw CloisterError(.serverProtocol, "the server's answer to SSLRequest is neither yes nor no")
        }
        return false
    }

    mutating func serverHandshakeFailed(_ failure: ServerTLSFailure) {
        if resources.transport.server == .prefer, !hasRedialled { return redial() }
        fatal(CloisterError(.serverTLS, failure.sentence))
    }

    /// Whether an error as the server's first word is a reason to try again with TLS, or without it, as libpq does: pg_hba.conf
    /// may reject the one and not the other.
    var mayRedial: Bool {
        guard phase == .authenticating(mayAnswer: false), startupPacket != nil, !hasRedialled else { return false }
        switch resources.transport.server {
        case .allow: return !serverIsSecured
        case .prefer: return serverIsSecured
        case .disable, .require: return false
        }
    }

    mutating func redial() {
        hasRedialled = true
        asksServerForTLS.toggle()
        serverIsSecured = false
        bindsChannel = false
        server.removeAll()
        phase = .connecting
        next = .connect
    }
}
