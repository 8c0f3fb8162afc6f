"""A topic as a hub: sources write into it, sinks are delivered to, each at its own pace.

The picture of exercise 3: what a slow, frozen or lost sink does to itself, and must not do to the others.
"""

from __future__ import annotations

from course.diagrams.frames import Picture
from course.diagrams.log_lane import Scene, scene
from course.diagrams.readers import Reader
from course.diagrams.views import HubLaneView, SinkState, SinkView


def hub_lane(view: HubLaneView) -> Picture:
    """The picture of a topic, its sources above and its sinks below."""
    readers = tuple(_row(sink, view.end) for sink in view.sinks)
    return scene(
        Scene(view.topic, view.start, view.end, view.values, "sources", view.sources, readers, view.flights, view.note)
    )


def _row(sink: SinkView, end: int) -> Reader:
    return Reader(
        name=sink.name,
        position=sink.position,
        wants=sink.holding,
        lag=None if sink.state is SinkState.GONE else max(end - sink.position, 0),
        state=_words(sink),
        still=sink.state is SinkState.FROZEN,
        gone=sink.state is SinkState.GONE,
    )


def _words(sink: SinkView) -> str:
    if sink.state is SinkState.BUSY and sink.busy_until_ms is not None:
        return f"busy to {sink.busy_until_ms:g} ms"
    return sink.state.value
