"""What an operation means: the resource it works on and what it does to it, each decision with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta

from mock_server.dataclass import dataclass
from mock_server.model.anatomy import EMPTY, Anatomy
from mock_server.model.intake import Intake
from mock_server.model.sentences import Sentence
from mock_server.model.serials import Serial
from mock_server.openapi.criteria import Criterion
from mock_server.openapi.description import Response
from mock_server.openapi.expressions import ValueTemplate
from mock_server.openapi.schemas import Schema
from mock_server.openapi.values import Json

OWN_KEY = "$key"
"""The member under which a seeded item of a resource without a key property names its key."""

PLACED_IN = "$in"
"""The member in which an item created through a view remembers the view's path parameters; it is never
shown."""

UNSHOWN = frozenset({OWN_KEY, PLACED_IN})


@dataclass(frozen=True, slots=True)
class Reason:
    """One guess or setting: what it is about, what was decided, and why."""

    about: str
    decision: str
    why: str


@dataclass(frozen=True, slots=True)
class Parent:
    """A path parameter that names the parent of a nested resource.

    ``resource`` is the parent's name when the parent is itself a resource whose existence can be checked, and
    ``property`` the item's property that repeats the parent's key, if it has one.
    """

    parameter: str
    resource: str | None
    property: str | None


@dataclass(frozen=True, slots=True)
class Transition:
    """A move between states: from one of ``sources`` (any when empty) to ``target``, if ``guard`` holds.

    It happens by itself ``after`` an item has been in its source state for so long, or at the moment that ``at``
    names. ``set`` is what the move writes besides the state, by path.
    """

    name: str
    sources: tuple[str, ...]
    target: str
    guard: Criterion | None
    refusal: str
    after: timedelta | None = None
    at: ValueTemplate | None = None
    set: Mapping[tuple[str, ...], ValueTemplate] = field(default_factory=dict)

    @property
    def timed(self) -> bool:
        """Whether it happens by itself."""
        return self.after is not None or self.at is not None

    def leaves(self, state: Json) -> bool:
        """Whether it starts from a state; one that names no sources starts from any but its own target."""
        return state in self.sources if self.sources else state is not None and state != self.target


@dataclass(frozen=True, slots=True)
class States:
    """The property that holds a resource's state, the state it starts in, and the moves it allows.

    ``transitions`` empty means every value the schema admits may follow every other.
    """

    property: str
    initial: str | None
    transitions: Mapping[str, Transition]


@dataclass(frozen=True, slots=True)
class SoftDelete:
    """What a delete sets instead of removing. ``hidden`` says whether lists and reads then pass the item
    over."""

    set: Mapping[str, ValueTemplate]
    hidden: bool


@dataclass(frozen=True, slots=True)
class Reference:
    """A property that holds another resource's key. ``on_delete``: restrict, cascade, nullify or ignore."""

    property: str
    resource: str
    required: bool
    on_delete: str


@dataclass(frozen=True, slots=True)
class EventRule:
    """An event that writing an item emits. ``on``: created, updated or deleted."""

    type: str
    on: str
    when: Criterion | None
    payload: ValueTemplate


@dataclass(frozen=True, slots=True)
class Quota:
    """How many items a collection may have: by the caller's plan, else ``limit``; None is any number.

    ``where`` says which items count.
    """

    limit: int | None
    plans: Mapping[str, int | None]
    where: Criterion | None
    status: int | None
    code: str | None
    detail: Sentence | None


@dataclass(frozen=True, slots=True)
class Tenancy:
    """Whose an item is. Each tenant has collections of its own: the tenant is the first part of their scope.

    ``value`` gives the tenant of a call, ``property`` is the item's member that repeats it. ``is_callers`` says that
    ``value`` is the principal's own tenant, so that there is nothing to evaluate.
    """

    value: ValueTemplate
    property: str | None
    is_callers: bool


@dataclass(frozen=True, slots=True)
class Entrance:
    """A path parameter that names a tenant, who alone may go that way; ``tenancy`` knows the tenant of a call."""

    parameter: str
    tenancy: Tenancy


@dataclass(frozen=True, slots=True)
class Effect:
    """What writing an item changes elsewhere.

    ``on``: created, updated, deleted. ``action``: update, create, remove (``target`` is a resource) or compute
    (``target`` is the name of a registered effect). ``key`` or ``where`` choose the items of the target, ``scope``
    its parents' keys where they do not follow from the item's own. ``source`` is the annotation as it was written,
    ``pointer`` its place.
    """

    on: frozenset[str]
    when: Criterion | None
    action: str
    target: str
    key: ValueTemplate | None
    where: Mapping[tuple[str, ...], ValueTemplate]
    scope: tuple[ValueTemplate, ...] | None
    set: Mapping[tuple[str, ...], ValueTemplate]
    increase: Mapping[tuple[str, ...], ValueTemplate]
    source: Json = field(repr=False)
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of thing an API keeps.

    ``qualified`` is the name in the state (``namespace/name``). ``key`` is the property that identifies an
    item (None when the representation does not carry its key). ``open_world`` means that no operation creates
    items, so that any key is taken to exist and is sampled. ``singleton`` means one item per scope, with no
    key. ``assigned`` are the properties a server sets, with the rule for each (``imposed`` those that an
    annotation says so of); ``hidden`` the ones that never leave; ``fresh`` those that no two items may share, so that
    none is made up twice. ``stored_whole`` means that ``schema`` is
    the schema of the stored item itself, not of a message around it; ``item`` is that part of ``schema``
    which describes the item, self-contained (None: all of it). ``tenancy`` is None for what all tenants share;
    ``tenant_at`` is where in the scope of a partition its tenant is, None where nothing there names one.
    """

    name: str
    qualified: str
    collection_path: str | None
    item_path: str | None
    key: str | None
    key_parameter: str | None
    parents: tuple[Parent, ...]
    schema: Schema | None
    anatomy: Anatomy = field(repr=False, default=EMPTY)
    item: Json = field(repr=False, default=None)
    singleton: bool = False
    open_world: bool = False
    assigned: Mapping[str, str] = field(default_factory=dict)
    imposed: frozenset[str] = frozenset()
    values: Mapping[str, ValueTemplate] = field(default_factory=dict)
    defaults: Mapping[str, ValueTemplate] = field(default_factory=dict)
    unique: tuple[tuple[str, ...], ...] = ()
    states: States | None = None
    soft_delete: SoftDelete | None = None
    references: tuple[Reference, ...] = ()
    events: tuple[EventRule, ...] = ()
    effects: tuple[Effect, ...] = ()
    serials: tuple[Serial, ...] = ()
    quota: Quota | None = None
    hidden: frozenset[str] = frozenset()
    fresh: frozenset[str] = frozenset()
    key_schema: Mapping[str, Json] | None = None
    stored_whole: bool = False
    tenancy: Tenancy | None = None
    tenant_at: int | None = None
    intake: Intake | None = None
    reasons: tuple[Reason, ...] = field(repr=False, default=())


@dataclass(frozen=True, slots=True)
class Envelope:
    """Where in a body the item, or the list of items, is. ``path`` () means the body itself.

    ``fields`` maps the path of another field of a list envelope to its role: total, count, has_more,
    next_cursor, previous_cursor, limit, offset, page, pages, next_url, previous_url, first_url, last_url,
    true.
    """

    path: tuple[str, ...] = ()
    fields: Mapping[tuple[str, ...], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Filter:
    """A query parameter that narrows a list: ``property`` (a path of names) compared by ``operator``.

    Operators: eq, in, ne, gt, gte, lt, lte, contains; conditions for a parameter that holds several of them.
    """

    parameter: str
    property: tuple[str, ...]
    operator: str


@dataclass(frozen=True, slots=True)
class Listing:
    """How a list operation reads its query parameters. ``style``: none, offset, page or cursor.

    ``sortable`` gives the property (a path of names) for each name to sort by, spelled as one lower-case
    word; empty when nothing is known of the items, so that any name is taken as it is. ``sort_else`` are parameters
    that sort where ``sort`` was not sent.
    """

    style: str = "none"
    limit: str | None = None
    offset: str | None = None
    page: str | None = None
    after: str | None = None
    before: str | None = None
    sort: str | None = None
    sort_else: tuple[str, ...] = ()
    order: str | None = None
    search: str | None = None
    search_in: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    sortable: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    default_limit: int | None = None
    first_page: int = 1
    default_sort: str | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition an operation needs, and the problem it answers otherwise."""

    criterion: Criterion
    kind: str
    detail: str
    status: int | None
    code: str | None


@dataclass(frozen=True, slots=True)
class Absence:
    """The problem that an operation answers when a related item is not there."""

    kind: str
    detail: str
    status: int | None
    code: str | None


@dataclass(frozen=True, slots=True)
class Related:
    """Items an operation looks at beside its own, under a name that its expressions begin with.

    ``key`` names one item; without it, all that hold the members ``where`` (by path), or their number if ``count``.
    ``scope`` gives the keys of a nested resource's parents. ``missing`` None means that the item may be absent.
    """

    name: str
    resource: str
    key: ValueTemplate | None
    scope: tuple[ValueTemplate, ...] = ()
    where: Mapping[tuple[str, ...], ValueTemplate] = field(default_factory=dict)
    count: bool = False
    missing: Absence | None = None


@dataclass(frozen=True, slots=True)
class TestEvent:
    """The event that a test delivery brings to a subscription."""

    type: ValueTemplate
    payload: ValueTemplate


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one operation does.

    ``behaviour`` names a registered behaviour (``model/behaviours``). ``request_path`` is where in a request
    body the resource is written (() for the body itself). ``body`` is a template for the response body
    instead of the resource; ``set`` what an action sets, ``increase`` what it adds to; ``stores`` what a new item
    gets beside what was sent; ``adds`` what the answer's body gets; all three by path. ``related`` are the other
    items these may refer to. ``compute`` is the name of a registered computed answer, ``event`` what a
    test delivery brings. ``renews`` are the members that an action makes anew. ``tenancy`` gives the tenant of a
    call instead of the resource's; with ``among_all`` it is whoever has what the path names.
    """

    operation_id: str
    behaviour: str
    resource: Resource | None
    status: int
    response: Response | None
    scope: tuple[str, ...] = ()
    key_parameter: str | None = None
    request_path: tuple[str, ...] = ()
    envelope: Envelope = field(default_factory=Envelope)
    listing: Listing = field(default_factory=Listing)
    transition: str | None = None
    set: Mapping[tuple[str, ...], ValueTemplate] = field(default_factory=dict)
    increase: Mapping[tuple[str, ...], ValueTemplate] = field(default_factory=dict)
    stores: Mapping[tuple[str, ...], ValueTemplate] = field(default_factory=dict)
    adds: Mapping[tuple[str, ...], ValueTemplate] = field(default_factory=dict)
    related: tuple[Related, ...] = ()
    body: ValueTemplate | None = None
    compute: str | None = None
    guards: tuple[Guard, ...] = ()
    entrance: Entrance | None = None
    tenancy: Tenancy | None = None
    among_all: bool = False
    renews: tuple[str, ...] = ()
    event: TestEvent | None = None
    inferred: bool = True
    reasons: tuple[Reason, ...] = field(repr=False, default=())
