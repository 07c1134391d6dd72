"""How an exchange with another server fails. The text of each is for the log alone: what a client reads tells nothing of the network."""

from __future__ import annotations


class ExchangeFailed(Exception):
    """Base of all."""


class NotReached(ExchangeFailed):
    """The name has no address, or one that may not be asked; or no connection came about."""


class Late(ExchangeFailed):
    """The deadline has passed, or the other server was silent for too long."""


class Broken(ExchangeFailed):
    """The transfer broke off, or what came is no answer, or passes a bound."""
