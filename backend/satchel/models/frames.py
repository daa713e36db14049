"""What the daemon and a model process say to each other, over the process's standard input and output.

A frame is its length (4 bytes, big-endian), then one msgpack value of the types below. The daemon has at most
one request in flight in each process, so replies need no table; the id only tells an answer from a stale one.
"""

from __future__ import annotations

import struct
from typing import BinaryIO, Literal

import msgspec

from satchel.models.protocols import Adapter, Generation, Passage

HEADER = struct.Struct(">I")
MAX_FRAME = 256 << 20
"""Bytes. More than any request needs: a length beyond it means that the two sides lost step."""


class Start(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The first frame: paths come here, not in argv, where every user of the machine could read them.

    `model` is the GGUF to run, `vocabulary` one whose tokenizer is wanted alone; each may be None. `adapters` are the
    files of the LoRAs for the model that `Read` may ask for. `context` is in tokens.
    """

    role: Literal["embed", "generate"]
    model: str | None
    vocabulary: str | None
    threads: int
    context: int
    nice: int
    adapters: dict[Adapter, str] = {}


class Load(msgspec.Struct, frozen=True, tag=True):
    """Load now what later requests need."""

    id: int
    what: Literal["model", "vocabulary"]


class Embed(msgspec.Struct, frozen=True, tag=True):
    id: int
    texts: list[str]


class Read(msgspec.Struct, frozen=True, tag=True):
    """Answered by one vector for each marked piece, passage by passage."""

    id: int
    passages: list[Passage]
    adapter: Adapter = "gate"


class Count(msgspec.Struct, frozen=True, tag=True):
    id: int
    texts: list[str]


class Generate(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    id: int
    prompt: str
    grammar: str | None
    max_tokens: int
    stop: list[str]


class Cancel(msgspec.Struct, frozen=True, tag=True):
    """Nobody waits for request `id` any more: stop it when convenient. It is still answered."""

    id: int


class Loaded(msgspec.Struct, frozen=True, tag=True):
    id: int
    dimensions: int
    context: int


class Vectors(msgspec.Struct, frozen=True, tag=True):
    """`data`: float32, native order, one row of the model's width for each text or marked piece."""

    id: int
    data: bytes


class Counts(msgspec.Struct, frozen=True, tag=True):
    id: int
    counts: list[int]


class Generated(msgspec.Struct, frozen=True, tag=True):
    id: int
    generation: Generation


class Alive(msgspec.Struct, frozen=True, tag=True):
    """Still working on `id`: sent now and then, so that slow is told from hung."""

    id: int


class Failed(msgspec.Struct, frozen=True, tag=True):
    """Request `id` cannot be done; `message` holds nothing of the user's text."""

    id: int
    message: str


Request = Start | Load | Embed | Read | Count | Generate | Cancel
Reply = Loaded | Vectors | Counts | Generated | Alive | Failed

_requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)
_encoder = msgspec.msgpack.Encoder()


def pack(frame: Request | Reply) -> bytes:
    body = _encoder.encode(frame)
    return HEADER.pack(len(body)) + body


def read_request(stream: BinaryIO) -> Request | None:
    """The next request from a blocking stream; None when the daemon closed it."""
    head = stream.read(HEADER.size)
    if len(head) < HEADER.size:
        return None
    (length,) = HEADER.unpack(head)
    body = stream.read(length)
    return _requests.decode(body) if len(body) == length else None


def decode_reply(body: bytes) -> Reply:
    return _replies.decode(body)
