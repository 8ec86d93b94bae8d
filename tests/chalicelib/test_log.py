import json

import pytest

from chalicelib import log


class TestWrite:
    def test_a_line_is_one_json_object(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Line breaks in values cannot make a second line."""
        log.write("ingest", "refused", level="WARNING", error="a\nb", key=None)
        lines = capsys.readouterr().out.splitlines()
        assert [json.loads(line) for line in lines] == [
            {"level": "WARNING", "component": "ingest", "outcome": "refused", "error": "a\nb", "key": None}
        ]
