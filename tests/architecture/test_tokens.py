"""The gateway looks at neither the type of a token nor at what it calls critical.

So nothing but access tokens may ever be signed with the keys that auth publishes.
"""

import re

import pytest

from tests.architecture.layout import relative, sources, text_of

pytestmark = pytest.mark.architecture
_SIGNS = re.compile(r"\b(?:jwt\.encode|jws\.serialize\w*)\(")
_SIGNER = "services/auth/src/auth/keys/keyring.py"


def test_one_place_signs_tokens_and_they_are_access_tokens() -> None:
    found = {relative(path): text_of(path) or "" for path in sources()}
    signing = {name: len(_SIGNS.findall(text)) for name, text in found.items()}
    assert {name: count for name, count in signing.items() if count} == {_SIGNER: 1}
    header = re.search(r"header = (\{.*\})", found[_SIGNER])
    assert header
    assert header[1] == '{"alg": service.ALGORITHM, "typ": "at+jwt", "kid": key.kid}'
