package import CellFormat
package import Diagnostics

/// A constant while an expression of constants is computed.
package struct TypedValue: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// nil: a string constant whose type is open (`unknown`).
    package var type: LogicalType?
    /// Canonical bytes of the type, or text if that is nil; nil: NULL.
    package var bytes: [UInt8]?

    package init(type: LogicalType?, bytes: [UInt8]?) {
        self.type = type
        self.bytes = bytes
    }

    package var description: String { "TypedValue(\(type?.name ?? "unknown"))" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// PostgreSQL's operators and functions over constants.
package enum ConstantFunctions {
    /// `name`: an operator's symbol or a function's name in lower case; `now`: microseconds since 2000-01-01 UTC. Throws 0A000 for
    /// what is not computed exactly as PostgreSQL does.
    package static func evaluate(
        _ name: String, isOperator: Bool, _ arguments: [TypedValue], settings: SessionSettings, now: Int64
    ) throws(CloisterError) -> TypedValue {
        throw ValueError.unsupported(
            "\(isOperator ? "the operator" : "the function") \(name) is not computed by the proxy", hint: "Write its result.")
    }
}
