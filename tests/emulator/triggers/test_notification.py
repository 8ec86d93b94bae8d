from chalicelib.projection.batch import Named
from chalicelib.projection.projector import objects
from emulator.triggers.notification import File, object_created, objects_created


class TestObjectCreated:
    def test_keys_are_encoded_as_aws_does(self) -> None:
        """And the projector reads them back."""
        event = object_created("raw", "events/a b+c/sản.json", 7)
        record = event["Records"][0]
        assert record["s3"]["object"] == {"key": "events/a+b%2Bc/s%E1%BA%A3n.json", "size": 7}
        assert record["eventName"] == "ObjectCreated:Put"
        assert list(objects(event)) == [Named("raw", "events/a b+c/sản.json", 7)]

    def test_several_objects_are_several_records(self) -> None:
        """In their order."""
        event = objects_created("raw", [File("events/b.json", 7, 1), File("events/a.json", 8, 1)])
        assert list(objects(event)) == [Named("raw", "events/b.json", 7), Named("raw", "events/a.json", 8)]
