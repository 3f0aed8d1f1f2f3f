/// cloister-enclave: the measured program. Made to be started by cloister-tee, which gives it an empty environment and the
/// platform's channel as descriptor 3.
///
/// The main thread has an ordinary stack: it reads options, accepts connections and never touches a secret.
internal import Glibc

do {
    let options = try EnclaveOptions(Array(CommandLine.arguments.dropFirst()))
    try runEnclave(options)
} catch let error as StartFailure {
    complain(error.message)
    _exit(error.status)
}
