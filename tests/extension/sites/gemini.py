"""The server's side of Gemini: lists without names, in Google's envelope, over StreamGenerate and batchexecute.

What a second answer to the same prompt looks like here is a guess: no public source shows it. It is a new response with
an id of its own in the place of the old one, as an edited prompt is.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

from extension.sites.chat import ChatSite, Conversation, Message, Request, Response

DATA = "/_/BardChatUi/data/"
TEMPORARY = 45
START = ")]}'\n\n"


class Gemini(ChatSite):
    """A response is a pair: the user's message has its id (`r_...`), the assistant's the candidate's (`rc_...`)."""

    id = "gemini"
    name = "Google Gemini"
    hosts = ("gemini.google.com",)
    # Quill empties its element, and reads what is pasted, as HTML.
    trusted_types = ("default",)

    def path(self, conversation_id: str) -> str:
        return f"/app/{conversation_id}"

    def new_conversation_id(self) -> str:
        return secrets.token_hex(8)

    def seed_turn(self, conversation: Conversation, role: str, text: str, created: float) -> Message:
        return conversation.add(self.turn(conversation.current, role, text, created))

    def turn(self, parent: str | None, role: str, text: str, created: float) -> Message:
        return Message(f"{'r' if role == 'user' else 'rc'}_{secrets.token_hex(8)}", parent, role, text, created)

    def handle(self, request: Request) -> Response | None:
        if request.method != "POST" or not request.path.startswith(DATA):
            return None
        asked = json.loads(parse_qs(request.text)["f.req"][0])
        if request.path.endswith("/assistant.lamda.BardFrontendService/StreamGenerate"):
            return self.prompt(request, json.loads(asked[1]))
        answers = [self.call(call[0], json.loads(call[1])) for call in asked[0]]
        return Response((START + "".join(answers) + chunk([["di", 42], ["e", 4, None, None, 139]])).encode())

    def call(self, rpc: str, arguments: list[Any]) -> str:
        value: Any = []
        if rpc == "MaZiqc":
            value = [None, None, [[f"c_{kept.id}", kept.title, None] for kept in self.listed()]]
        elif rpc == "hNvQHb":
            conversation = self.conversations[arguments[0].removeprefix("c_")]
            value = self.shaped("history", self.history(conversation))
        elif rpc == "NkpXw":
            self.stop(arguments[0].removeprefix("c_"))
        return chunk([["wrb.fr", rpc, json.dumps(value, ensure_ascii=False), None, None, None, "generic"]])

    def prompt(self, request: Request, asked: list[Any]) -> Response:
        text = asked[0][0]
        conversation_id, _, parent = [each or "" for each in asked[2][:3]]
        with self.lock:
            conversation = self.conversations.get(conversation_id.removeprefix("c_"))
            if conversation is None:
                conversation = Conversation(self.new_conversation_id(), f"About {text[:24]}", self.now())
                conversation.temporary = len(asked) > TEMPORARY and asked[TEMPORARY] == 1
                self.conversations[conversation.id] = conversation
            self.receive(conversation.id, text, request)
            user = conversation.add(self.turn(parent or None, "user", text, self.now()))
            answer = conversation.add(self.turn(user.id, "assistant", "", self.now()))
            answer.finished = False
            said = self.take_answer()
        return self.stream(self.events(conversation, user, answer, said), "application/json; charset=utf-8")

    def events(self, conversation: Conversation, user: Message, answer: Message, said: str) -> Iterator[str]:
        """Each chunk has the whole answer so far."""
        ids = [f"c_{conversation.id}", user.id]
        yield START
        yield wrapped([None, ids])
        for number, _ in enumerate(self.write(answer, said)):
            if number % 3 == 0:
                yield wrapped(self.shaped("event", [None, ids, None, None, [self.candidate(answer, done=False)]]))
        last = [None, ids, None, None, [self.candidate(answer, done=answer.finished)]]
        yield wrapped(self.shaped("event", last))
        yield chunk([["di", 812], ["af.httprm", 811, "-1", 17]])
        yield chunk([["e", 9, None, None, 2048]])

    def candidate(self, answer: Message, *, done: bool) -> list[Any]:
        state = [2 if done else 1]
        thinking = [["A thought that is none of the answer."]]
        return [answer.id, [answer.text], None, None, None, None, None, None, state, *[None] * 28, thinking]

    def history(self, conversation: Conversation) -> list[Any]:
        """Newest first; only the branch shown."""
        branch = conversation.branch()
        turns: list[Any] = []
        for user in (message for message in branch if message.role == "user"):
            answer = next((message for message in branch if message.parent == user.id), None)
            before = conversation.messages[user.parent] if user.parent else None
            turns.append(
                [
                    [f"c_{conversation.id}", user.id],
                    [f"c_{conversation.id}", before.parent, before.id] if before else None,
                    [[user.text], 1, None, 0, "", 0],
                    [[self.candidate(answer, done=answer.finished)]] if answer else None,
                    [int(user.created), int(user.created % 1 * 1e9)],
                ]
            )
        return [turns[::-1], None, None, []]


def chunk(value: list[Any]) -> str:
    """A chunk of the envelope: its length, then a list without a line break."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"{len(text.encode('utf-16-le')) // 2 + 2}\n{text}\n"


def wrapped(body: list[Any]) -> str:
    return chunk([["wrb.fr", None, json.dumps(body, ensure_ascii=False)]])
