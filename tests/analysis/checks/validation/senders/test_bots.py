import json

from analysis.checks.validation.senders.bots import MANY, bot_checks
from tests.support.raw_objects import START, Objects

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def objects_of(*senders: tuple[str | None, str | None, str]) -> Objects:
    """One event of each sender: its user agent, its address and its client."""
    objects = Objects()
    for user_agent, address, client in senders:
        ingest = {"receivedAt": START.isoformat(), "userAgent": user_agent, "sourceIp": address}
        objects.put(json.dumps({"eventName": "page_view", "clientId": client, "_ingest": ingest}))
    return objects


def found(objects: Objects, name: str) -> list[dict[str, object]]:
    return objects.findings(bot_checks(objects.events), name)


class TestBots:
    def test_bots(self) -> None:
        """Each user agent, with its events and clients; nobody has to act on them."""
        objects = objects_of((GOOGLEBOT, None, "a"), (GOOGLEBOT, None, "b"), (CHROME, None, "c"), (None, None, "d"))
        assert found(objects, "bots") == [{"user_agent": GOOGLEBOT, "events": 2, "clients": 2}]
        assert bot_checks(objects.events)[0].is_passed


class TestOneHitClients:
    def test_many_clients_of_one_address_that_come_once(self) -> None:
        """50 of them are a finding, 49 are not, and those of several addresses are not counted together."""
        crowd = [(CHROME, "203.0.113.7", f"c{number}") for number in range(MANY)]
        others = [(CHROME, "203.0.113.8", f"d{number}") for number in range(MANY - 1)]
        assert found(objects_of(*crowd, *others), "one_hit_clients") == [
            {"source_ip": "203.0.113.7", "clients": 50, "one_hit_clients": 50}
        ]

    def test_an_address_of_many_people(self) -> None:
        """Such as that of an office or of a mobile network: more than a tenth of them send several events."""
        once = [(CHROME, "203.0.113.7", f"c{number}") for number in range(MANY)]
        stays = [(CHROME, "203.0.113.7", f"s{number // 2}") for number in range(12)]
        assert found(objects_of(*once, *stays), "one_hit_clients") == []
