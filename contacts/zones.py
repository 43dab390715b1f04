"""Which time zone a contact lives in, and how that is known."""

from dataclasses import dataclass

from django.db import models

from common.number_zones import likely_zone

__all__ = ["KnownZone", "ZoneSource", "zone_of"]


class ZoneSource(models.TextChoices):
    """How a zone is known. Only the first two are stored with a contact; the others are found when they are needed."""

    STAFF = "staff", "chosen by your team"
    IMPORT = "import", "from an imported file"
    NUMBER = "number", "likely, going by the number"
    BUSINESS = "business", "the zone of your business, because theirs is not known"


@dataclass(frozen=True, slots=True)
class KnownZone:
    """An IANA zone; ``source`` is a ``ZoneSource``, or empty for a zone of which that was not noted."""

    name: str
    source: str

    @property
    def why(self) -> str:
        """How it is known, in words."""
        return str(ZoneSource(self.source).label) if self.source else ""


def zone_of(*, number: str, noted: str, source: str, business: str) -> KnownZone:
    """The zone noted for a contact, else the one their number points to, else that of the business."""
    if noted:
        return KnownZone(noted, source)
    if likely := likely_zone(number):
        return KnownZone(likely, ZoneSource.NUMBER)
    return KnownZone(business, ZoneSource.BUSINESS)
