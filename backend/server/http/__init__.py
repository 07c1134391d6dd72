"""HTTP where Gunicorn's own is not enough: reading with timeouts, request bodies, responses in slices, error responses."""
