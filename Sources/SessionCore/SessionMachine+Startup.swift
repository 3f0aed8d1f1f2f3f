internal import Diagnostics
internal import NIOCore
internal import PGWire

/// Startup and pass-through authentication: users and passwords stay PostgreSQL's.
extension SessionMachine {
    /// The first packets of a connection. Returns false if it needs more bytes or an event.
    mutating func clientStartupStep() throws(CloisterError) -> Bool {
        if clientBeganTLS() { return false }
        let limits = limits
        let packet = try client.withBuffer { (buffer: inout ByteBuffer) throws(CloisterError) in
            try StartupPacket.read(from: &buffer, limits: limits)
        }
        guard let packet else { return false }
        switch packet {
        case .sslRequest:
            guard !seenSSLRequest, clientTLS == nil else { throw CloisterError(.protocolViolation, "a second SSLRequest") }
            seenSSLRequest = true
            return try answerSSLRequest()
        case .gssEncRequest:
            guard !seenGSSRequest, clientTLS == nil else { throw CloisterError(.protocolViolation, "a second GSSENCRequest") }
            seenGSSRequest = true
            try mustBeAlone()
            toClient.write { $0.writeInteger(UInt8(ascii: "N")) }
            return false
        case .cancel:
            isCancel = true
            guard clientTLS != nil || resources.transport.client != .require else {
                phase = .closed
                next = .close
                return false
            }
        case .startup(let message):
            try admit(message)
        }
        startupPacket = packet
        phase = .connecting
        next = .connect
        return false
    }

    private mutating func admit(_ message: StartupMessage) throws(CloisterError) {
        if let admission { throw admission.error }
        if isDraining { throw CloisterError(.shuttingDown, "the proxy is shutting down") }
        if let replication = message["replication"] {
            let value = String(buffer: replication).lowercased()
            guard ["false", "off", "no", "0", "f", "n"].contains(value) else {
                throw CloisterError(
                    .unsupportedSession, "replication connections don't go through the proxy",
                    hint: "Connect to the PostgreSQL server itself: replicas hold the same ciphertext.")
            }
        }
        guard let user = message["user"], user.readableBytes > 0 else {
            throw CloisterError(ErrorCode.protocolViolation, "no PostgreSQL user name specified in startup packet")
        }
        try admit(user: user)
        let database = message["database"] ?? user
        state.begin(database: String(buffer: database))
    }

    /// The client may answer an authentication request with `p`, nothing else, and once.
    mutating func clientAuthenticationStep(mayAnswer: Bool) throws(CloisterError) -> Bool {
        guard client.buffer.readableBytes > 0 else { return false }
        guard mayAnswer else {
            // Not asked yet: a driver that is early waits, one that is wrong is told so when it is asked.
            isClientBlocked = true
            return false
        }
        guard let first = client.buffer.getInteger(at: client.buffer.readerIndex, as: UInt8.self) else { return false }
        guard first == FrontendType.password.rawValue else {
            throw CloisterError(.unexpectedMessage, "expected a password or SASL response")
        }
        guard let header = try FrameHeader(peeking: client.buffer, limits: limits) else { return false }
        guard header.bodyLength <= limits.authenticationMessage else {
            throw CloisterError(.protocolViolation, "an authentication message is too long")
        }
        guard let body = client.body(header) else { return false }
        try refuseUselessBinding(body)
        hasWithdrawnBinding = false
        client.pass(header.totalLength)
        phase = .authenticating(mayAnswer: false)
        return false
    }

    /// The server's side of startup, up to the first ReadyForQuery.
    mutating func serverStartupStep() throws(CloisterError) -> Bool {
        guard let header = try FrameHeader(peeking: server.buffer, limits: limits) else { return false }
        guard let type = BackendType(rawValue: header.type), header.bodyLength <= limits.startupResponse else {
            throw CloisterError(.serverProtocol, "the server's answer to the startup packet is malformed")
        }
        guard let body = server.body(header) else { return false }
        if type == .errorResponse, mayRedial {
            redial()
            return false
        }
        // It has answered: nothing is tried again from here on.
        startupPacket = nil
        let isAuthenticated = phase == .starting
        switch type {
        case .authentication:
            guard !isAuthenticated else { throw unexpected(type) }
            try authenticationRequest(AuthenticationRequest(body: body), header)
        case .errorResponse, .noticeResponse, .negotiateProtocolVersion:
            server.pass(header.totalLength)
        case .parameterStatus:
            guard isAuthenticated else { throw unexpected(type) }
            state.reported(try ParameterStatus(body: body))
            server.pass(header.totalLength)
        case .backendKeyData:
            // Process id and a key of 4 to 256 bytes; the client gets the server's own, so its cancel requests are real.
            guard isAuthenticated, (8...4 + limits.cancelKey).contains(header.bodyLength) else { throw unexpected(type) }
            server.pass(header.totalLength)
        case .readyForQuery:
            guard isAuthenticated else { throw unexpected(type) }
            status = try TransactionStatus(body: body)
            server.pass(header.totalLength)
            phase = .ready
            isClientBlocked = true  // so that what waits is looked at
        case .bindComplete, .closeComplete, .commandComplete, .copyBothResponse, .copyData, .copyDone, .copyInResponse, .copyOutResponse,
            .dataRow, .emptyQueryResponse, .functionCallResponse, .noData, .notificationResponse, .parameterDescription, .parseComplete,
            .portalSuspended, .rowDescription:
            throw unexpected(type)
        }
        return true
    }

    private mutating func authenticationRequest(_ request: AuthenticationRequest, _ header: FrameHeader) throws(CloisterError) {
        switch request {
        case .ok:
            phase = .starting
            server.pass(header.totalLength)
        case .cleartextPassword, .md5Password, .saslContinue, .gss, .gssContinue:
            phase = .authenticating(mayAnswer: true)
            isClientBlocked = true  // so that an early answer is looked at
            server.pass(header.totalLength)
        case .saslFinal:
            server.pass(header.totalLength)
        case .sasl(let mechanisms):
            phase = .authenticating(mayAnswer: true)
            isClientBlocked = true
            if bindsChannel {
                server.pass(header.totalLength)
                return
            }
            // Channel binding ties the exchange to a server's certificate; the client has seen another or none.
            let offered = mechanisms.filter { !$0.hasSuffix("-PLUS") }
            guard !offered.isEmpty else {
                throw CloisterError(
                    .unsupportedSession, "the server demands SASL with channel binding, which can't go through a proxy",
                    hint: "Allow SCRAM-SHA-256 without channel binding for the proxy's connections.")
            }
            hasWithdrawnBinding = offered != mechanisms
            server.drop(header.totalLength, to: &toClient)
            toClient.write { AuthenticationRequest.writeSASL(offered, to: &$0) }
        case .unknown:
            throw CloisterError(.unsupportedSession, "the server asks for an authentication method that the proxy doesn't know")
        }
    }

    func unexpected(_ type: BackendType) -> CloisterError {
        CloisterError(.serverProtocol, "unexpected \(type) from the server")
    }
}
