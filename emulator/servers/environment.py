"""The environment variables that point a program at one stack."""

import os

from command_line.home import Stack

__all__ = ["REGION", "aws_environment", "forget_postgres_variables", "lambda_environment"]

REGION = "us-east-1"


def aws_environment(stack: Stack) -> dict[str, str]:
    """Return the variables that point any AWS SDK, and the Lambdas, at this stack."""
    return {
        "AWS_ENDPOINT_URL_S3": stack.s3_url,
        "AWS_ACCESS_KEY_ID": stack.access_key,
        "AWS_SECRET_ACCESS_KEY": stack.secret_key,
        "AWS_DEFAULT_REGION": REGION,
        "RAW_BUCKET_NAME": stack.bucket,
        "DW_URL": stack.dw_url,
        "PRICE_DECIMALS": str(stack.price_decimals),
    }


def forget_postgres_variables() -> None:
    """Remove libpq's variables from this process: PGHOSTADDR or PGSERVICE would win over the embedded server's URL."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]


def lambda_environment(stack: Stack, trigger: str = "s3") -> dict[str, str]:
    """Return the environment of the Lambda code: this stack, without the user's own AWS and rclone settings.

    `trigger` calls the projector: `s3` or `sqs`.
    """
    foreign = ("AWS_", "RCLONE_", "PG") if stack.is_own_dw else ("AWS_", "RCLONE_")
    # A proxy would get the requests to 127.0.0.1, too.
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(foreign) and not name.lower().endswith("_proxy")
    }
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return inherited | nowhere | aws_environment(stack) | {"TRIGGER": trigger, "PYTHONUNBUFFERED": "1"}
