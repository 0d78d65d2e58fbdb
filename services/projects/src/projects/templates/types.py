"""Filling in a template: a variable's default is replaced where the template says."""

import base64
import html
from pathlib import PurePosixPath

import msgspec

from common.errors import InvalidError
from projects.peers import Template, TemplateFile, Variable


def rendered(template: Template, values: dict[str, str]) -> list[tuple[str, bytes]]:
    """Return the template's files with ``values`` for its variables.

    Raises ``InvalidError`` for a variable that the template does not have, or that is too long.
    """
    known = {variable.name: variable for variable in template.variables}
    for name, value in values.items():
        variable = known.get(name)
        if variable is None:
            raise InvalidError.of(f"variables.{name}", "The template has no such variable.")
        if len(value) > variable.max_length:
            longest = variable.max_length
            raise InvalidError.of(f"variables.{name}", f"At most {longest} characters.")
    given = [(known[name], value) for name, value in values.items()]
    return [(file.path, _filled(file, given)) for file in template.files]


def _filled(file: TemplateFile, given: list[tuple[Variable, str]]) -> bytes:
    if file.encoding == "base64":
        return base64.b64decode(file.content)
    text = file.content
    for variable, value in given:
        if file.path in variable.files:
            text = text.replace(variable.default, _escaped(value, file.path))
    return text.encode()


def _escaped(value: str, path: str) -> str:
    if PurePosixPath(path).suffix in {".html", ".svg", ".xml"}:
        return html.escape(value)
    return msgspec.json.encode(value).decode()[1:-1]
