"""Every object is valid, strictly, for three minors of Kubernetes and for its custom resource definition."""

import gzip
import os
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from manifests import CHECKOUT, OVERLAYS, Object, Render

MINORS = ("1.35", "1.36", "1.37")  # the oldest supported, the current, the newest
CUSTOM = {"external-secrets.io/v1", "monitoring.coreos.com/v1"}
FOLDERS = [f"{kind}/{overlay}" for kind in ("overlays", "now") for overlay in OVERLAYS]


@pytest.fixture(scope="session")
def schemas() -> Path:
    """The folder of custom resource definitions; beside the checkout in CI, absent from a user's clone."""
    folder = Path(os.environ.get("THETALINE_SHARED", CHECKOUT.parent / "shared")) / "schemas"
    if not folder.is_dir():
        pytest.skip(f"no custom resource definitions in {folder}; set THETALINE_SHARED to run this test")
    return folder


@cache
def custom_schema(folder: Path, kind: str, api_version: str) -> dict[str, Any]:
    """Strict: what the definition does not name is refused."""
    group, version = api_version.split("/")
    packed = gzip.decompress((folder / f"{group}_{kind.lower()}s.yaml.gz").read_bytes())
    versions = yaml.load(packed, Loader=yaml.CSafeLoader)["spec"]["versions"]
    schema = next(one for one in versions if one["name"] == version and one["served"])["schema"]["openAPIV3Schema"]
    return strict(schema)


def strict(schema: Any) -> Any:
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: strict(value) for key, value in schema.items()}
    closed = isinstance(schema.get("properties"), dict) and schema.get("type") == "object"
    free = schema.get("x-kubernetes-preserve-unknown-fields")
    return {**inner, "additionalProperties": False} if closed and not free else inner


def without_common_fields(one: Object) -> Object:
    """The API server checks metadata itself; definitions leave it open."""
    return {key: value for key, value in one.items() if key != "metadata"}


@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.parametrize("folder", FOLDERS)
def test_every_object_is_valid_for_a_minor(render: Render, folder: str, minor: str):
    for one in render(folder).objects:
        if one["apiVersion"] not in CUSTOM:
            assert kubernetes_validate.validate(one, minor, strict=True) == minor


def test_a_field_that_there_is_not_is_refused(render: Render):
    broken = render("overlays/dev").copy().get("CronJob", "calibrate-irt-nightly")
    broken["spec"]["timezone"] = "Etc/UTC"
    with pytest.raises(kubernetes_validate.ValidationError, match="timezone"):
        kubernetes_validate.validate(broken, MINORS[0], strict=True)


@pytest.mark.parametrize("overlay", ["staging", "production"])
def test_every_custom_resource_is_valid(render: Render, schemas: Path, overlay: str):
    custom = [one for one in render(f"overlays/{overlay}").objects if one["apiVersion"] in CUSTOM]
    assert {one["kind"] for one in custom} == {"ExternalSecret", "SecretStore", "ServiceMonitor"}
    for one in custom:
        schema = custom_schema(schemas, one["kind"], one["apiVersion"])
        jsonschema.validate(without_common_fields(one), schema)


def test_a_custom_resource_with_a_field_that_there_is_not_is_refused(render: Render, schemas: Path):
    broken = without_common_fields(render("overlays/staging").copy().of("ExternalSecret")[0])
    broken["spec"]["target"]["createPolicy"] = "Owner"
    with pytest.raises(jsonschema.ValidationError, match="createPolicy"):
        jsonschema.validate(broken, custom_schema(schemas, "ExternalSecret", "external-secrets.io/v1"))
