"""Events travel on channels: to those who listen there, to one component alone, or to everybody."""

from __future__ import annotations

from typing import Any

from circuits import BaseComponent, Component, Event, handler


class knock(Event):
    """Knock at a door."""


class House(Component):
    """The root: writes down who has answered."""

    def init(self) -> None:
        self.answers: list[str] = []

    def after(self, *channels: Any) -> list[str]:
        """Knock there and return who answers."""
        self.flush()
        self.answers.clear()
        self.fire(knock(), *channels)
        self.flush()
        return self.answers


class Door(Component):
    """A door: knock, and it answers with its name."""

    def init(self, title: str, house: House, channel: str = "*") -> None:
        self.title = title
        self.house = house
        self.register(house)

    def knock(self) -> None:
        self.house.answers.append(self.title)


def test_a_component_hears_the_events_of_its_channel_and_no_others() -> None:
    house = House()
    Door("front", house, channel="street")
    Door("back", house, channel="garden")

    assert house.after("street") == ["front"]
    assert house.after("garden") == ["back"]
    assert house.after("roof") == []


def test_star_hears_every_channel_and_is_heard_on_every_channel() -> None:
    house = House()
    Door("any", house)
    Door("front", house, channel="street")

    assert house.after("street") == ["any", "front"]
    assert house.after("roof") == ["any"]
    assert house.after() == ["any", "front"]
    assert house.after("*") == ["any", "front"]


def test_a_channel_may_be_an_attribute_of_the_class_or_a_keyword() -> None:
    class Gate(Component):
        channel = "drive"

    assert Gate().channel == "drive"
    assert Gate(channel="lane").channel == "lane"
    assert Component().channel == "*"


def test_a_handler_may_listen_on_another_channel_than_its_component() -> None:
    class Two(Component):
        channel = "street"

        def init(self, house: House) -> None:
            self.house = house
            self.register(house)

        @handler("knock", channel="garden")
        def _on_knock_in_the_garden(self) -> None:
            self.house.answers.append("garden")

        @handler("knock")
        def _on_knock(self) -> None:
            self.house.answers.append("street")

    house = House()
    Two(house)

    assert house.after("street") == ["street"]
    assert house.after("garden") == ["garden"]


def test_an_event_fired_to_several_channels_is_handled_channel_by_channel() -> None:
    house = House()
    Door("front", house, channel="street")
    Door("back", house, channel="garden")
    Door("any", house)

    assert house.after("garden", "street") == ["back", "any", "front", "any"]


def test_priorities_of_handlers_count_over_all_channels() -> None:
    class Guard(Component):
        def init(self, house: House, channel: str = "*") -> None:
            self.house = house
            self.register(house)

        @handler("knock", priority=1)
        def _first(self) -> None:
            self.house.answers.append("guard")

    house = House()
    Door("front", house, channel="street")
    Guard(house, channel="garden")

    assert house.after("street", "garden") == ["guard", "front"]


def test_a_component_itself_is_a_channel_that_reaches_all_of_its_handlers_and_nobody_else() -> None:
    class Two(Door):
        @handler("knock", channel="garden")
        def _on_knock_in_the_garden(self) -> None:
            self.house.answers.append("garden")

    house = House()
    two = Two("street", house, channel="street")
    Door("any", house)

    assert house.after(two) == ["garden", "street"]


def test_a_component_may_listen_to_the_private_events_of_another() -> None:
    house = House()
    front = Door("front", house)

    class Spy(Component):
        @handler("knock", channel=front)
        def _listen(self) -> None:
            house.answers.append("spy")

    Spy().register(house)

    assert house.after(front) == ["front", "spy"]
    assert house.after() == ["front"]


def test_a_handler_without_names_sees_all_events_of_its_channel() -> None:
    seen: list[str] = []

    class Watch(BaseComponent):
        channel = "street"

        @handler()
        def _see(self, event: Event, *args: Any, **kwargs: Any) -> None:
            seen.append(event.name)

    app = Component()
    Watch().register(app)
    app.flush()
    seen.clear()
    app.fire(Event.create("a"), "street")
    app.fire(Event.create("b"), "garden")
    app.fire(Event.create("c"))
    app.fire(Event.create("d"), app)
    app.flush()

    assert seen == ["a", "c"]


def test_a_handler_without_names_on_star_sees_everything_private_events_too() -> None:
    seen: list[str] = []

    class Watch(BaseComponent):
        @handler(channel="*")
        def _see(self, event: Event, *args: Any, **kwargs: Any) -> None:
            seen.append(event.name)

    app = Component()
    Watch().register(app)
    other = Component(channel="street").register(app)
    app.flush()
    seen.clear()
    app.fire(Event.create("a"), "street")
    app.fire(Event.create("b"), "garden")
    app.fire(Event.create("c"), app)
    app.fire(Event.create("d"), other)
    app.flush()

    assert seen == ["a", "b", "c", "d"]


def test_a_component_fires_on_its_own_channel_unless_told_otherwise() -> None:
    class preset(Event):
        channels = ("garden",)

    component = Component(channel="street")
    events = [knock(), preset(), knock()]
    component.fire(events[0])
    component.fire(events[1])
    component.fire(events[2], "roof", "cellar")

    assert [event.channels for event in events] == [("street",), ("garden",), ("roof", "cellar")]


def test_everybody_in_the_tree_hears_wherever_they_are() -> None:
    house = House()
    branch = Component().register(house)
    front = Door("front", house)
    front.register(branch)
    front.flush()

    assert house.after() == ["front"]
    front.fire(knock())
    house.flush()
    assert house.answers == ["front", "front"]
