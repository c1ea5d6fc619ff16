"""What the Asterisk of lab talks has besides the lab's own files: agents, customers, queues, music, features."""

from collections.abc import Mapping
from itertools import chain

from callflow.lab.asterisk_files import HOLD_MUSIC
from callflow.processes.ports import LOOPBACK

AGENTS = ("8001", "8002", "8003", "8004")
QUEUES: dict[str, tuple[str, ...]] = {"support": AGENTS[:2], "sales": AGENTS[2:3], "nobody": ()}
SALES = "7003"
"""What a phone dials for the queue `sales`."""
CUSTOMERS = "customers"
"""Endpoint of the customers: PJSIP/NUMBER@customers rings the lab phone of that number."""
FEATURES = {"talk-louder": "*71", "talk-lookup": "*72"}
"""Feature codes of an agent in `features_QUEUE`: their names in the application map."""


def additions(phones_port: int, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Texts to add to the lab's files, by name; those of `more` come after them."""
    own = {
        "pjsip.conf": "".join(_endpoint(number, number, phones_port) for number in (*AGENTS, CUSTOMERS)),
        "queues.conf": "".join(_queue(name, members) for name, members in QUEUES.items()),
        "musiconhold.conf": f"[default]\nmode = files\ndirectory = {HOLD_MUSIC}\n",
        "features.conf": _features(),
        "extensions.conf": _EXTENSIONS,
    }
    names = dict.fromkeys(chain(own, more or {}))
    return {name: own.get(name, "") + (more or {}).get(name, "") for name in names}


def _endpoint(name: str, user: str, port: int) -> str:
    return (
        f"\n[{name}]\ntype = endpoint\ncontext = talk-phones\naors = {name}\ndisallow = all\nallow = ulaw\n"
        f"direct_media = no\ndtmf_mode = auto_info\n[{name}]\ntype = aor\ncontact = sip:{user}@{LOOPBACK}:{port}\n"
    )


def _queue(name: str, members: tuple[str, ...]) -> str:
    lines = ("strategy = rrmemory", "ringinuse = no", "timeout = 15", "retry = 1", "context = talk-exit")
    return f"\n[{name}]\n" + "".join(f"{line}\n" for line in (*lines, *(f"member => PJSIP/{one}" for one in members)))


def _features() -> str:
    codes = (
        f"{name} => {code},self/callee,Gosub(talk-feature,s,1({name.removeprefix('talk-')}))\n"
        for name, code in FEATURES.items()
    )
    own = "[general]\n[featuremap]\natxfer => *2\nblindxfer => #1\n[applicationmap]\n" + "".join(codes)
    return f"{own}#include features_callflow.conf\n"


_EXTENSIONS = f"""
[from-lab]
; (n in a pattern is a digit unless it is in brackets)
; plain_QUEUE: a native bridge; features_QUEUE: the agent has feature codes; transfer_QUEUE: and *2, #1
exten => _plai[n]!,1,Answer()
 same => n,Queue(${{CUT(EXTEN,_,2)}},,,,60)
 same => n,Hangup()
exten => _features!,1,Answer()
 same => n,Queue(${{CUT(EXTEN,_,2)}},b(talk-predial^s^1),,,60)
 same => n,Hangup()
exten => _tra[n]sfer!,1,Answer()
 same => n,Queue(${{CUT(EXTEN,_,2)}},t,,,60)
 same => n,Hangup()
; assist_QUEUE: the agent has callflow's own feature codes, and transfers
exten => _assist!,1,Answer()
 same => n,Queue(${{CUT(EXTEN,_,2)}},tb(callflow-agent^s^1),,,60)
 same => n,Hangup()
; codes_QUEUE: the agent has the codes, and no transfers
exten => _codes!,1,Answer()
 same => n,Queue(${{CUT(EXTEN,_,2)}},b(callflow-agent^s^1),,,60)
 same => n,Hangup()
; both_QUEUE: the same, and the caller has the codes, too
exten => _both!,1,Answer()
 same => n,Gosub(callflow-agent,s,1)
 same => n,Queue(${{CUT(EXTEN,_,2)}},tb(callflow-agent^s^1),,,60)
 same => n,Hangup()
; rated_QUEUE: as assist_QUEUE, and the caller rates the call, also one whom assistance brought back to an agent
exten => _rated!,1,Answer()
 same => n,Set(CALLFLOW_RATE=default)
 same => n,Queue(${{CUT(EXTEN,_,2)}},ctb(callflow-agent^s^1),,,60)
 same => n,Gosub(callflow-rating,s,1(default))
 same => n,Hangup()
; screened_QUEUE_PROFILE: callflow screens the caller first
exten => _scree[n]ed!,1,Gosub(callflow-screen,s,1(${{CUT(EXTEN,_,3)}}))
 same => n,Queue(${{CUT(EXTEN,_,2)}},,,,60)
 same => n,Hangup()
; stays_QUEUE and line_AGENT: the caller stays when the agent hangs up
exten => _stays!,1,Answer()
 same => n,Queue(${{CUT(EXTEN,_,2)}},c,,,60)
 same => n,UserEvent(TalkOver,By: queue,Status: ${{QUEUESTATUS}})
 same => n,Goto(talk-after,s,1)
exten => _li[n]e!,1,Dial(PJSIP/${{CUT(EXTEN,_,2)}},20,g)
 same => n,UserEvent(TalkOver,By: dial,Status: ${{DIALSTATUS}},Cause: ${{HANGUPCAUSE}})
 same => n,Goto(talk-after,s,1)

[talk-after]
exten => s,1,Wait(2)
 same => n,Hangup()
[talk-phones]
include => callflow-codes
exten => _8XXX,1,Dial(PJSIP/${{EXTEN}},15,tT)
 same => n,Hangup()
exten => _1X.,1,Dial(PJSIP/${{EXTEN}}@{CUSTOMERS},15,tT)
 same => n,Hangup()
; {SALES}: another queue, for an agent who consults
exten => {SALES},1,Answer()
 same => n,Queue(sales,,,,60)
 same => n,Hangup()
; one-digit keys of a caller in a queue
[talk-exit]
exten => 1,1,UserEvent(TalkExit,Position: ${{QUEUEPOSITION}})
 same => n,Wait(0.5)
 same => n,Hangup()
[talk-predial]
exten => s,1,Set(DYNAMIC_FEATURES={"#".join(FEATURES)})
 same => n,Return()
[talk-feature]
exten => s,1,UserEvent(TalkFeature,Does: ${{ARG1}},Peer: ${{BRIDGEPEER}})
 same => n,Return()
; whisper: Originate Local/s@talk-whisper/n to talk-say,s,1 with SPYCHAN (a uniqueid) and PROMPT
[talk-whisper]
exten => s,1,ChanSpy(${{SPYCHAN}},uqWES)
 same => n,Hangup()
[talk-say]
exten => s,1,Playback(${{PROMPT}})
 same => n,Hangup()
; a bridge that becomes softmix: Originate Local/s@talk-add/n to talk-still,s,1 with CALLER (a channel's name)
[talk-add]
exten => s,1,BridgeAdd(${{CALLER}})
 same => n,Hangup()
[talk-still]
exten => s,1,Wait(60)
 same => n,Hangup()
; the end of a talk: Redirect the caller to talk-goodbye,s,1
[talk-goodbye]
exten => s,1,Playback(lab/tone_1450)
 same => n,Wait(2)
 same => n,Hangup()
; call-back: Originate PJSIP/AGENT to talk-callback,s,1 with CBNUM; the agent presses 1
[talk-callback]
exten => s,1,Read(ACK,lab/tone_1450,1,,1,5)
 same => n,UserEvent(TalkAccepted,Key: ${{ACK}},Status: ${{READSTATUS}})
 same => n,GotoIf($["${{ACK}}" = "1"]?on)
 same => n,Hangup()
 same => n(on),Wait(0.1)
 same => n,Set(CALLERID(all)="Callflow" <4000>)
 same => n,Dial(PJSIP/${{CBNUM}}@{CUSTOMERS},20,g)
 same => n,UserEvent(TalkCalledBack,Status: ${{DIALSTATUS}},Cause: ${{HANGUPCAUSE}})
 same => n,Hangup()
"""
