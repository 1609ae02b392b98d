"""Realistic values by what a property is called."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mock_server.sampling.scene import Scene

Maker: TypeAlias = "Callable[[Scene], str]"
NumberMaker: TypeAlias = "Callable[[Scene], float]"

_PEOPLE = (
    r"(user|person|people|member|contact|customer|client|author|owner|employee"
    r"|agent|lead|patient|student|assignee)"
)
_GOODS = r"(product|item|plan|sku|service|catalog|merchandise|goods|offer)"
_ORGANISATIONS = r"(compan(y|ies)|organi[sz]ations?|vendor|supplier|merchant|brand|employer|business|account|tenant)"


def snake(name: str) -> str:
    """A property name as lower-case words joined by underscores: ``createdAt`` becomes ``created_at``."""
    spaced = re.sub(r"([a-z0-9])([A-Z])|([A-Z]+)([A-Z][a-z])", r"\1\3_\2\4", name)
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def email(scene: Scene) -> str:
    """The e-mail address of the person this object is about."""
    return f"{scene.own('first_name')}.{scene.own('last_name')}@example.com".lower()


def full_name(scene: Scene) -> str:
    """The name of the person this object is about."""
    return f"{scene.own('first_name')} {scene.own('last_name')}"


def sentence(scene: Scene) -> str:
    """A short sentence in plain English."""
    return f"{scene.drawn('catch_phrase').capitalize()} to {scene.drawn('bs')}."


def title(scene: Scene) -> str:
    """Two or three words, as a heading."""
    return scene.drawn("catch_phrase")


def slug(scene: Scene) -> str:
    """A few lower-case words joined by hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", scene.drawn("catch_phrase").lower()).strip("-")


def web_address(scene: Scene) -> str:
    """An https address on a reserved domain (RFC 2606)."""
    return f"https://www.example.com/{slug(scene)}"


def picture(scene: Scene) -> str:
    """The https address of an image."""
    return f"https://images.example.com/{slug(scene)}.png"


def phone(scene: Scene) -> str:
    """A phone number in E.164 form, from the range reserved for fiction (555-0100 to 555-0199)."""
    return f"+1{200 + scene.identity % 799}55501{scene.identity // 799 % 100:02}"


def username(scene: Scene) -> str:
    """A login name made from the person's name."""
    return f"{scene.own('first_name')[0]}{scene.own('last_name')}{scene.identity % 90 + 10}".lower()


def hexadecimal(scene: Scene) -> str:
    """32 hexadecimal digits."""
    return f"{scene.rng.getrandbits(128):032x}"


def identifier(scene: Scene) -> str:
    """A random version 4 UUID (RFC 9562 §5.4)."""
    return str(UUID(int=scene.rng.getrandbits(128), version=4))


def timestamp(moment: datetime) -> str:
    """A moment as RFC 3339 writes it, in UTC and whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_for(scene: Scene) -> datetime:
    """The moment that a property of this name means: creation unless it speaks of another."""
    words = snake(scene.name)
    if re.search(r"birth|dob", words):
        return scene.now.replace(day=min(scene.now.day, 28)) - timedelta(days=7_000 + scene.identity % 14_000)
    if re.search(r"expir|due|until|end|next|schedul|renew|valid_to|deadline", words):
        return scene.expires()
    if re.search(r"updat|modif|chang|last|edit|complet|finish|closed|deliver|sent", words):
        return scene.updated()
    return scene.created()


def country(scene: Scene) -> str:
    """The name of the country that the cities, states and post codes here belong to."""
    return "United States"


def _version(scene: Scene) -> str:
    return f"{scene.identity % 4 + 1}.{scene.identity % 10}.{scene.identity % 7}"


def _from(provider: str) -> Maker:
    return lambda scene: scene.own(provider)


def _one_of(*values: str) -> Maker:
    return lambda scene: scene.rng.choice(values)


# Each row: what the property is called, what the object around it is called (when that matters), the maker.
# The first row that matches counts, so the special comes before the general.
_TEXTS: tuple[tuple[str, str | None, Maker], ...] = tuple(
    (name, parent, maker)
    for name, parent, maker in (
        (r"(^|_)e?mail(_address)?$|^e_mail", None, email),
        (r"(^|_)(first|given|fore)_?name$", None, _from("first_name")),
        (r"(^|_)(last|family|sur)_?name$", None, _from("last_name")),
        (r"(^|_)(user_?name|login|handle|nick_?name|screen_name)$", None, username),
        (r"(^|_)(full_?name|display_name|real_name|card_?holder|recipient)$", None, full_name),
        (
            r"(^|_)(company|organi[sz]ation|employer|business|vendor|merchant|brand)(_name)?$",
            None,
            _from("company"),
        ),
        (r"(^|_)(file_?name|file)$", None, _from("file_name")),
        (
            r"(^|_)host_?name$|(^|_)(host|domain)$",
            None,
            lambda scene: f"{slug(scene)[:40].strip('-')}.example.com",
        ),
        (r"(^|_)country_?(code|iso)$", None, _one_of("US")),
        (r"(^|_)country(_name)?$", None, country),
        (r"(^|_)currency(_code)?$", None, _one_of("USD", "EUR", "GBP")),
        (r"(^|_)(city|town|locality)(_name)?$", None, _from("city")),
        (r"(^|_)(state|province|region)_code$", None, _from("state_abbr")),
        (
            r"(^|_)(province|region|county)(_name)?$|^state$",
            r"address|location|place|shipping|billing",
            _from("state"),
        ),
        (r"(^|_)(zip|postal|post)_?(code)?$", None, _from("postcode")),
        (
            r"(^|_)(street|address_?line_?1?|line1|address_?1)(_address|_name)?$",
            None,
            _from("street_address"),
        ),
        (r"(^|_)(address_?line_?2|line2|address_?2)$", None, _from("secondary_address")),
        (r"(^|_)address$", None, lambda scene: f"{scene.own('street_address')}, {scene.own('city')}"),
        (r"(^|_)(phone|mobile|cell|telephone|fax|tel)(_?(number|no))?$", None, phone),
        (r"(^|_)(avatar|image|photo|picture|thumbnail|logo|icon)(_?(url|uri|link|src))?$", None, picture),
        (
            r"(^|_)(url|uri|website|link|href|homepage|web_?site|callback|webhook|endpoint)$",
            None,
            web_address,
        ),
        (r"(^|_)(ip|ip_?address|ipv4|remote_addr)$", None, _from("ipv4_public")),
        (r"(^|_)ipv6$", None, _from("ipv6")),
        (r"(^|_)mac(_?address)?$", None, _from("mac_address")),
        (r"(^|_)user_?agent$", None, _from("user_agent")),
        (
            r"(^|_)(mime_?type|content_?type|media_?type)$",
            None,
            _one_of("application/json", "image/png", "text/plain"),
        ),
        (r"(^|_)(locale)$", None, _one_of("en_US", "en_GB", "de_DE", "fr_FR")),
        (r"(^|_)(lang|language)(_?code)?$", None, _one_of("en", "de", "fr", "es")),
        (r"(^|_)(time_?zone|tz)$", None, _from("timezone")),
        (r"(^|_)(colou?r)(_?hex)?$", None, _from("hex_color")),
        (r"(^|_)version$", None, _version),
        (r"(^|_)(slug|permalink)$", None, slug),
        (r"(^|_)(uuid|guid)$", None, identifier),
        (
            r"(^|_)(token|secret|hash|digest|checksum|signature|api_?key|sha\d*|md5|etag|nonce|fingerprint)$",
            None,
            hexadecimal,
        ),
        (r"(^|_)(cursor|continuation)$", None, lambda scene: hexadecimal(scene)[:16]),
        (r"(^|_)(iban)$", None, _from("iban")),
        (r"(^|_)(bic|swift)(_code)?$", None, _from("swift")),
        (r"(^|_)(job|job_?title|occupation|profession|position)$", None, _from("job")),
        (r"(^|_)(license_?plate)$", None, _from("license_plate")),
        (r"(^|_)(isbn)$", None, _from("isbn13")),
        (
            r"(^|_)(sku|barcode|ean|upc|reference|ref|code|number)$",
            None,
            lambda scene: hexadecimal(scene)[:8].upper(),
        ),
        (
            r"(_at|_on|_time|_timestamp|_date(time)?)$|^(timestamp|created|updated|modified)$",
            None,
            lambda scene: timestamp(moment_for(scene)),
        ),
        (r"(^|_)date$", None, lambda scene: moment_for(scene).strftime("%Y-%m-%d")),
        (
            r"(^|_)(amount|price|total|balance|cost)$",
            None,
            lambda scene: f"{scene.rng.randint(500, 50_000) / 100:.2f}",
        ),
        (
            r"(^|_)(descriptions?|notes?|summary|comments?|bio|about|message|details?|reason|body|content|text)$",
            None,
            sentence,
        ),
        (r"(^|_)(title|headline|subject|label|heading|caption)$", None, title),
        (r"(^|_)(city|region|place)_name$", None, _from("city")),
        (r"(^|_)name$", _PEOPLE, full_name),
        (r"(^|_)name$", _ORGANISATIONS, _from("company")),
        (r"(^|_)(product|item|plan)_name$", None, title),
        (r"(^|_)name$", _GOODS, title),
        (r"_name$", None, title),
        (r"^name$", None, title),
        (r"(^|_)id$", None, identifier),
        (r"(^|_)" + _PEOPLE + "$", None, full_name),
    )
)

_NUMBERS: tuple[tuple[str, NumberMaker], ...] = (
    (r"(^|_)(lat|latitude)$", lambda scene: round(scene.rng.uniform(25, 60), 6)),
    (r"(^|_)(lng|lon|long|longitude)$", lambda scene: round(scene.rng.uniform(-120, 25), 6)),
    (r"(^|_)(percent(age)?)$", lambda scene: scene.rng.randint(1, 100)),
    (r"(^|_)(rate|ratio|probability|confidence|fraction|share)$",
     lambda scene: round(scene.rng.uniform(0.05, 0.95), 2)),
    (r"(^|_)(score|rating|stars)$", lambda scene: scene.rng.randint(1, 5)),
    (r"(_cents|_minor)$", lambda scene: scene.rng.randint(500, 50_000)),
    (r"(^|_)(price|amount|cost|fee|balance|total_price|subtotal|tax|discount|salary|revenue|budget|value)(_|$)",
     lambda scene: scene.rng.randint(500, 50_000) / 100),
    (r"(^|_)page(_?(number|no|index))?$", lambda scene: 1),
    (r"(^|_)(limit|per_page|page_?size)$", lambda scene: 20),
    (r"(^|_)offset$", lambda scene: 0),
    (r"(^|_)age$", lambda scene: scene.rng.randint(18, 80)),
    (r"(^|_)year$", lambda scene: scene.created().year),
    (r"(^|_)month$", lambda scene: scene.created().month),
    (r"(^|_)day$", lambda scene: scene.created().day),
    (r"(^|_)port$", lambda scene: 443),
    (r"(^|_)(status|status_?code)$", lambda scene: 200),
    (r"(_ms|_millis(econds)?)$", lambda scene: scene.rng.randint(5, 900)),
    (r"(^|_)(quantity|qty|count|total|num|number|position|index|rank|priority|order|level|retries|attempts)(_|$)|_count$",
     lambda scene: scene.rng.randint(1, 9)),
    (r"(_at|_on|_time|timestamp)$|^(created|updated|modified|expires)$",
     lambda scene: int(moment_for(scene).timestamp())),
    (r"(^|_)(width|height|size|length|bytes|duration|seconds|minutes|weight)$",
     lambda scene: scene.rng.randint(10, 1_000)),
    (r"(^|_)id$", lambda scene: scene.rng.randint(1, 9_999)),
)  # fmt: skip

# What to take for a name that has an abbreviation where the full value is too long.
_ABBREVIATIONS: dict[Maker, tuple[str, ...]] = {country: ("US", "USA")}

_OFTEN_FALSE = re.compile(
    r"delet|archiv|block|ban|disab|fail|error|expired|cancel|hidden|locked|spam|draft|has_(more|next)"
)


@lru_cache(maxsize=4096)
def text_maker(name: str, parent: str) -> Maker | None:
    """The maker of realistic strings for a property of this name in an object of that name, or None."""
    words, around = snake(name), snake(parent)
    for pattern, wanted_parent, maker in _TEXTS:
        if re.search(pattern, words) and (wanted_parent is None or re.search(wanted_parent, around)):
            return maker
    return None


def abbreviations(maker: Maker) -> tuple[str, ...]:
    """The abbreviated forms of what ``maker`` makes, if there are any."""
    return _ABBREVIATIONS.get(maker, ())


@lru_cache(maxsize=4096)
def number_maker(name: str) -> NumberMaker | None:
    """The maker of realistic numbers for a property of this name, or None."""
    words = snake(name)
    return next((maker for pattern, maker in _NUMBERS if re.search(pattern, words)), None)


@lru_cache(maxsize=4096)
def likely_flag(name: str) -> bool:
    """The boolean that an ordinary, healthy object has under this name."""
    return _OFTEN_FALSE.search(snake(name)) is None
