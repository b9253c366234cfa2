import pytest

from fallback import WRAPS, Fallback


@pytest.fixture(params=WRAPS, ids=lambda path: path.stem)
def fallback(request, tmp_path):
    return Fallback(request.param, tmp_path)
