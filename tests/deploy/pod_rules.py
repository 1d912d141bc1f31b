"""Rules that every pod keeps: as whom it runs, what it may, what it takes, when it is well."""

import re
from collections.abc import Iterator

from manifests import Manifests, Object, Pod, quantity

UID = 65532
RESOURCES = {"cpu", "memory", "ephemeral-storage"}


def _each(found: Manifests) -> Iterator[tuple[str, Pod, Object]]:
    for pod in found.pods():
        for container in pod.containers:
            yield f"{pod.owner}/{container['name']}", pod, container


def runs_as_our_uid(found: Manifests) -> Iterator[str]:
    for where, pod, container in _each(found):
        context = {**pod.spec.get("securityContext", {}), **container.get("securityContext", {})}
        if not context.get("runAsNonRoot") or context.get("runAsUser") != UID:
            yield where


def root_is_read_only(found: Manifests) -> Iterator[str]:
    for where, _, container in _each(found):
        if not container.get("securityContext", {}).get("readOnlyRootFilesystem"):
            yield where


def has_no_privileges(found: Manifests) -> Iterator[str]:
    for where, pod, container in _each(found):
        context = container.get("securityContext", {})
        on_host = any(pod.spec.get(name) for name in ("hostNetwork", "hostPID", "hostIPC"))
        drops = context.get("capabilities") == {"drop": ["ALL"]}
        escalates = context.get("allowPrivilegeEscalation", True) or context.get("privileged")
        if on_host or not drops or escalates:
            yield where


def seccomp_is_the_runtimes(found: Manifests) -> Iterator[str]:
    for where, pod, container in _each(found):
        context = {**pod.spec.get("securityContext", {}), **container.get("securityContext", {})}
        if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
            yield where


def asks_for_what_it_may_take(found: Manifests) -> Iterator[str]:
    for where, _, container in _each(found):
        requests, limits = (container.get("resources", {}).get(what, {}) for what in ("requests", "limits"))
        if not requests.keys() & limits.keys() >= RESOURCES:
            yield f"{where}: not all of {sorted(RESOURCES)}"
        elif any(quantity(requests[name]) > quantity(limits[name]) for name in RESOURCES):
            yield f"{where}: a request above its limit"


def is_probed(found: Manifests) -> Iterator[str]:
    for pod in found.pods():
        for container in pod.long_running:
            wanted = {"startupProbe", "livenessProbe"}
            if pod.kind == "Deployment" and container in pod.spec["containers"]:
                wanted.add("readinessProbe")
            if not wanted <= container.keys():
                yield f"{pod.owner}/{container['name']}"


def probes_a_port_that_it_has(found: Manifests) -> Iterator[str]:
    for where, _, container in _each(found):
        ports = {port["name"] for port in container.get("ports", [])}
        probes = [probe for name, probe in container.items() if name.endswith("Probe")]
        if not {probe["httpGet"]["port"] for probe in probes} <= ports:
            yield where


def has_no_api_token(found: Manifests) -> Iterator[str]:
    yield from (pod.owner for pod in found.pods() if pod.spec.get("automountServiceAccountToken") is not False)


def image_is_pinned(found: Manifests) -> Iterator[str]:
    for where, _, container in _each(found):
        if not re.search(r"(:(?!latest$)[\w.-]+|@sha256:[0-9a-f]{64})$", container["image"]):
            yield f"{where}: {container['image']}"


def writes_only_where_it_is_bounded(found: Manifests) -> Iterator[str]:
    for pod in found.pods():
        for volume in pod.spec.get("volumes", []):
            bounded = "sizeLimit" in volume.get("emptyDir", {})
            if not (bounded or {"secret", "configMap"} & volume.keys()):
                yield f"{pod.owner}: {volume['name']}"


def mounts_what_it_has(found: Manifests) -> Iterator[str]:
    """Each mount has its volume, and each volume its mount."""
    for pod in found.pods():
        mounted = {mount["name"] for one in pod.containers for mount in one.get("volumeMounts", [])}
        if mounted ^ {volume["name"] for volume in pod.spec.get("volumes", [])}:
            yield pod.owner


def nothing_keeps_a_job_from_completing(found: Manifests) -> Iterator[str]:
    """A Job is complete when all its containers have ended, so a proxy is an init container that stays."""
    for pod in found.pods():
        stays = [one.get("restartPolicy") == "Always" for one in pod.spec.get("initContainers", [])]
        if len(pod.spec["containers"]) != 1 or not all(stays):
            yield pod.owner


RULES = (
    runs_as_our_uid,
    root_is_read_only,
    has_no_privileges,
    seccomp_is_the_runtimes,
    asks_for_what_it_may_take,
    is_probed,
    probes_a_port_that_it_has,
    has_no_api_token,
    image_is_pinned,
    writes_only_where_it_is_bounded,
    mounts_what_it_has,
    nothing_keeps_a_job_from_completing,
)
