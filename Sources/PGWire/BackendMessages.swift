package import Diagnostics
package import NIOCore

// Bodies of the backend messages whose contents matter. Trust: the server's word, unauthenticated for confidentiality.

/// `Z`: the byte that says whether a transaction is open.
package enum TransactionStatus: UInt8, Sendable {
    case idle = 0x49  // I
    case inTransaction = 0x54  // T
    case failed = 0x45  // E

    package init(body: ByteBuffer) throws(CloisterError) {
        guard body.readableBytes == 1, let byte = body.getInteger(at: body.readerIndex, as: UInt8.self), let status = Self(rawValue: byte)
        else { throw .malformed("ReadyForQuery has no known transaction status") }
        self = status
    }
}

/// `R`: what the server wants for authentication.
package enum AuthenticationRequest: Equatable, Sendable {
    case ok
    case cleartextPassword
    case md5Password
    case sasl(mechanisms: [String])
    case saslContinue
    case saslFinal
    /// GSS (7), GSS continue (8), SSPI (9).
    case gss
    case gssContinue
    case unknown(Int32)

    package init(body: ByteBuffer) throws(CloisterError) {
        var body = body
        switch try body.read(Int32.self, "the authentication request") {
        case 0: self = .ok
        case 3: self = .cleartextPassword
        case 5: self = .md5Password
        case 7, 9: self = .gss
        case 8: self = .gssContinue
        case 10:
            var mechanisms: [String] = []
            while true {
                let name = try body.readTerminated("a SASL mechanism")
                if name.readableBytes == 0 { break }
                mechanisms.append(String(buffer: name))
            }
            try body.expectEnd("AuthenticationSASL")
            self = .sasl(mechanisms: mechanisms)
        case 11: self = .saslContinue
        case 12: self = .saslFinal
        case let code: self = .unknown(code)
        }
    }

    /// AuthenticationSASL with a list of mechanisms.
    package static func writeSASL(_ mechanisms: [String], to buffer: inout ByteBuffer) {
        buffer.writeMessage(BackendType.authentication.rawValue) {
            $0.writeInteger(Int32(10))
            for mechanism in mechanisms {
                $0.writeString(mechanism)
                $0.writeInteger(UInt8(0))
            }
            $0.writeInteger(UInt8(0))
        }
    }
}

/// `S`: a setting's name and value.
package struct ParameterStatus: Equatable, Sendable {
    package var name: String
    package var value: String

    package init(body: ByteBuffer) throws(CloisterError) {
        var body = body
        name = String(buffer: try body.readTerminated("a setting's name"))
        value = String(buffer: try body.readTerminated("a setting's value"))
        try body.expectEnd("ParameterStatus")
    }
}

/// `T`: the columns of a result.
package struct RowDescription: Equatable, Sendable {
    package struct Field: Equatable, Sendable {
        /// In the client's encoding.
        package var name: ByteBuffer
        package var table: UInt32
        package var attribute: Int16
        package var type: UInt32
        package var size: Int16
        package var typeModifier: Int32
        /// 0 text, 1 binary; 0 in the description of a statement, where it is not known yet.
        package var format: Int16

        package init(
            name: ByteBuffer, table: UInt32 = 0, attribute: Int16 = 0, type: UInt32, size: Int16, typeModifier: Int32 = -1,
            format: Int16 = 0
        ) {
            self.name = name
            self.table = table
            self.attribute = attribute
            self.type = type
            self.size = size
            self.typeModifier = typeModifier
            self.format = format
        }
    }

    package var fields: [Field]

    package init(fields: [Field]) { self.fields = fields }

    package init(body: ByteBuffer) throws(CloisterError) {
        var body = body
        let count = Int(try body.read(UInt16.self, "the number of columns"))
        // A name's zero and 18 bytes.
        guard count * 19 <= body.readableBytes else { throw .malformed("RowDescription states more columns than it has") }
        fields = []
        fields.reserveCapacity(count)
        for _ in 0..<count {
            fields.append(
                Field(
                    name: try body.readTerminated("a column's name"), table: try body.read(UInt32.self, "a column's table"),
                    attribute: try body.read(Int16.self, "a column's number"), type: try body.read(UInt32.self, "a column's type"),
                    size: try body.read(Int16.self, "a column's size"), typeModifier: try body.read(Int32.self, "a column's modifier"),
                    format: try body.read(Int16.self, "a column's format")))
        }
        try body.expectEnd("RowDescription")
    }

    package func write(to buffer: inout ByteBuffer) {
        buffer.writeMessage(BackendType.rowDescription.rawValue) {
            $0.writeInteger(UInt16(clamping: fields.count))
            for field in fields {
                $0.writeImmutableBuffer(field.name)
                $0.writeMultipleIntegers(UInt8(0), field.table, field.attribute, field.type, field.size, field.typeModifier, field.format)
            }
        }
    }
}

/// `t`: the types of a statement's parameters.
package struct ParameterDescription: Equatable, Sendable {
    package var types: [UInt32]

    package init(types: [UInt32]) { self.types = types }

    package init(body: ByteBuffer) throws(CloisterError) {
        var body = body
        let count = Int(try body.read(UInt16.self, "the number of parameters"))
        guard body.readableBytes == count * 4 else { throw .malformed("ParameterDescription states another number of types than it has") }
        types = []
        for _ in 0..<count { types.append(try body.read(UInt32.self, "a parameter's type")) }
    }

    package func write(to buffer: inout ByteBuffer) {
        buffer.writeMessage(BackendType.parameterDescription.rawValue) {
            $0.writeInteger(UInt16(clamping: types.count))
            for type in types { $0.writeInteger(type) }
        }
    }
}

/// `D`: one row. The values are slices; nil is NULL.
package struct DataRow: Equatable, Sendable {
    package var values: [ByteBuffer?]

    package init(values: [ByteBuffer?]) { self.values = values }

    package init(body: ByteBuffer) throws(CloisterError) {
        var body = body
        let count = Int(try body.read(UInt16.self, "the number of values"))
        guard count * 4 <= body.readableBytes else { throw .malformed("DataRow states more values than it has") }
        values = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try body.readValue("a value")) }
        try body.expectEnd("DataRow")
    }

    package func write(to buffer: inout ByteBuffer) {
        buffer.writeMessage(BackendType.dataRow.rawValue) {
            $0.writeInteger(UInt16(clamping: values.count))
            for value in values { $0.writeValue(value) }
        }
    }
}

/// `G` and `H`: overall format and the columns' formats.
package struct CopyResponse: Equatable, Sendable {
    package var format: Int8
    package var columnFormats: [Int16]

    package init(body: ByteBuffer) throws(CloisterError) {
        var body = body
        format = try body.read(Int8.self, "the copy format")
        columnFormats = try body.readFormats("the copy's column formats")
        try body.expectEnd("CopyInResponse or CopyOutResponse")
    }
}
