"""Fill the templates of configuration files."""

import os
from collections.abc import Mapping
from pathlib import Path
from string import Template


def render(template: Path, target: Path, values: Mapping[str, str]) -> Path:
    """Write a template with its values, for its owner's eyes alone."""
    text = Template(template.read_text(encoding="utf-8")).substitute(values)
    target.unlink(missing_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return target
