internal import CellFormat
internal import ColumnCatalog
internal import Diagnostics
internal import NIOCore
internal import PGWire
internal import SQLBinding
internal import ValueCodec

/// What becomes of a statement's text.
enum Decision {
    /// An injected query must be answered first.
    case wait
    case refuse(Refusal)
    case pass(StatementEffects)
    case send(SentStatement)
    /// The proxy has done, or will do at Execute, what the text asks for: the server gets `standIn`.
    case command(ColumnCommand)
}

extension SessionMachine {
    /// `text`: as the client sent it.
    mutating func decide(_ text: [UInt8], isExtended: Bool, declaredTypes: [UInt32] = []) -> Decision {
        // Without a known state nothing that went before in an implicit transaction can be answered for.
        if let failure = prepared.failure, failure.code != .failedTransaction { return .refuse(Refusal(failure)) }
        if prepared.failure == nil, status == .failed, pending.isEmpty {
            prepared.failure = Self.failedTransaction
        }
        state.followStore(isPrepared: prepared.catalogLoaded || prepared.settingsLoaded)
        if state.catalogIsStale, !prepared.catalogLoaded, prepared.failure == nil { return prepare(.catalog) }
        if state.settingsAreInFlux, prepared.failure == nil, !prepared.settingsLoaded { return prepare(.settings) }
        let client = text
        let text: [UInt8]
        do throws(CloisterError) { text = try state.readable(client) } catch { return .refuse(Refusal(error)) }
        var context = BindContext(
            catalog: state.catalog, searchPath: state.searchPath,
            standardConformingStrings: state.settings.standardConformingStrings, declaredParameterTypes: declaredTypes,
            isExtendedProtocol: isExtended, catalogIsCurrent: prepared.catalogLoaded)
        context.prepared = state.preparedInSQL
        switch resources.bind(text, context) {
        case .passThrough(let effects):
            if awaitsPrepare(effects) { return .wait }
            if let error = forbiddenExecute(effects) { return .refuse(Refusal(error)) }
            // Its rows may hold cells, whose texts depend on the settings.
            if needsSettings, prepared.failure == nil, !(effects.statements.count == 1 && StatementKind(text).returnsNoRows) {
                return prepare(.settings)
            }
            return .pass(effects)
        case .refused(let error, let offset):
            return .refuse(Refusal(error, position: offset.map { SentStatement.character(atOffset: $0, in: text) }))
        case .needsCatalog: return prepare(.catalog)
        case .needsSearchPath: return prepare(.settings)
        case .administer(let command): return decide(command, isExtended: isExtended)
        case .bound(var plan):
            plan.declareParameters(declaredTypes.count)
            if !state.settingsAreKnown { return prepare(.settings) }
            if let failure = prepared.failure { return .refuse(Refusal(failure)) }
            if awaitsPrepare(plan.effects) { return .wait }
            if let error = forbiddenExecute(plan.effects) { return .refuse(Refusal(error)) }
            // Which of several COPYs the data are of could not be told apart.
            if let copy = plan.copyIn ?? plan.copyOut?.layout, plan.effects.statements.count > 1 {
                return .refuse(
                    Refusal(
                        CloisterError(.copyRefused, "COPY of \(copy.relation) must be sent alone", hint: "Send each statement on its own."))
                )
            }
            do throws(CloisterError) {
                let encoding = try CellService.encoding(state.settings)
                let context = valueContext()
                try cells.reserve(plan)
                // Equal constants are equal cells, for PostgreSQL compares expressions (GROUP BY) by their constants' bytes; but not
                // those of the rows of an INSERT: the server would see which rows are alike.
                var made: [LiteralSlot: [UInt8]] = [:]
                return .send(
                    try SentStatement(plan: plan, original: text, encoding: encoding) { (slot) throws(CloisterError) in
                        var key = slot
                        key.range = 0..<0
                        key.column = ""
                        if !slot.isOwn, let known = made[key] { return known }
                        let cell = try cells.literal(slot, context)
                        if !slot.isOwn { made[key] = cell }
                        return cell
                    })
            } catch {
                // Another session may have added the label.
                if error.code == .unknownLabel, !prepared.catalogLoaded { return prepare(.catalog) }
                return .refuse(Refusal(error))
            }
        }
    }

    /// Whether something may be shown or read by settings that are not known.
    var needsSettings: Bool {
        !prepared.settingsLoaded && (!state.settingsAreKnown || state.settingsAreInFlux) && !state.catalog.markedNames.isEmpty
    }

    /// SQL's EXECUTE of a statement that the client prepared through the protocol: its arguments would be plaintext.
    func forbiddenExecute(_ effects: StatementEffects) -> CloisterError? {
        guard !state.catalog.markedNames.isEmpty else { return nil }
        var prepared: Set<String> = []
        for statement in effects.statements {
            if let name = statement.prepares { prepared.insert(name) }
            guard let name = statement.executes else { continue }
            let known = statements.lookup(Identifier(name))
            if known == nil, state.preparedInSQL[name] == nil, !prepared.contains(name) {
                // Its PREPARE may have been refused, or its name be longer than what the server keeps of it.
                return CloisterError(
                    .executeUnknown, "prepared statement \"\(name)\" does not exist, or was not prepared through this session of the proxy",
                    hint: "PREPARE it in a statement of its own; bind statements over encrypted columns through the extended protocol.")
            }
            guard let plan = known?.sent?.plan, plan.parameters.contains(where: { $0.use != .plain }) else { continue }
            return CloisterError(
                .executeRefused, "EXECUTE of a statement with encrypted parameters is not supported",
                hint: "Bind and execute it through the extended protocol.")
        }
        return nil
    }

    /// An EXECUTE after a PREPARE that the server has not answered: what its values are for is not known yet.
    private mutating func awaitsPrepare(_ effects: StatementEffects) -> Bool {
        guard effects.statements.contains(where: { $0.executes != nil }), hasPrepareInFlight else { return false }
        if isBatchOpen, !isBatchPushed {
            isBatchPushed = true
            writeToServer { Frontend.write(.flush, to: &$0) }
        }
        isClientBlocked = true
        return true
    }

    private var hasPrepareInFlight: Bool {
        func changes(_ effects: StatementEffects) -> Bool {
            effects.statements.contains { $0.prepares != nil || $0.deallocates != nil || !$0.flags.isDisjoint(with: [.deallocateAll]) }
        }
        return pending.contains { entry in
            switch entry {
            case .query(let exchange): changes(exchange.effects)
            case .execute(let portal): changes(portal.statement?.effects ?? StatementEffects())
            case .parse, .bind, .describeStatement, .describePortal, .closeStatement, .closePortal, .sync, .functionCall, .refused,
                .injected:
                false
            }
        }
    }

    private mutating func prepare(_ kind: Injection.Kind) -> Decision {
        if let failure = prepared.failure { return .refuse(Refusal(failure)) }
        var kinds: [Injection.Kind] = []
        if kind == .catalog, !prepared.catalogLoaded { kinds.append(.catalog) }
        if !prepared.settingsLoaded, state.searchPath == nil || !state.settingsAreKnown || state.settingsAreInFlux {
            kinds.append(.settings)
        }
        guard kinds.contains(kind) else {
            return .refuse(
                Refusal(
                    CloisterError(.catalogUnavailable, "the statement can't be bound with the catalog and settings that the server told")))
        }
        inject(kinds)
        return .wait
    }
}
