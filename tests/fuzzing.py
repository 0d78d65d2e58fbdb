"""What a service answers to whatever its OpenAPI document allows, and to what it does not."""

import warnings
from collections.abc import Iterator
from typing import Any

import hypothesis
import schemathesis
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Err
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks

type Document = dict[str, Any]

_CHECKS: list[CheckFunction] = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.negative_data_rejection,
]


def operations(made: Document) -> Iterator[tuple[str, APIOperation[Any, Any, Any, Any]]]:
    """Every operation of a document, and its name: ``POST /api/v1/auth/login``.

    Who calls is the gateway's affair: a service is sent its word. ``made`` is changed.
    """
    for item in made["paths"].values():
        for operation in item.values():
            operation.pop("security", None)
            # it stands for what nobody foresees: each answer that is seen has a status of its own
            operation["responses"].pop("default", None)
    for found in schemathesis.openapi.from_dict(made).get_all_operations():
        if isinstance(found, Err):
            raise found.err()
        operation = found.ok()
        yield operation.label, operation


def faults(
    operation: APIOperation[Any, Any, Any, Any],
    url: str,
    headers: dict[str, str],
    *,
    examples: int,
) -> list[str]:
    """Send what fits the document and what does not, and return what was not answered by it.

    The same examples every time: what is found once is found again.
    """
    found: list[str] = []
    for mode in GenerationMode:

        @hypothesis.settings(
            max_examples=examples,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def send(case: schemathesis.Case[Any]) -> None:
            try:
                case.call_and_validate(base_url=url, headers=headers, checks=_CHECKS)
            except FailureGroup as group:
                found.extend(f"{fault.title}: {fault.message}" for fault in group.exceptions)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                send()
            except hypothesis.errors.Unsatisfiable:
                # an operation that takes nothing can be sent nothing wrong
                if mode is not GenerationMode.NEGATIVE:
                    raise
    return found
