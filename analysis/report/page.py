"""The report's file: the page of the dashboard with its scripts, its styles and its answers inside."""

import json
from base64 import b64encode
from gzip import decompress
from hashlib import sha256
from pathlib import Path

from analysis import dashboard
from analysis.dashboard.bundle import bundle
from analysis.report.script import joined

__all__ = ["page"]

SERVED = Path(dashboard.__file__).parent / "static"
OWN = Path(__file__).parent / "static"
# What asks the dashboard's server, and what asks the report itself.
INSTEAD = {SERVED / "stream.js": OWN / "embedded.js", SERVED / "bar" / "bar.js": OWN / "facts.js"}


def page(answers: object) -> str:
    """Write the file.

    Args:
        answers: What the report holds, as JSON has it. It stays data, whatever is in it.

    Returns:
        The HTML. Its policy lets run only what is in it, and load nothing.
    """
    styles = _text(SERVED / "dashboard.css") + _text(OWN / "report.css")
    vega, script = decompress(bundle().compressed).decode(), joined(SERVED / "dashboard.js", INSTEAD)
    policy = (
        f"default-src 'none'; script-src {_hash(vega)} {_hash(script)}; style-src {_hash(styles)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    icon = b64encode((SERVED / "icon.svg").read_bytes()).decode()
    # `<` ends or begins no element in a string of JSON that is written in this way.
    data = json.dumps(answers, allow_nan=False, separators=(",", ":")).replace("<", r"\u003c")
    parts = {
        '<meta charset="utf-8">': (
            f'<meta charset="utf-8">\n    <meta http-equiv="Content-Security-Policy" content="{policy}">'
        ),
        "<title>Dashboard": "<title>Report",
        'href="static/icon.svg"': f'href="data:image/svg+xml;base64,{icon}"',
        '<link rel="stylesheet" href="static/dashboard.css">': f"<style>{styles}</style>",
        '    <script src="vega.js" id="vega" async></script>\n': "",
        '    <script type="module" src="static/dashboard.js"></script>\n': "",
        "  </body>": (
            "    <noscript>This report needs JavaScript, which this browser does not run.</noscript>\n"
            f'    <script type="application/json" id="answers">{data}</script>\n'
            f'    <script>{_closed(vega)}</script>\n    <script type="module">{_closed(script)}</script>\n  </body>'
        ),
    }
    text = _text(SERVED / "index.html")
    for part, own in parts.items():
        if text.count(part) != 1:
            raise AssertionError(f"the dashboard's page has {text.count(part)} times {part}")
        text = text.replace(part, own)
    return text


def _text(path: Path) -> str:
    return path.read_text("utf-8")


def _hash(content: str) -> str:
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"


def _closed(script: str) -> str:
    """Give a script that ends where its element does. Raises AssertionError if it holds the end of one."""
    for part in ("</script", "<!--"):
        if part in script.lower():
            raise AssertionError(f"a script of the report holds {part}")
    return script
