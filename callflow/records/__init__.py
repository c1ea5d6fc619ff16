"""Every kind of record that the daemon keeps, each described in one file.

To add a kind: write its file with a `RecordKind` (table, event, metrics, age, and how a restart ends it) and name it in
`KINDS`; add a migration that makes the table, and a schema of the event in docs/schemas. The store, retention, the
start after a crash, events and metrics then know it.
"""

from callflow.records.agent_intervals import AGENT_INTERVALS
from callflow.records.assist_steps import ASSIST_STEPS
from callflow.records.callbacks import CALLBACK_ATTEMPTS, CALLBACK_CHANGES, CALLBACKS
from callflow.records.calls import CALLS
from callflow.records.cases import CASE_CHANGES, CASES
from callflow.records.holds import HOLDS
from callflow.records.kind import Kinds
from callflow.records.legs import LEGS
from callflow.records.offers import OFFERS
from callflow.records.ratings import RATINGS
from callflow.records.stays import STAYS
from callflow.records.talks import TALKS
from callflow.records.transfers import TRANSFERS
from callflow.records.wrap_ups import WRAP_UPS

KINDS = Kinds(
    CALLS,
    STAYS,
    OFFERS,
    LEGS,
    TALKS,
    HOLDS,
    AGENT_INTERVALS,
    RATINGS,
    CALLBACKS,
    CALLBACK_CHANGES,
    CALLBACK_ATTEMPTS,
    CASES,
    CASE_CHANGES,
    ASSIST_STEPS,
    TRANSFERS,
    WRAP_UPS,
)
