"""The failures that only assets know."""

from common.errors import ForbiddenError, InvalidError, ServiceError


class ImageTooLargeError(InvalidError):
    """The picture has more pixels than may be decoded; the details name the limit."""

    code = "IMAGE_TOO_LARGE"


class MediaTooDemandingError(InvalidError):
    """To decode the file takes more time or memory than one file may have, or it plays too long."""

    status = 422
    code = "MEDIA_TOO_DEMANDING"


class GoneError(ServiceError):
    """The thing was there, and will not come back."""

    status = 410
    code = "GONE"


class QuotaExceededError(ForbiddenError):
    """There would be more than there may; the details say how much may be, and how much is."""

    code = "QUOTA_EXCEEDED"

    def __init__(self, message: str, *, limit: int, used: int) -> None:
        super().__init__(message, {"limit": limit, "used": used})


class ToolMissingError(ServiceError):
    """This installation lacks a program that the work needs; the details name it."""

    status = 501
    code = "TOOL_MISSING"
