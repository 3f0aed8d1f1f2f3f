import Testing

@Suite struct KeyStorePlaceholder {}
