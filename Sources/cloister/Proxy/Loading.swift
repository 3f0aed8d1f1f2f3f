internal import Configuration
internal import Diagnostics
internal import KeyStore

/// Reads a configuration and insists on the sections that a proxy needs.
func loadServiceConfiguration(_ file: String) throws -> (Configuration, ServiceConfiguration) {
    let configuration = try Configuration(contentsOf: file)
    guard let service = configuration.service else {
        throw CloisterError(
            .configurationMissing, "the sections proxy, keys and enclave are missing", hint: "a file of columns only is for 'cloister dev'",
            location: file)
    }
    return (configuration, service)
}

/// Opens the vault with the passphrase from its file, the environment or the terminal.
func openVault(_ service: ServiceConfiguration) throws(CloisterError) -> FileVault {
    try FileVault(path: service.vault, passphrase: PassphraseSource.choose(file: service.passphraseFile).read())
}
