import Testing

@Suite struct ValueCodecPlaceholder {}
