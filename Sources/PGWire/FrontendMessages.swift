package import Diagnostics
package import NIOCore

// Bodies of the frontend messages whose contents matter. Each `init(body:)` takes the bytes after the header and throws
// `protocolViolation`; strings and values are slices of the message, not copies.

/// `Q`: one text of any number of statements.
package struct QueryMessage: Equatable, Sendable {
    package var text: ByteBuffer

    package init(text: ByteBuffer) { self.text = text }

    package init(body: ByteBuffer) throws(CloisterError) {
        var body = body
        text = try body.readTerminated("the query's text")
        try body.expectEnd("Query")
    }

    package func write(to buffer: inout ByteBuffer) {
        buffer.writeMessage(FrontendType.query.rawValue) {
            $0.writeImmutableBuffer(text)
            $0.writeInteger(UInt8(0))
        }
    }
}

/// `P`: name, text, the declared OIDs of the first parameters (0: unspecified).
package struct ParseMessage: Equatable, Sendable {
    package var name: Identifier
    package var text: ByteBuffer
    package var parameterTypes: [UInt32]

    package init(name: Identifier, text: ByteBuffer, parameterTypes: [UInt32] = []) {
        self.name = name
        self.text = text
        self.parameterTypes = parameterTypes
    }

    package init(body: ByteBuffer) throws(CloisterError) {
        var body = body
        name = try body.readIdentifier("the statement's name")
        text = try body.readTerminated("the statement's text")
        let count = Int(try body.read(UInt16.self, "the number of parameter types"))
        guard body.readableBytes == count * 4 else { throw .malformed("Parse states another number of parameter types than it has") }
        parameterTypes = []
        parameterTypes.reserveCapacity(count)
        for _ in 0..<count { parameterTypes.append(try body.read(UInt32.self, "a parameter's type")) }
    }

    package func write(to buffer: inout ByteBuffer) {
        buffer.writeMessage(FrontendType.parse.rawValue) {
            name.write(to: &$0)
            $0.writeImmutableBuffer(text)
            $0.writeInteger(UInt8(0))
            $0.writeInteger(UInt16(clamping: parameterTypes.count))
            for type in parameterTypes { $0.writeInteger(type) }
        }
    }
}

/// `B`: portal, statement, parameter formats, parameters, result formats. Format lists hold 0 (all text), 1 (for all) or
/// one code per item.
package struct BindMessage: Equatable, Sendable {
    package var portal: Identifier
    package var statement: Identifier
    package var parameterFormats: [Int16]
    package var parameters: [ByteBuffer?]
    package var resultFormats: [Int16]

    package init(
        portal: Identifier, statement: Identifier, parameterFormats: [Int16] = [], parameters: [ByteBuffer?] = [],
        resultFormats: [Int16] = []
    ) {
        self.portal = portal
        self.statement = statement
        self.parameterFormats = parameterFormats
        self.parameters = parameters
        self.resultFormats = resultFormats
    }

    package init(body: ByteBuffer) throws(CloisterError) {
        var body = body
        portal = try body.readIdentifier("the portal's name")
        statement = try body.readIdentifier("the statement's name")
        parameterFormats = try body.readFormats("the parameter formats")
        let count = Int(try body.read(UInt16.self, "the number of parameters"))
        // Each parameter has at least its length word.
        guard count * 4 <= body.readableBytes else { throw .malformed("Bind states more parameters than it has") }
        guard parameterFormats.count <= 1 || parameterFormats.count == count else {
            throw .malformed("bind message has \(parameterFormats.count) parameter formats but \(count) parameters")
        }
        parameters = []
        parameters.reserveCapacity(count)
        for _ in 0..<count { parameters.append(try body.readValue("a parameter")) }
        resultFormats = try body.readFormats("the result formats")
        try body.expectEnd("Bind")
    }

    /// The names alone, from as much of the body as has come; nil: they are not there whole yet.
    package static func names(peeking body: ByteBuffer) -> (portal: Identifier, statement: Identifier)? {
        var body = body
        guard let portal = try? body.readIdentifier("portal"), let statement = try? body.readIdentifier("statement") else { return nil }
        return (portal, statement)
    }

    /// The result formats alone, skipping the parameters without touching them.
    package static func resultFormats(body: ByteBuffer) throws(CloisterError) -> [Int16] {
        var body = body
        _ = try body.readTerminated("the portal's name")
        _ = try body.readTerminated("the statement's name")
        let formats = Int(try body.read(UInt16.self, "the parameter formats"))
        guard body.readableBytes >= formats * 2 else { throw .malformed("the parameter formats are cut off") }
        body.moveReaderIndex(forwardBy: formats * 2)
        let count = Int(try body.read(UInt16.self, "the number of parameters"))
        for _ in 0..<count {
            let length = try body.read(Int32.self, "a parameter")
            guard length >= -1, Int(length) <= body.readableBytes else { throw .malformed("a parameter is cut off") }
            if length > 0 { body.moveReaderIndex(forwardBy: Int(length)) }
        }
        let result = try body.readFormats("the result formats")
        try body.expectEnd("Bind")
        return result
    }

    /// 0 text, 1 binary.
    package func parameterFormat(_ index: Int) -> Int16 {
        switch parameterFormats.count {
        case 0: 0
        case 1: parameterFormats[0]
        default: index < parameterFormats.count ? parameterFormats[index] : 0
        }
    }

    package func write(to buffer: inout ByteBuffer) {
        buffer.writeMessage(FrontendType.bind.rawValue) {
            portal.write(to: &$0)
            statement.write(to: &$0)
            $0.writeInteger(UInt16(clamping: parameterFormats.count))
            for format in parameterFormats { $0.writeInteger(format) }
            $0.writeInteger(UInt16(clamping: parameters.count))
            for parameter in parameters { $0.writeValue(parameter) }
            $0.writeInteger(UInt16(clamping: resultFormats.count))
            for format in resultFormats { $0.writeInteger(format) }
        }
    }
}

/// Whether `D` and `C` speak of a statement or a portal.
package enum DescribeTarget: Hashable, Sendable {
    case statement(Identifier)
    case portal(Identifier)

    package init(body: ByteBuffer) throws(CloisterError) {
        var body = body
        let kind = try body.read(UInt8.self, "the kind of what is meant")
        let name = try body.readIdentifier("the name of what is meant")
        try body.expectEnd("Describe or Close")
        switch kind {
        case 0x53: self = .statement(name)
        case 0x50: self = .portal(name)
        default: throw .malformed("Describe or Close names neither a statement nor a portal")
        }
    }

    package func write(_ type: FrontendType, to buffer: inout ByteBuffer) {
        buffer.writeMessage(type.rawValue) {
            switch self {
            case .statement(let name):
                $0.writeInteger(UInt8(0x53))
                name.write(to: &$0)
            case .portal(let name):
                $0.writeInteger(UInt8(0x50))
                name.write(to: &$0)
            }
        }
    }
}

/// `E`: portal and row limit (0: all).
package struct ExecuteMessage: Hashable, Sendable {
    package var portal: Identifier
    package var rowLimit: Int32

    package init(portal: Identifier, rowLimit: Int32 = 0) {
        self.portal = portal
        self.rowLimit = rowLimit
    }

    package init(body: ByteBuffer) throws(CloisterError) {
        var body = body
        portal = try body.readIdentifier("the portal's name")
        rowLimit = try body.read(Int32.self, "the row limit")
        try body.expectEnd("Execute")
    }

    package func write(to buffer: inout ByteBuffer) {
        buffer.writeMessage(FrontendType.execute.rawValue) {
            portal.write(to: &$0)
            $0.writeInteger(rowLimit)
        }
    }
}

/// The messages that are nothing but their type, and CopyData, CopyFail.
package enum Frontend {
    package static func write(_ type: FrontendType, to buffer: inout ByteBuffer) {
        buffer.writeMessage(type.rawValue) { _ in }
    }

    package static func writeCopyFail(_ reason: String, to buffer: inout ByteBuffer) {
        buffer.writeMessage(FrontendType.copyFail.rawValue) {
            $0.writeString(reason)
            $0.writeInteger(UInt8(0))
        }
    }

    package static func writeCopyData(_ bytes: [UInt8], to buffer: inout ByteBuffer) {
        buffer.writeMessage(FrontendType.copyData.rawValue) { $0.writeBytes(bytes) }
    }
}

extension ByteBuffer {
    mutating func readFormats(_ what: StaticString) throws(CloisterError) -> [Int16] {
        let count = Int(try read(UInt16.self, what))
        guard count * 2 <= readableBytes else { throw .malformed("\(what) are cut off") }
        if count == 0 { return [] }
        var formats: [Int16] = []
        formats.reserveCapacity(count)
        for _ in 0..<count {
            let format = try read(Int16.self, what)
            guard format == 0 || format == 1 else { throw .malformed("unsupported format code") }
            formats.append(format)
        }
        return formats
    }

    /// A value with its length word; nil is NULL (-1).
    package mutating func writeValue(_ value: ByteBuffer?) {
        guard let value else {
            writeInteger(Int32(-1))
            return
        }
        writeInteger(Int32(clamping: value.readableBytes))
        writeImmutableBuffer(value)
    }
}
