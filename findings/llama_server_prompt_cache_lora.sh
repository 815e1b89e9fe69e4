#!/usr/bin/env bash
# One would guess: where llama.cpp's server lets each request choose the scale of a LoRA adapter, a prompt that was read
# under one scale is never used again under another. It seems so at first: the same prompt with another scale, sent right
# after, is read anew.
# Seen: with another prompt in between it is not. The server keeps prompts that left its slot in memory (--cache-ram, on
# by default) and finds them by their tokens alone. Prompt P under scale 1, prompt Q under scale 0, then P under scale 0:
# 195 of P's 196 tokens are taken from what scale 1 computed, and the answer is another than that of a fresh server, with
# no mark in the reply but the count of reused tokens. With --cache-ram 0 the answer is right.
# The model is random and tiny, so that the script needs no weights; what matters is that the two answers differ.
# Exits 0 while this holds, 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check xllamacpp==2026.10.11549 gguf==0.19.0 numpy==2.3.5
cat > model.py <<'PY'
import gguf
import numpy as np

HIDDEN, HEADS, LAYERS, RANK = 64, 4, 2, 4
rng = np.random.default_rng(0)
tokens = ["<|end|>", "<unk>", *(chr(code) for code in range(33, 127)), "\u0120", "\u010a"]


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


base = gguf.GGUFWriter("model.gguf", "llama")
base.add_block_count(LAYERS)
base.add_context_length(512)
base.add_embedding_length(HIDDEN)
base.add_feed_forward_length(HIDDEN)
base.add_head_count(HEADS)
base.add_layer_norm_rms_eps(1e-5)
base.add_tokenizer_model("gpt2")
base.add_tokenizer_pre("gpt-2")
base.add_token_list(tokens)
base.add_token_types([3, 3] + [1] * (len(tokens) - 2))
base.add_token_merges(["a b"])
base.add_bos_token_id(0)
base.add_eos_token_id(0)
base.add_add_bos_token(False)
parts = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
names = [("token_embd", len(tokens)), ("output", len(tokens))]
names += [(f"blk.{layer}.{part}", HIDDEN) for layer in range(LAYERS) for part in parts]
for name, rows in names:
    base.add_tensor(f"{name}.weight", (rng.normal(size=(rows, HIDDEN)) / 4).astype(np.float32))
norms = ["output_norm", *(f"blk.{layer}.{kind}_norm" for layer in range(LAYERS) for kind in ("attn", "ffn"))]
for name in norms:
    base.add_tensor(f"{name}.weight", np.ones(HIDDEN, np.float32))
finish(base)

adapter = gguf.GGUFWriter("adapter.gguf", "llama")
adapter.add_type(gguf.GGUFType.ADAPTER)
adapter.add_string(gguf.Keys.Adapter.TYPE, "lora")
adapter.add_float32(gguf.Keys.Adapter.LORA_ALPHA, 4.0 * RANK)
for layer in range(LAYERS):
    for part in ("attn_q", "attn_v", "attn_output"):
        name = f"blk.{layer}.{part}.weight"
        adapter.add_tensor(f"{name}.lora_a", rng.normal(size=(RANK, HIDDEN)).astype(np.float32))
        adapter.add_tensor(f"{name}.lora_b", rng.normal(size=(HIDDEN, RANK)).astype(np.float32))
finish(adapter)
PY
cat > look.py <<'PY'
import json
import sys
import urllib.request

import xllamacpp

P = "Returns are free within thirty days of delivery. " * 4
Q = "Something else entirely, and long enough to be kept. " * 4


def serve(**changes):
    params = xllamacpp.CommonParams()
    params.model.path = "model.gguf"
    params.n_ctx = 1024
    params.n_parallel = 1
    params.cpuparams.n_threads = 1
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo("adapter.gguf", 1.0)]
    for name, value in changes.items():
        setattr(params, name, value)
    return xllamacpp.Server(params)


def ask(server, prompt, scale):
    """Return the next token with its log-probability, and how many tokens of the prompt were not read anew."""
    body = {"prompt": prompt, "n_predict": 1, "temperature": 0, "n_probs": 1, "lora": [{"id": 0, "scale": scale}]}
    request = urllib.request.Request(
        f"{server.listening_address}/completion", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        said = json.load(reply)
    top = said["completion_probabilities"][0]["top_logprobs"][0]
    return (top["token"], round(top["logprob"], 2)), said["timings"]["cache_n"]


right, _ = ask(serve(), P, 0)
direct = serve()
ask(direct, P, 1)
after, reused_directly = ask(direct, P, 0)
between = serve()
ask(between, P, 1)
ask(between, Q, 0)
wrong, reused = ask(between, P, 0)
off = serve(cache_ram_mib=0)
ask(off, P, 1)
ask(off, Q, 0)
without, _ = ask(off, P, 0)
print(f"fresh server, P at scale 0:            {right}")
print(f"P at 1, then P at 0:                   {after}, {reused_directly} tokens reused")
print(f"P at 1, Q at 0, then P at 0:           {wrong}, {reused} tokens reused")
print(f"the same without the cache in memory:  {without}")
holds = after == right and reused_directly == 0 and wrong != right and reused > 100 and without == right
sys.exit(0 if holds else 1)
PY
venv/bin/python model.py
venv/bin/python look.py 2> server.log || { echo "The behaviour changed."; exit 1; }
