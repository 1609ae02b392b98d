"""The mistakes: what each does, where it is planted, and the checks of which at least one has to find it."""

from __future__ import annotations

from dataclasses import dataclass

BAKERY = "bakery"

_CUSTOMERS = ("listCustomers", "createCustomer", "getCustomer", "replaceCustomer", "updateCustomer", "deleteCustomer")
_PRODUCTS = ("listProducts", "createProduct", "getProduct", "replaceProduct", "updateProduct", "deleteProduct")
_ORDERS = ("createCustomer", "createProduct", "createOrder", "getOrder", "listOrders", "payOrder", "shipOrder",
           "cancelOrder")  # fmt: skip
_NOTES = ("createCustomer", "createProduct", "createOrder", "listNotes", "createNote", "getNote", "deleteNote")
_WEBHOOKS = ("createCustomer", "createProduct", "createOrder", "payOrder", "listWebhooks", "createWebhook",
             "deleteWebhook")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted mistake.

    ``target`` is the bakery or the name of a pack. ``checks`` are those of which at least one must find it.
    ``operations`` are the only ones that a small run calls, empty for all. ``limit`` is the bakery's limit of requests
    a minute. ``survives`` is the reason for which nothing finds it yet, "" where it is found.
    """

    name: str
    target: str
    does: str
    checks: tuple[str, ...]
    operations: tuple[str, ...] = ()
    limit: int | None = None
    survives: str = ""

    def __str__(self) -> str:
        return f"{self.target}-{self.name}"


def _bakery(
    name: str, does: str, *checks: str, at: tuple[str, ...] = (), limit: int | None = None, survives: str = ""
) -> Mutant:
    return Mutant(name, BAKERY, does, checks, at, limit, survives)


_BAKERY_STORING = (
    _bakery("lost_update", "of two updates with one entity tag at a time both win", "concurrent_writes",
            at=_PRODUCTS),
    _bakery("id_race", "two creates at a time get one number", "concurrent_writes", at=_PRODUCTS),
    _bakery("unique_race", "two creates at a time look for an address before either stores it",
            "concurrent_writes", at=_CUSTOMERS),
    _bakery("create_loses_member", "the create shows the phone number and does not store it",
            "read_your_write", "model_content", at=_CUSTOMERS),
    _bakery("update_loses_member", "a PATCH without the phone number drops it",
            "patch_keeps_the_rest", "model_content", at=_CUSTOMERS),
    _bakery("put_merges", "PUT keeps what the new customer leaves out", "put_replaces", "model_content",
            at=_CUSTOMERS),
    _bakery("patch_replaces", "PATCH drops what it does not name", "patch_keeps_the_rest", "model_content",
            at=_CUSTOMERS),
    _bakery("patch_replaces_inner", "PATCH puts an object in the place of one, instead of merging them",
            "patch_keeps_the_rest", "model_content", at=_CUSTOMERS),
    _bakery("patch_ignores_null", "null in a PATCH does not remove the member", "patch_keeps_the_rest",
            "model_content", at=_CUSTOMERS),
    _bakery("zero_is_nothing", "0 in a PATCH is taken for nothing", "exchange", "model_content", "patch_keeps_the_rest",
            at=_PRODUCTS),
    _bakery("delete_ineffective", "DELETE answers 204 and deletes nothing", "delete_is_final", "model_status",
            at=_CUSTOMERS),
    _bakery("deleted_still_read", "a deleted customer leaves the list, and can be read for ever",
            "delete_is_final", "model_status", "schemathesis_use_after_free", at=_CUSTOMERS),
    _bakery("id_reuse", "the key of the last customer is given again after it was deleted",
            "ids_are_never_reused", "model_identity", at=_CUSTOMERS),
    _bakery("mass_assignment", "the body sets a customer's loyalty points, which are readOnly",
            "server_assigned_stays_put", "model_content", at=_CUSTOMERS),
    _bakery("note_id_taken_over", "the body sets a note's key, which is readOnly",
            "server_assigned_stays_put", "model_identity", at=_NOTES),
    _bakery("payment_taken_over", "the body sets what was paid for an order, which is readOnly",
            "server_assigned_stays_put", at=_ORDERS),
    _bakery("default_not_applied", "newsletter is true unless it is given, not false as described",
            "exchange", "model_content", at=_CUSTOMERS),
    _bakery("wrong_default", "a product is active unless its status is given, not a draft as described",
            "exchange", "model_content", at=_PRODUCTS),
    _bakery("truncated_text", "names are cut at 50 characters, though 60 are described", "exchange", "model_content",
            at=_PRODUCTS),
    _bakery("text_trimmed", "white space around names is removed", "exchange", "model_content", at=_PRODUCTS),
    _bakery("case_folded", "categories are stored in lower case", "exchange", "model_content", at=_PRODUCTS),
    _bakery("email_case_folded", "addresses are stored in lower case", "exchange", "model_content", at=_CUSTOMERS),
    _bakery("float_drift", "weights are stored in 32 bits", "exchange", "model_content", at=_PRODUCTS),
    _bakery("timezone_dropped", "the offset of a date-time is cut off, and Z written in its place",
            "exchange", "model_content", at=_PRODUCTS),
    _bakery("list_deduplicated", "allergens are stored in another order", "exchange", "model_content", at=_PRODUCTS),
    _bakery("read_changes", "GET takes one off the stock", "safe_methods_change_nothing", "model_content",
            "model_stability", at=_PRODUCTS),
    _bakery("half_written", "a refused PATCH has stored the members before the wrong one",
            "failed_request_changes_nothing", at=_PRODUCTS),
    _bakery("failed_create_stays", "an order of an unknown product is refused, and listed",
            "failed_request_changes_nothing"),
    _bakery("unique_not_enforced", "two customers may have one e-mail address", "uniqueness_is_kept",
            "exchange", at=_CUSTOMERS),
    _bakery("unique_only_at_create", "PUT and PATCH may set another customer's e-mail address",
            "uniqueness_is_kept", "exchange", at=_CUSTOMERS),
)  # fmt: skip

_BAKERY_LISTS = (
    _bakery("stale_list", "the list of customers is the one of the first time it was asked for",
            "list_shows_created", "model_list", at=_CUSTOMERS),
    _bakery("empty_list_404", "an empty list is 404", "model_status", "undescribed_status", at=_CUSTOMERS),
    _bakery("page_off_by_one", "every page but the first leaves one out", "pages_partition_the_list",
            "model_page", "model_list", at=_PRODUCTS),
    _bakery("page_overlaps", "every page but the first begins with the last item of the one before",
            "pages_partition_the_list", "model_page", "model_list", at=_PRODUCTS),
    _bakery("limit_off_by_one", "a page has one item more than the limit", "pages_partition_the_list",
            "model_page", "model_list", at=_PRODUCTS),
    _bakery("total_off_by_one", "total counts one too many", "totals_count", "model_page", at=_PRODUCTS),
    _bakery("total_counts_page", "total counts the items of the page", "totals_count", "model_page", at=_PRODUCTS),
    _bakery("cursor_repeats", "a page begins with the last order of the one before",
            "pages_partition_the_list", "model_page", "model_list", at=_ORDERS),
    _bakery("cursor_skips", "a page leaves out the order after the last of the one before",
            "pages_partition_the_list", "model_page", "model_list", at=_ORDERS),
    _bakery("cursor_ends_early", "the last page is not told of where it has one order",
            "pages_partition_the_list", "model_page", "model_list", at=_ORDERS),
    _bakery("wrong_filter", "the category is compared by its first letter", "filters_select_exactly",
            "model_list", at=_PRODUCTS),
    _bakery("filter_ignored", "status selects nothing", "filters_select_exactly", "model_list", at=_PRODUCTS),
    _bakery("price_sorted_as_text", "10 comes before 9", "sort_sorts", "model_list", "model_page", at=_PRODUCTS),
    _bakery("sort_direction_ignored", "order=desc sorts ascending", "sort_sorts", "model_list", "model_page",
            at=_PRODUCTS),
    _bakery("notes_of_every_order", "the list of notes has those of all orders", "nested_below_their_parent",
            "model_list", at=_NOTES),
    _bakery("note_of_another_order", "a note is shown under any order", "nested_below_their_parent",
            "model_status", at=_NOTES),
)  # fmt: skip

_BAKERY_RULES = (
    _bakery("cross_tenant_read", "a customer of another bakery can be read", "tenants_are_apart", "exchange"),
    _bakery("ignored_auth", "orders are read without a key", "credentials_are_needed",
            "schemathesis_ignored_auth", "model_access", at=_ORDERS),
    _bakery("unknown_key_accepted", "any text is a key", "credentials_are_needed", "schemathesis_ignored_auth",
            "model_access", at=_CUSTOMERS),
    _bakery("expired_key_accepted", "a key is good after its time", "expired_credentials_are_refused",
            "model_access", at=_CUSTOMERS),
    _bakery("roles_ignored", "a key that may only read may write", "scopes_are_needed", "model_access",
            at=_CUSTOMERS),
    _bakery("idempotency_ignored", "a repeated request with its key places a second order",
            "idempotency_key_is_honoured", at=_ORDERS),
    _bakery("idempotency_key_of_another", "another request with a known key gets the first one's order",
            "idempotency_key_is_honoured", "exchange", at=_ORDERS),
    _bakery("double_charge", "a paid order can be paid again, and is charged twice",
            "exchange", "transitions_are_one_way", "workflow"),
    _bakery("unpaid_is_shipped", "a pending order can be shipped", "exchange", "workflow"),
    _bakery("paid_is_cancelled", "a paid order can be cancelled", "exchange", "workflow"),
    _bakery("refused_move_changes", "a refused move has moved the order",
            "exchange", "failed_request_changes_nothing", "transitions_are_one_way"),
    _bakery("move_forgotten", "cancelling answers that it is done, and stores nothing",
            "exchange", "read_your_write", "model_content"),
    _bakery("tax_truncated", "the tax is cut to the cent, not rounded", "exchange"),
    _bakery("tax_of_each_line", "the tax is rounded for each line, not for the order", "exchange"),
    _bakery("total_of_first_line", "only the first line is counted", "exchange"),
    _bakery("etag_never_changes", "the entity tag stays when the product changes",
            "etag_follows_the_representation", "preconditions_hold", at=_PRODUCTS),
    _bakery("if_match_ignored", "If-Match with an old entity tag is granted", "preconditions_hold",
            "model_refusal", at=_PRODUCTS),
    _bakery("event_not_sent", "no order.paid is sent", "webhook_delivery", at=_WEBHOOKS),
    _bakery("bad_signature", "the signature leaves out id and timestamp", "webhook_signature", at=_WEBHOOKS),
    _bakery("event_timestamp_old", "the timestamp of a message is an hour old", "webhook_signature",
            at=_WEBHOOKS),
    _bakery("event_lacks_total", "order.paid has no total", "webhook_schema", at=_WEBHOOKS),
    _bakery("event_not_repeated", "a message that is refused is not sent again", "webhook_retry", at=_WEBHOOKS),
)  # fmt: skip

_BAKERY_WIRE = (
    _bakery("zero_quantity_accepted", "a line of quantity 0 is accepted", "limits_are_exact",
            "schemathesis_negative_data_rejection",
            "model_refusal", at=_ORDERS),
    _bakery("short_name_accepted", "a name of one character is accepted", "limits_are_exact",
            "schemathesis_negative_data_rejection",
            "reply_schema", "model_refusal", at=_PRODUCTS),
    _bakery("longest_name_rejected", "a name of 60 characters is refused", "limits_are_exact", "model_status",
            "schemathesis_positive_data_acceptance", at=_PRODUCTS),
    _bakery("enum_value_rejected", "archived is no status for requests", "limits_are_exact", "model_status",
            "schemathesis_positive_data_acceptance", at=_PRODUCTS),
    _bakery("category_not_required", "a product without category is not refused", "limits_are_exact", "model_refusal",
            "server_error",
            "schemathesis_negative_data_rejection", "reply_schema", at=_PRODUCTS),
    _bakery("text_taken_for_number", '"350" is a price', "limits_are_exact",
            "schemathesis_negative_data_rejection", "model_refusal", "reply_schema", at=_PRODUCTS),
    _bakery("email_unchecked", "any text is an e-mail address", "schemathesis_negative_data_rejection",
            "model_refusal", "reply_schema", at=_CUSTOMERS),
    _bakery("odd_input_500", "a character beyond Latin-1 is 500", "server_error",
            "schemathesis_not_a_server_error", at=("createCustomer",)),
    _bakery("stack_trace", "a refusal shows a stack trace", "leaked_stack_trace", at=_CUSTOMERS),
    _bakery("error_in_success", "what is not there is 200 with an error in the body", "reply_schema",
            "error_in_success", "model_refusal", at=_CUSTOMERS),
    _bakery("errors_as_html", "404 comes as text/html", "reply_media_type", at=_CUSTOMERS),
    _bakery("problem_lacks_detail", "conflicts have no detail", "reply_schema"),
    _bakery("problem_status_differs", "the problem's status is another than the response's", "problem_details",
            at=_CUSTOMERS),
    _bakery("created_says_200", "creates answer 200", "undescribed_status", "model_status", at=_CUSTOMERS),
    _bakery("wrong_media_type", "creates answer text/plain", "reply_media_type", at=_CUSTOMERS),
    _bakery("location_missing", "creates have no Location", "reply_headers", at=_CUSTOMERS),
    _bakery("etag_missing", "products have no ETag", "reply_headers", at=_PRODUCTS),
    _bakery("extra_member", "products show a member that is not described", "reply_schema", at=_PRODUCTS),
    _bakery("missing_member", "a stock of 0 is left out", "reply_schema", at=_PRODUCTS),
    _bakery("null_member", "a weight that is not known is null", "reply_schema", at=_PRODUCTS),
    _bakery("number_as_text", "prices are texts", "reply_schema", at=_PRODUCTS),
    _bakery("wrong_format", "times are written without T and Z", "reply_schema", at=_PRODUCTS),
    _bakery("secret_shown", "the list of subscriptions shows their secrets", "reply_schema", at=_WEBHOOKS),
    _bakery("head_differs", "HEAD answers 204, GET 200", "head_is_get", at=_PRODUCTS),
    _bakery("allow_missing", "405 has no Allow", "allow_header", "schemathesis_unsupported_method",
            at=("listCustomers",)),
    _bakery("challenge_missing", "401 has no WWW-Authenticate", "www_authenticate", "reply_headers",
            at=_CUSTOMERS),
    _bakery("retry_after_missing", "429 has no Retry-After", "retry_after", "reply_headers", at=_CUSTOMERS,
            limit=20),
)  # fmt: skip

BAKERY_MUTANTS = (*_BAKERY_STORING, *_BAKERY_LISTS, *_BAKERY_RULES, *_BAKERY_WIRE)


def representative(mutants: tuple[Mutant, ...]) -> tuple[Mutant, ...]:
    """The first mutant of each check that has to find one first, for each target: a sample that leaves no check out."""
    found: dict[tuple[str, str], Mutant] = {}
    for mutant in mutants:
        found.setdefault((mutant.target, mutant.checks[0]), mutant)
    return tuple(found.values())
