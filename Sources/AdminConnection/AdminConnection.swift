/// A connection for administration: a thin wrapper over libpq for the proxy's maintenance task and the commands.
///
/// Knows no keys and no catalog: statements and parameters in, rows out. One thread uses a connection at a time (it is not
/// `Sendable`); calls block, each under a deadline. Errors carry the server's SQLSTATE; a message of the server is repeated
/// only where PostgreSQL's messages name objects and not values.
package import Diagnostics

extension ErrorCode {
    /// No connection, or it was lost.
    package static let adminConnection = ErrorCode("CL1020", sqlState: "08006")
    /// The server refused a statement of ours.
    package static let adminStatement = ErrorCode("CL1021", sqlState: "XX000")
    /// The server did not answer in time.
    package static let adminDeadline = ErrorCode("CL1022", sqlState: "57014")
}

/// A failed call. `sqlState` is the server's where the server spoke.
package struct AdminFailure: Error, Sendable, CustomStringConvertible {
    package let error: CloisterError
    package let sqlState: String
    package var description: String { error.description }

    init(_ code: ErrorCode, _ message: String, sqlState: String? = nil, hint: String = "") {
        self.error = CloisterError(code, message, hint: hint)
        self.sqlState = sqlState ?? code.sqlState
    }

    /// Whether the connection can't be used any more.
    package var isConnectionLoss: Bool {
        error.code == .adminConnection || error.code == .adminDeadline || sqlState.hasPrefix("08") || sqlState.hasPrefix("57P")
    }
}

/// Where to connect and as whom; what is nil comes from libpq's environment (PGHOST, PGUSER, PGPASSWORD, …).
package struct AdminOptions: Sendable {
    package var host: String?
    package var port: Int?
    package var user: String?
    /// Not printable: `AdminOptions` describes itself without it.
    package var password: AdminPassword?
    package var database: String?
    package var tls: AdminTLS?
    package var applicationName = "cloister"
    package var connectSeconds = 10

    package init(host: String? = nil, port: Int? = nil, user: String? = nil, password: AdminPassword? = nil, database: String? = nil) {
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.database = database
    }
}

/// libpq's sslmode and the files that go with it; what is nil comes from libpq's defaults.
package struct AdminTLS: Sendable {
    package var mode: String
    package var root: String?
    package var certificate: String?
    package var key: String?

    package init(mode: String, root: String? = nil, certificate: String? = nil, key: String? = nil) {
        self.mode = mode
        self.root = root
        self.certificate = certificate
        self.key = key
    }
}

/// A password that does not print itself.
package struct AdminPassword: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    let text: String
    package init(_ text: String) { self.text = text }
    package var description: String { "(password)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// A statement's parameter. Its type is what the statement infers or casts it to.
package enum AdminParameter: Sendable {
    case null
    case text(String)
    case bytes([UInt8])
    case integer(Int64)
}

/// Rows in text form (UTF-8).
package struct AdminResult: Sendable {
    package let columns: [String]
    package let rows: [[String?]]

    /// A `bytea` field; nil for NULL or what is not `\x` and hexadecimal digits.
    package func bytes(row: Int, column: Int) -> [UInt8]? { rows[row][column].flatMap(Self.bytes(ofBytea:)) }

    /// Decodes bytea's hex output form.
    package static func bytes(ofBytea text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count >= 2, digits.count % 2 == 0, digits[0] == UInt8(ascii: "\\"), digits[1] == UInt8(ascii: "x") else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2 - 1)
        for index in stride(from: 2, to: digits.count, by: 2) {
            guard let high = Character(Unicode.Scalar(digits[index])).hexDigitValue,
                let low = Character(Unicode.Scalar(digits[index + 1])).hexDigitValue
            else { return nil }
            bytes.append(UInt8(high << 4 | low))
        }
        return bytes
    }
}

/// A message of NOTIFY.
package struct AdminNotification: Sendable, Equatable {
    package let channel: String
    package let payload: String
}

/// See the module's comment. Closed when the last reference goes.
package final class AdminConnection {
    private let handle: PostgresHandle

    /// Connects. Throws `adminConnection` with libpq's sentence, which names host, port and user and no secret.
    package init(_ options: AdminOptions) throws(AdminFailure) {
        var keywords = [
            ("application_name", options.applicationName), ("client_encoding", "UTF8"),
            ("connect_timeout", String(options.connectSeconds)),
            ("options", "-c bytea_output=hex -c standard_conforming_strings=on -c search_path="),
        ]
        if let host = options.host { keywords.append(("host", host)) }
        if let port = options.port { keywords.append(("port", String(port))) }
        if let user = options.user { keywords.append(("user", user)) }
        if let password = options.password { keywords.append(("password", password.text)) }
        if let database = options.database { keywords.append(("dbname", database)) }
        if let tls = options.tls {
            keywords.append(("sslmode", tls.mode))
            if let root = tls.root { keywords.append(("sslrootcert", root)) }
            if let certificate = tls.certificate { keywords.append(("sslcert", certificate)) }
            if let key = tls.key { keywords.append(("sslkey", key)) }
        }
        handle = try PostgresHandle(keywords)
    }

    /// Runs one statement. The search path is empty: qualify names. Throws after `milliseconds` without an answer, and the
    /// connection is then lost.
    @discardableResult
    package func query(
        _ sql: String, _ parameters: [AdminParameter] = [], milliseconds: Int = 30_000
    ) throws(AdminFailure) -> AdminResult {
        try handle.query(sql, parameters, milliseconds: milliseconds)
    }

    /// Waits at most so long for a message of a channel that was LISTENed to. Returns at the first, with all that are there.
    package func notifications(milliseconds: Int) throws(AdminFailure) -> [AdminNotification] {
        try handle.notifications(milliseconds: milliseconds)
    }

    /// `"name"`, for statements that take no parameters.
    package static func quoted(identifier: String) -> String {
        "\"" + identifier.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    /// `'text'`, for statements that take no parameters (standard_conforming_strings is on).
    package static func quoted(literal: String) -> String {
        "'" + literal.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }
}
