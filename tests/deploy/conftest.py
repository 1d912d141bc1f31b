"""The overlays and the one-off Jobs as `kubectl kustomize` renders them, each once a session."""

import subprocess
from functools import cache

import pytest
import yaml
from manifests import CHECKOUT, KUBECTL, Manifests, Render


@pytest.fixture(scope="session")
def render() -> Render:
    """Renders a folder of deploy/k8s: `overlays/dev`, `now/production`."""

    @cache
    def rendered(folder: str) -> Manifests:
        done = subprocess.run(
            [KUBECTL, "kustomize", CHECKOUT / "deploy/k8s" / folder], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert not done.stderr, "kustomize warns"
        return Manifests(list(yaml.safe_load_all(done.stdout)))

    return rendered
