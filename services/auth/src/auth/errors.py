"""The failures that only auth knows."""

from common.errors import ConflictError, ForbiddenError, UnauthenticatedError


class InvalidCredentialsError(UnauthenticatedError):
    """No account has this login and this password."""

    code = "INVALID_CREDENTIALS"


class RefreshTokenReusedError(UnauthenticatedError):
    """A refresh token came back after its successor was used: the session is over."""

    code = "REFRESH_TOKEN_REUSED"


class CsrfError(ForbiddenError):
    """A cookie alone does not prove that the page itself is asking."""

    code = "CSRF_FAILED"


class EmailTakenError(ConflictError):
    """There is an account with this e-mail address."""

    code = "EMAIL_TAKEN"


class UsernameTakenError(ConflictError):
    """There is an account with this username."""

    code = "USERNAME_TAKEN"
