import Testing

@Suite struct PGWirePlaceholder {}
