"""llama.cpp, as little of it as Satchel needs: a vocabulary, an embedder, a greedy generator with a grammar.

Imported only in the model processes. These classes speak to llama.cpp's C interface through the bindings of
llama-cpp-python, not through its `Llama`, whose sampling loop tests a grammar against the whole vocabulary
for every token.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import llama_cpp.llama_cpp as C  # noqa: N812 - it is C
import numpy as np
from numpy.typing import NDArray

from satchel.models.cores import Cores
from satchel.models.prompts import split_template
from satchel.models.protocols import Adapter, Generation, Passage

NO_POSITION = -1
EMBED_TOKENS = 256
"""The longest input of an embedding, special tokens included. MiniLM accepts 512, but was trained and is
published with 256: beyond, the mean over ever more words says ever less, and the reference cuts here too."""
EMBED_BATCH_TOKENS = 512
EMBED_SEQUENCES = 4
READ_TOKENS = {"before": 96, "piece": 120, "between": 60}
"""The most tokens of what went before (its end), of a marked piece (its beginning), and of what stands between."""
PROMPT_BATCH = 512
ALIVE_SECONDS = 1.0
# How many of the likeliest tokens the grammar is shown, step by step: nearly always the first is allowed.
WIDENINGS = (1, 64, 1024)

_log: list[str] = []


@C.llama_log_callback  # type: ignore[untyped-decorator,unused-ignore]
def _keep_errors(level: int, text: bytes, _: ctypes.c_void_p) -> None:
    if level == 4 or (level == 5 and _log):  # ggml: error, continuation
        del _log[:-8]
        _log.append(text.decode("utf-8", "replace").strip())


class LlamaError(Exception):
    """llama.cpp refused; the message holds nothing of the user's text."""


class Cancelled(Exception):  # noqa: N818 - not an error
    """The daemon lost interest."""


def initialise() -> None:
    """Once in a process, before anything else here."""
    C.llama_log_set(_keep_errors, ctypes.c_void_p(0))
    C.llama_backend_init()


class Vocabulary:
    """A model's tokenizer."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.pointer = C.llama_model_get_vocab(model)
        self.size = int(C.llama_vocab_n_tokens(self.pointer))
        self._piece = ctypes.create_string_buffer(256)

    @classmethod
    def load(cls, path: str) -> Vocabulary:
        """The tokenizer alone: a few megabytes, whatever the size of the model."""
        parameters = C.llama_model_default_params()
        parameters.vocab_only = True
        return cls(_load(path, parameters))

    def tokenize(self, text: str, *, special: bool = False, add_special: bool = False) -> list[int]:
        """Token ids. With `special` false, text that looks like a control token is ordinary text."""
        # "surrogatepass" would make bytes that are no UTF-8; what cannot be encoded is replaced.
        data = text.encode("utf-8", "replace")
        room = len(data) + 8
        tokens = (C.llama_token * room)()
        count = C.llama_tokenize(self.pointer, data, len(data), tokens, room, add_special, special)
        if count < 0:
            room = -count
            tokens = (C.llama_token * room)()
            count = C.llama_tokenize(self.pointer, data, len(data), tokens, room, add_special, special)
        return list(tokens[:count])

    def piece(self, token: int) -> bytes:
        """The bytes a token stands for; empty for control tokens."""
        length = C.llama_token_to_piece(self.pointer, token, self._piece, len(self._piece), 0, False)
        if length < 0:
            self._piece = ctypes.create_string_buffer(-length)
            length = C.llama_token_to_piece(self.pointer, token, self._piece, len(self._piece), 0, False)
        return self._piece.raw[:length]

    def ends(self, token: int) -> bool:
        return bool(C.llama_vocab_is_eog(self.pointer, token))


class EmbeddingModel:
    """Mean-pooled sentence vectors; with an adapter, also the vectors of pieces of a text in their context."""

    def __init__(self, path: str, *, threads: int, adapters: Mapping[Adapter, str] | None = None) -> None:
        self._model = _load(path, C.llama_model_default_params())
        self.vocabulary = Vocabulary(self._model)
        self.dimensions = int(C.llama_model_n_embd(self._model))
        self._cores = Cores(threads)
        self._threads = threads
        self._context = self._encoder(C.LLAMA_POOLING_TYPE_MEAN)
        self._limit = min(EMBED_TOKENS, int(C.llama_model_n_ctx_train(self._model)))
        self._batch = C.llama_batch_init(EMBED_BATCH_TOKENS, 0, EMBED_SEQUENCES)
        self._adapters = adapters or {}
        self._reading: dict[Adapter, Any] = {}
        """The context of each adapter that was asked for: the same weights, another few megabytes."""

    def _encoder(self, pooling: int) -> Any:
        parameters = C.llama_context_default_params()
        parameters.embeddings = True
        parameters.pooling_type = pooling
        # An encoder sees a whole text at once: a physical batch smaller than the text aborts the process.
        parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = EMBED_BATCH_TOKENS
        parameters.n_seq_max = EMBED_SEQUENCES
        parameters.kv_unified = True
        parameters.n_threads = parameters.n_threads_batch = self._threads
        return _context(self._model, parameters)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, dimensions), unit rows. Longer texts are cut. An empty text has the vector of no words."""
        rows = np.empty((len(texts), self.dimensions), dtype=np.float32)
        waiting: list[tuple[int, list[int]]] = []
        filled = 0
        for row, text in enumerate(texts):
            tokens = self._tokens(text)
            if filled + len(tokens) > EMBED_BATCH_TOKENS or len(waiting) == EMBED_SEQUENCES:
                self._run(waiting, rows)
                waiting, filled = [], 0
            waiting.append((row, tokens))
            filled += len(tokens)
        if waiting:
            self._run(waiting, rows)
        return rows

    def _tokens(self, text: str) -> list[int]:
        # The rest would be cut anyway: no token is longer than its text, and few words are longer than this.
        tokens = self.vocabulary.tokenize(text[: 64 * self._limit], add_special=True)
        # The last token is [SEP]: it stays last.
        return tokens if len(tokens) <= self._limit else [*tokens[: self._limit - 1], tokens[-1]]

    def read(self, passages: Sequence[Passage], adapter: Adapter = "gate") -> NDArray[np.float32]:
        """(marked pieces, dimensions), unit rows: the mean over each piece's tokens, which have seen the passage.

        A piece that no token stands for, or that lies beyond what the model can see, has a row of zeros. Raises
        LlamaError when there is no adapter, or it does not fit the model.
        """
        if adapter not in self._reading:
            self._reading[adapter] = self._with_adapter(adapter)
        context = self._reading[adapter]
        laid = [lay_out(self.vocabulary, passage) for passage in passages]
        rows = np.zeros((sum(len(spans) for _, spans in laid), self.dimensions), dtype=np.float32)
        first_row = 0
        waiting: list[tuple[int, list[int], list[tuple[int, int]]]] = []
        filled = 0
        for tokens, spans in laid:
            if waiting and (filled + len(tokens) > EMBED_BATCH_TOKENS or len(waiting) == EMBED_SEQUENCES):
                self._read(context, waiting, rows)
                waiting, filled = [], 0
            waiting.append((first_row, tokens, spans))
            filled += len(tokens)
            first_row += len(spans)
        if waiting:
            self._read(context, waiting, rows)
        return rows

    def _with_adapter(self, name: Adapter) -> Any:
        file = self._adapters.get(name)
        if file is None:
            raise LlamaError(f"This embedding model has no adapter to read with ({name})")
        _log.clear()
        adapter = C.llama_adapter_lora_init(self._model, file.encode())
        if not adapter:
            raise LlamaError(f"llama.cpp cannot load {file}{_reason()}")
        context = self._encoder(C.LLAMA_POOLING_TYPE_NONE)
        adapters = (C.llama_adapter_lora_p_ctypes * 1)(adapter)
        if C.llama_set_adapters_lora(context, adapters, 1, (ctypes.c_float * 1)(1.0)) != 0:
            raise LlamaError(f"llama.cpp cannot apply {file}{_reason()}")
        return context

    def _read(
        self, context: Any, waiting: list[tuple[int, list[int], list[tuple[int, int]]]], rows: NDArray[np.float32]
    ) -> None:
        self._encode(context, [tokens for _, tokens, _ in waiting])
        at = 0
        for first_row, tokens, spans in waiting:
            for row, (start, end) in enumerate(spans, first_row):
                if start == end:
                    continue
                vectors = [self._token_vector(context, at + place) for place in range(start, end)]
                rows[row] = _unit(np.mean(vectors, axis=0, dtype=np.float64))
            at += len(tokens)

    def _token_vector(self, context: Any, place: int) -> NDArray[np.float32]:
        pointer = C.llama_get_embeddings_ith(context, place)
        if not pointer:
            raise LlamaError("The model gives no vectors of single tokens")
        return np.ctypeslib.as_array(pointer, shape=(self.dimensions,))

    def _run(self, texts: list[tuple[int, list[int]]], rows: NDArray[np.float32]) -> None:
        self._encode(self._context, [tokens for _, tokens in texts])
        for sequence, (row, _) in enumerate(texts):
            pointer = C.llama_get_embeddings_seq(self._context, sequence)
            if not pointer:
                raise LlamaError("The model gives no sentence vectors, so it is no embedding model")
            rows[row] = _unit(np.ctypeslib.as_array(pointer, shape=(self.dimensions,)).astype(np.float64))

    def _encode(self, context: Any, texts: list[list[int]]) -> None:
        """Run each text as a sequence of its own."""
        batch = self._batch
        at = 0
        for sequence, tokens in enumerate(texts):
            for position, token in enumerate(tokens):
                batch.token[at] = token
                batch.pos[at] = position
                batch.n_seq_id[at] = 1
                batch.seq_id[at][0] = sequence
                batch.logits[at] = 1
                at += 1
        batch.n_tokens = at
        threads = self._cores.free()
        C.llama_set_n_threads(context, threads, threads)
        memory = C.llama_get_memory(context)
        if memory:
            C.llama_memory_clear(memory, True)
        if C.llama_decode(context, batch) != 0:
            raise LlamaError("The embedding model could not compute a vector")


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or length == 0.0:
        raise LlamaError("The embedding model computed no number")
    return vector / length


def lay_out(vocabulary: Vocabulary, passage: Passage) -> tuple[list[int], list[tuple[int, int]]]:
    """The tokens of a passage, [CLS] before [SEP] pieces [SEP], and where each marked piece's stand.

    `scripts/train_gate.py` lays its examples out with this too.
    """
    frame = vocabulary.tokenize("", add_special=True)
    start, end = frame[0], frame[-1]
    tokens = [start]
    if before := vocabulary.tokenize(passage.before)[-READ_TOKENS["before"] :]:
        tokens += [*before, end]
    spans: list[tuple[int, int]] = []
    for text, marked in passage.pieces:
        piece = vocabulary.tokenize(text)[: READ_TOKENS["piece" if marked else "between"]]
        at = min(len(tokens), EMBED_BATCH_TOKENS - 1)
        tokens += piece
        if marked:
            spans.append((at, min(len(tokens), EMBED_BATCH_TOKENS - 1)))
    return [*tokens[: EMBED_BATCH_TOKENS - 1], end], spans


class GenerativeModel:
    """Greedy decoding. The key-value cache keeps what the next prompt shares with the last."""

    def __init__(self, path: str, *, threads: int, context: int) -> None:
        self._model = _load(path, C.llama_model_default_params())
        self.vocabulary = Vocabulary(self._model)
        self.dimensions = int(C.llama_model_n_embd(self._model))
        parameters = C.llama_context_default_params()
        parameters.n_ctx = min(context, int(C.llama_model_n_ctx_train(self._model)))
        parameters.n_batch = parameters.n_ubatch = min(PROMPT_BATCH, parameters.n_ctx)
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.no_perf = True
        # On a CPU it is no faster, and without it the answers are those of llama-cpp-python's own loop.
        parameters.flash_attn_type = C.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self._cores = Cores(threads)
        self._context = _context(self._model, parameters)
        self.context = int(C.llama_n_ctx(self._context))
        self._memory = C.llama_get_memory(self._context)
        self._cached: list[int] = []
        self._add_bos = bool(C.llama_vocab_get_add_bos(self.vocabulary.pointer))
        self._candidates = np.zeros(
            self.vocabulary.size, dtype=[("id", np.int32), ("logit", np.float32), ("p", np.float32)]
        )

    def generate(
        self,
        prompt: str,
        *,
        grammar: str | None,
        max_tokens: int,
        stop: Sequence[str],
        alive: Callable[[], None],
    ) -> Generation:
        """Complete `prompt`. `alive` is called about once a second and may raise Cancelled.

        Ends at an end-of-generation token, at one of `stop` (not part of the text), or after `max_tokens`.
        Raises LlamaError when the grammar does not parse, allows no token, or the prompt leaves no room in
        the context.
        """
        started = time.perf_counter()
        self._share_cores()
        tokens = self._prompt_tokens(prompt)
        if len(tokens) + max_tokens > self.context:
            raise LlamaError(
                f"The prompt's {len(tokens)} tokens and {max_tokens} for the answer exceed the context of "
                f"{self.context}"
            )
        sampler = self._grammar(grammar) if grammar is not None else None
        try:
            reused = self._evaluate_prompt(tokens, alive)
            prompt_seconds = time.perf_counter() - started
            text, count, finish = self._decode(sampler, max_tokens, stop, alive)
        finally:
            if sampler is not None:
                C.llama_sampler_free(sampler)
        return Generation(
            text=text,
            prompt_tokens=len(tokens),
            reused_tokens=reused,
            completion_tokens=count,
            prompt_seconds=prompt_seconds,
            seconds=time.perf_counter() - started,
            finish=finish,
        )

    def _prompt_tokens(self, prompt: str) -> list[int]:
        tokens: list[int] = []
        if self._add_bos:
            tokens.append(int(C.llama_vocab_bos(self.vocabulary.pointer)))
        for part, is_template in split_template(prompt):
            found = self.vocabulary.tokenize(part, special=is_template)
            # A template may write the beginning itself.
            tokens += found[1:] if tokens and found[:1] == tokens[:1] and len(tokens) == self._add_bos else found
        if not tokens:
            raise LlamaError("The prompt is empty")
        return tokens

    def _grammar(self, grammar: str) -> Any:
        # llama.cpp takes an empty grammar for none, and reads a text up to its first NUL.
        if not grammar.strip() or "\0" in grammar:
            raise LlamaError("The grammar is empty or holds a NUL")
        sampler = C.llama_sampler_init_grammar(self.vocabulary.pointer, grammar.encode("utf-8", "replace"), b"root")
        if not sampler:
            raise LlamaError("The grammar does not parse as GBNF with a rule called root")
        return sampler

    def _evaluate_prompt(self, tokens: list[int], alive: Callable[[], None]) -> int:
        """Bring the cache to exactly `tokens`; how many of them were in it. The last is always computed anew,
        for its logits."""
        shared = 0
        for old, new in zip(self._cached, tokens[:-1], strict=False):
            if old != new:
                break
            shared += 1
        if not C.llama_memory_seq_rm(self._memory, 0, shared, NO_POSITION):
            # Recurrent memories cannot be cut: start over.
            C.llama_memory_clear(self._memory, True)
            shared = 0
        del self._cached[shared:]
        for start in range(shared, len(tokens), PROMPT_BATCH):
            self._evaluate(tokens[start : start + PROMPT_BATCH])
            alive()
            self._share_cores()
        return shared

    def _share_cores(self) -> None:
        threads = self._cores.free()
        C.llama_set_n_threads(self._context, threads, threads)

    def _evaluate(self, tokens: list[int]) -> None:
        array = (C.llama_token * len(tokens))(*tokens)
        if C.llama_decode(self._context, C.llama_batch_get_one(array, len(tokens))) != 0:
            C.llama_memory_clear(self._memory, True)
            self._cached.clear()
            raise LlamaError("The model could not compute the next token")
        self._cached += tokens

    def _decode(
        self, sampler: Any, max_tokens: int, stop: Sequence[str], alive: Callable[[], None]
    ) -> tuple[str, int, Literal["stop", "length"]]:
        stops = [mark.encode() for mark in stop if mark]
        longest = max(map(len, stops), default=0)
        written = bytearray()
        last_sign = time.monotonic()
        for count in range(max_tokens):
            token = self._choose(sampler)
            if self.vocabulary.ends(token):
                return _text(written), count, "stop"
            piece = self.vocabulary.piece(token)
            written += piece
            if stops:
                tail = max(0, len(written) - len(piece) - longest)
                found = [at for mark in stops if (at := written.find(mark, tail)) >= 0]
                if found:
                    return _text(written[: min(found)]), count + 1, "stop"
            if count + 1 == max_tokens:
                break
            if sampler is not None:
                C.llama_sampler_accept(sampler, token)
            self._evaluate([token])
            if time.monotonic() - last_sign > ALIVE_SECONDS:
                last_sign = time.monotonic()
                alive()
                self._share_cores()
        return _text(written), max_tokens, "length"

    def _choose(self, sampler: Any) -> int:
        """The likeliest token that the grammar allows.

        The grammar's cost grows with the number of tokens it is shown. So it sees the likeliest one first,
        then the 64 and the 1024 likeliest, then all. An allowed token among the likeliest k beats every token
        outside them, so the choice is that of testing all.
        """
        pointer = C.llama_get_logits_ith(self._context, -1)
        logits = np.ctypeslib.as_array(pointer, shape=(self.vocabulary.size,))
        best = int(np.argmax(logits))
        if sampler is None:
            return best
        for width in (*WIDENINGS, self.vocabulary.size):
            if width == 1:
                ids: NDArray[Any] = np.array([best])
            elif width < self.vocabulary.size:
                ids = np.argpartition(logits, -width)[-width:]
            else:
                ids = np.arange(self.vocabulary.size)
            allowed = self._allowed(sampler, ids, logits)
            if allowed is not None:
                return allowed
        raise LlamaError("The grammar allows no further token")

    def _allowed(self, sampler: Any, ids: NDArray[Any], logits: NDArray[np.float32]) -> int | None:
        """The likeliest of `ids` that the grammar allows, or None."""
        candidates = self._candidates[: len(ids)]
        candidates["id"] = ids
        candidates["logit"] = logits[ids]
        candidates["p"] = 0.0
        array = C.llama_token_data_array(
            data=candidates.ctypes.data_as(C.llama_token_data_p), size=len(ids), selected=-1, sorted=False
        )
        C.llama_sampler_apply(sampler, ctypes.byref(array))
        # The grammar sets what it rejects to minus infinity, in place.
        at = int(np.argmax(candidates["logit"]))
        return int(candidates["id"][at]) if np.isfinite(candidates["logit"][at]) else None


def _load(path: str, parameters: Any) -> Any:
    _log.clear()
    model = C.llama_model_load_from_file(path.encode(), parameters)
    if not model:
        raise LlamaError(f"llama.cpp cannot load {path}{_reason()}")
    return model


def _context(model: Any, parameters: Any) -> Any:
    _log.clear()
    context = C.llama_init_from_model(model, parameters)
    if not context:
        raise LlamaError(f"llama.cpp cannot run the model{_reason()}")
    return context


def _reason() -> str:
    return f" ({_log[0]})" if _log else ""


def _text(data: bytes | bytearray) -> str:
    """A token may end in the middle of a character; at the end of the text such a piece is left out."""
    return data.decode("utf-8", "ignore")
