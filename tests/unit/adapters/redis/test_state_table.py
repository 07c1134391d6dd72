"""The state table of the core drives the changes that Redis makes: what it does not allow is refused, whichever script asks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis

from backend.adapters.redis import scripts
from backend.adapters.redis.client import KEY_PREFIX
from backend.core.job import FOLLOWING, STATES, State, Status
from tests.contract.live import Live, found
from tests.fakes.samples import job
from tests.support.redis_server import RedisServer

CHANGE = scripts.prelude() + "return (change(ARGV[1], {state = ARGV[2]}))"


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
def test_a_change_is_made_if_the_table_allows_it_and_refused_if_not(
    redis_live: Live, redis_server: RedisServer, connect: Callable[[str], redis.Redis], before: State, after: State
) -> None:
    made = job()
    redis_live.jobs.restore(made.at(Status(seq=7, state=before)), 0)
    change = connect(redis_server.url).register_script(CHANGE)
    if after in FOLLOWING[before]:
        assert change(keys=[KEY_PREFIX], args=[made.id, after]) == 8
        assert found(redis_live, made.id).status.state == after
    else:
        with pytest.raises(redis.ResponseError, match=f"a job that is {before} cannot become {after}"):
            change(keys=[KEY_PREFIX], args=[made.id, after])
        assert found(redis_live, made.id).status == Status(seq=7, state=before)
