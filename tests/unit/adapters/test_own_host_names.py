"""What this machine is called."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from backend.adapters.own_host_names import OF_CONTAINER_ENGINES, network_domains, own_host_names


@pytest.mark.parametrize("host_name", ["My-NAS", "my-nas.fritz.box"])
def test_a_machine_is_known_alone_in_mdns_in_its_network_and_by_its_hosts_file(tmp_path: Path, host_name: str) -> None:
    resolver, hosts = tmp_path / "resolv.conf", tmp_path / "hosts"
    resolver.write_text("# by the router\nnameserver 192.168.1.1\nsearch Fritz.Box lan. .\n")
    hosts.write_text("127.0.0.1 localhost\n127.0.1.1\tmy-nas.home.arpa  my-nas # this one\n0.0.0.0 ads.example\n127.0.0.1 tracker.example\n")
    names = own_host_names(host_name, resolver, hosts)
    assert network_domains(resolver) == ("", "local", "fritz.box", "lan")
    assert names == {"my-nas", "my-nas.local", "my-nas.fritz.box", "my-nas.lan", "my-nas.home.arpa", *OF_CONTAINER_ENGINES}


def test_files_that_are_missing_or_no_text_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_bytes(b"\xff\xfe\x00 my-nas\xff\n\n#\n")
    assert own_host_names("my-nas", tmp_path / "none", tmp_path / "hosts") == {"my-nas", "my-nas.local", *OF_CONTAINER_ENGINES}


def test_this_machines_own_name_is_among_them() -> None:
    assert socket.gethostname().lower() in own_host_names()
