"""The configuration files of a lab's Asterisk, as text."""

from dataclasses import dataclass
from pathlib import Path

from callflow.processes.ports import LOOPBACK

LAB_USER = ("lab", "lab")
FAX_CALLER = "127.0.0.2"  # the endpoint of callers from here detects fax tones

# Only the modules that callflow and its callers need: with all of them, Asterisk takes several times as long to start.
MODULES = """
    app_audiosocket app_bridgeaddchan app_chanspy app_controlplayback app_dial app_directed_pickup app_followme
    app_originate app_playback app_playtones app_queue app_read app_record app_senddtmf app_stack app_userevent
    app_verbose app_mixmonitor
    bridge_builtin_features bridge_holding bridge_native_rtp
    bridge_simple bridge_softmix chan_pjsip chan_rtp codec_a_mu codec_alaw codec_gsm codec_resample codec_ulaw
    codec_g722
    format_gsm format_pcm format_sln format_wav func_callerid func_channel func_cut func_db func_devstate
    func_dialplan func_env func_global func_logic func_math func_sprintf func_speex func_strings func_talkdetect
    func_timeout func_uri func_volume pbx_config res_agi res_audiosocket res_musiconhold res_pjproject res_pjsip
    res_pjsip_acl res_pjsip_authenticator_digest res_pjsip_caller_id res_pjsip_dtmf_info res_pjsip_empty_info
    res_pjsip_endpoint_identifier_ip res_pjsip_endpoint_identifier_user res_pjsip_header_funcs res_pjsip_logger
    res_pjsip_maintenance res_pjsip_nat res_pjsip_refer res_pjsip_registrar res_pjsip_rfc3326 res_pjsip_sdp_rtp
    res_pjsip_session res_pjsip_pubsub res_rtp_asterisk res_rtp_multicast res_sorcery_astdb res_sorcery_config
    res_sorcery_memory res_sorcery_realtime res_speech res_timing_timerfd
""".split()  # noqa: SIM905 - a list to read and to add to

HOLD_MUSIC, HOLD_HZ = "hold-music", 550
"""Folder of the music on hold, below Asterisk's data, and the frequency of its sine."""
PROMPT_TONES_HZ = (1450, 1550)
"""Each is a prompt `lab/tone_HZ`, four seconds long."""

# Without these files Asterisk starts with a page of warnings.
_EMPTY = ("acl", "ccss", "cel", "features", "followme", "musiconhold", "pjproject", "queuerules", "stasis", "udptl")


@dataclass(frozen=True)
class LabPorts:
    """The ports one Asterisk of the lab and its surroundings use."""

    sip: int
    ami: int
    agi: int
    agent: int
    nobody: int
    rtp: tuple[int, int]


def config_files(work: Path, modules: Path, available: set[str], ports: LabPorts) -> dict[str, str]:
    """Name and text of every file for `etc`; `available` are the module names this Asterisk has."""
    return {
        "asterisk.conf": _asterisk(work, modules),
        "modules.conf": "[modules]\nautoload=no\n"
        + "".join(f"load => {name}.so\n" for name in MODULES if name in available),
        "logger.conf": "[general]\ndateformat=%F %T.%3q\n[logfiles]\nmessages => notice,warning,error,verbose(3)\n",
        "rtp.conf": f"[general]\nrtpstart={ports.rtp[0]}\nrtpend={ports.rtp[1]}\n",
        "manager.conf": _manager(ports),
        "pjsip.conf": _pjsip(ports),
        "extensions.conf": _extensions(ports),
        "queues.conf": _queues(),
        "indications.conf": "[general]\ncountry=us\n[us]\ndescription=US\nringcadence=2000,4000\n"
        "ring=440+480/2000,0/4000\ndial=350+440\nbusy=480+620/500,0/500\ncongestion=480+620/250,0/250\n",
        "cdr.conf": "[general]\nenable=no\n",
        **{f"{name}.conf": "" for name in _EMPTY},
    }


def _asterisk(work: Path, modules: Path) -> str:
    folders = {
        "astetcdir": work / "etc", "astmoddir": modules, "astvarlibdir": work / "lib", "astdbdir": work / "lib",
        "astkeydir": work / "lib", "astdatadir": work / "data", "astagidir": work / "lib/agi-bin",
        "astspooldir": work / "spool", "astrundir": work / "run", "astlogdir": work / "log",
    }  # fmt: skip
    directories = "".join(f"{name} => {folder}\n" for name, folder in folders.items())
    return f"[directories]\n{directories}\n[options]\nverbose = 3\nsystemname =\ndocumentation_language = en_US\n"


def _manager(ports: LabPorts) -> str:
    user, secret = LAB_USER
    return (
        f"[general]\nenabled = yes\nbindaddr = {LOOPBACK}\nport = {ports.ami}\ntimestampevents = yes\n"
        "#include manager_callflow.conf\n"
        f"[{user}]\nsecret = {secret}\nread = all\nwrite = all\nwritetimeout = 5000\n"
        "eventfilter = !Event: Newexten\neventfilter = !Event: VarSet\neventfilter = !Event: RTCP\n"
    )


def _pjsip(ports: LabPorts) -> str:
    audio = "disallow = all\nallow = ulaw\ndirect_media = no\ndtmf_mode = auto_info\n"
    caller = f"type = endpoint\ncontext = from-lab\n{audio}"
    return (
        "[global]\ntype = global\nendpoint_identifier_order = username,ip,anonymous\n\n"
        f"[udp]\ntype = transport\nprotocol = udp\nbind = {LOOPBACK}:{ports.sip}\n\n"
        f"[caller]\n{caller}\n[caller-id]\ntype = identify\nendpoint = caller\nmatch = {LOOPBACK}\n\n"
        f"[fax-caller]\n{caller}fax_detect = yes\n"
        f"[fax-caller-id]\ntype = identify\nendpoint = fax-caller\nmatch = {FAX_CALLER}\n\n"
        f"[agent]\ntype = endpoint\ncontext = nowhere\naors = agent\n{audio}\n"
        f"[agent]\ntype = aor\ncontact = sip:agent@{LOOPBACK}:{ports.agent}\n"
    )


def _queues() -> str:
    behaviour = "strategy = ringall\nringinuse = yes\ntimeout = 30\n"
    return f"[general]\nautofill = yes\n\n[lab]\n{behaviour}member => PJSIP/agent\n"


def _extensions(ports: LabPorts) -> str:
    """Dial `dial_<language>_<profile>`; UserEvents report the result.

    `queue_...` goes on to a queue. `deaf_...` connects to a FastAGI port without a daemon.
    """
    who = "Number: ${CALLERID(num)},Result: ${CALLFLOW_RESULT},Agi: ${AGISTATUS}"
    screen = (
        "Set(CHANNEL(language)=${CUT(EXTEN,_,2)})\n"
        " same => n,Gosub(callflow-screen,s,1(${CUT(EXTEN,_,3-)}))\n"
        f" same => n,UserEvent(LabResult,{who})\n"
    )
    dial = f"Dial(PJSIP/agent/sip:${{CALLERID(num)}}@{LOOPBACK}:{ports.agent},30)"
    return (
        "[general]\nstatic = yes\nwriteprotect = yes\n\n#include callflow.conf\n\n[from-lab]\n"
        f"exten => _dial!,1,{screen}"
        f" same => n,{dial}\n same => n,Hangup()\n"
        f"exten => _deaf!,1,Set(CALLFLOW_AGI=agi://{LOOPBACK}:{ports.nobody}/screen)\n same => n,{screen}"
        f" same => n,{dial}\n same => n,Hangup()\n"
        f"exten => _queue!,1,{screen}"
        " same => n,Queue(lab,,,,30)\n"
        " same => n,Hangup()\n"
        f"exten => h,1,UserEvent(LabH,{who})\n"
        f"exten => fax,1,UserEvent(LabFax,{who})\n"
        " same => n,Wait(1)\n"
        " same => n,Hangup()\n\n[nowhere]\n"  # where an agent's phone forwards to
        "exten => _X!,1,Answer()\n same => n,Wait(1)\n same => n,Hangup()\n"
    )
