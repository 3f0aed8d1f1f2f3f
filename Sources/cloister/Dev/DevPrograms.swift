internal import Attestation
internal import CellCrypto
internal import Diagnostics
internal import Foundation

/// The other programs of the installation, found beside this one.
struct DevPrograms {
    let cloister: String
    let tee: String
    let enclave: String

    init() throws(CloisterError) {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        let folder = URL(filePath: own).deletingLastPathComponent()
        func find(_ name: String, variable: String, _ places: [String]) throws(CloisterError) -> String {
            let given = ProcessInfo.processInfo.environment[variable]
            let candidates = given.map { [$0] } ?? places.map { folder.appending(path: $0).standardizedFileURL.path(percentEncoded: false) }
            guard let found = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
                throw CloisterError(.devMissing, "program \(name) was not found", hint: "run 'make build'", location: candidates[0])
            }
            return found
        }
        cloister = own
        tee = try find("cloister-tee", variable: "CLOISTER_TEE", ["cloister-tee"])
        // The static build has a scratch path of its own; its folders are .build/enclave/release beside .build/release.
        enclave = try find(
            "cloister-enclave", variable: "CLOISTER_ENCLAVE",
            [
                "../enclave/release/cloister-enclave", "../../enclave/release/cloister-enclave",
                "../../enclave/x86_64-unknown-linux-gnu/release/cloister-enclave", "cloister-enclave",
            ])
    }

    /// `sha384:…` of the enclave's binary.
    func measurement() throws(CloisterError) -> String {
        guard let data = FileManager.default.contents(atPath: enclave) else {
            throw CloisterError(.devMissing, "the enclave's binary cannot be read", location: enclave)
        }
        return Measurement(bytes: try DigestAlgorithm.sha384.hash([UInt8](data)))?.description ?? ""
    }

    /// Starts the platform and through it the enclave, for the user who runs PostgreSQL. Its log begins anew: `isReady` reads it.
    /// On a kernel without memfd_secret the enclave takes locked memory, which its report then says.
    func startTEE(folder: DevFolder, serverUser: String) throws(CloisterError) -> ProcessRecord {
        try? FileManager.default.removeItem(atPath: folder.log("tee"))
        let arguments = [
            tee, "run", "--enclave", enclave, "--socket", folder.enclaveSocket, "--state-dir", folder.platform, "--peer-user", serverUser,
            "--allow-mlock",
        ]
        return try Tool.start("tee", arguments, environment: DevCluster.environment, folder: folder)
    }

    /// The platform prints `ready …` when the enclave listens.
    func isReady(folder: DevFolder) -> Bool {
        guard let log = FileManager.default.contents(atPath: folder.log("tee")) else { return false }
        return String(decoding: log, as: UTF8.self).contains("ready measurement=")
    }

    func startProxy(folder: DevFolder) throws(CloisterError) -> ProcessRecord {
        try Tool.start("proxy", [cloister, "proxy", "--config", folder.configFile], environment: DevCluster.environment, folder: folder)
    }
}
