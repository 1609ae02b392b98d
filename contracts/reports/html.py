"""The report as one page that needs nothing else: findings to filter and to unfold, what was covered, light or dark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from importlib.resources import files

from contracts.coverage import OperationCovered, Tally
from contracts.findings import Difference, Finding
from contracts.outcomes import Outcome
from contracts.reports.bodies import capitalized, cut, pretty, written
from contracts.reports.curl import curl
from contracts.reports.material import LIKELY, Material, check_of, family_of, family_rows, line_text, spoken
from contracts.reports.pytest_code import pytest_code
from contracts.service import Recorded

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def html(material: Material) -> str:
    """The page. Whatever a reply had in it is shown as text; a policy lets nothing in from elsewhere."""
    here = files("contracts.reports")
    style = here.joinpath("page.css").read_text(encoding="utf-8")
    script = here.joinpath("page.js").read_text(encoding="utf-8")
    report = material.report
    name = _text(report.plan.source.name, material)
    return "\n".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            f"<title>{name}: the contract {material.standing.outcome}</title>",
            f"<style>{style}</style></head><body>",
            *_head(material),
            "<main>",
            *_families(material),
            *_findings(material),
            *_coverage(material),
            *_tasks(material),
            f"</main><script>{script}</script></body></html>\n",
        )
    )


def _text(text: str, material: Material) -> str:
    """A text that can stand in the page: without secrets, escaped."""
    return escape(material.text(text))


def _head(material: Material) -> Iterator[str]:
    report = material.report
    fails = sum(one.fails for one in report.findings)
    accepted = sum(one.accepted is not None for one in report.findings)
    standing = material.standing
    kind = {Outcome.HOLDS: "good", Outcome.BROKEN: "bad", Outcome.UNKNOWN: "ask"}[standing.outcome]
    why = f": {_text(standing.why, material)}" if standing.why else ""
    name = _text(report.plan.source.name, material)
    yield f'<header><h1>{name} <span class="{kind}">{standing.outcome}{why}</span></h1>'
    yield (f"<p>{_text(report.base_url, material)} · {report.exchanges} exchanges in {report.elapsed:.1f} s · "
           f"{report.began:%Y-%m-%d %H:%M} UTC · seed {report.plan.seed}</p>")  # fmt: skip
    yield '<div class="numbers">'
    numbers = [
        (fails, "findings", "bad" if fails else "good"),
        (len(report.findings) - fails - accepted, "questions", "ask"),
    ]
    numbers += [(accepted, "accepted", "dim")] if accepted else []
    for number, label, kind in numbers:
        yield f'<div><b class="{kind}">{number}</b>{label}</div>'
    for label, tally in material.covered.tallies():
        if tally.all:
            yield f"<div><b>{tally.percent:g}<small> %</small></b>{label}{_meter(tally)}</div>"
    yield "</div></header>"


def _meter(tally: Tally) -> str:
    return f'<i class="meter" title="{tally.met} of {tally.all}"><i style="width:{tally.percent}%"></i></i>'


def _families(material: Material) -> Iterator[str]:
    yield '<section><h2>Families</h2><div class="wide"><table><thead><tr><th>family<th class="n">tasks'
    yield '<th class="n">came to nothing<th class="n">findings<th class="n">questions<th class="n">seconds</thead>'
    for row in family_rows(material.report):
        kind = "bad" if row.findings else "good"
        yield f'<tr><td>{row.family}<td class="n">{row.made} of {row.tasks}<td class="n">{row.fruitless}'
        yield f'<td class="n {kind}">{row.findings}<td class="n">{row.questions}<td class="n">{row.seconds:.1f}'
    yield "</table></div></section>"


def _findings(material: Material) -> Iterator[str]:
    yield '<section><h2>Findings <small id="count"></small></h2>'
    if not material.findings:
        yield "<p>Nothing was found.</p></section>"
        return
    yield '<form id="filters">'
    for name, values in (
        ("family", sorted({family_of(one) for one in material.findings})),
        ("check", sorted({one.check for one in material.findings})),
        ("side", sorted({str(one.side) for one in material.findings})),
        ("operation", sorted({one.operation_id for one in material.findings})),
    ):
        options = "".join(f"<option>{_text(value, material)}</option>" for value in values)
        yield f'<label>{name}<select name="{name}"><option value="">all</option>{options}</select></label>'
    yield '<label class="grow">text<input name="text" type="search" placeholder="anything in a finding"></label></form>'
    for finding in material.findings:
        yield from _finding(finding, material)
    yield '<p id="none" hidden>No finding is like that.</p></section>'


def _finding(finding: Finding, material: Material) -> Iterator[str]:
    kind = "dim" if finding.accepted is not None else "bad" if finding.fails else "ask"
    label = "accepted" if finding.accepted is not None else "finding" if finding.fails else "question"
    data = {
        "family": family_of(finding),
        "check": finding.check,
        "side": str(finding.side),
        "operation": finding.operation_id,
    }
    marks = " ".join(f'data-{name}="{_text(value, material)}"' for name, value in data.items())
    sentence = material.text(finding.sentence)
    yield f'<details class="finding {kind}" id="f-{finding.fingerprint}" {marks}><summary>'
    yield f'<span class="tag">{label}</span><span class="said">{escape(capitalized(sentence))}</span>'
    yield f'<span class="what">{escape(finding.check)} · {_text(finding.operation_id, material)}</span></summary>'
    yield '<div class="body">'
    yield from _facts(finding, material)
    if finding.differences:
        yield '<h3>Expected and got</h3><div class="diffs">'
        for difference in finding.differences:
            yield from _difference(difference, material)
        yield "</div>"
    if finding.sequence:
        yield "<h3>What was sent, and what came</h3><ol>"
        for number, one in enumerate(finding.sequence, 1):
            yield from _exchange(one, material, unfolded=number == len(finding.sequence))
        yield "</ol>"
        base = material.report.base_url
        yield _folded("In a shell", curl(finding, material.secrets, base), material)
        yield _folded("As a test", pytest_code(finding, material.secrets, base), material)
    if finding.remedy:
        yield _folded("What would settle it", finding.remedy, material, unfolded=True)
    yield "</div></details>"


def _facts(finding: Finding, material: Material) -> Iterator[str]:
    check = check_of(finding)
    rule = f": {check.summary} <span class=dim>{_text(check.source, material)}</span>" if check is not None else ""
    yield f"<dl><dt>likely wrong<dd>{escape(LIKELY[finding.side])}{rule}"
    if finding.accepted is not None:
        yield f"<dt>accepted<dd>{_text(finding.accepted, material)}"
    if finding.place is not None:
        line = line_text(finding.place).strip()
        yield f"<dt>described<dd><code>{_text(material.where(finding.place), material)}</code>"
        yield f"<code class=dim>{_text(line, material)}</code>"
    yield f"<dt>run again<dd><code>{_text(material.again(finding), material)}</code>"
    yield f"<dt>fingerprint<dd><code>{finding.fingerprint}</code>"
    for note in finding.notes:
        yield f"<dt>note<dd>{_text(note, material)}"
    yield "</dl>"


def _difference(one: Difference, material: Material) -> Iterator[str]:
    expected, got = written(one.expected, most=600), written(one.got, most=600)
    yield f"<div><code>{_text(spoken(one.pointer), material)}</code>"
    yield f"<span class=dim>{_text(one.message, material)}</span>"
    yield f"<pre><del>{_text(expected, material)}</del><ins>{_text(got, material)}</ins></pre></div>"


def _exchange(one: Recorded, material: Material, *, unfolded: bool) -> Iterator[str]:
    who = f" <span class=dim>as {_text(one.caller.name, material)}</span>" if one.caller is not None else ""
    kind = "good" if one.ok else "bad" if one.status >= 500 else "ask"
    target = _text(cut(material.secrets.hidden(one.request.target), 300), material)
    yield f"<li><details{' open' if unfolded else ''}><summary>"
    yield f"<code>{_text(one.request.method, material)} {target}</code>"
    yield f'{who} <b class="{kind}">{one.status}</b></summary><div class="two">'
    hidden = material.secrets.hidden_bytes
    sent = _message(one.request.headers.items(), pretty(hidden(one.request.body)), material)
    came = _message(one.reply.headers, pretty(hidden(one.reply.body)), material)
    yield f"<div>request{sent}</div><div>reply{came}</div></div></details>"


def _message(headers: Iterable[tuple[str, str]], body: str, material: Material) -> str:
    lines = "\n".join(f"{name}: {value}" for name, value in headers)
    shown = f"<span class=dim>{_text(lines, material)}</span>" if lines else ""
    if not lines and not body:
        return "<pre><span class=dim>nothing but the request line</span></pre>"
    gap = "\n\n" if shown and body else ""
    return f"<pre>{shown}{gap}{escape(body)}</pre>"


def _folded(title: str, text: str, material: Material, *, unfolded: bool = False) -> str:
    state = " open" if unfolded else ""
    return (f'<details class="code"{state}><summary>{title}</summary><button type="button">copy</button>'
            f"<pre>{_text(text, material)}</pre></details>")  # fmt: skip


def _coverage(material: Material) -> Iterator[str]:
    yield '<section><h2>Coverage</h2><div class="wide"><table><thead><tr><th>operation<th class="n">calls'
    yield "<th>status codes<th>parameters<th>body<th>not exercised</thead>"
    for row in material.covered.rows:
        yield from _operation(row, material)
    yield "</table></div>"
    for resource in material.covered.resources:
        met = ((_text(name, material), times) for name, times in resource.moves.items())
        moves = " ".join(f'<span class="code {"met" if times else "unmet"}" title="{times} times">{name}</span>'
                         for name, times in met)  # fmt: skip
        yield f"<p>Moves of {_text(resource.resource, material)}: {moves}</p>"
    yield "</section>"


def _operation(row: OperationCovered, material: Material) -> Iterator[str]:
    codes = [(code, times, "met" if times else "unmet") for code, times in row.statuses.items()]
    codes += [(code, times, "odd") for code, times in row.undescribed.items()]
    marks = " ".join(
        f'<span class="code {kind}" title="{times} times">{_text(code, material)}</span>' for code, times, kind in codes
    )
    path = _text(row.path, material)
    yield f'<tr><td><b>{_text(row.operation_id, material)}</b><br><code class="dim">{row.method} {path}</code>'
    yield f'<td class="n">{row.calls}<td>{marks}'
    for tally in (row.parameters, row.body):
        yield f"<td>{f'{tally.percent:g} %{_meter(tally)}' if tally.all else '<span class=dim>none</span>'}"
    if row.why:
        yield f'<td class="ask">not called: {_text(cut(row.why, 300), material)}'
    elif row.missed:
        items = "".join(f"<li>{_text(missed, material)}" for missed in row.missed)
        yield f"<td><details><summary>{len(row.missed)}</summary><ul>{items}</ul></details>"
    else:
        yield "<td>"


def _tasks(material: Material) -> Iterator[str]:
    report = material.report
    yield "<section><details><summary><h2>Tasks</h2></summary>"
    yield '<div class="wide"><table><thead><tr><th>task<th class="n">attempts<th class="n">seconds<th>outcome</thead>'
    for one in report.done:
        held = one.held
        outcome = one.error or ("made" if held is not None and held.applied else held.why if held is not None else "")
        attempts = f"{held.attempts - held.fruitless} of {held.attempts}" if held is not None else ""
        yield (f'<tr><td>{_text(one.task.name, material)}<td class="n">{attempts}<td class="n">{one.elapsed:.2f}'
               f"<td>{_text(cut(outcome, 300), material)}")  # fmt: skip
    for task in report.left:
        yield f'<tr><td>{_text(task.name, material)}<td><td><td class="ask">there was no time'
    yield "</table></div></details></section>"
