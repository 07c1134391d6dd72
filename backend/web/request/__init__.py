"""What a request says: bodies, digests, keys, the client, repeated requests."""
