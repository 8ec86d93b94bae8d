"""How the projector reaches its warehouse: libpq's parameters, from the environment or from where AWS keeps secrets."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from psycopg import conninfo

from chalicelib.errors import CredentialsUnavailable, SettingsError
from chalicelib.settings import Settings

__all__ = ["CA_FILE", "Credentials", "Parameters", "credentials_of", "parameters_of"]

Parameters = dict[str, Any]
# Reads the parameters anew at each call. Raises SettingsError, or CredentialsUnavailable.
Credentials = Callable[[], Parameters]

# Beside app.py, from Chalice's vendor/: the certificates of whoever signed the warehouse's.
CA_FILE = Path(__file__).parent.parent / "warehouse-ca.pem"
# libpq's name of each parameter, and its name in the secrets that RDS makes.
MEMBERS = {"user": "username", "password": "password", "host": "host", "port": "port", "dbname": "dbname"}
NEEDED = ("username", "password", "host")
DATABASE = "clickstream_dw"


def credentials_of(settings: Settings) -> Credentials:
    """Give what reads the parameters from `DW_URL`, `DW_SECRET_ARN` or `DW_PARAMETER_NAME`, whichever is set.

    Raises:
        SettingsError: None or several of them are set, or `DW_URL` is not a PostgreSQL URL.
    """
    named = [name for name in (settings.dw_url, settings.dw_secret_arn, settings.dw_parameter_name) if name]
    if not named:
        raise SettingsError(
            "nothing names the warehouse: set DW_SECRET_ARN or DW_PARAMETER_NAME, or DW_URL on a laptop"
        )
    if len(named) > 1:
        raise SettingsError("DW_URL, DW_SECRET_ARN and DW_PARAMETER_NAME each name the warehouse: set one of them")
    if settings.dw_secret_arn:
        return lambda: _verified("DW_SECRET_ARN", _secret(settings.dw_secret_arn))
    if settings.dw_parameter_name:
        return lambda: _verified("DW_PARAMETER_NAME", _parameter(settings.dw_parameter_name))
    parameters = parameters_of(settings.dw_url)
    return lambda: parameters


def parameters_of(url: str, name: str = "DW_URL") -> Parameters:
    """Parse a libpq URL or connection string.

    Args:
        url: The text.
        name: The setting that holds it, which errors name instead of quoting the text.

    Raises:
        SettingsError: The text is empty or cannot be parsed.
    """
    if not url:
        raise SettingsError(f"{name} is not set: it names the warehouse, as postgresql://user@host/database")
    try:
        parameters: Parameters = {**conninfo.conninfo_to_dict(url)}
    except (psycopg.ProgrammingError, UnicodeEncodeError):
        # Without the cause: its text may quote the URL, password and all.
        raise SettingsError(f"{name} is not a PostgreSQL URL, as postgresql://user@host/database") from None
    # An `@` or `/` in a password would make the rest of it a host or a port, which errors then name.
    if "@" in str(parameters.get("host", "")) or re.search(r"[^0-9,]", str(parameters.get("port", ""))):
        raise SettingsError(f"{name} is not a PostgreSQL URL: percent-encode the special characters of its password")
    return parameters


def _verified(name: str, text: str) -> Parameters:
    """Parse a secret's text. Whatever it says, the connection uses TLS and checks the server's certificate."""
    parameters = _of_json(name, text) if text.lstrip().startswith("{") else parameters_of(text, name)
    return parameters | {"sslmode": "verify-full", "sslrootcert": str(CA_FILE if CA_FILE.exists() else _public_cas())}


def _of_json(name: str, text: str) -> Parameters:
    try:
        secret = json.loads(text)
    except ValueError:
        # Without the cause, which holds the text.
        raise SettingsError(f"{name} names a secret that is neither JSON nor a PostgreSQL URL") from None
    missing = [member for member in NEEDED if not secret.get(member)]
    if missing:
        raise SettingsError(f"{name} names a secret without {', '.join(missing)}: it needs {', '.join(NEEDED)}")
    return {"dbname": DATABASE} | {ours: secret[theirs] for ours, theirs in MEMBERS.items() if secret.get(theirs)}


def _public_cas() -> Path:
    """The file with certificates of public authorities that comes with botocore; libpq has no such file."""
    import botocore

    return Path(botocore.__file__).parent / "cacert.pem"


def _secret(arn: str) -> str:
    return _ask("secretsmanager", lambda client: client.get_secret_value(SecretId=arn)["SecretString"])


def _parameter(name: str) -> str:
    return _ask("ssm", lambda client: client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])


def _ask(service: str, question: Callable[[Any], str]) -> str:
    """Ask an AWS service. Raises CredentialsUnavailable."""
    # Here, not above: on a laptop, whose warehouse has a URL, nobody needs them.
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    config = Config(connect_timeout=2, read_timeout=4, retries={"mode": "standard", "total_max_attempts": 3})
    try:
        return question(boto3.client(service, config=config))
    except (BotoCoreError, ClientError) as error:
        reason = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
        raise CredentialsUnavailable(f"{service} did not give the warehouse's credentials: {reason}") from error
