"""The transform: named steps, one a module, each of which obeys some options. ``load`` finds them; to add one, add its module.

====== ===============================================================================================================
place  what is done there
====== ===============================================================================================================
5      ``crop``: the part that is used is cut out
10–40  ``mode``, ``scale``, ``colour``, ``orientation``: the picture gets its size, is sRGB, and stands upright
50     ``canvas``: it is cropped to the canvas, or set on it
51–79  what works on the finished canvas: ``blur``, ``sharpen``, ``watermark``
80–90  ``alpha``, ``layout``: what the output format and its encoder need
====== ===============================================================================================================

The order of 10–40 touches the fewest pixels.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from PIL import Image, ImageFile

from backend.codec.image import saliency
from backend.codec.image.steps.alpha import OnBackground
from backend.codec.image.steps.canvas import Canvas
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
    return _detach(_run(load(), image, plan, on_share))


def without_scaling(image: Image.Image, plan: Plan) -> Image.Image:
    """What is done before a picture is scaled: all sizes of it have that in common. As ``transform``."""
    return _run([each for each in load() if each.place < Scale.place], image, plan, lambda _share: None)


def scaled(image: Image.Image, plan: Plan) -> Image.Image:
    """``image``, of which ``without_scaling`` is done, in its size, as sRGB and upright. It may be ``image`` itself, which stays open in any case."""
    return _run([each for each in load() if Scale.place <= each.place < Canvas.place], image, plan, lambda _share: None, keeps_first=True)


def consumed(image: Image.Image, plan: Plan) -> Image.Image:
    """As ``scaled``, but ``image`` is used up."""
    return _run([each for each in load() if Scale.place <= each.place < Canvas.place], image, plan, lambda _share: None)


def finished(image: Image.Image, plan: Plan, on_share: OnShare) -> Image.Image:
    """The rest, from the canvas on. As ``transform``."""
    return _detach(_run([each for each in load() if each.place >= Canvas.place], image, plan, on_share))


def finish_ms(traits: Traits, plan: Plan) -> float:
    """What ``finished`` costs, as ``costs_ms``."""
    costs = costs_ms(traits, plan)
    return sum(costs.get(each.name, 0.0) for each in load() if each.place >= Canvas.place)


def is_scaled(traits: Traits, plan: Plan) -> bool:
    """Whether a picture with these traits gets another size."""
    return not next(each for each in load() if isinstance(each, Scale)).is_idle(traits, plan)


def settled(first: Image.Image, plan: Plan) -> Plan:
    """With the place that ``first``, the first frame of an animation, has on the canvas: so that the frames stand still. ``first`` is used up."""
    if plan.seeks is None:
        return plan
    with _run([each for each in load() if each.place < Canvas.place], first, plan, lambda _share: None) as upright:
        return replace(plan, geometry=saliency.placed(upright, plan.geometry, plan.seeks), seeks=None)


def _run(steps: Sequence[Step], image: Image.Image, plan: Plan, on_share: OnShare, *, keeps_first: bool = False) -> Image.Image:
    first = image if keeps_first else None
    expected = costs_ms(Traits.of(image), plan)
    total_ms, done_ms = sum(expected.values()) or 1.0, 0.0
    for step in steps:
        cost_ms = expected.get(step.name, 0.0)
        on_share(done_ms / total_ms)
        if not step.is_idle(Traits.of(image), plan):
            before, image = image, step.apply(image, plan, _share_of_step(on_share, done_ms / total_ms, cost_ms / total_ms))
            if before is not image and before is not first:
                before.close()
        done_ms += cost_ms
    return image


def costs_ms(traits: Traits, plan: Plan) -> dict[str, float]:
    """What each step will cost that is not idle for a picture with these traits."""
    decoded, result = traits.size[0] * traits.size[1] / 1e6, plan.geometry.pixels / 1e6
    busy_steps = (each for each in load() if not each.is_idle(traits, plan))
    return {each.name: each.ms_a_megapixel * (decoded if each.place <= Scale.place else result) + each.once_ms(plan) for each in busy_steps}


def _detach(image: Image.Image) -> Image.Image:
    """Without the file that it was opened from, whose directory ``Image.save`` looks for, which a sealed process may not. Shares the pixels."""
    if not isinstance(image, ImageFile.ImageFile):
        return image
    detached = image._new(image.im)
    image.close()
    return detached


def _share_of_step(on_share: OnShare, done: float, width: float) -> OnShare:
    return lambda share: on_share(done + width * share)


def may_decode_smaller(traits: Traits, plan: Plan) -> bool:
    """Whether nothing needs all of the picture's pixels before it is scaled."""
    return not plan.is_open and all(each.takes_reduced or each.is_idle(traits, plan) for each in load() if each.place < Scale.place)


def changes_canvas(traits: Traits, plan: Plan) -> bool:
    """Whether something is done to the picture once it has its size and colours."""
    return any(Canvas.place < each.place < OnBackground.place and not each.is_idle(traits, plan) for each in load())


def keep_samples(traits: Traits, plan: Plan) -> bool:
    """Whether the steps that would change a picture with these traits only move its samples."""
    return all(each.moves_only or each.is_idle(traits, plan) for each in load())


def busy(traits: Traits, plan: Plan) -> frozenset[str]:
    """The names of the steps that would change a picture with these traits."""
    return frozenset(each.name for each in load() if not each.is_idle(traits, plan))
