"""JPEG: its header, its notes, and its pixels through libjpeg."""
