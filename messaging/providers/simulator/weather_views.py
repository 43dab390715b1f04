"""Seeing and changing the weather, and the outage that every request meets."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from messaging.providers.simulator.signed_http import SignedHttp, hang_up
from messaging.providers.simulator.weather import Weather

__all__ = ["WeatherViews"]

_ALWAYS_UP: Final = frozenset({"/weather", "/health"})


class WeatherViews:
    """One endpoint and one middleware."""

    def __init__(self, signed: SignedHttp, weather: Weather) -> None:
        self._signed = signed
        self._weather = weather

    async def weather(self, request: web.Request) -> web.Response:
        """``POST /weather``: what is named is set; the answer is all of it, or 422 with what is wrong."""
        wanted = await self._signed.read(request)
        try:
            self._weather.change(wanted)
        except (ValueError, TypeError) as error:
            return web.json_response({"problem": str(error)}, status=422)
        return web.json_response(self._weather.told())

    @web.middleware
    async def outage(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """While there is an outage, nothing else is answered."""
        answer = "" if request.path in _ALWAYS_UP else self._weather.outage
        if answer == "closed":
            return hang_up(request)
        return web.json_response({"error_code": "20503"}, status=503) if answer else await handler(request)
