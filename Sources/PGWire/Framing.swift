package import Diagnostics
package import NIOCore

/// One message's type byte and size.
package struct FrameHeader: Hashable, Sendable {
    /// Type byte and length word.
    package static let byteCount = 5

    package let type: UInt8
    /// Bytes after the header: the stated length minus the four bytes that it counts itself with.
    package let bodyLength: Int
    package var totalLength: Int { Self.byteCount + bodyLength }

    package init(type: UInt8, bodyLength: Int) {
        self.type = type
        self.bodyLength = bodyLength
    }

    /// Looks at the next message without consuming it; nil: fewer than five bytes have come.
    /// Throws `protocolViolation` for a length below 4 or above `Limits.frame`.
    package init?(peeking buffer: borrowing ByteBuffer, limits: borrowing Limits) throws(CloisterError) {
        guard buffer.readableBytes >= Self.byteCount else { return nil }
        let start = buffer.readerIndex
        guard let type = buffer.getInteger(at: start, as: UInt8.self), let length = buffer.getInteger(at: start + 1, as: Int32.self)
        else { return nil }
        guard length >= 4, Int(length) <= limits.frame else { throw .malformed("a message states an impossible length") }
        self.type = type
        self.bodyLength = Int(length) - 4
    }
}

/// What a client sends after startup. The raw value is the type byte.
package enum FrontendType: UInt8, Sendable, CaseIterable {
    case bind = 0x42  // B
    case close = 0x43  // C
    case copyData = 0x64  // d
    case copyDone = 0x63  // c
    case copyFail = 0x66  // f
    case describe = 0x44  // D
    case execute = 0x45  // E
    case flush = 0x48  // H
    case functionCall = 0x46  // F
    case parse = 0x50  // P
    case password = 0x70  // p: password, SASL and GSS responses
    case query = 0x51  // Q
    case sync = 0x53  // S
    case terminate = 0x58  // X
}

/// What a server sends. The raw value is the type byte.
package enum BackendType: UInt8, Sendable, CaseIterable {
    case authentication = 0x52  // R
    case backendKeyData = 0x4b  // K
    case bindComplete = 0x32  // 2
    case closeComplete = 0x33  // 3
    case commandComplete = 0x43  // C
    case copyBothResponse = 0x57  // W
    case copyData = 0x64  // d
    case copyDone = 0x63  // c
    case copyInResponse = 0x47  // G
    case copyOutResponse = 0x48  // H
    case dataRow = 0x44  // D
    case emptyQueryResponse = 0x49  // I
    case errorResponse = 0x45  // E
    case functionCallResponse = 0x56  // V
    case negotiateProtocolVersion = 0x76  // v
    case noData = 0x6e  // n
    case noticeResponse = 0x4e  // N
    case notificationResponse = 0x41  // A
    case parameterDescription = 0x74  // t
    case parameterStatus = 0x53  // S
    case parseComplete = 0x31  // 1
    case portalSuspended = 0x73  // s
    case readyForQuery = 0x5a  // Z
    case rowDescription = 0x54  // T
}
