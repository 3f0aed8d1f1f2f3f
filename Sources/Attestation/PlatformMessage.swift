package import Diagnostics

/// Enclave → platform over the inherited socketpair: sign a report with this nonce and data. 112 bytes, big endian.
///
/// | byte | content |
/// |---|---|
/// | 0..3 | "CLRQ" |
/// | 4..7 | sequence number, echoed by the answer |
/// | 8 | format = 1 |
/// | 9 | region kind |
/// | 10..11 | 0 |
/// | 12..15 | enclave version |
/// | 16..47 | nonce |
/// | 48..111 | report data |
///
/// The answer: bytes 0..7 as asked, then a status (0: granted) and the report.
package struct ReportRequest: Sendable, Hashable {
    package static let byteCount = 112
    private static let magic = Array("CLRQ".utf8)

    package var sequence: UInt32
    package var region: RegionKind
    package var enclaveVersion: UInt32
    package var nonce: [UInt8]
    package var data: [UInt8]

    package init(sequence: UInt32, region: RegionKind, enclaveVersion: UInt32, nonce: [UInt8], data: [UInt8]) {
        self.sequence = sequence
        self.region = region
        self.enclaveVersion = enclaveVersion
        self.nonce = nonce
        self.data = data
    }

    package var bytes: [UInt8] {
        var bytes = Self.magic
        bytes.appendBigEndian(sequence)
        bytes += [1, region.rawValue, 0, 0]
        bytes.appendBigEndian(enclaveVersion)
        return bytes + nonce + data
    }

    /// Throws `malformedFrame`.
    package init(_ bytes: [UInt8]) throws(CloisterError) {
        var reader = ByteReader(bytes)
        guard bytes.count == Self.byteCount, reader.take(4) == Self.magic, let sequence = reader.uint32(), reader.uint8() == 1,
            let region = reader.uint8().flatMap(RegionKind.init(rawValue:)), reader.take(2) == [0, 0],
            let version = reader.uint32(), let nonce = reader.take(AttestationReport.nonceByteCount),
            let data = reader.take(AttestationReport.dataByteCount)
        else { throw CloisterError(.malformedFrame, "the enclave's request for a report is malformed") }
        self.init(sequence: sequence, region: region, enclaveVersion: version, nonce: nonce, data: data)
    }

    /// The platform's answer; nil: refused.
    package func answer(_ report: [UInt8]?) -> [UInt8] {
        var bytes = Self.magic
        bytes.appendBigEndian(sequence)
        return bytes + [report == nil ? 1 : 0] + (report ?? [])
    }

    /// The report in an answer to this request; nil if there is none.
    package func report(inAnswer bytes: [UInt8]) -> [UInt8]? {
        var reader = ByteReader(bytes)
        guard reader.take(4) == Self.magic, reader.uint32() == sequence, reader.uint8() == 0,
            reader.remaining == AttestationReport.byteCount
        else { return nil }
        return reader.take(reader.remaining)
    }
}

/// Enclave → platform: a session has reached what a key's policy allows it. "CLRL", four zero bytes, key id (4), the backend's
/// process (4), the limit (8).
package struct LimitMessage: Sendable, Hashable {
    package static let byteCount = 24
    private static let prefix = Array("CLRL".utf8) + [0, 0, 0, 0]

    package let key: UInt32
    package let peer: Int32
    package let limit: UInt64

    package init(key: UInt32, peer: Int32, limit: UInt64) {
        self.key = key
        self.peer = peer
        self.limit = limit
    }

    package var bytes: [UInt8] {
        var bytes = Self.prefix
        bytes.appendBigEndian(key)
        bytes.appendBigEndian(UInt32(bitPattern: peer))
        bytes.appendBigEndian(limit)
        return bytes
    }

    package init?(bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard bytes.count == Self.byteCount, reader.take(8) == Self.prefix, let key = reader.uint32(), let peer = reader.uint32(),
            let limit = reader.uint64()
        else { return nil }
        self.init(key: key, peer: Int32(bitPattern: peer), limit: limit)
    }
}

/// Enclave → platform, once: the socket is served. "CLRD", four zero bytes, the boot id (16).
package struct ReadyMessage: Sendable, Hashable {
    package static let byteCount = 24
    private static let prefix = Array("CLRD".utf8) + [0, 0, 0, 0]

    package let boot: [UInt8]

    package init(boot: [UInt8]) { self.boot = boot }

    package var bytes: [UInt8] { Self.prefix + boot }

    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount, Array(bytes[..<8]) == Self.prefix else { return nil }
        boot = Array(bytes[8...])
    }
}
