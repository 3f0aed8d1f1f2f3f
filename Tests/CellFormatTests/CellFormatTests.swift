import Testing

@Suite struct CellFormatPlaceholder {}
