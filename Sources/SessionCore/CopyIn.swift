internal import CellFormat
internal import ColumnCatalog
internal import Diagnostics
internal import NIOCore
internal import PGWire
internal import SQLBinding
internal import ValueCodec

/// A COPY FROM STDIN whose data the client is sending.
struct CopyInState {
    /// nil: nothing of it is encrypted, the data pass as they are.
    var encryption: CopyInEncryption?
}

/// Encrypts the data of one COPY FROM STDIN: values of marked columns become stored cells.
struct CopyInEncryption {
    private var stream: CopyStream

    init(plan: CopyInPlan, settings: SessionSettings) throws(CloisterError) {
        stream = try CopyStream(.from, plan, settings: settings)
    }

    /// Takes a chunk of data and returns what of it is complete, encrypted.
    mutating func feed(_ chunk: [UInt8], cells: CellService, settings: SessionSettings, catalog: CatalogSnapshot) throws(CloisterError)
        -> [UInt8]
    {
        let isBinary = stream.isBinary
        return try stream.feed(chunk) { (column, value) throws(CloisterError) in
            try Self.seal(value, isBinary, column, cells, settings, catalog)
        }
    }

    /// The data are complete.
    mutating func finish(cells: CellService, settings: SessionSettings, catalog: CatalogSnapshot) throws(CloisterError) -> [UInt8] {
        let isBinary = stream.isBinary
        return try stream.finish { (column, value) throws(CloisterError) in
            try Self.seal(value, isBinary, column, cells, settings, catalog)
        }
    }

    /// The cell, in text in bytea's hex form, as every input function of ours reads it.
    private static func seal(
        _ value: [UInt8], _ isBinary: Bool, _ column: CopyInPlan.Column, _ cells: CellService, _ settings: SessionSettings,
        _ catalog: CatalogSnapshot
    ) throws(CloisterError) -> [UInt8] {
        guard let type = column.encryption else { return value }
        let target = CellTarget(type: type, role: .stored, column: column.label, modifier: column.modifier, form: .value)
        let cell = try cells.field(value, isBinary: isBinary, target, settings: settings, catalog: catalog)
        if isBinary { return cell }
        var text: [UInt8] = [0x5c, 0x78]
        text.reserveCapacity(2 + 2 * cell.count)
        Hex.append(cell.span, to: &text)
        return text
    }
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
        case .parse, .bind, .describeStatement, .describePortal, .closeStatement, .closePortal, .sync, .functionCall, .refused, .injected,
            nil:
            throw unexpected(.copyInResponse)
        }
        isClientBlocked = true  // so that data that waited is looked at
        guard !isMuted else {
            server.drop(header.totalLength, to: &toClient)
            writeToServer { Frontend.writeCopyFail("the session has failed", to: &$0) }
            return
        }
        let response = try CopyResponse(body: body)
        do throws(CloisterError) {
            if let plan {
                guard (response.format == 1) == (plan.format == .binary), response.columnFormats.count == plan.columns.count else {
                    throw CloisterError(
                        .copyRefused, "the server copies other columns of \(plan.relation) than the plan, or in another format",
                        hint: "Name the columns in the COPY statement.")
                }
            }
            copyIn = CopyInState(
                encryption: try plan.map { (plan) throws(CloisterError) in try CopyInEncryption(plan: plan, settings: state.settings) })
            server.pass(header.totalLength)
        } catch {
            // The client hears of the error only; it never was in copy-in mode.
            server.drop(header.totalLength, to: &toClient)
            failCopy(error)
        }
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
        case .copyData: return try copyData(header)
        case .copyDone: try copyDone(header)
        case .copyFail:
            // Drivers put the exception into the message, and with it what they were about to send.
            if copyIn?.encryption != nil {
                drop(header)
                writeToServer { Frontend.writeCopyFail("canceled by the client", to: &$0) }
            } else {
                client.pass(header.totalLength)
            }
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

    private mutating func copyData(_ header: FrameHeader) throws(CloisterError) -> Bool {
        guard copyIn?.encryption != nil else {
            client.pass(header.totalLength)
            return true
        }
        guard header.bodyLength <= limits.heldMessage else {
            drop(header)
            failCopy(CloisterError(.messageTooLarge, "a CopyData message is too long"))
            return true
        }
        guard let body = client.body(header) else { return false }
        let settings = state.settings
        do throws(CloisterError) {
            if let sealed = try copyIn?.encryption?.feed(
                Array(body.readableBytesView), cells: cells, settings: settings, catalog: state.catalog)
            {
                drop(header)
                if !sealed.isEmpty { writeToServer { Frontend.writeCopyData(sealed, to: &$0) } }
            }
        } catch {
            drop(header)
            failCopy(error)
        }
        return true
    }

    private mutating func copyDone(_ header: FrameHeader) throws(CloisterError) {
        let settings = state.settings
        do throws(CloisterError) {
            if let rest = try copyIn?.encryption?.finish(cells: cells, settings: settings, catalog: state.catalog), !rest.isEmpty {
                writeToServer { Frontend.writeCopyData(rest, to: &$0) }
            }
            client.pass(header.totalLength)
            copyIn = nil
        } catch {
            drop(header)
            failCopy(error)
        }
    }

    /// Ends the COPY: the server gets CopyFail, the client our error in the place of the server's.
    mutating func failCopy(_ error: CloisterError) {
        copyIn = nil
        writeToServer { Frontend.writeCopyFail("refused by cloister", to: &$0) }
        switch pending.first {
        case .query(let exchange): exchange.refusal = Refusal(error)
        case .execute(let portal): portal.refusal = Refusal(error)
        case .parse, .bind, .describeStatement, .describePortal, .closeStatement, .closePortal, .sync, .functionCall, .refused, .injected,
            nil:
            break
        }
    }
}
