"""How things look in a terminal: memories with their words highlighted, hits, assembled prompts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

KIND_COLOURS = {
    "fact": "cyan",
    "event": "blue",
    "explicit_preference": "magenta",
    "implicit_preference": "yellow",
    "instruction": "green",
    "turn": "bright_black",
}
WINDOW = 160
"""Characters of a long turn shown on either side of a quote."""


def console(*, stderr: bool = False) -> Console:
    return Console(stderr=stderr, highlight=False, soft_wrap=False)


def printable(text: str) -> str:
    """Without control characters: captured text must not be able to drive the terminal."""
    return "".join(c if c in "\n\t" or (c.isprintable() and c != "\x9b") else "�" for c in text)


def flat(text: str) -> str:
    """Printable and on one line: what stands at a line's beginning must not be able to begin a line of its own."""
    return " ".join(printable(text).split())


_COUNTED = {
    "conversations": "conversations",
    "messages": "messages",
    "revisions": "earlier wordings of them",
    "memories": "memories",
    "candidates": "of them hints",
    "superseded": "of them superseded",
    "injections": "notes of what a chat was given",
}


def forget_counts(counts: Mapping[str, int]) -> str:
    """What goes, in words."""
    always = ("memories", "messages")
    return ", ".join(f"{counts[name]} {word}" for name, word in _COUNTED.items() if counts[name] or name in always)


def forget_view(answer: Mapping[str, Any]) -> RenderableType:
    """The preview of a forgetting."""
    lines = [Text(f"This would go: {forget_counts(answer['counts'])}.", style="bold")]
    lines += [_forget_item(item, "- ") for item in answer["goes"]]
    if answer["staying"]:
        lines.append(Text(f"{answer['staying']} memories lose some of their words, and stay:", style="bold"))
        lines += [_forget_item(item, "  ") for item in answer["stays"]]
    if answer["set_aside"]:
        lines.append(
            Text(f"Copies of the store of before a restoring, or damaged, that go too: {answer['set_aside']}.")
        )
    return Group(*lines)


_WHY = {"derived": "drawn from it alone", "other words": "rests on other words too", "yours": "you wrote it"}


def _forget_item(item: Mapping[str, Any], before: str) -> Text:
    line = Text(before, style="dim")
    line.append(f"{item['type']} ", style="dim")
    line.append(flat(item["text"]))
    if why := _WHY.get(item["why"]):
        line.append(f" ({why})", style="dim")
    return line


def receipt_line(receipt: Mapping[str, Any]) -> str:
    """A receipt in a line: what was done, and what reading the files found."""
    said = f"Receipt {receipt['id']}, {receipt['forgotten_at']}, by {receipt['way']}: "
    if receipt["bytes_found"] is None:
        return said + ("cut off, and ended without reading the files." if receipt["finished_at"] else "not ended yet.")
    read = f"{receipt['files']} files ({receipt['bytes_read'] / 1e6:.0f} MB) read,"
    read += f" {receipt['bytes_found']} bytes of it found."
    if receipt["backup_owed"]:
        read += " Our own backups were removed, and a fresh one could not be made yet: it is tried again."
    elif receipt["backups"]:
        read += f" Our own backups ({receipt['backups']}) were removed, and a fresh one was made."
    if receipt["elsewhere"]:
        read += (
            f" Backups elsewhere may hold it still ({receipt['elsewhere']}): `backups/elsewhere.json` in the data"
            " folder names them."
        )
    if receipt["bytes_found"]:
        read += " Some may lie in a copy that another program keeps in the data folder."
    return said + read


def kept_out_line(item: Mapping[str, Any]) -> str:
    """A conversation of which something is kept out, without content."""
    line = f"{item['id']}  {flat(item['site'])}  {item['turns']} turns forgotten {day(item['forgotten_at'])}"
    return line + (f", {item['sent_again']} sent again {day(item['sent_again_at'])}" if item["sent_again"] else "")


def kind_chip(kind: str) -> Text:
    return Text(kind.replace("_", " "), style=f"bold {KIND_COLOURS.get(kind, 'white')}")


def day(iso: str | None) -> str:
    return (iso or "")[:10]


def quoted_turn(content: str, spans: Iterable[tuple[int, int]], *, who: str, when: str | None = None) -> Text:
    """A turn with the words that a memory came from highlighted; a long one is cut around them."""
    spans = sorted(spans)
    first = min((start for start, _ in spans), default=0)
    last = max((end for _, end in spans), default=0)
    low, high = max(0, first - WINDOW), min(len(content), last + WINDOW)
    line = Text(f"{who}{f' {day(when)}' if when else ''}: ", style="dim")
    line.append("… " if low else "", style="dim")
    at = low
    for start, end in spans:
        if start > at:
            line.append(printable(content[at:start]), style="dim")
        line.append(printable(content[max(start, at) : end]), style="bold black on bright_yellow")
        at = max(at, end)
    line.append(printable(content[at:high]), style="dim")
    line.append(" …" if high < len(content) else "", style="dim")
    return line


def memory_view(memory: Mapping[str, Any], turns: Mapping[str, Mapping[str, Any]] | None = None) -> RenderableType:
    """One memory: its statement, what kind it is, where it came from. `turns` are messages by id."""
    head = Text("● ", style=KIND_COLOURS.get(memory["kind"], "white"))
    head.append(flat(memory["text"]), style="bold")
    facts = Text("  ")
    facts.append_text(kind_chip(memory["kind"]))
    if memory["status"] not in ("active",):
        facts.append(f"  {memory['status']}", style="red")
    if memory.get("pinned"):
        facts.append("  pinned", style="green")
    facts.append(f"  key: {flat(memory['key'])}", style="dim")
    if memory["tags"]:
        facts.append("  tags: " + ", ".join(map(flat, memory["tags"])), style="dim")
    when = day(memory.get("event_time")) or day(memory["valid_from"])
    facts.append(f"  {when}", style="dim")
    if memory["observations"] > 1:
        facts.append(f"  said {memory['observations']} times", style="dim")
    lines: list[RenderableType] = [head, facts]
    if memory.get("reasoning"):
        lines.append(Text(f"  why: {flat(memory['reasoning'])}", style="italic"))
    by_message: dict[str, list[Mapping[str, Any]]] = {}
    for source in memory["sources"]:
        by_message.setdefault(source["message_id"], []).append(source)
    for message_id, sources in by_message.items():
        turn = (turns or {}).get(message_id)
        if turn is None:
            for source in sources:
                lines.append(Padding(Text(f"“{printable(source['quote'])}”", style="yellow"), (0, 0, 0, 2)))
        else:
            spans = [(s["start"], s["end"]) for s in sources]
            lines.append(
                Padding(quoted_turn(turn["content"], spans, who=turn["role"], when=turn.get("time")), (0, 0, 0, 2))
            )
    if memory["sources"]:
        lines.append(Text(f"  conversation {memory['sources'][0]['conversation_id']}", style="dim"))
    return Group(*lines)


def time_left(seconds: int | None) -> str:
    """Roughly, as a person would say it; "" when it cannot be told."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"{seconds} s left"
    if seconds < 5400:
        return f"{round(seconds / 60)} min left"
    return f"{seconds / 3600:.1f} h left"


def progress_line(now: Mapping[str, Any]) -> str:
    """How far deriving again is (an answer of `GET /v1/rederive`), in one line."""
    if now["state"] == "applying":
        return f"{now['applied'] + now['skipped']} of {now['total']} changes made"
    facts = [f"{now['read']} of {now['turns']} turns read"]
    if now["rate"] is not None:
        facts.append(f"{now['rate']:.0f} a minute")
    return ", ".join(filter(None, [*facts, time_left(now["seconds_left"])]))


def reembedding_line(now: Mapping[str, Any]) -> str:
    """How far a change of the embedding model is (`reembedding` of `GET /v1/status`), and what answers meanwhile."""
    facts = [f"{now['done']} of {now['total']} embedded anew" + (f" with {now['model']}" if now["model"] else "")]
    if now["rate"] is not None:
        facts.append(f"{now['rate']:.0f} a minute")
    if now["seconds_left"]:
        facts.append(time_left(now["seconds_left"]))
    former = now["former"]
    answers = f"{former} answers meanwhile" if former else "the former model is gone, so words answer meanwhile"
    return printable(f"{', '.join(facts)}; {answers}.")


CHANGES = {
    "reworded": "Said otherwise",
    "status_changed": "No longer in the same state",
    "new": "New",
    "withdrawn": "No longer follows from what you said (put away, not deleted)",
    "sources_changed": "The same, on other words of yours",
}
"""Headings of the kinds of change, in the order in which they come."""


def changes_view(changes: Iterable[Mapping[str, Any]]) -> RenderableType:
    """What deriving again would change, by kind: before, after, and the words it rests on."""
    lines: list[RenderableType] = []
    kind = None
    for change in changes:
        if change["change"] != kind:
            kind = change["change"]
            lines.append(Text(f"\n{CHANGES[kind]}", style="bold"))
        lines.append(_change_view(change))
    return Group(*lines)


def _change_view(change: Mapping[str, Any]) -> RenderableType:
    before, after = change["before"], change["after"]
    lines: list[RenderableType] = []
    if before is None or before["text"] != after["text"]:
        if before is not None:
            lines.append(Text.assemble(("- ", "red"), flat(before["text"])))
        lines.append(Text.assemble(("+ ", "green"), flat(after["text"]), "  ", kind_chip(after["kind"])))
    else:
        lines.append(Text.assemble("  ", flat(after["text"]), "  ", kind_chip(after["kind"])))
    lines += [Text(f"    {fact}", style="dim") for fact in _differences(before, after)] if before else []
    if before is None and after["status"] != "active":
        lines.append(Text(f"    status {after['status']}", style="dim"))
    lines += [Text(f"    “{flat(source['quote'])}”", style="yellow") for source in after["sources"]]
    if change["reason"]:
        lines.append(Text(f"    skipped: {change['reason']}", style="dim"))
    return Group(*lines)


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    shown = {"kind": "kind", "status": "status", "valid_from": "from", "valid_to": "until", "event_time": "time"}
    facts = [
        f"{said} {flat(str(before[name]))} → {flat(str(after[name]))}"
        for name, said in (*shown.items(), ("key", "key"), ("observations", "said"), ("reasoning", "why"))
        if before[name] != after[name]
    ]
    if before["tags"] != after["tags"]:
        facts.append(f"tags {flat(', '.join(before['tags']))} → {flat(', '.join(after['tags']))}")
    return facts


def hits_view(hits: list[Mapping[str, Any]]) -> RenderableType:
    table = Table(box=None, pad_edge=False, show_header=True, header_style="dim")
    table.add_column("score", justify="right")
    table.add_column("when")
    table.add_column("what")
    table.add_column("", ratio=1)
    for hit in hits:
        text = flat(hit["text"])
        shown = Text(text if len(text) <= 240 else text[:239] + "…")
        if hit["type"] == "turn":
            shown = Text.assemble((f"{hit['said_by']}: ", "dim"), shown)
        if reasons := hit.get("reasons"):
            why = ", ".join(f"{reason['log_odds']:+.1f} {printable(reason['sign'])}" for reason in reasons)
            shown = Text.assemble(shown, (f"\n{why}", "dim"))
        table.add_row(f"{hit['score']:.2f}", day(hit["time"]), kind_chip(hit["kind"]), shown)
    return table


def context_view(answer: Mapping[str, Any], *, title: str) -> RenderableType:
    """The assembled prompt as a chat would receive it."""
    if not answer["context"]:
        return Panel(Text("Nothing remembered bears on this: nothing would be inserted.", style="dim"), title=title)
    text = Text(printable(answer["prompt"]))
    block = len(printable(answer["context"]))
    text.stylize("dim", 0, block)
    for hit in answer["hits"]:
        start = text.plain.find(printable(hit["text"])[:80])
        if 0 <= start < block:
            end = text.plain.find("\n", start)
            text.stylize(KIND_COLOURS.get(hit["kind"], "white"), start, end if end > 0 else block)
    text.stylize("bold", block)
    return Panel(text, title=title, subtitle=f"{answer['tokens']} tokens, {len(answer['hits'])} hits", padding=(1, 2))


MAY = {
    "capture": "hand over what is said in your chats",
    "recall": "ask for what is remembered",
    "manage": "list, edit, export and forget all of it",
}
"""What a scope lets a client do, for a person who decides on it."""


def clients_view(items: Iterable[Mapping[str, Any]]) -> RenderableType:
    """Who may ask (items of `GET /v1/clients`): the name, what it may, where, who it is, when it last asked, its id."""
    table = Table("name", "may", "in", "is", "since", "last", "id", box=None, pad_edge=False, header_style="dim")
    table.columns[-1].no_wrap = True
    for one in items:
        table.add_row(
            Text(printable(one["name"]), style="dim strike" if one["revoked_at"] else "bold"),
            "revoked" if one["revoked_at"] else ", ".join(one["scopes"]),
            "all profiles" if one["profiles"] is None else Text(printable(", ".join(one["profiles"]))),
            Text(printable(one["origin"] or "a program")),
            day(one["created_at"]),
            day(one["last_used_at"]) or "never",
            one["id"],
        )
    return table


def pairing_view(asks: Mapping[str, Any], *, scopes: Iterable[str], profiles: Iterable[str]) -> str:
    """Who asks to be connected (an answer of `POST /v1/pairings`), and what it would be allowed."""
    origin = asks["origin"]
    whose = ", ".join(profiles)
    return "\n".join(
        [
            f"{asks['client']!r} asks to be connected.",
            f"  it is   {f'the browser extension {flat(origin)}' if origin else 'a program on this computer'}",
            f"  it may  {'; '.join(MAY[scope] for scope in scopes)}",
            f"  in      {flat(f'the profile {whose}') if whose else 'all profiles'}",
        ]
    )
