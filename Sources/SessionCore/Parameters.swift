internal import CellFormat
internal import ColumnCatalog
internal import Diagnostics
internal import NIOCore
internal import PGWire
internal import SQLBinding

/// The client's parameters as the server sees them, and back.
extension SessionMachine {
    /// The types that the server's Parse declares: ours for what we encrypt, the client's own for the rest.
    func serverTypes(of plan: BoundStatement, declared: [UInt32]) throws(CloisterError) -> [UInt32] {
        var types: [UInt32] = []
        for parameter in plan.parameters {
            switch parameter.use {
            case .plain: types.append(parameter.clientIndex < declared.count ? declared[parameter.clientIndex] : 0)
            case .unused:
                // Without a type the server refuses one that the text does not use (42P18).
                let isUntyped = parameter.clientIndex >= declared.count || declared[parameter.clientIndex] == 0
                types.append(isUntyped && plan.isSpare(parameter.clientIndex) ? 0 : LogicalType.text.oid)
            case .nullness: types.append(LogicalType.boolean.oid)
            case .encrypted(let type, _, let column):
                guard let oid = state.catalog.typeOIDs[ServerType(type.logical, type.scheme, isArray: parameter.form == .array)] else {
                    throw CloisterError(
                        .extensionMissing, "type \(type.serverTypeName) of \(column) does not exist in this database",
                        hint: "CREATE EXTENSION cloister.")
                }
                types.append(oid)
            }
        }
        return types
    }

    /// What the client sees of a ParameterDescription. Marks the statement if the server's types contradict the plan.
    func parameters(_ description: ParameterDescription, of statement: PreparedStatement) throws(CloisterError) -> ParameterDescription {
        func contradict(_ what: String) {
            statement.contradiction = CloisterError(
                .planContradicted, "\(what): the statement can't be bound safely",
                hint: "Cast the parameter or the expression to the type you mean.")
        }
        let catalog = state.catalog
        guard let plan = statement.sent?.plan, !plan.parameters.isEmpty else {
            var shown = description
            for (index, type) in description.types.enumerated() {
                guard let ours = catalog.serverTypes[type] else { continue }
                contradict("the server takes parameter $\(index + 1) for an encrypted value")
                shown.types[index] = ours.logical.oid
            }
            statement.parametersAgree = true
            return shown
        }
        guard plan.parameters.count == description.types.count else {
            contradict("the server sees another number of parameters")
            return description
        }
        var shown = [UInt32](repeating: 0, count: plan.clientParameterCount)
        for (parameter, type) in zip(plan.parameters, description.types) {
            let client = parameter.clientIndex
            let isShown = shown.indices.contains(client)
            guard isShown || parameter.computation != nil else {
                throw CloisterError(.planContradicted, "a parameter of the plan has no place")
            }
            let declared = client < statement.declaredTypes.count ? statement.declaredTypes[client] : 0
            switch parameter.use {
            case .plain:
                if catalog.serverTypes[type] != nil { contradict("the server takes parameter $\(client + 1) for an encrypted value") }
                if shown[client] == 0 { shown[client] = type }
            case .unused: if shown[client] == 0 { shown[client] = declared != 0 ? declared : LogicalType.text.oid }
            case .nullness: break
            case .encrypted(let wanted, _, _):
                if catalog.serverTypes[type] != ServerType(wanted.logical, wanted.scheme, isArray: parameter.form == .array) {
                    contradict("the server takes parameter $\(client + 1) for another type than the plan")
                }
                guard isShown, shown[client] == 0 || parameter.computation == nil else { break }
                let logical = parameter.declaredType ?? (parameter.form == .pattern ? .text : wanted.logical)
                let user = parameter.form == .pattern ? nil : wanted.enumeration.flatMap { catalog.userTypes[$0] }
                shown[client] =
                    declared != 0
                    ? declared
                    : parameter.form == .array ? user?.arrayOID ?? logical.arrayOID : user?.oid ?? logical.oid
            }
        }
        statement.parametersAgree = true
        return ParameterDescription(types: shown)
    }

    /// The Bind that the server gets: cells in binary for what the plan encrypts, the rest as it came.
    mutating func serverBind(_ message: BindMessage, statement: PreparedStatement, plan: BoundStatement) throws(CloisterError)
        -> BindMessage
    {
        guard message.parameters.count == plan.clientParameterCount else {
            throw CloisterError(
                .protocolViolation,
                "bind message supplies \(message.parameters.count) parameters, but the prepared statement requires \(plan.clientParameterCount)"
            )
        }
        try cells.reserve(plan)
        let context = valueContext()
        let client = message.parameters.enumerated().map { index, value in
            CellService.ClientParameter(
                value: value.map { Array($0.readableBytesView) }, format: message.parameterFormat(index),
                declared: index < statement.declaredTypes.count ? statement.declaredTypes[index] : 0)
        }
        var formats: [Int16] = []
        var values: [ByteBuffer?] = []
        for parameter in plan.parameters {
            let index = parameter.clientIndex
            guard message.parameters.indices.contains(index) || parameter.computation != nil else {
                throw CloisterError(.planContradicted, "a parameter of the plan has no place")
            }
            switch parameter.use {
            case .plain:
                formats.append(message.parameterFormat(index))
                values.append(message.parameters[index])
            case .unused:
                formats.append(0)
                values.append(nil)
            case .nullness:
                formats.append(0)
                values.append(message.parameters[index] == nil ? nil : ByteBuffer(string: "t"))
            case .encrypted(let type, let role, let column):
                formats.append(1)
                let target = CellTarget(type: type, role: role, column: column, modifier: parameter.modifier, form: parameter.form)
                let elementOID = state.catalog.typeOIDs[ServerType(type.logical, type.scheme)] ?? 0
                let sealed = try cells.parameter(parameter, target, of: client, elementOID: elementOID, context)
                values.append(sealed.map { ByteBuffer(bytes: $0) })
            }
        }
        return BindMessage(
            portal: message.portal, statement: message.statement, parameterFormats: formats, parameters: values,
            resultFormats: message.resultFormats)
    }
}
