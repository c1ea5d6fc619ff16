"""The section [fleet]: the one database that the records of many nodes are collected in."""

from pydantic import Field, SecretStr, field_validator

from callflow.core.publishing.topics import topic_id
from callflow.core.section import Section


class FleetOptions(Section):
    """A fleet: many nodes, one PostgreSQL database to report from."""

    database_url: SecretStr = Field(
        SecretStr(""),
        description="postgresql://USER:PASSWORD@HOST/DATABASE, read by reports; empty: reports read store.path.",
    )
    sites: tuple[str, ...] = Field((), description="Sites that callflow collect stores; empty: all at the broker.")
    shard: str = Field(
        "all", description="Name of this share of the sites: of the collectors with the same name one is active."
    )
    batch_events: int = Field(500, ge=1, le=10_000, description="Most events in one transaction.")
    batch_s: float = Field(0.2, gt=0, le=10, description="Longest time that an event waits for its transaction.")
    max_skew_s: float = Field(
        5.0, gt=0, le=86_400, description="Difference of a node's clock from the collector's that is reported."
    )

    @field_validator("sites", "shard")
    @classmethod
    def _fit_a_topic(cls, names: tuple[str, ...] | str) -> tuple[str, ...] | str:
        return topic_id(names) if isinstance(names, str) else tuple(map(topic_id, names))
