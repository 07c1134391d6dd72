"""Pixels to an output file: one module or package a format, named like its row in ``core.formats.OUTPUT`` and found by ``registry``.

Shared by all of them: the searches for a quality (``quality_search``, ``auto_quality``) and the score that they look at (``ssimulacra2``).
"""
