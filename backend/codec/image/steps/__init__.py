"""The transform: named steps, one a module, each of which obeys some options. ``load`` finds them; to add one, add its module.

====== ===============================================================================================================
place  what is done there
====== ===============================================================================================================
10–40  ``mode``, ``scale``, ``colour``, ``orientation``: the picture gets its size, is sRGB, and stands upright
50     ``canvas``: it is cropped to the canvas, or set on it
51–79  what works on the finished canvas: a blur, a watermark
80–90  ``alpha``, ``layout``: what the output format and its encoder need
====== ===============================================================================================================

The order of 10–40 touches the fewest pixels.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from PIL import Image, ImageFile

from backend.codec.image.steps.scale import Scale
from backend.codec.image.steps.step import OnShare, Plan, Step, Traits


@cache
def load() -> tuple[Step, ...]:
    """One instance of each ``Step`` that the modules of this package define, in the order of their places."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return tuple(sorted((each() for each in Step.__subclasses__()), key=lambda each: each.place))


def transform(image: Image.Image, plan: Plan, on_share: OnShare) -> Image.Image:
    """Run the steps that are not idle. Each picture is closed once the next one is made; metadata stays behind."""
    steps = load()
    for number, step in enumerate(steps):
        on_share(number / len(steps))
        if not step.is_idle(Traits.of(image), plan):
            before, image = image, step.apply(image, plan, _share_of_step(on_share, number, len(steps)))
            if before is not image:
                before.close()
    return _detach(image)


def _detach(image: Image.Image) -> Image.Image:
    """Without the file that it was opened from, whose directory ``Image.save`` looks for, which a sealed process may not. Shares the pixels."""
    if not isinstance(image, ImageFile.ImageFile):
        return image
    detached = image._new(image.im)
    image.close()
    return detached


def _share_of_step(on_share: OnShare, number: int, count: int) -> OnShare:
    return lambda share: on_share((number + share) / count)


def may_decode_smaller(traits: Traits, plan: Plan) -> bool:
    """Whether the first thing done to the picture is to scale it: no step needs all of its pixels."""
    return all(each.is_idle(traits, plan) for each in load() if each.place < Scale.place)


def keep_samples(traits: Traits, plan: Plan) -> bool:
    """Whether the steps that would change a picture with these traits only move its samples."""
    return all(each.moves_only or each.is_idle(traits, plan) for each in load())


def busy(traits: Traits, plan: Plan) -> frozenset[str]:
    """The names of the steps that would change a picture with these traits."""
    return frozenset(each.name for each in load() if not each.is_idle(traits, plan))
