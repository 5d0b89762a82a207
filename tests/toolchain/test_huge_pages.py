"""What the bench reserves of the machine's memory, it gives back."""

from pathlib import Path

import pytest

from bench import huge_pages as module

WANTED = 100 << 21
"""Bytes of a hundred pages of 2 MB."""
RESERVED = 107
"""The same with what PostgreSQL shares beside its buffers."""


class Kernel:
    """Files that look like those in which Linux tells of huge pages."""

    def __init__(self, directory: Path, before: int) -> None:
        """Have some reserved already."""
        self.count, self.memory = directory / "nr_hugepages", directory / "meminfo"
        self.count.write_text(f"{before}\n", "ascii")
        self.memory.write_text("MemTotal:       24000000 kB\nHugepagesize:       2048 kB\n", "ascii")

    @property
    def reserved(self) -> int:
        """Give how many are reserved now."""
        return int(self.count.read_text("ascii"))


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Kernel:
    """Have the module read and write such files; a parameter is what was reserved before."""
    found = Kernel(tmp_path, getattr(request, "param", 0))
    monkeypatch.setattr(module, "_COUNT", found.count)
    monkeypatch.setattr(module, "_MEMORY", found.memory)
    return found


@pytest.mark.parametrize("kernel", [0, 5], indirect=True)
def test_pages_are_reserved_and_given_back(kernel: Kernel) -> None:
    before = kernel.reserved
    with module.huge_pages(WANTED) as there:
        assert (there, kernel.reserved) == (True, RESERVED)
    assert kernel.reserved == before


@pytest.mark.parametrize("kernel", [RESERVED + 1], indirect=True)
def test_what_the_administrator_reserved_is_used_and_left(kernel: Kernel) -> None:
    with module.huge_pages(WANTED) as there:
        assert (there, kernel.reserved) == (True, RESERVED + 1)
    assert kernel.reserved == RESERVED + 1


def test_whoever_may_not_reserve_is_told(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise PermissionError

    monkeypatch.setattr(Path, "write_text", refuse)
    with module.huge_pages(WANTED) as there:
        assert (there, kernel.reserved) == (False, 0)


def test_without_huge_pages_nothing_is_reserved(kernel: Kernel) -> None:
    kernel.memory.write_text("MemTotal:       24000000 kB\n", "ascii")
    with module.huge_pages(WANTED) as there:
        assert (there, kernel.reserved) == (False, 0)
