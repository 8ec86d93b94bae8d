"""What stands in for Lambda's own runtime: imports a handler from a directory, and calls it with each event.

A program, run by a bare Python: `python -I -S -B lambda_runtime.py TASK_ROOT RUNTIME_DIRECTORY HANDLER < events.json`.
The last line that it prints is JSON: the handler's answers, and where each module that is loaded came from.
"""

import importlib
import json
import sys

# Of the repository, of what it is analysed with, and of what it is tested with.
OUT_OF_REACH = ("analysis", "emulator", "tests", "polars", "duckdb", "pyarrow", "moto", "pytest", "chalice.cli")


class Context:
    """What Lambda tells a function about its invocation."""

    aws_request_id = "8f0c5a64-2d3f-4a53-9f5a-0a9d2f1f7c11"
    function_name = "clickstream-prod"
    memory_limit_in_mb = 1024


def main() -> None:
    """Import, call, and say what came of it."""
    root, runtime, handler = sys.argv[1:]
    sys.path[:0] = [root, runtime]
    module, _, name = handler.rpartition(".")
    function = getattr(importlib.import_module(module), name)
    answers = [function(event, Context()) for event in json.load(sys.stdin)]
    others = {name: module for name, module in sys.modules.items() if module is not sys.modules["__main__"]}
    loaded = {name: getattr(module, "__file__", None) for name, module in others.items()}
    reached = [name for name in OUT_OF_REACH if _can_import(name)]
    print("\n" + json.dumps({"answers": answers, "loaded": loaded, "reached": reached}))  # noqa: T201  # a program prints


def _can_import(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


if __name__ == "__main__":
    main()
