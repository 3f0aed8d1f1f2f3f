internal import AdminConnection
internal import ArgumentParser
internal import Attestation
internal import CellCrypto
internal import ColumnCatalog
internal import Configuration
internal import Diagnostics
internal import Foundation
internal import KeyStore
internal import Logging
internal import NIOCore
internal import PGWire
internal import ProxyServer
internal import SQLBinding
internal import ServiceLifecycle
internal import SessionCore
internal import UnixSignals

/// `cloister proxy`: serves until SIGTERM or SIGINT.
struct ProxyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "proxy", abstract: "Run the proxy until SIGTERM or SIGINT.")

    @Option(name: .long, help: "The configuration file.")
    var config: String

    func run() async throws {
        let logger = Logger(label: "cloister", factory: StreamLogHandler.standardError(label:))
        let (configuration, service) = try loadServiceConfiguration(config)
        let vault = try openVault(service)
        let release = try KeyRelease(service.enclave)
        let options = try AdminOptions(service)
        let tls = try TLSContexts(TLSSettings(service))
        // The connection is closed when the keys are there.
        let served = try ServedColumns(configuration, service, vault: vault, AdminConnection(options))
        let keys = served.keys
        if service.enclave.measurements.isEmpty, !keys.released.isEmpty {
            let but = service.enclave.placeholders > 0 ? " but the examples' placeholder" : ""
            logger.warning("enclave.measurements names no enclave\(but): no key will be released")
        }
        var settings = ProxyConfiguration(
            listen: .init(host: service.listen.host, port: service.listen.port),
            server: .init(host: service.server.host, port: service.server.port))
        settings.maxConnections = configuration.limits.connections
        settings.startupTimeoutSeconds = Int64(configuration.limits.startupSeconds)
        settings.limits.heldMessage = min(settings.limits.heldMessage, configuration.limits.messageBytes)
        if service.allowsKeyStatements {
            let administrator = ColumnAdministrator(options: options, served: served, logger: logger)
            settings.administer = { administrator.administer($0, $1) }
        }
        let grantor = configuration.sessions.grantedOnly ? try Grantor() : nil
        settings.grants = grantor.map { grantor in
            SessionGrants { challenge, writer in try? grantor.grant(challenge: challenge, writer: writer) }
        }
        let proxy = ProxyService(
            configuration: settings, tls: tls,
            binder: Binder(
                planCacheCapacity: configuration.limits.planCache, showsLogicalTypes: configuration.catalog.logicalTypes),
            catalogs: served.catalogs, keys: served.ring, logger: logger)
        let maintenance = Maintenance(
            options: options, served: served, release: release, grantor: grantor, grants: settings.grants, logger: logger)
        logger.notice(
            "\(keys.marks.marks.count) columns marked under \(keys.ciphers.count) keys; \(keys.released.count) of them may go to an enclave"
        )
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: maintenance), .init(service: proxy), .init(service: TLSReload(contexts: tls, logger: logger))],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        do {
            try await group.run()
        } catch let error as IOError {
            throw CloisterError(
                .cannotListen,
                "the proxy cannot listen on \(service.listen): \(POSIXErrorCode(rawValue: error.errnoCode).map { "\($0)" } ?? "error \(error.errnoCode)")",
                hint: "is another program on that port?", location: config)
        }
    }
}
