import Testing

@Suite struct ProxyServerPlaceholder {}
