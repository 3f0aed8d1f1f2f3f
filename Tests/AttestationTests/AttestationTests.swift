import Testing

@Suite struct AttestationPlaceholder {}
