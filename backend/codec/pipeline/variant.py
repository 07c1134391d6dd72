"""One of several results, while it is planned: its output, its plan, and what it costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from backend.codec.geometry import Size
from backend.codec.image import stage_costs, steps
from backend.codec.image.steps.step import Plan, Traits
from backend.codec.pipeline.output import Output


@dataclass(slots=True)
class Variant:
    """``number`` is its place in the order asked for; ``cost_ms`` as in ``stage_costs``."""

    number: int
    output: Output
    plan: Plan
    cost_ms: float = 0.0

    @property
    def size(self) -> Size:
        return self.plan.geometry.scaled

    @property
    def is_apart(self) -> bool:
        """Whether it needs another way of decoding than a still of 8 bits."""
        return self.output.keeps_frames or self.output.keeps_sixteen_bits(self.plan)

    @property
    def is_search(self) -> bool:
        """It makes as many passes as its time allows."""
        return self.output.options.quality == "auto" or self.output.options.target_bytes is not None

    def encode_ms(self, traits: Traits) -> float:
        """What it costs from the canvas on, for a picture with these traits."""
        has_alpha = traits.mode in stage_costs.TRANSPARENT or traits.has_colour_key
        encode_ms = self.output.encoder.cost_ms(self.plan.options, self.plan.geometry.pixels, has_alpha=has_alpha)
        return max(1e-6, encode_ms + steps.finish_ms(traits, self.plan))

    def is_first_in(self, variants: list[Variant]) -> bool:
        """Of those that give the same."""
        return next(each for each in variants if each.gives_the_same(self)) is self

    def gives_the_same(self, other: Variant) -> bool:
        """Of two widths that the picture does not have, each gives the width that it has."""
        is_alike = replace(self.output.options, width=None) == replace(other.output.options, width=None)
        return self is other or (is_alike and not self.plan.is_open and self.plan.geometry == other.plan.geometry)


def split(variants: list[Variant], is_in_first: Callable[[Variant], bool]) -> tuple[list[Variant], list[Variant]]:
    return [each for each in variants if is_in_first(each)], [each for each in variants if not is_in_first(each)]


def largest(variants: Iterable[Variant]) -> Variant:
    return max(variants, key=lambda each: each.size[0] * each.size[1])
