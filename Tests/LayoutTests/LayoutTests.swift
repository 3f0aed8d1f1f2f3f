import Testing

@Suite struct LayoutPlaceholder {}
