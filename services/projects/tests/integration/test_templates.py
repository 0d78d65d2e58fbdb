"""Starting from a template, with the real registry beside, and without it."""

import asyncio
import html
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable

import msgspec
import pytest
from services.projects.tests.desk import Desk

from common.testing.apps import Serving
from common.testing.processes import Process, process

FROM = "/api/v1/projects/from-template"


@pytest.fixture(scope="module")
async def registry(service_env: Callable[[str], dict[str, str]]) -> AsyncGenerator[Process]:
    """The registry with the examples as its templates."""
    env = service_env("registry") | {"ACCESS_LOG": "false", "LOG_LEVEL": "error"}
    command = (sys.executable, "-m", "registry.seed")
    seeding = {**os.environ, **env}
    await asyncio.to_thread(subprocess.run, command, env=seeding, check=True, capture_output=True)
    async with process("registry.main:create_app", env) as running:
        yield running


async def names(desk: Desk) -> list[str]:
    """What the owner's projects are called."""
    listed = await desk.call("GET", "/api/v1/projects?sort=name")
    return [project["name"] for project in listed.json()["data"]]


async def test_a_project_has_what_the_template_has(desk: Desk, registry: Process) -> None:
    template = await registry.call("GET", "/internal/templates/breakout")
    files = {file["path"] for file in template.json()["files"]}
    title = 'Fish & "Chips" <3'
    sends = {"name": "Mine", "variables": {"title": title}}
    made = await desk.call("POST", f"{FROM}/breakout", sends=sends)
    assert made.status_code == 201, made.text
    project = made.headers["location"]
    assert made.json()["data"]["role"] == "owner"
    assert set(await desk.tree(project)) == files
    assert html.escape(title) in (await desk.text(project, "index.html") or "")
    settings = msgspec.json.decode(await desk.text(project, "project.json") or "")
    assert title in settings.values()
    [fact] = [e.data for e in await desk.events(project) if "tree.filled" in e.subject]
    assert (fact["origin"], fact["files"], fact["seq"]) == ("template", len(files), len(files))


async def test_what_cannot_be_started_leaves_nothing_behind(desk: Desk, registry: Process) -> None:
    assert await registry.is_ready()
    refused = {
        "none": ({}, 404, "NOT_FOUND"),
        "..%2Fplugins": ({}, 404, "NOT_FOUND"),
        "empty": ({"colour": "red"}, 400, "VALIDATION_ERROR"),
        "breakout": ({"title": "x" * 25}, 400, "VALIDATION_ERROR"),
    }
    for template, (variables, status, code) in refused.items():
        sends = {"name": "Mine", "variables": variables}
        answer = await desk.call("POST", f"{FROM}/{template}", sends=sends)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), template
    assert await names(desk) == []


async def test_without_the_registry_one_comes_back_later(serve: Serving) -> None:
    async with serve(REGISTRY_URL="http://127.0.0.1:1") as client:
        desk = Desk(client)
        answer = await desk.call("POST", f"{FROM}/empty", sends={"name": "Mine"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "UNAVAILABLE")
        assert answer.headers["retry-after"]
        assert await names(desk) == []
