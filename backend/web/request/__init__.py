"""What a request says: its body, its client, its key, its headers."""
