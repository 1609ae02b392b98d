"""The decorator of the values that a request is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mock_server.dataclass import dataclass

__all__ = ["quick"]

if TYPE_CHECKING:
    from dataclasses import dataclass as quick
else:

    def quick(*, frozen: bool, slots: bool, eq: bool = True) -> Any:
        """A dataclass decorator for values that are made anew for every request; without ``eq`` each is only itself.

        Type checkers see ``dataclass``, so assigning to a field is an error to them. At run time the class is not
        frozen, because a frozen dataclass takes five times as long to make (2.4 µs against 0.45 µs for eight fields),
        and a request makes about ten of them.
        """
        assert frozen
        return dataclass(slots=slots, eq=eq, unsafe_hash=eq)
