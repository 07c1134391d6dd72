"""Runs the Lua scripts in ``scripts/``: each is a change of the live state that must be one step.

What happens to a job is published to those whom it concerns:

- ``changed:<id>``: every change, for those who watch the job;
- ``ended:<id>``: the end, for those who wait for nothing else;
- ``stopped:<encoder>``: the token of a job that was taken from that encoder (see ``cancellations``);
- ``watched:<encoder>``: the token of a running job that somebody watches from now on.

Keys, all under one prefix (``GATEWAY_REDIS_PREFIX``)::

    job:<id>      hash    manifest, status (JSON), state, seq, token, client, tries, fetches, handed_back, leader, pauses, deaths, lost (tokens),
                          cost; passing where the job is ephemeral, paused while it waits for another try, needs where an encoder must speak a
                          newer protocol than 1; until ten minutes after its end
    log:<id>      list    of a job that was watched: the newest statuses (JSON), one a change, seq rising by one; until a minute after its end
    queue         zset    a slot for each waiting job, labelled with one; score = its time × 2^20 + serial
    queue:tags    hash    client → time at which its next slot is due; at most ten thousand clients
    queue:now     string  virtual time: that of the slot last taken
    queue:serial  string  rises with each job that is queued
    client:<who>  zset    the client's slots in the queue
    own:<who>     zset    the slots of the client's lines, each labelled with a waiting job; score as in the queue
    client:tags:<who> hash line of the client → time at which its next slot in ``own`` is due
    turns:<who> <line> zset the line's slots in ``own``
    line:<who> <line> zset a line's waiting ids; score = class × 2^40 + serial
    underway:<who> zset   a client's ids that wait, run or are fetched; score = when each is to be erased, s
    uploads:<who> zset    a client's unfinished resumable uploads; score = when each expires, s
    bytes:<who>   string  what a client sent since the window of a day began
    encode        list    Celery's: tickets, one for each waiting job unless some were lost (see ``ticket``)
    express       list    one call for each small job that came while all encoders were busy (its id); at most a hundred
    waiting       zset    the ids in the queue; score = when the job was made, s
    fetching      zset    ids whose source is being fetched; score = end of the lease, ms
    running       zset    ids that an encoder holds; score = end of the lease, ms
    ended:<state> zset    ids of ended jobs that the store holds; score = when that became known, ms
    seqs          hash    id → seq of an end, where the store has another one
    expiry        zset    every id that the store holds; score = when it is to be erased, s
    listed:<who>  zset    the ids that one maker may list; score = when the job was made, s
    listers       hash    id → maker, of every id that is listed
    recent        list    ms that the newest twenty conversions took
    encoders      hash    name → {until, clock, facts} as JSON; ``clock`` says that ``until`` is Redis' time
    encoders:seen hash    name → the ``until`` of an encoder of protocol 1, and the ms at which it was first seen
    gateways      hash    as ``encoders``, of gateway processes
    presence:looked string there for a moment after the silent ones were looked for
    protocol      string  the protocol that these keys need (``core.protocol``); none where any release can use them
    leader:<work> string  the running job that encodes this work
    twins:<id>    set     the followers of a job
    same:<work>   zset    jobs that succeeded with this work; score = when each is to be erased, s
    room          string  empty: written first by a script, so that a full Redis refuses it or lets it be (``prelude.lua``)
    totals        hash    what was counted so far, by the names of ``core.tally``
    pace:<n>      hash    the same for ten seconds, the nth since the epoch
    history       list    the operator's page's samples (JSON), the newest last; at most 180
    webhooks:known            hash    id → host and client, of every delivery that is pending
    webhooks:counts           hash    client → how many of these are its own
    webhooks:clients          zset    clients of whom one waits; score = when the first is due, ms
    webhooks:hosts:<client>   zset    the hosts for which these wait; score = the same
    webhooks:due:<client host> zset   the ids that wait; score = when each is due, ms
    webhooks:leased           zset    the ids that a process tries now; score = end of the lease, ms
    webhooks:failures:<host>  string  how often in a row it gave no answer
    webhooks:paused:<host>    string  there while it is left alone
    relay:secret  string  what gateways sign relayed Socket.IO requests with (``shared_secret``)
    duty:<name>   string  who holds a duty
    epoch         string  who rebuilt this state, and on which run of the server
    scan          hash    id, run (of the server), scan (JSON): how far the scan of the store is that is under way
    lost          set     ids that were to be given out and are unknown
    scan:wanted   string  when a scan of the store is due, ms, and why
    upkeep        hash    kind of the Janitor's rounds → when one succeeded, ms; <kind>:trouble → the part that failed since
    memo:<key>    string  a memo
    memos:<group> zset    the memos of one group, of which only so many are kept; score = when each was put, ms
    count:<key>   string  a counter that ends with its window

The queue is start-time fair queueing (Goyal, Vin, Cheng 1996) with equal weights; a job costs what it has of pixels. Clients take turns: the next
slot of each is due when its jobs before would be done, were all clients served alike. So a single image waits for at most one job of each other
client. Within a client its lines take turns in the same way, over the client's own slots; so nobody gets more turns by opening lines. Within a
line the classes of ``core/turns.py`` go one after the other. What bounds the number of these keys is in docs/internals/shares.md.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import redis

from backend.adapters.redis.client import translate_errors
from backend.adapters.redis.ticket import ticket
from backend.core.job import FOLLOWING

FOLDER = Path(__file__).with_suffix("")
PRELUDE = "prelude"


def prelude() -> str:
    """What the scripts share: the state table, the ticket, and ``prelude.lua``."""
    return state_table() + f"local ticket = [[{ticket()}]] -- luacheck: no max line length\n" + (FOLDER / f"{PRELUDE}.lua").read_text("utf-8")


def state_table() -> str:
    """``FOLLOWING`` as a Lua table: ``following[before][after]``."""
    rows = (f"  {before} = {{{', '.join(f'{after} = true' for after in sorted(states))}}},\n" for before, states in FOLLOWING.items())
    return f"local following = {{\n{''.join(rows)}}}\n"


DEFINITION = re.compile(r"^local (?:function )?(\w+(?:, \w+)*)", re.MULTILINE)
NO_CODE = re.compile(r"--[^\n]*|'[^'\n]*'|\[\[.*?\]\]")
"""Comments and texts: what they name is not used."""


def definitions(text: str) -> list[tuple[set[str], str]]:
    """Those that a text begins in its first column: the names that each defines, and its lines up to the next."""
    begun = [*DEFINITION.finditer(text)]
    ends = [*(each.start() for each in begun[1:]), len(text)]
    return [(set(each[1].split(", ")), text[each.start() : end]) for each, end in zip(begun, ends, strict=True)]


def words_of(code: str) -> set[str]:
    return set(re.findall(r"[A-Za-z_]\w*", NO_CODE.sub("", code)))


def with_definitions(script: str, shared: list[tuple[set[str], str]]) -> str:
    """``script`` after the shared definitions that it needs, and those that these need. Redis runs what stands there with every call, so it is
    no more than that."""
    needed, kept = words_of(script), []
    for names, code in reversed(shared):
        if names & needed:
            needed |= words_of(code)
            kept.append(code)
    return "".join([*reversed(kept), script])


@cache
def sources() -> dict[str, str]:
    """Each script's whole text by its name."""
    shared = definitions(prelude())
    paths = (path for path in FOLDER.glob("*.lua") if path.stem != PRELUDE)
    return {path.stem: with_definitions(path.read_text("utf-8"), shared) for path in paths}


class Scripts:
    """Runs the scripts on one server, on the keys under one prefix."""

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self.client, self.prefix = client, prefix
        self._scripts = {name: client.register_script(source) for name, source in sources().items()}

    def key(self, name: str) -> str:
        return self.prefix + name

    def run(self, name: str, *arguments: Any) -> Any:
        """The script's answer. Raises ``BackendUnavailable``."""
        with translate_errors():
            return self._scripts[name](keys=[self.prefix], args=arguments)
