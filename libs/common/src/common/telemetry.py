"""Logs: one JSON object a line, each with the ids of the request or event that it belongs to."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import msgspec
import structlog

from common import exchange

_ENCODER = msgspec.json.Encoder(enc_hook=repr)
# a segment of a path with as many characters as a secret of 256 bits: an invitation's token
_SECRET = re.compile(rb"/[\w-]{43}(?![\w-])")


def configure(service: str, level: str) -> None:
    """Set up logging for the process: ours, and the libraries' from WARNING up."""
    structlog.configure(
        processors=[
            _with_ids(service),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
            _render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stdout, format=_LIBRARY_LINE)


_LIBRARY_LINE = '{"at":"%(asctime)s","level":"%(levelname)s","event":"library","logger":"%(name)s"}'


def _with_ids(service: str) -> structlog.types.Processor:
    def add(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ANN401 - structlog's signature
        event["service"] = service
        now = exchange.current()
        if now is not None:
            event.update(requestId=now.request_id, traceId=now.trace_id)
        return event

    return add


def _render(_: Any, __: str, event: MutableMapping[str, Any]) -> bytes:  # noqa: ANN401 - structlog's signature
    return _SECRET.sub(b"/-", _ENCODER.encode(event))


def write_line(fields: dict[str, Any]) -> None:
    """Write one line past the logger: for the access log, where each microsecond is paid often."""
    sys.stdout.buffer.write(_SECRET.sub(b"/-", _ENCODER.encode(fields)) + b"\n")
    sys.stdout.buffer.flush()
