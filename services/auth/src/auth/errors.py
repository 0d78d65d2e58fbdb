"""The failures that only auth knows."""

from common.errors import ConflictError, ForbiddenError, ServiceError, UnauthenticatedError


class InvalidCredentialsError(UnauthenticatedError):
    """No account has this login and this password."""

    code = "INVALID_CREDENTIALS"


class LockedOutError(ServiceError):
    """Too many passwords were wrong: for a while none is looked at."""

    status = 429
    code = "RATE_LIMITED"

    def __init__(self, wait_s: int, limit: int) -> None:
        super().__init__(
            "Too many logins failed; wait and try again.",
            {"limit": limit, "retryAfter": wait_s},
            # how much the route's class has left, the gateway says on every answer
            headers={"retry-after": str(wait_s)},
        )


class MailTokenError(ServiceError):
    """A token that came by mail is used, replaced, over, or was never one."""

    status = 400
    code = "MAIL_TOKEN_INVALID"

    def __init__(self) -> None:
        super().__init__("This token is not good any more: ask for another mail.")


class TooManyMailsError(ServiceError):
    """The account has caused as many mails of one kind as it may in an hour."""

    status = 429
    code = "RATE_LIMITED"

    def __init__(self) -> None:
        super().__init__("Too many mails; try again in an hour.", headers={"retry-after": "3600"})


class RefreshTokenReusedError(UnauthenticatedError):
    """A refresh token came back after its successor was used: the session is over."""

    code = "REFRESH_TOKEN_REUSED"


class OAuthStateError(ServiceError):
    """A login through another provider that was not begun here, or not by this browser."""

    status = 400
    code = "OAUTH_STATE_INVALID"


class OAuthDeniedError(ServiceError):
    """The other provider, or the person there, did not want to say who somebody is."""

    status = 400
    code = "OAUTH_DENIED"


class OAuthFailedError(ServiceError):
    """What the other provider says does not prove who somebody is."""

    status = 400
    code = "OAUTH_FAILED"


class OAuthEmailMissingError(ServiceError):
    """The other provider does not tell an e-mail address, which a new account needs."""

    status = 400
    code = "OAUTH_EMAIL_MISSING"


class CsrfError(ForbiddenError):
    """A cookie alone does not prove that the page itself is asking."""

    code = "CSRF_FAILED"


class EmailTakenError(ConflictError):
    """There is an account with this e-mail address."""

    code = "EMAIL_TAKEN"

    def __init__(self) -> None:
        super().__init__("There is an account with this e-mail address.", {"field": "email"})


class UsernameTakenError(ConflictError):
    """There is an account with this username."""

    code = "USERNAME_TAKEN"

    def __init__(self) -> None:
        super().__init__("There is an account with this username.", {"field": "username"})
