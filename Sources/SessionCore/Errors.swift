package import Diagnostics

extension ErrorCode {
    /// A message came that this phase of the protocol does not allow.
    package static let unexpectedMessage = ErrorCode("CL5010", sqlState: "08P01")
    /// The server sent something that the proxy did not expect; the session can't go on.
    package static let serverProtocol = ErrorCode("CL5011", sqlState: "08P01")
    /// The server can't be reached.
    package static let serverUnreachable = ErrorCode("CL5012", sqlState: "08006")
    /// The proxy's connection limit is reached.
    package static let tooManyConnections = ErrorCode("CL5013", sqlState: "53300")
    /// The proxy is shutting down.
    package static let shuttingDown = ErrorCode("CL5014", sqlState: "57P01")
    /// Authentication did not finish in time.
    package static let startupTimeout = ErrorCode("CL5015", sqlState: "57014")
    /// The proxy does not serve this kind of session (replication) or authentication method.
    package static let unsupportedSession = ErrorCode("CL5016", sqlState: "0A000")
    /// A statement that needs the catalog came in a transaction that has failed.
    package static let failedTransaction = ErrorCode("CL5017", sqlState: "25P02")
    /// The catalog or the session's settings could not be read from the server.
    package static let catalogUnavailable = ErrorCode("CL5018", sqlState: "XX000")
    /// A cell in a result can't be shown as a value.
    package static let undecryptable = ErrorCode("CL5019", sqlState: "XX001")
    /// The proxy holds no key of this number.
    package static let keyUnavailable = ErrorCode("CL5020", sqlState: "28000")
    /// A parameter can't be encrypted: wrong count, or a declared type that the column's type can't be made from.
    package static let parameterMismatch = ErrorCode("CL5021", sqlState: "42804")
    /// The server's types of a statement's parameters contradict the plan.
    package static let planContradicted = ErrorCode("CL5022", sqlState: "0A000")
    /// A COPY of a table with marked columns can't go on.
    package static let copyRefused = ErrorCode("CL5023", sqlState: "0A000")
    /// A row of COPY data is malformed.
    package static let copyData = ErrorCode("CL5024", sqlState: "22P04")
    /// A bound of the proxy is reached.
    package static let limitReached = ErrorCode("CL5025", sqlState: "54000")
    /// The session's client_encoding is not one that encrypted text is handled in.
    package static let clientEncoding = ErrorCode("CL5026", sqlState: "0A000")
    /// The server has no type for an encrypted column: the extension is not installed in this database.
    package static let extensionMissing = ErrorCode("CL5027", sqlState: "42704")
    /// SQL's EXECUTE names a statement whose parameters are encrypted.
    package static let executeRefused = ErrorCode("CL5028", sqlState: "0A000")
    /// The client cancelled its statement while the proxy was asking the server what it needs to bind it.
    package static let cancelled = ErrorCode("CL5029", sqlState: "57014")
    /// SQL's EXECUTE names a statement that this session has not prepared.
    package static let executeUnknown = ErrorCode("CL5030", sqlState: "26000")
    /// A statement about keys or marks that this proxy does not carry out.
    package static let administrationUnavailable = ErrorCode("CL5031", sqlState: "42501")
    /// A value that is no label of the encrypted column's enumeration.
    package static let unknownLabel = ErrorCode("CL5032", sqlState: "22P02")
    /// The enumeration of an encrypted column is not in this database.
    package static let enumerationMissing = ErrorCode("CL5033", sqlState: "42704")
    /// The listener demands TLS and the client does not use it.
    package static let tlsRequired = ErrorCode("CL5040", sqlState: "28000")
    /// The client's certificate is not for the user it names.
    package static let certificateUser = ErrorCode("CL5041", sqlState: "28000")
    /// The client's SCRAM would fail for want of channel binding.
    package static let channelBinding = ErrorCode("CL5044", sqlState: "28000")
    /// TLS with the server is demanded and can't be had.
    package static let serverTLS = ErrorCode("CL5042", sqlState: "08006")
}
