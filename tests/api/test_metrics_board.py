"""Several workers of one service: whichever answers `/metrics` speaks for all of them."""

import multiprocessing
from collections.abc import Callable, Sequence
from pathlib import Path

from consent_service.api.metric_families import BATCH_SIZE, CHECKPOINT_AGE, LOG_ENTRIES, WRITES, Sample
from consent_service.api.metrics_board import MetricsBoard, merged
from tests.support.service import memory_store, running

LOOPBACK = ("127.0.0.1", 50_000)


def in_another_worker(work: Callable[[], None]) -> None:
    """Run something in a forked process, as a worker is one, and wait for its end."""
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join()
    assert process.exitcode == 0


def writes(number: int) -> list[Sample]:
    """Measure so many writes."""
    return [Sample(WRITES, ("given",), number)]


def laid(board: MetricsBoard) -> Sequence[tuple[tuple[str, ...], float]]:
    """Give what others have laid out."""
    return [(sample.labels, sample.value) for sample in board.others()]


def test_a_worker_finds_what_another_has_laid_out_even_after_its_end() -> None:
    board = MetricsBoard(2)
    board.lay(writes(1))
    in_another_worker(lambda: board.lay(writes(5)))
    assert laid(board) == [(("given",), 5.0)]


def test_a_worker_takes_the_place_of_one_that_died() -> None:
    board = MetricsBoard(2)
    board.lay(writes(1))
    in_another_worker(lambda: board.lay(writes(5)))
    in_another_worker(lambda: board.lay(writes(7)))
    assert laid(board) == [(("given",), 7.0)]


def test_a_worker_without_a_place_disturbs_nobody() -> None:
    board = MetricsBoard(1)
    board.lay(writes(1))
    in_another_worker(lambda: board.lay(writes(5)))
    assert laid(board) == []


def test_what_each_worker_did_adds_up_and_what_all_see_is_told_once() -> None:
    both = [
        *writes(2),
        *writes(3),
        Sample(LOG_ENTRIES, ("default",), 40),
        Sample(LOG_ENTRIES, ("default",), 41),
        Sample(CHECKPOINT_AGE, ("default",), 9),
        Sample(CHECKPOINT_AGE, ("default",), 0),
        Sample(BATCH_SIZE, ("reads",), 7, (1, 2)),
        Sample(BATCH_SIZE, ("reads",), 8, (3, 4)),
    ]
    assert list(merged(both)) == [
        *writes(5),
        Sample(LOG_ENTRIES, ("default",), 41),
        Sample(CHECKPOINT_AGE, ("default",), 0),
        Sample(BATCH_SIZE, ("reads",), 15, (4, 6)),
    ]


async def test_a_scrape_of_one_worker_tells_of_both(tmp_path: Path) -> None:
    board = MetricsBoard(2)
    in_another_worker(lambda: board.lay(writes(5)))
    async with running(tmp_path, memory_store(tmp_path), board=board) as service:
        async with service.client(client=LOOPBACK) as scraper:
            text = (await scraper.get("/metrics")).text
    assert 'consent_writes_total{outcome="given"} 5.0' in text
