"""The project's tsconfig.json, of which only what cannot harm a build is heeded."""

import re
from pathlib import PurePosixPath
from typing import Any

import msgspec

from builds.types import BuildError, Diagnostic

# strings and comments of JSON with comments; a comma before a closing bracket. What does not end
# is taken to its end too: whatever is tried, no character is looked at again and again
_PARTS = re.compile(r'("(?:\\.|[^"\\\n])*"?)|//[^\n]*|/\*.*?(?:\*/|\Z)', re.DOTALL)
_LAST_COMMA = re.compile(r'("(?:\\.|[^"\\\n])*"?)|,(?=\s*+[}\]])', re.DOTALL)
_TREE = PurePosixPath("/p")

_HEEDED = frozenset(
    {
        "allowImportingTsExtensions",
        "allowJs",
        "allowSyntheticDefaultImports",
        "allowUnreachableCode",
        "allowUnusedLabels",
        "alwaysStrict",
        "checkJs",
        "emitDecoratorMetadata",
        "erasableSyntaxOnly",
        "esModuleInterop",
        "exactOptionalPropertyTypes",
        "experimentalDecorators",
        "isolatedModules",
        "jsx",
        "jsxFactory",
        "jsxFragmentFactory",
        "jsxImportSource",
        "lib",
        "noFallthroughCasesInSwitch",
        "noImplicitAny",
        "noImplicitOverride",
        "noImplicitReturns",
        "noImplicitThis",
        "noPropertyAccessFromIndexSignature",
        "noUncheckedIndexedAccess",
        "noUncheckedSideEffectImports",
        "noUnusedLocals",
        "noUnusedParameters",
        "resolveJsonModule",
        "strict",
        "strictBindCallApply",
        "strictFunctionTypes",
        "strictNullChecks",
        "strictPropertyInitialization",
        "target",
        "useDefineForClassFields",
        "useUnknownInCatchVariables",
        "verbatimModuleSyntax",
    }
)
_OURS = {
    "noEmit": True,
    # the declarations of engines do not always hold; that is no fault of the project
    "skipLibCheck": True,
    "types": [],
    "module": "esnext",
    "moduleResolution": "bundler",
}
_DEFAULTS = {"target": "es2022", "strict": True, "resolveJsonModule": True}
_FOR_THE_BUNDLER = (
    "alwaysStrict",
    "experimentalDecorators",
    "jsx",
    "jsxFactory",
    "jsxFragmentFactory",
    "jsxImportSource",
    "strict",
    "useDefineForClassFields",
    "verbatimModuleSyntax",
)
_EVERYTHING = ["**/*"]
_NEVER = ["node_modules", "assets", "public"]


def read(text: str) -> dict[str, Any]:
    """Read a tsconfig.json, comments and last commas included; raises ``BuildError``."""
    plain = _LAST_COMMA.sub(_string, _PARTS.sub(_string, text))
    try:
        return msgspec.json.decode(plain, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as exc:
        message = f"tsconfig.json cannot be read: {exc}"
        found = Diagnostic("tsconfig.json", None, None, "CONFIG", message, "error")
        raise BuildError("CONFIG_INVALID", message, diagnostics=[found]) from exc


def _string(match: re.Match[str]) -> str:
    return match[1] or ""


def for_the_checker(theirs: dict[str, Any], also: str) -> dict[str, Any]:
    """The configuration that tsc runs with; ``also`` is a file of declarations."""
    options = _options(theirs)
    return {
        "compilerOptions": {
            **_DEFAULTS,
            **{name: value for name, value in options.items() if name in _HEEDED},
            "paths": {k: [str(_TREE / p) for p in v] for k, v in _paths(options).items()},
            **_OURS,
        },
        "include": [*_inside(theirs.get("include"), _EVERYTHING), also],
        "exclude": [
            *_inside(theirs.get("exclude"), []),
            *(str(_TREE / n) for n in _NEVER),
        ],
    }


def for_the_bundler(theirs: dict[str, Any]) -> dict[str, Any]:
    """The part of it that changes what esbuild makes."""
    options = _options(theirs)
    heeded = {name: options[name] for name in _FOR_THE_BUNDLER if name in options}
    paths = {k: [f"./{p}" for p in v] for k, v in _paths(options).items()}
    return {"compilerOptions": {**heeded, "paths": paths}}


def language(theirs: dict[str, Any]) -> str:
    """The edition of the language that the code is to become, if the project names one."""
    return str(_options(theirs).get("target", "")).lower()


def _options(theirs: dict[str, Any]) -> dict[str, Any]:
    options = theirs.get("compilerOptions")
    return options if isinstance(options, dict) else {}


def _paths(options: dict[str, Any]) -> dict[str, list[str]]:
    given = options.get("paths")
    if not isinstance(given, dict):
        return {}
    kept = {
        str(k): [p for p in map(_below, v) if p] for k, v in given.items() if isinstance(v, list)
    }
    return {alias: places for alias, places in kept.items() if places}


def _inside(given: object, otherwise: list[str]) -> list[str]:
    wanted = given if isinstance(given, list) else otherwise
    return [str(_TREE / p) for p in map(_below, wanted) if p]


def _below(path: object) -> str:
    """The path without ``./``; nothing for one that leaves the project."""
    if not isinstance(path, str) or path.startswith("/") or ".." in PurePosixPath(path).parts:
        return ""
    return str(PurePosixPath(path))
