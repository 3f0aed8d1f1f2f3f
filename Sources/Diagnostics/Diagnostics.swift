/// Stable error codes and the one error type every module throws.
///
/// A code names a refusal or failure for ever: it has an SQLSTATE, and an entry with cause and fix in
/// `schemas/errors.md` (`LayoutTests` checks that none is missing). Messages name columns, files and checks; they never
/// carry a value, a key, a parameter or a row.

/// One entry of `schemas/errors.md`.
public struct ErrorCode: Hashable, Sendable, CustomStringConvertible {
    /// "CL" and four digits; the first digit is the area (1 configuration and commands, 2 cells and values, 3 keys,
    /// 4 attestation and enclave, 5 protocol and sessions, 6 binding, 7 the extension).
    public let name: String
    /// Five characters, sent to PostgreSQL clients in field `C`.
    public let sqlState: String

    public init(_ name: String, sqlState: String) {
        self.name = name
        self.sqlState = sqlState
    }

    public var description: String { name }
}

/// A failure with a stable code, what happened, and what to do instead.
public struct CloisterError: Error, Sendable, Equatable, CustomStringConvertible {
    public let code: ErrorCode
    /// What went wrong, without any value: fit for a log and for an ErrorResponse's `M` field.
    public let message: String
    /// What to do instead (ErrorResponse's `H` field); empty if the code's entry says enough.
    public let hint: String
    /// Where: `file:line:column` of a configuration file, a statement offset, a path. Empty if nowhere.
    public let location: String

    public init(_ code: ErrorCode, _ message: String, hint: String = "", location: String = "") {
        self.code = code
        self.message = message
        self.hint = hint
        self.location = location
    }

    /// Equal by code only: tests and callers branch on what happened, not on its wording.
    public static func == (a: Self, b: Self) -> Bool { a.code == b.code }

    public var description: String {
        let place = location.isEmpty ? "" : "\(location): "
        let advice = hint.isEmpty ? "" : " (\(hint))"
        return "\(place)\(code.name): \(message)\(advice)"
    }
}
