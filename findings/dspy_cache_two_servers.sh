#!/usr/bin/env bash
# One would guess: two language models of DSPy that stand behind two addresses are two models, so that each is asked;
# comparing a model before and after fine-tuning, both served under one name on two ports, is then a fair test.
# Seen: the key of DSPy's cache, which is on by default and also lies on the disk, holds the name of the model and the
# request but not the address. The second server is never asked: the answer of the first is given for its own. It is
# given too when nothing listens at the second address any more. With cache=False each is asked.
# Exits 0 while this holds, 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check dspy==3.4.1
cat > look.py <<'PY'
import http.server
import json
import sys
import threading

import dspy


def serve(answer):
    """Start a server that gives the same answer to everything; return its address and a list that grows with requests."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(self.path)
            message = {"role": "assistant", "content": answer}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
            reply = {"id": "1", "object": "chat.completion", "created": 0, "model": "shop", "choices": [choice], "usage": usage}
            data = json.dumps(reply).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}/v1", asked


def ask(address, **more):
    return dspy.LM("openai/shop", api_base=address, api_key="none", **more)("How long do I have?")[0]


before, asked_before = serve("14 days")
after, asked_after = serve("60 days")
print("dspy", dspy.__version__)
first, second, nobody = ask(before), ask(after), ask("http://127.0.0.1:9/v1")
print(f"before: {first!r}, asked {len(asked_before)} times; after: {second!r}, asked {len(asked_after)} times")
print(f"an address where nothing listens: {nobody!r}")
plain = ask(after, cache=False)
print(f"after, without the cache: {plain!r}")
holds = (first, second, nobody, plain, len(asked_before), len(asked_after)) == ("14 days", "14 days", "14 days", "60 days", 1, 1)
sys.exit(0 if holds else 1)
PY
DSPY_CACHEDIR="$folder/cache" venv/bin/python look.py 2> look.log || { echo "The behaviour changed."; exit 1; }
