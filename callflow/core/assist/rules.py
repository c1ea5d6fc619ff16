"""What a site may set about assistance in talks, each with default, unit and bound beside it."""

import re
from enum import StrEnum
from pathlib import Path

from pydantic import Field, field_validator

from callflow.core.profile import Ladder, Rung
from callflow.core.section import Name, Section


class AssistRules(Section):
    """Times and counts of assistance while a caller talks to an agent; who is assisted is set per profile."""

    pause_s: float = Field(
        0.6,
        ge=0.2,
        le=5,
        description="Seconds of silence of both parties before a prompt begins (on hold: the caller's).",
    )
    patience_s: float = Field(
        8.0, ge=0.5, le=60, description="Seconds that a prompt waits for such a pause; then it is dropped."
    )
    silent_after_s: float = Field(
        3.0,
        ge=1,
        le=60,
        description="Seconds of silence after the agent's greeting before the caller counts as silent.",
    )
    ladder: Name = Field("agent_silent", description="Name of the ladder for a silent caller at an agent.")
    quiet_ladder: Name = Field("agent_quiet", description="Name of the ladder for a caller too low to understand.")
    agent_hears: bool = Field(False, description="The agent hears what is said to a silent caller.")
    still_there_after_s: float = Field(
        8.0,
        ge=2,
        le=120,
        description="Seconds of the caller's silence while the agent explains, before the prompt (D1).",
    )
    go_on_after_s: float = Field(
        6.0, ge=2, le=120, description="Seconds of silence of both after the caller stopped, before the prompt (D2)."
    )
    most_asked: int = Field(2, ge=0, le=20, description="Most prompts of D1 in one talk, and most of D2.")
    reassure_every_s: float = Field(
        20.0, ge=5, le=300, description="Seconds between two prompts to a caller on hold (D4)."
    )
    offer_after_s: float = Field(
        60.0, ge=10, le=3600, description="Seconds on hold after which the caller is offered a call-back (D5)."
    )
    offer_key: str = Field("1", pattern=r"^[0-9*#]$", description="Key that accepts the call-back.")
    offer_open_s: float = Field(10.0, ge=2, le=60, description="Seconds after the offer in which the key counts.")
    ask_name: bool = Field(
        False,
        description="Ask a caller who has accepted the call-back for a name, and record it (opt-in: it is a voice).",
    )
    names_dir: Path = Field(
        Path("/var/spool/callflow"),
        description="Folder of spoken names, at the same path for Asterisk, which writes them, and for callflow, "
        "which deletes them; of this daemon alone.",
    )
    name_longest_s: int = Field(5, ge=2, le=15, description="Seconds that a spoken name lasts at most.")
    names_keep_h: float = Field(
        24.0, ge=0, le=8760, description="Hours from the end of a call-back until its spoken name is deleted."
    )
    same_agent_s: int = Field(
        8, ge=1, le=60, description="Seconds that the same agent is called for a caller who spoke during the goodbye."
    )
    queue_priority: int = Field(
        10, ge=1, le=1000, description="Priority in the queue (QUEUE_PRIO) of a caller who spoke during the goodbye."
    )
    nuisance_ladder: Name = Field("agent_nuisance", description="Name of the ladder that the action nuisance begins.")
    louder_step_db: float = Field(4.0, ge=1, le=12, description="Step of the actions louder and softer, in dB (Q5).")
    louder_most_db: float = Field(
        12.0, ge=1, le=15, description="Greatest gain of the agent's voice for the caller, in dB (Q5)."
    )
    wrap_up_most_s: float = Field(
        300.0, ge=10, le=7200, description="Seconds after which a wrap-up ends without the action ready."
    )
    actions_per_minute: int = Field(
        20, ge=1, le=600, description="Most actions of one agent in a minute; further ones are refused."
    )

    @field_validator("names_dir")
    @classmethod
    def _fits_the_dialplan(cls, value: Path) -> Path:
        if not re.fullmatch(r"(/[\w.-]+)+", str(value)) or ".." in value.parts:
            raise ValueError("must be an absolute path of letters, digits and _ . - / alone")
        return value


class Prompt(StrEnum):
    """Prompts of assistance that no ladder names; a profile's `prompts` may name other recordings."""

    STILL_HEAR_ME = "still_hear_me"
    PLEASE_GO_ON = "please_go_on"
    ONE_MOMENT = "one_moment"
    STILL_LOOKING = "still_looking"
    STILL_LOOKING_AGAIN = "still_looking_again"
    THANK_YOU_FOR_WAITING = "thank_you_for_waiting"
    OFFER_CALL_BACK = "offer_call_back"
    SAY_YOUR_NAME = "say_your_name"
    CALL_BACK_AGREED = "call_back_agreed"
    HEAR_ME_NOW = "hear_me_now"
    VOLUME_AT_LIMIT = "volume_at_limit"
    PICK_UP_HANDSET = "pick_up_handset"
    SAY_AGAIN = "say_again"
    ASK_SUPERVISOR = "ask_supervisor"
    ANYTHING_ELSE = "anything_else"
    WELCOME_AGAIN = "welcome_again"
    BYE_ENQUIRY = "bye_enquiry"
    BYE_ORDER = "bye_order"
    BYE_NO_ORDER = "bye_no_order"
    CALLER_IS_SILENT = "caller_is_silent"
    CALLER_IS_QUIET = "caller_is_quiet"
    NO_SUPERVISOR = "no_supervisor"


TO_AGENT = (Prompt.CALLER_IS_SILENT, Prompt.CALLER_IS_QUIET, Prompt.NO_SUPERVISOR)
"""All others are for the caller."""

AGENT_SILENT_LADDER = Ladder(
    rungs=(
        Rung(prompt="can_you_hear", listen_s=3.0, then="next", prompt_s=4.0),
        Rung(prompt="goodbye", listen_s=0.0, then="hang_up", pause_s=2.0, prompt_s=7.0),
    )
)
"""Rows S2 and S3 at an agent, who has said the greeting (S1)."""

AGENT_QUIET_LADDER = Ladder(
    rungs=(
        Rung(raise_gain=True, listen_s=0.0),
        Rung(prompt="a_little_louder", listen_s=4.0, prompt_s=4.5),
        Rung(prompt="still_faint", listen_s=4.0, then="pass_on", prompt_s=6.5),
    )
)
"""Rows Q1 to Q3 at an agent; then the agent is told. callflow hangs up on nobody whose voice it has heard."""

AGENT_NUISANCE_LADDER = Ladder(
    rungs=(
        Rung(prompt="anything_else", listen_s=3.0, then="next", prompt_s=2.5),
        Rung(prompt="goodbye", listen_s=0.0, then="hang_up", pause_s=2.0, prompt_s=7.0),
    )
)
"""Row D7 on the agent's word: ask once, then the sentence of a silent call, 2 s, hang up."""
