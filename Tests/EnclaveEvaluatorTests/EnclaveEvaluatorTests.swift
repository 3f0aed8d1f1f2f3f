import Testing

@Suite struct EnclaveEvaluatorPlaceholder {}
