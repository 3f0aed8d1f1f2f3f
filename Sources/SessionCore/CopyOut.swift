internal import CellFormat
internal import Diagnostics
internal import NIOCore
internal import PGWire
internal import SQLBinding
internal import ValueCodec

/// Decrypts the data of one COPY TO STDOUT.
struct CopyOutDecryption {
    private var stream: CopyStream

    init(plan: CopyOutPlan, settings: SessionSettings) throws(CloisterError) {
        stream = try CopyStream(.to, plan.layout, forceQuote: plan.forceQuote, settings: settings)
    }

    mutating func feed(_ chunk: [UInt8], cells: CellService, settings: SessionSettings) throws(CloisterError) -> [UInt8] {
        let isBinary = stream.isBinary
        return try stream.feed(chunk) { (column, value) throws(CloisterError) in
            try cells.value(ofField: value, isBinary: isBinary, column, settings)
        }
    }

    mutating func finish(cells: CellService, settings: SessionSettings) throws(CloisterError) -> [UInt8] {
        let isBinary = stream.isBinary
        return try stream.finish { (column, value) throws(CloisterError) in
            try cells.value(ofField: value, isBinary: isBinary, column, settings)
        }
    }
}

extension SessionMachine {
    /// CopyOutResponse: data follow.
    mutating func copyOutResponse(_ body: ByteBuffer, _ header: FrameHeader) throws(CloisterError) {
        copyOut = nil
        let plan: CopyOutPlan?
        switch pending.first {
        case .query(let exchange): plan = exchange.sent?.plan.copyOut
        case .execute(let portal): plan = portal.statement?.sent?.plan.copyOut
        case .parse, .bind, .describeStatement, .describePortal, .closeStatement, .closePortal, .sync, .functionCall, .refused, .injected,
            nil:
            plan = nil
        }
        guard let plan, !isMuted else { return show(header) }
        let response = try CopyResponse(body: body)
        do throws(CloisterError) {
            guard (response.format == 1) == (plan.layout.format == .binary), response.columnFormats.count == plan.layout.columns.count
            else {
                throw CloisterError(
                    .copyRefused, "the server copies other columns of \(plan.layout.relation) than the plan, or in another format",
                    hint: "Name the columns in the COPY statement.")
            }
            copyOut = try CopyOutDecryption(plan: plan, settings: state.settings)
            show(header)
        } catch {
            swallow(header)
            giveUpOnResult(error)
        }
    }

    /// CopyData of a COPY TO STDOUT.
    mutating func copyDataFromServer(_ header: FrameHeader) throws(CloisterError) -> Bool {
        switch pending.first {
        case .query, .execute: break
        case .parse, .bind, .describeStatement, .describePortal, .closeStatement, .closePortal, .sync, .functionCall, .refused, .injected,
            nil:
            throw unexpected(.copyData)
        }
        guard copyOut != nil, !isMuted else {
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
        let settings = state.settings
        do throws(CloisterError) {
            let shown = try copyOut?.feed(Array(body.readableBytesView), cells: cells, settings: settings) ?? []
            if !shown.isEmpty { writeToClient { Frontend.writeCopyData(shown, to: &$0) } }
        } catch { giveUpOnResult(error) }
        return true
    }

    /// CopyDone from the server.
    mutating func copyOutDone(_ header: FrameHeader) throws(CloisterError) {
        let settings = state.settings
        do throws(CloisterError) {
            let rest = try copyOut?.finish(cells: cells, settings: settings) ?? []
            if !rest.isEmpty { writeToClient { Frontend.writeCopyData(rest, to: &$0) } }
            show(header)
        } catch {
            swallow(header)
            giveUpOnResult(error)
        }
        copyOut = nil
    }
}
