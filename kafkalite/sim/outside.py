"""The world outside Kafka: whoever sends the text message, charges the card, opens the gate. It is in no transaction.

A sink does what it is asked, and may be asked for the same twice. An idempotent one notes down what it has done in the
same stroke as doing it, and does nothing twice. What they have done survives everything here.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from kafkalite.clients.pipeline import ApplyRequest, ApplyResponse
from kafkalite.config import ClientConfig, ConsumerConfig, GroupConfig, PipelineConfig, ProducerConfig
from kafkalite.facts import EffectApplied
from kafkalite.node import Node
from kafkalite.types import NodeName


class Sink(Node):
    """Does what it is asked, and says so; told of by the fact EffectApplied."""

    def on_apply_request(self, source: NodeName, request: ApplyRequest) -> None:
        """Do it."""
        self.note(EffectApplied(request.key, request.value))
        self.reply(source, ApplyResponse(request.key))


class IdempotentSink(Sink):
    """Does nothing twice."""

    def __init__(self, name: NodeName) -> None:
        super().__init__(name)
        self._done: set[str] = set()  # keys of what it has done

    def on_apply_request(self, source: NodeName, request: ApplyRequest) -> None:
        """Do it, unless that is done already; it is in either case."""
        if request.key in self._done:
            self.reply(source, ApplyResponse(request.key))
        else:
            self._done.add(request.key)
            super().on_apply_request(source, request)


def pipeline_configs(client: ClientConfig, name: NodeName, settings: dict[str, Any]) -> tuple[Any, ...]:
    """The settings of a pipeline, each where it belongs: client, consumer, group, producer, pipeline.

    The group and the transactional id are called as the program is, unless told otherwise.
    """
    wanted = {"group_id": name, "transactional_id": name, "auto_offset_reset": "earliest", **settings}
    if wanted.get("semantics") != "exactly once":
        del wanted["transactional_id"]
    configs: list[Any] = [client]
    for kind in (ConsumerConfig, GroupConfig, ProducerConfig, PipelineConfig):
        names = {field.name for field in fields(kind)}
        configs.append(kind(**{key: value for key, value in wanted.items() if key in names}))
    return tuple(configs)
