"""The memory of the rules: bounded, and apart for each version of a policy."""

from collections.abc import Callable

from consent_service.service.memory import RuleMemory

OLD, NEW = object(), object()


def counted(asked: list[str], answer: str) -> Callable[[], str]:
    """Decide, and note that it was asked for."""
    return lambda: asked.append(answer) or answer


def test_equal_facts_are_decided_once() -> None:
    memory, asked = RuleMemory[str](), list[str]()
    assert [memory.recall(OLD, "facts", counted(asked, "answer")) for _ in range(3)] == ["answer"] * 3
    assert asked == ["answer"]


def test_each_version_has_answers_of_its_own() -> None:
    """Another policy, another answer; two busy sites do not drive each other out."""
    memory, asked = RuleMemory[str](), list[str]()
    versions = (OLD, NEW, OLD, NEW)
    assert [memory.recall(v, "facts", counted(asked, f"{n}")) for n, v in enumerate(versions)] == ["0", "1", "0", "1"]


def test_a_version_that_is_gone_is_not_taken_for_another_in_its_place() -> None:
    """Versions are told apart by identity, and a new one may stand where an old one stood in memory."""
    memory, asked = RuleMemory[str](), list[str]()
    answers = [memory.recall(bytearray(1), "facts", counted(asked, f"{n}")) for n in range(50)]
    assert answers == [f"{n}" for n in range(50)]


def test_what_has_no_key_is_decided_each_time() -> None:
    memory, asked = RuleMemory[str](), list[str]()
    assert [memory.recall(OLD, None, counted(asked, answer)) for answer in ("one", "two")] == ["one", "two"]


def test_it_starts_anew_where_it_holds_as_much_as_it_may() -> None:
    """What others ask may not fill the service's memory, by number or by size."""
    few, asked = RuleMemory[str](2), list[str]()
    assert [few.recall(OLD, key, counted(asked, key)) for key in "aabca"] == list("aabca")
    assert asked == ["a", "b", "c", "a"]
    light, again = RuleMemory[str](10, len), list[str]()
    assert [light.recall(OLD, key, counted(again, key * 9)) for key in "aaba"] == ["a" * 9, "a" * 9, "b" * 9, "a" * 9]
    assert again == ["a" * 9, "b" * 9, "a" * 9]


def test_what_holds_parts_of_another_memory_is_forgotten_with_it() -> None:
    """Otherwise it would keep alive what the other one let go."""
    parts, asked = RuleMemory[str](), list[str]()
    memory = RuleMemory[str](1, dependent=parts)
    parts.recall(OLD, "part", counted(asked, "part"))
    memory.recall(OLD, "a", counted(asked, "a"))
    parts.recall(OLD, "part", counted(asked, "part"))
    memory.recall(OLD, "b", counted(asked, "b"))
    parts.recall(OLD, "part", counted(asked, "part"))
    assert asked == ["part", "a", "b", "part"]
