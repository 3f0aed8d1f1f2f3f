package import Diagnostics
package import NIOCore

/// `E` and `N`: one-byte field codes with their strings. Any field may be missing, SQLSTATE included.
package struct ErrorFields: Equatable, Sendable {
    package struct Field: Equatable, Sendable {
        package var code: UInt8
        package var value: ByteBuffer
    }

    package var fields: [Field]

    package init(fields: [Field] = []) { self.fields = fields }

    package init(body: ByteBuffer) throws(CloisterError) {
        var body = body
        fields = []
        while true {
            let code = try body.read(UInt8.self, "an error field")
            if code == 0 { break }
            fields.append(Field(code: code, value: try body.readTerminated("an error field")))
        }
        try body.expectEnd("ErrorResponse")
    }

    /// An error made here. Cause and fix of its code are in schemas/errors.md; the message holds no value.
    package init(_ error: CloisterError, severity: Severity = .error) {
        fields = []
        self[.severity] = severity.rawValue
        self[.severityUntranslated] = severity.rawValue
        self[.sqlState] = error.code.sqlState
        self[.message] = error.message
        if !error.hint.isEmpty { self[.hint] = error.hint }
        // What PostgreSQL says of every statement of a failed transaction is said in its very words.
        if error.code.sqlState != "25P02" { self[.detail] = "Cloister \(error.code.name)." }
        if !error.location.isEmpty { self[.context] = error.location }
    }

    package enum Severity: String, Sendable {
        case error = "ERROR"
        case fatal = "FATAL"
    }

    /// The field codes that the proxy reads or writes (documentation 55.8).
    package enum Code: UInt8, Sendable {
        case severity = 0x53  // S
        case severityUntranslated = 0x56  // V
        case sqlState = 0x43  // C
        case message = 0x4d  // M
        case detail = 0x44  // D
        case hint = 0x48  // H
        case position = 0x50  // P
        case context = 0x57  // W
    }

    package subscript(code: Code) -> String? {
        get { fields.first { $0.code == code.rawValue }.map { String(buffer: $0.value) } }
        set {
            fields.removeAll { $0.code == code.rawValue }
            // A zero would end the field early.
            if let newValue { fields.append(Field(code: code.rawValue, value: ByteBuffer(string: String(newValue.prefix { $0 != "\0" })))) }
        }
    }

    package func write(_ type: BackendType = .errorResponse, to buffer: inout ByteBuffer) {
        buffer.writeMessage(type.rawValue) {
            for field in fields {
                $0.writeInteger(field.code)
                $0.writeImmutableBuffer(field.value)
                $0.writeInteger(UInt8(0))
            }
            $0.writeInteger(UInt8(0))
        }
    }
}
