"""The endpoints that answer questions about the record. Each names the account: others' texts are not on its record."""

from dataclasses import asdict

from aiohttp import web

from messaging.providers.simulator.record import Record, RecordTooShort
from messaging.providers.simulator.signed_http import SignedHttp

__all__ = ["RecordViews"]


class RecordViews:
    """Signed questions in JSON; 410 for a time that the record may lack."""

    def __init__(self, signed: SignedHttp, record: Record) -> None:
        self._signed = signed
        self._record = record

    async def to(self, request: web.Request) -> web.Response:
        """``POST /texts/to``: an account's texts for a number since a time."""
        question = await self._signed.read(request)
        try:
            found = self._record.to(question["account"], question["number"], float(question["since"]))
        except RecordTooShort:
            return _too_short()
        return web.json_response({"texts": [asdict(one) for one in found]})

    async def one(self, request: web.Request) -> web.Response:
        """``POST /texts/one``: a text or a reply by its id."""
        question = await self._signed.read(request)
        try:
            found = self._record.one(question["account"], question["id"])
        except RecordTooShort:
            return _too_short()
        if found is None:
            return web.json_response({"problem": "no such text"}, status=404)
        return web.json_response(asdict(found))

    async def between(self, request: web.Request) -> web.Response:
        """``POST /texts/between``: a page of an account's texts and replies; ``next`` goes on behind it."""
        question = await self._signed.read(request)
        since, until, after = float(question["since"]), float(question["until"]), int(question["after"])
        try:
            found, following = self._record.between(question["account"], since, until, after)
        except RecordTooShort:
            return _too_short()
        return web.json_response({"texts": [asdict(one) for one in found], "next": following})


def _too_short() -> web.Response:
    return web.json_response({"problem": "the record does not reach back so far"}, status=410)
