/// `schema.name` of a type that users of the database made: no quotes, case as is.
public struct TypeName: Hashable, Sendable, CustomStringConvertible {
    public let schema: String
    public let name: String

    public init(_ schema: String, _ name: String) {
        self.schema = schema
        self.name = name
    }

    public var description: String { "\(schema).\(name)" }
}

/// What the proxy is told of a type that columns are declared with. It is told by the configuration: a server that told a
/// domain's constraint would choose constants that the proxy encrypts.
public enum UserType: Hashable, Sendable {
    /// Stored as text. The labels are the server's to tell.
    case enumeration
    case domain(Domain)

    /// What CREATE DOMAIN states, as SQL.
    public struct Domain: Hashable, Sendable {
        /// The type below all domains, with its limit.
        public var base: DeclaredType
        /// The domain that this one is over.
        public var parent: TypeName?
        public var isNotNull: Bool
        /// Conditions over VALUE.
        public var checks: [String]
        public var defaultValue: String?

        public init(
            base: DeclaredType, parent: TypeName? = nil, isNotNull: Bool = false, checks: [String] = [], defaultValue: String? = nil
        ) {
            self.base = base
            self.parent = parent
            self.isNotNull = isNotNull
            self.checks = checks
            self.defaultValue = defaultValue
        }
    }
}
