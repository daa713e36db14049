"""The API does what its own OpenAPI document says, whatever is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.running import Running, running
from satchel.api.app import create_app
from satchel.api.daemon import Daemon

EXAMPLES = 20
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
DOCUMENT: dict[str, Any] = create_app(cast(Daemon, None)).openapi_schema.to_schema()
# An event stream never ends; test_contract_capture.py has it.
OPERATIONS = [
    found.ok()
    for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()
    if found.ok().path != "/v1/events"
]
# Nothing can be wrong in a request without token, parameters and body.
CASES = [
    pytest.param(operation, mode, id=f"{operation.label} {name}")
    for operation in OPERATIONS
    for mode, name in ((GenerationMode.POSITIVE, "right"), (GenerationMode.NEGATIVE, "wrong"))
    if (operation.path, name) != ("/health", "wrong")
]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, no_models: Path) -> Iterator[Running]:
    """Odd things are written to this one."""
    with running(tmp_path_factory.mktemp("schemathesis") / "data", models=no_models) as daemon:
        yield daemon


@pytest.mark.parametrize(("operation", "mode"), CASES)
def test_every_answer_is_as_documented(operation: Any, mode: GenerationMode, own: Running) -> None:
    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def holds(case: schemathesis.Case) -> None:
        headers = {"Authorization": f"Bearer {own.token}"}
        case.call_and_validate(base_url=own.url, headers=headers, checks=CHECKS)

    holds()


def test_every_call_documents_its_errors() -> None:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            if path == "/health":
                continue
            kind = "application/json" if path.startswith("/api/openmem/") else "application/problem+json"
            needs_a_token = {"401", "404"} if "security" not in operation else set()
            for status in {"400", "403", "413", "415", "421", "429", "500", "503"} | needs_a_token:
                assert kind in operation["responses"][status]["content"], f"{method} {path} {status}"


def test_the_document_says_what_needs_no_token_and_what_pairing_answers() -> None:
    paths = DOCUMENT["paths"]
    session = ("post", "/v1/dashboard/sessions")
    without = {(method, path) for path, item in paths.items() for method, call in item.items() if "security" in call}
    assert without == {("get", "/health"), ("post", "/v1/pair"), ("post", "/v1/pair/{pairing_id}"), session}
    assert {"201", "429"} <= set(paths["/v1/pair"]["post"]["responses"])
    assert {"200", "202", "410"} <= set(paths["/v1/pair/{pairing_id}"]["post"]["responses"])
    for path in ("/v1/pairings", "/v1/pairings/{pairing_id}"):
        assert {"200", "404", "429"} <= set(paths[path]["post"]["responses"])


def test_a_problem_is_documented_with_its_fields() -> None:
    answer = DOCUMENT["paths"]["/v1/recall"]["post"]["responses"]["400"]["content"]["application/problem+json"]
    schema = answer["schema"]
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    assert {"status", "title", "detail", "type"} <= set(schema["properties"])
