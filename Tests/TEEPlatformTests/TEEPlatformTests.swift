import Testing

@Suite struct TEEPlatformPlaceholder {}
