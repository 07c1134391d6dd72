"""Pixels to an output file: still and animated WebP, and the searches for a quality or a size."""
