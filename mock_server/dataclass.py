"""``dataclass``, whose classes are defined in a tenth of the time.

The one of the standard library writes and compiles up to six functions for each class, 0.5 ms together. A double has
three hundred such classes, and a process starts for every command and every worker of a test run: they were a third of
the time that all imports took. Here a function is written when it is first used, which most never are. Constructors of
frozen classes are a little faster, too. All else is as ever: ``replace``, ``fields`` and ``field`` of ``dataclasses``
work, type checkers see the standard decorator, and a class that asks for more than this one knows gets that one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, NoReturn

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(
        *, frozen: bool = False, slots: bool = False, eq: bool = True, repr: bool = True, unsafe_hash: bool = False
    ) -> Any:
        """The decorator of a value class; what the class then does is the same as with ``dataclasses.dataclass``."""

        def define(cls: type) -> type:
            if not slots or "__post_init__" in cls.__dict__:
                standard = dataclasses.dataclass(frozen=frozen, slots=slots, eq=eq, repr=repr, unsafe_hash=unsafe_hash)
                return standard(cls)
            if cls.__doc__ is None:
                cls.__doc__ = cls.__name__  # dataclasses would write the signature, which takes longer than all else
            made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(cls)
            late: dict[str, _Writer] = {"__init__": _constructor}
            if repr:
                late["__repr__"] = _representation
            if eq:
                late["__eq__"] = _equality
                if not (frozen or unsafe_hash) and "__hash__" not in cls.__dict__:
                    made.__hash__ = None
            if unsafe_hash or (eq and frozen):
                late["__hash__"] = _hash
            for name, writer in late.items():
                if name not in cls.__dict__:
                    setattr(made, name, _Late(made, name, writer))
            if frozen:
                made.__setattr__, made.__delattr__ = _refuse_assignment, _refuse_deletion
                made.__getstate__, made.__setstate__ = _state, _restore
            return made

        return define


_Writer = Callable[[type], Any]


class _Late:
    """Stands for a method until somebody asks for it, to call it or to look at its signature."""

    def __init__(self, cls: type, name: str, writer: _Writer) -> None:
        self._cls = cls
        self._name = name
        self._writer = writer

    def __get__(self, instance: object, owner: type) -> Any:
        method = self._writer(self._cls)
        method.__qualname__ = f"{self._cls.__qualname__}.{self._name}"
        setattr(self._cls, self._name, method)
        return method.__get__(instance, owner)


def _written(name: str, parameters: list[str], body: list[str], scope: dict[str, Any]) -> Any:
    lines = "".join(f"\n    {line}" for line in body or ["pass"])
    exec(f"def {name}({', '.join(['self', *parameters])}):{lines}", scope)  # noqa: S102 - as the standard library
    return scope[name]


def _constructor(cls: type) -> Any:
    """``__init__``. In a frozen class it sets slots through their descriptors; elsewhere assigning is quicker."""
    scope: dict[str, Any] = {"MISSING": MISSING}
    parameters, body = [], []
    frozen = cls.__dict__.get("__setattr__") is _refuse_assignment
    for index, field in enumerate(dataclasses.fields(cls)):
        parameter = value = field.name
        if field.default_factory is not MISSING:
            scope[f"make_{index}"] = field.default_factory
            parameter += "=MISSING"
            value = f"make_{index}() if {value} is MISSING else {value}"
        elif field.default is not MISSING:
            scope[f"default_{index}"] = field.default
            parameter += f"=default_{index}"
        parameters.append(parameter)
        if frozen:
            scope[f"set_{index}"] = getattr(cls, field.name).__set__
            body.append(f"set_{index}(self, {value})")
        else:
            body.append(f"self.{field.name} = {value}")
    return _written("__init__", parameters, body, scope)


def _equality(cls: type) -> Any:
    names = [field.name for field in dataclasses.fields(cls) if field.compare]
    same = f"return {_tuple('self', names)} == {_tuple('other', names)}"
    return _written("__eq__", ["other"], ["if other.__class__ is self.__class__:", f"    {same}",
                                          "return NotImplemented"], {})  # fmt: skip


def _hash(cls: type) -> Any:
    names = [field.name for field in dataclasses.fields(cls) if field.compare]
    return _written("__hash__", [], [f"return hash({_tuple('self', names)})"], {})


def _tuple(owner: str, names: list[str]) -> str:
    return f"({''.join(f'{owner}.{name},' for name in names)})"


def _representation(cls: type) -> Any:
    names = [field.name for field in dataclasses.fields(cls) if field.repr]

    @recursive_repr()
    def __repr__(self: Any) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    return __repr__


def _refuse_assignment(self: Any, name: str, value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_deletion(self: Any, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    """What pickle and copy keep: the default would be set by assignment."""
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _restore(self: Any, state: list[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
