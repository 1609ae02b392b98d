"""A sorted sequence of which keeping every version is cheap, and which knows how many come before a place.

Marks are unique and rise; beside each stands the key of an item. They lie in leaves of at most ``LEAF``, the leaves in
branches of at most ``BRANCH``: whoever adds or takes away a mark copies one leaf, one branch and the short list of
branches, and shares the rest with the version before.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, Final, TypeAlias

from mock_server.openapi.quick import quick

LEAF: Final = 128
BRANCH: Final = 64
_FILLED: Final = 3 / 4  # of what is built at once, so that it has room to grow

Mark: TypeAlias = Any
"""A number, or a tuple that begins with what is sorted by: whatever compares with the other marks of its sequence."""


@quick(frozen=True, slots=True)
class Leaf:
    """Some neighbouring marks with their keys; marks may be any sequence that slices and adds as a tuple does."""

    marks: Any
    keys: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.keys)

    def with_mark(self, mark: Mark, key: str) -> Leaf:
        """The leaf with one more mark; its marks are a tuple."""
        at = bisect_left(self.marks, mark)
        return Leaf((*self.marks[:at], mark, *self.marks[at:]), (*self.keys[:at], key, *self.keys[at:]))

    def without(self, mark: Mark) -> Leaf:
        """The leaf without a mark that it holds."""
        at = bisect_left(self.marks, mark)
        if at == len(self.marks) or self.marks[at] != mark:
            raise KeyError(mark)
        return Leaf(self.marks[:at] + self.marks[at + 1 :], self.keys[:at] + self.keys[at + 1 :])

    def halves(self) -> tuple[Leaf, Leaf]:
        """The leaf in two."""
        at = len(self.keys) // 2
        return Leaf(self.marks[:at], self.keys[:at]), Leaf(self.marks[at:], self.keys[at:])

    def joined(self, following: Leaf) -> Leaf:
        """The leaf with the one behind it."""
        return Leaf(self.marks + following.marks, self.keys + following.keys)


@quick(frozen=True, slots=True)
class _Branch:
    """Some neighbouring leaves, none empty, with the last mark and the size of each."""

    leaves: tuple[Leaf, ...]
    lasts: tuple[Mark, ...]
    sizes: tuple[int, ...]
    size: int

    @staticmethod
    def of(leaves: tuple[Leaf, ...]) -> _Branch:
        """The branch of some leaves."""
        sizes = tuple([len(leaf.keys) for leaf in leaves])
        return _Branch(leaves, tuple([leaf.marks[-1] for leaf in leaves]), sizes, sum(sizes))

    def with_leaf(self, at: int, leaf: Leaf) -> _Branch:
        """The branch with another leaf in place of one."""
        size, rest = len(leaf.keys), at + 1
        return _Branch(
            (*self.leaves[:at], leaf, *self.leaves[rest:]),
            (*self.lasts[:at], leaf.marks[-1], *self.lasts[rest:]),
            (*self.sizes[:at], size, *self.sizes[rest:]),
            self.size - self.sizes[at] + size,
        )


@quick(frozen=True, slots=True)
class Ranked:
    """One version of a sorted sequence; ``Ranked()`` is the empty one."""

    _branches: tuple[_Branch, ...] = ()
    _lasts: tuple[Mark, ...] = ()
    _sizes: tuple[int, ...] = ()
    _size: int = 0

    @classmethod
    def of(cls, marks: Sequence[Mark], keys: Sequence[str]) -> Ranked:
        """The sequence of many marks at once, which rise, each with its key."""
        size = int(LEAF * _FILLED)
        places = range(0, len(keys), size)
        return cls.joining([Leaf(tuple(marks[at : at + size]), tuple(keys[at : at + size])) for at in places])

    @classmethod
    def joining(cls, leaves: Sequence[Leaf]) -> Ranked:
        """The sequence of some leaves, none of them empty."""
        size = int(BRANCH * _FILLED)
        return _ranked(tuple([_Branch.of(tuple(leaves[at : at + size])) for at in range(0, len(leaves), size)]))

    def __len__(self) -> int:
        return self._size

    # Places

    def before(self, mark: Mark) -> int:
        """How many marks are less than this one."""
        at = bisect_left(self._lasts, mark)
        if at == len(self._lasts):
            return self._size
        branch = self._branches[at]
        inner = bisect_left(branch.lasts, mark)
        passed = sum(self._sizes[:at]) + sum(branch.sizes[:inner])
        return passed + bisect_left(branch.leaves[inner].marks, mark)

    def keys(self, start: int, stop: int) -> Iterator[str]:
        """The keys from one place up to another, first to last."""
        for leaf, begin, end in self._leaves(start, min(stop, self._size)):
            yield from leaf.keys[begin:end]

    def span(self, start: int, stop: int) -> list[str]:
        """The same keys at once."""
        stop = min(stop, self._size)
        if start >= stop:
            return []
        leaf, passed = self._leaf(start)
        found = [*leaf.keys[start - passed : stop - passed]]
        while start + len(found) < stop:
            found += self._leaf(start + len(found))[0].keys[: stop - start - len(found)]
        return found

    def keys_back(self, start: int, stop: int) -> Iterator[str]:
        """The same keys, last to first."""
        stop = min(stop, self._size)
        while start < stop:
            leaf, passed = self._leaf(stop - 1)
            yield from reversed(leaf.keys[max(start - passed, 0) : stop - passed])
            stop = passed

    def marked(self, start: int, stop: int) -> Iterator[tuple[Mark, str]]:
        """The marks from one place up to another, each with its key."""
        for leaf, begin, end in self._leaves(start, min(stop, self._size)):
            yield from zip(leaf.marks[begin:end], leaf.keys[begin:end], strict=True)

    def _leaves(self, start: int, stop: int) -> Iterator[tuple[Leaf, int, int]]:
        """The leaves that reach into a span, each with the part of it that does."""
        while start < stop:
            leaf, passed = self._leaf(start)
            end = min(stop - passed, len(leaf.keys))
            yield leaf, start - passed, end
            start = passed + end

    def _leaf(self, place: int) -> tuple[Leaf, int]:
        """The leaf that a place is in, and how many marks there are before the leaf."""
        at, passed = _child(self._sizes, place)
        branch = self._branches[at]
        inner, more = _child(branch.sizes, place - passed)
        return branch.leaves[inner], passed + more

    # Versions

    def with_mark(self, mark: Mark, key: str) -> Ranked:
        """The sequence with a mark that it does not hold yet."""
        if not self._branches:
            return self.with_leaf(Leaf((mark,), (key,)))
        at = min(bisect_left(self._lasts, mark), len(self._lasts) - 1)
        branch = self._branches[at]
        inner = min(bisect_left(branch.lasts, mark), len(branch.lasts) - 1)
        grown = branch.leaves[inner].with_mark(mark, key)
        if len(grown.keys) <= LEAF:
            return self._with_branch(at, branch.with_leaf(inner, grown))
        return self._with_branches(at, 1, (*branch.leaves[:inner], *grown.halves(), *branch.leaves[inner + 1 :]))

    def with_leaf(self, leaf: Leaf) -> Ranked:
        """The sequence with a leaf whose marks are greater than all others."""
        if not self._branches:
            return _ranked((_Branch.of((leaf,)),))
        last = len(self._branches) - 1
        if len(self._branches[last].leaves) < BRANCH:
            return self._with_branches(last, 1, (*self._branches[last].leaves, leaf))
        return self._with_branches(last + 1, 0, (leaf,))

    def without(self, mark: Mark) -> Ranked:
        """The sequence without a mark; a ``KeyError`` when it holds none such."""
        at = bisect_left(self._lasts, mark)
        if at == len(self._lasts):
            raise KeyError(mark)
        branch = self._branches[at]
        inner = bisect_left(branch.lasts, mark)
        rest = branch.leaves[inner].without(mark)
        if len(rest.keys) > LEAF // 4:
            return self._with_branch(at, branch.with_leaf(inner, rest))
        leaves = _thinned([*branch.leaves[:inner], rest, *branch.leaves[inner + 1 :]], inner)
        if at and len(leaves) + len(self._branches[at - 1].leaves) <= BRANCH // 2:  # few neighbours become one branch
            return self._with_branches(at - 1, 2, (*self._branches[at - 1].leaves, *leaves))
        return self._with_branches(at, 1, leaves)

    def _with_branch(self, at: int, branch: _Branch) -> Ranked:
        """The sequence with another branch in place of one."""
        rest = at + 1
        return Ranked(
            (*self._branches[:at], branch, *self._branches[rest:]),
            (*self._lasts[:at], branch.lasts[-1], *self._lasts[rest:]),
            (*self._sizes[:at], branch.size, *self._sizes[rest:]),
            self._size - self._sizes[at] + branch.size,
        )

    def _with_branches(self, at: int, count: int, leaves: tuple[Leaf, ...]) -> Ranked:
        """The sequence in which some leaves take the place of all those of some neighbouring branches."""
        middle = len(leaves) // 2
        parts = (leaves[:middle], leaves[middle:]) if len(leaves) > BRANCH else (leaves,)
        made = [_Branch.of(part) for part in parts if part]
        return _ranked((*self._branches[:at], *made, *self._branches[at + count :]))


def _ranked(branches: tuple[_Branch, ...]) -> Ranked:
    sizes = tuple([branch.size for branch in branches])
    return Ranked(branches, tuple([branch.lasts[-1] for branch in branches]), sizes, sum(sizes))


def _child(sizes: tuple[int, ...], place: int) -> tuple[int, int]:
    """Which of some neighbours a place is in, and how many marks the ones before it have."""
    ends = list(accumulate(sizes))
    at = bisect_right(ends, place)
    return at, ends[at - 1] if at else 0


def _thinned(leaves: list[Leaf], at: int) -> tuple[Leaf, ...]:
    """The leaves of which one has become small: left out when it is empty, or joined with a small neighbour."""
    if not leaves[at].keys:
        del leaves[at]
        return tuple(leaves)
    for left in (at - 1, at):
        if 0 <= left < len(leaves) - 1 and len(leaves[left]) + len(leaves[left + 1]) <= LEAF // 2:
            leaves[left : left + 2] = [leaves[left].joined(leaves[left + 1])]
            break
    return tuple(leaves)
