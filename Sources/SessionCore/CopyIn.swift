internal import Diagnostics
internal import NIOCore
internal import PGWire
internal import SQLBinding

/// A COPY FROM STDIN whose data the client is sending.
struct CopyInState {
    /// nil: nothing of it is encrypted, the data pass as they are.
    var plan: CopyInPlan?
}

extension SessionMachine {
    /// CopyInResponse: the server waits for data.
    mutating func copyInResponse(_ body: ByteBuffer, _ header: FrameHeader) throws(CloisterError) {
        let plan: CopyInPlan?
        switch pending.first {
        case .query(let exchange): plan = exchange.sent?.plan.copyIn
        case .execute(let portal):
            plan = portal.statement?.sent?.plan.copyIn
            ignoreEarlySyncs()
        case .parse, .bind, .describeStatement, .describePortal, .closeStatement, .closePortal, .sync, .functionCall, .refused, .injected, nil:
            throw unexpected(.copyInResponse)
        }
        isClientBlocked = true  // so that data that waited is looked at
        if isMuted {
            server.drop(header.totalLength, to: &toClient)
            writeToServer { Frontend.writeCopyFail("the session has failed", to: &$0) }
            return
        }
        server.pass(header.totalLength)
        copyIn = CopyInState(plan: plan)
    }

    /// In copy-in mode the server reads over Sync and Flush: what was pipelined before it said so gets no ReadyForQuery.
    private mutating func ignoreEarlySyncs() {
        while pending.count > 1, case .sync = pending[pending.index(after: pending.startIndex)] {
            pending.remove(at: pending.index(after: pending.startIndex))
        }
        isBatchOpen = true
    }

    /// A message of the client's while the server is in copy-in mode.
    mutating func copyInStep(_ type: FrontendType, _ header: FrameHeader) throws(CloisterError) -> Bool {
        switch type {
        case .copyData: client.pass(header.totalLength)
        case .copyDone, .copyFail:
            client.pass(header.totalLength)
            copyIn = nil
        case .flush, .sync: drop(header)
        case .terminate:
            client.pass(FrameHeader.byteCount)
            phase = .closed
            next = .close
        case .bind, .close, .describe, .execute, .functionCall, .parse, .password, .query:
            // PostgreSQL ends the COPY with an error; the message itself may hold plaintext and stays here.
            drop(header)
            failCopy(CloisterError(.unexpectedMessage, "unexpected message type \(type) during COPY from stdin"))
        }
        return true
    }

    /// Ends the COPY: the server gets CopyFail, the client our error in the place of the server's.
    mutating func failCopy(_ error: CloisterError) {
        copyIn = nil
        writeToServer { Frontend.writeCopyFail("refused by cloister", to: &$0) }
        switch pending.first {
        case .query(let exchange): exchange.refusal = Refusal(error)
        case .execute(let portal): portal.refusal = Refusal(error)
        case .parse, .bind, .describeStatement, .describePortal, .closeStatement, .closePortal, .sync, .functionCall, .refused, .injected, nil: break
        }
    }

    /// CopyData of a COPY TO STDOUT.
    mutating func copyDataFromServer(_ header: FrameHeader) throws(CloisterError) -> Bool {
        switch pending.first {
        case .query, .execute:
            if isMuted { server.drop(header.totalLength, to: &toClient) } else { server.pass(header.totalLength) }
            return true
        case .parse, .bind, .describeStatement, .describePortal, .closeStatement, .closePortal, .sync, .functionCall, .refused, .injected, nil:
            throw unexpected(.copyData)
        }
    }
}
