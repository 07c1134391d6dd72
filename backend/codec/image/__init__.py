"""Pixels between the source file and the encoder: decode, orient, transform, convert colours."""
