"""Renders the Chalice project of one stage: its configuration, and policies that name only its resources."""

import json
import shutil
import ssl
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import click

from chalicelib.errors import SettingsError
from chalicelib.settings import TRIGGERS, Settings
from infra.package.hashes import LOCK
from infra.policies import CLOSED, narrowed

__all__ = ["RenderError", "main", "render"]

APP = Path(__file__).parent.parent / "chalice_app"
CONFIG = Path(".chalice") / "config.json"
NEEDED = ("Region", "AccountId", "Partition", "RawBucketName", "AllowedOrigins")

# Lambda always keeps so much concurrency unreserved; an account with little more cannot reserve any.
UNRESERVED = 100
# The function that connects to the warehouse as the owner of its tables.
OWNER = "operations"

# Variables of each function, and the setting or output that each holds.
INGEST = {
    "ALLOWED_HEADERS": "AllowedHeaders",
    "API_KEY_SHA256": "ApiKeySha256",
    "MAX_EVENT_BYTES": "MaxEventBytes",
    "STORE_IP": "StoreIp",
}
PROJECTOR = {
    "DW_SECRET_ARN": "DwSecretArn",
    "DW_PARAMETER_NAME": "DwParameterName",
    "PRICE_DECIMALS": "PriceDecimals",
    "DW_MAY_PAUSE": "DwMayPause",
}

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
    SecurityGroupIds (comma-separated), DwOwnerSecretArn, DwReaderSecretArn, FailureQueueArn, AllowedHeaders,
    ApiKeySha256, MaxEventBytes, StoreIp, PriceDecimals, WarehouseCa (path of a PEM file), Warehouse and
    WarehouseMinCapacity (whether it may pause), ReserveConcurrency, and UnreservedConcurrency (how many functions the
    account may run at the same time, without what is reserved for functions that are not of this stage), and Trigger:
    s3 (the default) or sqs, which needs NotificationQueueArn.

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
    _check_trigger(outputs)
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
        policy = json.loads((app / file).read_text())
        _write(out / file, narrowed(policy, outputs, function_name, is_owner=name == OWNER))


def _settings(stage: dict[str, Any], outputs: Outputs, namespace: str) -> dict[str, Any]:
    """Complete one stage of Chalice's configuration with the outputs of its stacks; `namespace` is of its metrics."""
    ingest, projector, operations, reconciler = (
        stage["lambda_functions"][name] for name in ("api_handler", "projector", OWNER, "reconciler")
    )
    stage["environment_variables"] |= {
        "RAW_BUCKET_NAME": outputs["RawBucketName"],
        "ALLOWED_ORIGINS": outputs["AllowedOrigins"],
        "TRIGGER": outputs.get("Trigger") or "s3",
    }
    outputs = {**outputs, "DwMayPause": "yes" if _may_pause(outputs) else ""}
    # A size that the configuration names holds if the stage names none.
    ingest["environment_variables"] = _merged(ingest, INGEST, outputs, kept={"MAX_EVENT_BYTES", "STORE_IP"})
    projector["environment_variables"] = _merged(projector, PROJECTOR, outputs, kept={"DW_MAY_PAUSE"})
    for function in (ingest, projector):
        _check(function["environment_variables"])
    operations["environment_variables"] = _owner(projector["environment_variables"], outputs)
    reconciler["environment_variables"] = projector["environment_variables"] | {"METRICS_NAMESPACE": namespace}
    if outputs.get("SubnetIds"):
        for function in (projector, operations, reconciler):
            function["subnet_ids"] = outputs["SubnetIds"].split(",")
            function["security_group_ids"] = outputs["SecurityGroupIds"].split(",")
    if outputs.get("Trigger") == "sqs":
        # The event source mapping limits the copies. A reservation would throttle its batches.
        projector.pop("reserved_concurrency", None)
    _reserve(stage["lambda_functions"], outputs)
    # Requests must come through the HTTP API: its authorizer and throttle must not be bypassed.
    return stage | {"api_gateway_policy_file": "closed.json"}


def _owner(projector: Mapping[str, str], outputs: Outputs) -> dict[str, str]:
    """Give what the operations function needs: the owner's credentials, and the secrets of the users that it makes.

    A stage with another warehouse may have one user for everything.
    """
    owner = outputs.get("DwOwnerSecretArn")
    if not owner:
        return {**projector}
    users = {
        "DW_WRITER_SECRET_ARN": outputs.get("DwSecretArn"),
        "DW_READER_SECRET_ARN": outputs.get("DwReaderSecretArn"),
    }
    return {**projector, "DW_SECRET_ARN": owner, **{name: value for name, value in users.items() if value}}


def _reserve(functions: dict[str, dict[str, Any]], outputs: Outputs) -> None:
    """Remove the reserved concurrency if the stage reserves none, or, with a message, if the account has too little."""
    unreserved = outputs.get("UnreservedConcurrency", "")
    reserved = sum(function.get("reserved_concurrency", 0) for function in functions.values())
    is_wanted = outputs.get("ReserveConcurrency") != "no"
    if is_wanted and (not reserved or not unreserved or int(unreserved) - reserved >= UNRESERVED):
        return
    for function in functions.values():
        function.pop("reserved_concurrency", None)
    if is_wanted:
        click.echo(
            f"   the account can run {unreserved} functions at a time that nobody else has reserved: "
            f"too few to reserve {reserved}, so none are reserved"
        )


def _check_trigger(outputs: Outputs) -> None:
    """See that the stage names one of the triggers, and that its queue is there."""
    trigger = outputs.get("Trigger") or "s3"
    if trigger not in TRIGGERS:
        raise RenderError(f"Trigger is {' or '.join(TRIGGERS)}, not {trigger!r}")
    if trigger == "sqs" and not outputs.get("NotificationQueueArn"):
        raise RenderError(
            "Trigger sqs needs NotificationQueueArn, an output of the stack of infra/templates/queue.yaml"
        )


def _may_pause(outputs: Outputs) -> bool:
    """Whether the warehouse sleeps when nobody is connected, as Aurora does whose least capacity is 0."""
    return outputs.get("Warehouse") == "aurora" and float(outputs.get("WarehouseMinCapacity") or 1) == 0


def _merged(
    function: Mapping[str, Any], variables: Mapping[str, str], outputs: Outputs, kept: Collection[str] = ()
) -> dict[str, str]:
    """Return a function's variables: what the configuration names, and on top of it what the stage sets.

    Args:
        function: The function in the configuration.
        variables: The variables that a stage sets, and the setting or output that each holds.
        outputs: The settings and outputs.
        kept: Variables whose value in the configuration holds if the stage's is empty.
    """
    named = function.get("environment_variables", {})
    configured = {name: value for name, value in named.items() if name in kept or name not in variables}
    return configured | {name: value for name, key in variables.items() if (value := outputs.get(key))}


def _check(variables: Mapping[str, str]) -> None:
    """See that a function could start, before it is deployed."""
    try:
        Settings.from_environment(variables)
    except SettingsError as error:
        name = str(error).partition(" ")[0]
        raise RenderError(f"{(INGEST | PROJECTOR).get(name, 'environment_variables')}: {error}") from None


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
