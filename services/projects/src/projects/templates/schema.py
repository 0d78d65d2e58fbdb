"""What callers send to start from a template."""

from typing import Annotated

from msgspec import Meta, Struct

from projects.lifecycle.schema import Description, Name


class FromTemplate(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A project to start from a template, with values for the template's variables."""

    name: Name
    description: Description = ""
    is_public: bool = False
    variables: dict[str, Annotated[str, Meta(max_length=1000, pattern=r"^[^\x00]*$")]] = {}
