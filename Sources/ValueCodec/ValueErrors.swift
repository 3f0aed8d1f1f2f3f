package import Diagnostics

/// What a value can fail by. Each code carries the SQLSTATE PostgreSQL itself uses for that failure, and its messages are
/// PostgreSQL's without the value (entries: schemas/errors.md).
extension ErrorCode {
    /// Text that is not of the type ("invalid input syntax for type …").
    package static let invalidValueText = ErrorCode("CL2101", sqlState: "22P02")
    /// A number that does not fit its type.
    package static let numberOutOfRange = ErrorCode("CL2102", sqlState: "22003")
    /// Text that is not a date or time.
    package static let invalidDateTime = ErrorCode("CL2103", sqlState: "22007")
    /// A date or time field, or the whole, is out of range.
    package static let dateTimeOutOfRange = ErrorCode("CL2104", sqlState: "22008")
    /// Bytes that are not UTF-8, or a zero byte.
    package static let invalidByteSequence = ErrorCode("CL2105", sqlState: "22021")
    /// A binary value that PostgreSQL's receive function would refuse.
    package static let invalidBinaryValue = ErrorCode("CL2106", sqlState: "22P03")
    /// A binary value that ends too early.
    package static let shortBinaryValue = ErrorCode("CL2107", sqlState: "08P01")
    /// Bad hexadecimal bytea digits, an unknown time zone.
    package static let invalidParameterValue = ErrorCode("CL2108", sqlState: "22023")
    /// A type, spelling, setting or conversion that is not supported: refused, never guessed.
    package static let unsupportedValue = ErrorCode("CL2109", sqlState: "0A000")
    /// A type that PostgreSQL does not assign to the other.
    package static let datatypeMismatch = ErrorCode("CL2110", sqlState: "42804")
    /// A time zone offset beyond ±15:59:59.
    package static let timeZoneDisplacement = ErrorCode("CL2111", sqlState: "22009")
    /// A field of an interval is out of range.
    package static let intervalOverflow = ErrorCode("CL2116", sqlState: "22015")
    /// Text that cannot be converted between encodings; \u0000 in jsonb.
    package static let untranslatable = ErrorCode("CL2117", sqlState: "22P05")
    /// JSON nested deeper than the proxy reads.
    package static let tooDeep = ErrorCode("CL2118", sqlState: "54001")
    /// A jsonb binary value of another version.
    package static let unknownVersion = ErrorCode("CL2119", sqlState: "XX000")
    /// Types that PostgreSQL has no comparison for.
    package static let undefinedOperator = ErrorCode("CL2120", sqlState: "42883")
    package static let divisionByZero = ErrorCode("CL2124", sqlState: "22012")
    /// substring with a negative length.
    package static let negativeLength = ErrorCode("CL2125", sqlState: "22011")
    /// Text longer than varchar(n) or char(n) allows.
    package static let stringTooLong = ErrorCode("CL2112", sqlState: "22001")
    /// An ESCAPE of more than one character.
    package static let invalidEscape = ErrorCode("CL2113", sqlState: "22025")
    /// More dimensions, elements or nesting than PostgreSQL allows.
    package static let programLimit = ErrorCode("CL2114", sqlState: "54000")
    /// Array bounds in the wrong order.
    package static let arraySubscript = ErrorCode("CL2115", sqlState: "2202E")
}

/// Constructors of the errors that many types share.
enum ValueError {
    @inline(never)
    static func syntax(_ type: StaticString) -> CloisterError {
        CloisterError(.invalidValueText, "invalid input syntax for type \(type)")
    }
    @inline(never)
    static func range(_ type: StaticString) -> CloisterError {
        CloisterError(.numberOutOfRange, "value is out of range for type \(type)")
    }
    @inline(never)
    static func outOfRange(_ message: StaticString) -> CloisterError {
        CloisterError(.numberOutOfRange, "\(message)")
    }
    @inline(never)
    static func binary(_ message: StaticString) -> CloisterError {
        CloisterError(.invalidBinaryValue, "\(message)")
    }
    @inline(never)
    static func unsupported(_ message: String, hint: String = "") -> CloisterError {
        CloisterError(.unsupportedValue, message, hint: hint)
    }
}
