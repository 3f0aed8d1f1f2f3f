internal import AdminConnection
internal import Configuration
internal import Diagnostics
internal import Foundation

extension AdminOptions {
    /// The proxy's maintenance connection: `proxy.server` and `proxy.admin`, the rest from libpq's environment.
    init(_ service: ServiceConfiguration) throws(CloisterError) {
        let admin = service.admin
        var password: AdminPassword?
        if let file = admin.passwordFile {
            guard let data = FileManager.default.contents(atPath: file) else {
                throw CloisterError(.configurationUnreadable, "the file of proxy.admin.password_file cannot be read", location: file)
            }
            var text = String(decoding: data, as: UTF8.self)
            while text.last?.isNewline == true { text.removeLast() }
            password = AdminPassword(text)
        }
        self.init(host: service.server.host, port: service.server.port, user: admin.user, password: password, database: admin.database)
        let tls = service.serverTLS
        self.tls = AdminTLS(mode: tls.mode.rawValue, root: tls.root, certificate: tls.identity?.certificate, key: tls.identity?.key)
    }
}
