"""Typing on a virtual phone, from outside the network's process."""

from messaging.providers.simulator.remote import NetworkProblem, Refused, post

__all__ = ["NetworkProblem", "type_reply"]


def type_reply(network_url: str, secret: str, *, number: str, to: str, body: str) -> None:
    """Send ``body`` from the phone ``number`` to the tenant's number ``to``."""
    try:
        post(network_url, "/replies", secret, {"from": number, "to": to, "body": body})
    except Refused as refused:
        if refused.status == 404:
            raise NetworkProblem("This number has never texted a virtual phone, so it cannot be reached.") from None
        raise NetworkProblem("The simulated phone network refused the text.") from None
