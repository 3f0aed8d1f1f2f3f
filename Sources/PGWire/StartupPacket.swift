package import Diagnostics
package import NIOCore

extension ErrorCode {
    /// The client asked for a protocol version the proxy doesn't speak.
    package static let unsupportedProtocol = ErrorCode("CL5003", sqlState: "0A000")
}

/// The first, untyped packet of a connection: length word, code, contents.
package enum StartupPacket: Equatable, Sendable {
    /// 80877103: the client would like TLS.
    case sslRequest
    /// 80877104: the client would like GSSAPI encryption.
    case gssEncRequest
    /// 80877102: process id and key (4 bytes in protocol 3.0, up to 256 in 3.2).
    case cancel(processID: Int32, key: ByteBuffer)
    case startup(StartupMessage)

    package static let cancelCode: Int32 = 80_877_102
    package static let sslCode: Int32 = 80_877_103
    package static let gssEncCode: Int32 = 80_877_104

    /// Reads one packet if it is there whole; nil: more bytes are needed. Nothing is consumed on nil.
    /// Throws `protocolViolation` or `unsupportedProtocol`; the length is checked before anything waits for it.
    package static func read(from buffer: inout ByteBuffer, limits: Limits) throws(CloisterError) -> StartupPacket? {
        guard let length = buffer.getInteger(at: buffer.readerIndex, as: Int32.self) else { return nil }
        guard length >= 8, Int(length) <= limits.startupPacket else { throw .malformed("invalid length of startup packet") }
        guard buffer.readableBytes >= Int(length), var body = buffer.readSlice(length: Int(length)) else { return nil }
        body.moveReaderIndex(forwardBy: 4)
        let code = try body.read(Int32.self, "the startup packet's code")
        switch code {
        case sslCode:
            try body.expectEnd("SSLRequest")
            return .sslRequest
        case gssEncCode:
            try body.expectEnd("GSSENCRequest")
            return .gssEncRequest
        case cancelCode:
            let processID = try body.read(Int32.self, "the cancel request's process id")
            guard (4...limits.cancelKey).contains(body.readableBytes) else { throw .malformed("invalid length of cancel key") }
            return .cancel(processID: processID, key: body)
        default:
            return .startup(try StartupMessage(version: code, body: body))
        }
    }

    /// The packet as it goes on the wire.
    package func write(to buffer: inout ByteBuffer) {
        switch self {
        case .sslRequest:
            buffer.writeMultipleIntegers(Int32(8), Self.sslCode)
        case .gssEncRequest:
            buffer.writeMultipleIntegers(Int32(8), Self.gssEncCode)
        case .cancel(let processID, let key):
            buffer.writeMultipleIntegers(Int32(clamping: 12 + key.readableBytes), Self.cancelCode, processID)
            buffer.writeImmutableBuffer(key)
        case .startup(let message):
            message.write(to: &buffer)
        }
    }
}

/// Version and options of a session. Cleartext, unauthenticated: the client's word.
package struct StartupMessage: Equatable, Sendable {
    package struct Option: Equatable, Sendable {
        package var name: String
        package var value: ByteBuffer
    }

    /// Major version in the upper, minor in the lower 16 bits.
    package var version: Int32
    package var options: [Option]

    package init(version: Int32 = 3 << 16, options: [(String, String)]) {
        self.version = version
        self.options = options.map { Option(name: $0.0, value: ByteBuffer(string: $0.1)) }
    }

    init(version: Int32, body: ByteBuffer) throws(CloisterError) {
        guard version >> 16 == 3 else {
            throw CloisterError(
                .unsupportedProtocol, "unsupported frontend protocol \(version >> 16).\(version & 0xffff): the proxy speaks 3.0 to 3.2")
        }
        self.version = version
        self.options = []
        var body = body
        while true {
            let name = try body.readTerminated("an option's name in the startup packet")
            if name.readableBytes == 0 { break }
            guard let text = String(validating: name.readableBytesView, as: UTF8.self) else {
                throw .malformed("an option's name in the startup packet is not text")
            }
            options.append(Option(name: text, value: try body.readTerminated("an option's value in the startup packet")))
        }
        guard body.readableBytes == 0 else {
            throw .malformed("invalid startup packet layout: expected terminator as last byte")
        }
    }

    /// The last value given for an option, as PostgreSQL takes it.
    package subscript(name: String) -> ByteBuffer? { options.last { $0.name == name }?.value }

    package func write(to buffer: inout ByteBuffer) {
        let start = buffer.writerIndex
        buffer.writeMultipleIntegers(Int32(0), version)
        for option in options {
            buffer.writeString(option.name)
            buffer.writeInteger(UInt8(0))
            buffer.writeImmutableBuffer(option.value)
            buffer.writeInteger(UInt8(0))
        }
        buffer.writeInteger(UInt8(0))
        buffer.setInteger(Int32(clamping: buffer.writerIndex - start), at: start)
    }
}
