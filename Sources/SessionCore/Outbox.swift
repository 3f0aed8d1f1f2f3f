package import NIOCore
internal import PGWire

/// Bytes on their way to one peer: slices of what the other peer sent, and messages made here, in order.
package struct Outbox {
    private var chunks: [ByteBuffer] = []
    /// Messages made here since the last chunk.
    private var tail = ByteBuffer()
    /// A forwarded slice up to this size is copied to the messages beside it: one write is cheaper than two.
    private static let copyLimit = 512

    package init() {}

    package var isEmpty: Bool { chunks.isEmpty && tail.readableBytes == 0 }

    package var byteCount: Int { chunks.reduce(tail.readableBytes) { $0 + $1.readableBytes } }

    /// Appends bytes as they came.
    mutating func forward(_ slice: ByteBuffer) {
        if tail.readableBytes > 0 {
            if slice.readableBytes <= Self.copyLimit {
                tail.writeImmutableBuffer(slice)
                return
            }
            chunks.append(tail)
            tail = ByteBuffer()
        }
        chunks.append(slice)
    }

    /// Appends messages made here.
    mutating func write(_ body: (inout ByteBuffer) -> Void) { body(&tail) }

    /// Takes everything that waits.
    package mutating func take() -> [ByteBuffer] {
        if tail.readableBytes > 0 {
            chunks.append(tail)
            tail = ByteBuffer()
        }
        let taken = chunks
        chunks = []
        return taken
    }

    mutating func removeAll() {
        chunks = []
        tail = ByteBuffer()
    }
}

/// Bytes that one peer sent and that aren't decided yet. Messages passed untouched in a row leave as one slice.
struct Inbox {
    private(set) var buffer = ByteBuffer()
    /// Bytes before the reader index that are to be forwarded and are not sliced off yet.
    private var run = 0
    /// Bytes of the message at the reader index that still have to come, if it streams.
    private(set) var streaming = 0
    private var streamIsForwarded = true

    mutating func append(_ bytes: ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = bytes
        } else {
            // Without this a stream that never ends on a message's border would keep all its bytes.
            buffer.discardReadBytes()
            var bytes = bytes
            buffer.writeBuffer(&bytes)
        }
    }

    /// Lets go of the channel's read buffer once nothing of it is needed.
    mutating func releaseIfEmpty() {
        if buffer.readableBytes == 0, run == 0, buffer.capacity > 0 { buffer = ByteBuffer() }
    }

    /// Passes `count` bytes as they are; what has not come yet follows as it comes.
    mutating func pass(_ count: Int) { stream(count, forwarded: true) }

    /// Drops `count` bytes, those to come included.
    mutating func drop(_ count: Int, to outbox: inout Outbox) {
        flush(to: &outbox)
        stream(count, forwarded: false)
    }

    private mutating func stream(_ count: Int, forwarded: Bool) {
        streamIsForwarded = forwarded
        streaming = count
        continueStream()
    }

    /// Moves over what has come of a streaming message.
    mutating func continueStream() {
        let count = min(streaming, buffer.readableBytes)
        buffer.moveReaderIndex(forwardBy: count)
        streaming -= count
        if streamIsForwarded { run += count }
    }

    var isForwardingPartialMessage: Bool { streaming > 0 && streamIsForwarded }

    /// Moves the run to the outbox. Before anything else is written there, and at the end of every event.
    mutating func flush(to outbox: inout Outbox) {
        guard run > 0 else { return }
        // What was read is not readable any more: step back for a moment.
        buffer.moveReaderIndex(to: buffer.readerIndex - run)
        if let slice = buffer.readSlice(length: run) { outbox.forward(slice) }
        run = 0
    }

    /// The body of the message at the reader index, if it is there whole.
    func body(_ header: FrameHeader) -> ByteBuffer? {
        guard buffer.readableBytes >= header.totalLength else { return nil }
        return buffer.getSlice(at: buffer.readerIndex + FrameHeader.byteCount, length: header.bodyLength)
    }

    /// As much of the body as has come.
    func partialBody(_ header: FrameHeader) -> ByteBuffer {
        let count = min(header.bodyLength, max(0, buffer.readableBytes - FrameHeader.byteCount))
        return buffer.getSlice(at: buffer.readerIndex + FrameHeader.byteCount, length: count) ?? ByteBuffer()
    }

    mutating func withBuffer<Result, Failure: Error>(_ body: (inout ByteBuffer) throws(Failure) -> Result) throws(Failure) -> Result {
        try body(&buffer)
    }

    mutating func removeAll() {
        buffer = ByteBuffer()
        run = 0
        streaming = 0
    }
}
