/// The simulated trusted execution platform: it stands where a processor's or hypervisor's TEE would, behind the same steps,
/// launch, measure, guard, sign.
///
/// What is here: `SealedImage` (measured bytes), `PlatformIdentity` (keys and certificate), `GuardedEnclave` (the traced
/// process), `Supervisor` (relaunch, reports). What must not be here: column keys, plaintext, the channel to PostgreSQL.
/// It protects nothing against the host's root, who can read this process: it shows the protocol, and the enclave's
/// memory protection is the kernel's.
package import Diagnostics

extension ErrorCode {
    /// The platform's state folder can't be read, made or trusted.
    package static let platformState = ErrorCode("CL4103", sqlState: "58030")
    /// The enclave's file can't be read or executed.
    package static let enclaveLaunch = ErrorCode("CL4104", sqlState: "58000")
    /// The enclave ended.
    package static let enclaveEnded = ErrorCode("CL4105", sqlState: "58000")
    /// The enclave was altered, or does what the measured program does not: it was ended, and the environment is disabled.
    package static let enclaveTampered = ErrorCode("CL4106", sqlState: "58000")
}
