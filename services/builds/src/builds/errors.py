"""The failures that only builds know."""

from common.errors import ConflictError


class BuildNotFinishedError(ConflictError):
    """The build is still under way."""

    code = "BUILD_NOT_FINISHED"


class BuildNotRetryableError(ConflictError):
    """There is nothing to try again: the build succeeded."""

    code = "BUILD_NOT_RETRYABLE"
