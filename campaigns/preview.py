"""What a campaign would do, before it does it: a real person's text, its parts, and who cannot be texted and why."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from django.core.cache import cache
from django.db.models import Exists, OuterRef, Q, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, Trim

from campaigns.asleep import Hours, Place, hours_of, places_of_people
from campaigns.launch import merge_values
from campaigns.models import Campaign
from campaigns.shares import route_of
from consent.agreements import strong_enough
from consent.models import ConsentRecord, ConsentState, PossibleOptOut, Suppression
from consent.purpose_rules import rules_of
from consent.purposes import Purpose
from contacts.audience import Audience, members
from contacts.merge_values import MergeValues
from contacts.models import Contact
from contacts.querysets import ContactQuerySet
from messaging.content import Sensitive, text_problem, warnings_about
from messaging.first_texts import newcomers
from messaging.merge_tags import compile_template, problems
from messaging.offence import Offence, find_offence
from messaging.offered_tags import known_tags
from messaging.pipeline.route import Route
from messaging.text import TextMeasure, measure
from tenants.scope import current_tenant_id

__all__ = ["Forecast", "Preview", "forecast", "preview_text"]

_Counts = tuple[int, int, int, int, list[Place]]
_COLUMNS = frozenset({"first_name", "last_name", "email"})


@dataclass(frozen=True, slots=True)
class Preview:
    """The text for one real person."""

    text: str
    measured: TextMeasure
    contact: Contact | None
    problems: list[str]
    missing: tuple[str, ...]
    offence: Offence | None
    """The character that makes the text cost more parts."""
    has_tags: bool
    is_first: bool
    """Their first text from the tenant, which says more than those to others."""
    sensitive: Sequence[Sensitive]
    content_problem: str


@dataclass(frozen=True, slots=True)
class Forecast:
    """What would happen to the audience now."""

    audience: int
    opted_out: int
    not_agreed: int
    incomplete: int
    """People without a value for a tag of the text that has no default."""
    needed_values: tuple[str, ...]
    route: Route
    hours: Hours = field(default_factory=Hours)

    @property
    def reachable(self) -> int:
        """Who gets it, now or when they wake up."""
        left_out = self.opted_out + self.not_agreed + self.incomplete + self.hours.placeless
        return 0 if self.route.problem else max(0, self.audience - left_out)

    @property
    def awake(self) -> int:
        """Who gets it now."""
        return max(0, self.reachable - self.hours.asleep)

    @property
    def blocked(self) -> int:
        return self.audience - self.reachable


def preview_text(campaign: Campaign, audience: Audience) -> Preview:
    """The text as the first member of the audience (or any contact) would get it."""
    contact = members(audience).order_by("id").first() or Contact.objects.get_queryset().active().order_by("id").first()
    # A footer alone is no text yet.
    is_first = contact is not None and campaign.first_text != campaign.text and bool(newcomers([contact.number]))
    text = campaign.first_text if is_first else campaign.text
    template = compile_template(text if campaign.body.strip() else "")
    rendered = template.render(merge_values(MergeValues.of(campaign.tenant), campaign, contact))
    return Preview(
        text=rendered.text,
        measured=measure(rendered.text),
        contact=contact,
        problems=problems(campaign.body, known_tags()),
        missing=rendered.missing,
        offence=find_offence(campaign.body, rendered.text),
        has_tags=bool(template.names),
        is_first=is_first,
        sensitive=warnings_about(campaign.body),
        content_problem=text_problem(rendered.text),
    )


def forecast(campaign: Campaign, audience: Audience, *, remember_seconds: int = 0) -> Forecast:
    """Counts by what the gate would say.

    Over a million people they take seconds: while somebody writes, those of a few moments ago
    (``remember_seconds``) will do as long as the audience stays the same.
    """
    route = route_of(campaign)
    needed = _needed_values(campaign)
    described = (audience, campaign.purpose, needed)
    key = f"forecast:{current_tenant_id()}:{sha256(repr(described).encode()).hexdigest()}"
    counts: _Counts | None = cache.get(key) if remember_seconds else None
    if counts is None:
        counts = _count(audience, campaign.purpose, needed)
        cache.set(key, counts, remember_seconds)
    people, opted_out, not_agreed, incomplete, places = counts
    hours = hours_of(campaign.tenant, campaign.purpose, places)
    return Forecast(people, opted_out, not_agreed, incomplete, needed, route, hours)


def _count(audience: Audience, purpose: str, needed: Collection[str]) -> _Counts:
    """People in the audience, and of these opted out, not agreed, and without a needed value; where the others live."""
    people = members(audience).order_by()
    suppressed: Exists | Q = Exists(Suppression.objects.filter(number=OuterRef("number"), lifted_at=None))
    if purpose == Purpose.MARKETING:
        in_question = PossibleOptOut.objects.filter(number=OuterRef("number"), settled_at=None)
        suppressed = Q(suppressed) | Q(Exists(in_question))
    states = ConsentState.objects.filter(number=OuterRef("number"), purpose=purpose, act=ConsentRecord.Act.OPT_IN)
    agreed = Exists(strong_enough(states, purpose, rules_of(purpose).agreement))
    willing = people.exclude(suppressed).filter(agreed)
    willing, lacking = _lacking(willing, needed)
    return (
        people.count(),
        people.filter(suppressed).count(),
        people.exclude(suppressed).exclude(agreed).count(),
        willing.filter(lacking).count() if needed else 0,
        places_of_people(willing.exclude(lacking) if needed else willing),
    )


def _needed_values(campaign: Campaign) -> tuple[str, ...]:
    """The tags of the text that leave a person out who has no value for them."""
    return compile_template(campaign.text).render({"brand": campaign.tenant.brand_name}).missing


def _lacking(people: ContactQuerySet[Contact], names: Collection[str]) -> tuple[ContactQuerySet[Contact], Q]:
    """The people with those values, and what is true of those who lack at least one of them."""
    lacking = Q()
    for position, name in enumerate(names):
        # A tag's name is no lookup: "contains" and "a__b" are names like any other.
        value = name if name in _COLUMNS else KeyTextTransform(name, "fields")
        people = people.annotate(**{f"value_{position}": Trim(Coalesce(value, Value(""), output_field=TextField()))})
        lacking |= Q(**{f"value_{position}": ""})
    return people, lacking
