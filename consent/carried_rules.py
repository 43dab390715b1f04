"""The rules about hours that the project carries, as rows of the database."""

import json
from pathlib import Path
from typing import Any, Final

__all__ = ["store_carried_rules"]

DATA: Final = Path(__file__).with_name("data") / "quiet_hours.json"


def store_carried_rules(calendar_model: Any, rule_model: Any) -> int:
    """Write the rules that the database does not have, and touch none that it has: admins may have changed them.

    The models come as arguments, because a migration has its own.
    """
    document = json.loads(DATA.read_text(encoding="utf-8"))
    kept = document["holiday_calendars"]
    first, last = kept["years"]
    calendars = {
        name: calendar_model.objects.get_or_create(
            name=name, defaults={"days": days, "first_year": first, "last_year": last, "source": kept["source"]}
        )[0]
        for name, days in kept["calendars"].items()
    }
    known = set(rule_model.objects.values_list("jurisdiction", flat=True))
    rules = [
        rule_model(
            jurisdiction=code,
            name=row["name"],
            law=row["law"],
            clock=row["clock"],
            week=row["week"],
            calendar=calendars.get(row["holidays"]),
            certainty=row["certainty"],
            sources="\n".join(row["sources"]),
            notes="\n".join(filter(None, [row["notes"], row["disagreement"]])),
            effective_from=row["effective_from"],
            effective_until=row["effective_until"],
        )
        for code, row in document["jurisdictions"].items()
        if code not in known
    ]
    return len(rule_model.objects.bulk_create(rules))
