"""Sending one large file in each of the ways there are, and many small ones at once."""

import os
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec

from benchmarks.assets.library import MEBIBYTE, UPLOAD, Library, library
from benchmarks.harness.cases import BadAnswerError
from benchmarks.projects import subject
from fleet import services
from fleet.context import Context

PEAK_GOAL_MIB = 150
BATCH_GOAL_S = 2.0
BATCH_FILES = 50
_SMALL = 20_000
_CHUNK = 64 * MEBIBYTE
_PIECE = MEBIBYTE
_TUS = {"tus-resumable": "1.0.0"}


class Sent(msgspec.Struct, frozen=True):
    """One way of sending."""

    name: str
    mebibytes: float
    seconds: float
    before_mib: float
    peak_mib: float


def measured(context: Context, mebibytes: int) -> list[Sent]:
    """Send a file by form, by TUS and by presigned parts, each time another one."""
    path = context.home.cache / "large.bin"
    size = mebibytes * MEBIBYTE
    _write(path, size)
    results = []
    with library(context, is_public=False, bytes_max=size) as ours:
        _by_form(ours, _small(context), "warm.bin")
        ways: dict[str, Callable[[Library, Path, str], Any]] = {
            "form": _by_form,
            "TUS": _by_tus,
            "presigned parts": lambda *given: _by_parts(context, *given),
        }
        for number, (name, send) in enumerate(ways.items()):
            _change(path, number)
            before, began = subject.reset_peak(ours.service.pid), time.perf_counter()
            send(ours, path, f"{number}.bin")
            seconds = time.perf_counter() - began
            peak = subject.memory_mb(ours.service.pid, "VmHWM")
            results.append(Sent(name, mebibytes, seconds, before, peak))
        _compare(ours, size, len(ways))
    return results


def _write(path: Path, size: int) -> None:
    with path.open("wb") as file:
        for _ in range(0, size, _PIECE):
            file.write(os.urandom(min(_PIECE, size)))


def _small(context: Context) -> Path:
    path = context.home.cache / "small.bin"
    path.write_bytes(b"\0" + os.urandom(_SMALL))
    return path


def _change(path: Path, number: int) -> None:
    """Make another file of it: the same bytes would be no second asset."""
    with path.open("r+b") as file:
        file.write(b"\0" + number.to_bytes() + os.urandom(64))


def _by_form(ours: Library, path: Path, name: str) -> None:
    with path.open("rb") as file:
        answer = ours.service.client.post(
            UPLOAD,
            headers=ours.service.headers,
            data={"projectId": str(ours.project_id)},
            files={"file": (name, file, "application/octet-stream")},
        )
    _expect(answer, httpx.codes.CREATED)


def _by_tus(ours: Library, path: Path, name: str) -> None:
    client, size = ours.service.client, path.stat().st_size
    said = {"projectId": str(ours.project_id), "filename": name}
    metadata = ",".join(
        f"{key} {b64encode(value.encode()).decode()}" for key, value in said.items()
    )
    headers = ours.service.headers | _TUS
    begun = client.post(
        "/api/v1/assets/tus",
        headers=headers | {"upload-length": str(size), "upload-metadata": metadata},
    )
    _expect(begun, httpx.codes.CREATED)
    with path.open("rb") as file:
        for offset in range(0, size, _CHUNK):
            length = min(_CHUNK, size - offset)
            answer = client.patch(
                begun.headers["location"],
                headers=headers
                | {
                    "content-type": "application/offset+octet-stream",
                    "upload-offset": str(offset),
                    "content-length": str(length),
                },
                content=_pieces(file, length),
            )
            _expect(answer, httpx.codes.NO_CONTENT)


def _by_parts(context: Context, ours: Library, path: Path, name: str) -> None:
    """Send the parts to the store itself, with the Host that is signed, as the gateway does."""
    client, size = ours.service.client, path.stat().st_size
    asked = {
        "projectId": str(ours.project_id),
        "name": name,
        "size": size,
        "contentType": "application/octet-stream",
        "parts": True,
    }
    begun = client.post("/api/v1/assets/uploads", headers=ours.service.headers, json=asked)
    _expect(begun, httpx.codes.CREATED)
    upload = begun.json()["data"]
    store = services.environment(context, "assets")["S3_ENDPOINT_URL"]
    with path.open("rb") as file, httpx.Client(base_url=store, timeout=300.0) as sender:
        for part in upload["parts"]:
            signed = httpx.URL(part["url"])
            file.seek((part["number"] - 1) * upload["partSize"])
            headers = part["headers"] | {
                "host": signed.netloc.decode(),
                "content-length": str(part["size"]),
            }
            target = signed.raw_path.decode()
            answer = sender.put(target, headers=headers, content=_pieces(file, part["size"]))
            _expect(answer, httpx.codes.OK)
    complete = f"/api/v1/assets/uploads/{upload['id']}/complete"
    _expect(client.post(complete, headers=ours.service.headers), httpx.codes.CREATED)


def _pieces(file: Any, length: int) -> Iterator[bytes]:  # noqa: ANN401 - a file that is read
    while length > 0:
        piece = file.read(min(_PIECE, length))
        length -= len(piece)
        yield piece


def _expect(answer: httpx.Response, status: int) -> None:
    if answer.status_code != status:
        raise BadAnswerError(f"{answer.url} was answered {answer.status_code}: {answer.text[:500]}")


def _compare(ours: Library, size: int, count: int) -> None:
    """Every way has led to an asset of the whole size."""
    path = f"/api/v1/projects/{ours.project_id}/assets?limit=100"
    answer = ours.service.client.get(path, headers=ours.service.headers)
    _expect(answer, httpx.codes.OK)
    found = [asset for asset in answer.json()["data"] if asset["size"] == size]
    if len(found) != count:
        raise BadAnswerError(f"{len(found)} of {count} files are in the library.")


def batches(context: Context, rounds: int) -> list[float]:
    """Send fifty small files at once, again and again; return how long each batch took."""
    times = []
    with library(context, is_public=False, bytes_max=MEBIBYTE) as ours:
        for number in range(rounds + 1):
            files = [
                ("files", (f"{number}-{n}.bin", b"\0" + os.urandom(_SMALL), ""))
                for n in range(BATCH_FILES)
            ]
            began = time.perf_counter()
            answer = ours.service.client.post(
                "/api/v1/assets/batch-upload",
                headers=ours.service.headers,
                data={"projectId": str(ours.project_id)},
                files=files,
            )
            seconds = time.perf_counter() - began
            _expect(answer, httpx.codes.OK)
            if [item["status"] for item in answer.json()["data"]] != [201] * BATCH_FILES:
                raise BadAnswerError("Not every file of a batch was taken.")
            if number:  # the first connects and compiles
                times.append(seconds)
    return times


def table(results: list[Sent]) -> str:
    """Return a line for each way."""
    head = ("", "MiB", "s", "MiB/s", "RSS MiB before", "peak MiB")
    rows: list[tuple[str, ...]] = [
        (
            sent.name,
            f"{sent.mebibytes:.0f}",
            f"{sent.seconds:.1f}",
            f"{sent.mebibytes / sent.seconds:.0f}",
            f"{sent.before_mib:.0f}",
            f"{sent.peak_mib:.0f}",
        )
        for sent in results
    ]
    return subject.table(head, rows)
