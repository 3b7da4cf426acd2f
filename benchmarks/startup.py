"""What a listing costs beside the frameworks it does without; whole processes, interleaved."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

COMMANDS = {
    "python alone": ["-c", ""],
    "cnnzoo --help": ["-m", "cnnzoo", "--help"],
    "cnnzoo list": ["-m", "cnnzoo", "list"],
    "cnnzoo info resnet50": ["-m", "cnnzoo", "info", "resnet50"],
    "cnnzoo table": ["-m", "cnnzoo", "table"],
    "import keras": ["-c", "import keras"],
}
ROUNDS = 5


def main() -> None:
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, words in COMMANDS.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, *words], capture_output=True, check=True)
            seconds[name].append(time.perf_counter() - began)
    keras = statistics.median(seconds["import keras"])
    for name, values in seconds.items():
        median = statistics.median(values)
        print(f"{name:22} {median:6.3f} s  {keras / median:6.1f} times faster than import keras")


if __name__ == "__main__":
    main()
