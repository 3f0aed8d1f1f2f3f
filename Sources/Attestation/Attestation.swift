/// Reports of a trusted execution platform, the policy that a proxy holds them against, and the key release that depends on
/// them (schemas/release-v1.md), as pure values: bytes in, bytes out, the clock as an argument.
///
/// What is here: `AttestationReport` and `PlatformCertificate`, `ReleasePolicy`, `KeyReleaseClient` (the proxy's side),
/// `ReleaseResponder` (the enclave's side), and the messages between enclave and platform. What must not be here: sockets,
/// clocks, cells, the catalog.
package import Diagnostics

extension ErrorCode {
    /// The bytes are not a report or certificate of a known format.
    package static let malformedReport = ErrorCode("CL4001", sqlState: "58000")
    /// No trusted root signed the platform's certificate.
    package static let untrustedPlatform = ErrorCode("CL4002", sqlState: "58000")
    /// The platform's certificate is not valid now.
    package static let platformCertificateExpired = ErrorCode("CL4003", sqlState: "58000")
    /// The platform did not sign this report.
    package static let reportSignatureInvalid = ErrorCode("CL4004", sqlState: "58000")
    /// The enclave's code is not on the allow-list.
    package static let measurementRefused = ErrorCode("CL4005", sqlState: "58000")
    /// The enclave or its platform runs in debug mode.
    package static let debugRefused = ErrorCode("CL4006", sqlState: "58000")
    /// The enclave is older than the policy allows.
    package static let enclaveTooOld = ErrorCode("CL4007", sqlState: "58000")
    /// The report answers another HELLO: a replay.
    package static let nonceMismatch = ErrorCode("CL4008", sqlState: "58000")
    /// The report vouches for another key agreement key than the one in the WELCOME.
    package static let reportDataMismatch = ErrorCode("CL4009", sqlState: "58000")
    /// The enclave's memory is not protected as the policy demands.
    package static let regionRefused = ErrorCode("CL4010", sqlState: "58000")
    /// A kind of platform that the policy does not allow.
    package static let platformKindRefused = ErrorCode("CL4011", sqlState: "58000")
    /// The bytes are not a frame of schemas/release-v1.md, or not the expected one.
    package static let malformedFrame = ErrorCode("CL4012", sqlState: "58000")
    /// The enclave answered the release with an ERROR frame.
    package static let releaseRefused = ErrorCode("CL4013", sqlState: "58000")
    /// The enclave's confirmation is not authentic or confirms something else.
    package static let releaseNotConfirmed = ErrorCode("CL4014", sqlState: "58000")
}

/// What stands behind a report: the kinds of trusted execution platform. Raw values are the wire's; they are never reused.
package enum PlatformKind: UInt8, Sendable, CaseIterable {
    /// `cloister-tee`: a process stands in for the processor.
    case simulated = 1
}

/// How the enclave's memory is protected against the host's root.
package enum RegionKind: UInt8, Sendable, CaseIterable {
    /// memfd_secret(2): not readable by root through any interface of the kernel.
    case memfdSecret = 1
    /// mlock and MADV_DONTDUMP: not swapped and not dumped, but root can read it.
    case mlock = 2

    /// As in the configuration file's `enclave.allow`.
    package var name: String { self == .memfdSecret ? "memfd_secret" : "mlock" }

    package init?(name: String) {
        guard let kind = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = kind
    }
}

/// The SHA-384 digest of the enclave's executable.
package struct Measurement: Sendable, Hashable, CustomStringConvertible {
    package static let byteCount = 48
    package let bytes: [UInt8]

    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// From `sha384:` and 96 hexadecimal digits.
    package init?(text: String) {
        let prefix = "sha384:"
        guard text.hasPrefix(prefix) else { return nil }
        let digits = text.utf8.dropFirst(prefix.utf8.count)
        guard digits.count == 2 * Self.byteCount else { return nil }
        var bytes: [UInt8] = []
        var high: UInt8?
        for digit in digits {
            guard let value = Self.value(digit) else { return nil }
            if let upper = high {
                bytes.append(upper << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        self.bytes = bytes
    }

    package var description: String {
        let digits = Array("0123456789abcdef".utf8)
        var text = Array("sha384:".utf8)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 48...57: digit - 48
        case 97...102: digit - 87
        case 65...70: digit - 55
        default: nil
        }
    }
}
