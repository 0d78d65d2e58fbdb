"""The failures that only projects know."""

from common.errors import ConflictError, ForbiddenError, InvalidError


class QuotaExceededError(ForbiddenError):
    """There would be more than is allowed; the details name the limit."""

    code = "QUOTA_EXCEEDED"


class LastOwnerError(ConflictError):
    """A project keeps at least one owner."""

    code = "LAST_OWNER"


class FileExistsAlreadyError(ConflictError):
    """There is a file at the path."""

    code = "FILE_EXISTS"


class InvalidPathError(InvalidError):
    """The path is not one that every editor and machine can hold."""

    code = "INVALID_PATH"
