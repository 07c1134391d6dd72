"""What a file says beside its pixels: read from it, and carried into its result."""
