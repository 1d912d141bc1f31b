"""What the network policies let through is the table of the guide, no more and no less."""

import re
from itertools import product

import pytest
from manifests import CHECKOUT, OVERLAYS, Render
from network_flows import ANYBODY, Flow, flows

GUIDE = CHECKOUT / "docs/guides/deploying.md"
COMPONENTS = {"job", "migrate", "service"}


def told(overlay: str) -> set[Flow]:
    """The table's rows for an overlay, taken apart into flows."""
    section = GUIDE.read_text().split("## Who talks to whom")[1]
    found: set[Flow] = set()
    for line in re.findall(r"^\| (\w.*) \|$", section, re.MULTILINE)[1:]:
        pods, direction, peers, ports, overlays, _ = (cell.strip() for cell in line.split("|"))
        if overlay in overlays.split(", "):
            each = product(pods.split(", "), [direction], re.findall(r"`([^`]+)`", peers), ports.split(", "))
            found |= {Flow(*one) for one in each}
    return found


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_table_of_the_guide_is_the_matrix_of_the_policies(render: Render, overlay: str):
    assert flows(render(f"overlays/{overlay}")) == told(overlay)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_one_off_jobs_have_the_flows_of_the_nightly_ones(render: Render, overlay: str):
    labels = [pod.labels for pod in render(f"now/{overlay}").pods()]
    nightly = next(pod.labels for pod in render(f"overlays/{overlay}").pods() if pod.kind == "CronJob")
    assert labels == [nightly] * 3


def test_every_pod_has_one_of_the_components_that_the_table_knows(render: Render):
    assert {flow.component for flow in flows(render("overlays/production"))} == COMPONENTS


@pytest.mark.parametrize("policy", ["to-dns", "to-database", "to-object-store", "to-metadata-server", "to-service"])
def test_a_policy_that_is_missing_is_a_flow_that_is_missing(render: Render, policy: str):
    broken = render("overlays/dev").copy()
    broken.objects.remove(broken.get("NetworkPolicy", policy))
    assert flows(broken) < told("dev")


def test_without_the_policy_that_denies_there_are_flows_from_anybody(render: Render):
    broken = render("overlays/dev").copy()
    broken.objects.remove(broken.get("NetworkPolicy", "default-deny"))
    more = flows(broken) - told("dev")
    assert {(flow.component, flow.direction, flow.peer) for flow in more} == {
        ("job", "from", ANYBODY),
        ("migrate", "from", ANYBODY),
    }
