"""The panel "Network weather" of the virtual phones' page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.conf import settings

from messaging.phone_forms import WeatherForm
from messaging.providers.simulator.behaviour import BEHAVIOURS
from messaging.providers.simulator.remote import NetworkProblem, post

__all__ = ["WeatherPanel", "change_weather", "weather_panel"]

_DISTURBANCES: Final = {
    "busy": "refused as busy (429)",
    "fails_before": "error (500), not taken",
    "fails_after": "taken, answered with an error (500)",
    "reset_after": "taken, connection closed without an answer",
    "late": "taken, answered too late",
    "receipts_lost": "receipts lost",
    "receipts_doubled": "receipts twice",
    "receipts_reversed": "receipts in the wrong order",
    "receipts_early": "receipts before the answer",
}


@dataclass(frozen=True, slots=True)
class WeatherPanel:
    """``form`` is None while the network does not answer; ``problem`` says so."""

    form: WeatherForm | None
    problem: str = ""
    in_short: str = ""
    disturbed: list[tuple[str, int]] = field(default_factory=list)
    special: list[tuple[str, str]] = field(default_factory=list)


def weather_panel(form: WeatherForm | None = None) -> WeatherPanel:
    """What the page shows: the weather as it is, or a form with what was typed and its errors."""
    special = [(digits, behaviour.summary) for digits, behaviour in BEHAVIOURS.items()]
    try:
        told = _tell({})
    except NetworkProblem as problem:
        return WeatherPanel(form, problem=str(problem), special=special)
    return WeatherPanel(
        form or WeatherForm.showing(told),
        in_short=_in_short(told),
        disturbed=[(_DISTURBANCES.get(name, name), count) for name, count in told["disturbed"].items() if count],
        special=special,
    )


def change_weather(form: WeatherForm) -> bool:
    """Whether the network took what was typed; if not, the form has the errors."""
    if not form.is_valid():
        return False
    try:
        _tell(form.wanted())
    except NetworkProblem as problem:
        form.add_error(None, str(problem))
        return False
    return True


def _tell(wanted: Mapping[str, object]) -> Any:
    return post(settings.SIMULATOR_URL, "/weather", settings.SIMULATOR_SECRET, wanted)


def _in_short(told: Mapping[str, Any]) -> str:
    if told["outage"]:
        return "Outage"
    return f"{told['rate'] * 100:.6g} % of texts disturbed" if told["rate"] else "Calm"
