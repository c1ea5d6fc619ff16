"""Drives a rating desk as the daemon does: a caller talks to an agent, comes to be asked, and presses keys."""

from dataclasses import dataclass, field

from callflow.core.profile import Procedures, Profile
from callflow.core.rating.desk import RatingDesk
from callflow.core.rating.inputs import CallerCame, RatingInput
from callflow.core.rating.orders import AskQuestion, GiveBack, RatingOrder, SaveRating, SayThanks
from callflow.core.rating.record import Rating
from callflow.core.rating.rules import RatingRules
from callflow.core.rings.talk_events import TalkBegan, TalkParties

T0 = 1_769_864_703_000
CALL = "1769864703.12"


def procedures(**profiles: Profile) -> Procedures:
    return Procedures(
        profiles={"default": Profile(), **profiles},
        ladders={},
        languages=("zh", "en"),
        default_language="en",
        max_calls=10,
        max_lag_s=0.4,
    )


def talk(uniqueid: str = CALL, agent: str = "8012", *, queue: str = "support", originated: bool = False) -> TalkBegan:
    parties = TalkParties(
        call_id=uniqueid,
        caller_uniqueid=uniqueid,
        caller_channel="PJSIP/carrier-00000001",
        agent_uniqueid=f"{uniqueid}0",
        agent_channel="PJSIP/8012-00000002",
        agent=agent,
        queue=queue,
        line="" if queue else "12",
        originated=originated,
    )
    return TalkBegan(T0 - 60_000, parties)


def came(
    uniqueid: str = CALL,
    *,
    profile: str = "",
    caller: str = "h0123456789abcdef",
    transferred: bool = False,
    asked_ms: int | None = None,
    history_known: bool = True,
    at_ms: int = T0,
) -> CallerCame:
    return CallerCame(uniqueid, uniqueid, profile, at_ms, "zh", caller, transferred, asked_ms, history_known)


@dataclass
class Desk:
    """A desk, and what it has ordered so far."""

    rules: RatingRules = field(default_factory=RatingRules)
    procedures: Procedures = field(default_factory=procedures)
    played: list[str] = field(default_factory=list)
    given_back: list[str] = field(default_factory=list)
    saved: list[tuple[Rating, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.core = RatingDesk(self.rules, self.procedures)

    def tell(self, *events: RatingInput) -> list[RatingOrder]:
        orders = [order for event in events for order in self.core.receive(event, T0)]
        for order in orders:
            match order:
                case AskQuestion() | SayThanks():
                    self.played.append(order.prompt)
                case GiveBack():
                    self.given_back.append(order.outcome)
                case SaveRating():
                    self.saved.append((order.record, order.final))
        return orders

    @property
    def rating(self) -> Rating:
        """The last record."""
        return self.saved[-1][0]
