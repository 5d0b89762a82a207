"""Keys that cannot be found any more are not replaced by others unseen (B2)."""

import shutil
from pathlib import Path

import pytest

from consent_service.domain.errors import StoreUnavailable
from consent_service.storage.keyring import LOG, TOKEN, Keyring
from tests.support.builders import NOW, SITE


@pytest.mark.parametrize(("purpose", "site"), [(TOKEN, ""), (LOG, SITE)])
def test_a_key_whose_file_vanished_goes_on_signing(tmp_path: Path, purpose: str, site: str) -> None:
    keyring = Keyring(tmp_path / "keys")
    key = keyring.current(purpose, site, NOW)
    shutil.rmtree(tmp_path / "keys")
    keyring.reload()
    assert keyring.current(purpose, site, NOW) == key


def test_a_key_of_another_process_is_found(tmp_path: Path) -> None:
    ours, theirs = Keyring(tmp_path), Keyring(tmp_path)
    key = theirs.current(TOKEN, "", NOW)
    ours.reload()
    assert [known.kid for known in ours.all(TOKEN)] == [key.kid]


def test_a_secret_that_is_missing_beside_its_keys_is_not_made_anew(tmp_path: Path) -> None:
    Keyring(tmp_path).current(TOKEN, "", NOW)
    (tmp_path / "master.secret").unlink()
    with pytest.raises(StoreUnavailable, match="restore it"):
        Keyring(tmp_path)
    assert not (tmp_path / "master.secret").exists()
