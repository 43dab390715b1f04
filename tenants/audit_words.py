"""The words of the audit log: each recorded act as the rest of a sentence that begins with who did it.

``{target}`` is what was acted on. ``tests/architecture/test_audit.py`` fails for an act that has no words here.
"""

from typing import Final

__all__ = ["GROUPS", "KINDS", "PAGES", "VALUES", "WORDS", "noun_of"]

GROUPS: Final[dict[str, str]] = {
    "tenant": "Account",
    "trial": "Trial",
    "member": "Team",
    "invitation": "Invitations",
    "contact": "Contacts",
    "note": "Notes",
    "bulk": "Bulk actions",
    "contacts": "Exports of contacts",
    "consent": "Consent",
    "field": "Contact fields",
    "list": "Lists",
    "tag": "Tags",
    "import": "Imports",
    "conversation": "Conversations",
    "campaign": "Campaigns",
    "template": "Templates",
    "sender": "Senders",
    "account": "Provider accounts",
    "audit": "Audit log",
    "user": "Signing in",
    "platform": "Looked at by the platform",
}
"""What each act is about (the noun before its dot), as the page's filter calls it."""

WORDS: Final[dict[str, str]] = {
    "tenant.created": "created the account {target}",
    "tenant.changed": "changed the business details of {target}",
    "tenant.approval_asked": "asked for approval of {target}",
    "tenant.approved": "approved the account {target}",
    "tenant.approval_refused": "did not approve the account {target}",
    "trial.guest_added": "added a guest's number to the trial",
    "trial.number_removed": "removed a number from the trial",
    "trial.number_asked": "gave their own number for the trial",
    "trial.number_confirmed": "noted that a member confirmed their own number",
    "tenant.countries_changed": "changed the countries whose numbers can be contacts",
    "member.added": "added {target} to the team",
    "member.removed": "removed {target} from the team",
    "member.role_changed": "changed the role of {target}",
    "invitation.made": "invited {target}",
    "invitation.renewed": "mailed the invitation of {target} again",
    "invitation.revoked": "withdrew the invitation of {target}",
    "invitation.accepted": "accepted an invitation: {target}",
    "contact.added": "added {target}",
    "contact.changed": "changed the details of {target}",
    "contact.list_added": "put {target} into a list",
    "contact.list_removed": "took {target} out of a list",
    "contact.tagged": "put a tag on {target}",
    "contact.untagged": "took a tag off {target}",
    "contact.number_added": "gave {target} a further number",
    "contact.number_preferred": "chose another preferred number of {target}",
    "contact.number_removed": "took a number from {target}",
    "contact.archived": "archived {target}",
    "contact.erased": "erased a contact",
    "contact.unarchived": "took {target} out of the archive",
    "contacts.downloaded": "downloaded exported contacts: {target}",
    "bulk.started": "started a bulk action: {target}",
    "bulk.finished": "finished a bulk action: {target}",
    "bulk.cancelled": "cancelled a bulk action: {target}",
    "note.added": "wrote a note on {target}",
    "note.edited": "changed a note on {target}",
    "note.deleted": "deleted a note on {target}",
    "consent.opted_in": "recorded an opt-in of {target}",
    "consent.opted_out": "recorded an opt-out of {target}",
    "field.added": "added the contact field {target}",
    "field.changed": "changed the contact field {target}",
    "field.moved": "moved the contact field {target}",
    "field.deleted": "deleted the contact field {target}",
    "list.created": "made the list {target}",
    "list.renamed": "renamed the list {target}",
    "list.deleted": "deleted the list {target}",
    "tag.created": "made the tag {target}",
    "import.uploaded": "uploaded the file {target}",
    "import.started": "started the import of {target}",
    "conversation.opened": "opened {target}",
    "conversation.assigned": "assigned {target}",
    "conversation.judged": "decided whether a text in {target} was an opt-out",
    "conversation.closed": "closed {target}",
    "conversation.reopened": "took up {target} again",
    "campaign.created": "wrote the campaign {target}",
    "campaign.changed": "changed the campaign {target}",
    "campaign.audience_chosen": "chose who the campaign {target} is for",
    "campaign.scheduled": "scheduled the campaign {target}",
    "campaign.unscheduled": "made the scheduled campaign {target} a draft again",
    "campaign.launched": "started the campaign {target}",
    "campaign.paused": "paused the campaign {target}",
    "campaign.resumed": "resumed the campaign {target}",
    "campaign.cancelled": "cancelled the campaign {target}",
    "template.created": "wrote the template {target}",
    "template.changed": "changed the template {target}",
    "template.deleted": "deleted the template {target}",
    "sender.added": "added the sender {target}",
    "sender.made_default": "made {target} the usual sender",
    "sender.status_changed": "paused or took up the sender {target}",
    "account.added": "added the provider account {target}",
    "account.secret_replaced": "replaced the secret of the provider account {target}",
    "platform.listed": "looked at the list of {target}",
    "platform.viewed": "looked at {target}",
    "platform.revealed": "had hidden values shown of {target}",
    "platform.added": "added {target}",
    "platform.changed": "changed {target}",
    "tenant.suspended": "suspended the account {target}",
    "tenant.resumed": "resumed the account {target}",
    "user.deactivated": "deactivated {target}, who can no longer sign in",
    "user.reactivated": "reactivated {target}",
    "user.signed_out": "signed {target} out everywhere",
    "audit.exported": "exported the audit log",
}

KINDS: Final[dict[str, str]] = {
    "attempt": "an attempt",
    "auditentry": "an entry of this log",
    "consentrecord": "a consent record",
    "consentstate": "a consent state",
    "contact": "a contact",
    "contactimport": "an import",
    "conversation": "a conversation",
    "inboundmessage": "an incoming text",
    "membership": "a member",
    "message": "a message",
    "possibleoptout": "a text that may be an opt-out",
    "provideraccount": "a provider account",
    "sender": "a sender",
    "senderregistration": "a registration",
    "suppression": "a suppression",
    "tenant": "the account",
}
"""What a thing is called when its name is not kept in the log, by the name of its model."""

PAGES: Final[dict[str, tuple[str, bool]]] = {
    "campaign": ("campaign", True),
    "contact": ("contact", True),
    "contactimport": ("import_job", True),
    "contactlist": ("lists", False),
    "conversation": ("conversation", True),
    "membership": ("team", False),
    "messagetemplate": ("template_edit", True),
    "provideraccount": ("senders", False),
    "sender": ("senders", False),
}
"""Where a thing is shown, by the name of its model: the address, and whether it names the one thing."""

VALUES: Final[dict[str, str]] = {
    "answers_keywords": "Provider answers STOP and HELP",
    "everyone": "All contacts",
    "fields": "Changed",
    "stop_footer": "Ends with “Reply STOP to opt out”",
    "usual": "Usual sender",
}
"""Names of recorded values that their stored name, with blanks, does not say well enough."""


def noun_of(action: str) -> str:
    """What an act is about: "member" of "member.added"."""
    return action.partition(".")[0]
