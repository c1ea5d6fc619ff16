"""The section [fleet]: the one database that the records of many nodes are collected in."""

from pydantic import Field, SecretStr

from callflow.core.section import Section


class FleetOptions(Section):
    """A fleet: many nodes, one PostgreSQL database to report from."""

    database_url: SecretStr = Field(
        SecretStr(""),
        description="postgresql://USER:PASSWORD@HOST/DATABASE, read by reports; empty: reports read store.path.",
    )
