"""The commands of docs/guides/deploying.md name what there is, in an order that leaves nothing dangling."""

import re
import shlex
import subprocess
from collections.abc import Iterator

import pytest
from manifests import CHECKOUT, KUBECTL, Manifests, Render

GUIDE = CHECKOUT / "docs/guides/deploying.md"
PAGE = GUIDE.read_text()
COMMANDS = [
    shlex.split(line)
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]
KINDS = {"job": "Job", "deployment": "Deployment"}
BEFORE_PODS = "!app.kubernetes.io/component"


def option(command: list[str], name: str) -> str | None:
    return command[command.index(name) + 1] if name in command else None


def matching(found: Manifests, selector: str | None) -> Manifests:
    """As `kubectl apply -l` chooses."""
    key, sign, values = re.fullmatch(r"!?([^!= ]+)( in |!?=|)\(?([^)]*)\)?", selector or "kind").groups()

    def chosen(labels: dict[str, str]) -> bool:
        if selector is None:
            return True
        if not sign:
            return key not in labels
        return (labels.get(key) in values.split(",")) != (sign == "!=")

    return Manifests([one for one in found.objects if chosen(one["metadata"].get("labels", {}))])


def applied(render: Render) -> Iterator[Manifests]:
    """What each `apply` of a release applies, in order."""
    for command in COMMANDS:
        folder = option(command, "-k")
        if command[1] == "apply" and folder and "/overlays/" in folder:
            yield matching(render(folder.removeprefix("deploy/k8s/")), option(command, "-l"))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_is_one_of_kubectl(command: list[str]):
    """`--help` after the words that choose the command; kubectl's own parser knows the options, offline."""
    assert command[0] == "kubectl"
    words = command[1:3] if command[1] == "rollout" else command[1:2]
    shown = subprocess.run([KUBECTL, *words, "--help"], capture_output=True, text=True, check=True).stdout
    shown += subprocess.run([KUBECTL, "options"], capture_output=True, text=True, check=True).stdout
    for given in (word.split("=")[0] for word in command if word.startswith("-")):
        assert re.search(rf"(^|[\s,]){re.escape(given)}[=,:]", shown), f"kubectl {' '.join(words)} has no {given}"


def test_every_folder_and_object_of_a_command_is_there(render: Render):
    everything = [one for folder in ("overlays/dev", "now/dev") for one in render(folder).objects]
    names = {(one["kind"], one["metadata"]["name"]) for one in everything}
    for command in COMMANDS:
        if folder := option(command, "-k"):
            assert matching(render(folder.removeprefix("deploy/k8s/")), option(command, "-l")).objects
        for kind, name in re.findall(r"\b(job|deployment)[/ ]([\w-]+)", " ".join(command)):
            cron_job = ("CronJob", re.sub(r"-\d+$", "", name))  # a CronJob's Jobs are called after their minute
            assert (KINDS[kind], name) in names or cron_job in names


def test_a_release_brings_what_pods_need_then_the_migration_then_the_pods(render: Render):
    secrets, first, second, third = applied(render)
    whole = render("overlays/dev")
    assert secrets.objects == whole.of("Secret")
    assert not list(first.pods())
    assert [pod.owner for pod in second.pods()] == ["Job db-migrate"]
    assert len(second.objects) == 1
    parts = [one for part in (secrets, first, second, third) for one in part.objects]
    assert sorted(map(str, parts)) == sorted(map(str, whole.objects))


def test_a_release_leaves_secrets_alone(render: Render):
    _, *release = applied(render)
    assert [part.of("Secret") for part in release] == [[], [], []]


@pytest.mark.parametrize("overlay", ["staging", "production"])
def test_external_secrets_come_with_what_pods_need(render: Render, overlay: str):
    first, whole = (matching(render(f"overlays/{overlay}"), selector) for selector in (BEFORE_PODS, None))
    assert not list(first.pods())
    for kind in ("ExternalSecret", "SecretStore", "ServiceAccount", "ConfigMap", "NetworkPolicy"):
        assert first.names(kind) == whole.names(kind)


@pytest.mark.parametrize("overlay", ["dev", "staging", "production"])
def test_each_overlay_has_the_names_that_the_guide_lists(render: Render, overlay: str):
    listed = PAGE.split("## Before the first time")[0]
    whole, now = render(f"overlays/{overlay}"), render(f"now/{overlay}")
    names = whole.names("CronJob") | whole.names("Job") | whole.names("Deployment") | now.names("Job")
    assert set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", listed)) == names


def test_the_secrets_that_the_guide_asks_for_are_those_of_the_store(render: Render):
    asked = set(re.findall(r"`(seedtest-[a-z-]+)`", PAGE))
    keys = {
        row["remoteRef"]["key"]
        for one in render("overlays/production").of("ExternalSecret")
        for row in one["spec"]["data"]
    }
    assert asked == keys
