"""The deployment files, looked at without Docker and Kubernetes: what they promise is in them, and settings exist."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from consent_service.config import Settings
from tests.deploy.chart import CHART, render

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SETTINGS = {f"CONSENT_{name.upper()}" for name in Settings.model_fields}
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
UNIT = (DEPLOY / "systemd" / "consent-service.service").read_text("utf-8")
EVERYTHING = {
    "policy": "site: default\n",
    "settings": {"CONSENT_TOKEN_MINUTES": "5"},
    "autoscaling.enabled": True,
    "ingress.enabled": True,
    "ingress.tlsSecret": "shop-tls",
    "networkPolicy.https": True,
    "keys.existingClaim": "the-keys",
}


def pod(changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """Give the pod that the chart makes."""
    (deployment,) = render(changes)["Deployment"]
    found: dict[str, Any] = deployment["spec"]["template"]["spec"]
    return found


def container(changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """Give the pod's only container."""
    (found,) = pod(changes)["containers"]
    return dict(found)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_composed_container_is_nobody_special_and_writes_nothing_but_its_volumes(name: str) -> None:
    """C6: non-root, read-only root, no capabilities."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert int(service["user"].split(":")[0]) > 0
    assert service["healthcheck"]["test"][0] == "CMD"
    assert "/tmp" in service["tmpfs"]
    assert not {"privileged", "devices", "network_mode", "pid"} & set(service)


def test_two_replicas_share_one_database_and_one_set_of_keys() -> None:
    replicas = [SERVICES[name] for name in ("consent-a", "consent-b")]
    assert replicas[0] == replicas[1]
    assert replicas[0]["volumes"] == ["keys:/data"]
    assert "@postgres/consent" in replicas[0]["environment"]["CONSENT_DATABASE_URL"]
    assert replicas[0]["depends_on"] == {"postgres": {"condition": "service_healthy"}}


def test_only_the_proxy_is_published_and_on_loopback_alone() -> None:
    ports = {name: service.get("ports", []) for name, service in SERVICES.items()}
    assert {name for name, published in ports.items() if published} == {"proxy"}
    assert all(port.startswith("127.0.0.1:") for port in ports["proxy"])
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert SERVICES["postgres"]["networks"] == ["inside"]


def test_no_password_stands_in_a_deployment_file() -> None:
    texts = [path.read_text("utf-8") for path in DEPLOY.rglob("*") if path.is_file()]
    assert re.findall(r"POSTGRES_PASSWORD: (.*)", (DEPLOY / "compose.yaml").read_text("utf-8")) == [
        "${POSTGRES_PASSWORD:?write it into deploy/.env}"
    ]
    assert [text for text in texts if re.search(r"cs_(decide|manage|audit|admin)_\w{43}", text)] == []


def test_every_setting_that_a_deployment_file_names_exists() -> None:
    texts = [path.read_text("utf-8") for path in DEPLOY.rglob("*") if path.is_file()]
    named = {name for text in texts for name in re.findall(r"\bCONSENT_[A-Z_]+\b", text)}
    assert named
    assert named - SETTINGS == set()


def test_what_compose_mounts_is_there() -> None:
    mounted = [volume.split(":")[0] for volume in SERVICES["proxy"]["volumes"]]
    assert [path for path in mounted if not (DEPLOY / path).is_file()] == []


@pytest.mark.parametrize("changes", [{}, EVERYTHING], ids=["as it is", "everything on"])
def test_the_chart_renders_to_objects_that_belong_together(changes: dict[str, Any]) -> None:
    objects = [item for items in render(changes).values() for item in items]
    labels = {"app.kubernetes.io/name": "consent-service", "app.kubernetes.io/instance": "consent"}
    assert all(item["apiVersion"] and item["metadata"]["name"].startswith("consent") for item in objects)
    assert all(item["metadata"]["labels"] == labels for item in objects)
    (deployment,) = render(changes)["Deployment"]
    (service,) = render(changes)["Service"]
    (budget,) = render(changes)["PodDisruptionBudget"]
    (policy,) = render(changes)["NetworkPolicy"]
    assert deployment["spec"]["selector"]["matchLabels"] == service["spec"]["selector"] == labels
    assert budget["spec"]["selector"]["matchLabels"] == policy["spec"]["podSelector"]["matchLabels"] == labels


def test_the_chart_makes_what_is_switched_on_and_nothing_else() -> None:
    assert set(render(EVERYTHING)) - set(render()) == {"ConfigMap", "HorizontalPodAutoscaler", "Ingress"}
    assert set(render()) - set(render(EVERYTHING)) == {"PersistentVolumeClaim"}
    assert "NetworkPolicy" not in render({"networkPolicy.enabled": False})
    assert "replicas" not in render({"autoscaling.enabled": True})["Deployment"][0]["spec"]


def test_a_pod_is_nobody_special_and_writes_nothing_but_its_volumes() -> None:
    """C6, and the Pod Security Standard "restricted"."""
    assert pod()["securityContext"]["runAsNonRoot"] is True
    assert pod()["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod()["automountServiceAccountToken"] is False
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_a_pod_is_probed_and_has_time_to_drain() -> None:
    """Contract §9: `/readyz` is 503 at once, the listener stays a second, what is under way has 25."""
    probes = {kind: container()[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")}
    assert probes == {"startup": "/livez", "liveness": "/livez", "readiness": "/readyz"}
    assert pod()["terminationGracePeriodSeconds"] >= 5 + 1 + 25
    assert render()["Deployment"][0]["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


def test_secrets_come_from_secrets_and_settings_from_values() -> None:
    environment = {entry["name"]: entry for entry in container(EVERYTHING)["env"]}
    assert environment["CONSENT_TOKEN_MINUTES"]["value"] == "5"
    assert environment["CONSENT_DATABASE_URL"]["valueFrom"]["secretKeyRef"]["key"] == "database-url"
    assert set(environment) - SETTINGS == set()


def test_every_volume_that_is_mounted_is_there() -> None:
    mounted = {mount["name"] for mount in container(EVERYTHING)["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod(EVERYTHING)["volumes"]} == {"keys", "tmp", "policy"}


def test_the_ingress_opens_the_browser_plane_alone() -> None:
    (ingress,) = render(EVERYTHING)["Ingress"]
    paths = [path["path"] for path in ingress["spec"]["rules"][0]["http"]["paths"]]
    assert {path.split("/")[1] for path in paths} == {"v1", "static", "withdraw", ".well-known"}
    assert {path for path in paths if path.startswith("/v1")} == {"/v1/consent", "/v1/banner"}


def test_the_network_policy_lets_out_what_is_needed() -> None:
    def ports(changes: dict[str, Any]) -> list[int]:
        (policy,) = render(changes)["NetworkPolicy"]
        return [port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]]

    assert ports({}) == [53, 53, 5432]
    assert ports(EVERYTHING) == [53, 53, 5432, 443]


def test_the_chart_is_of_this_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert (chart["apiVersion"], chart["name"]) == ("v2", "consent-service")
    assert version is None or chart["appVersion"] == version[1]


@pytest.mark.parametrize(
    "line",
    [
        "User=consent",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        "PrivateDevices=yes",
        "MemoryDenyWriteExecute=yes",
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
        "SystemCallFilter=@system-service",
        "UMask=0077",
    ],
)
def test_the_unit_gives_the_service_its_sockets_and_its_directory_alone(line: str) -> None:
    assert line in UNIT.splitlines()


def test_the_unit_gives_time_to_drain() -> None:
    (seconds,) = re.findall(r"TimeoutStopSec=(\d+)s", UNIT)
    assert int(seconds) >= 1 + 25


def test_systemd_takes_the_unit_and_finds_little_exposed(tmp_path: Path) -> None:
    """On a machine with systemd's own tool; elsewhere the tests above are all that can be seen."""
    tool = shutil.which("systemd-analyze")
    unit = tmp_path / "consent-service.service"
    unit.write_text(UNIT.replace("/opt/consent-service/bin/consent-service", "/bin/true"), "utf-8")
    verify = [tool, "verify", str(unit)] if tool else ["true"]
    exposed = [tool, "security", "--offline=true", "--threshold=20", str(unit)] if tool else ["true"]
    assert subprocess.run(verify, capture_output=True, text=True, check=False).stderr.strip() == ""
    assert subprocess.run(exposed, capture_output=True, check=False).returncode == 0
