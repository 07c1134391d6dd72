"""What files signal of their colours, as ICC profiles: tables of H.273, tone mapping, a writer of profiles, and how browsers take embedded ones."""

from __future__ import annotations

from backend.codec.image.colour_signal.embedded import as_browsers_take
from backend.codec.image.colour_signal.signals import Calibration, CodePoints, ColourSignal, profile_for

__all__ = ["Calibration", "CodePoints", "ColourSignal", "as_browsers_take", "profile_for"]
