"""The codec in an encoder's process: starts a sandboxed child, watches it and ends it. Never imports Pillow."""
