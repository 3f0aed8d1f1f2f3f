import Testing

@Suite struct SQLBindingPlaceholder {}
