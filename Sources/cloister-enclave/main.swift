/// cloister-enclave: the measured program. Made to be started by cloister-tee, which gives it an empty environment and the
/// platform's channel as descriptor 3.
///
/// The main thread reads options, accepts connections and never touches a secret. It leaves its first stack at once: root can
/// write there, and so decide where it returns to.
startEnclave()
