"""A model process: `python -m satchel.models.worker`, spoken to in frames over its standard input and output.

It listens nowhere, writes no core, logs no text, and ends when its input closes, also in the middle of a
generation, so that it never outlives the daemon.
"""

from __future__ import annotations

import ctypes
import os
import queue
import signal
import sys
import threading
from typing import TYPE_CHECKING, BinaryIO

from satchel.models import frames

if TYPE_CHECKING:
    from satchel.models import llama

Work = frames.Load | frames.Embed | frames.Read | frames.Count | frames.Generate
PR_SET_DUMPABLE = 4


def main() -> None:
    keep_memory_private()
    # Ctrl-C in a terminal reaches the whole group; the daemon decides when this process ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests, replies = take_pipes()
    start = frames.read_request(requests)
    if not isinstance(start, frames.Start):
        return
    if hasattr(os, "nice") and start.nice:
        os.nice(start.nice)
    Worker(start, requests, replies).run()


def keep_memory_private() -> None:
    """No core dumps, and on Linux no reading of this memory by other programs of the same user: it holds what
    people said. A core that goes to a pipe ignores the limit, hence both."""
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Move the pipes away from the standard descriptors: llama.cpp prints there, and might print the text."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)
    return requests, replies


class Worker:
    """One request after another. A second thread reads, so that Cancel and the end of the input are seen at
    once."""

    def __init__(self, start: frames.Start, requests: BinaryIO, replies: BinaryIO) -> None:
        self._start = start
        self._requests = requests
        self._replies = replies
        self._queue: queue.SimpleQueue[Work] = queue.SimpleQueue()
        self._cancelled: int | None = None
        self._model: llama.EmbeddingModel | llama.GenerativeModel | None = None
        self._vocabulary: llama.Vocabulary | None = None

    def run(self) -> None:
        threading.Thread(target=self._listen, daemon=True).start()
        # Late, so that the reading thread is there should the daemon go away while the library loads.
        from satchel.models import llama

        llama.initialise()
        while True:
            request = self._queue.get()
            try:
                reply = self._answer(request)
            except llama.LlamaError as error:
                reply = frames.Failed(request.id, str(error))
            except llama.Cancelled:
                reply = frames.Failed(request.id, "Nobody waits for this any more")
            self._send(reply)

    def _listen(self) -> None:
        while (request := frames.read_request(self._requests)) is not None:
            if isinstance(request, frames.Cancel):
                self._cancelled = request.id
            elif not isinstance(request, frames.Start):
                self._queue.put(request)
        os._exit(0)  # the main thread may be inside llama.cpp for seconds

    def _send(self, reply: frames.Reply) -> None:
        data = memoryview(frames.pack(reply))
        while data:
            data = data[self._replies.write(data) or 0 :]

    def _answer(self, request: Work) -> frames.Reply:
        match request:
            case frames.Load():
                return self._load(request)
            case frames.Embed():
                return frames.Vectors(request.id, self._embedder().embed(request.texts).tobytes())
            case frames.Read():
                return frames.Vectors(request.id, self._embedder().read(request.passages, request.adapter).tobytes())
            case frames.Count():
                tokenize = self._tokenizer().tokenize
                return frames.Counts(request.id, [len(tokenize(text)) for text in request.texts])
            case frames.Generate():
                return self._generate(request)

    def _load(self, request: frames.Load) -> frames.Loaded:
        if request.what == "vocabulary":
            self._tokenizer()
            return frames.Loaded(request.id, dimensions=0, context=0)
        if self._start.role == "embed":
            return frames.Loaded(request.id, dimensions=self._embedder().dimensions, context=0)
        model = self._generator()
        return frames.Loaded(request.id, dimensions=model.dimensions, context=model.context)

    def _generate(self, request: frames.Generate) -> frames.Generated:
        from satchel.models import llama

        def alive() -> None:
            if self._cancelled == request.id:
                raise llama.Cancelled
            self._send(frames.Alive(request.id))

        done = self._generator().generate(
            request.prompt,
            grammar=request.grammar,
            max_tokens=request.max_tokens,
            stop=request.stop,
            alive=alive,
        )
        return frames.Generated(request.id, done)

    def _embedder(self) -> llama.EmbeddingModel:
        from satchel.models import llama

        if self._model is None:
            path = self._path(self._start.model)
            self._model = llama.EmbeddingModel(path, threads=self._start.threads, adapters=self._start.adapters)
        assert isinstance(self._model, llama.EmbeddingModel)
        return self._model

    def _generator(self) -> llama.GenerativeModel:
        from satchel.models import llama

        if self._model is None:
            path = self._path(self._start.model)
            threads, context = self._start.threads, self._start.context
            self._model = llama.GenerativeModel(path, threads=threads, context=context)
        assert isinstance(self._model, llama.GenerativeModel)
        return self._model

    def _tokenizer(self) -> llama.Vocabulary:
        from satchel.models import llama

        if self._vocabulary is None:
            self._vocabulary = llama.Vocabulary.load(self._path(self._start.vocabulary))
        return self._vocabulary

    @staticmethod
    def _path(path: str | None) -> str:
        from satchel.models import llama

        if path is None:
            raise llama.LlamaError("This process was started without that model")
        return path


if __name__ == "__main__":
    main()
