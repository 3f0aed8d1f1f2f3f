import Testing

@Suite struct SessionCorePlaceholder {}
