"""A round: files of one kind by their seeds, the product's answers, the judge's, and what is between them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from backend.codec.sealed import SealedCodec
from tests.support.chromium_pictures import Animation, ChromiumJudge
from tests.system.differential.compare import Difference, differences
from tests.system.differential.kinds import Kind
from tests.system.differential.meant import is_meant
from tests.system.differential.product import Outcome, outcome
from tests.system.differential.writers.sample import Sample

DAMAGE = {"cut", "zeroed", "bad-data-checksum", "too-little-data", "sequence-with-a-gap", "frame-beyond-canvas"}
"""Only a file with one of these may be called damaged, where no judge shows it."""


@dataclass(frozen=True)
class Finding:
    """A difference that nobody meant."""

    kind: str
    seed: str
    sample: Sample
    difference: Difference

    def __str__(self) -> str:
        return f"{self.seed}: {self.difference} {sorted(self.sample.traits)}"

    def keep(self, folder: Path) -> Path:
        """Write the file, so that the finding can be looked into."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.seed}.{self.kind.split('_')[0].replace('apng', 'png')}"
        path.write_bytes(self.sample.data)
        return path


def findings(codec: SealedCodec, judge: ChromiumJudge, kind: Kind, numbers: Iterable[int]) -> list[Finding]:
    seeds = [f"{kind.name}-{number}" for number in numbers]
    samples = [kind.write(each) for each in seeds]
    outcomes = [outcome(codec, each.data) for each in samples]
    ours, theirs = judge.frames([each.data for each in outcomes]), kind.judge(judge, samples)
    found = []
    for seed, sample, answer, one, other in zip(seeds, samples, outcomes, ours, theirs, strict=True):
        all_ = _between(kind, sample, answer, one, other)
        found += [Finding(kind.name, seed, sample, each) for each in all_ if not is_meant(kind.name, each.what, sample)]
    return found


def _between(kind: Kind, sample: Sample, answer: Outcome, ours: Animation | None, theirs: Animation | None) -> list[Difference]:
    if answer.error:
        right = ("damaged_image", "unsupported_format") if sample.traits & DAMAGE else "unsupported_format"
        is_right = theirs is None and answer.error.startswith(right)
        return [] if is_right else [Difference(f"refused:{answer.error}")]
    if ours is None:
        return [Difference("unreadable", "Chromium does not show the result")]
    if theirs is None:
        return [Difference("unjudged", "the judge refuses the file that the product converted")]
    return differences(ours, theirs, kind.tolerance_of(sample))
