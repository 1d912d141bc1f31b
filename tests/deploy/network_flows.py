"""Who may talk to whom, computed from network policies: a flow is pods, direction, peer and port."""

from collections.abc import Iterator
from typing import NamedTuple

from manifests import Manifests, Object, selects

COMPONENT = "app.kubernetes.io/component"
ANYBODY = "anybody"
DIRECTIONS = {"Egress": ("to", "egress"), "Ingress": ("from", "ingress")}


class Flow(NamedTuple):
    """One cell of the matrix; `peer` and `port` as the table in the guide writes them."""

    component: str
    direction: str
    peer: str
    port: str


def flows(found: Manifests) -> set[Flow]:
    """All flows that the policies let through."""
    return {flow for pod in found.pods() for kind in DIRECTIONS for flow in _of_pod(found, dict(pod.labels), kind)}


def _of_pod(found: Manifests, labels: dict[str, str], kind: str) -> Iterator[Flow]:
    """Where no policy isolates the pod in a direction, everything is let through."""
    direction, field = DIRECTIONS[kind]
    policies = [one["spec"] for one in found.of("NetworkPolicy") if selects(one["spec"]["podSelector"], labels)]
    isolating = [one for one in policies if kind in one["policyTypes"]]
    if not isolating:
        yield Flow(labels[COMPONENT], direction, ANYBODY, "any")
    for rule in (rule for one in isolating for rule in one.get(field, [])):
        for peer in rule.get(direction, [None]):
            for port in rule.get("ports", [None]):
                yield Flow(labels[COMPONENT], direction, _peer(peer), _port(port))


def _port(port: Object | None) -> str:
    return "any" if port is None else f"{port['protocol']} {port['port']}"


def _peer(peer: Object | None) -> str:
    if peer is None:
        return ANYBODY
    if block := peer.get("ipBlock"):
        left_out = f" but {' '.join(block['except'])}" if "except" in block else ""
        return block["cidr"] + left_out
    parts = [f"{kind} {_labels(peer[f'{kind}Selector'])}" for kind in ("pod", "namespace") if f"{kind}Selector" in peer]
    return " in ".join(parts)


def _labels(selector: Object) -> str:
    assert selector.keys() <= {"matchLabels"}, "another selector is not understood here"
    return ",".join(f"{key}={value}" for key, value in selector.get("matchLabels", {}).items()) or "any"
