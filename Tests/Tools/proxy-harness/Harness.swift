// proxy-harness LISTEN SERVER [limit=N] [drain=SECONDS] [timeout=SECONDS] [schema.table.column:type:scheme:key …]
//
// Runs the proxy for integration tests, without configuration file, key store or maintenance connection: keys are made of
// their numbers, catalogs are loaded by the sessions themselves. LISTEN and SERVER are HOST:PORT or /FOLDER:PORT (a Unix socket).
// TLS: tls=off|allow|require cert=FILE key=FILE [clients=none|verify|require ca=FILE name=user], server_tls=SSLMODE [root=FILE
// server_cert=FILE server_key=FILE]. `binder=none` passes every statement.
internal import CellCrypto
internal import CellFormat
internal import ColumnCatalog
internal import Diagnostics
internal import Logging
internal import ProxyServer
internal import SQLBinding
internal import ServiceLifecycle
internal import SessionCore
internal import UnixSignals

@main
enum Harness {
    static func main() async throws {
        var arguments = CommandLine.arguments.dropFirst()
        guard let listen = arguments.popFirst().flatMap(address), let server = arguments.popFirst().flatMap(address) else {
            print("usage: proxy-harness LISTEN SERVER [OPTION | MARK]…")
            return
        }
        var configuration = ProxyConfiguration(listen: listen, server: server)
        var marks: [ColumnMark] = []
        var ciphers: [KeyID: CellCipher] = [:]
        var bindsNothing = false
        var tls: [String: String] = [:]
        for argument in arguments {
            let option = argument.split(separator: "=", maxSplits: 1)
            if option.count == 2 {
                switch (option[0], Int(option[1])) {
                case ("limit", let value?): configuration.maxConnections = value
                case ("drain", let value?): configuration.drainSeconds = Int64(value)
                case ("timeout", let value?): configuration.startupTimeoutSeconds = Int64(value)
                case ("threads", let value?): configuration.threads = value
                case ("binder", _): bindsNothing = true
                case _ where tlsOptions.contains(String(option[0])): tls[String(option[0])] = String(option[1])
                default: throw CloisterError(ErrorCode("CL1999", sqlState: "F0000"), "unknown option \(argument)")
                }
                continue
            }
            let parts = argument.split(separator: ":").map(String.init)
            let names = parts[0].split(separator: ".").map(String.init)
            guard parts.count == 4, names.count == 3, let type = LogicalType(name: parts[1]),
                let scheme = EncryptionScheme(rawValue: parts[2]),
                let number = UInt32(parts[3]), let key = KeyID(rawValue: number)
            else { throw CloisterError(ErrorCode("CL1999", sqlState: "F0000"), "malformed mark \(argument)") }
            marks.append(
                ColumnMark(
                    schema: names[0], table: names[1], column: names[2], type: EncryptedType(type, scheme, key: key), keyName: parts[3]))
            if ciphers[key] == nil {
                let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: ColumnKey.byteCount)
                ciphers[key] = try CellCipher(ColumnKey(copying: bytes.span), id: key)
            }
        }
        let binder = Binder()
        let passes = bindsNothing
        let bind: SessionResources.Bind = { text, context in
            if passes { return .passThrough(StatementEffects()) }
            return binder.bind(text, context: context)
        }
        let catalogs = CatalogStore(initial: CatalogSnapshot.empty(marks: try MarkedColumns(marks)), database: nil)
        let service = ProxyService(
            configuration: configuration, tls: try TLSContexts(settings(tls)), bind: bind, catalogs: catalogs, keys: KeyRing(ciphers),
            logger: Logger(label: "proxy")
        ) { address in print("listening on \(address)") }
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: service)], gracefulShutdownSignals: [.sigterm, .sigint], logger: Logger(label: "harness")))
        try await group.run()
    }

    static let tlsOptions: Set = ["tls", "cert", "key", "clients", "ca", "name", "server_tls", "root", "server_cert", "server_key"]

    static func settings(_ options: [String: String]) throws -> TLSSettings {
        func identity(_ certificate: String, _ key: String) -> TLSSettings.Identity? {
            guard let certificate = options[certificate], let key = options[key] else { return nil }
            return .init(certificate: certificate, key: key)
        }
        var settings = TLSSettings()
        settings.clients.mode = options["tls"].flatMap { ["allow": .allow, "require": .require][$0] } ?? .off
        settings.clients.identity = identity("cert", "key")
        settings.clients.certificates = options["clients"].flatMap { ["verify": .verify, "require": .require][$0] } ?? .none
        settings.clients.authority = options["ca"]
        settings.clients.nameIsUser = options["name"] == "user"
        if let name = options["server_tls"] {
            guard let mode = TLSSettings.ServerMode(rawValue: name) else {
                throw CloisterError(ErrorCode("CL1999", sqlState: "F0000"), "unknown sslmode")
            }
            settings.server.mode = mode
        }
        settings.server.root = options["root"]
        settings.server.identity = identity("server_cert", "server_key")
        return settings
    }

    static func address(_ text: String) -> ProxyConfiguration.Address? {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]) else { return nil }
        return ProxyConfiguration.Address(host: String(text[..<colon]), port: port)
    }
}
