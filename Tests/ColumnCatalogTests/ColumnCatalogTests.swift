import Testing

@Suite struct ColumnCatalogPlaceholder {}
