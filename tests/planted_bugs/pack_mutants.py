"""The mistakes that are planted in packs: for each the pack, and the checks of which at least one has to find it."""

from __future__ import annotations

from tests.planted_bugs.mutants import Mutant


def _of(target: str, name: str, does: str, *checks: str, at: tuple[str, ...] = ()) -> Mutant:
    return Mutant(name, target, does, checks, at)


_LABELS = ("listLabels", "createLabel", "getLabel", "deleteLabel", "updateLabel")
_CONTACTS = ("listContacts", "createContact", "getContact", "updateContact")
_EVENTS = ("listEvents", "createEvent", "getEvent", "deleteEvent", "updateEvent")
_KIRIMDEV, _LAYERCAKE, _CRM = "kirimdev", "layercake", "cloudvelous-crm"

PACK_MUTANTS = (
    _of(_KIRIMDEV, "delete_does_nothing", "DELETE answers as ever and deletes nothing", "delete_is_final",
        "model_status", at=_LABELS),
    _of(_LAYERCAKE, "delete_does_nothing", "DELETE answers as ever and deletes nothing", "delete_is_final",
        "model_status", at=_EVENTS),
    _of(_KIRIMDEV, "action_does_nothing", "actions answer as ever and change nothing", "model_content",
        "read_your_write", "workflow", "exchange"),
    _of(_KIRIMDEV, "update_is_lost", "PATCH shows the change and does not store it", "patch_keeps_the_rest",
        "model_content", "read_your_write", at=_LABELS),
    _of(_LAYERCAKE, "update_is_lost", "PATCH shows the change and does not store it", "patch_keeps_the_rest",
        "model_content", "read_your_write", at=_EVENTS),
    _of(_LAYERCAKE, "create_loses_member", "an optional member is shown and not stored", "read_your_write",
        "model_content", at=_EVENTS),
    _of(_KIRIMDEV, "create_loses_member", "an optional member is shown and not stored", "read_your_write",
        "model_content", at=_CONTACTS),
    _of(_LAYERCAKE, "patch_replaces", "PATCH drops what it does not name", "patch_keeps_the_rest",
        "model_content", at=_EVENTS),
    _of(_KIRIMDEV, "id_is_reused", "the key of what was deleted is given again", "ids_are_never_reused",
        "model_identity", at=_LABELS),
    _of(_LAYERCAKE, "refused_update_is_stored", "a refused PATCH is stored", "failed_request_changes_nothing",
        at=_EVENTS),
    _of(_KIRIMDEV, "read_deletes", "GET answers once", "safe_methods_change_nothing", "model_status",
        "read_your_write", at=_LABELS),
    _of(_KIRIMDEV, "filters_are_ignored", "filters select nothing", "filters_select_exactly", "model_list"),
    _of(_KIRIMDEV, "cursor_repeats", "every page is the first", "pages_partition_the_list", "model_list",
        "model_page"),
    _of(_KIRIMDEV, "limit_is_ignored", "a page has any length", "pages_partition_the_list", "model_list",
        "model_page"),
    _of(_KIRIMDEV, "idempotency_is_ignored", "a repeated request with its key is carried out again",
        "idempotency_key_is_honoured", "exchange"),
    _of(_KIRIMDEV, "any_credential_is_good", "who cannot be recognized is taken for somebody",
        "credentials_are_needed", "schemathesis_ignored_auth", "expired_credentials_are_refused", "model_access"),
    _of(_LAYERCAKE, "no_permission_is_needed", "who lacks a scope is let through", "scopes_are_needed",
        "model_access", "exchange"),
    _of(_KIRIMDEV, "others_data_is_shown", "another tenant's items can be read", "tenants_are_apart",
        "model_access", at=_LABELS),
    _of(_LAYERCAKE, "others_data_is_shown", "another organization's items can be read", "tenants_are_apart",
        "model_access", "model_refusal", "exchange"),
    _of(_KIRIMDEV, "events_are_not_sent", "no event is sent", "webhook_delivery"),
    _of(_LAYERCAKE, "events_are_not_sent", "no event is sent", "webhook_delivery"),
    _of(_KIRIMDEV, "list_is_stale", "a list is the one of the first time it was asked for", "list_shows_created",
        "model_list", at=_LABELS),
    _of(_LAYERCAKE, "list_is_stale", "a list is the one of the first time it was asked for", "list_shows_created",
        "model_list", at=_EVENTS),
    _of(_LAYERCAKE, "list_loses_last", "a list leaves out its last item", "list_shows_created", "model_list",
        at=_EVENTS),
    _of(_KIRIMDEV, "list_shows_twice", "a list shows its first item twice", "pages_partition_the_list",
        "model_list", "model_page", at=_LABELS),
    _of(_KIRIMDEV, "list_is_backwards", "a list is in the order opposite to what is documented",
        "pages_partition_the_list", "model_list", "exchange"),
    _of(_KIRIMDEV, "empty_list_is_404", "an empty list is 404", "model_status", "undescribed_status"),
    _of(_LAYERCAKE, "texts_are_cut", "texts are cut at 8 characters", "model_content", at=_EVENTS),
    _of(_KIRIMDEV, "texts_are_lower_case", "names are stored in lower case", "model_content", at=_LABELS),
    _of(_KIRIMDEV, "zones_are_dropped", "times have no offset", "reply_schema", at=_LABELS),
    _of(_KIRIMDEV, "required_member_is_null", "a required member is null", "reply_schema", at=_LABELS),
    _of(_LAYERCAKE, "required_member_is_missing", "a required member is missing", "reply_schema", at=_EVENTS),
    _of(_CRM, "required_member_is_a_list", "a required member has another type", "reply_schema"),
    _of(_KIRIMDEV, "media_type_is_text", "JSON comes as text/plain", "reply_media_type", at=_LABELS),
    _of(_CRM, "media_type_is_text", "JSON comes as text/plain", "reply_media_type"),
    _of(_KIRIMDEV, "challenge_is_missing", "401 has no WWW-Authenticate", "www_authenticate", "reply_headers"),
    _of(_LAYERCAKE, "allow_is_missing", "405 has no Allow", "allow_header", "schemathesis_unsupported_method",
        at=_EVENTS),
    _of(_LAYERCAKE, "error_is_200", "errors come as 200", "error_in_success", "reply_schema", "model_refusal",
        at=_EVENTS),
    _of(_CRM, "created_is_202", "creates answer 202", "undescribed_status", "model_status"),
    _of(_LAYERCAKE, "odd_input_is_500", "characters beyond ASCII are 500", "server_error",
        "schemathesis_not_a_server_error", at=_EVENTS),
    _of(_CRM, "odd_input_is_500", "characters beyond ASCII are 500", "server_error",
        "schemathesis_not_a_server_error"),
    _of(_KIRIMDEV, "failure_shows_stack_trace", "errors show a stack trace", "leaked_stack_trace", at=_LABELS),
    _of(_CRM, "wrong_input_is_accepted", "wrong input is answered like the last right one",
        "schemathesis_negative_data_rejection", "model_refusal"),
    _of(_KIRIMDEV, "head_differs", "HEAD has another media type than GET", "head_is_get", at=_LABELS),
)  # fmt: skip

AT_FULL_SIZE = frozenset(
    {
        "layercake-delete_does_nothing",
        "layercake-update_is_lost",
        "layercake-create_loses_member",
        "layercake-others_data_is_shown",
        "layercake-events_are_not_sent",
        "layercake-list_is_stale",
        "layercake-list_loses_last",
        "layercake-allow_is_missing",
        "layercake-odd_input_is_500",
        "kirimdev-action_does_nothing",
        "kirimdev-media_type_is_text",
    }
)
"""Mutants that are hunted at full size only: they take long, or are planted in another pack as well."""
