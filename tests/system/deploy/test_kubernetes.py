"""The Kubernetes manifests against Kubernetes' own schemas, strictly, and what they promise about their pods."""

from __future__ import annotations

from typing import Any

import kubernetes_validate
import pytest
import yaml

from backend.adapters.redis.client import KEY_PREFIX
from backend.adapters.redis.ticket import QUEUE
from backend.settings import Settings
from tests.support.running import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
OLDEST, NEWEST = "1.28", kubernetes_validate.latest_version()
OF_KEDA = "keda.sh/v1alpha1"
MANIFESTS = [(path.name, each) for path in sorted(FOLDER.glob("*.yaml")) for each in yaml.safe_load_all(path.read_text("utf-8"))]
WORKLOADS = [each for _, each in MANIFESTS if each["kind"] == "Deployment"]


def name_of(value: Any) -> str:
    return f"{value['kind']}-{value['metadata']['name']}" if isinstance(value, dict) else str(value)


def the(kind: str, name: str) -> dict[str, Any]:
    [found] = [each for _, each in MANIFESTS if each["kind"] == kind and each["metadata"]["name"] == name]
    return found


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("manifest", [each for _, each in MANIFESTS if each["apiVersion"] != OF_KEDA], ids=name_of)
def test_kubernetes_knows_every_field(manifest: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("workload", WORKLOADS, ids=name_of)
def test_a_pod_meets_the_restricted_standard_and_gets_no_stray_variables(workload: dict[str, Any]) -> None:
    pod = workload["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["enableServiceLinks"] is False and pod["automountServiceAccountToken"] is False
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"requests", "limits"} <= set(container["resources"]) and container["livenessProbe"]
        mounted = {each["name"] for each in container.get("volumeMounts", [])}
        assert mounted <= {each["name"] for each in pod["volumes"]}


@pytest.mark.parametrize("workload", WORKLOADS, ids=name_of)
def test_whatever_points_at_a_workload_finds_it(workload: dict[str, Any]) -> None:
    labels = workload["spec"]["template"]["metadata"]["labels"]
    assert workload["spec"]["selector"]["matchLabels"] == labels
    name = workload["metadata"]["name"]
    for _, each in MANIFESTS:
        if each["kind"] in ("Service", "PodDisruptionBudget") and each["metadata"]["name"] == name:
            selector = each["spec"]["selector"]
            assert selector.get("matchLabels", selector) == labels
        if each["kind"] in ("HorizontalPodAutoscaler", "ScaledObject"):
            assert each["spec"]["scaleTargetRef"]["name"] in {other["metadata"]["name"] for other in WORKLOADS}


@pytest.mark.parametrize("name", ["webp-gateway", "webp-encoder"])
def test_a_roles_settings_are_accepted_and_leave_room_for_its_graceful_end(name: str) -> None:
    pod = the("Deployment", name)["spec"]["template"]["spec"]
    [container] = pod["containers"]
    given = {**the("ConfigMap", "webp-gateway")["data"], **the("Secret", "webp-gateway")["stringData"]}
    given |= {each["name"]: each["value"] for each in container.get("env", [])}
    settings = Settings.from_environment(given)
    patience = {"webp-gateway": settings.graceful_timeout_s + 5, "webp-encoder": settings.encode_timeout_s}[name]
    assert pod["terminationGracePeriodSeconds"] > patience
    assert settings.redis_url == f"redis://{the('Service', 'webp-redis')['metadata']['name']}:6379/0"


def test_keda_counts_the_tickets_of_jobs_that_wait() -> None:
    """That this is how many wait: ``tests/system/ops/test_celery_tools.py``."""
    [trigger] = the("ScaledObject", "webp-encoder")["spec"]["triggers"]
    settings = Settings.from_environment(the("Secret", "webp-gateway")["stringData"])
    assert trigger["type"] == "redis" and trigger["metadata"]["listName"] == KEY_PREFIX + QUEUE
    assert f"redis://{trigger['metadata']['address']}/0" == settings.redis_url


def test_the_numbers_are_not_reachable_through_the_ingress() -> None:
    [rule] = the("Ingress", "webp-gateway")["spec"]["rules"]
    for each in rule["http"]["paths"]:
        assert not "/metrics".startswith(each["path"]) or each["pathType"] == "Exact"
