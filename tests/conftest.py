"""Fixtures that every folder of tests shares."""

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference numbers and real answers; it is beside the checkout in CI and absent from a user's clone."""
    folder = Path(os.environ.get("THETALINE_SHARED", CHECKOUT.parent / "shared"))
    if not (folder / "reference").is_dir():
        pytest.skip(f"no reference folder at {folder}; set THETALINE_SHARED to run this test")
    return folder
