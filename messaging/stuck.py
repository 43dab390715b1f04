"""Texts and callbacks of the active tenant that do not move on."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from django.utils import timezone

from common.findings import Finding, stuck_rows
from messaging.models import (
    Attempt,
    Batch,
    DeliveryReceipt,
    DispatchState,
    InboundMessage,
    ProviderAccount,
    RecordComparison,
    Sender,
)
from messaging.pipeline.sweeps import UNCONFIRMED_AFTER
from messaging.reasons import trouble_of

__all__ = ["findings", "hold_finding"]

SHORTLY: Final = timedelta(minutes=2)
"""Every sweep has had several turns by then."""
WORKERS: Final = "Look whether the workers and the ticker (beat) run: manage.py doctor."


def findings() -> Iterator[Finding]:
    """What is stuck, the gravest first."""
    yield from _refused()
    yield from _broken()
    yield from _waiting()
    yield from _in_doubt()
    yield from _callbacks()
    yield from _differences()


def hold_finding() -> Iterator[Finding]:
    """The hold of the whole platform after a restore."""
    state = DispatchState.objects.exclude(held_since=None).first()
    if state is not None:
        yield Finding(
            f"No text goes out: {state.reason.rstrip('.')}",
            "The providers are being asked what they sent since the backup. This ends by itself, at the latest 15 minutes after it began.",
            since=state.held_since,
        )


def _refused() -> Iterator[Finding]:
    accounts = ProviderAccount.objects.filter(status=ProviderAccount.Status.PAUSED).exclude(trouble="")
    senders = Sender.objects.filter(status=Sender.Status.PAUSED).exclude(trouble="").select_related("provider_account")
    refused: list[tuple[str, Sender | ProviderAccount, ProviderAccount]] = [
        *(("account", account, account) for account in accounts),
        *(("number", sender, sender.provider_account) for sender in senders),
    ]
    for what, one, account in refused:
        why = f" because its provider refuses it (error {one.trouble})" if one.trouble.isdigit() else ""
        yield Finding(
            f"The {what} {one} is paused{why}",
            trouble_of(one.trouble, account.kind),
            url_name="senders",
        )


def _broken() -> Iterator[Finding]:
    for account in ProviderAccount.objects.exclude(broken_since=None):
        yield Finding(
            f"The account {account} does not answer",
            "Its texts wait, or go by another account of their pool. A few texts try it again at least once a minute; it goes on by itself.",
            since=account.broken_since,
            url_name="senders",
        )


def _waiting() -> Iterator[Finding]:
    before = timezone.now() - SHORTLY
    yield from stuck_rows(
        Batch.objects.filter(state=Batch.State.QUEUED, held=False, not_before__lt=before),
        "not_before",
        what="Batches of texts are due and no worker has taken them",
        advice=WORKERS,
        url_name="campaigns",
    )
    yield from stuck_rows(
        Batch.objects.filter(state=Batch.State.LEASED, leased_until__lt=before),
        "leased_until",
        what="Batches of texts were left behind by a worker that died",
        advice=WORKERS,
        url_name="campaigns",
    )


def _in_doubt() -> Iterator[Finding]:
    now = timezone.now()
    yield from stuck_rows(
        Attempt.objects.filter(
            state=Attempt.State.UNKNOWN, deadline__lt=now - timedelta(minutes=15), deadline__gt=now - UNCONFIRMED_AFTER
        ),
        "deadline",
        what="Texts of which the provider has not said whether it took them",
        advice="The provider is asked again and again. They are never sent a second time meanwhile; after ten hours they count as unconfirmed.",
    )


def _callbacks() -> Iterator[Finding]:
    before = timezone.now() - SHORTLY
    yield from stuck_rows(
        DeliveryReceipt.objects.filter(applied_at=None, received_at__lt=before),
        "received_at",
        what="Delivery receipts wait to be applied",
        advice=WORKERS,
    )
    yield from stuck_rows(
        InboundMessage.objects.filter(handled_at=None, received_at__lt=before),
        "received_at",
        what="Incoming texts wait to be handled (a STOP in them holds already)",
        advice=WORKERS,
        url_name="inbox",
    )


def _differences() -> Iterator[Finding]:
    """Of the newest comparison of each account."""
    for account in ProviderAccount.objects.all():
        newest = RecordComparison.objects.filter(provider_account=account).order_by("-since").first()
        if newest is None:
            continue
        if newest.problem and newest.finished_at is None:
            yield Finding(
                f"The record of {account} could not be read ({newest.problem})",
                "It is tried again. Check the account's token if this stays.",
                since=newest.created_at,
                url_name="senders",
            )
        elif newest.only_here or newest.only_at_provider:
            yield Finding(
                f"The record of {account} and ours differ: {newest.only_at_provider:,} texts only there, {newest.only_here:,} only here",
                "Texts only there were sent outside of this platform. See the comparisons below for their ids.",
                newest.only_here + newest.only_at_provider,
                newest.since,
            )
