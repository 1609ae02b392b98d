"""Simple criteria: the conditions of Arazzo (Arazzo 1.0 §Criterion Object, type ``simple``).

    $statusCode == 201 && ($response.body#/state != 'done' || !$response.body#/items[0].open)

Literals are true, false, null, numbers and 'single-quoted' strings, in which '' stands for one quote. The
operators bind as in C: ``!``, then ``< <= > >=``, then ``== !=``, then ``&&``, then ``||``. Braces group like
parentheses, because the specification's own example writes ``{$statusCode == 401}``. Comparisons do not
chain: in C ``1 < x < 3`` means something else than it seems to.

The specification asks for "loose comparisons" and leaves them open; here they mean:

- strings are compared without regard to case;
- a string that is a number compares with a number as one, ``'true'`` and ``'false'`` equal the booleans
  (parameters and headers are always strings);
- a value that does not exist equals null and nothing else;
- order exists between two numbers and between two strings; any other ``<`` is false;
- alone, as in ``!$request.query.dry``, a value is false when it is missing, null, false, 0 or the empty
  string.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Final, NoReturn, TypeAlias

from mock_server.dataclass import dataclass
from mock_server.openapi.expressions import (
    MISSING,
    ROOTS,
    Context,
    Expression,
    ExpressionSyntaxError,
    json_text,
    parse_operand,
)
from mock_server.openapi.values import Json

_DEEPEST = 50  # groups and negations inside one another; keeps parsing within Python's stack
_LONGEST_NUMBER = 100
_SHOWN_VALUE = 80

# An operand ends before an operator. Lone '!', '&' and '|' belong to it: header names may contain them.
_TOKENS = re.compile(
    r"""
      (?P<operator> && | \|\| | [=!<>]= | [<>!(){}] )
    | (?P<operand>  \$ (?: [^\s()<>=!&|'{}] | !(?!=) | &(?!&) | \|(?!\|) )* )
    | (?P<string>   '(?:[^']|'')*' )
    | (?P<number>   -?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w.]) )
    | (?P<word>     \w+ )
    | (?P<other>    \S )
    """,
    re.VERBOSE,
)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORDS: Final = {"true": True, "false": False, "null": None}
_CLOSING: Final = {"(": ")", "{": "}"}
_ORDERS: Final[Mapping[str, Callable[[Json, Json], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_HINTS: Final = {
    "=": "equality is written '=='",
    '"': "strings stand in single quotes",
    "'": "this string is never closed by a single quote",
    "&": "and is written '&&'",
    "|": "or is written '||'",
    "and": "and is written '&&'",
    "or": "or is written '||'",
    "not": "not is written '!'",
}


@dataclass(frozen=True, slots=True)
class _Literal:
    value: Json

    def evaluate(self, _context: Context) -> Json:
        return self.value


@dataclass(frozen=True, slots=True)
class _Not:
    operand: _Node

    def evaluate(self, context: Context) -> Json:
        return not _is_true(self.operand.evaluate(context))


@dataclass(frozen=True, slots=True)
class _Comparison:
    sign: str
    left: _Node
    right: _Node

    def evaluate(self, context: Context) -> Json:
        left, right = _comparable(self.left.evaluate(context), self.right.evaluate(context))
        if self.sign in _ORDERS:
            return _is_ordered(left, right) and _ORDERS[self.sign](left, right)
        return _equal(left, right) == (self.sign == "==")


@dataclass(frozen=True, slots=True)
class _All:
    terms: tuple[_Node, ...]

    def evaluate(self, context: Context) -> Json:
        return all(_is_true(term.evaluate(context)) for term in self.terms)


@dataclass(frozen=True, slots=True)
class _Any:
    terms: tuple[_Node, ...]

    def evaluate(self, context: Context) -> Json:
        return any(_is_true(term.evaluate(context)) for term in self.terms)


_Node: TypeAlias = "Expression | _Literal | _Not | _Comparison | _All | _Any"


@dataclass(frozen=True, slots=True)
class Operand:
    """A runtime expression in the text of a criterion: ``text[begin:end]``."""

    begin: int
    end: int
    expression: Expression


@dataclass(frozen=True, slots=True)
class Criterion:
    """One parsed condition; ``operands`` are the runtime expressions in it, in the order of the text."""

    text: str
    condition: _Node
    operands: tuple[Operand, ...]

    def holds(self, context: Context) -> bool:
        """Whether the condition is true in ``context``; never raises."""
        return _is_true(self.condition.evaluate(context))

    def explain(self, context: Context) -> str:
        """The condition beside itself with the operands' values: ``$statusCode == 201 was 404 == 201``."""
        shown, at = "", 0
        for operand in self.operands:
            shown += self.text[at : operand.begin] + _shown(operand.expression.evaluate(context))
            at = operand.end
        return f"{self.text} was {shown}{self.text[at:]}"


def parse_criterion(text: str, *, roots: Set[str] = ROOTS) -> Criterion:
    """The criterion that ``text`` is; an ``ExpressionSyntaxError`` when it does not parse."""
    return _Parser(text, roots).criterion()


class _Parser:
    """A recursive descent over the tokens of one text; one method a level of precedence."""

    def __init__(self, text: str, roots: Set[str]) -> None:
        self._text = text
        self._roots = roots
        self._tokens = list(_TOKENS.finditer(text))
        self._next = 0
        self._depth = 0
        self._operands: list[Operand] = []

    def criterion(self) -> Criterion:
        condition = self._disjunction()
        if self._next < len(self._tokens):
            self._fail("an operator or the end was expected here")
        return Criterion(self._text, condition, tuple(self._operands))

    def _disjunction(self) -> _Node:
        terms = [self._conjunction()]
        while self._take("||"):
            terms.append(self._conjunction())
        return terms[0] if len(terms) == 1 else _Any(tuple(terms))

    def _conjunction(self) -> _Node:
        terms = [self._equality()]
        while self._take("&&"):
            terms.append(self._equality())
        return terms[0] if len(terms) == 1 else _All(tuple(terms))

    def _equality(self) -> _Node:
        return self._comparison(("==", "!="), self._order)

    def _order(self) -> _Node:
        return self._comparison(tuple(_ORDERS), self._unary)

    def _comparison(self, signs: tuple[str, ...], operand: Callable[[], _Node]) -> _Node:
        left = operand()
        sign = self._take(*signs)
        if sign is None:
            return left
        comparison = _Comparison(sign, left, operand())
        if self._take(*signs):
            self._next -= 1
            self._fail("comparisons do not chain", hint="join two comparisons with '&&' or use parentheses")
        return comparison

    def _unary(self) -> _Node:
        sign = self._take("!", *_CLOSING)
        if sign is None:
            return self._primary()
        self._depth += 1
        if self._depth > _DEEPEST:
            self._next -= 1
            self._fail(f"conditions are nested at most {_DEEPEST} deep")
        if sign == "!":
            inner: _Node = _Not(self._unary())
        else:
            inner = self._disjunction()
            if not self._take(_CLOSING[sign]):
                self._fail(f"{_CLOSING[sign]!r} was expected here")
        self._depth -= 1
        return inner

    def _primary(self) -> _Node:
        if self._next == len(self._tokens):
            self._fail("a value was expected here")
        token = self._tokens[self._next]
        written = token[0]
        if token.lastgroup == "operand":
            value: _Node = self._operand(token)
        elif token.lastgroup == "string":
            value = _Literal(written[1:-1].replace("''", "'"))
        elif token.lastgroup == "number" and len(written) <= _LONGEST_NUMBER:
            value = _Literal(_number(written))
        elif written in _WORDS:
            value = _Literal(_WORDS[written])
        else:
            self._fail("a value was expected here")
        self._next += 1
        return value

    def _operand(self, token: re.Match[str]) -> Expression:
        try:
            expression = parse_operand(token[0], roots=self._roots)
        except ExpressionSyntaxError as error:
            raise error.within(self._text, token.start()) from None
        self._operands.append(Operand(token.start(), token.end(), expression))
        return expression

    def _take(self, *signs: str) -> str | None:
        """The operator that comes next, consumed, when it is one of ``signs``."""
        if self._next < len(self._tokens):
            token = self._tokens[self._next]
            if token.lastgroup == "operator" and token[0] in signs:
                self._next += 1
                return token[0]
        return None

    def _fail(self, problem: str, *, hint: str | None = None) -> NoReturn:
        if self._next == len(self._tokens):
            raise ExpressionSyntaxError(f"{problem}, the text ends", self._text, len(self._text), hint=hint)
        token = self._tokens[self._next]
        got = token[0] if len(token[0]) <= _SHOWN_VALUE else token[0][:_SHOWN_VALUE] + "..."
        if hint is None:
            hint = _HINTS.get(token[0].lower())
        if hint is None and token.lastgroup == "word":
            hint = f"a string is written '{got}', a runtime expression begins with '$'"
        raise ExpressionSyntaxError(f"{problem}, got {got}", self._text, token.start(), hint=hint)


def _number(written: str) -> int | float:
    return float(written) if any(mark in written for mark in ".eE") else int(written)


def _is_true(value: Json) -> bool:
    return not (value is None or value is MISSING or value is False or value == "" or _is_zero(value))


def _is_zero(value: Json) -> bool:
    return isinstance(value, int | float) and value == 0


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _comparable(left: Json, right: Json) -> tuple[Json, Json]:
    """Both values in the form in which they are compared: loosened to one type where that is possible."""
    return _loosened(left, beside=right), _loosened(right, beside=left)


def _loosened(value: Json, *, beside: Json) -> Json:
    if value is MISSING:
        return None
    if not isinstance(value, str):
        return value
    if _is_number(beside) and len(value) <= _LONGEST_NUMBER and _NUMBER.fullmatch(value):
        return _number(value)
    if isinstance(beside, bool) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return value.casefold() if isinstance(beside, str) else value


def _is_ordered(left: Json, right: Json) -> bool:
    return (_is_number(left) and _is_number(right)) or (isinstance(left, str) and isinstance(right, str))


def _equal(left: Json, right: Json) -> bool:
    """Whether two JSON values are equal: true is not 1, and depth is no problem (hence no recursion)."""
    pending = [(left, right)]
    while pending:
        one, other = pending.pop()
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            if one.keys() != other.keys():
                return False
            pending.extend((member, other[name]) for name, member in one.items())
        elif _is_array(one) and _is_array(other):
            if len(one) != len(other):
                return False
            pending.extend(zip(one, other, strict=True))
        elif isinstance(one, bool) is not isinstance(other, bool) or one != other:
            return False
    return True


def _is_array(value: Json) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _shown(value: Json) -> str:
    """A value as it would be written in a criterion, shortened when it is long."""
    if value is MISSING:
        return "(missing)"
    if isinstance(value, str):
        cut = value if len(value) <= _SHOWN_VALUE else value[:_SHOWN_VALUE] + "..."
        return "'" + cut.replace("'", "''") + "'"
    text = json_text(value)
    return text if len(text) <= _SHOWN_VALUE else text[:_SHOWN_VALUE] + "..."
