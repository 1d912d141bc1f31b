"""The published bank is kept in memory, and a new publication is seen after a while."""

import pytest
from serving import on_database, publish

from thetaline import irt
from thetaline.service import bank_cache
from thetaline.service.bank_cache import BankCache
from thetaline.service.database import Database


def test_the_bank_is_kept_for_a_while_and_then_read_where_another_is_published(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(database, {"1": {"a": 1.0, "b": 0.0}})

    async def seen(opened: Database) -> list[irt.Items]:
        bank = BankCache(opened)
        first = await bank.items()
        publish(database, {"1": {"a": 1.0, "b": 0.5}}, run_id="fit-2")
        kept = await bank.items()
        monkeypatch.setattr(bank_cache, "BANK_SECS", 0.0)
        return [first, kept, await bank.items(), await bank.items()]

    first, kept, renewed, same = on_database(database, seen)
    assert kept is first
    assert (first.b[0], renewed.b[0]) == (0.0, 0.5)
    assert same is renewed
