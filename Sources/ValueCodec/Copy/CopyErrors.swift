package import Diagnostics

extension ErrorCode {
    /// COPY data that PostgreSQL would refuse.
    package static let badCopyData = ErrorCode("CL2121", sqlState: "22P04")
    /// A COPY option that PostgreSQL would refuse.
    package static let badCopyOption = ErrorCode("CL2122", sqlState: "22023")
    /// A row of COPY data beyond the proxy's limit.
    package static let copyRowTooLarge = ErrorCode("CL2123", sqlState: "54000")
}

enum CopyError {
    static func data(_ message: String, hint: String = "") -> CloisterError {
        CloisterError(.badCopyData, message, hint: hint)
    }
    static func option(_ message: String) -> CloisterError { CloisterError(.badCopyOption, message) }
}
