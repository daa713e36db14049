"""Trains the gate on `models/corpus`; writes `models/gate.gguf`, `models/gate.json` and the figures of the card.

    pip install torch==2.13.0 transformers==5.24.0 peft==0.21.2
    python scripts/train_gate.py

The embedding model's upper layers get a LoRA adapter, so that a clause's vector says what the gate needs; the lower
layers stay as they are, and are computed once for all epochs. A linear layer over the vector gives the kinds. What is
trained is read exactly as in use: the same clauses, the same windows, the same tokens (`llama.lay_out`).

The corpus is split by domain: `HELD_OUT` is never trained on and gives the figures. About 15 minutes on two cores;
deterministic on one machine, up to the order of floating-point sums.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import gguf
import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from peft import LoraConfig, get_peft_model
from torch import nn
from torch.optim import swa_utils
from transformers import BertConfig, BertModel

from satchel.extract.choosing import window
from satchel.extract.choosing.clauses import Clause, split
from satchel.extract.choosing.gate import CLASSES
from satchel.extract.head import SCALE
from satchel.models import llama, models_folder, registry

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "models" / "corpus"
ADAPTER = ROOT / "models" / "gate.gguf"
HEAD = ROOT / "models" / "gate.json"
CARD = ROOT / "models" / "gate.md"
REFERENCE = ROOT / "tests" / "models" / "reference_clauses.json"

HELD_OUT = frozenset(
    [
        "beauty",
        "cars_bikes_and_commuting",
        "data_and_spreadsheets",
        "film_music_and_media",
        "freelance_and_small_business",
        "teaching",
        "relationships_and_family_care",
        "hobbies_small_talk",
        "general_requests",
    ]
)
RELATED = frozenset(
    [
        "beauty_and_hair",
        "transport_and_cars",
        "teaching",
        "films_and_series",
        "music",
        "family",
        "relationships",
        "small_business",
        "data_and_ml",
        "chitchat",
        "general_requests",
    ]
)
"""Domains of the older corpus of single clauses that are too near to those held out."""

LAYERS = (1, 2, 3, 4, 5)
RANK = 16
ALPHA = 32
EPOCHS = 3
BATCH = 16
ADAPTER_RATE = 1e-3
HEAD_RATE = 5e-3
AVERAGING = 0.998
"""Each step's share that the averaged weights keep of themselves: what ships is the mean of the last thousand steps or
so, which depends less on the order of the examples."""
THRESHOLD = 0.5
"""A clause is kept when it more likely holds something than not: nothing is tuned."""
BEGINS_WITH_I = re.compile(r"\W*(?:i|my|i['’](?:m|ve|d|ll))\b", re.I)
"""The baseline that the gate is measured beside."""


class Turn(msgspec.Struct, frozen=True):
    role: str
    content: str


class Gold(msgspec.Struct, frozen=True):
    turn: int
    quote: str
    kind: str


class Item(msgspec.Struct, frozen=True):
    domain: str
    turns: list[Turn]
    memories: list[Gold]


class Single(msgspec.Struct, frozen=True):
    text: str
    kind: str
    domain: str


class Example(msgspec.Struct, frozen=True):
    """A passage as the model sees it: its tokens, where its clauses stand, which class each has."""

    domain: str
    tokens: list[int]
    spans: list[tuple[int, int]]
    labels: list[int]
    texts: list[str]


class Encoder(nn.Module):
    """MiniLM with an adapter in its upper layers, and the linear layer over a clause's mean vector."""

    def __init__(self, bert: BertModel, classes: int) -> None:
        super().__init__()
        config = LoraConfig(
            r=RANK,
            lora_alpha=ALPHA,
            lora_dropout=0.05,
            target_modules=["query", "key", "value", "dense"],
            layers_to_transform=list(LAYERS),
            layers_pattern="layer",
        )
        self.bert = get_peft_model(bert, config)
        self.head = nn.Linear(bert.config.hidden_size, classes)
        self.dropout = nn.Dropout(0.2)

    @torch.no_grad()
    def lower(self, examples: Sequence[Example]) -> list[torch.Tensor]:
        """The output of the layers below the adapter, one (tokens, width) an example."""
        self.eval()
        base = self.bert.get_base_model()
        found: list[torch.Tensor] = [torch.empty(0)] * len(examples)
        for places in _by_length(examples, 32):
            tokens, mask = _padded([torch.tensor(examples[place].tokens) for place in places])
            hidden = base.embeddings(input_ids=tokens)
            for layer in base.encoder.layer[: LAYERS[0]]:
                hidden = _hidden(layer(hidden, attention_mask=mask))
            for row, place in enumerate(places):
                found[place] = hidden[row, : len(examples[place].tokens)].clone()
        return found

    def forward(self, examples: Sequence[Example], lower: Sequence[torch.Tensor]) -> torch.Tensor:
        """(clauses, classes) logits."""
        logits: torch.Tensor = self.head(self.dropout(self.vectors(examples, lower) * SCALE))
        return logits

    def vectors(self, examples: Sequence[Example], lower: Sequence[torch.Tensor]) -> torch.Tensor:
        """(clauses, width) unit rows: the mean over each clause's tokens, from the lower layers' output."""
        hidden, mask = _padded(lower)
        for layer in self.bert.get_base_model().encoder.layer[LAYERS[0] :]:
            hidden = _hidden(layer(hidden, attention_mask=mask))
        means = [hidden[row, start:end].mean(0) for row, example in enumerate(examples) for start, end in example.spans]
        return nn.functional.normalize(torch.stack(means), dim=-1)


def _hidden(output: torch.Tensor | tuple[torch.Tensor, ...]) -> torch.Tensor:
    return output[0] if isinstance(output, tuple) else output


def _padded(rows: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """The rows as one tensor, and the attention mask that hides the padding."""
    padded = nn.utils.rnn.pad_sequence(list(rows), batch_first=True)
    hidden = torch.arange(padded.shape[1])[None] >= torch.tensor([len(row) for row in rows])[:, None]
    return padded, hidden[:, None, None, :] * -1e9


def _by_length(examples: Sequence[Example], size: int) -> Iterator[list[int]]:
    order = sorted(range(len(examples)), key=lambda place: len(examples[place].tokens))
    yield from (order[start : start + size] for start in range(0, len(order), size))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    chooser = random.Random(arguments.seed)
    entry = registry.default_entry("embed")
    model = registry.path_of(entry, models_folder())
    examples, digest = read_corpus(llama.Vocabulary.load(str(model)))
    parts = {
        "train": [example for example in examples if example.domain not in HELD_OUT],
        "held": [example for example in examples if example.domain in HELD_OUT],
    }
    print({name: len(part) for name, part in parts.items()}, flush=True)
    encoder = Encoder(read_bert(model), len(CLASSES))
    print("computing the lower layers ...", flush=True)
    lower = {name: encoder.lower(part) for name, part in parts.items()}
    train(encoder, parts["train"], lower["train"], chooser, arguments.epochs, parts["held"], lower["held"])
    write_adapter(encoder, entry.sha256, ADAPTER, "Satchel gate")
    write_reference(encoder, llama.Vocabulary.load(str(model)))
    HEAD.write_text(json.dumps(head_of(encoder, entry, digest), separators=(",", ":")) + "\n", "utf-8")
    figures = report(*scored(encoder, parts["held"], lower["held"]), parts)
    print(figures)
    card = CARD.read_text("utf-8")
    new = re.sub(
        r"(<!-- figures -->\n).*?(<!-- /figures -->)", lambda m: m[1] + figures + "\n" + m[2], card, flags=re.S
    )
    CARD.write_text(new, "utf-8")


# ---------------------------------------------------------------------------------------------------- the corpus


def read_corpus(vocabulary: llama.Vocabulary) -> tuple[list[Example], str]:
    """Every user's turn of the corpus as passages, and the SHA-256 of what was read."""
    digest = hashlib.sha256()
    examples: list[Example] = []
    for file in sorted((CORPUS / "exchanges").glob("*.jsonl")):
        data = file.read_bytes()
        digest.update(data)
        for line in data.splitlines():
            item = msgspec.json.decode(line, type=Item)
            for number, turn in enumerate(item.turns):
                if turn.role == "user":
                    examples += _of_turn(vocabulary, item, number)
    singles: list[Single] = []
    for file in (*sorted((CORPUS / "gate").glob("*.jsonl")), *sorted((CORPUS / "plain").glob("*.jsonl"))):
        data = file.read_bytes()
        digest.update(data)
        singles += [msgspec.json.decode(line, type=Single) for line in data.splitlines()]
    singles = [single for single in singles if single.domain not in RELATED]
    examples += _in_the_middle(vocabulary, singles)
    return examples, digest.hexdigest()


def _in_the_middle(vocabulary: llama.Vocabulary, singles: Sequence[Single]) -> Iterator[Example]:
    """A third of the clauses alone, the others among clauses that hold nothing and have nothing to do with them:
    people change the subject, and what surrounds a statement must not be needed to believe it. The plain ones come
    twice, for this is how most people speak."""
    chooser = random.Random(3)
    singles = [*singles, *(single for single in singles if single.domain.startswith("plain_"))]
    empty = [single.text for single in singles if single.kind == "none" and len(single.text) <= 100]
    for single in singles:
        around = chooser.choice((0, 1, 2))
        before = chooser.randint(0, around)
        others = chooser.choices(empty, k=around)
        yield from _framed(vocabulary, single, others[:before], others[before:])


def _framed(
    vocabulary: llama.Vocabulary, single: Single, before: Sequence[str], after: Sequence[str]
) -> Iterator[Example]:
    clauses: list[Clause] = []
    text = ""
    for sentence in (*before, single.text, *after):
        text += " " if text else ""
        clauses.append(Clause(len(text), len(text) + len(sentence), sentence))
        text += sentence if sentence[-1:] in ".!?。！？" else sentence + "."
    labels = [0] * len(before) + [CLASSES.index(single.kind)] + [0] * len(after)
    yield from _laid_out(vocabulary, f"single clauses: {single.domain}", text, clauses, labels, "")


def _of_turn(vocabulary: llama.Vocabulary, item: Item, number: int) -> list[Example]:
    text = item.turns[number].content
    clauses = split(text)
    gold = [
        (start, start + len(memory.quote), memory.kind)
        for memory in item.memories
        if memory.turn == number and (start := text.find(memory.quote)) >= 0
    ]
    before = window.heard([(turn.role, turn.content) for turn in item.turns[:number]])
    return _laid_out(vocabulary, item.domain, text, clauses, [_label(clause, gold) for clause in clauses], before)


def _label(clause: Clause, gold: Sequence[tuple[int, int, str]]) -> int:
    """The kind whose quote covers most of the clause, or lies in it for the most part; else nothing."""
    best, label = 0, 0
    for start, end, kind in gold:
        shared = min(clause.end, end) - max(clause.start, start)
        if shared > best and shared * 2 >= min(clause.end - clause.start, end - start):
            best, label = shared, CLASSES.index(kind)
    return label


def _laid_out(
    vocabulary: llama.Vocabulary,
    domain: str,
    text: str,
    clauses: Sequence[Clause],
    labels: Sequence[int],
    before: str,
) -> Iterator[Example]:
    following = iter(zip(clauses, labels, strict=True))
    for passage in window.passages(text, clauses, before):
        tokens, spans = llama.lay_out(vocabulary, passage)
        read = [next(following) for _ in spans]
        kept = [place for place, (start, end) in enumerate(spans) if start < end]
        yield Example(
            domain, tokens, [spans[i] for i in kept], [read[i][1] for i in kept], [read[i][0].text for i in kept]
        )


# -------------------------------------------------------------------------------------------------- the training


def read_bert(model: Path) -> BertModel:
    """The encoder from the GGUF that Satchel runs, so that what is trained is what is used."""
    from satchel.models.convert import LAYER, OUTER

    names = {ours: theirs for theirs, ours in OUTER.items()}
    tensors = {tensor.name: np.asarray(tensor.data, dtype=np.float32) for tensor in gguf.GGUFReader(model).tensors}
    state = {}
    for name, value in tensors.items():
        stem, _, kind = name.rpartition(".")
        if stem.startswith("blk."):
            _, number, part = stem.split(".")
            theirs = next(key for key, ours in LAYER.items() if ours == part)
            stem = f"encoder.layer.{number}.{theirs}"
        else:
            stem = names[stem]
        state[f"{stem}.{kind}"] = torch.from_numpy(value.copy())
    rows, width = state["embeddings.word_embeddings.weight"].shape
    config = BertConfig(
        vocab_size=rows,
        hidden_size=width,
        num_hidden_layers=LAYERS[-1] + 1,
        num_attention_heads=width // 32,
        intermediate_size=state["encoder.layer.0.intermediate.dense.weight"].shape[0],
        max_position_embeddings=state["embeddings.position_embeddings.weight"].shape[0],
        attn_implementation="eager",
    )
    bert = BertModel(config, add_pooling_layer=False)
    missing, unknown = bert.load_state_dict(state, strict=False)
    if unknown or any("position_ids" not in name for name in missing):
        sys.exit(f"{model} is not the encoder this script knows: missing {missing}, unknown {unknown}")
    return bert


def train(
    encoder: Encoder,
    examples: list[Example],
    lower: list[torch.Tensor],
    chooser: random.Random,
    epochs: int,
    held: list[Example],
    held_lower: list[torch.Tensor],
    averaging: float = AVERAGING,
) -> None:
    """Prints after each epoch how well the examples held out are told from those of class 0."""
    usable = [place for place, example in enumerate(examples) if example.spans]
    adapter = [value for name, value in encoder.bert.named_parameters() if value.requires_grad]
    optimiser = torch.optim.AdamW(
        [{"params": adapter, "lr": ADAPTER_RATE}, {"params": encoder.head.parameters(), "lr": HEAD_RATE}],
        weight_decay=0.01,
    )
    steps = epochs * (len(usable) // BATCH + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, [ADAPTER_RATE, HEAD_RATE], total_steps=steps, pct_start=0.1
    )
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.1)
    averaged = swa_utils.AveragedModel(encoder, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(averaging))
    for epoch in range(1, epochs + 1):
        encoder.train()
        started, losses = time.monotonic(), []
        for batch in _shuffled(examples, usable, chooser):
            rows = [examples[place] for place in batch]
            loss = loss_of(
                encoder(rows, [lower[place] for place in batch]),
                torch.tensor([label for example in rows for label in example.labels]),
            )
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            averaged.update_parameters(encoder)
            losses.append(loss.item())
        probabilities, labels, _ = scored(averaged.module, held, held_lower)
        passed, memorable = 1 - probabilities[:, 0] >= THRESHOLD, labels != 0
        print(
            f"epoch {epoch} of {epochs}: loss {np.mean(losses):.4f}, {time.monotonic() - started:.0f} s; on held-out "
            f"domains recall {passed[memorable].mean():.3f}, {passed[~memorable].mean():.3f} of the empty pass",
            flush=True,
        )
    encoder.load_state_dict(averaged.module.state_dict())


def _shuffled(examples: Sequence[Example], usable: Sequence[int], chooser: random.Random) -> list[list[int]]:
    """Batches of examples of about one length, in random order."""
    order = list(usable)
    chooser.shuffle(order)
    batches = []
    for start in range(0, len(order), BATCH * 24):
        chunk = sorted(order[start : start + BATCH * 24], key=lambda place: len(examples[place].tokens))
        batches += [chunk[at : at + BATCH] for at in range(0, len(chunk), BATCH)]
    chooser.shuffle(batches)
    return batches


@torch.no_grad()
def scored(
    encoder: Encoder, examples: Sequence[Example], lower: Sequence[torch.Tensor]
) -> tuple[NDArray[np.float64], NDArray[np.int64], list[str]]:
    """(clauses, classes) probabilities, the labels and the clauses' texts, in one order."""
    encoder.eval()
    probabilities, labels, texts = [], [], []
    for places in _by_length(examples, 32):
        rows = [place for place in places if examples[place].spans]
        if not rows:
            continue
        logits = encoder([examples[place] for place in rows], [lower[place] for place in rows])
        probabilities.append(torch.softmax(logits, -1).double().numpy())
        labels += [label for place in rows for label in examples[place].labels]
        texts += [text for place in rows for text in examples[place].texts]
    return np.concatenate(probabilities), np.array(labels), texts


# ---------------------------------------------------------------------------------------------------- what ships


def write_adapter(encoder: Encoder, base: str, file: Path, name: str) -> None:
    """The adapter as a GGUF that llama.cpp applies: `lora_a` (rank, in) and `lora_b` (out, rank), float16."""
    from satchel.models.convert import LAYER

    writer = gguf.GGUFWriter(str(file), "bert")
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, float(ALPHA))
    writer.add_name(name)
    writer.add_license("apache-2.0")
    writer.add_string("satchel.base_sha256", base)
    state = encoder.bert.state_dict()
    for number in LAYERS:
        for theirs, ours in LAYER.items():
            stem = next((key for key in state if f"layer.{number}.{theirs}.lora_A" in key), None)
            if stem is None:
                continue
            for letter, key in (("a", stem), ("b", stem.replace("lora_A", "lora_B"))):
                writer.add_tensor(f"blk.{number}.{ours}.weight.lora_{letter}", state[key].numpy().astype(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@torch.no_grad()
def write_reference(encoder: Encoder, vocabulary: llama.Vocabulary) -> None:
    """What this network makes of some passages, for a test that llama.cpp with the adapter makes the same of them."""
    texts = (
        ("Hi! We keep bees behind the shed, and I'd never sell honey. Which flowers do they like in March?", ""),
        ("No, Ghent. And please, no more maps from now on.", "So you live in Antwerp? I can draw you a map."),
        ("我住在北京，有一个女儿。写一首关于月亮的诗。", ""),
    )
    rows = []
    for text, before in texts:
        for passage in window.passages(text, split(text), before):
            tokens, spans = llama.lay_out(vocabulary, passage)
            example = Example("", tokens, spans, [], [])
            encoder.eval()
            vectors = encoder.vectors([example], encoder.lower([example]))
            rows.append(
                {
                    "before": passage.before,
                    "pieces": passage.pieces,
                    "vectors": [[round(float(value), 4) for value in row] for row in vectors],
                }
            )
    REFERENCE.write_text(json.dumps(rows, ensure_ascii=False) + "\n", "utf-8")


def head_of(encoder: Encoder, entry: registry.ModelEntry, digest: str) -> dict[str, object]:
    return {
        "version": 2,
        "embedder": entry.name,
        "dimensions": encoder.head.in_features,
        "classes": list(CLASSES),
        "threshold": THRESHOLD,
        "corpus": digest,
        "bias": [round(float(value), 5) for value in encoder.head.bias.tolist()],
        "weights": [[round(float(value), 5) for value in row] for row in encoder.head.weight.tolist()],
    }


def report(
    probabilities: NDArray[np.float64],
    labels: NDArray[np.int64],
    texts: list[str],
    parts: dict[str, list[Example]],
) -> str:
    memorable = labels != 0
    passed = 1 - probabilities[:, 0] >= THRESHOLD
    guess = np.where(passed, probabilities[:, 1:].argmax(axis=1) + 1, 0)
    clauses = {name: sum(len(example.labels) for example in part) for name, part in parts.items()}
    lines = [
        f"Trained on {clauses['train']:,} clauses of {len({e.domain for e in parts['train']})} domains; measured on "
        f"{clauses['held']:,} clauses of {len(HELD_OUT)} others, {memorable.mean():.0%} of them memorable; threshold "
        f"{THRESHOLD}.",
        "",
        "| on domains never trained on | precision | recall | clauses |",
        "|---|---|---|---|",
        f"| memorable | {memorable[passed].mean():.3f} | {passed[memorable].mean():.3f} | {memorable.sum()} |",
    ]
    for number, kind in enumerate(CLASSES[1:], 1):
        chosen, true = guess == number, labels == number
        precision = true[chosen].mean() if chosen.any() else 0.0
        lines.append(f"| {kind} | {precision:.3f} | {chosen[true].mean():.3f} | {true.sum()} |")
    pattern = np.array([BEGINS_WITH_I.match(text) is not None for text in texts])
    both = passed & memorable
    lines += [
        "",
        f"Of the kept memorable clauses {np.mean(guess[both] == labels[both]):.1%} get the right kind. "
        f"Of the clauses that hold nothing {passed[~memorable].mean():.1%} pass. "
        f"Of what is memorable and does not begin with I, My or I'm {passed[memorable & ~pattern].mean():.1%} is kept; "
        f"of what begins so and holds nothing {passed[~memorable & pattern].mean():.1%} passes.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
