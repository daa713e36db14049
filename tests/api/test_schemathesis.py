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


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, no_models: Path) -> Iterator[Running]:
    """Odd things are written to this one."""
    with running(tmp_path_factory.mktemp("schemathesis") / "data", models=no_models) as daemon:
        yield daemon


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])
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
            for status in ("400", "401", "403", "404", "413", "415", "421", "500", "503"):
                assert kind in operation["responses"][status]["content"], f"{method} {path} {status}"


def test_a_problem_is_documented_with_its_fields() -> None:
    answer = DOCUMENT["paths"]["/v1/recall"]["post"]["responses"]["400"]["content"]["application/problem+json"]
    schema = answer["schema"]
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    assert {"status", "title", "detail", "type"} <= set(schema["properties"])
