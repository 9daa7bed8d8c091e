"""Every name that the documents promise is there, under its documented path and with its documented parameters."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from support.documented import Promise, complaints, read

TABLE = Path(__file__).with_name("documented_names.txt")

BY_MODULE: dict[str, list[Promise]] = defaultdict(list)
for _promise in read(TABLE.read_text(encoding="utf-8")):
    BY_MODULE[_promise.module].append(_promise)


@pytest.mark.parametrize("module", BY_MODULE)
def test_a_module_keeps_what_the_documents_promise(module: str) -> None:
    broken = [complaint for promise in BY_MODULE[module] for complaint in complaints(promise)]

    assert not broken, "\n".join(broken)


def test_the_table_promises_each_name_once() -> None:
    names = [str(promise) for promises in BY_MODULE.values() for promise in promises]

    assert sorted(names) == sorted(set(names))
    assert len(names) > 250
