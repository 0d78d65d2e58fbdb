"""The failures that are this service's own."""

from common.errors import ServiceError


class RateLimitedError(ServiceError):
    """Too much was said at once; it is worth trying again after ``wait_s``."""

    status = 429
    code = "RATE_LIMITED"

    def __init__(self, message: str, *, limit: int, wait_s: int) -> None:
        details = {"limit": limit, "retryAfter": wait_s}
        super().__init__(message, details, headers={"retry-after": str(wait_s)})
