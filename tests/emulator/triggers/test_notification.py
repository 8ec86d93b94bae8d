from chalicelib.projector import objects
from emulator.triggers.notification import object_created


class TestObjectCreated:
    def test_keys_are_encoded_as_aws_does(self) -> None:
        """And the projector reads them back."""
        event = object_created("raw", "events/a b+c/sản.json", 7)
        record = event["Records"][0]
        assert record["s3"]["object"] == {"key": "events/a+b%2Bc/s%E1%BA%A3n.json", "size": 7}
        assert record["eventName"] == "ObjectCreated:Put"
        assert list(objects(event)) == [("raw", "events/a b+c/sản.json")]
