"""How often something is tried again, and how long it waits before that."""

from __future__ import annotations

WORLD_PAUSES_S = (0.5, 1, *[2] * 4, *[3] * 5, *[4] * 10, *[5] * 4, 8, 10, 15, 20, 30)
"""After the first failure, the second …, in seconds; the last one holds for all that follow. A fault of a minute costs at most 5 s more once it has
passed. Half of each is jitter, so that jobs which failed together do not all come back together."""
DEATH_PAUSES_S = (2, 5, 30)
"""The same after deaths of the codec's child. A machine that is short of memory for some seconds kills no job by that."""
MAX_ATTEMPTS = 6
"""A job fails when the codec's child died so often over its image, so that no image is tried for ever. A turn counts two (``codec.sealed``)."""
MAX_LOSSES = 10
"""A job fails when so many encoders were lost over it and never came back: its image may be what takes them and their hosts along."""
WEBHOOK_PAUSES_S = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Before each try of a webhook: 75.6 hours in all. It is the example of Standard Webhooks (“Reliability”)."""
