package import Diagnostics

extension ErrorCode {
    /// A peer's bytes break the protocol: a length out of range, a field that ends outside its message.
    package static let protocolViolation = ErrorCode("CL5001", sqlState: "08P01")
    /// A message is longer than the proxy holds.
    package static let messageTooLarge = ErrorCode("CL5002", sqlState: "54000")
}

extension CloisterError {
    static func malformed(_ what: String) -> CloisterError { CloisterError(.protocolViolation, what) }
}
