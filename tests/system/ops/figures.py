"""What ``/metrics`` says, and what a client counted itself, by the same names."""

from __future__ import annotations

import threading
from collections import Counter

import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.support.running import Gateway


def scraped(gateway: Gateway, **headers: str) -> dict[str, float]:
    """Every sample, by ``name{label=value,…}`` with the labels in order."""
    response = requests.get(f"{gateway.url}/metrics", headers=headers, timeout=20)
    assert response.status_code == 200, response.text
    found = {}
    for family in text_string_to_metric_families(response.text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def requests_name(method: str, route: str, status: int) -> str:
    return f"gateway_http_requests_total{{method={method},route={route},status={status}}}"


class Client:
    """Counts what it was answered. ``broken``: requests of which it cannot know whether the gateway answered."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.answered: Counter[str] = Counter()
        self.broken: Counter[str] = Counter()
        self.sent_bytes = self.received_bytes = self.uploaded_bytes = self.broken_bytes = 0
        self.jobs: list[str] = []
        self._lock = threading.Lock()

    def ask(self, method: str, path: str, route: str, data: bytes | None = None, **headers: str) -> requests.Response | None:
        """A connection a request, so that none is asked twice in silence; None where it broke."""
        try:
            response = requests.request(method, self.gateway.url + path, data=data, timeout=60, headers={"Connection": "close", **headers})
        except requests.RequestException:
            with self._lock:
                self.broken[f"{method} {route}"] += 1
                self.broken_bytes += len(data or b"")
            return None
        with self._lock:
            self.answered[requests_name(method, route, response.status_code)] += 1
            self.sent_bytes += len(data or b"")
            self.received_bytes += len(response.content)
        return response

    def upload(self, image: bytes) -> str | None:
        response = self.ask("POST", "/api/jobs", "/api/jobs", image)
        if response is None or response.status_code != 202:
            return None
        job_id = str(response.json()["id"])
        with self._lock:
            self.jobs.append(job_id)
            self.uploaded_bytes += len(image)
        return job_id
