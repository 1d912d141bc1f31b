"""Rules of references: whatever an object names is there."""

import re
from collections.abc import Iterator

from manifests import Manifests, selects

CLUSTER_WIDE = {"Namespace"}


def is_in_our_namespace(found: Manifests) -> Iterator[str]:
    for one in found.objects:
        if one["kind"] not in CLUSTER_WIDE and one["metadata"].get("namespace") != "seedtest":
            yield f"{one['kind']} {one['metadata']['name']}"


def namespace_enforces_restricted(found: Manifests) -> Iterator[str]:
    for one in found.of("Namespace"):
        if one["metadata"].get("labels", {}).get("pod-security.kubernetes.io/enforce") != "restricted":
            yield one["metadata"]["name"]


def deployment_selects_its_pods(found: Manifests) -> Iterator[str]:
    for one in found.of("Deployment"):
        if not selects(one["spec"]["selector"], one["spec"]["template"]["metadata"]["labels"]):
            yield one["metadata"]["name"]


def service_leads_to_a_port(found: Manifests) -> Iterator[str]:
    """Of a Deployment's pods, and of no other's."""
    for one in found.of("Service"):
        chosen = [pod for pod in found.pods() if selects(one["spec"]["selector"], pod.labels)]
        open_ports = {port["name"] for pod in chosen for own in pod.containers for port in own.get("ports", [])}
        wanted = {port["targetPort"] for port in one["spec"]["ports"]}
        if {pod.kind for pod in chosen} != {"Deployment"} or not wanted <= open_ports:
            yield one["metadata"]["name"]


def monitor_scrapes_a_port(found: Manifests) -> Iterator[str]:
    """Of a Service that it selects."""
    for one in found.of("ServiceMonitor"):
        chosen = [own for own in found.of("Service") if selects(one["spec"]["selector"], own["metadata"]["labels"])]
        ports = {port["name"] for own in chosen for port in own["spec"]["ports"]}
        if not {endpoint["port"] for endpoint in one["spec"]["endpoints"]} <= ports:
            yield one["metadata"]["name"]


def network_policy_selects_pods(found: Manifests) -> Iterator[str]:
    for one in found.of("NetworkPolicy"):
        if not any(selects(one["spec"]["podSelector"], pod.labels) for pod in found.pods()):
            yield one["metadata"]["name"]


def autoscaler_has_its_target(found: Manifests) -> Iterator[str]:
    for one in found.of("HorizontalPodAutoscaler"):
        target = one["spec"]["scaleTargetRef"]
        if target["name"] not in found.names(target["kind"]):
            yield one["metadata"]["name"]


def disruption_budget_selects_pods(found: Manifests) -> Iterator[str]:
    for one in found.of("PodDisruptionBudget"):
        if not any(selects(one["spec"]["selector"], pod.labels) for pod in found.pods() if pod.kind == "Deployment"):
            yield one["metadata"]["name"]


def disruption_budget_lets_unhealthy_pods_go(found: Manifests) -> Iterator[str]:
    for one in found.of("PodDisruptionBudget"):
        if one["spec"].get("unhealthyPodEvictionPolicy") != "AlwaysAllow":
            yield one["metadata"]["name"]


def account_is_there(found: Manifests) -> Iterator[str]:
    for pod in found.pods():
        if pod.spec.get("serviceAccountName") not in found.names("ServiceAccount"):
            yield pod.owner


def config_map_is_there(found: Manifests) -> Iterator[str]:
    for pod in found.pods():
        for container in pod.containers:
            sources = {one["configMapRef"]["name"] for one in container.get("envFrom", [])}
            yield from (f"{pod.owner}: {name}" for name in sources - found.names("ConfigMap"))


def secret_key_is_there(found: Manifests) -> Iterator[str]:
    known = found.secret_keys()
    for pod in found.pods():
        for volume in pod.spec.get("volumes", []):
            if secret := volume.get("secret"):
                missing = {item["key"] for item in secret["items"]} - known.get(secret["secretName"], set())
                yield from (f"{pod.owner}: {secret['secretName']} {key}" for key in missing)


def secret_has_one_maker(found: Manifests) -> Iterator[str]:
    made = [one["spec"]["target"]["name"] for one in found.of("ExternalSecret")]
    yield from {name for name in made if made.count(name) > 1 or name in found.names("Secret")}


def external_secret_has_its_store(found: Manifests) -> Iterator[str]:
    for one in found.of("ExternalSecret"):
        store = one["spec"]["secretStoreRef"]
        if store["name"] not in found.names(store["kind"]):
            yield one["metadata"]["name"]


def external_secret_stays_when_its_source_goes(found: Manifests) -> Iterator[str]:
    for one in found.of("ExternalSecret"):
        if one["spec"]["target"].get("deletionPolicy") != "Retain":
            yield one["metadata"]["name"]


def remote_key_is_one_of_secret_manager(found: Manifests) -> Iterator[str]:
    """Letters, digits, - and _: no slash, no path."""
    for one in found.of("ExternalSecret"):
        keys = [row["remoteRef"]["key"] for row in one["spec"]["data"]]
        yield from (key for key in keys if not re.fullmatch(r"[\w-]{1,255}", key, re.ASCII))


def store_account_is_there(found: Manifests) -> Iterator[str]:
    for one in found.of("SecretStore"):
        account = one["spec"]["provider"]["gcpsm"]["auth"]["workloadIdentity"]["serviceAccountRef"]["name"]
        known = {own["metadata"]["name"]: own["metadata"].get("annotations", {}) for own in found.of("ServiceAccount")}
        if "iam.gke.io/gcp-service-account" not in known.get(account, {}):
            yield one["metadata"]["name"]


RULES = (
    is_in_our_namespace,
    namespace_enforces_restricted,
    deployment_selects_its_pods,
    service_leads_to_a_port,
    monitor_scrapes_a_port,
    network_policy_selects_pods,
    autoscaler_has_its_target,
    disruption_budget_selects_pods,
    disruption_budget_lets_unhealthy_pods_go,
    account_is_there,
    config_map_is_there,
    secret_key_is_there,
    secret_has_one_maker,
    external_secret_has_its_store,
    external_secret_stays_when_its_source_goes,
    remote_key_is_one_of_secret_manager,
    store_account_is_there,
)
