"""Two releases on one Redis and one data folder: gateways and encoders of either, at the same time and in turns."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.support.redis_server import RedisServer
from tests.support.running import ROOT
from tests.system.versions.load import Told, check_all, send
from tests.system.versions.releases import Deployment, Running, archive, deployment

NEIGHBOUR = "632448c42d182cc387a762dbd850670e860524fe"
"""The last commit that spoke protocol 2 alone: the release that stands beside this one while it is rolled out."""
FARTHER = 40
"""So many commits before HEAD stands an older one, in the long form."""
JOBS, MANY_JOBS = 12, int(os.environ.get("VERSIONS_JOBS", "200"))


@pytest.fixture(scope="module")
def neighbour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return found(NEIGHBOUR, tmp_path_factory)


@pytest.fixture(scope="module")
def farther(tmp_path_factory: pytest.TempPathFactory) -> Path:
    said = subprocess.run(["git", "-C", str(ROOT), "rev-list", "-1", f"--skip={FARTHER}", "HEAD"], check=False, capture_output=True, text=True)
    return found(said.stdout.strip() or "none", tmp_path_factory)


def found(commit: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = archive(commit, tmp_path_factory.mktemp("release") / "code")
    if folder is None:
        pytest.skip(f"this clone's history does not reach back to {commit}")
    return folder


@pytest.fixture
def here(tmp_path: Path, redis_server: RedisServer) -> Iterator[Deployment]:
    with deployment(tmp_path / "here", redis_server.url) as made:
        yield made


def run_all(here: Deployment, gateways: list[Path], encoders: list[Path]) -> list[Running]:
    """Start all, encoders first as the guide says; the gateways."""
    for each in encoders:
        here.start_ready(each, "encoder", GATEWAY_ENCODERS="1")
    return [here.start_ready(each, "gateway") for each in gateways]


def serve(here: Deployment, gateways: list[Path], encoders: list[Path], count: int) -> None:
    running = run_all(here, gateways, encoders)
    check_all(running, send(running, count))
    assert not any(each.has_ended() for each in here.running)


def test_a_new_gateway_and_an_encoder_of_the_release_before(here: Deployment, neighbour: Path) -> None:
    serve(here, [ROOT], [neighbour], JOBS)


def test_a_gateway_of_the_release_before_and_a_new_encoder(here: Deployment, neighbour: Path) -> None:
    serve(here, [neighbour], [ROOT], JOBS)


def go_back_and_forth(here: Deployment, releases: list[Path], count: int) -> None:
    """Each release takes jobs in, and is stopped while some of them still wait. Redis begins empty each time, as the embedded one does."""
    client, told = redis.Redis.from_url(here.redis_url), Told()
    for number, release in enumerate(releases):
        (gateway,) = run_all(here, [release], [release])
        check_all([gateway], told)
        fresh = send([gateway], count, first=count * number)
        told.accepted |= fresh.accepted
        here.stop_all()
        client.flushall()
    (gateway,) = run_all(here, [releases[0]], [releases[0]])
    check_all([gateway], told)
    client.close()


def test_a_data_folder_goes_back_and_forth_between_two_releases(here: Deployment, neighbour: Path) -> None:
    go_back_and_forth(here, [neighbour, ROOT], JOBS)


@pytest.mark.slow
@pytest.mark.parametrize("other", ["neighbour", "farther"])
def test_gateways_and_encoders_of_both_releases_at_once(here: Deployment, request: pytest.FixtureRequest, other: str) -> None:
    older = request.getfixturevalue(other)
    serve(here, [ROOT, older], [ROOT, older], MANY_JOBS)


@pytest.mark.slow
@pytest.mark.parametrize("other", ["neighbour", "farther"])
@pytest.mark.parametrize("is_gateway_new", [True, False])
def test_one_release_serves_the_other_under_load(here: Deployment, request: pytest.FixtureRequest, other: str, is_gateway_new: bool) -> None:
    older = request.getfixturevalue(other)
    gateway, encoder = (ROOT, older) if is_gateway_new else (older, ROOT)
    serve(here, [gateway], [encoder, encoder], MANY_JOBS)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("other", ["neighbour", "farther"])
def test_a_data_folder_goes_back_and_forth_often(here: Deployment, request: pytest.FixtureRequest, other: str) -> None:
    older = request.getfixturevalue(other)
    go_back_and_forth(here, [older, ROOT, older, ROOT, older, ROOT], JOBS)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("order", [["encoder", "gateway"], ["gateway", "encoder"]])
def test_an_upgrade_under_load_loses_nothing(here: Deployment, neighbour: Path, order: list[str]) -> None:
    """By the guide and in the other order: each role is started anew by the new release before the old one is stopped. And back again."""
    for before, after in ((neighbour, ROOT), (ROOT, neighbour)):
        old = {role: here.start_ready(before, role) for role in ("encoder", "gateway")}
        told = send([old["gateway"]], JOBS)
        gateway = old["gateway"]
        for role in order:
            fresh = here.start_ready(after, role)
            gateway = fresh if role == "gateway" else gateway
            more = send([old["gateway"], gateway], JOBS, first=1000)
            old[role].stop()
            told.accepted |= more.accepted
            told.converted += more.converted
            if role == "gateway":
                old["gateway"] = gateway
        check_all([gateway], told)
        here.stop_all()
