import json
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
import trustme
from psycopg import conninfo, sql

from chalicelib.errors import CredentialsUnavailable, SettingsError, WarehouseUnavailable
from chalicelib.flatten import flatten
from chalicelib.settings import Settings
from chalicelib.warehouse import credentials
from chalicelib.warehouse.client import Warehouse, open_warehouse
from chalicelib.warehouse.credentials import CA_FILE, credentials_of
from emulator.servers.postgres.server import Postgres
from tests.support.tls_postgres import tls_before

pytestmark = pytest.mark.slow

PARAMETER = "/clickstream/dev/warehouse"
ROW = flatten(b'{"eventName": "page_view"}', "key", datetime(2026, 11, 25, tzinfo=UTC))


class Secret:
    """One secret of a pretend AWS, and how often it was read."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.arn = client.create_secret(Name="clickstream", SecretString="{}")["ARN"]
        self.reads = 0
        boto3.DEFAULT_SESSION.events.register("before-call.secretsmanager.GetSecretValue", self._count)

    def _count(self, **_: Any) -> None:
        self.reads += 1

    def put(self, text: str | dict[str, Any]) -> None:
        self._client.put_secret_value(
            SecretId=self.arn, SecretString=text if isinstance(text, str) else json.dumps(text)
        )

    @property
    def settings(self) -> Settings:
        return Settings(dw_secret_arn=self.arn)


@pytest.fixture
def secret(aws: Any) -> Secret:
    """Give an empty secret."""
    del aws
    return Secret(boto3.client("secretsmanager"))


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> trustme.CA:
    """Give the authority that the package trusts, as `vendor/warehouse-ca.pem` names it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / CA_FILE.name)
    monkeypatch.setattr(credentials, "CA_FILE", tmp_path / CA_FILE.name)
    return authority


@pytest.fixture
def serve(warehouse_url: str) -> Iterator[Callable[..., dict[str, Any]]]:
    """Give a function that serves an empty database with a certificate for a name; it gives the secret of that."""
    parts = conninfo.conninfo_to_dict(warehouse_url)
    started = []

    def start(authority: trustme.CA | None, name: str = "localhost", **members: Any) -> dict[str, Any]:
        certificate = None
        if authority:
            certificate = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert(name).configure_cert(certificate)
        server = tls_before(f"{parts['host']}/.s.PGSQL.{parts['port']}", certificate)
        started.append(server)
        port = server.__enter__()
        ours = {"username": parts["user"], "password": "any", "host": "localhost", "port": port}
        return ours | {"dbname": parts["dbname"]} | members

    yield start
    for server in started:
        server.__exit__(None, None, None)


@pytest.fixture
def role(postgres: Postgres, warehouse_url: str) -> Iterator[Callable[[str], str]]:
    """Give a function that sets the password of a role of the real server, which asks for it; it gives the role."""
    name = "with_password"
    with psycopg.connect(warehouse_url, autocommit=True) as connection:
        (hba,) = connection.execute("SHOW hba_file").fetchone() or ("",)
        rules = Path(hba).read_text()
        Path(hba).write_text(f"local all {name} scram-sha-256\n{rules}")
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
        connection.execute(sql.SQL("GRANT CREATE ON SCHEMA public TO {}").format(sql.Identifier(name)))
        connection.execute("SELECT pg_reload_conf()")

        def change(password: str) -> str:
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(name), password))
            return name

        yield change
        connection.execute("DROP TABLE IF EXISTS clickstream_events")
        connection.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(name)))
        Path(hba).write_text(rules)
        connection.execute("SELECT pg_reload_conf()")
    del postgres


class TestTls:
    def test_a_server_is_trusted_by_its_certificate(
        self, secret: Secret, authority: trustme.CA, serve: Callable[..., dict[str, Any]]
    ) -> None:
        """Which an authority of the package has signed for its name; rows go through."""
        secret.put(serve(authority))
        warehouse = Warehouse(credentials_of(secret.settings))
        assert warehouse.insert(ROW)
        warehouse.close()

    @pytest.mark.usefixtures("authority")
    def test_a_server_signed_by_somebody_else_is_not(
        self, secret: Secret, serve: Callable[..., dict[str, Any]]
    ) -> None:
        """Whoever is in the middle gets no password."""
        secret.put(serve(trustme.CA()))
        with pytest.raises(WarehouseUnavailable, match="certificate verify failed"):
            Warehouse(credentials_of(secret.settings)).insert(ROW)

    def test_a_server_of_another_name_is_not(
        self, secret: Secret, authority: trustme.CA, serve: Callable[..., dict[str, Any]]
    ) -> None:
        """Although its certificate is good."""
        secret.put(serve(authority, "other.example"))
        with pytest.raises(WarehouseUnavailable, match=r"other.example.*localhost"):
            Warehouse(credentials_of(secret.settings)).insert(ROW)

    @pytest.mark.usefixtures("authority")
    def test_a_server_without_tls_is_not(self, secret: Secret, serve: Callable[..., dict[str, Any]]) -> None:
        """Also where the secret says that it would do."""
        port = serve(None)["port"]
        secret.put(f"postgresql://u:p@localhost:{port}/db?sslmode=prefer")
        with pytest.raises(WarehouseUnavailable, match="server does not support SSL"):
            Warehouse(credentials_of(secret.settings)).insert(ROW)

    def test_public_authorities_are_trusted_where_the_package_names_none(self, secret: Secret) -> None:
        """The ones that botocore brings along."""
        secret.put({"username": "u", "password": "p", "host": "h"})
        authorities = ssl.create_default_context(cafile=credentials_of(secret.settings)()["sslrootcert"])
        assert authorities.cert_store_stats()["x509_ca"] > 50


class TestCredentials:
    def test_a_secret_of_rds_has_other_names_than_libpq(self, secret: Secret) -> None:
        """What else it holds is left out; without a database it is ours."""
        secret.put({"username": "u", "password": "p", "host": "h", "port": 5432, "engine": "postgres"})
        parameters = credentials_of(secret.settings)()
        assert {name: parameters[name] for name in ("user", "password", "host", "port", "dbname")} == {
            "user": "u",
            "password": "p",
            "host": "h",
            "port": 5432,
            "dbname": "clickstream_dw",
        }
        assert "engine" not in parameters

    def test_a_parameter_does_as_well(self, aws: Any) -> None:
        """Encrypted, as JSON or as a URL."""
        del aws
        client = boto3.client("ssm")
        read = credentials_of(Settings(dw_parameter_name=PARAMETER))
        for text in ('{"username": "u", "password": "p", "host": "h"}', "postgresql://u:p@h/clickstream_dw"):
            client.put_parameter(Name=PARAMETER, Value=text, Type="SecureString", Overwrite=True)
            expected = {"user": "u", "password": "p", "host": "h", "dbname": "clickstream_dw", "sslmode": "verify-full"}
            assert read().items() >= expected.items()

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ('{"username": "u", "password": "hidden"}', "a secret without host: it needs username, password, host"),
            ('{"password": "hidden", ', "is neither JSON nor a PostgreSQL URL"),
            ("hidden nonsense", "is not a PostgreSQL URL"),
        ],
    )
    def test_a_secret_that_cannot_be_used_is_named_and_not_shown(self, text: str, problem: str, secret: Secret) -> None:
        """The variable that names it, and what it needs."""
        secret.put(text)
        with pytest.raises(SettingsError, match=f"DW_SECRET_ARN .*{problem}") as raised:
            credentials_of(secret.settings)()
        assert "hidden" not in str(raised.value)
        assert raised.value.__cause__ is None

    @pytest.mark.usefixtures("aws")
    @pytest.mark.parametrize(
        ("settings", "reason"),
        [
            (Settings(dw_secret_arn="gone"), "secretsmanager .*: ResourceNotFoundException"),
            (Settings(dw_parameter_name="/gone"), "ssm .*: ParameterNotFound"),
        ],
    )
    def test_a_service_that_does_not_give_them_is_named(self, settings: Settings, reason: str) -> None:
        """With its own reason; Lambda tries again."""
        with pytest.raises(CredentialsUnavailable, match=reason):
            Warehouse(credentials_of(settings)).insert(ROW)

    @pytest.mark.parametrize(
        ("settings", "problem"),
        [
            (Settings(), "nothing names the warehouse: set DW_SECRET_ARN or DW_PARAMETER_NAME"),
            (Settings(dw_url="postgresql://u@h/d", dw_secret_arn="arn"), "set one of them"),
        ],
    )
    def test_one_place_has_to_be_named(self, settings: Settings, problem: str) -> None:
        """Neither none nor two."""
        with pytest.raises(SettingsError, match=problem):
            open_warehouse(settings)


class TestRotation:
    def test_a_new_password_is_read_when_the_old_one_is_refused(
        self,
        secret: Secret,
        authority: trustme.CA,
        serve: Callable[..., dict[str, Any]],
        role: Callable[[str], str],
    ) -> None:
        """Once; until then the secret is not read again, nor when the connection has to be opened anew."""
        members = serve(authority, username=role("first"), password="first")
        secret.put(members)
        warehouse = Warehouse(credentials_of(secret.settings))
        warehouse.insert(ROW)
        warehouse.close()
        warehouse.insert(ROW)
        assert secret.reads == 1
        warehouse.close()
        role("second")
        with pytest.raises(WarehouseUnavailable, match="password authentication failed"):
            warehouse.insert(ROW)
        secret.put(members | {"password": "second"})
        warehouse.insert(ROW)
        assert secret.reads == 3
        warehouse.close()
