"""Renders the Chalice project of one stage: its configuration, and policies that name only its resources."""

import json
import shutil
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from chalicelib.errors import SettingsError
from chalicelib.settings import price_decimals
from infra.package.hashes import LOCK
from infra.policies import CLOSED, narrowed

__all__ = ["RenderError", "main", "render"]

APP = Path(__file__).parent.parent / "chalice_app"
CONFIG = Path(".chalice") / "config.json"
NEEDED = ("Region", "AccountId", "Partition", "RawBucketName", "AllowedOrigins")

# Lambda always keeps so much concurrency unreserved; an account with little more cannot reserve any.
UNRESERVED = 100

Outputs = Mapping[str, str]


class RenderError(click.ClickException):
    """The stage or its outputs are incomplete; the text says what is missing."""

    exit_code = 2


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("stage")
@click.option(
    "--outputs",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Outputs of the stage's stacks.",
)
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Directory to write."
)
def main(stage: str, outputs: Path, out: Path) -> None:
    """Write the Chalice project of STAGE, a stage in chalice_app/.chalice/config.json, into DIR.

    FILE holds the outputs of the stage's stacks as one flat JSON object of texts. Required: Region, AccountId,
    Partition, RawBucketName, AllowedOrigins, and DwSecretArn or DwParameterName. Optional: SubnetIds and
    SecurityGroupIds (comma-separated), FailureQueueArn, AllowedHeaders, ApiKeySha256, PriceDecimals,
    WarehouseCa (path of a PEM file), and Concurrency (how many functions the account may run at the same time).

    `make deploy` calls this. Call it alone to see the project that would be deployed:

    \b
      python -m infra.render prod --outputs outputs.json --out /tmp/project
    """  # noqa: D301  # click's own mark for "do not wrap" is a backspace
    try:
        made = json.loads(outputs.read_text())
    except ValueError as error:
        raise RenderError(f"{outputs} is not JSON: {error}") from None
    if not isinstance(made, dict):
        raise RenderError(f"{outputs} is not a JSON object")
    render(stage, made, out)


def render(stage: str, outputs: Outputs, out: Path, app: Path = APP) -> None:
    """Write the project of one stage.

    Args:
        stage: Name of the stage.
        outputs: Outputs of the stage's stacks.
        out: Directory to write to.
        app: The Chalice project to copy and complete.

    Raises:
        RenderError: The stage or its outputs are incomplete.
    """
    missing = [name for name in NEEDED if not outputs.get(name)]
    if missing:
        raise RenderError(f"the outputs lack {', '.join(missing)}")
    if bool(outputs.get("DwSecretArn")) == bool(outputs.get("DwParameterName")):
        raise RenderError(
            "the outputs need either DwSecretArn or DwParameterName, which name the warehouse's credentials"
        )
    if bool(outputs.get("SubnetIds")) != bool(outputs.get("SecurityGroupIds")):
        raise RenderError("the outputs need both SubnetIds and SecurityGroupIds, or neither")
    config = json.loads((app / CONFIG).read_text())
    if stage not in config["stages"]:
        known = ", ".join(config["stages"])
        raise RenderError(f"chalice_app/.chalice/config.json has no stage {stage} (it has {known}): copy one of them")
    config["stages"] = {stage: _settings(config["stages"][stage], outputs, f"{config['app_name']}/{stage}")}
    _copy(app, out)
    _add_authorities(outputs.get("WarehouseCa", ""), out)
    _write(out / CONFIG, config)
    _write(out / CONFIG.with_name("closed.json"), CLOSED)
    for name, function in config["lambda_functions"].items():
        file = CONFIG.with_name(function["iam_policy_file"])
        suffix = "" if name == "api_handler" else f"-{name}"  # as Chalice names functions
        function_name = f"{config['app_name']}-{stage}{suffix}"
        _write(out / file, narrowed(json.loads((app / file).read_text()), outputs, function_name))


def _settings(stage: dict[str, Any], outputs: Outputs, namespace: str) -> dict[str, Any]:
    """Complete one stage of Chalice's configuration with the outputs of its stacks; `namespace` is of its metrics."""
    ingest, projector, reconciler = (
        stage["lambda_functions"][name] for name in ("api_handler", "projector", "reconciler")
    )
    stage["environment_variables"] |= {
        "RAW_BUCKET_NAME": outputs["RawBucketName"],
        "ALLOWED_ORIGINS": outputs["AllowedOrigins"],
    }
    ingest["environment_variables"] = _present(
        {"ALLOWED_HEADERS": outputs.get("AllowedHeaders"), "API_KEY_SHA256": outputs.get("ApiKeySha256")}
    )
    projector["environment_variables"] = _present(
        {
            "DW_SECRET_ARN": outputs.get("DwSecretArn"),
            "DW_PARAMETER_NAME": outputs.get("DwParameterName"),
            "PRICE_DECIMALS": outputs.get("PriceDecimals"),
        }
    )
    _check(projector["environment_variables"])
    reconciler["environment_variables"] = projector["environment_variables"] | {"METRICS_NAMESPACE": namespace}
    if outputs.get("SubnetIds"):
        for function in (projector, reconciler):
            function["subnet_ids"] = outputs["SubnetIds"].split(",")
            function["security_group_ids"] = outputs["SecurityGroupIds"].split(",")
    _reserve(stage["lambda_functions"], outputs.get("Concurrency", ""))
    # Requests must come through the HTTP API: its authorizer and throttle must not be bypassed.
    return stage | {"api_gateway_policy_file": "closed.json"}


def _reserve(functions: dict[str, dict[str, Any]], concurrency: str) -> None:
    """Remove the reserved concurrency, with a message, if the account has too little, as new accounts have."""
    reserved = sum(function.get("reserved_concurrency", 0) for function in functions.values())
    if not reserved or not concurrency or int(concurrency) - reserved >= UNRESERVED:
        return
    for function in functions.values():
        function.pop("reserved_concurrency", None)
    click.echo(
        f"   the account can run {concurrency} functions at a time: too few to reserve {reserved}, so none are reserved"
    )


def _check(projector: Mapping[str, str]) -> None:
    """See that the projector could start, before it is deployed."""
    try:
        price_decimals(projector)
    except SettingsError as error:
        raise RenderError(f"PriceDecimals: {error}") from None


def _present(variables: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if value}


def _copy(app: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for name in ("app.py", "requirements.txt", LOCK):
        shutil.copy(app / name, out / name)
    for name in ("chalicelib", "vendor"):
        if (app / name).is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(app / name, out / name, ignore=ignore, dirs_exist_ok=True)
    (out / CONFIG.parent).mkdir(exist_ok=True)


def _add_authorities(pem: str, out: Path) -> None:
    """Copy the certificates of the warehouse's authority beside the app, where credentials.py looks for them."""
    if not pem:
        return
    try:
        ssl.create_default_context(cafile=pem)
    except (OSError, ssl.SSLError) as error:
        raise RenderError(f"WarehouseCa: {pem} is no PEM file of certificates: {error.strerror or error}") from None
    (out / "vendor").mkdir(exist_ok=True)
    shutil.copy(pem, out / "vendor" / "warehouse-ca.pem")


def _write(path: Path, value: Any) -> None:  # noqa: ANN401  # any JSON
    path.write_text(json.dumps(value, indent=2) + "\n")


if __name__ == "__main__":
    main(prog_name="python -m infra.render")
