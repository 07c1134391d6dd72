"""Variants: the several results that one job may ask for, by ``widths`` and ``formats``. Each is what its width and its format alone would give."""

from __future__ import annotations

from dataclasses import replace

from backend.core.conversion import Conversion
from backend.core.options import Options, for_format


def variants(options: Options) -> tuple[Options, ...]:
    """In the order asked for: format by format, each in the order of the widths. Of a plain job, its own options alone."""
    if not options.is_several:
        return (options,)
    return tuple(_variant(options, width, each) for each in options.asked_formats for width in options.asked_widths)


def conversions(conversion: Conversion) -> tuple[Conversion, ...]:
    """One for each of its results; of a plain conversion, it alone."""
    return tuple(replace(conversion, options=each) for each in variants(conversion.options)) if conversion.options.is_several else (conversion,)


def _variant(options: Options, width: int | None, output_format: str) -> Options:
    chosen = replace(options, widths=None, formats=None, width=width or options.width)
    return for_format(chosen, output_format)
