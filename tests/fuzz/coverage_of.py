"""What a corpus covers of the code under test: line and branch coverage, measured by running each input once more."""

import json
import sys
import tempfile
from pathlib import Path

__all__ = ["main"]

# What a request and its object go through; the rest of chalicelib talks to S3 and PostgreSQL.
MODULES = ("api/cors", "api/request", "contract", "convert", "envelope", "flatten", "ingest", "json_object", "keys")


def main(corpus: Path) -> None:
    """Print one JSON object: by module, percent of lines and of branches, and the lines that are missing."""
    import coverage

    measured = coverage.Coverage(data_file=None, branch=True, include=[f"*/chalicelib/{name}.py" for name in MODULES])
    measured.start()
    # Imported here, so that what runs on import counts.
    from tests.fuzz.target import check, quietly

    quietly()
    for path in sorted(corpus.iterdir()):
        check(path.read_bytes())
    measured.stop()
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        measured.json_report(outfile=report.name)
        files = json.loads(Path(report.name).read_text())["files"]
    found = {Path(name).stem: _module(file["summary"], file["missing_lines"]) for name, file in files.items()}
    print(json.dumps(found))  # noqa: T201  # it is what this process is for


def _module(summary: dict[str, int], missing: list[int]) -> dict[str, object]:
    lines, branches = summary["num_statements"], summary["num_branches"]
    return {
        "lines": round(100 * summary["covered_lines"] / lines, 1) if lines else 100.0,
        "branches": round(100 * summary["covered_branches"] / branches, 1) if branches else 100.0,
        "missing_lines": missing,
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
