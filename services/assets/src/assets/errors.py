"""The failures that only assets know."""

from common.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    PreconditionFailedError,
    ServiceError,
    UnavailableError,
)


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


class AssetInUseError(ConflictError):
    """Files of the project name the asset; the details say where."""

    code = "ASSET_IN_USE"


class CollectedError(UnavailableError):
    """The bytes were stored, and collected before anything came to need them: store them anew."""


class OffsetMismatchError(ConflictError):
    """The upload goes on elsewhere: the details say where."""

    code = "UPLOAD_OFFSET_MISMATCH"


class ProtocolVersionError(PreconditionFailedError):
    """The client speaks another version of the protocol of resumable uploads."""

    code = "TUS_VERSION_UNSUPPORTED"


class LockedError(ServiceError):
    """Another request is at it."""

    status = 423
    code = "UPLOAD_LOCKED"


class ChecksumMismatchError(ServiceError):
    """What arrived is not what was sent; nothing of it is kept."""

    status = 460
    code = "CHECKSUM_MISMATCH"


class ToolMissingError(ServiceError):
    """This installation lacks a program that the work needs; the details name it."""

    status = 501
    code = "TOOL_MISSING"
