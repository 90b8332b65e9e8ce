"""The recipes of docs/serving.md, as printed, in the frameworks that are installed."""

from __future__ import annotations

import importlib.util
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from serving import profile_of

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "serving.md"
MODEL = """
class model:
    @staticmethod
    def score(payment):
        assert payment["country"] == "DE"
        return payment["amount"] / 4
"""
# Each asks for the scores of 1, 2 and 3 and ends as the framework ends.
FLASK = """
client = app.test_client()
for amount in (1.0, 2.0, 3.0):
    answer = client.post("/score", json={"amount": amount, "country": "DE"})
    assert answer.json == {"score": amount / 4}
"""
BENTOML = """
from starlette.testclient import TestClient

with TestClient(Fraud.to_asgi()) as client:
    for amount in (1.0, 2.0, 3.0):
        answer = client.post("/score", json={"amount": amount, "country": "DE"})
        assert answer.json() == amount / 4
"""
RAY_SERVE = """
import os
import httpx

serve.start(http_options={"host": "127.0.0.1", "port": PORT})
serve.run(Fraud.bind(os.path.abspath("profiles")))
for amount in (1.0, 2.0, 3.0):
    answer = httpx.post(f"http://127.0.0.1:{PORT}/", json={"amount": amount, "country": "DE"})
    assert answer.json() == {"score": amount / 4}
serve.shutdown()
"""
MLFLOW = """
mlflow.pyfunc.save_model("saved", python_model=Watched(), pip_requirements=[])
loaded = mlflow.pyfunc.load_model("saved")
payments = pd.DataFrame({"amount": [1.0, 2.0, 3.0], "country": ["DE"] * 3})
assert list(loaded.predict(payments)) == [0.25, 0.5, 0.75]
"""
KSERVE = """
import os, signal, sys, threading, time
import httpx

def ask():
    url = f"http://127.0.0.1:{PORT}/v1/models/fraud:predict"
    body = {"instances": [{"amount": amount, "country": "DE"} for amount in (1.0, 2.0, 3.0)]}
    answer = None
    for _ in range(300):
        try:
            answer = httpx.post(url, json=body).json()
            break
        except httpx.TransportError:
            time.sleep(0.1)
    print(answer)
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=ask).start()
kserve.ModelServer(http_port=PORT, enable_grpc=False).start([Fraud("fraud")])
"""
RECIPES = {
    "Flask": ("flask", FLASK),
    "BentoML": ("bentoml", BENTOML),
    "Ray Serve": ("ray", RAY_SERVE),
    "MLflow pyfunc": ("mlflow", MLFLOW),
    "KServe": ("kserve", KSERVE),
}


def printed(title: str) -> str:
    """The code under a title of the page."""
    part = PAGE.read_text("utf-8").split(f"\n### {title}\n", maxsplit=1)[1].split("\n### ")[0]
    found = re.search(r"```python\n(.*?)```", part, re.DOTALL)
    assert found is not None
    return found[1]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.mark.parametrize("title", RECIPES)
def test_the_recipe_runs_as_printed(title: str, tmp_path: Path) -> None:
    module, use = RECIPES[title]
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    script = tmp_path / "recipe.py"
    script.write_text(f"PORT = {free_port()}\n{MODEL}\n{printed(title)}\n{use}", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False,
        timeout=240,
    )  # fmt: skip
    assert done.returncode in {0, -signal.SIGTERM}, done.stderr
    profile = profile_of(tmp_path / "profiles")
    assert profile.rows == 3
    assert (profile["score"].min, profile["score"].mean, profile["score"].max) == (0.25, 0.5, 0.75)
    assert profile["country"].top == [("DE", 3)]
