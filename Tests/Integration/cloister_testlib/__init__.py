"""Independent implementations that the integration tests hold the product against."""
