"""Cuts things off a backup, as a full disk or a broken transfer would."""

import tarfile
from io import BytesIO
from pathlib import Path


def halve(path: Path) -> None:
    """Keep the first half of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def halve_a_table_in(path: Path) -> None:
    """Keep the first half of the largest table in a tar, which itself stays sound."""
    whole = path.with_name("whole.tar.gz")
    path.rename(whole)
    with tarfile.open(whole) as source, tarfile.open(path, "w:gz", compresslevel=1) as target:
        members = source.getmembers()
        largest = max((m for m in members if m.name.startswith("base/")), key=lambda member: member.size)
        for member in members:
            content = source.extractfile(member)
            data = b"" if content is None else content.read()
            if member is largest:
                data = data[: len(data) // 2]
                member.size = len(data)
            target.addfile(member, BytesIO(data))
    whole.unlink()
