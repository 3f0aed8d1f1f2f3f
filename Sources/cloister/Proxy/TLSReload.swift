internal import Configuration
internal import Diagnostics
internal import Foundation
internal import Logging
internal import ProxyServer
internal import ServiceLifecycle
internal import UnixSignals

extension TLSSettings {
    init(_ service: ServiceConfiguration) {
        self.init()
        let tls = service.tls
        clients.mode = [.off: .off, .allow: .allow, .require: .require][tls.mode] ?? .require
        clients.identity = tls.identity.map { Identity(certificate: $0.certificate, key: $0.key) }
        clients.authority = tls.clientCA
        clients.certificates = [.none: .none, .verify: .verify, .require: .require][tls.clientCertificates] ?? .require
        clients.nameIsUser = tls.clientName == .user
        server.mode = ServerMode(rawValue: service.serverTLS.mode.rawValue) ?? .verifyFull
        server.root = service.serverTLS.root
        server.identity = service.serverTLS.identity.map { Identity(certificate: $0.certificate, key: $0.key) }
    }
}

/// Reads the files of TLS again on SIGHUP, and by itself when one has changed. Open sessions go on as they are.
struct TLSReload: Service {
    let contexts: TLSContexts
    let logger: Logger

    func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() { reload() }
            }
            group.addTask {
                let files = contexts.settings.files
                var seen = Self.stamps(files)
                // Sleeping ends with an error when the service is cancelled or shut down.
                while !files.isEmpty, (try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(2)) }) != nil {
                    let now = Self.stamps(files)
                    guard now != seen else { continue }
                    seen = now
                    reload()
                }
            }
        }
    }

    private func reload() {
        do {
            try contexts.reload()
            logger.notice("TLS certificates and keys were read again")
        } catch { logger.error("TLS stays as it was: \(error.description)") }
    }

    /// Changes with a file's content as far as its folder entry tells.
    private static func stamps(_ files: [String]) -> [[String]] {
        files.map { file in
            let attributes = try? FileManager.default.attributesOfItem(atPath: file)
            let date = (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970
            return ["\(date ?? 0)", "\(attributes?[.size] ?? 0)", "\(attributes?[.systemFileNumber] ?? 0)"]
        }
    }
}
