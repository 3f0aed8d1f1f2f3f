/// The configuration file: which columns are encrypted, where proxy and server listen, which keys and enclaves are trusted.
///
/// The proxy decides from this file, never from the server's word, what is encrypted. So every doubt is an error: unknown
/// keys, wrong kinds, names that PostgreSQL would read differently. Each mistake is reported with file, line and column,
/// what was expected and the *kind* of what was found; several mistakes are reported together. The module reads YAML and
/// knows nothing of keys' bytes, connections or the server. `schemas/config.schema.json` says the same to editors.
package import CellFormat
package import Diagnostics

extension ErrorCode {
    /// The file can't be read, or is not UTF-8.
    package static let configurationUnreadable = ErrorCode("CL1001", sqlState: "F0000")
    /// The file is not one YAML document.
    package static let configurationNotYAML = ErrorCode("CL1002", sqlState: "F0000")
    /// A key that the format does not have, or that occurs twice.
    package static let configurationUnknownKey = ErrorCode("CL1003", sqlState: "F0000")
    /// A mapping where a list belongs, a number where a text belongs, …
    package static let configurationWrongKind = ErrorCode("CL1004", sqlState: "F0000")
    /// The right kind, but not a value that means something here.
    package static let configurationWrongValue = ErrorCode("CL1005", sqlState: "F0000")
    /// A key or section that must be there is not.
    package static let configurationMissing = ErrorCode("CL1006", sqlState: "F0000")
}

/// Every mistake of one file, in the file's order.
package struct ConfigurationErrors: Error, Sendable, CustomStringConvertible {
    package let problems: [CloisterError]
    package var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// A configuration file that was read and found valid.
package struct Configuration: Sendable {
    /// The file's path as given: relative paths inside it start at its folder.
    package var file: String
    /// What a proxy needs beyond the columns; nil in a file of columns only (`cloister dev` supplies the rest).
    package var service: ServiceConfiguration?
    /// In the file's order; no column occurs twice.
    package var columns: [ColumnDeclaration]
    package var limits: LimitsConfiguration
    package var catalog: CatalogConfiguration
    package var sessions: SessionPolicy
    /// The domains and enumerations that columns are declared with.
    package var types: [TypeName: UserType]

    package init(
        file: String, service: ServiceConfiguration?, columns: [ColumnDeclaration], limits: LimitsConfiguration = LimitsConfiguration(),
        catalog: CatalogConfiguration = CatalogConfiguration(), sessions: SessionPolicy = SessionPolicy(), types: [TypeName: UserType] = [:]
    ) {
        self.sessions = sessions
        self.types = types
        self.file = file
        self.service = service
        self.columns = columns
        self.limits = limits
        self.catalog = catalog
    }

    /// The names of the column keys, in the order of their first use.
    package var keyNames: [String] {
        var seen: Set<String> = []
        return columns.map(\.keyName).filter { seen.insert($0).inserted }
    }

    /// The declarations under one key.
    package func columns(underKey name: String) -> [ColumnDeclaration] { columns.filter { $0.keyName == name } }
}

/// The sections `proxy`, `keys` and `enclave`: they come together or not at all.
package struct ServiceConfiguration: Sendable, Equatable {
    package var listen: NetworkAddress
    package var server: NetworkAddress
    package var tls = ListenerTLS()
    package var serverTLS = ServerTLS()
    package var admin: AdminConfiguration
    /// Absolute path of the vault of master keys.
    package var vault: String
    /// Absolute path of the file that holds the vault's passphrase; nil: environment or prompt.
    package var passphraseFile: String?
    package var trustedMasterKeys: [String]
    /// Whether clients may make and drop keys and mark columns by statements.
    package var allowsKeyStatements: Bool
    package var enclave: EnclaveConfiguration

    package init(
        listen: NetworkAddress, server: NetworkAddress, tls: ListenerTLS = ListenerTLS(), serverTLS: ServerTLS = ServerTLS(),
        admin: AdminConfiguration, vault: String, passphraseFile: String?, trustedMasterKeys: [String],
        allowsKeyStatements: Bool = false, enclave: EnclaveConfiguration
    ) {
        self.allowsKeyStatements = allowsKeyStatements
        self.listen = listen
        self.server = server
        self.tls = tls
        self.serverTLS = serverTLS
        self.admin = admin
        self.vault = vault
        self.passphraseFile = passphraseFile
        self.trustedMasterKeys = trustedMasterKeys
        self.enclave = enclave
    }
}

/// Who the proxy is on its own maintenance connection; what is nil comes from libpq's environment (PGUSER, …).
package struct AdminConfiguration: Sendable, Equatable {
    package var user: String?
    /// Absolute path; the file holds the password and nothing else.
    package var passwordFile: String?
    package var database: String?

    package init(user: String? = nil, passwordFile: String? = nil, database: String? = nil) {
        self.user = user
        self.passwordFile = passwordFile
        self.database = database
    }
}

/// Which enclaves may receive keys.
package struct EnclaveConfiguration: Sendable, Equatable {
    /// The 48 bytes of SHA-384 over an enclave's binary. The file's `sha384:…` (with an ellipsis, as in examples) is a
    /// placeholder that no enclave matches; it is counted in `placeholders`.
    package var measurements: [[UInt8]]
    package var placeholders: Int
    package var minimumVersion: UInt32
    package var allow: [ProtectedMemory]
    /// Absolute paths of PEM files: the platforms' roots. Default: `tee-root.pem` beside the configuration file.
    package var roots: [String]

    package init(measurements: [[UInt8]], placeholders: Int = 0, minimumVersion: UInt32, allow: [ProtectedMemory], roots: [String]) {
        self.measurements = measurements
        self.placeholders = placeholders
        self.minimumVersion = minimumVersion
        self.allow = allow
        self.roots = roots
    }
}

/// Which sessions the enclave serves: keys `sessions`, `maintenance` and `comparisons_per_session` of section `enclave`.
package struct SessionPolicy: Sendable, Equatable {
    /// Only those that a proxy vouched for.
    package var grantedOnly = false
    /// Then also VACUUM, REINDEX and index builds of any session, on stored cells.
    package var allowsMaintenance = true
    /// What one session may ask of one key; 0: no limit.
    package var comparisonsPerSession: UInt64 = 0

    package init() {}
}

/// How an enclave may hold its secrets. The raw value is the word of the file.
package enum ProtectedMemory: String, Sendable, CaseIterable, Codable {
    /// Even root cannot read it through /proc, ptrace or a core dump.
    case memfdSecret = "memfd_secret"
    /// Not swapped, not dumped; root can read it.
    case mlock
}

/// One marked column, as declared: the key has a name here; its id is the database's matter.
package struct ColumnDeclaration: Sendable, Hashable {
    package var schema: String
    package var table: String
    package var column: String
    package var type: LogicalType
    /// The limit of its values (`varchar(40)`): `DeclaredType.modifier`; -1: none.
    package var modifier: Int32
    package var scheme: EncryptionScheme
    package var collation: Collation
    package var keyName: String
    /// The enumeration or domain of section `types` that the column is declared with; at most one.
    package var enumeration: TypeName?
    package var domain: TypeName?
    /// `file:line:column` of the declaration.
    package var location: String

    package init(
        schema: String, table: String, column: String, type: LogicalType, modifier: Int32 = -1, scheme: EncryptionScheme,
        collation: Collation = .c, keyName: String, enumeration: TypeName? = nil, domain: TypeName? = nil, location: String = ""
    ) {
        self.enumeration = enumeration
        self.domain = domain
        self.schema = schema
        self.table = table
        self.column = column
        self.type = type
        self.modifier = modifier
        self.scheme = scheme
        self.collation = collation
        self.keyName = keyName
        self.location = location
    }

    /// The type and its limit.
    package var declaredType: DeclaredType { DeclaredType(type, modifier: modifier) }

    /// `public.people.name_last`: as key metadata lists it, and as errors name it.
    package var path: String { ColumnPath.text(schema, table, column) }
}

/// Bounds of the proxy's own resources.
package struct LimitsConfiguration: Sendable, Equatable {
    /// Client connections at one time. Each costs two sockets and a server backend.
    package var connections: Int = 1000
    /// Bytes of one protocol message from a client or the server; PostgreSQL's own bound is 1 GiB.
    package var messageBytes: Int = 1 << 30
    /// Seconds that a client may take from connecting to having authenticated.
    package var startupSeconds: Int = 60
    /// Statements whose binding is remembered.
    package var planCache: Int = 1024

    package init() {}

    /// The keys of section `limits`, with their least and greatest values.
    static var keys: [(name: String, path: WritableKeyPath<Self, Int>, range: ClosedRange<Int>)] {
        [
            ("connections", \.connections, 1...100_000),
            ("message_bytes", \.messageBytes, 65_536...1_073_741_824),
            ("startup_seconds", \.startupSeconds, 1...3600),
            ("plan_cache", \.planCache, 0...1_000_000),
        ]
    }
}

/// How the server's own catalog is shown.
package struct CatalogConfiguration: Sendable, Equatable {
    /// Queries of pg_attribute and of information_schema see encrypted columns as their logical types.
    package var logicalTypes = true

    package init() {}
}

/// `host:port`, an IPv6 host in brackets; or the path of a Unix socket in PostgreSQL's form, `/folder/.s.PGSQL.5432`.
package struct NetworkAddress: Sendable, Hashable, CustomStringConvertible {
    /// A name, an address, or a Unix socket's folder (as libpq has it, it begins with `/`).
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    package init?(_ text: String) {
        let brackets = #/\[([0-9A-Fa-f:.]+)\]:([1-9][0-9]{0,4})/#
        let plain = #/([A-Za-z0-9._-]+):([1-9][0-9]{0,4})/#
        let socket = #/(/|/.*[^/])/\.s\.PGSQL\.([1-9][0-9]{0,4})/#
        guard
            let (_, host, port) = (try? brackets.wholeMatch(in: text))?.output ?? (try? plain.wholeMatch(in: text))?.output
                ?? (try? socket.wholeMatch(in: text))?.output,
            text.utf8.count <= Self.longestSocketPath || !host.hasPrefix("/"),
            let number = Int(port), number <= 65_535
        else { return nil }
        self.init(host: String(host), port: number)
    }

    package var isSocket: Bool { host.hasPrefix("/") }

    /// `sun_path` of Linux without its terminator.
    private static let longestSocketPath = 107

    package var description: String {
        isSocket ? "\(host)/.s.PGSQL.\(port)" : host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
