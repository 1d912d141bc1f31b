"""The OpenAPI document against the service itself: generated requests, good and bad, to every operation."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from serving import INTERNAL, Running, publish

from thetaline.service.openapi_examples import EXAMPLES

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "negative_data_rejection",
)


@pytest.fixture(scope="module", autouse=True)
def bank(service: Running) -> None:
    publish(service.database, {str(100 + i): {"a": 1.0, "b": i - 3.0} for i in range(7)}, abilities={"anna": 0.25})


def test_no_generated_request_meets_a_defect_or_an_undocumented_answer(service: Running, tmp_path: Path) -> None:
    command = [
        str(Path(sys.executable).parent / "schemathesis"),
        *("run", f"{service.url}/openapi.json", "--header", f"Authorization: Bearer {INTERNAL}"),
        *("--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing", "--max-examples", "6"),
        # the same routes under a second name
        *("--exclude-path-regex", "^/v1/(irt|jobs|glmm|growth|survival|cluster|prophet|forecast)/"),
        *("--generation-deterministic", "--continue-on-failure", "--no-color", "--request-timeout", "30"),
    ]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout[-6000:]
    assert "Tested: 34" in found.stdout


def test_every_operation_documents_its_refusals(service: Running) -> None:
    document = service.app.openapi()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert {"401", "422", "429", "503"} <= operation["responses"].keys(), (method, path)
            refusal = operation["responses"]["422"]["content"]["application/json"]["schema"]
            assert refusal == {"$ref": "#/components/schemas/ErrorBody"}, (method, path)


def test_operation_ids_are_unique(service: Running) -> None:
    ids = [one["operationId"] for operations in service.app.openapi()["paths"].values() for one in operations.values()]
    assert len(set(ids)) == len(ids)


def test_every_answer_in_the_document_has_an_example_that_is_one(service: Running) -> None:
    document = service.app.openapi()
    shown = {model.__name__: (model, example) for model, example in EXAMPLES.items()}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            answers = [answer.get("content", {}).get("application/json") for answer in operation["responses"].values()]
            for name in {answer["schema"]["$ref"].rsplit("/", 1)[1] for answer in answers if answer}:
                model, example = shown[name]
                assert document["components"]["schemas"][name]["examples"] == [example], path
                assert model.model_validate_json(json.dumps(example)), name
