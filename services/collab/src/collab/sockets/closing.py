"""Why a socket is closed, in codes that tell the client what to do next."""

BYE = 1000
"""Nothing is wrong."""
TOO_BIG = 1009
"""Send less at once."""
OUR_FAULT = 1011
"""Reconnect, with growing pauses."""
RESTARTING = 1012
"""Reconnect after a random moment: another process takes over."""
OVERLOADED = 1013
"""Reconnect later: something is not available, or the reader is too slow."""
RESET = 4205
"""Drop the local state of the document and sync again."""
BAD_FRAME = 4400
"""Stop: the client speaks wrongly."""
UNAUTHENTICATED = 4401
"""Get a new token or ticket, then reconnect."""
FORBIDDEN = 4403
"""Stop: access was taken away."""
NOT_FOUND = 4404
"""Stop: there is no such project or document, as far as this user may know."""
TOO_LATE = 4408
"""Authentication or a sign of life did not come in time: reconnect."""
TOO_MANY = 4429
"""Reconnect after the wait that the reason names."""
