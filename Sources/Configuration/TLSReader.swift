internal import Diagnostics
internal import Yams

/// The sections `proxy.tls` and `proxy.server_tls`.
extension ConfigurationReader {
    mutating func readListenerTLS(_ entry: YAMLReader.Entry, listen: NetworkAddress?) -> ListenerTLS {
        let what = "proxy.tls"
        var tls = ListenerTLS()
        let keys = ["certificate", "key", "client_ca", "client_certificates", "client_name"]
        guard let section = yaml.section(entry.value, what, required: ["mode"], optional: keys) else { return tls }
        if let mode = section["mode"] {
            // YAML reads `off` as a truth value; here it is the word.
            let isOff = mode.value.scalar?.string == "off"
            let words = ListenerTLS.Mode.allCases.map { ($0.rawValue, $0) }
            tls.mode = isOff ? .off : yaml.word(mode.value, "\(what).mode", among: words) ?? .off
        }
        tls.identity = identity(section, what, at: entry)
        tls.clientCA = path(section["client_ca"]?.value, "\(what).client_ca")
        tls.clientCertificates =
            section["client_certificates"].flatMap {
                yaml.word($0.value, "\(what).client_certificates", among: ListenerTLS.ClientCertificates.allCases.map { ($0.rawValue, $0) })
            } ?? .none
        tls.clientName =
            section["client_name"].flatMap {
                yaml.word($0.value, "\(what).client_name", among: ListenerTLS.ClientName.allCases.map { ($0.rawValue, $0) })
            } ?? .any
        if tls.mode != .off {
            if listen?.isSocket == true {
                yaml.note(.configurationWrongValue, "\(what): a Unix socket has no TLS", at: entry.keyMark)
            }
            for key in ["certificate", "key"] where section[key] == nil {
                yaml.note(.configurationMissing, "\(what): key '\(key)' is missing", at: entry.value.mark)
            }
        }
        if tls.clientCertificates != .none, section["client_ca"] == nil {
            yaml.note(
                .configurationMissing, "\(what): key 'client_ca' is missing", hint: "it says whose client certificates count",
                at: entry.value.mark)
        }
        if tls.clientCertificates == .require, tls.mode == .allow, let mode = section["mode"] {
            yaml.note(
                .configurationWrongValue, "\(what).mode: expected require where client certificates are required",
                hint: "a client that does without TLS would need none", at: mode.value.mark)
        }
        if tls.clientName == .user, tls.clientCertificates != .require, let name = section["client_name"] {
            yaml.note(
                .configurationWrongValue, "\(what).client_name: user needs client_certificates: require", at: name.value.mark)
        }
        return tls
    }

    mutating func readServerTLS(_ entry: YAMLReader.Entry, server: NetworkAddress?) -> ServerTLS {
        let what = "proxy.server_tls"
        var tls = ServerTLS()
        guard let section = yaml.section(entry.value, what, required: ["mode"], optional: ["root", "certificate", "key"]) else {
            return tls
        }
        let words = ServerTLS.Mode.allCases.map { ($0.rawValue, $0) }
        tls.mode = section["mode"].flatMap { yaml.word($0.value, "\(what).mode", among: words, aliases: ["off": "disable"]) } ?? .prefer
        tls.root = path(section["root"]?.value, "\(what).root")
        tls.identity = identity(section, what, at: entry)
        if tls.mode == .verifyCA || tls.mode == .verifyFull, section["root"] == nil {
            yaml.note(
                .configurationMissing, "\(what): key 'root' is missing", hint: "it names the CAs that may sign the server's certificate",
                at: entry.value.mark)
        }
        if server?.isSocket == true, tls.mode != .disable {
            yaml.note(
                .configurationWrongValue, "\(what): a Unix socket has no TLS", hint: "write mode: disable, or leave the section out",
                at: entry.keyMark)
        }
        return tls
    }

    /// Certificate and key come together.
    private mutating func identity(_ section: [String: YAMLReader.Entry], _ what: String, at entry: YAMLReader.Entry) -> TLSIdentity? {
        let certificate = path(section["certificate"]?.value, "\(what).certificate")
        let key = path(section["key"]?.value, "\(what).key")
        if (section["certificate"] == nil) != (section["key"] == nil) {
            yaml.note(.configurationMissing, "\(what): certificate and key come together", at: entry.value.mark)
        }
        guard let certificate, let key else { return nil }
        return TLSIdentity(certificate: certificate, key: key)
    }
}
