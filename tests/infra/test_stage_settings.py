"""Every setting of a stage that docs/deploy.md explains reaches AWS: by a template, by Chalice, or by a script."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.render import INGEST, PROJECTOR, render
from tests.infra.test_render import OUTPUTS
from tests.support.aws.stacks import TEMPLATES, template
from tests.support.stack_process import ROOT

INFRA = ROOT / "infra"
SETTINGS = json.loads((INFRA / "stages" / "prod.json").read_text())
# What the scripts themselves act on; tests/infra/test_deploy.py holds what each of them does.
OF_SCRIPTS = {"Region", "Warehouse", "Lake", "Runtime", "WarehouseCa"}
# What infra.render acts on, beside what becomes a variable of a function.
OF_RENDERING = {
    "AllowedOrigins": "https://other.example",
    "RawBucketName": "another-bucket",
    "ReserveConcurrency": "no",
    "WarehouseMinCapacity": "0",
}
# Values that the functions take, for settings that become a variable.
TAKEN = {"ApiKeySha256": "a" * 64, "MaxEventBytes": "4711", "StoreIp": "none", "PriceDecimals": "3"}


def documented() -> set[str]:
    """The settings in the table of the stage's file."""
    text = (ROOT / "docs" / "deploy.md").read_text()
    _, _, table = text.partition("| key | what it sets |\n")
    return {
        name for row in table.partition("\n\n")[0].splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])
    }


def names_used(value: Any) -> set[str]:
    """The parameters that a part of a template refers to."""
    text = json.dumps(value)
    return {*re.findall(r'"Ref": "(\w+)"', text), *re.findall(r"\$\{(\w+)\}", text)}


def reach_resources(name: str) -> set[str]:
    """The parameters of a template on which one of its resources depends, itself or by a condition."""
    loaded = template(name)
    conditions = loaded.get("Conditions", {})
    resources = loaded["Resources"]
    used = names_used(resources)
    named = set(re.findall(r'"(?:Condition|Fn::If)": \[?"(\w+)"', json.dumps(resources)))
    return used.union(*(names_used(conditions[each]) for each in named))


def passed_to_rendering() -> set[str]:
    """The settings that deploy.sh hands to infra.render."""
    script = (INFRA / "deploy.sh").read_text()
    found = re.search(r"json\.dump\(.*?' \\\n(.*?)<<<", script, re.DOTALL)
    assert found
    return set(re.findall(r"[A-Z]\w+", found[1]))


class TestDocumentation:
    def test_the_table_explains_every_setting(self) -> None:
        """And none that does not exist."""
        assert documented() == SETTINGS.keys()


class TestReach:
    @pytest.mark.parametrize("key", sorted(SETTINGS))
    def test_each_setting_reaches_aws(self, key: str, tmp_path: Path) -> None:
        """A parameter of a template is used by a resource; another setting changes what Chalice is given."""
        where = [name for name in TEMPLATES if key in template(name)["Parameters"]]
        for name in where:
            assert key in reach_resources(name)
        variables = {setting: variable for variable, setting in (INGEST | PROJECTOR).items()}
        if key in OF_SCRIPTS:
            assert f"$(value {key})" in (INFRA / "deploy.sh").read_text() + (INFRA / "stage.sh").read_text()
        elif key in variables or key in OF_RENDERING:
            assert key in passed_to_rendering()
            there = OUTPUTS | {"Warehouse": "aurora"}
            if key == "DwParameterName":
                there |= {"DwSecretArn": "", key: "/shop/a"}
            render("prod", there, tmp_path / "before")
            render("prod", there | {key: OF_RENDERING.get(key, TAKEN.get(key, "x"))}, tmp_path / "after")
            before, after = (
                json.loads((tmp_path / when / ".chalice" / "config.json").read_text()) for when in ("before", "after")
            )
            assert before != after
        else:
            assert where
