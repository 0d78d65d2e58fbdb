"""What tests look for in the gateway's answers."""

from typing import Any

import httpx


def ok(answer: httpx.Response, status: int = 200) -> Any:
    """Hold an answer to its status, and return what its envelope holds."""
    assert answer.status_code == status, answer.text
    return answer.json()["data"] if answer.content else None


def failed(answer: httpx.Response) -> tuple[int, str]:
    """How an answer failed, in the catalogue's words."""
    return answer.status_code, answer.json()["error"]["code"]


async def put(client: httpx.AsyncClient, project: str, path: str, text: str) -> dict[str, Any]:
    """Leave text at a path of a project."""
    answer = await client.put(f"/api/v1/projects/{project}/files/{path}", json={"content": text})
    assert answer.is_success, answer.text
    written: dict[str, Any] = answer.json()["data"]
    return written


async def batch(client: httpx.AsyncClient, project: str, *steps: dict[str, Any]) -> None:
    """Take steps that all succeed."""
    url = f"/api/v1/projects/{project}/files/batch"
    ok(await client.post(url, json={"operations": steps}))


async def tree(client: httpx.AsyncClient, project: str, query: str = "") -> dict[str, Any]:
    """What is where in a project."""
    found: dict[str, Any] = ok(await client.get(f"/api/v1/projects/{project}/tree{query}"))
    return found
