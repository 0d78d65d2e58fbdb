"""The failures that only builds know."""

from common.errors import ConflictError


class BuildNotFinishedError(ConflictError):
    """The build is still under way."""

    code = "BUILD_NOT_FINISHED"


class BuildNotRetryableError(ConflictError):
    """There is nothing to try again: the build succeeded."""

    code = "BUILD_NOT_RETRYABLE"


class BuildNotVerifiableError(ConflictError):
    """There is no result to compare with: the build did not succeed."""

    code = "BUILD_NOT_VERIFIABLE"
