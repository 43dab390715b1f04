"""From where a request comes: one rule for every limit and every "only from here".

Each proxy of our own appends the address that it was called from to ``X-Forwarded-For``, so behind
``TRUSTED_PROXY_COUNT`` of them the client's stands that many places from the end; what is left of it anybody can have
written. Without proxies of our own the header means nothing.
"""

from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest

__all__ = ["client_address", "from_this_machine"]

_FORWARDING_HEADERS = ("X-Forwarded-For", "Forwarded", "X-Real-IP")


def client_address(request: HttpRequest) -> str:
    """The client's address; the caller's own when it did not come through all of our proxies, "" for a socket file."""
    return _forwarded(request) or _address(request.META.get("REMOTE_ADDR", ""))


def from_this_machine(request: HttpRequest) -> bool:
    """Whether the client is certainly on this machine: not when a proxy stands between without saying for whom."""
    if settings.TRUSTED_PROXY_COUNT:
        return _is_loopback(_forwarded(request))
    if any(request.headers.get(name) for name in _FORWARDING_HEADERS):
        return False
    return _is_loopback(_address(request.META.get("REMOTE_ADDR", "")))


def _forwarded(request: HttpRequest) -> str:
    count = settings.TRUSTED_PROXY_COUNT
    hops = request.headers.get("X-Forwarded-For", "").split(",")
    return _address(hops[-count]) if 0 < count <= len(hops) else ""


def _address(text: str) -> str:
    """The address in one common form; "" for what is none. Some proxies write a port after it."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return ""
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)


def _is_loopback(address: str) -> bool:
    return bool(address) and ip_address(address).is_loopback
