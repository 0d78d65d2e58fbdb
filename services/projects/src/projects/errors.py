"""The failures that only projects know."""

from common.errors import ConflictError, ForbiddenError, InvalidError, ServiceError


class QuotaExceededError(ForbiddenError):
    """There would be more than is allowed; the details say how much may be, and how much is."""

    code = "QUOTA_EXCEEDED"

    def __init__(self, message: str, *, limit: int, used: int) -> None:
        super().__init__(message, {"limit": limit, "used": used})


class LastOwnerError(ConflictError):
    """A project keeps at least one owner."""

    code = "LAST_OWNER"


class GoneError(ServiceError):
    """The thing was there and will not come back."""

    status = 410
    code = "GONE"


class TooManyMailsError(ServiceError):
    """An address gets only so many mails in an hour, whoever has them sent."""

    status = 429
    code = "RATE_LIMITED"

    def __init__(self) -> None:
        message = "Too many mails went to this address; invite again in an hour."
        super().__init__(message, headers={"retry-after": "3600"})


class FileExistsAlreadyError(ConflictError):
    """There is a file at the path."""

    code = "FILE_EXISTS"


class InvalidPathError(InvalidError):
    """The path is not one that every editor and machine can hold."""

    code = "INVALID_PATH"


class UnsafeArchiveError(InvalidError):
    """The archive may not be unpacked; the details name the entry, if it is one, and say why."""

    code = "UNSAFE_ARCHIVE"
