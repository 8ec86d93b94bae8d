"""An empty lake in a pretend AWS Glue, whose tables all tests of one process share."""

from analysis.lake.location import Location, location_of
from tests.support.served_bucket import ServedBucket

__all__ = ["LAKE", "empty_lake"]

LAKE = "shop-lake"


def empty_lake(served: ServedBucket) -> Location:
    """Empty the lake that the environment names, whatever another test has left in it, and give its location."""
    place = location_of("glue")
    catalog = place.catalog()
    for name in ("events", "orders"):
        if catalog.table_exists(f"clickstream.{name}"):
            catalog.drop_table(f"clickstream.{name}")
    for key in [each["Key"] for each in served.client.list_objects_v2(Bucket=LAKE).get("Contents", ())]:
        served.client.delete_object(Bucket=LAKE, Key=key)
    return place
