"""Rules that tie manifests to the program: its commands, its settings, the files of its secrets, its times."""

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import PurePosixPath
from typing import Any

import click
import typer
from manifests import Manifests, Object, Pod, quantity

from thetaline.cli import MOUNTS
from thetaline.errors import ThetalineError
from thetaline.jobs.nightly.night import STAGES
from thetaline.jobs.stage import select_stages
from thetaline.settings import Settings, load
from thetaline.settings.secret_files import FILE_NAMES

SETTINGS = {name.upper() for name in {*Settings.model_fields, *FILE_NAMES}}
MB = 2**20
SHARE_OF_REQUESTS = 2**30  # what the process that answers requests takes beside its fit processes


def parse_command(words: Sequence[str]) -> None:
    """Parse a command line of ours and run nothing. Raises what the command line says to a wrong one."""
    program, name, *rest = words
    mount = next((one for one in MOUNTS if one.name == name), None)
    if program != "thetaline" or mount is None:
        raise click.UsageError(f"no such command: {' '.join(words)}")
    command: Any = typer.main.get_command(import_module(mount.module).app)
    context = command.make_context(name, list(rest))
    while isinstance(command, click.Group):
        _, command, rest = command.resolve_command(context, [*context.protected_args, *context.args])
        context = command.make_context(command.name, list(rest), parent=context)
    if stage := context.params.get("only"):
        select_stages(STAGES, start=None, only=stage)


def environment(found: Manifests, container: Object) -> dict[str, str]:
    """What a container is started with."""
    values: dict[str, str] = {}
    for source in container.get("envFrom", []):
        values |= found.get("ConfigMap", source["configMapRef"]["name"])["data"]
    return values | {one["name"]: one["value"] for one in container.get("env", [])}


def _ours(found: Manifests) -> Iterator[tuple[Pod, Object, dict[str, str]]]:
    for pod in found.pods():
        for container in pod.ours:
            yield pod, container, environment(found, container)


def command_is_one_of_ours(found: Manifests) -> Iterator[str]:
    for pod, container, _ in _ours(found):
        try:
            parse_command(container["command"])
        except (click.UsageError, ThetalineError) as error:
            yield f"{pod.owner}: {error}"


def setting_is_known(found: Manifests) -> Iterator[str]:
    for pod, _, variables in _ours(found):
        yield from (f"{pod.owner}: {name}" for name in variables.keys() - SETTINGS)


def setting_keeps_its_rule(found: Manifests) -> Iterator[str]:
    given = {
        frozenset((name.lower(), value) for name, value in variables.items() if name.lower() in Settings.model_fields)
        for _, _, variables in _ours(found)
    }
    for values in given:
        try:
            load(**dict(values))
        except ThetalineError as error:
            yield str(error)


def secret_is_a_file_that_is_mounted(found: Manifests) -> Iterator[str]:
    for pod, container, variables in _ours(found):
        volumes = {one["name"]: one for one in pod.spec["volumes"]}
        files = {
            f"{mount['mountPath']}/{item['path']}"
            for mount in container["volumeMounts"]
            for item in volumes.get(mount["name"], {}).get("secret", {}).get("items", [])
        }
        named = {value for name, value in variables.items() if name.lower() in FILE_NAMES}
        if files != named:
            yield f"{pod.owner}: {sorted(files ^ named)}"


def no_secret_is_a_variable(found: Manifests) -> Iterator[str]:
    secrets = {name.upper().removesuffix("_FILE") for name in FILE_NAMES}
    for pod, _, variables in _ours(found):
        yield from (f"{pod.owner}: {name}" for name in secrets & variables.keys())


def temporary_files_have_a_place(found: Manifests) -> Iterator[str]:
    for pod, container, _ in _ours(found):
        if PurePosixPath("/tmp") not in {PurePosixPath(one["mountPath"]) for one in container["volumeMounts"]}:  # noqa: S108
            yield pod.owner


def service_has_time_to_stop(found: Manifests) -> Iterator[str]:
    for one in found.of("Deployment"):
        spec = found.pod_spec("Deployment", one["metadata"]["name"])
        for container in spec["containers"]:
            secs = float(environment(found, container).get("SERVICE_SHUTDOWN_SECS", load().service_shutdown_secs))
            waits = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
            if waits < 1 or spec.get("terminationGracePeriodSeconds", 30) <= secs + waits:
                yield one["metadata"]["name"]


def fits_have_the_memory_that_they_may_take(found: Manifests) -> Iterator[str]:
    for pod, container, variables in _ours(found):
        if pod.kind == "Deployment":
            fits = int(variables["SERVICE_WORKERS"]) * int(variables["SERVICE_WORKER_MEMORY_MB"]) * MB
            if fits + SHARE_OF_REQUESTS > quantity(container["resources"]["limits"]["memory"]):
                yield pod.owner


RULES = (
    command_is_one_of_ours,
    setting_is_known,
    setting_keeps_its_rule,
    secret_is_a_file_that_is_mounted,
    no_secret_is_a_variable,
    temporary_files_have_a_place,
    service_has_time_to_stop,
    fits_have_the_memory_that_they_may_take,
)
