import Testing

@Suite struct CellCryptoPlaceholder {}
