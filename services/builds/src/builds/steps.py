"""The parts of a build, by the names that callers see."""

FETCH = "fetch"
DEPENDENCIES = "dependencies"
CHECK = "check"
BUNDLE = "bundle"
OPTIMISE = "optimise"
PACKAGE = "package"
PUBLISH = "publish"

ORDER = (FETCH, DEPENDENCIES, CHECK, BUNDLE, OPTIMISE, PACKAGE, PUBLISH)
"""As they follow one another; a build has those that it needs."""
