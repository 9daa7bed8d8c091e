"""The programs that the documents show with a Debugger print what the documents show."""

from __future__ import annotations

import re

from support.program import run_program, start_program
from support.waiting import wait_until

POUND = '''
from circuits import Component, Debugger, Event


class bark(Event):
    """bark Event"""


class Pound(Component):
    def __init__(self):
        super(Pound, self).__init__()

        self.bob = Bob().register(self)
        self.fred = Fred().register(self)


class Dog(Component):
    def started(self, *args):
        self.fire(bark())

    def bark(self):
        print("Woof! I'm %s!" % name)


class Bob(Dog):
    """Bob"""

    channel = "bob"


class Fred(Dog):
    """Fred"""

    channel = "fred"


class Keeper(Component):
    """Ends the program, which the documents leave to ^C."""

    def exception(self, *args, **kwargs):
        raise SystemExit(0)


(Pound()@OTHERS@).run()
'''

LOGGED = """
from circuits import Event, Component, Debugger


class foo(Event):
    '''foo Event'''


class App(Component):

    def foo(self, x, y):
        return x + y


app = App() + Debugger()
app.tick()
print(app.fire(foo(1, 2)))
app.tick()
print(repr(app.fire(foo())))
app.tick()
app.tick()
"""


def masked(text: str) -> list[str]:
    """Give lines without what differs from run to run: processes, the lengths of queues and the places of files."""
    text = re.sub(r"\d+:MainThread \(queued=\d+\)", "1:MainThread", text)
    return re.sub(r'File "[^"]*/([^"]*)", line \d+', r'File "\1", line N', text).splitlines()


def test_without_a_debugger_each_error_is_printed_with_its_place() -> None:
    with start_program(POUND.replace("@OTHERS@", "")) as pound:
        wait_until(lambda: "for <started" in pound.stderr.rpartition("(Fred.bark)")[2])
        pound.interrupt()
        lines = masked(pound.finish().check().stderr)

    assert [line for line in lines if line.strip(" ^")] == [
        "ERROR <handler[bob][bark] (Bob.bark)> (<bark[bob] ( )>) {<class 'NameError'>}: name 'name' is not defined",
        '  File "program.py", line N, in bark',
        '    print("Woof! I\'m %s!" % name)',
        "  fired by <handler[bob][started] (Bob.started)> for <started[*] (<Pound/* 1:MainThread [R]> )>",
        "ERROR <handler[fred][bark] (Fred.bark)> (<bark[fred] ( )>) {<class 'NameError'>}: name 'name' is not defined",
        '  File "program.py", line N, in bark',
        '    print("Woof! I\'m %s!" % name)',
        "  fired by <handler[fred][started] (Fred.started)> for <started[*] (<Pound/* 1:MainThread [R]> )>",
    ]


def test_with_a_debugger_the_tutorial_shows_every_event_and_then_what_is_wrong() -> None:
    finished = run_program(POUND.replace("@OTHERS@", " + Debugger() + Keeper()")).check()

    lines = masked(finished.stderr)
    exception = lines.index("<bark[fred] ( )>") + 1
    assert [line.partition("]")[0] for line in lines[:exception]] == [
        "<registered[bob",
        "<registered[fred",
        "<registered[*",
        "<registered[*",
        "<started[*",
        "<bark[bob",
        "<bark[fred",
    ]
    assert lines[exception].startswith(
        "<exception[*] (<class 'NameError'>, NameError(\"name 'name' is not defined\"), ["
    )
    assert "handler=<bound method Dog.bark of <Bob/bob 1:MainThread [S]>>" in lines[exception]
    assert [line for line in lines[exception + 1 : exception + 6] if line.strip(" ^")][:4] == [
        "ERROR <handler[bob][bark] (Bob.bark)> (<bark[bob] ( )>) {<class 'NameError'>}: name 'name' is not defined",
        '  File "program.py", line N, in bark',
        '    print("Woof! I\'m %s!" % name)',
        "  fired by <handler[bob][started] (Bob.started)> for <started[*] (<Pound/* 1:MainThread [R]> )>",
    ]
    assert lines[-1].startswith("<stopped[*] (<Pound/* 1:MainThread")


def test_a_wrong_call_is_printed_as_the_guide_shows_it() -> None:
    finished = run_program(LOGGED).check()

    assert masked(finished.stdout)[-1] == "<Value () result=False; errors=False; for <foo[*] ( )>"
    lines = masked(finished.stderr)
    app = "<App/* 1:MainThread [S]>"
    assert lines[0] == f"<registered[*] (<Debugger/* 1:MainThread [S]>, {app} )>"
    assert lines[1:3] == ["<foo[*] (1, 2 )>", "<foo[*] ( )>"]
    assert lines[3].startswith(
        "<exception[*] (<class 'TypeError'>, TypeError(\"App.foo() missing 2 required positional"
    )
    assert lines[3].endswith(f" handler=<bound method App.foo of {app}>, fevent=<foo[*] ( )>)>")
    assert lines[4] == (
        "ERROR <handler[*][foo] (App.foo)> (<foo[*] ( )>) {<class 'TypeError'>}: "
        "App.foo() missing 2 required positional arguments: 'x' and 'y'"
    )
    assert lines[-1] == '  it takes (x, y): File "program.py", line N, in foo'
