internal import CellCrypto
internal import CellFormat
internal import ColumnCatalog
internal import Diagnostics
internal import SQLBinding
internal import ValueCodec

/// What a client's constant or parameter is sealed with.
struct CellTarget {
    let type: EncryptedType
    let role: CellRole
    /// `schema.table.column`, for messages.
    let column: String
    /// `ColumnMark.modifier`.
    let modifier: Int32
    let form: CellForm
}

/// What values depend on besides themselves.
struct ValueContext {
    let settings: SessionSettings
    /// The transaction's time, in microseconds since 2000-01-01 00:00 UTC.
    let now: Int64
    /// Tells the labels of enumerations and the OIDs of users' types.
    let catalog: CatalogSnapshot
}

extension CellService {
    // MARK: Literals

    /// `'\x…'::pg_catalog.enc_T`, or with `E'\\x…'` where backslashes are escapes; an array of cells as `'{…}'::pg_catalog.enc_T[]`.
    func literal(_ slot: LiteralSlot, _ context: ValueContext) throws(CloisterError) -> [UInt8] {
        let target = CellTarget(type: slot.target, role: slot.role, column: slot.column, modifier: slot.modifier, form: slot.form)
        let value: TypedValue
        if let computation = slot.computation {
            value = try evaluate(computation, context) { (_) throws(CloisterError) in TypedValue(type: nil, bytes: nil) }
        } else if slot.form == .value {
            value = try typed(slot.value, slot.kind, as: slot.declaredType, context)
        } else {
            value = TypedValue(type: nil, bytes: slot.value)
        }
        if slot.form == .array {
            let elements = try value.bytes.map { (bytes) throws(CloisterError) in
                try arrayElements(bytes, format: 0, source: slot.declaredType, target, context)
            }
            return arrayLiteral(elements, target.type, context.settings)
        }
        guard let bytes = value.bytes else { return Array("NULL::pg_catalog.\(target.type.serverTypeName)".utf8) }
        let cell = try seal(canonical(bytes, value.type, target, context), target)
        var text = Array((context.settings.standardConformingStrings ? "'\\x" : "E'\\\\x").utf8)
        text.reserveCapacity(text.count + 2 * cell.count + 40)
        Hex.append(cell.span, to: &text)
        text.append(contentsOf: "'::pg_catalog.\(target.type.serverTypeName)".utf8)
        return text
    }

    /// Quoted so that array_in reads each element as a cell's text: `"\\x…"`; backslashes twice more where strings have escapes.
    private func arrayLiteral(_ elements: ArrayOfCells?, _ type: EncryptedType, _ settings: SessionSettings) -> [UInt8] {
        let name = "pg_catalog.\(type.serverTypeName)[]"
        guard let elements else { return Array("NULL::\(name)".utf8) }
        let escape = settings.standardConformingStrings ? "\\\\" : "\\\\\\\\"
        var text = Array((settings.standardConformingStrings ? "'{" : "E'{").utf8)
        for (index, element) in elements.cells.enumerated() {
            if index > 0 { text.append(0x2c) }
            guard let element else {
                text.append(contentsOf: "NULL".utf8)
                continue
            }
            text.append(contentsOf: "\"\(escape)x".utf8)
            Hex.append(element.span, to: &text)
            text.append(0x22)
        }
        text.append(contentsOf: "}'::\(name)".utf8)
        return text
    }

    /// A constant as PostgreSQL reads it: a number is an integer if it looks and fits like one, else numeric; a string's type is open.
    private func typed(
        _ text: [UInt8], _ kind: LiteralSlot.Kind, as declared: LogicalType?, _ context: ValueContext
    ) throws(CloisterError) -> TypedValue {
        var type = declared
        if type == nil {
            switch kind {
            case .string: return TypedValue(type: nil, bytes: text)
            case .boolean: type = .boolean
            case .number:
                let isInteger = text.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2d || $0 == 0x2b }
                type = .numeric
                if isInteger {
                    for candidate in [LogicalType.int4, .int8]
                    where (try? ValueCodec.canonical(fromText: text, type: candidate, settings: context.settings)) != nil {
                        type = candidate
                        break
                    }
                }
            }
        }
        guard let type else { return TypedValue(type: nil, bytes: text) }
        return TypedValue(type: type, bytes: try ValueCodec.canonical(fromText: text, type: type, settings: context.settings))
    }

    // MARK: Computations

    /// The value of a constant expression.
    func evaluate(
        _ computation: Computation<ConstantText>, _ context: ValueContext, parameter: (Int) throws(CloisterError) -> TypedValue
    ) throws(CloisterError) -> TypedValue {
        switch computation {
        case .constant(let constant): return try typed(constant.value, constant.kind, as: nil, context)
        case .null: return TypedValue(type: nil, bytes: nil)
        case .parameter(let index): return try parameter(index)
        case .cast(let inner, let type):
            return try cast(try evaluate(inner, context, parameter: parameter), to: type, context)
        case .call(let name, let isOperator, let operands):
            var values: [TypedValue] = []
            for operand in operands { values.append(try evaluate(operand, context, parameter: parameter)) }
            switch name {
            case "like_escape" where values.count == 2:
                guard let pattern = values[0].bytes, let escape = values[1].bytes else { return TypedValue(type: .text, bytes: nil) }
                return TypedValue(type: .text, bytes: try LikePattern.canonical(pattern, escape: escape))
            case "like_folded" where values.count == 1: return try caseless(values[0])
            case "like_literal" where values.count == 1:
                var value = try caseless(values[0])
                value.bytes = value.bytes.map { bytes in
                    bytes.flatMap { [0x25, 0x5f, 0x5c].contains($0) ? [0x5c, $0] : [$0] }
                }
                return value
            default:
                return try ConstantFunctions.evaluate(
                    name, isOperator: isOperator, values, settings: context.settings, now: context.now)
            }
        }
    }

    /// An explicit cast: a text is read as a value of the type.
    private func cast(_ value: TypedValue, to type: LogicalType, _ context: ValueContext) throws(CloisterError) -> TypedValue {
        guard let bytes = value.bytes else { return TypedValue(type: type, bytes: nil) }
        let isText = value.type == .text || value.type == .varchar
        guard let source = value.type, !isText || type.isText else {
            return TypedValue(type: type, bytes: try ValueCodec.canonical(fromText: bytes, type: type, settings: context.settings))
        }
        guard source != type else { return value }
        do {
            return TypedValue(
                type: type, bytes: try ValueCodec.convert(canonical: bytes, from: source, to: type, settings: context.settings))
        } catch {
            guard error.code == .datatypeMismatch else { throw error }
            // PostgreSQL has more explicit casts than those that assignments use.
            throw CloisterError(
                .unsupportedValue, "a cast of a \(source.name) to \(type.name) is not computed", hint: "Write the value as it shall be.")
        }
    }

    /// A text whose letters' case shall not matter: which letters beyond ASCII have another case is the server's locale's to say.
    private func caseless(_ value: TypedValue) throws(CloisterError) -> TypedValue {
        guard value.bytes?.allSatisfy({ $0 < 0x80 }) ?? true else {
            throw CloisterError(
                .parameterMismatch, "upper() or lower() of letters beyond ASCII depends on the server's locale",
                hint: "use ILIKE, or compare as it is")
        }
        return value
    }

    /// The canonical bytes of a value (canonical of `source`, or text if that is nil) for what it meets.
    private func canonical(
        _ bytes: [UInt8], _ source: LogicalType?, _ target: CellTarget, _ context: ValueContext
    ) throws(CloisterError) -> [UInt8] {
        let type = target.type.logical
        if target.form == .pattern {
            guard source == nil || source == .text || source == .varchar else {
                throw CloisterError(.parameterMismatch, "a pattern for \(target.column) is not a text")
            }
            return try ValueCodec.canonical(fromText: bytes, type: .text, settings: context.settings)
        }
        let value: [UInt8]
        if let source, source != type {
            value = try ValueCodec.convert(
                canonical: bytes, from: source, to: type, purpose: target.role.purpose, settings: context.settings)
        } else {
            // A literal's or COPY field's number without a unit counts what the interval's declared fields say.
            let modifier = target.role == .stored ? target.modifier : -1
            value =
                source == nil
                ? try ValueCodec.canonical(fromText: bytes, type: type, modifier: modifier, settings: context.settings) : bytes
        }
        if let enumeration = target.type.enumeration { try checkLabel(value, enumeration, target, context.catalog) }
        guard target.modifier >= 0, target.role == .stored else { return value }
        return try ValueCodec.limited(value, type: type, modifier: target.modifier, isExplicit: false)
    }

    /// The labels are the server's to tell; that a value is none is told to the client, without the value.
    private func checkLabel(
        _ value: [UInt8], _ enumeration: TypeName, _ target: CellTarget, _ catalog: CatalogSnapshot
    ) throws(CloisterError) {
        guard case .enumeration(let labels)? = catalog.userTypes[enumeration]?.kind else {
            throw CloisterError(
                .enumerationMissing, "enum \(enumeration) of \(target.column) does not exist in this database", hint: "CREATE TYPE it.")
        }
        guard labels.contains(String(decoding: value, as: UTF8.self)) else {
            throw CloisterError(.unknownLabel, "invalid input value for enum \(enumeration.name), for \(target.column)")
        }
    }

    func seal(_ canonical: [UInt8], _ target: CellTarget) throws(CloisterError) -> [UInt8] {
        let type = target.type
        guard let cipher = keys.cipher(type.key) else {
            throw CloisterError(.keyUnavailable, "the proxy holds no key \(type.key.rawValue), which encrypts \(target.column)")
        }
        switch type.scheme {
        case .randomized:
            let writer = target.role == .operand ? operands : writer
            return try writer.seal(canonical.span, role: target.role, type: type, with: cipher)
        case .deterministic:
            let normalized = ValueCodec.normalizedForEquality(canonical, type: type.logical)
            return try cipher.sealDeterministic(normalized.span, type: type)
        }
    }

    // MARK: Parameters

    /// One parameter of a Bind as the client sent it.
    struct ClientParameter {
        /// nil: NULL.
        let value: [UInt8]?
        let format: Int16
        /// The OID that the client's Parse states, 0 if none.
        let declared: UInt32
    }

    /// A parameter's cell, or array of cells in binary; nil for NULL.
    func parameter(
        _ wanted: ServerParameter, _ target: CellTarget, of client: [ClientParameter], elementOID: UInt32, _ context: ValueContext
    ) throws(CloisterError) -> [UInt8]? {
        if let computation = wanted.computation {
            let value = try evaluate(computation, context) { (index) throws(CloisterError) in
                guard client.indices.contains(index) else { throw CloisterError(.planContradicted, "a parameter of the plan has no place") }
                return try typed(client[index], for: target.column, context)
            }
            guard let bytes = value.bytes else { return nil }
            return try seal(canonical(bytes, value.type, target, context), target)
        }
        guard client.indices.contains(wanted.clientIndex) else {
            throw CloisterError(.planContradicted, "a parameter of the plan has no place")
        }
        let parameter = client[wanted.clientIndex]
        guard let sent = parameter.value else { return nil }
        if wanted.form == .array {
            let value = try Self.utf8(sent, format: parameter.format, type: .bytea, context.settings)
            var source = wanted.declaredType
            if source == nil, parameter.declared != 0, parameter.declared != Self.unknownOID {
                guard let known = LogicalType(arrayOID: parameter.declared) ?? stored(parameter.declared, target, context) else {
                    throw mismatch(target)
                }
                source = known
            }
            return try arrayElements(value, format: parameter.format, source: source, target, context).binary(elementOID: elementOID)
        }
        var source = wanted.declaredType ?? (target.form == .pattern ? .text : target.type.logical)
        if parameter.declared != 0, parameter.declared != Self.unknownOID {
            guard let known = LogicalType(oid: parameter.declared) ?? stored(parameter.declared, target, context) else {
                throw mismatch(target)
            }
            source = known
        }
        let value = try Self.utf8(sent, format: parameter.format, type: source, context.settings)
        var bytes =
            parameter.format == 0
            ? try ValueCodec.canonical(fromText: value, type: source, settings: context.settings)
            : try ValueCodec.canonical(fromBinary: value, type: source)
        if let cast = wanted.declaredType, cast != source {
            bytes = try ValueCodec.convert(canonical: bytes, from: source, to: cast, settings: context.settings)
            source = cast
        }
        return try seal(canonical(bytes, source, target, context), target)
    }

    /// A parameter inside a computation: of its declared type; an undeclared one is read as PostgreSQL reads a string constant.
    private func typed(_ parameter: ClientParameter, for column: String, _ context: ValueContext) throws(CloisterError) -> TypedValue {
        guard parameter.declared != 0, parameter.declared != Self.unknownOID else {
            let bytes = try parameter.value.map { (value) throws(CloisterError) in
                try Self.utf8(value, format: parameter.format, type: .text, context.settings)
            }
            return TypedValue(type: nil, bytes: bytes)
        }
        guard let type = LogicalType(oid: parameter.declared) else {
            throw CloisterError(.parameterMismatch, "a parameter for \(column) is declared as a type that can't be computed with")
        }
        guard let sent = parameter.value else { return TypedValue(type: type, bytes: nil) }
        let value = try Self.utf8(sent, format: parameter.format, type: type, context.settings)
        let bytes =
            parameter.format == 0
            ? try ValueCodec.canonical(fromText: value, type: type, settings: context.settings)
            : try ValueCodec.canonical(fromBinary: value, type: type)
        return TypedValue(type: type, bytes: bytes)
    }

    /// What a value of a user's type is stored as: of the target's enumeration, text; of a domain, which checks nothing here, nil.
    private func stored(_ oid: UInt32, _ target: CellTarget, _ context: ValueContext) -> LogicalType? {
        guard let enumeration = target.type.enumeration, context.catalog.userTypesByOID[oid] == enumeration else { return nil }
        return .text
    }

    private func mismatch(_ target: CellTarget) -> CloisterError {
        CloisterError(
            .parameterMismatch,
            "a parameter for \(target.column) is declared as a type that \(target.type.logical.name) can't be made from")
    }

    /// A COPY field's cell. `value`: binary as the client sent it, text in UTF-8.
    func field(
        _ value: [UInt8], isBinary: Bool, _ target: CellTarget, settings: SessionSettings, catalog: CatalogSnapshot
    ) throws(CloisterError) -> [UInt8] {
        let type = target.type.logical
        let context = ValueContext(settings: settings, now: 0, catalog: catalog)
        if isBinary {
            let value = try Self.utf8(value, format: 1, type: type, settings)
            return try seal(canonical(ValueCodec.canonical(fromBinary: value, type: type), type, target, context), target)
        }
        return try seal(canonical(value, nil, target, context), target)
    }

    /// `pg_type.oid` of `unknown`: as good as undeclared.
    private static let unknownOID: UInt32 = 705

    // MARK: Arrays

    /// The cells of an array's elements. `source`: the elements' type; nil: the target's.
    private func arrayElements(
        _ value: [UInt8], format: Int16, source: LogicalType?, _ target: CellTarget, _ context: ValueContext
    ) throws(CloisterError) -> ArrayOfCells {
        let array = try format == 0 ? ArrayCodec.elements(ofText: value) : ArrayCodec.elements(ofBinary: value)
        let type = source ?? target.type.logical
        if let element = array.elementOID, (LogicalType(oid: element) ?? stored(element, target, context)) != type {
            throw mismatch(target)
        }
        var cells: [[UInt8]?] = []
        for element in array.elements {
            guard let element else {
                cells.append(nil)
                continue
            }
            let bytes =
                format == 0
                ? try ValueCodec.canonical(fromText: element, type: type, settings: context.settings)
                : try ValueCodec.canonical(fromBinary: Self.utf8(element, format: 1, type: type, context.settings), type: type)
            cells.append(try seal(canonical(bytes, type, target, context), target))
        }
        return ArrayOfCells(cells: cells, dimensions: array.dimensions)
    }
}

/// An array whose elements were sealed.
struct ArrayOfCells {
    let cells: [[UInt8]?]
    let dimensions: [ArrayCodec.Dimension]

    func binary(elementOID: UInt32) -> [UInt8] { ArrayCodec.binary(elements: cells, dimensions: dimensions, elementOID: elementOID) }
}
