"""All ports that Redis provides, over one client and one set of scripts."""

from __future__ import annotations

import redis

from backend.adapters.redis.client import KEY_PREFIX
from backend.adapters.redis.client_uses import RedisClientUses
from backend.adapters.redis.counters import RedisCounters
from backend.adapters.redis.delivery_queue import RedisDeliveryQueue
from backend.adapters.redis.duties import RedisDuties
from backend.adapters.redis.fetch_leases import RedisFetchLeases
from backend.adapters.redis.history import RedisHistory
from backend.adapters.redis.index import RedisJobIndex
from backend.adapters.redis.job_states import RedisJobStates
from backend.adapters.redis.leases import RedisLeases
from backend.adapters.redis.memos import RedisMemos
from backend.adapters.redis.presence import RedisPresence
from backend.adapters.redis.queue import RedisJobQueue
from backend.adapters.redis.scripts import Scripts
from backend.adapters.redis.upkeep import RedisUpkeep
from backend.ports.live_state import LiveState


def live_state(client: redis.Redis, *, prefix: str = KEY_PREFIX) -> LiveState:
    scripts = Scripts(client, prefix)
    return {
        "queue": RedisJobQueue(scripts),
        "jobs": RedisJobStates(scripts),
        "leases": RedisLeases(scripts),
        "fetch_leases": RedisFetchLeases(scripts),
        "index": RedisJobIndex(scripts),
        "client_uses": RedisClientUses(scripts),
        "counters": RedisCounters(scripts),
        "memos": RedisMemos(scripts),
        "duties": RedisDuties(scripts),
        "presence": RedisPresence(scripts),
        "deliveries": RedisDeliveryQueue(scripts),
        "history": RedisHistory(scripts),
        "upkeep": RedisUpkeep(scripts),
    }
