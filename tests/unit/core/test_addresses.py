"""Which addresses may be asked. The hostile ones are those that standard checks are known to miss, among the plain ones."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from backend.core.addresses import may_be_asked

HOSTILE = """
127.0.0.1 127.255.255.254 0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 169.254.169.254 169.254.0.1 172.16.0.1
172.31.255.255 192.0.0.1 192.0.0.170 192.0.2.1 192.88.99.1 192.168.0.1 192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1
224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::127.0.0.1 ::10.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254
::ffff:8.8.8.8 ::ffff:0:127.0.0.1 ::ffff:0:169.254.169.254 64:ff9b::127.0.0.1 64:ff9b::169.254.169.254 64:ff9b::a00:1 64:ff9b:1::1 100::1
100:0:0:1::1 2001::1 2001:0:7f00:1:: 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:a00:1::1 2002:c0a8:101::1 3fff::1
5f00::1 fc00::1 fd00::1 fd12:3456:789a::1 fe80::1 fe80::1%1 febf::1 fec0::1 feff::1 ff02::1 ff05::2 2a00:1450:4001::5efe:127.0.0.1
2a00:1450:4001::200:5efe:10.0.0.1 4000::1
""".split()  # noqa: SIM905
PUBLIC = """
1.1.1.1 8.8.8.8 93.184.216.34 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.0.1.1 198.17.0.1 223.255.255.255 2606:4700:4700::1111
2a00:1450:4001:830::200e 2001:4860:4860::8888 2400:3200::1
""".split()  # noqa: SIM905


@pytest.mark.parametrize("address", HOSTILE)
def test_what_is_not_the_public_internet_may_not_be_asked(address: str) -> None:
    assert not may_be_asked(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_may(address: str) -> None:
    assert may_be_asked(ip_address(address))


def test_the_operator_may_allow_more() -> None:
    allowed = (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))
    asked = ("10.1.2.3", "::ffff:10.1.2.3", "fd00::7", "10.2.0.1", "fe80::1", "127.0.0.1")
    assert [may_be_asked(ip_address(each), allowed) for each in asked] == [True, True, True, False, False, False]
