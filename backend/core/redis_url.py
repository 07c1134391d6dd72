"""``REDIS_URL``: one server by TCP, TLS or a unix socket, or a group that Sentinels watch.

    redis://[user:password@]host[:port][/database]
    rediss://…                                          the same by TLS
    redis+sentinel://[user:password@]host[:port],host[:port][/group][/database]
    rediss+sentinel://…                                 the same by TLS, to Sentinels and servers
    unix://[user:password@]/path[?db=database]

``sentinel://`` is another word for ``redis+sentinel://``. The parameters after ``?`` have redis-py's names: ``db``, ``ssl_cert_reqs``,
``ssl_check_hostname``, ``ssl_ca_certs``, ``ssl_certfile``, ``ssl_keyfile``, ``ssl_password``. With Sentinels also ``service`` (the group's name),
``sentinel_username`` and ``sentinel_password``. User, password and values are percent-encoded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

PORT, SENTINEL_PORT = 6379, 26379
SERVICE = "mymaster"
"""The group's name in the configuration that Sentinel comes with."""
MAX_DATABASE = 10_000
MAX_HOSTS = 32
URL = re.compile(r"(?P<scheme>[A-Za-z+]+)://(?:(?P<userinfo>[^/?#]*)@)?(?P<hosts>[^/?#@]*)(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?")
HOST = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.%a-z]+)\]|(?P<name>[0-9A-Za-z._-]+))(?::(?P<port>\d{1,5}))?")
SCHEMES = ("redis", "rediss", "redis+sentinel", "rediss+sentinel", "sentinel", "unix")
Verify = Literal["full", "ca", "none"]
"""Of the server's certificate: its chain and the host's name, its chain alone, or nothing."""
TLS_PARAMETERS = {
    "ssl_ca_certs": "ca_file",
    "ssl_certfile": "certificate_file",
    "ssl_keyfile": "key_file",
    "ssl_password": "key_password",
}
VERIFY_PARAMETERS = ("ssl_cert_reqs", "ssl_check_hostname")
SENTINEL_PARAMETERS = ("service", "sentinel_username", "sentinel_password")
CERT_REQS = {"none": False, "optional": True, "required": True, "cert_none": False, "cert_optional": True, "cert_required": True}
"""redis-py's words and Celery's. For a client, ``optional`` means the same as ``required`` (docs.python.org/3/library/ssl.html)."""
BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


@dataclass(frozen=True, slots=True)
class Tls:
    """Without ``ca_file``, the certificates that the system trusts count."""

    verify: Verify = "full"
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None
    key_password: str | None = None

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(each for each in (self.ca_file, self.certificate_file, self.key_file) if each is not None)


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """``hosts`` are Sentinels where there is a ``service``; ``path`` is that of a unix socket."""

    hosts: tuple[tuple[str, int], ...] = ()
    path: str = ""
    database: int = 0
    username: str | None = None
    password: str | None = None
    tls: Tls | None = None
    service: str | None = None
    sentinel_username: str | None = None
    sentinel_password: str | None = None

    @property
    def shown(self) -> str:
        """What was tried, without anything secret."""
        if self.path:
            return f"unix://{self.path}"
        hosts = ",".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts)
        kind = f"{'rediss' if self.tls else 'redis'}{'+sentinel' if self.service else ''}"
        return f"{kind}://{hosts}{f'/{self.service}' if self.service else ''}{f'/{self.database}' if self.database else ''}"


def parse(text: str) -> RedisUrl:
    """Raises ``ValueError`` for anything that would not be understood as a whole."""
    given = URL.fullmatch(text)
    scheme = given["scheme"].lower() if given else ""
    if given is None or scheme not in SCHEMES or not (given["hosts"] or (given["path"] or "").strip("/")):
        raise ValueError("REDIS_URL")
    has_tls, has_sentinels = scheme.startswith("rediss"), scheme.endswith("sentinel")
    parameters = _parameters(given["query"] or "")
    _check(parameters.keys() <= _known_parameters(has_tls, has_sentinels))
    user, _, password = (given["userinfo"] or "").partition(":")
    name, secret = _decoded(user) or None, _decoded(password) or None
    path = given["path"] or ""
    if scheme == "unix":
        _check(not given["hosts"] and bool(path.strip("/")))
        return RedisUrl(path=_decoded(path), database=_database(parameters.get("db", "0")), username=name, password=secret)
    service, database = _service_and_database(path, parameters, has_sentinels)
    return RedisUrl(
        hosts=_hosts(given["hosts"], SENTINEL_PORT if has_sentinels else PORT, most=MAX_HOSTS if has_sentinels else 1),
        database=database,
        username=name,
        password=secret,
        tls=_tls(parameters) if has_tls else None,
        service=service,
        sentinel_username=parameters.get("sentinel_username") or None,
        sentinel_password=parameters.get("sentinel_password") or None,
    )


def with_tls_defaults(text: str, *, ca_file: str | None, verify: str) -> str:
    """A URL that says itself what the settings say of TLS. What it says already, it keeps. Raises ``ValueError``."""
    if not text.lower().startswith("rediss"):
        return text
    _, has_query, query = text.partition("?")
    given, more = _parameters(query), {}
    if ca_file is not None and "ssl_ca_certs" not in given:
        more["ssl_ca_certs"] = ca_file
    if verify != "full" and not any(each in given for each in VERIFY_PARAMETERS):
        more.update({"ssl_cert_reqs": "none"} if verify == "none" else {"ssl_check_hostname": "false"})
    added = "&".join(f"{name}={encoded(value)}" for name, value in more.items())
    return f"{text}{'&' if has_query else '?'}{added}" if added else text


def encoded(text: str) -> str:
    """Everything but letters, digits and what is harmless in a path, as percent signs (RFC 3986, 2.1)."""
    return re.sub(rb"[^A-Za-z0-9/._~-]", lambda found: b"%%%02X" % ord(found[0]), text.encode()).decode()


def _decoded(text: str) -> str:
    """Raises ``ValueError`` where the bytes are no UTF-8."""
    return re.sub(r"(?:%[0-9A-Fa-f]{2})+", lambda found: bytes.fromhex(found[0].replace("%", "")).decode(), text)


def _parameters(query: str) -> dict[str, str]:
    """Raises ``ValueError`` where one has no value, or stands there twice."""
    pairs = [each.partition("=") for each in query.split("&") if each]
    _check(all(has_value for _, has_value, _ in pairs) and len({name for name, _, _ in pairs}) == len(pairs))
    return {_decoded(name): _decoded(value) for name, _, value in pairs}


def without_secrets(text: str) -> str:
    """For a line that shows a setting, also one that cannot be parsed."""
    return re.sub(r"(?i)(password=)[^&\s]*", r"\1…", re.sub(r"//\S*@", "//…@", text))


def _known_parameters(has_tls: bool, has_sentinels: bool) -> set[str]:
    tls = (*TLS_PARAMETERS, *VERIFY_PARAMETERS) if has_tls else ()
    return {"db", *tls, *(SENTINEL_PARAMETERS if has_sentinels else ())}


def _service_and_database(path: str, parameters: Mapping[str, str], has_sentinels: bool) -> tuple[str | None, int]:
    """``/group/database``, each of which may be left out or stand among the parameters."""
    words = [_decoded(each) for each in path.split("/") if each]
    service = parameters.get("service")
    if has_sentinels and service is None and words and not words[0].isdigit():
        service = words.pop(0)
    _check(len(words) <= 1 and not (words and "db" in parameters))
    return (service or SERVICE) if has_sentinels else None, _database(words[0] if words else parameters.get("db", "0"))


def _hosts(text: str, default_port: int, *, most: int) -> tuple[tuple[str, int], ...]:
    found = [HOST.fullmatch(each.strip()) for each in (text or "localhost").split(",")]
    _check(len(found) <= most and all(found))
    places = tuple((each["six"] or each["name"], int(each["port"] or default_port)) for each in found if each)
    _check(all(0 < port < 65_536 for _, port in places))
    return places


def _tls(parameters: Mapping[str, str]) -> Tls:
    files = {attribute: parameters[name] for name, attribute in TLS_PARAMETERS.items() if parameters.get(name)}
    _check("key_file" not in files or "certificate_file" in files)
    return Tls(_verify(parameters), **files)


def _verify(parameters: Mapping[str, str]) -> Verify:
    is_checked = CERT_REQS.get(parameters.get("ssl_cert_reqs", "required").lower())
    is_named = BOOLEANS.get(parameters.get("ssl_check_hostname", "true").lower())
    if is_checked is None or is_named is None:
        raise ValueError("ssl_cert_reqs, ssl_check_hostname")
    return "full" if is_checked and is_named else "ca" if is_checked else "none"


def _database(text: str) -> int:
    _check(re.fullmatch(r"\d{1,5}", text) is not None and int(text) <= MAX_DATABASE)
    return int(text)


def _check(is_right: bool) -> None:
    if not is_right:
        raise ValueError("REDIS_URL")


VERIFY_WORDS: tuple[str, ...] = get_args(Verify)
