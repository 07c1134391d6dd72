"""The store and resumable uploads in a folder."""
