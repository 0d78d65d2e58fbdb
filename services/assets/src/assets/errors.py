"""The failures that only assets know."""

from common.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    ServiceError,
    UnavailableError,
)


class ImageTooLargeError(InvalidError):
    """The picture has more pixels than may be decoded; the details name the limit."""

    code = "IMAGE_TOO_LARGE"


class GoneError(ServiceError):
    """The thing was there, and will not come back."""

    status = 410
    code = "GONE"


class QuotaExceededError(ForbiddenError):
    """The project would have more than it may; the details say how much may be, and how much is."""

    code = "QUOTA_EXCEEDED"

    def __init__(self, message: str, *, limit: int, used: int) -> None:
        super().__init__(message, {"limit": limit, "used": used})


class AssetInUseError(ConflictError):
    """Files of the project name the asset; the details say where."""

    code = "ASSET_IN_USE"


class CollectedError(UnavailableError):
    """The bytes were stored, and collected before anything came to need them: store them anew."""
