"""The simulated phone network as a process: ``python -m messaging.providers.simulator.network --port 8009``.

It takes texts over HTTP, lets virtual phones behave by their number (``behaviour``) and by the weather (``weather``,
``chaos``), keeps a record that can be asked (``record``), shows the phones' texts in Redis, and calls the platform back
like a carrier: receipts, and replies typed on a phone. Environment: ``REDIS_URL``, ``SIMULATOR_SECRET``.
"""

import argparse
import os
import time
from pathlib import Path
from typing import Final

import uvloop
from aiohttp import web

from messaging.providers.simulator.exchange import Exchange
from messaging.providers.simulator.options import Options
from messaging.providers.simulator.record import Record
from messaging.providers.simulator.record_views import RecordViews
from messaging.providers.simulator.signed_http import SignedHttp
from messaging.providers.simulator.weather import LATENCY_KINDS, Latency, Weather
from messaging.providers.simulator.weather_views import WeatherViews

__all__ = ["Options", "make_app"]

MAX_BODY_BYTES: Final = 32_768


def make_app(options: Options) -> web.Application:
    """The network as a web application."""
    signed = SignedHttp(options.secret, options.address)
    record = Record(options.log, complete_since=options.record_since)
    latency = Latency(options.latency_kind, options.latency * 1000, options.latency_p99 * 1000)
    weather = Weather(rate=options.chaos, seed=options.seed, latency=latency)
    exchange, views = Exchange(options, signed, record, weather), RecordViews(signed, record)
    weather_views = WeatherViews(signed, weather)
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[weather_views.outage])
    app.on_startup.append(exchange.open)
    app.on_cleanup.append(exchange.close)
    app.router.add_post("/messages", exchange.take)
    app.router.add_post("/replies", exchange.reply)
    app.router.add_get("/health", exchange.health)
    app.router.add_post("/weather", weather_views.weather)
    app.router.add_post("/texts/to", views.to)
    app.router.add_post("/texts/one", views.one)
    app.router.add_post("/texts/between", views.between)
    return app


def main() -> None:
    """Run the network until it is stopped."""
    parser = argparse.ArgumentParser(description="The simulated phone network.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--address", help="where the platform reaches the network, when that is not the port itself")
    parser.add_argument("--latency", choices=LATENCY_KINDS, default="uniform")
    parser.add_argument("--latency-ms", type=float, default=80, help="the usual latency; for lognormal that of half")
    parser.add_argument("--latency-p99-ms", type=float, default=400, help="lognormal: 99 of 100 take no longer")
    parser.add_argument("--receipt-delay-ms", type=float, default=600)
    parser.add_argument(
        "--chaos", type=float, default=0.0, metavar="RATE", help="the share of texts to disturb, 0 to 1"
    )
    parser.add_argument("--seed", type=int, default=1, help="decides which texts are disturbed, and how")
    parser.add_argument(
        "--complete-since", type=float, help="Unix time since which there can have been texts, for a log that begins"
    )
    parser.add_argument("--log", type=Path, help="JSON lines of all texts, read again at the next start")
    arguments = parser.parse_args()
    options = Options(
        secret=os.environ["SIMULATOR_SECRET"],
        redis_url=os.environ["REDIS_URL"],
        address=arguments.address or f"http://127.0.0.1:{arguments.port}",
        latency=arguments.latency_ms / 1000,
        receipt_delay=arguments.receipt_delay_ms / 1000,
        seed=arguments.seed,
        latency_kind=arguments.latency,
        latency_p99=arguments.latency_p99_ms / 1000,
        chaos=arguments.chaos,
        log=arguments.log,
        record_since=time.time() if arguments.complete_since is None else arguments.complete_since,
    )
    uvloop.install()
    web.run_app(
        make_app(options),
        host="127.0.0.1",
        port=arguments.port,
        backlog=1024,
        print=None,
        access_log=None,
        shutdown_timeout=1,  # late and slow answers are not waited for
    )


if __name__ == "__main__":
    main()
