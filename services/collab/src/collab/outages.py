"""What it looks like when the database does not answer."""

import asyncpg

UNREACHABLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""Raised by statements while the database is away, or busy for too long."""
