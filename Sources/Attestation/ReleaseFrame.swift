package import Diagnostics

/// The first byte of a frame (schemas/release-v1.md).
enum FrameType: UInt8 {
    case hello = 1
    case welcome = 2
    case release = 3
    case released = 4
    case statusRequest = 5
    case status = 6
    case error = 7
    case challengeRequest = 8
    case challenge = 9
    case grant = 10
    case granted = 11
    case join = 12
    case joined = 13
}

/// Why the enclave refused a frame. Raw values are the wire's.
package enum ReleaseRefusal: UInt8, Error, Sendable, CaseIterable {
    case malformed = 1
    case unknownSession = 2
    case replayed = 3
    case notAuthentic = 4
    case tooManyKeys = 5
    case noPlatform = 6
    case badKey = 7
    case internalFailure = 8
    case noGrant = 9

    package var frame: [UInt8] { [FrameType.error.rawValue, rawValue] }

    var sentence: String {
        switch self {
        case .malformed: "the frame is malformed"
        case .unknownSession: "the session is unknown; the enclave may have been restarted"
        case .replayed: "the counter was used before"
        case .notAuthentic: "the frame is not authentic"
        case .tooManyKeys: "the enclave holds too many keys"
        case .noPlatform: "the platform gave no report"
        case .badKey: "a key's number is out of range or given twice"
        case .internalFailure: "the enclave failed"
        case .noGrant: "there is nothing that this session could be granted or join"
        }
    }
}

/// Sizes that both sides of a release agree on.
package enum ReleaseLimits {
    /// Keys in one RELEASE frame; a proxy with more sends several.
    package static let keysPerFrame = 1024
    static let keyByteCount = 48
    /// n ‖ grantor id ‖ grantor key: what comes before a RELEASE's keys.
    static let releaseFixedByteCount = 44
    static let tagByteCount = 16
    /// type ‖ session id ‖ counter: the associated data of RELEASE.
    static let releaseHeaderByteCount = 17
    /// type ‖ counter: the associated data of RELEASED.
    static let releasedHeaderByteCount = 9
    static let sessionByteCount = 8
    static let publicKeyByteCount = 32
    package static let bootByteCount = 16

    /// The GCM nonce of a counter. Each direction has its own key and each counter is used once.
    static func nonce(_ counter: UInt64) -> [UInt8] {
        var nonce: [UInt8] = [0, 0, 0, 0]
        nonce.appendBigEndian(counter)
        return nonce
    }
}

/// STATUS: what an enclave says of itself. Cleartext and unauthenticated: good for noticing a restart, for nothing else.
package struct EnclaveStatus: Sendable, Hashable {
    package static let request: [UInt8] = [FrameType.statusRequest.rawValue]

    package var boot: [UInt8]
    package var version: UInt32
    package var keys: [UInt32]

    package init(boot: [UInt8], version: UInt32, keys: [UInt32]) {
        self.boot = boot
        self.version = version
        self.keys = keys
    }

    package var frame: [UInt8] {
        var frame = [FrameType.status.rawValue] + boot
        frame.appendBigEndian(version)
        frame.appendBigEndian(UInt32(truncatingIfNeeded: keys.count))
        for key in keys { frame.appendBigEndian(key) }
        return frame
    }

    /// Throws `malformedFrame`.
    package init(frame: [UInt8]) throws(CloisterError) {
        let malformed = CloisterError(.malformedFrame, "the enclave's status is malformed")
        var reader = ByteReader(frame)
        guard reader.uint8() == FrameType.status.rawValue, let boot = reader.take(ReleaseLimits.bootByteCount),
            let version = reader.uint32(), let count = reader.uint32(), reader.remaining == 4 * Int(count)
        else { throw malformed }
        var keys: [UInt32] = []
        while let key = reader.uint32() { keys.append(key) }
        self.init(boot: boot, version: version, keys: keys)
    }
}

extension CloisterError {
    /// What to throw for a frame that is not the expected one: the enclave's refusal if it is an ERROR frame.
    static func unexpected(_ frame: [UInt8], instead: String) -> CloisterError {
        if frame.count == 2, frame[0] == FrameType.error.rawValue {
            let sentence = ReleaseRefusal(rawValue: frame[1])?.sentence ?? "for a reason this version does not know"
            return CloisterError(.releaseRefused, "the enclave refused: \(sentence)")
        }
        return CloisterError(.malformedFrame, "the enclave did not answer with \(instead)")
    }
}
