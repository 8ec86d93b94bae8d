from collections.abc import Iterator

import pytest

from tests.support.reconciling import Reconciling


@pytest.fixture
def bench(warehouse_url: str) -> Iterator[Reconciling]:
    """Give an empty bucket and an empty warehouse."""
    bench = Reconciling(warehouse_url)
    yield bench
    bench.close()
