"""Draw a tree of components: as indented text, as a graph for graphviz or Mermaid, as a PNG.

    walk ──▶ lines               graph
         ──▶ DOT ── dot ──▶ PNG  dot, png
         ──▶ Mermaid             mermaid

The program `dot` comes with graphviz; nothing but `png` needs it.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ._report import handlers_of
from ._tree import walk

if TYPE_CHECKING:
    import os

    from circuits.core.manager import Manager

__all__ = ["dot", "graph", "mermaid", "png"]

#: Seconds that `dot` may take. A tree of a thousand components takes it about one.
PATIENCE = 30
#: Beside so many siblings a picture grows downwards instead of getting wider than a screen.
MANY_SIBLINGS = 6
#: Events named in one box; the rest is only counted.
MAX_EVENTS = 12

#: Every component has this one, to leave its tree with.
OWN_HANDLER = "prepare_unregister_complete"

STYLE = """\
  graph [rankdir={direction}, bgcolor=white, pad=0.3, nodesep=0.3, ranksep=0.6, dpi=144]
  node [shape=box, style="rounded,filled", fillcolor="#eef3fb", color="#4a6fa5", fontcolor="#1d2733",
        fontname="Helvetica,Arial,sans-serif", fontsize=12, margin="0.2,0.1"]
  edge [color="#8492a6", arrowsize=0.7{ports}]"""

#: Where the arrows of a picture reach the boxes, by its direction.
PORTS = {"TB": "", "LR": ", headport=w"}


class Box(NamedTuple):
    """What a picture shows of one component."""

    number: int
    parent: int | None
    name: str
    channel: str
    events: list[str]


def graph(x: Manager, name: str | None = None) -> str:
    """Give the tree below a component as text, and save a picture of it where graphviz is installed.

    Args:
        x: a component, or a manager.
        name: the picture is saved as `<name>.png` in the current directory; None is the name of the component, an empty
            text means no picture. That no picture can be made or saved is logged as a warning, and otherwise ignored.

    Returns:
        One line per component, each a space further in than its parent.
    """
    if name != "":
        _save_picture(x, name or x.name)
    return "\n".join(walk(x, lambda depth, component: f"{' ' * depth}* {component!r}"))


def dot(x: Manager, handlers: bool = False) -> str:
    """Give the tree below a component as a graph in the language of graphviz.

    Args:
        x: a component, or a manager.
        handlers: name the events, too, that each component handles.
    """
    boxes = _boxes(x, handlers)
    direction = "LR" if any(len(component.components) > MANY_SIBLINGS for component in walk(x, _component)) else "TB"
    lines = [f"strict digraph {_quoted(x.name)} {{", STYLE.format(direction=direction, ports=PORTS[direction])]
    for box in boxes:
        # The root stands out.
        weight = ", penwidth=2" if box.parent is None else ""
        lines.append(f"  n{box.number} [label=<{_html_label(box)}>{weight}]")
    lines += [f"  n{box.parent} -> n{box.number}" for box in boxes if box.parent is not None]
    return "\n".join([*lines, "}"]) + "\n"


def mermaid(x: Manager, handlers: bool = False) -> str:
    """Give the tree below a component as a flowchart in the language of Mermaid, as Markdown pages show it.

    Args:
        x: a component, or a manager.
        handlers: name the events, too, that each component handles.
    """
    lines = ["flowchart TD"]
    for box in _boxes(x, handlers):
        texts = [f"<b>{_mermaid_text(box.name)}</b>", _mermaid_text(box.channel), *map(_mermaid_text, box.events)]
        lines.append(f'    n{box.number}["{"<br/>".join(texts)}"]')
        if box.parent is not None:
            lines.append(f"    n{box.parent} --> n{box.number}")
    return "\n".join(lines) + "\n"


def png(x: Manager, path: str | os.PathLike[str], handlers: bool = False) -> None:
    """Save a picture of the tree below a component. Needs graphviz, and waits until it is done.

    Args:
        x: a component, or a manager.
        path: the file to write.
        handlers: name the events, too, that each component handles.

    Raises:
        FileNotFoundError: when graphviz is not installed.
        subprocess.SubprocessError: when it fails, or takes too long.
        OSError: when the file cannot be written.
    """
    import subprocess  # late: costs more than all else here, and few need it

    program = _program()
    if program is None:
        raise FileNotFoundError("`dot`, a program that graphviz brings, was not found: install graphviz")
    text = dot(x, handlers).encode()
    finished = subprocess.run([program, "-Tpng"], input=text, capture_output=True, timeout=PATIENCE, check=True)
    Path(path).write_bytes(finished.stdout)


def _program() -> str | None:
    from shutil import which  # late: brings compression libraries with it

    return which("dot")


def _save_picture(x: Manager, name: str) -> None:
    if _program() is None:
        return
    from logging import getLogger  # late: see png
    from subprocess import SubprocessError

    path = f"{name.removesuffix('.png')}.png"
    try:
        png(x, path)
    except (OSError, SubprocessError) as error:
        # The caller asked for the text; a directory that cannot be written is not worth losing that.
        getLogger("circuits.tools").warning("no picture %s: %s", path, error)


def _boxes(x: Manager, handlers: bool) -> list[Box]:
    numbers: dict[Any, int] = {}
    boxes = []
    for component in walk(x, _component):
        number = numbers[component] = len(numbers)
        parent = None if component is x else numbers[component.parent]
        events = _events_of(component) if handlers else []
        boxes.append(Box(number, parent, component.name, _channel_of(component), events))
    return boxes


def _component(depth: int, component: Any) -> Any:  # noqa: ARG001 - as `walk` calls it
    return component


def _channel_of(component: Any) -> str:
    channel = component.channel
    return f"channel {channel if isinstance(channel, str) else f'<instance of {type(channel).__name__}>'}"


def _events_of(component: Any) -> list[str]:
    names = [f"on {'every event' if name == '*' else name}" for name in handlers_of(component) if name != OWN_HANDLER]
    more = len(names) - MAX_EVENTS
    return names if more <= 0 else [*names[:MAX_EVENTS], f"and {more} more"]


def _html_label(box: Box) -> str:
    lines = [f"<b>{escape(box.name)}</b>", f'<font point-size="10" color="#52606d">{escape(box.channel)}</font>']
    lines += [f'<font point-size="9">{escape(name)}</font>' for name in box.events]
    return "<br/>".join(lines)


def _mermaid_text(text: str) -> str:
    """Write signs that have a meaning in Mermaid as it wants them: `#quot;`, `#35;`."""
    return "".join(sign if sign.isalnum() or sign in " _.*-/:" else f"#{ord(sign)};" for sign in text)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
