"""Several APIs on one set of universes: everything a server needs, without a server."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field, replace
from datetime import UTC, datetime
from pathlib import Path

from mock_server.dataclass import dataclass
from mock_server.errors import ConfigurationError, FixtureError, did_you_mean
from mock_server.exchange.authentication import Authenticator, Credential, secrets_seeded
from mock_server.exchange.committing import Committing
from mock_server.exchange.line import Line
from mock_server.exchange.tokens import TokenRules, mint_token, verifier
from mock_server.exchange.universe import Universe, Universes
from mock_server.model.annotations.credentials import credential_stores
from mock_server.model.annotations.tenants import check_agreement
from mock_server.model.clock import Clock, parse_duration
from mock_server.model.credentials import CredentialStore
from mock_server.model.model import Model
from mock_server.model.outcome import key_text
from mock_server.model.redaction import Secrets
from mock_server.model.seeding import seeded
from mock_server.model.state import State
from mock_server.openapi.compile import Api
from mock_server.openapi.values import Json
from mock_server.packs import ApiSource, SeedFile, read_seed, run_computations
from mock_server.soundness import api_of, is_known_sound, note_sound
from mock_server.webhooks.courier import Courier
from mock_server.webhooks.delivery import Delivery
from mock_server.webhooks.options import WebhookOptions
from mock_server.webhooks.queueing import Webhooks
from mock_server.webhooks.recipients import signing_secrets

EAGER_OPERATIONS = 200
"""Descriptions of up to this many operations are compiled whole at start, so that what is broken shows at once."""


MAX_BODY = 10 * 1024 * 1024
"""The longest request body that is taken unless the options say otherwise, in bytes."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a sandbox behaves. ``seed`` decides every made-up value; ``clock`` gives real time in epoch seconds.

    ``cache`` is a folder for parsed descriptions; ``max_body`` a size in bytes; ``sessions`` and ``journal`` bound how
    many universes, and exchanges in each, are kept. ``limits`` False answers any number of requests, for tools that
    send thousands; quotas hold all the same. ``webhooks`` say where events are delivered to besides subscriptions.
    """

    seed: int = 0
    clock: Callable[[], float] = time.time
    cache: Path | None = None
    max_body: int = MAX_BODY
    sessions: int = 1000
    journal: int = 1000
    limits: bool = True
    eager: bool | None = None
    webhooks: WebhookOptions = field(default_factory=WebhookOptions)


@dataclass(frozen=True, slots=True)
class Served:
    """One API of a sandbox, ready to answer. ``rules`` are those of its token schemes."""

    source: ApiSource
    line: Line
    seed: SeedFile
    credentials: tuple[Credential, ...]
    rules: Mapping[str, TokenRules]

    @property
    def name(self) -> str:
        return self.line.api.name

    @property
    def api(self) -> Api:
        return self.line.api

    @property
    def model(self) -> Model:
        return self.line.model


@contextmanager
def uncollected() -> Iterator[None]:
    """No search for garbage meanwhile: what a sandbox is made of is kept, and looking through it takes a sixth of the
    time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class Sandbox:
    """The APIs that one server stands in for, and their shared universes."""

    @uncollected()
    def __init__(self, sources: Sequence[ApiSource | Api], *, options: Options | None = None) -> None:
        self.options = options if options is not None else Options()
        self.clock = Clock(self.options.clock)
        epoch = datetime.fromtimestamp(int(self.options.clock()), UTC)
        self.apis: dict[str, Served] = {}
        for source in sources:
            served = self._serve(source, epoch)
            if served.name in self.apis:
                raise ConfigurationError("two descriptions go by one name", got=served.name,
                                         hint="rename one of the files")  # fmt: skip
            self.apis[served.name] = served
        self._sending = self._webhooks()
        self.courier = Courier(
            lambda: self._sending,  # which is asked at every write
            catch_up=lambda universe, now: self.committing.catch_up(universe, now),
            options=self.options.webhooks,
        )
        self.committing = self._committing()
        for served in self.apis.values():
            check_agreement(self.siblings(served))
        stores = {name: credential_stores(self.siblings(served)) for name, served in self.apis.items()}
        for name, served in self.apis.items():
            served.line.authenticator.keep(stores[name])
        seed_state = self._seed_state()
        self.apis = {name: with_stored(served, stores[name], seed_state) for name, served in self.apis.items()}
        self.universes = Universes(
            seed_state,
            clock=self.clock,
            seed=self.options.seed,
            tables=self._tables(),
            capacity=self.options.sessions,
            journal_capacity=self.options.journal,
            watch=self.courier.wake,
        )

    def api(self, name: str) -> Served:
        """The API of a name; a ``ConfigurationError`` when there is none."""
        found = self.apis.get(name)
        if found is None:
            raise ConfigurationError(
                f"this sandbox has no API {name!r}",
                allowed=", ".join(self.apis),
                hint=did_you_mean(name, self.apis),
            )
        return found

    def files(self) -> tuple[Path, ...]:
        """Every file that was read, for watching."""
        found: dict[Path, None] = {}
        for served in self.apis.values():
            found |= dict.fromkeys(served.api.documents.files())
            found |= dict.fromkeys(
                path for path in (served.seed.path, served.source.compute, *served.source.overlays) if path is not None
            )
        return tuple(found)

    def reload(self) -> None:
        """Reads every description again and keeps the state; raises and changes nothing when one is broken."""
        fresh = Sandbox([served.source for served in self.apis.values()], options=self.options)
        self.apis = fresh.apis
        self._sending = self._webhooks()
        self.committing = self._committing()
        self.universes.reseed(fresh.universes.default.seed_state, fresh.universes.default.tables)

    def deliver_due(self, universe: Universe | None = None) -> tuple[Delivery, ...]:
        """Delivers in this thread what is due in a universe, the default one if none is given; and how it went."""
        chosen = universe if universe is not None else self.universes.default
        self.committing.catch_up(chosen, chosen.clock.now())
        return self.courier.deliver_due(chosen)

    def close(self) -> None:
        """Ends the delivery of webhooks; what is queued stays queued."""
        self.courier.stop()

    def secrets(self, universe: Universe) -> Secrets:
        """What opens or signs something in a universe as it is now, for listings that do not show it."""
        state, targets = universe.state, (*self.courier.targets, *universe.outbox.targets)
        found = [target.secret for target in targets if target.secret is not None]
        for served in self.apis.values():
            found += secrets_seeded(served.credentials)
            for store in served.line.authenticator.stores.values():
                found += store.secrets(state)
            if served.model.webhooks.subscriptions is not None:
                found += signing_secrets(served.model.webhooks.subscriptions, state)
        return Secrets.of(found)

    def siblings(self, served: Served) -> list[Model]:
        """The models that share an API's namespace, its own first."""
        others = [
            other.model
            for other in self.apis.values()
            if other is not served and other.model.namespace == served.model.namespace
        ]
        return [served.model, *others]

    def _committing(self) -> Committing:
        """What every API commits through, so that a rule of one holds for writes through any of them."""
        committing = Committing(served.model for served in self.apis.values())
        committing.listen(self.courier.queue)
        for served in self.apis.values():
            served.line.committing = committing
        if self.options.eager is not False:
            committing.compile()
        return committing

    def _serve(self, source: ApiSource | Api, epoch: datetime) -> Served:
        cache = self.options.cache
        if isinstance(source, Api):  # nobody knows from which files, so nothing is kept of it
            api, source, cache = source, ApiSource(source.name, Path(source.documents.root)), None
        else:
            if source.compute is not None:
                run_computations(source.compute)
            api = api_of(source, cache=cache)
        model = Model(api, seed=self.options.seed, epoch=epoch)
        seed = read_seed(source.seed, cache=cache) if source.seed is not None else SeedFile(None)
        rules = {rule.scheme: rule for rule in _token_rules(api, seed)}
        credentials = tuple(_credentials(api, seed, rules, self.clock.now()))
        authenticator = Authenticator(credentials, verifiers={name: verifier(rule) for name, rule in rules.items()})
        line = Line(model, authenticator=authenticator, max_body=self.options.max_body,
                    limits=self.options.limits)  # fmt: skip
        self._compile(source, line, cache=cache)
        return Served(source, line, seed, credentials, rules)

    def _compile(self, source: ApiSource, line: Line, *, cache: Path | None) -> None:
        """Compiles what is to be compiled at once: a small description, unless it was found sound before."""
        eager = self.options.eager
        if eager is False or (eager is None and len(line.api.refs) > EAGER_OPERATIONS):
            return
        if eager is None and is_known_sound(source, cache=cache):
            return
        line.compile()
        note_sound(source, line.api, cache=cache)

    def _webhooks(self) -> dict[str, Webhooks]:
        """What each API sends."""
        return {name: served.line.webhooks for name, served in self.apis.items()}

    def _seed_state(self) -> State:
        state = State()
        done: set[Path] = set()
        for served in self.apis.values():
            path = served.seed.path
            if path is None or path in done:
                continue
            done.add(path)
            state = seeded(state, self.siblings(served), served.seed.resources, served.seed.place)
        return self.committing.settle(state, self.clock.now()) if done else state

    def _tables(self) -> dict[str, Json]:
        tables: dict[str, Json] = {}
        for served in self.apis.values():
            tables |= served.seed.tables
        return tables


def with_stored(served: Served, stores: Mapping[str, CredentialStore], state: State) -> Served:
    """The API with what its seeded credentials that are items of the state say; a ``FixtureError`` for one that is
    none."""
    if not any(credential.item is not None for credential in served.credentials):
        return served
    return replace(served, credentials=tuple(_stored(each, served, stores, state) for each in served.credentials))


def _stored(credential: Credential, served: Served, stores: Mapping[str, CredentialStore], state: State) -> Credential:
    if credential.item is None:
        return credential
    names = [entry.get("name") if "item" in entry else None for entry in served.seed.credentials]
    pointer = f"/credentials/{names.index(credential.name)}/item"
    store = stores.get(credential.scheme)
    if store is None:
        raise FixtureError(
            f"no items are credentials of {credential.scheme}",
            place=served.seed.place(pointer),
            got=credential.item,
            hint="that takes an x-mock-credentials annotation on the scheme",
        )
    found = store.items(state, credential.item)
    value = store.wire_value(found[0][1].value) if len(found) == 1 else None
    if value is None:
        raise FixtureError(
            f"a credential is one item of {store.resource.name} with a value at {'/'.join(('', *store.value))}",
            place=served.seed.place(pointer),
            got=credential.item,
            allowed=", ".join(store.keys(state)) or "nothing is seeded there",
            hint=did_you_mean(credential.item, store.keys(state)),
        )
    partition, entry = found[0]
    principal = store.principal(partition, entry)
    return replace(
        credential,
        value=value,
        scopes=tuple(sorted(principal.scopes)) if principal.scopes is not None else None,
        tenant=principal.tenant,
        plan=principal.plan,
        expires=store.expiry(entry.value),
    )


def _token_rules(api: Api, seed: SeedFile) -> Iterator[TokenRules]:
    for scheme in api.security_schemes.values():
        wanted = scheme.extensions.get("x-mock-jwt")
        key = seed.keys.get(scheme.name)
        if wanted is None or key is None:
            continue
        private = str(key.get("private") or key.get("secret") or "")
        yield TokenRules(
            scheme=scheme.name,
            algorithms=tuple(wanted["algorithms"]),
            issuer=wanted.get("issuer"),
            audience=wanted.get("audience"),
            scope_claim=wanted.get("scopeClaim", "scope"),
            required=tuple(wanted.get("required") or ()),
            signing_key=private,
            verifying_key=str(key.get("public") or key.get("secret") or ""),
            key_id=str(key.get("id", scheme.name)),
            tenant_claim=wanted.get("tenantClaim", "tenant"),
            plan_claim=wanted.get("planClaim", "plan"),
        )


def _credentials(api: Api, seed: SeedFile, rules: Mapping[str, TokenRules], now: datetime) -> Iterator[Credential]:
    for index, entry in enumerate(seed.credentials):
        place = f"/credentials/{index}"
        if entry.get("api", api.name) != api.name:
            continue
        scheme = str(entry.get("scheme"))
        if scheme not in api.security_schemes:
            if "api" not in entry:
                continue  # meant for another API of the same fixtures
            raise FixtureError(
                "a credential names a security scheme that is not described", place=seed.place(place + "/scheme"),
                got=scheme, allowed=", ".join(api.security_schemes), hint=did_you_mean(scheme, api.security_schemes),
            )  # fmt: skip
        value = "" if "item" in entry else entry.get("value")
        if value is None and "token" in entry and scheme in rules:
            value = _minted(entry["token"], rules[scheme], seed, now)
        if not isinstance(value, str) or not isinstance(entry.get("name"), str):
            raise FixtureError("a credential has a name and a value", place=seed.place(place), got=dict(entry),
                               allowed="name, scheme, and value, token or item")  # fmt: skip
        scopes = entry.get("scopes", (entry.get("token") or {}).get("scopes"))
        yield Credential(
            name=entry["name"],
            scheme=scheme,
            value=value,
            description=str(entry.get("description", "")),
            scopes=tuple(scopes) if scopes is not None else None,
            tenant=entry.get("tenant"),
            plan=entry.get("plan"),
            expires=_instant(entry.get("expires")),
            verified="token" in entry,
            item=key_text(entry["item"]) if "item" in entry else None,
        )


def _instant(value: Json) -> datetime | None:
    return datetime.fromisoformat(value).astimezone(UTC) if isinstance(value, str) else None


def _minted(token: Mapping[str, Json], rules: TokenRules, seed: SeedFile, now: datetime) -> str:
    signer = rules
    if "key" in token:
        other = seed.keys[token["key"]]
        private, key_id = str(other.get("private") or other.get("secret")), str(other.get("id", token["key"]))
        signer = replace(rules, signing_key=private, verifying_key="", key_id=key_id)
    return mint_token(
        signer,
        subject=str(token.get("subject", "user")),
        scopes=[str(scope) for scope in token.get("scopes") or ()],
        now=now,
        lifetime=parse_duration(str(token.get("lifetime", "P30D"))),
        claims=token.get("claims"),
    )
