"""The source keeps its layers. The rules and their tables are in `tests/support/layers.py`.

The second half of this file breaks each rule in a small tree of its own, so that none can fall asleep.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support.layers import LEVELS, Offence, rule_1, rule_2, rule_3, rule_4
from support.sources import Module, modules_of

SOURCE = modules_of()


def complain(offences: list[Offence]) -> None:
    if offences:
        more = f"\n({len(offences) - 1} more)" if len(offences) > 1 else ""
        pytest.fail(f"{offences[0]}{more}", pytrace=False)


def test_rule_1_imports_go_down_or_sideways_without_a_circle() -> None:
    complain(rule_1(SOURCE))


def test_rule_2_the_three_packages_never_import_each_other() -> None:
    complain(rule_2(SOURCE))


def test_rule_3_sockets_clocks_pollers_and_asyncio_have_one_place_each() -> None:
    complain(rule_3(SOURCE))


def test_rule_4_neighbours_that_should_not_know_each_other_do_not() -> None:
    complain(rule_4(SOURCE))


def test_rule_5_every_file_is_walked() -> None:
    names = {module.name for module in SOURCE}

    assert {"evkernel", "circuits"} <= names
    assert len(SOURCE) == len(list((Path(__file__).parents[2] / "src").rglob("*.py")))


# ── each rule can fail ───────────────────────────────────────────────────────────────────────────────────────────────


def tree(**sources: str) -> list[Module]:
    """Return modules from `circuits__net__sockets="import x"`; a package is named with a trailing `__`."""
    modules = []
    for key, source in sources.items():
        parts = [part for part in key.split("__") if part]
        path = Path("src", *parts)
        path = path / "__init__.py" if key.endswith("__") else path.with_suffix(".py")
        modules.append(Module(".".join(parts), path, source))
    return modules


def first(offences: list[Offence]) -> str:
    return str(offences[0]) if offences else ""


NET = "class TCPServer: ...\n"


@pytest.mark.parametrize(
    "source",
    [
        "import circuits.net.sockets",
        "import circuits.net.sockets as sockets",
        "from circuits.net.sockets import TCPServer",
        "from circuits.net import sockets",
        "from ..net.sockets import TCPServer",
        "from ..net import sockets",
        "def late():\n    from circuits.net.sockets import TCPServer",
        "if TYPE_CHECKING:\n    from circuits.net.sockets import TCPServer",
        "import importlib\nimportlib.import_module('circuits.net.sockets')",
        "__import__('circuits.net.sockets')",
    ],
)
def test_an_import_that_points_up_is_named_with_its_line(source: str) -> None:
    offences = rule_1(tree(circuits__core__manager=source, circuits__net__="", circuits__net__sockets=NET))

    line = source.splitlines()[-1].strip()
    number = len(source.splitlines())
    assert first(offences) == (
        f"src/circuits/core/manager.py:{number}: {line}\n    rule 1: circuits.core.manager (level 2) is below level 3"
    )


def test_an_import_that_points_down_is_fine() -> None:
    assert not rule_1(
        tree(
            circuits__net__sockets="from circuits.core.manager import Manager",
            circuits__core__manager="from evkernel.loop import Loop",
            evkernel__loop="from evkernel.wire import lines",
            evkernel__wire__lines="import re",
        )
    )


def test_a_package_root_stands_above_all_and_may_pass_names_on_from_packages() -> None:
    package = tree(
        circuits__="from .core import Event\nfrom .web.main import main",
        circuits__core__="from .events import Event",
        circuits__core__events="",
        circuits__web__main="",
    )

    assert not rule_1(package)


def test_nobody_below_imports_a_package_root() -> None:
    offences = rule_1(tree(circuits__="", circuits__web__main="import circuits"))

    assert "level 4) is below level 5" in first(offences)


def test_a_name_comes_from_the_module_that_defines_it() -> None:
    offences = rule_1(
        tree(
            circuits__core__="from .events import Event",
            circuits__core__events="",
            circuits__net__sockets="from circuits.core import events\nfrom circuits.core import Event",
        )
    )

    assert first(offences) == (
        "src/circuits/net/sockets.py:2: from circuits.core import Event\n"
        "    rule 1: take Event from the module that defines it"
    )


def test_a_circle_is_named_with_all_its_members() -> None:
    offences = rule_1(
        tree(
            evkernel__loop="from .poll import Poller",
            evkernel__poll="from .timers import TimerHeap",
            evkernel__timers="def f():\n    from .loop import Loop",
        )
    )

    assert [str(offence) for offence in offences] == [
        "src/evkernel/loop.py:1: from .poll import Poller\n"
        "    rule 1: a circle: evkernel.loop → evkernel.poll → evkernel.timers → evkernel.loop"
    ]


def test_what_only_a_type_checker_imports_closes_no_circle() -> None:
    assert not rule_1(
        tree(
            evkernel__loop="from .poll import Poller",
            evkernel__poll="if typing.TYPE_CHECKING:\n    from .loop import Loop",
        )
    )


def test_the_other_branch_of_type_checking_does_load() -> None:
    assert rule_1(
        tree(
            evkernel__loop="from .poll import Poller",
            evkernel__poll="if TYPE_CHECKING:\n    pass\nelse:\n    from .loop import Loop",
        )
    )


def test_a_module_that_the_table_does_not_know_has_to_be_added() -> None:
    assert first(rule_1(tree(circuits__novel="'''Docstring.'''"))) == (
        "src/circuits/novel.py:1: '''Docstring.'''\n    rule 1: circuits.novel is in no layer: add it"
    )


def test_the_longest_entry_of_the_table_counts() -> None:
    assert LEVELS["vanilla.*"] > LEVELS["vanilla.core"]
    assert rule_1(tree(vanilla__core="from .tcp import listen", vanilla__tcp=""))
    assert not rule_1(tree(vanilla__tcp="from .core import Hub", vanilla__core=""))


@pytest.mark.parametrize(("who", "whom"), [("circuits", "vanilla"), ("vanilla", "sig"), ("sig", "circuits")])
def test_the_three_packages_are_strangers(who: str, whom: str) -> None:
    offences = rule_2(tree(**{f"{who}__main": f"'''{who}'''\n\nfrom {whom}.core import x"}))

    assert first(offences) == (
        f"src/{who}/main.py:3: from {whom}.core import x\n    rule 2: the three packages never import each other"
    )


def test_only_vanilla_imports_greenlet() -> None:
    assert not rule_2(tree(vanilla__core="import greenlet"))
    assert "only vanilla switches greenlets" in first(rule_2(tree(evkernel__loop="from greenlet import getcurrent")))


@pytest.mark.parametrize("module", ["socket", "select", "selectors", "ssl", "time", "threading", "asyncio"])
def test_wire_knows_no_sockets_clocks_or_threads(module: str) -> None:
    offences = rule_3(tree(evkernel__wire__lines=f"import re\nimport {module}"))

    assert first(offences).startswith(f"src/evkernel/wire/lines.py:2: import {module}\n    rule 3: ")


@pytest.mark.parametrize(
    ("module", "owner"), [("select", "evkernel.poll"), ("selectors", "evkernel.poll"), ("asyncio", "evkernel.hosted")]
)
def test_pollers_and_asyncio_have_one_owner_each(module: str, owner: str) -> None:
    assert not rule_3(tree(**{owner.replace(".", "__"): f"import {module}"}))
    assert "rule 3: only" in first(rule_3(tree(circuits__core__manager=f"def f():\n    import {module}")))
    assert not rule_3(tree(circuits__core__manager=f"if TYPE_CHECKING:\n    import {module}"))


@pytest.mark.parametrize(
    "source",
    [
        "import time\nx = time.monotonic()",
        "import time as t\nx = t.time_ns",
        "import time\nx = time.localtime()",
        "\nfrom time import sleep, perf_counter",
        "from datetime import datetime\nx = datetime.now(tz=UTC)",
        "import datetime\nx = datetime.datetime.utcnow()",
        "from datetime import date\nx = date.today()",
    ],
)
def test_only_the_clock_asks_what_time_it_is(source: str) -> None:
    line = source.splitlines()[1]

    assert first(rule_3(tree(circuits__core__timers=source))) == (
        f"src/circuits/core/timers.py:2: {line}\n    rule 3: only evkernel.clock reads clocks"
    )
    assert not rule_3(tree(evkernel__clock=source))


@pytest.mark.parametrize(
    "source",
    ["import time\ntime.sleep(1)", "import time\ntime.gmtime(0)", "clock.now()", "import calendar\nx = event.time"],
)
def test_what_only_looks_like_a_clock_is_fine(source: str) -> None:
    assert not rule_3(tree(circuits__core__timers=source))


@pytest.mark.parametrize(
    ("who", "whom"),
    [
        ("circuits.net.sockets", "circuits.io.file"),
        ("circuits.io.file", "circuits.net.sockets"),
        ("circuits.protocols.http", "circuits.web.main"),
        ("circuits.core.manager", "circuits.net.sockets"),
    ],
)
def test_neighbours_that_should_not_know_each_other_are_told_apart(who: str, whom: str) -> None:
    offences = rule_4(tree(**{who.replace(".", "__"): f"import {whom}"}))

    assert first(offences).startswith(f"src/{who.replace('.', '/')}.py:1: import {whom}\n    rule 4: ")


def test_a_name_that_only_begins_alike_is_another_module() -> None:
    assert not rule_4(tree(circuits__net__sockets="import circuits.iodine"))
    assert not rule_2(tree(circuits__core__manager="import signal"))


def test_the_first_line_in_file_order_comes_first() -> None:
    offences = rule_3(tree(circuits__b="import select", circuits__a="import re\nimport asyncio\nimport select"))

    assert [(offence.path.name, offence.line) for offence in offences] == [("a.py", 2), ("a.py", 3), ("b.py", 1)]
