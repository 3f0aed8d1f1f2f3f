package import Diagnostics
package import NIOCore

/// A statement's or portal's name as its exact bytes; the empty name is the unnamed one.
///
/// Names in a client encoding other than UTF-8 are kept as bytes: repairing them would let two names fall together.
package enum Identifier: Hashable, Sendable {
    case text(String)
    case bytes([UInt8])

    package static let unnamed = Identifier.text("")

    package init(_ text: String) { self = .text(text) }

    init(utf8 bytes: Span<UInt8>) {
        var small: [UInt8] = []
        small.reserveCapacity(bytes.count)
        for index in bytes.indices { small.append(bytes[index]) }
        if let text = String(validating: small, as: UTF8.self) { self = .text(text) } else { self = .bytes(small) }
    }

    package var isUnnamed: Bool { self == .unnamed }

    package func write(to buffer: inout ByteBuffer) {
        switch self {
        case .text(let text): buffer.writeString(text)
        case .bytes(let bytes): buffer.writeBytes(bytes)
        }
        buffer.writeInteger(UInt8(0))
    }
}

extension ByteBuffer {
    /// The length of the zero-terminated string at the reader index, without its zero; nil if there is no zero.
    package var terminatedStringLength: Int? {
        let bytes = readableBytesUInt8Span
        var index = 0
        while index < bytes.count {
            if bytes[index] == 0 { return index }
            index += 1
        }
        return nil
    }

    mutating func readIdentifier(_ what: StaticString) throws(CloisterError) -> Identifier {
        guard let length = terminatedStringLength, let slice = readSlice(length: length) else {
            throw .malformed("\(what) is not terminated")
        }
        moveReaderIndex(forwardBy: 1)
        if length == 0 { return .unnamed }
        return Identifier(utf8: slice.readableBytesUInt8Span)
    }

    /// A zero-terminated string's bytes, as a slice without the zero.
    package mutating func readTerminated(_ what: StaticString) throws(CloisterError) -> ByteBuffer {
        guard let length = terminatedStringLength, let slice = readSlice(length: length) else {
            throw .malformed("\(what) is not terminated")
        }
        moveReaderIndex(forwardBy: 1)
        return slice
    }

    package mutating func read<T: FixedWidthInteger>(_ type: T.Type = T.self, _ what: StaticString) throws(CloisterError) -> T {
        guard let value = readInteger(as: T.self) else { throw .malformed("\(what) is cut off") }
        return value
    }

    /// `length` bytes as a slice; -1 is NULL.
    package mutating func readValue(_ what: StaticString) throws(CloisterError) -> ByteBuffer? {
        let length = try read(Int32.self, what)
        if length == -1 { return nil }
        guard length >= 0, let slice = readSlice(length: Int(length)) else { throw .malformed("\(what) is cut off") }
        return slice
    }

    package func expectEnd(_ what: StaticString) throws(CloisterError) {
        guard readableBytes == 0 else { throw .malformed("\(what) has bytes after its end") }
    }

    /// Appends one message: type byte, length, body. The length is filled in afterwards.
    package mutating func writeMessage(_ type: UInt8, _ body: (inout ByteBuffer) -> Void) {
        writeInteger(type)
        let lengthIndex = writerIndex
        writeInteger(Int32(0))
        body(&self)
        setInteger(Int32(clamping: writerIndex - lengthIndex), at: lengthIndex)
    }
}
