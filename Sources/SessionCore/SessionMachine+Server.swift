internal import Diagnostics
internal import NIOCore
internal import PGWire
internal import SQLBinding

/// The server's messages after startup: each belongs to the head of `pending`.
extension SessionMachine {
    /// One message. Returns false if more bytes are needed.
    mutating func serverStep() throws(CloisterError) -> Bool {
        if server.streaming > 0 {
            server.continueStream()
            return server.streaming == 0
        }
        guard let header = try FrameHeader(peeking: server.buffer, limits: limits) else { return false }
        guard let type = BackendType(rawValue: header.type) else {
            throw CloisterError(.serverProtocol, "the server sent a message of an unknown type")
        }
        switch type {
        case .dataRow: return try dataRow(header)
        case .copyData: return try copyDataFromServer(header)
        case .noticeResponse, .notificationResponse:
            server.pass(header.totalLength)
            return true
        case .authentication, .backendKeyData, .bindComplete, .closeComplete, .commandComplete, .copyBothResponse, .copyDone,
            .copyInResponse, .copyOutResponse, .emptyQueryResponse, .errorResponse, .functionCallResponse, .negotiateProtocolVersion,
            .noData, .parameterDescription, .parameterStatus, .parseComplete, .portalSuspended, .readyForQuery, .rowDescription:
            break
        }
        if type == .functionCallResponse, case .functionCall? = pending.first {
            show(header)
            return true
        }
        guard header.bodyLength <= limits.heldMessage else {
            throw CloisterError(.messageTooLarge, "the server sent a \(type) that is too long")
        }
        guard let body = server.body(header) else { return false }
        switch type {
        case .parameterStatus:
            state.reported(try ParameterStatus(body: body))
            server.pass(header.totalLength)
        case .errorResponse: try errorResponse(body, header)
        case .readyForQuery: try readyForQuery(body, header)
        case .parseComplete: try parseComplete(header)
        case .bindComplete: try bindComplete(header)
        case .closeComplete: try closeComplete(header)
        case .rowDescription: try rowDescription(body, header)
        case .parameterDescription: try parameterDescription(body, header)
        case .noData: try noData(header)
        case .commandComplete, .emptyQueryResponse: try statementComplete(type, header)
        case .portalSuspended:
            guard case .execute? = pending.first else { throw unexpected(type) }
            pending.removeFirst()
            show(header)
        case .copyInResponse: try copyInResponse(body, header)
        case .copyOutResponse, .copyDone:
            switch pending.first {
            case .query, .execute:
                if type == .copyDone { try copyOutDone(header) } else { try copyOutResponse(body, header) }
            case .parse, .bind, .describeStatement, .describePortal, .closeStatement, .closePortal, .sync, .functionCall, .refused,
                .injected, nil:
                throw unexpected(type)
            }
        case .authentication, .backendKeyData, .copyBothResponse, .functionCallResponse, .negotiateProtocolVersion, .dataRow, .copyData,
            .noticeResponse, .notificationResponse:
            throw unexpected(type)
        }
        return true
    }

    /// Passes a message on, unless results are muted.
    mutating func show(_ header: FrameHeader) {
        if isMuted { server.drop(header.totalLength, to: &toClient) } else { server.pass(header.totalLength) }
    }

    mutating func swallow(_ header: FrameHeader) { server.drop(header.totalLength, to: &toClient) }

    // MARK: Extended protocol

    private mutating func parseComplete(_ header: FrameHeader) throws(CloisterError) {
        switch pending.first {
        case .parse(let name, let statement):
            pending.removeFirst()
            statements.confirm(name, statement)
            if case .text(let text) = name { state.protocolHasTaken(text) }
            show(header)
        case .injected(.parseComplete):
            pending.removeFirst()
            swallow(header)
        case .injected, .query, .bind, .describeStatement, .describePortal, .execute, .closeStatement, .closePortal, .sync, .functionCall,
            .refused, nil:
            throw unexpected(.parseComplete)
        }
    }

    private mutating func bindComplete(_ header: FrameHeader) throws(CloisterError) {
        switch pending.first {
        case .bind(let name, let portal):
            pending.removeFirst()
            portals.confirm(name, portal)
            show(header)
        case .injected(.bindComplete):
            pending.removeFirst()
            swallow(header)
        case .injected, .query, .parse, .describeStatement, .describePortal, .execute, .closeStatement, .closePortal, .sync, .functionCall,
            .refused, nil:
            throw unexpected(.bindComplete)
        }
    }

    private mutating func closeComplete(_ header: FrameHeader) throws(CloisterError) {
        switch pending.first {
        case .closeStatement(let name):
            pending.removeFirst()
            statements.confirm(name, nil)
            if case .text(let text) = name { state.protocolHasTaken(text) }
            show(header)
        case .closePortal(let name):
            pending.removeFirst()
            portals.confirm(name, nil)
            show(header)
        case .injected(.closeComplete):
            pending.removeFirst()
            swallow(header)
        case .injected(.lastClose):
            pending.removeFirst()
            swallow(header)
            injectionFinished()
        case .injected, .query, .parse, .bind, .describeStatement, .describePortal, .execute, .sync, .functionCall, .refused, nil:
            throw unexpected(.closeComplete)
        }
    }

    private mutating func parameterDescription(_ body: ByteBuffer, _ header: FrameHeader) throws(CloisterError) {
        guard case .describeStatement(let statement, let swallowed)? = pending.first else { throw unexpected(.parameterDescription) }
        let description = try ParameterDescription(body: body)
        let shown = try statement.map { (statement) throws(CloisterError) in try parameters(description, of: statement) } ?? description
        if swallowed {
            swallow(header)
        } else if shown == description {
            show(header)
        } else {
            swallow(header)
            writeToClient { shown.write(to: &$0) }
        }
    }

    private mutating func rowDescription(_ body: ByteBuffer, _ header: FrameHeader) throws(CloisterError) {
        let effects: StatementEffects.Statement?
        switch pending.first {
        case .query(let exchange):
            let statements = exchange.effects.statements
            effects = statements.indices.contains(exchange.completed) ? statements[exchange.completed] : nil
        case .describeStatement(let statement, _): effects = statement?.effects.statements.first
        case .describePortal(let portal, _): effects = portal.statement?.effects.statements.first
        case .execute, .injected, .parse, .bind, .closeStatement, .closePortal, .sync, .functionCall, .refused, nil: effects = nil
        }
        let (shape, shown) = RowShape.reading(
            try RowDescription(body: body), catalog: state.catalog, enumerations: effects?.enumerations)
        switch pending.first {
        case .query(let exchange):
            exchange.shape = shape
            show(header, as: shown)
        case .describeStatement(let statement, let swallowed):
            pending.removeFirst()
            if let statement, statement.hasStableShape { statement.shape = shape }
            if swallowed { swallow(header) } else { show(header, as: shown) }
        case .describePortal(let portal, let swallowed):
            pending.removeFirst()
            portal.shape = shape
            if let statement = portal.statement, statement.hasStableShape { statement.shape = shape }
            if swallowed { swallow(header) } else { show(header, as: shown) }
        case .execute, .injected, .parse, .bind, .closeStatement, .closePortal, .sync, .functionCall, .refused, nil:
            throw unexpected(.rowDescription)
        }
    }

    private mutating func show(_ header: FrameHeader, as shown: RowDescription?) {
        guard let shown else { return show(header) }
        swallow(header)
        writeToClient { shown.write(to: &$0) }
    }

    private mutating func noData(_ header: FrameHeader) throws(CloisterError) {
        switch pending.first {
        case .describeStatement(let statement, let swallowed):
            pending.removeFirst()
            if let statement, statement.hasStableShape { statement.shape = .noRows }
            if swallowed { swallow(header) } else { show(header) }
        case .describePortal(let portal, let swallowed):
            pending.removeFirst()
            portal.shape = .noRows
            if let statement = portal.statement, statement.hasStableShape { statement.shape = .noRows }
            if swallowed { swallow(header) } else { show(header) }
        case .execute, .query, .injected, .parse, .bind, .closeStatement, .closePortal, .sync, .functionCall, .refused, nil:
            throw unexpected(.noData)
        }
    }

    // MARK: Rows

    private mutating func dataRow(_ header: FrameHeader) throws(CloisterError) -> Bool {
        let shape: RowShape?
        switch pending.first {
        case .query(let exchange): shape = exchange.shape
        case .execute(let portal): shape = portal.currentShape()
        case .injected(.rows):
            guard header.bodyLength <= limits.heldMessage else { throw CloisterError(.messageTooLarge, "a catalog row is too long") }
            guard let body = server.body(header) else { return false }
            try injectedRow(DataRow(body: body))
            swallow(header)
            return true
        case .injected, .parse, .bind, .describeStatement, .describePortal, .closeStatement, .closePortal, .sync, .functionCall, .refused,
            nil:
            throw unexpected(.dataRow)
        }
        // Rows of a result that was never described can't be told from ciphertext.
        guard let shape else { throw CloisterError(.serverProtocol, "the server sent rows without describing them") }
        guard shape.hasCells, !isMuted else {
            show(header)
            return true
        }
        guard header.bodyLength <= limits.heldMessage else {
            giveUpOnResult(CloisterError(.messageTooLarge, "a row with encrypted columns is too long"))
            show(header)
            return true
        }
        guard let body = server.body(header) else { return false }
        swallow(header)
        do throws(CloisterError) {
            server.flush(to: &toClient)
            let settings = state.settings
            var failure: CloisterError?
            toClient.write {
                do throws(CloisterError) { try cells.open(row: body, shape: shape, settings: settings, into: &$0) } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
        } catch {
            giveUpOnResult(error)
        }
        return true
    }

    /// Tells the client of an error in the middle of a result; what the server still sends up to ReadyForQuery is dropped.
    mutating func giveUpOnResult(_ error: CloisterError) {
        let fields = state.fields(error)
        writeToClient { fields.write(to: &$0) }
        isMuted = true
        switch pending.first {
        case .query: break
        case .execute, .parse, .bind, .describeStatement, .describePortal, .closeStatement, .closePortal, .sync, .functionCall, .refused,
            .injected, nil:
            if !pending.contains(where: { if case .sync = $0 { true } else { false } }) { skipsUntilSync = true }
        }
    }

    private mutating func statementComplete(_ type: BackendType, _ header: FrameHeader) throws(CloisterError) {
        switch pending.first {
        case .query(let exchange):
            let index = exchange.completed
            exchange.completed += 1
            exchange.shape = nil
            if index < exchange.effects.statements.count { statementTookEffect(exchange.effects.statements[index]) }
            showComplete(header, exchange.command)
        case .execute(let portal):
            pending.removeFirst()
            for statement in portal.statement?.effects.statements ?? [] { statementTookEffect(statement) }
            showComplete(header, portal.statement?.command)
        case .injected(.rows):
            pending.removeFirst()
            injectedRowsComplete()
            swallow(header)
            return
        case .injected, .parse, .bind, .describeStatement, .describePortal, .closeStatement, .closePortal, .sync, .functionCall, .refused,
            nil:
            throw unexpected(type)
        }
        copyIn = nil
        copyOut = nil
    }

    /// DEALLOCATE ALL and DISCARD ALL end what the server has; statements parsed later in the pipeline are not among it.
    private mutating func statementTookEffect(_ statement: StatementEffects.Statement) {
        state.tookEffect(statement)
        guard !statement.flags.isDisjoint(with: [.deallocateAll, .discardAll]) else { return }
        statements.confirmRemovalOfAll()
        if statement.flags.contains(.discardAll) { portals.confirmRemovalOfAll() }
    }

    // MARK: Ends

    private mutating func readyForQuery(_ body: ByteBuffer, _ header: FrameHeader) throws(CloisterError) {
        let newStatus = try TransactionStatus(body: body)
        switch pending.first {
        case .query:
            // The simple query has ended the unnamed statement and portal.
            statements.confirm(.unnamed, nil)
            portals.confirm(.unnamed, nil)
            fallthrough
        case .sync, .functionCall:
            pending.removeFirst()
            isMuted = false
            copyIn = nil
            copyOut = nil
            server.pass(header.totalLength)
            status = newStatus
            if newStatus == .idle { transactionEnded() }
            if pending.isEmpty, !isBatchOpen { state.settingsWereReported() }
        case .injected(.lastReady):
            pending.removeFirst()
            status = newStatus
            swallow(header)
            injectionFinished()
        case .injected(.recovery):
            pending.removeFirst()
            status = newStatus
            swallow(header)
            injection = nil
        case .injected, .parse, .bind, .describeStatement, .describePortal, .execute, .closeStatement, .closePortal, .refused, nil:
            throw unexpected(.readyForQuery)
        }
    }

    /// No transaction is open: its portals are gone, and so may be what SET LOCAL set.
    private mutating func transactionEnded() {
        forgetTransactionTime()
        portals.confirmRemovalOfAll()
        state.transactionEnded(isQuiet: pending.isEmpty)
    }

    // MARK: Errors

    private mutating func errorResponse(_ body: ByteBuffer, _ header: FrameHeader) throws(CloisterError) {
        let isMutedNow = isMuted
        if resources.grants != nil { grant.errorCame(try ErrorFields(body: body)[.sqlState] ?? "") }
        switch pending.first {
        case .query(let exchange):
            copyIn = nil
            try showError(body, header, sent: exchange.sent, refusal: exchange.refusal)
            return
        case .sync, .functionCall, nil:
            // An error at Sync (a deferred constraint) does not skip; without anything pending it is the session's end.
            if isMutedNow { swallow(header) } else { server.pass(header.totalLength) }
            return
        case .injected:
            try injectionFailed(ErrorFields(body: body))
            swallow(header)
            return
        case .parse(let name, let statement):
            // The server has dropped the old unnamed statement before it refused the new one.
            if name == .unnamed { statements.confirm(.unnamed, nil) }
            try showError(body, header, sent: statement.sent, refusal: nil)
        case .refused(let refusal, let name):
            if name == .unnamed { statements.confirm(.unnamed, nil) }
            try showError(body, header, sent: nil, refusal: refusal)
        case .bind(_, let portal):
            try showError(body, header, sent: portal.statement?.sent, refusal: nil)
        case .describeStatement(let statement, _):
            try showError(body, header, sent: statement?.sent, refusal: nil)
        case .describePortal(let portal, _):
            try showError(body, header, sent: portal.statement?.sent, refusal: nil)
        case .execute(let portal):
            copyIn = nil
            try showError(body, header, sent: portal.statement?.sent, refusal: portal.refusal)
            portal.refusal = nil
        case .closeStatement, .closePortal:
            try showError(body, header, sent: nil, refusal: nil)
        }
        skipToSync()
    }

    /// Shows the server's error with its position in the client's text, or ours in its place.
    private mutating func showError(_ body: ByteBuffer, _ header: FrameHeader, sent: SentStatement?, refusal: Refusal?)
        throws(CloisterError)
    {
        if isMuted { return swallow(header) }
        if let refusal {
            swallow(header)
            var fields = state.fields(refusal.error)
            if let position = refusal.position { fields[.position] = String(position) }
            writeToClient { fields.write(to: &$0) }
            return
        }
        guard let sent, sent.plan.isRewritten else { return server.pass(header.totalLength) }
        var fields = try ErrorFields(body: body)
        guard let position = fields[.position].flatMap({ Int($0) }) else { return server.pass(header.totalLength) }
        fields[.position] = String(sent.originalPosition(ofSent: position))
        swallow(header)
        writeToClient { fields.write(to: &$0) }
    }

    /// The server ignores everything up to the next Sync: so does the queue; without a Sync in it, so does the client's side.
    mutating func skipToSync() {
        while let first = pending.first {
            if case .sync = first { break }
            switch first {
            case .injected: injection = nil
            case .describeStatement(let statement, _): statement?.isShapeRequested = false
            case .describePortal(let portal, _): portal.isShapeRequested = false
            case .query, .parse, .bind, .execute, .closeStatement, .closePortal, .sync, .functionCall, .refused: break
            }
            pending.removeFirst()
        }
        if pending.isEmpty { skipsUntilSync = true }
        announceAgain()
    }

    /// What was announced and skipped never came to be; what is still in flight will.
    private mutating func announceAgain() {
        statements.forgetAnnounced()
        portals.forgetAnnounced()
        for entry in pending {
            switch entry {
            case .parse(let name, let statement): statements.announce(name, statement)
            case .bind(let name, let portal): portals.announce(name, portal)
            case .closeStatement(let name): statements.announce(name, nil)
            case .closePortal(let name): portals.announce(name, nil)
            case .query:
                statements.announce(.unnamed, nil)
                portals.announce(.unnamed, nil)
            case .refused(_, let name): if name == .unnamed { statements.announce(.unnamed, nil) }
            case .describeStatement, .describePortal, .execute, .sync, .functionCall, .injected: break
            }
        }
    }
}
