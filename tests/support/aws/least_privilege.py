"""A policy beside what its function needs: every permission that is too much, and every one that is missing."""

from collections.abc import Iterable

from infra.policies import Policy
from tests.support.aws.calls import Call, Names, Permission, permissions

__all__ = ["differences", "grants_of_lambda"]

INTERFACES = (
    "AssignPrivateIpAddresses",
    "CreateNetworkInterface",
    "DeleteNetworkInterface",
    "DescribeNetworkInterfaces",
    "DescribeSubnets",
    "UnassignPrivateIpAddresses",
)


def differences(policy: Policy, calls: Iterable[Call], function: str, names: Names) -> list[str]:
    """One line for each permission that `policy` has too much or lacks; none, if it is exactly what is needed.

    Needed is what the calls take, and what Lambda itself does in the name of `function`. A pattern of resources has to
    be spelled as `names` have it: a wider or narrower one is one permission too much, and one that is missing. Raises
    AssertionError for a statement of another form than ours, which could say something else than it seems to.
    """
    allowed = _allowed(policy)
    needed = grants_of_lambda(function, names).union(*(permissions(call, names) for call in calls))
    return sorted(
        [f"too much: {action} on {resource}" for action, resource in allowed - needed]
        + [f"missing: {action} on {resource}" for action, resource in needed - allowed]
    )


def grants_of_lambda(function: str, names: Names) -> set[Permission]:
    """What Lambda itself does in a function's name, so that no call of our code shows it."""
    log_group = f"arn:aws:logs:{names.place}:log-group:/aws/lambda/{names.function}:*"
    # What the function writes to standard output, and Lambda's own lines.
    grants = {Permission(f"logs:{name}", log_group) for name in ("CreateLogGroup", "CreateLogStream", "PutLogEvents")}
    # Traces, as config.json wants them; X-Ray knows no resources.
    grants |= {Permission(f"xray:{name}", "*") for name in ("PutTraceSegments", "PutTelemetryRecords")}
    if function == "projector" and names.queue:
        # Lambda puts an invocation that it gave up on into the failure queue.
        grants.add(Permission("sqs:SendMessage", names.queue))
    if function == "projector" and names.notifications:
        # Lambda takes batches out of the queue, and deletes what went through.
        actions = ("DeleteMessage", "GetQueueAttributes", "ReceiveMessage")
        grants |= {Permission(f"sqs:{name}", names.notifications) for name in actions}
    if function in ("projector", "operations", "reconciler") and names.has_vpc:
        # A VPC is entered by network interfaces, which Lambda makes; nobody knows beforehand which.
        grants |= {Permission(f"ec2:{name}", "*") for name in INTERFACES}
    return grants


def _allowed(policy: Policy) -> set[Permission]:
    for statement in policy["Statement"]:
        assert statement.keys() == {"Sid", "Effect", "Action", "Resource"}, f"{statement} has another form"
        assert statement["Effect"] == "Allow", f"{statement} has another effect"
        assert isinstance(statement["Action"], list), f"{statement} has no list of actions"
        assert isinstance(statement["Resource"], list), f"{statement} has no list of resources"
    return {
        Permission(action, resource)
        for statement in policy["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    }
