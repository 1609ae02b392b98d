"""Patterns of real APIs that are understood from the description alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.model.doubles import (
    FLAG,
    INTEGER,
    MOMENT,
    NOW_TEXT,
    TEXT,
    Double,
    answers,
    array,
    crud,
    document,
    operation,
    path_parameters,
    ref,
    thing,
)

# Envelopes


@pytest.fixture
def conduit() -> Double:
    """Articles in envelopes named after the thing, identified by a slug."""
    article = thing(
        {"slug": TEXT, "title": TEXT, "body": TEXT, "tagList": array(TEXT), "createdAt": MOMENT,
         "favorited": FLAG, "favoritesCount": INTEGER},
        "slug", "title", "body", "tagList", "createdAt", "favorited", "favoritesCount",
    )  # fmt: skip
    new = thing({"title": TEXT, "body": TEXT, "tagList": array(TEXT)}, "title", "body")
    one = thing({"article": ref("Article")}, "article")
    many = thing({"articles": array(ref("Article")), "articlesCount": INTEGER}, "articles", "articlesCount")
    slug = path_parameters(slug=TEXT)
    paths = {
        "/articles": {
            "get": operation(answers(many), query={"limit": INTEGER, "offset": INTEGER}),
            "post": operation(answers(one, 201), body=thing({"article": ref("NewArticle")}, "article")),
        },
        "/articles/{slug}": {
            "parameters": slug,
            "get": operation(answers(one)),
            "put": operation(answers(one), body=thing({"article": thing({"title": TEXT, "body": TEXT})}, "article")),
            "delete": operation(answers(status=204)),
        },
        "/articles/{slug}/favorite": {
            "parameters": slug,
            "post": operation(answers(one)),
            "delete": operation(answers(one)),
        },
    }
    return Double(document(paths, {"Article": article, "NewArticle": new}))


def test_an_item_in_an_envelope_of_its_name_is_stored_without_it(conduit: Double) -> None:
    made = conduit.created("/articles", {"article": {"title": "On mocks", "body": "…"}})["article"]
    assert made["title"] == "On mocks"
    assert made["favorited"] is False
    assert made["favoritesCount"] == 0
    assert conduit.get(f"/articles/{made['slug']}").json == {"article": made}


def test_a_count_named_after_the_list_counts_it(conduit: Double) -> None:
    for title in "abc":
        conduit.created("/articles", {"article": {"title": title, "body": "…"}})
    page = conduit.get("/articles", {"limit": 2}).json
    assert [article["title"] for article in page["articles"]] == ["a", "b"]
    assert page["articlesCount"] == 3


def test_a_verb_and_its_undoing_set_and_unset_a_flag(conduit: Double) -> None:
    slug = conduit.created("/articles", {"article": {"title": "a", "body": "…"}})["article"]["slug"]
    assert conduit.post(f"/articles/{slug}/favorite").json["article"]["favorited"] is True
    assert conduit.get(f"/articles/{slug}").json["article"]["favorited"] is True
    assert conduit.delete(f"/articles/{slug}/favorite").json["article"]["favorited"] is False


def test_a_put_in_an_envelope_replaces_the_item(conduit: Double) -> None:
    slug = conduit.created("/articles", {"article": {"title": "a", "body": "b"}})["article"]["slug"]
    changed = conduit.put(f"/articles/{slug}", {"article": {"title": "c", "body": "d"}}).json["article"]
    assert (changed["slug"], changed["title"], changed["body"]) == (slug, "c", "d")


@pytest.fixture
def json_api() -> Double:
    """Articles as JSON:API has them: type, id and attributes under data, filters and pages in brackets."""
    attributes = thing({"title": TEXT, "views": INTEGER}, "title")
    article = thing({"type": {"const": "articles"}, "id": TEXT, "attributes": attributes}, "type", "id", "attributes")
    written = thing({"data": thing({"type": {"const": "articles"}, "attributes": attributes}, "type")}, "data")
    one, many = (
        thing({"data": ref("Article")}, "data"),
        thing({"data": array(ref("Article")), "meta": thing({"total": INTEGER})}, "data", "meta"),
    )
    query = {"filter[title]": TEXT, "sort": TEXT, "page[number]": INTEGER, "page[size]": INTEGER}
    paths = {
        "/articles": {
            "get": operation(answers(many), query=query),
            "post": operation(answers(one, 201), body=written),
        },
        "/articles/{id}": {
            "parameters": path_parameters(id=TEXT),
            "get": operation(answers(one)),
            "patch": operation(answers(one), body=written),
        },
    }
    double = Double(document(paths, {"Article": article}))
    for title, views in (("b", 2), ("a", 3), ("c", 1)):
        double.created("/articles", {"data": {"type": "articles", "attributes": {"title": title, "views": views}}})
    return double


def _titles(answer: Any) -> list[str]:
    return [item["attributes"]["title"] for item in answer.json["data"]]


def test_json_api_attributes_are_patched_one_by_one(json_api: Double) -> None:
    key = json_api.get("/articles").json["data"][0]["id"]
    patch = {"data": {"type": "articles", "attributes": {"title": "z"}}}
    assert json_api.patch(f"/articles/{key}", patch).json["data"]["attributes"] == {"title": "z", "views": 2}


def test_json_api_filter_sort_and_page_reach_the_attributes(json_api: Double) -> None:
    assert _titles(json_api.get("/articles", {"filter[title]": "a"})) == ["a"]
    assert _titles(json_api.get("/articles", {"sort": "-views"})) == ["a", "b", "c"]
    page = json_api.get("/articles", {"page[number]": 2, "page[size]": 2})
    assert _titles(page) == ["c"]
    assert page.json["meta"]["total"] == 3


# Nesting


@pytest.fixture
def nested() -> Double:
    """Projects in organisations, tasks in projects."""
    org = thing({"id": INTEGER, "name": TEXT}, "id")
    project = thing({"id": INTEGER, "name": TEXT, "orgId": INTEGER}, "id")
    task = thing({"id": INTEGER, "title": TEXT}, "id")
    projects = crud(project, thing({"name": TEXT}), key="projectId", path="/orgs/{orgId}/projects")
    tasks = crud(task, thing({"title": TEXT}), key="id", path="/orgs/{orgId}/projects/{projectId}/tasks")
    for path, item in {**projects, **tasks}.items():
        names = [name for name in ("orgId", "projectId", "id") if f"{{{name}}}" in path]
        item["parameters"] = path_parameters(**dict.fromkeys(names, INTEGER))
    return Double(document({**crud(org, thing({"name": TEXT}), key="orgId", path="/orgs"), **projects, **tasks}))


def test_a_nested_collection_belongs_to_its_parent(nested: Double) -> None:
    for name in "ab":
        nested.created("/orgs", {"name": name})
    made = nested.created("/orgs/1/projects", {"name": "p"})
    assert made == {"id": 1, "name": "p", "orgId": 1}
    assert nested.get("/orgs/1/projects").json == [made]
    assert nested.get("/orgs/2/projects").json == []
    assert nested.get("/orgs/2/projects/1").status == 404


def test_below_a_parent_that_does_not_exist_everything_is_404(nested: Double) -> None:
    assert nested.get("/orgs/1/projects").status == 404
    assert nested.post("/orgs/1/projects", {"name": "p"}).status == 404
    nested.created("/orgs", {"name": "a"})
    assert nested.get("/orgs/1/projects/7/tasks").status == 404


def test_deleting_a_parent_deletes_what_is_below_at_any_depth(nested: Double) -> None:
    for name in "ab":
        nested.created("/orgs", {"name": name})
    for org in (1, 2):
        project = nested.created(f"/orgs/{org}/projects", {"name": "p"})["id"]
        nested.created(f"/orgs/{org}/projects/{project}/tasks", {"title": "t"})
    nested.delete("/orgs/1")
    assert nested.get("/orgs/1/projects").status == 404
    left = [entry.value for _, held in nested.state.partitions("test/tasks") for entry in held]
    assert [task["title"] for task in left] == ["t"]
    assert len(nested.get("/orgs/2/projects/2/tasks").json) == 1


# Views


def _posts(*, with_author: bool) -> Double:
    properties = {"id": INTEGER, "title": TEXT} | ({"userId": INTEGER} if with_author else {})
    new = thing({name: schema for name, schema in properties.items() if name != "id"})
    view = {
        "parameters": path_parameters(id=INTEGER),
        "get": operation(answers(array(ref("Post")))),
        "post": operation(answers(ref("Post"), 201), body=thing({"title": TEXT})),
    }
    user = thing({"id": INTEGER, "name": TEXT}, "id")
    paths = {
        **crud(user, thing({"name": TEXT}), path="/users"),
        **crud(ref("Post"), new, path="/posts"),
        "/users/{id}/posts": view,
    }
    return Double(document(paths, {"Post": thing(properties, "id")}))


@pytest.mark.parametrize("with_author", [True, False])
def test_what_is_created_through_a_view_is_in_the_collection_and_in_that_view_alone(
    with_author: bool,
) -> None:
    double = _posts(with_author=with_author)
    for name in "ab":
        double.created("/users", {"name": name})
    made = double.created("/users/1/posts", {"title": "t"})
    assert double.get(f"/posts/{made['id']}").json == made
    assert double.get("/posts").json == [made]
    assert double.get("/users/1/posts").json == [made]
    assert double.get("/users/2/posts").json == []
    assert set(made) == {"id", "title"} | ({"userId"} if with_author else set())


def test_a_view_selects_by_the_property_that_repeats_its_parameter() -> None:
    double = _posts(with_author=True)
    for name in "ab":
        double.created("/users", {"name": name})
    double.created("/posts", {"title": "t", "userId": 2})
    assert double.get("/users/1/posts").json == []
    assert [post["title"] for post in double.get("/users/2/posts").json] == ["t"]


def test_a_view_of_nobody_is_404() -> None:
    assert _posts(with_author=True).get("/users/1/posts").status == 404


# Things without a key, flags, actions


def test_a_thing_without_a_key_is_there_from_the_start_and_remembers() -> None:
    settings = thing({"theme": TEXT, "locale": TEXT}, "theme", "locale")
    paths = {
        "/me/settings": {
            "get": operation(answers(settings)),
            "put": operation(answers(settings), body=settings),
            "patch": operation(answers(settings), body={"type": "object"}),
        }
    }
    double = Double(document(paths))
    sampled = double.get("/me/settings").json
    assert set(sampled) == {"theme", "locale"}
    assert double.patch("/me/settings", {"theme": "dark"}).json == {**sampled, "theme": "dark"}
    assert double.put("/me/settings", {"theme": "a", "locale": "b"}).json == {"theme": "a", "locale": "b"}
    assert double.get("/me/settings").json == {"theme": "a", "locale": "b"}


def test_a_deleted_thing_without_a_key_is_404_until_it_is_put_again() -> None:
    settings = thing({"theme": TEXT}, "theme")
    paths = {
        "/me/settings": {
            "get": operation(answers(settings)),
            "put": operation(answers(settings), body=settings),
            "delete": operation(answers(status=204)),
        }
    }
    double = Double(document(paths))
    assert double.delete("/me/settings").status == 204
    assert double.get("/me/settings").status == 404
    double.put("/me/settings", {"theme": "dark"})
    assert double.get("/me/settings").json == {"theme": "dark"}


def test_a_flag_is_unset_until_put_and_after_delete() -> None:
    gist = thing({"id": TEXT, "description": TEXT}, "id")
    star = {
        "parameters": path_parameters(id=TEXT),
        "get": operation({**answers(status=204), **answers(status=404)}),
        "put": operation(answers(status=204)),
        "delete": operation(answers(status=204)),
    }
    paths = {
        **crud(gist, thing({"description": TEXT}), key_schema=TEXT, path="/gists"),
        "/gists/{id}/star": star,
    }
    double = Double(document(paths))
    one, two = (double.created("/gists", {"description": text})["id"] for text in "ab")
    assert double.get(f"/gists/{one}/star").status == 404
    assert double.put(f"/gists/{one}/star").status == 204
    assert double.get(f"/gists/{one}/star").status == 204
    assert double.get(f"/gists/{two}/star").status == 404
    assert double.delete(f"/gists/{one}/star").status == 204
    assert double.get(f"/gists/{one}/star").status == 404
    assert double.get("/gists/none/star").status == 404


def test_a_key_is_a_flag_where_nothing_describes_more() -> None:
    star = {
        "parameters": path_parameters(owner=TEXT, repo=TEXT),
        "get": operation({**answers(status=204), **answers(status=404)}),
        "put": operation(answers(status=204)),
        "delete": operation(answers(status=204)),
    }
    double = Double(document({"/user/starred/{owner}/{repo}": star}))
    assert double.get("/user/starred/a/b").status == 404
    assert double.put("/user/starred/a/b").status == 204
    assert double.get("/user/starred/a/b").status == 204
    assert double.get("/user/starred/x/b").status == 404
    assert double.delete("/user/starred/a/b").status == 204
    assert double.get("/user/starred/a/b").status == 404


def test_locking_sets_the_flag_of_its_name_and_unlocking_unsets_it() -> None:
    issue = thing({"number": INTEGER, "title": TEXT, "locked": FLAG}, "number", "locked")
    paths = crud(issue, thing({"title": TEXT}), key="issue_number", path="/issues")
    paths["/issues/{issue_number}/lock"] = {
        "parameters": path_parameters(issue_number=INTEGER),
        "put": operation(answers(status=204)),
        "delete": operation(answers(status=204)),
    }
    double = Double(document(paths))
    assert double.created("/issues", {"title": "t"})["locked"] is False
    double.put("/issues/1/lock")
    assert double.get("/issues/1").json["locked"] is True
    double.delete("/issues/1/lock")
    assert double.get("/issues/1").json["locked"] is False


STATES = {"type": "string", "enum": ["draft", "published", "cancelled", "archived"]}


@pytest.fixture
def orders() -> Double:
    order = thing(
        {"id": INTEGER, "note": TEXT, "status": STATES, "archived": FLAG,
         "published_at": {"type": ["string", "null"], "format": "date-time"}},
        "id", "status", "archived", "published_at",
    )  # fmt: skip
    paths = crud(ref("Order"), thing({"note": TEXT}), path="/orders")
    for verb in ("cancel", "publish", "unpublish", "archive", "unarchive", "poke"):
        paths[f"/orders/{{id}}/{verb}"] = {
            "parameters": path_parameters(id=INTEGER),
            "post": operation(answers(ref("Order"))),
        }
    double = Double(document(paths, {"Order": order}))
    double.created("/orders", {"note": "n"})
    return double


def test_a_new_item_is_in_the_first_state_with_its_flags_down(orders: Double) -> None:
    made = orders.get("/orders/1").json
    assert made == {"id": 1, "note": "n", "status": "draft", "archived": False, "published_at": None}


@pytest.mark.parametrize(
    ("verb", "changed"),
    [
        ("cancel", {"status": "cancelled"}),
        ("publish", {"status": "published", "published_at": NOW_TEXT}),
        ("archive", {"status": "archived", "archived": True}),
        ("poke", {}),
    ],
)
def test_a_verb_sets_what_it_names_and_nothing_else(orders: Double, verb: str, changed: dict[str, Any]) -> None:
    before = orders.get("/orders/1").json
    assert orders.post(f"/orders/1/{verb}").json == {**before, **changed}
    assert orders.get("/orders/1").json == {**before, **changed}


def test_an_undone_verb_takes_back_its_flag_and_its_time(orders: Double) -> None:
    orders.post("/orders/1/archive")
    assert orders.post("/orders/1/unarchive").json["archived"] is False
    orders.post("/orders/1/publish")
    assert orders.post("/orders/1/unpublish").json["published_at"] is None


def test_an_action_on_nothing_is_404(orders: Double) -> None:
    assert orders.post("/orders/9/cancel").status == 404


def test_a_custom_method_after_a_colon_is_an_action() -> None:
    order = thing({"id": INTEGER, "status": STATES}, "id", "status")
    paths = crud(ref("Order"), thing({}), path="/orders")
    paths["/orders/{id}:cancel"] = {
        "parameters": path_parameters(id=INTEGER),
        "post": operation(answers(ref("Order"))),
    }
    double = Double(document(paths, {"Order": order}))
    double.created("/orders", {})
    assert double.post("/orders/1:cancel").json["status"] == "cancelled"


# What nobody creates


@pytest.fixture
def sampled() -> Double:
    country = thing({"code": {"type": "string", "pattern": "^[A-Z]{2}$"}, "name": TEXT}, "code", "name")
    return Double(document({
        "/countries": {"get": operation(answers(array(country)))},
        "/countries/{code}": {
            "parameters": path_parameters(code=TEXT),
            "get": operation(answers(country)),
            "patch": operation(answers(country), body={"type": "object"}),
            "delete": operation(answers(status=204)),
        },
    }))  # fmt: skip


def test_listed_samples_read_as_they_are_listed(sampled: Double) -> None:
    listed = sampled.get("/countries").json
    assert len(listed) == 3
    assert [sampled.get(f"/countries/{country['code']}").json for country in listed] == listed


def test_any_key_reads_the_same_each_time_under_its_own_key(sampled: Double) -> None:
    found = sampled.get("/countries/ZZ").json
    assert found["code"] == "ZZ"
    assert sampled.get("/countries/ZZ").json == found
    assert sampled.get("/countries/ZY").json["code"] == "ZY"


def test_reading_a_sample_stores_nothing(sampled: Double) -> None:
    before = sampled.state
    sampled.get("/countries")
    sampled.get("/countries/ZZ")
    assert sampled.state is before


def test_a_deleted_sample_is_404_and_leaves_the_list(sampled: Double) -> None:
    first, *others = sampled.get("/countries").json
    assert sampled.delete(f"/countries/{first['code']}").status == 204
    assert sampled.get(f"/countries/{first['code']}").status == 404
    assert sampled.delete(f"/countries/{first['code']}").status == 404
    assert sampled.get("/countries").json == others


def test_a_deleted_unlisted_sample_is_404(sampled: Double) -> None:
    assert sampled.delete("/countries/ZZ").status == 204
    assert sampled.get("/countries/ZZ").status == 404


def test_a_patched_unlisted_sample_joins_the_list(sampled: Double) -> None:
    listed, found = sampled.get("/countries").json, sampled.get("/countries/ZZ").json
    changed = sampled.patch("/countries/ZZ", {"name": "Nowhere"}).json
    assert changed == {**found, "name": "Nowhere"}
    assert sampled.get("/countries/ZZ").json == changed
    assert sampled.get("/countries").json == [*listed, changed]


# Names and shapes


def test_a_text_parameter_does_not_mean_a_numeric_id() -> None:
    repo = thing({"id": INTEGER, "name": TEXT}, "id", "name")
    double = Double(document({"/repos/{repo}": {
        "parameters": path_parameters(repo=TEXT), "get": operation(answers(repo)),
        "patch": operation(answers(repo), body={"type": "object"}),
    }}))  # fmt: skip
    assert double.resource("/repos/{repo}").key == "name"
    assert double.get("/repos/hello").json["name"] == "hello"


def test_paths_that_differ_in_parameter_names_alone_are_one_resource() -> None:
    pet = thing({"id": INTEGER, "name": TEXT}, "id")
    paths = crud(pet, thing({"name": TEXT}), path="/pets")
    paths["/pets/{petId}/feed"] = {
        "parameters": path_parameters(petId=INTEGER),
        "post": operation(answers(pet)),
    }
    double = Double(document(paths))
    double.created("/pets", {"name": "Rex"})
    assert double.post("/pets/1/feed").json == {"id": 1, "name": "Rex"}


def test_a_list_of_names_is_no_collection_of_objects() -> None:
    template = thing({"name": TEXT, "source": TEXT}, "name", "source")
    double = Double(document({
        "/templates": {"get": operation(answers(array(TEXT)))},
        "/templates/{name}": {"parameters": path_parameters(name=TEXT), "get": operation(answers(template))},
    }))  # fmt: skip
    assert all(isinstance(name, str) for name in double.get("/templates").json)
    assert double.meaning("GET", "/templates").behaviour == "sample"


def test_every_meaning_says_why(orders: Double) -> None:
    for operation_id in orders.api.refs:
        meaning = orders.model.meaning(operation_id)
        assert meaning.reasons
        assert all(reason.about and reason.why for reason in meaning.reasons)


def test_an_operation_that_only_describes_a_failure_answers_that() -> None:
    double = Double(document({"/teapot": {"get": operation(answers(status=418))}}))
    assert double.get("/teapot").status == 418
