/// Placeholder until the module's owner replaces it.
