internal import CellFormat
internal import Diagnostics
internal import NIOCore
internal import PGWire
internal import SQLBinding

/// The client's messages after startup.
extension SessionMachine {
    /// Sent in the place of what we refuse: it has a syntax error whatever the transaction's state.
    static let refusedText = "cloister refused this statement"
    static let refusedName = Identifier("cloister_refused")
    /// A Bind longer than this that needs nothing of ours streams; its result formats, at its end, stay unknown.
    static let streamedBind = 64 << 10

    /// One message. Returns false if it needs more bytes or (with `isClientBlocked`) an answer of the server's.
    mutating func clientStep() throws(CloisterError) -> Bool {
        if client.streaming > 0 {
            client.continueStream()
            return client.streaming == 0
        }
        guard injection == nil, administering == nil, pending.count < limits.pendingResponses else { return blocked() }
        guard let header = try FrameHeader(peeking: client.buffer, limits: limits) else { return false }
        guard let type = FrontendType(rawValue: header.type) else {
            throw CloisterError(.unexpectedMessage, "invalid frontend message type \(header.type)")
        }
        if skipsUntilSync {
            switch type {
            case .sync, .terminate: break
            case .bind, .close, .copyData, .copyDone, .copyFail, .describe, .execute, .flush, .functionCall, .parse, .password, .query:
                drop(header)
                return true
            }
        }
        if copyIn != nil { return try copyInStep(type, header) }
        if needsGrant(before: type) {
            inject([.challenge])
            return blocked()
        }
        if type == .query || type == .functionCall, awaitsBatch() { return blocked() }
        switch type {
        case .query: return try query(header)
        case .parse: return try parse(header)
        case .bind: return try bind(header)
        case .describe: return try describe(header)
        case .execute: return try execute(header)
        case .close: return try close(header)
        case .sync:
            guard header.bodyLength == 0 else { throw CloisterError(.protocolViolation, "Sync has a body") }
            client.pass(header.totalLength)
            pending.append(.sync)
            isBatchOpen = false
            isBatchPushed = false
            skipsUntilSync = false
        case .flush: client.pass(header.totalLength)
        case .functionCall:
            client.pass(header.totalLength)
            pending.append(.functionCall)
            isBatchOpen = false
        case .terminate:
            client.pass(FrameHeader.byteCount)
            phase = .closed
            next = .close
        case .copyData, .copyDone, .copyFail:
            // Before the server has answered a COPY the data waits; after it has refused it they are stale, as for PostgreSQL.
            if !pending.isEmpty { return blocked() }
            drop(header)
        case .password: throw CloisterError(.unexpectedMessage, "a password message outside authentication")
        }
        return true
    }

    /// A Query after extended messages without a Sync: if one of those fails the server skips the Query too, and no
    /// ReadyForQuery comes for it. So their answers come first.
    mutating func awaitsBatch() -> Bool {
        guard isBatchOpen, !pending.isEmpty else {
            isBatchPushed = false
            return false
        }
        if !isBatchPushed {
            isBatchPushed = true
            writeToServer { Frontend.write(.flush, to: &$0) }
        }
        return true
    }

    mutating func blocked() -> Bool {
        isClientBlocked = true
        return false
    }

    mutating func drop(_ header: FrameHeader) { client.drop(header.totalLength, to: &toServer) }

    // MARK: Simple query

    private mutating func query(_ header: FrameHeader) throws(CloisterError) -> Bool {
        guard header.bodyLength <= limits.heldMessage else {
            drop(header)
            refuseQuery(Refusal(CloisterError(.messageTooLarge, "the query is too long")))
            return true
        }
        guard let body = client.body(header) else { return false }
        let text = Array(try QueryMessage(body: body).text.readableBytesView)
        let decision = decide(text, isExtended: false)
        let exchange: QueryExchange
        switch decision {
        case .wait: return blocked()
        case .refuse(let refusal):
            drop(header)
            refuseQuery(refusal)
            return true
        case .command(let command):
            drop(header)
            writeToServer { QueryMessage(text: ByteBuffer(string: Self.standIn)).write(to: &$0) }
            exchange = QueryExchange(effects: StatementEffects([.init()]), command: command)
        case .pass(let effects):
            client.pass(header.totalLength)
            exchange = QueryExchange(effects: effects)
        case .send(let sent):
            if sent.plan.isRewritten {
                drop(header)
                writeToServer { QueryMessage(text: sent.text).write(to: &$0) }
            } else {
                client.pass(header.totalLength)
            }
            exchange = QueryExchange(effects: sent.plan.effects, sent: sent)
        }
        sendQuery(exchange)
        return true
    }

    private mutating func refuseQuery(_ refusal: Refusal) {
        writeToServer { QueryMessage(text: ByteBuffer(string: Self.refusedText)).write(to: &$0) }
        sendQuery(QueryExchange(effects: StatementEffects(), refusal: refusal))
    }

    private mutating func sendQuery(_ exchange: QueryExchange) {
        pending.append(.query(exchange))
        statements.announce(.unnamed, nil)
        portals.announce(.unnamed, nil)
        isBatchOpen = false
        state.willExecute(exchange.effects)
        prepared = Preparation()
    }

    // MARK: Extended protocol

    private mutating func parse(_ header: FrameHeader) throws(CloisterError) -> Bool {
        guard header.bodyLength <= limits.heldMessage else {
            drop(header)
            refuse(Refusal(CloisterError(.messageTooLarge, "the statement is too long")))
            return true
        }
        guard let body = client.body(header) else { return false }
        let message = try ParseMessage(body: body)
        guard statements.count < limits.registeredNames else {
            drop(header)
            refuse(Refusal(CloisterError(.limitReached, "too many prepared statements")), statement: message.name)
            return true
        }
        let text = Array(message.text.readableBytesView)
        let statement: PreparedStatement
        let kind = StatementKind(text)
        switch decide(text, isExtended: true, declaredTypes: message.parameterTypes) {
        case .wait: return blocked()
        case .refuse(let refusal):
            drop(header)
            refuse(refusal, statement: message.name)
            return true
        case .command(let command):
            statement = PreparedStatement(
                effects: StatementEffects([.init()]), sent: nil, declaredTypes: [], hasStableShape: true, returnsNoRows: true,
                parametersAgree: true, command: command)
            drop(header)
            writeToServer { ParseMessage(name: message.name, text: ByteBuffer(string: Self.standIn)).write(to: &$0) }
        case .pass(let effects):
            statement = PreparedStatement(
                effects: effects, sent: nil, declaredTypes: message.parameterTypes, hasStableShape: kind.hasStableShape,
                returnsNoRows: kind.returnsNoRows, parametersAgree: true)
            client.pass(header.totalLength)
        case .send(let sent):
            let types: [UInt32]
            do throws(CloisterError) { types = try serverTypes(of: sent.plan, declared: message.parameterTypes) } catch {
                drop(header)
                refuse(Refusal(error), statement: message.name)
                return true
            }
            // The server infers the types that nobody declared: it must not infer one of ours where the plan sends plaintext.
            let agrees = zip(sent.plan.parameters, types).allSatisfy { $0.use != .plain || $1 != 0 }
            statement = PreparedStatement(
                effects: sent.plan.effects, sent: sent, declaredTypes: message.parameterTypes, hasStableShape: kind.hasStableShape,
                returnsNoRows: kind.returnsNoRows, parametersAgree: agrees)
            drop(header)
            writeToServer { ParseMessage(name: message.name, text: sent.text, parameterTypes: types).write(to: &$0) }
        }
        pending.append(.parse(message.name, statement))
        statements.announce(message.name, statement)
        isBatchOpen = true
        prepared = Preparation()
        if !statement.parametersAgree {
            writeToServer { DescribeTarget.statement(message.name).write(.describe, to: &$0) }
            statement.isShapeRequested = true
            pending.append(.describeStatement(statement, swallowed: true))
        }
        return true
    }

    /// Refuses the message in hand: the server gets a Parse that fails, and skips until Sync as the client's side does.
    mutating func refuse(_ refusal: Refusal, statement: Identifier? = nil) {
        writeToServer {
            ParseMessage(name: statement ?? Self.refusedName, text: ByteBuffer(string: Self.refusedText)).write(to: &$0)
        }
        pending.append(.refused(refusal, statement: statement))
        if statement == .unnamed { statements.announce(.unnamed, nil) }
        isBatchOpen = true
        skipsUntilSync = true
        prepared = Preparation()
    }

    private mutating func bind(_ header: FrameHeader) throws(CloisterError) -> Bool {
        guard portals.count < limits.registeredNames else {
            drop(header)
            refuse(Refusal(CloisterError(.limitReached, "too many portals")))
            return true
        }
        let whole = client.body(header)
        let partial = whole ?? client.partialBody(header)
        guard let names = BindMessage.names(peeking: partial) else {
            guard whole == nil, partial.readableBytes <= 2 * limits.name else {
                throw CloisterError(.protocolViolation, "Bind names no statement")
            }
            return false
        }
        let statement = statements.lookup(names.statement) ?? discovered(names.statement)
        if !statement.parametersAgree, statement.contradiction == nil {
            // The description is on its way; it needs a push if the client has not given one.
            if !pending.contains(where: { if case .describeStatement(let other, _) = $0 { other === statement } else { false } }) {
                writeToServer { DescribeTarget.statement(names.statement).write(.describe, to: &$0) }
                statement.isShapeRequested = true
                statement.isFlushed = false
                pending.append(.describeStatement(statement, swallowed: true))
                isBatchOpen = true
            }
            if !statement.isFlushed {
                statement.isFlushed = true
                writeToServer { Frontend.write(.flush, to: &$0) }
            }
            return blocked()
        }
        if let contradiction = statement.contradiction {
            drop(header)
            refuse(Refusal(contradiction))
            return true
        }
        let hasPlan = statement.sent.map { Self.needsParameters($0.plan) } ?? false
        if needsSettings, prepared.failure == nil, hasPlan || !(statement.returnsNoRows || statement.shape?.hasCells == false) {
            // The texts of parameters and results depend on them.
            if status == .failed, pending.isEmpty {
                prepared.failure = Self.failedTransaction
            } else {
                inject([.settings])
                return blocked()
            }
        }
        if let failure = prepared.failure, hasPlan || failure.code != .failedTransaction {
            drop(header)
            refuse(Refusal(failure))
            return true
        }
        guard let plan = statement.sent?.plan, Self.needsParameters(plan) else {
            guard whole != nil || header.bodyLength > Self.streamedBind else { return false }
            // What can't be read here the server will refuse.
            let formats = whole.flatMap { try? BindMessage.resultFormats(body: $0) }
            client.pass(header.totalLength)
            bound(names.portal, Portal(statement: statement, resultFormats: formats))
            return true
        }
        guard header.bodyLength <= limits.heldMessage else {
            drop(header)
            refuse(Refusal(CloisterError(.messageTooLarge, "the parameters are too long")))
            return true
        }
        guard let whole else { return false }
        let message = try BindMessage(body: whole)
        drop(header)
        do throws(CloisterError) {
            let sent = try serverBind(message, statement: statement, plan: plan)
            writeToServer { sent.write(to: &$0) }
            bound(names.portal, Portal(statement: statement, resultFormats: message.resultFormats))
        } catch { refuse(Refusal(error)) }
        return true
    }

    /// A statement that no Parse of this client made (SQL's PREPARE, or none at all): the server says what its parameters are
    /// before any is sent.
    private mutating func discovered(_ name: Identifier) -> PreparedStatement {
        let statement = PreparedStatement(
            effects: StatementEffects(), sent: nil, declaredTypes: [], hasStableShape: false, returnsNoRows: false, parametersAgree: false)
        statements.confirm(name, statement)
        return statement
    }

    private static func needsParameters(_ plan: BoundStatement) -> Bool {
        plan.parameters.count != plan.clientParameterCount || plan.parameters.contains { $0.use != .plain }
    }

    private mutating func bound(_ name: Identifier, _ portal: Portal) {
        pending.append(.bind(name, portal))
        portals.announce(name, portal)
        isBatchOpen = true
        prepared = Preparation()
    }

    private mutating func describe(_ header: FrameHeader) throws(CloisterError) -> Bool {
        guard let body = try small(header) else { return false }
        switch try DescribeTarget(body: body) {
        case .statement(let name):
            let statement = statements.lookup(name)
            statement?.isShapeRequested = true
            pending.append(.describeStatement(statement, swallowed: false))
        case .portal(let name):
            let portal = portals.lookup(name) ?? Portal(statement: nil, resultFormats: nil)
            portal.isShapeRequested = true
            pending.append(.describePortal(portal, swallowed: false))
        }
        client.pass(header.totalLength)
        isBatchOpen = true
        return true
    }

    private mutating func execute(_ header: FrameHeader) throws(CloisterError) -> Bool {
        guard let body = try small(header) else { return false }
        let message = try ExecuteMessage(body: body)
        let portal = portals.lookup(message.portal) ?? Portal(statement: nil, resultFormats: nil)
        if let statement = portal.statement, let error = forbiddenExecute(statement.effects) {
            drop(header)
            refuse(Refusal(error))
            return true
        }
        switch administers(portal) {
        case .wait: return blocked()
        case .refuse(let refusal):
            drop(header)
            refuse(refusal)
            return true
        case .goOn: break
        }
        if !portal.willHaveShape {
            // The client does not ask what the rows look like; to decrypt them we must.
            writeToServer { DescribeTarget.portal(message.portal).write(.describe, to: &$0) }
            portal.isShapeRequested = true
            pending.append(.describePortal(portal, swallowed: true))
        }
        client.pass(header.totalLength)
        pending.append(.execute(portal))
        isBatchOpen = true
        if let statement = portal.statement { state.willExecute(statement.effects) }
        return true
    }

    private mutating func close(_ header: FrameHeader) throws(CloisterError) -> Bool {
        guard let body = try small(header) else { return false }
        switch try DescribeTarget(body: body) {
        case .statement(let name):
            pending.append(.closeStatement(name))
            statements.announce(name, nil)
        case .portal(let name):
            pending.append(.closePortal(name))
            portals.announce(name, nil)
        }
        client.pass(header.totalLength)
        isBatchOpen = true
        return true
    }

    /// A message that holds little more than a name.
    private func small(_ header: FrameHeader) throws(CloisterError) -> ByteBuffer? {
        guard header.bodyLength <= limits.name + 8 else { throw CloisterError(.protocolViolation, "a name is too long") }
        return client.body(header)
    }
}
