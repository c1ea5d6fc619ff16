// Every word of the page, in English and Mandarin. A test checks that both have the same keys.
import { remembered, useStore } from "./store.js";

export const language = remembered("language", navigator.language.startsWith("zh") ? "zh" : "en");

export const WORDS = {
  en: {
    now: "Now", rings: "Rings", silence: "Silence", calls: "Calls", health: "Health", definitions: "Definitions",
    assist: "Assistance", lane_assist: "assistance", assist_began: "begins", assist_said: "says", assist_heard: "caller heard", assist_silent: "caller is silent", assist_quiet: "caller is too quiet", assist_gain: "raises the voice", assist_callback_offered: "offers a call-back", assist_callback_accepted: "call-back accepted", assist_callback_asked: "agent asks for a call-back", assist_name_recorded: "spoken name recorded", assist_no_name: "no spoken name", assist_action: "agent asks:", assist_parted: "frees the agent", assist_returned: "caller comes back", assist_hung_up: "hangs up", assist_would_hang_up: "would hang up", assist_doubt: "is not certain", assist_ended: "ends",
    callbacks: "Call-backs", one_callback: "One call-back", spoken_name: "Spoken name", name_recorded: "Recorded: the agent hears it before the caller is dialled", with_name: "with spoken name", state: "State", all_live: "All that are live", raised: "Raised", reasons: "Reasons", due: "Due in", due_at: "Due", due_now: "now", tries: "Tries", last_step: "Last step",
    no_callbacks: "No caller is waiting to be called back.", next_step_callbacks: "Callers who were hung up on, who keep their place, or are added here or with: callflow callbacks add", by_reason: "By reason", all_reasons: "All",
    callbacks_raised: "Raised", callbacks_reached: "Reached", callbacks_given_up: "Given up", callbacks_open: "Still live", to_reach: "Median until reached", note: "Note", steps: "Steps", calls_placed: "Calls placed",
    agent_rang: "Agent rang", caller_rang: "Caller rang", rang: "Rang", callback_state: "State", reason_given: "Reason (for later readers)",
    state_open: "open", state_claimed: "claimed", state_dialling: "dialling", state_tried: "tried", state_unknown: "outcome unknown", state_done: "done", state_given_up: "given up",
    step_claim: "Claim", step_release: "Release", step_reopen: "Reopen", step_done: "Done", step_give_up: "Give up", step_dial: "Call back", dial_for: "Work number of the agent who will speak", dial_sure: "Call {number} now for agent {agent}?", dial_asked: "Asterisk is asked to call for agent {agent} …", dial_calling: "calling for agent {agent} …", dial_talking: "agent {agent} talks with the caller",
    reason_repeated: "short calls again and again", reason_silent: "silent", reason_quiet: "quiet", reason_offer: "accepted the offer", reason_place: "keeps their place", reason_case: "news of a case", reason_manual: "by hand",
    new_callback: "Add a call-back", add_callback: "Add", due_local: "When, by this browser's clock (empty: now)", zone_of_caller: "Caller's time zone (empty: the profile's)", added_callback: "{number} is on the list: {reasons}",
    call_reached: "reached", call_busy: "busy", call_no_answer: "no answer", call_failed: "refused or not reachable", call_cancelled: "agent hung up first", call_not_confirmed: "nobody pressed 1", call_agent_missed: "agent missed it", call_agent_no_answer: "agent did not answer", call_agent_busy: "agent busy", call_agent_declined: "agent did not press 1", call_agent_failed: "agent not reachable", call_unplaced: "not placed", call_unknown: "unknown",
    place: "Place kept", not_live: "a stored database", no_timeline: "No timeline is stored for this call.", next_step_timeline: "store.details_days says how long callflow keeps timelines.",
    did_arrived: "arrived", did_ear: "ear", did_said: "says", did_prompt_ended: "prompt has ended", did_prompt_stopped: "prompt is stopped", did_prompt_failed: "prompt failed", did_click: "click", did_speech: "speech", did_heard: "heard", did_gain: "gain", did_key: "key", did_silence: "silence", did_pause: "pause", did_decided: "decides", did_would: "would decide", did_link_lost: "AMI lost", did_hung_up: "hung up", did_taken: "taken",
    cases: "Cases", one_case: "One case", open_cases: "Open cases", overdue_cases: "News overdue", reference: "Reference", case_kind: "Kind", kind_general: "general", kind_installation: "new installation", opened: "Opened", news_due: "News due in", overdue_by: "overdue by {age}", last_news: "Told last", nothing_told: "nothing yet",
    no_cases: "No case is open.", next_step_cases: "Open one here, or with: callflow cases add. Its caller then gets news at least once a day.", new_case: "Open a case", open_case: "Open", case_number: "Caller's number (may be left empty)",
    news: "News", news_help: "What the caller was told, even if it is \"nothing new yet\"", tell_news: "Record the news", close_case: "Close the case", close_sure: "Close case {reference}? Its caller gets no more news.", closed: "Closed", step_opened: "opened", step_news: "news", step_reminded: "reminder", step_overdue: "overdue", step_closed: "closed",
    action_louder: "louder", action_softer: "softer", action_speaker: "pick up the handset", action_repeat: "say it again", action_lookup: "look-up begins", action_back: "look-up ends", action_callback: "call-back", action_supervisor: "supervisor", action_wrapup: "wrap-up", action_nuisance: "nuisance", "action_close:enquiry": "goodbye, enquiry", "action_close:order": "goodbye, order", "action_close:no_order": "goodbye, no order", action_ready: "ready", "close:enquiry": "enquiry", "close:order": "order", "close:no_order": "no order",
    outcome_done: "done", outcome_reached: "said", outcome_stopped: "stopped", outcome_dropped: "no pause came", outcome_not_attached: "not played", outcome_would: "would be said", outcome_unknown: "not certain", outcome_unknown_action: "no such action", outcome_off: "not allowed by the profile", outcome_observing: "only observing", outcome_no_talk: "no talk", outcome_not_yours: "another agent's call", outcome_caller_typed: "typed by the caller", outcome_too_many: "too often", outcome_not_now: "not now", outcome_at_limit: "at the limit", outcome_no_lookup: "no look-up", outcome_no_number: "no number", outcome_already: "asked before", outcome_no_supervisor: "no supervisor", outcome_no_wrap_up: "no wrap-up", outcome_asterisk: "refused by Asterisk",
    wrap_up: "wrap-up", wrap_up_follows: "wrap-up follows", lane_wrap_up: "wrap-up {name}", asks_wrap_up: "asks for a wrap-up", transfer_blind: "blind, {agent} → {target}", transfer_attended: "attended, {agent} → {target}", lane_transfers: "transfers", ended_by_ready: "ended by the agent", ended_by_time: "ended by time", ended_by_talk: "ended by the next talk", transferred: "Transferred",
    agents_today: "Agents today", show_by_agent: "Show by agent", picked_up: "Picked up", talks: "Talks",
    ratings: "Ratings", ratings_title: "How callers rated their calls", efficiency: "Efficiency", attitude: "Attitude", correctness: "Correctness", rating_asked: "Asked", rating_answered: "Answered", response_rate: "Response rate",
    no_ratings: "No caller was asked to rate a call in this period.", next_step_ratings: "Add the rating's line behind Queue or Dial in the dialplan, and set ratings.enabled.", not_asked: "Not asked", ratings_by_agent: "By agent", ratings_by_queue: "By queue", ratings_by_line: "By line",
    not_asked_off: "ratings are off", not_asked_hung_up_first: "the caller hung up first", not_asked_transferred: "transferred", not_asked_silent: "silent", not_asked_nuisance: "nuisance", not_asked_call_back: "call-back offered", not_asked_no_agent: "no agent known", not_asked_no_number: "no number", not_asked_unknown_history: "history not known", not_asked_asked_lately: "asked lately", not_asked_share: "not drawn",
    standards: "Standards", standards_title: "Service against what is promised", standard: "Standard", perceived: "Perceived", sampled: "Cases", adequate: "Adequate", desired: "Desired", msa: "MSA", mss: "MSS", judgement: "Judgement", trend: "Trend", owner: "Owner", review_overdue: "review is overdue",
    no_standards: "There is no service standard to judge.", next_step_standards: "Copy config/standards.toml, edit it, and name it in standards.file.", light_green: "desired level reached", light_yellow: "adequate", light_red: "below adequate", light_none: "too few cases", trend_better: "better", trend_same: "same", trend_worse: "worse", trend_unknown: "–",
    admin: "Administration", tokens: "Access tokens", name: "Name", role: "Role", role_agent: "agent", role_viewer: "viewer", role_supervisor: "supervisor", role_admin: "administrator",
    limited_to: "Limited to", created: "Created", expires: "Expires", never: "never", id: "Id", revoke: "Revoke", revoke_sure: "Revoke the token of {name}? Its sessions end at once.",
    secret_once: "The token of {name}, shown only now:", days_valid: "Days until it expires (0: never)", only_queues: "Only these queues (with commas)", work_number: "Work number", create_token: "Create token",
    audit: "Audit trail", no_audit: "Nothing is in the audit trail yet.", next_step_audit: "Sign-ins, exports, unmasked numbers and changes appear here.", when: "When", who: "Who", action: "Action", older: "Older entries",
    setting: "Setting", value: "Value", default: "Default", meaning: "Meaning", settings: "Settings in force", settings_help: "Values that differ from the default are bold. Secrets are only said to be set. Change them in callflow.toml.", show_settings: "Show the settings",
    fleet: "Fleet", fleet_not_live: "the fleet's database", fleet_help: "The page shows what the collector has stored of all nodes. Nothing is live here: live states and cases are on the page of each node. Steps of call-backs are taken by the node of the entry, if it allows them (callbacks.remote).", node_asked: "the node of the entry is asked …", node_answers: "done – {answer}", no_nodes: "No node has been heard yet.", next_step_nodes: "Start callflow collect, and set mqtt.await_collector at the nodes.",
    site: "Site", node: "Node", host: "Machine", node_heard: "Last heard", skew: "Clock", event_lag: "Delay", events_stored: "Events", gaps: "Gaps", differs: "Settings that differ", wrong: "What is wrong", unread_events: "{n} events cannot be stored by this release and are kept: upgrade the collector.",
    skip: "Skip to the content", language: "中文", light: "Light", dark: "Dark", sign_out: "Sign out", sign_in: "Sign in",
    token: "Access token", sign_in_help: "Create a token with the command callflow web token add, and paste it here.",
    live: "live", stale: "data is {age} old", connecting: "connecting …", offline: "no connection; last data {age} ago",
    wall: "Wall view", loading: "Loading …", again: "Try again", table: "Show as a table", of: "of",
    calls_now: "Calls being screened", no_calls_now: "No caller is being screened.",
    caller: "Caller", profile: "Profile", rung: "Rung", doing: "Does", heard: "Heard", since: "Since", level: "Level",
    arriving: "arriving", saying: "hears {prompt}", listening: "listening", speech: "speaking", click: "a click",
    silent: "silent", pausing: "pause before the end", raising: "voice is raised",
    queues: "Queues", queue: "Queue", waiting: "Waiting", oldest: "Longest wait", no_queues: "Asterisk has told of no queues yet.",
    agents: "Agents", agent: "Agent", no_agents: "No agent is logged in to a queue.", lines: "Direct lines", line: "Line",
    ringing: "ringing", talking: "talking", available: "available", paused: "paused", unavailable: "unreachable", logged_off: "logged off",
    next_step_queues: "Agents and queues appear once AMI is connected and the queue has members.",
    next_step_calls: "Route a call through callflow-screen in the dialplan, or run: callflow simulate demo",
    period: "Period", chosen_days: "Chosen days", from: "From", to: "To", today: "Today", days7: "7 days", days30: "30 days", days365: "A year", show: "Show", all_queues: "All queues and lines",
    rings_title: "After how many rings calls are answered", within_three: "Within three rings", answered: "Answered",
    early: "early", acceptable: "acceptable", ideal: "ideal", late: "late", excluded: "excluded", count: "Calls", class: "Class",
    no_rings: "No answered call in this period.", next_step_rings: "Choose a longer period. Rings are counted for queue calls and direct lines.",
    silence_title: "Callers who could not be heard", screened: "Screened", quiet: "quiet", rescued: "rescued", date: "Day",
    by_cause: "What was heard of them", by_trunk: "Trunk they came in on", not_judged: "not judged", no_trunk: "no channel", by_cause_and_trunk: "Show by cause and trunk",
    nobody_unheard: "Every caller of this period was heard.", none_of_kind: "None was {kind} in this period.", next_step_observe: "Set mode = \"observe\" in a profile to find out what act mode would do, without acting.",
    observe: "Observe mode: false hang-ups", observe_help: "Callers who would have been hung up on, and spoke afterwards. Switch to act when this stays at zero.",
    would: "Would hang up", false: "Heard afterwards", observed: "Observed", no_observed: "No profile is in observe mode.",
    no_silence: "No caller was screened in this period.",
    search: "Search", result: "Result", any: "any", arrived: "Arrived", lasted: "Lasted", more: "Older calls", export: "Export CSV",
    no_calls: "No call matches.", next_step_search: "Choose a longer period or another result.", number: "Caller's number",
    one_call: "One call", back: "Back to the list", unmask: "Show the number", unmask_note: "This view is written to the audit trail.",
    timeline: "Timeline", at: "At", what: "What", why: "Why", picture: "The call drawn to scale", copy: "Copy the link", copied: "Copied",
    lane_says: "callflow says", lane_caller: "caller", lane_heard: "heard", lane_decides: "decides", lane_phone: "phone {name}", lane_queue: "queue {name}", lane_talk: "talk with {name}",
    lane: "Lane", span: "Lasted", on_hold: "on hold", held_by_caller: "held by the caller", held_for: "{all} in all, longest {longest}", agent_since: "Time in this state", calling: "being connected",
    next_step_live: "Open the page of a running daemon (callflow run): it shows its links, taps and queues.",
    links: "Links", ami: "AMI", mqtt: "MQTT", ear: "Ear", proven: "sound was heard", unproven: "nothing heard yet: no hang-ups",
    connected: "connected", lost: "lost", off: "off", store: "Database", outbox: "Events waiting for the broker", taps: "Audio taps", lag: "Loop delay",
    sessions: "FastAGI sessions", version: "Version", ok: "ok", failing: "failing", no_live: "This page shows a database alone; nothing is live.",
    error_status: "Error {status}", signed_in_as: "{name} ({role})", live_only: "live", language_name: "English",
    act: "act", off_mode: "off", spoke: "spoke", key: "key", passed: "passed on", unavailable_result: "unavailable", taken: "taken", hangup: "hung up",
    noise: "noise", tone: "tone", comfort_noise: "comfort noise", digital_silence: "digital silence", no_media: "no media",
    one_way_suspected: "one-way audio", packet_loss: "packet loss", music: "music", live_result: "live", observed_result: "observed",
  },
  zh: {
    now: "实时", rings: "铃声", silence: "无声", calls: "通话", health: "状态", definitions: "定义",
    assist: "协助", lane_assist: "协助", assist_began: "开始", assist_said: "播放", assist_heard: "听到来电者", assist_silent: "来电者无声", assist_quiet: "来电者声音过低", assist_gain: "提高音量", assist_callback_offered: "提出回拨", assist_callback_accepted: "接受回拨", assist_callback_asked: "座席请求回拨", assist_name_recorded: "已录下口述姓名", assist_no_name: "没有口述姓名", assist_action: "座席请求：", assist_parted: "让座席脱身", assist_returned: "来电者返回", assist_hung_up: "挂断", assist_would_hang_up: "本会挂断", assist_doubt: "不确定", assist_ended: "结束",
    callbacks: "回拨", one_callback: "一条回拨", spoken_name: "口述姓名", name_recorded: "已录音：拨打来电者之前坐席会先听到", with_name: "有口述姓名", state: "状态", all_live: "全部未结", raised: "提出", reasons: "原因", due: "到期", due_at: "到期", due_now: "现在", tries: "次数", last_step: "最近一步",
    no_callbacks: "没有等待回拨的来电者。", next_step_callbacks: "被挂断、保留排位或在此或用 callflow callbacks add 加入的来电者会出现在这里。", by_reason: "按原因", all_reasons: "全部",
    callbacks_raised: "提出", callbacks_reached: "接通", callbacks_given_up: "放弃", callbacks_open: "未结", to_reach: "接通所需中位时间", note: "备注", steps: "步骤", calls_placed: "已拨电话",
    agent_rang: "座席振铃", caller_rang: "来电者振铃", rang: "振铃", callback_state: "状态", reason_given: "原因（供日后查阅）",
    state_open: "待处理", state_claimed: "已认领", state_dialling: "正在拨号", state_tried: "已尝试", state_unknown: "结果不明", state_done: "完成", state_given_up: "放弃",
    step_claim: "认领", step_release: "退回", step_reopen: "重新打开", step_done: "完成", step_give_up: "放弃", step_dial: "回拨", dial_for: "将与来电者通话的座席工号", dial_sure: "现在为座席 {agent} 拨打 {number}？", dial_asked: "正在请求 Asterisk 为座席 {agent} 呼叫…", dial_calling: "正在为座席 {agent} 呼叫…", dial_talking: "座席 {agent} 正在与来电者通话",
    reason_repeated: "多次短通话", reason_silent: "无声", reason_quiet: "声音过低", reason_offer: "接受了回拨", reason_place: "保留排位", reason_case: "案件进展", reason_manual: "手工加入",
    new_callback: "加入回拨", add_callback: "加入", due_local: "时间，按此浏览器时钟（空为现在）", zone_of_caller: "来电者时区（空为方案的时区）", added_callback: "{number} 已在列表中：{reasons}",
    call_reached: "接通", call_busy: "占线", call_no_answer: "无人接听", call_failed: "拒接或无法接通", call_cancelled: "座席先挂机", call_not_confirmed: "无人按 1", call_agent_missed: "座席未接", call_agent_no_answer: "座席无应答", call_agent_busy: "座席占线", call_agent_declined: "座席未按 1", call_agent_failed: "座席不可达", call_unplaced: "未拨出", call_unknown: "不明",
    place: "保留的位置", not_live: "仅存储的数据库", no_timeline: "此通话没有保存经过。", next_step_timeline: "store.details_days 决定经过保存多久。",
    did_arrived: "到达", did_ear: "听觉", did_said: "播放", did_prompt_ended: "提示结束", did_prompt_stopped: "提示停止", did_prompt_failed: "提示失败", did_click: "杂音", did_speech: "说话", did_heard: "听到", did_gain: "增益", did_key: "按键", did_silence: "静默", did_pause: "停顿", did_decided: "决定", did_would: "本会决定", did_link_lost: "AMI 中断", did_hung_up: "挂机", did_taken: "被取走",
    cases: "案件", one_case: "一个案件", open_cases: "未结案件", overdue_cases: "进展逾期", reference: "编号", case_kind: "类别", kind_general: "一般", kind_installation: "新装", opened: "立案", news_due: "距下次进展", overdue_by: "已逾期 {age}", last_news: "最近告知", nothing_told: "尚无",
    no_cases: "没有未结案件。", next_step_cases: "可在此立案，或用 callflow cases add。之后来电者每天至少得到一次进展。", new_case: "立案", open_case: "立案", case_number: "来电者号码（可留空）",
    news: "进展", news_help: "告知来电者的内容，即使只是“暂无新进展”", tell_news: "记录进展", close_case: "结案", close_sure: "将案件 {reference} 结案？来电者不再得到进展。", closed: "结案", step_opened: "立案", step_news: "进展", step_reminded: "提醒", step_overdue: "逾期", step_closed: "结案",
    action_louder: "调高音量", action_softer: "调低音量", action_speaker: "请拿起听筒", action_repeat: "请再说一遍", action_lookup: "开始查询", action_back: "查询结束", action_callback: "回拨", action_supervisor: "主管", action_wrapup: "话后处理", action_nuisance: "骚扰电话", "action_close:enquiry": "告别（咨询）", "action_close:order": "告别（成交）", "action_close:no_order": "告别（未成交）", action_ready: "就绪", "close:enquiry": "咨询", "close:order": "成交", "close:no_order": "未成交",
    outcome_done: "已完成", outcome_reached: "已播放", outcome_stopped: "已停止", outcome_dropped: "未等到停顿", outcome_not_attached: "未播放", outcome_would: "本会播放", outcome_unknown: "不确定", outcome_unknown_action: "没有此操作", outcome_off: "方案不允许", outcome_observing: "仅观察", outcome_no_talk: "没有通话", outcome_not_yours: "其他座席的通话", outcome_caller_typed: "由来电者按键", outcome_too_many: "过于频繁", outcome_not_now: "此刻不可", outcome_at_limit: "已到极限", outcome_no_lookup: "没有查询", outcome_no_number: "没有号码", outcome_already: "已请求过", outcome_no_supervisor: "没有主管", outcome_no_wrap_up: "没有话后处理", outcome_asterisk: "被 Asterisk 拒绝",
    wrap_up: "话后处理", wrap_up_follows: "随后话后处理", lane_wrap_up: "话后处理 {name}", asks_wrap_up: "请求话后处理", transfer_blind: "直接，{agent} → {target}", transfer_attended: "咨询后，{agent} → {target}", lane_transfers: "转接", ended_by_ready: "座席结束", ended_by_time: "到时结束", ended_by_talk: "因下一通话结束", transferred: "已转接",
    agents_today: "座席今日", show_by_agent: "按座席显示", picked_up: "接起", talks: "通话",
    ratings: "评价", ratings_title: "来电者的评价", efficiency: "效率", attitude: "态度", correctness: "正确", rating_asked: "已询问", rating_answered: "已回答", response_rate: "回答率",
    no_ratings: "该时段没有请来电者评价。", next_step_ratings: "在拨号方案的 Queue 或 Dial 之后加入评价一行，并设置 ratings.enabled。", not_asked: "未询问", ratings_by_agent: "按座席", ratings_by_queue: "按队列", ratings_by_line: "按直线",
    not_asked_off: "未启用评价", not_asked_hung_up_first: "来电者先挂机", not_asked_transferred: "已转接", not_asked_silent: "无声", not_asked_nuisance: "骚扰电话", not_asked_call_back: "已提出回拨", not_asked_no_agent: "座席未知", not_asked_no_number: "没有号码", not_asked_unknown_history: "历史未知", not_asked_asked_lately: "近期已询问", not_asked_share: "未抽中",
    standards: "标准", standards_title: "服务与承诺对照", standard: "标准", perceived: "实际", sampled: "样本", adequate: "合格", desired: "期望", msa: "MSA", mss: "MSS", judgement: "判断", trend: "趋势", owner: "负责人", review_overdue: "逾期未复核",
    no_standards: "没有可判断的服务标准。", next_step_standards: "复制 config/standards.toml 并修改，然后在 standards.file 中指定。", light_green: "达到期望", light_yellow: "合格", light_red: "低于合格", light_none: "样本太少", trend_better: "变好", trend_same: "不变", trend_worse: "变差", trend_unknown: "–",
    admin: "管理", tokens: "访问令牌", name: "名称", role: "角色", role_agent: "座席", role_viewer: "查看者", role_supervisor: "主管", role_admin: "管理员",
    limited_to: "限于", created: "创建", expires: "到期", never: "永不", id: "编号", revoke: "撤销", revoke_sure: "撤销 {name} 的令牌？其会话立即结束。",
    secret_once: "{name} 的令牌，仅显示这一次：", days_valid: "有效天数（0 为永不到期）", only_queues: "仅限这些队列（以逗号分隔）", work_number: "工号", create_token: "创建令牌",
    audit: "审计记录", no_audit: "审计记录中还没有内容。", next_step_audit: "登录、导出、显示号码和更改会记录在这里。", when: "时间", who: "何人", action: "操作", older: "更早的记录",
    setting: "设置", value: "值", default: "默认", meaning: "含义", settings: "当前设置", settings_help: "与默认不同的值以粗体显示。机密只显示已设置。请在 callflow.toml 中修改。", show_settings: "显示设置",
    fleet: "机群", fleet_not_live: "机群数据库", fleet_help: "本页显示收集器从所有节点存下的数据。这里没有实时数据：实时状态和案件在各节点的页面上。回拨步骤由条目所在的节点执行（需 callbacks.remote）。", node_asked: "正在询问该条目所在的节点…", node_answers: "完成：{answer}", no_nodes: "尚未收到任何节点的消息。", next_step_nodes: "请启动 callflow collect，并在各节点设置 mqtt.await_collector。",
    site: "站点", node: "节点", host: "机器", node_heard: "最近消息", skew: "时钟", event_lag: "延迟", events_stored: "事件", gaps: "缺口", differs: "不同的设置", wrong: "问题", unread_events: "有 {n} 个事件本版本无法保存，已原样保留：请升级收集器。",
    skip: "跳到内容", language: "English", light: "浅色", dark: "深色", sign_out: "退出", sign_in: "登录",
    token: "访问令牌", sign_in_help: "用命令 callflow web token add 创建令牌，然后粘贴到这里。",
    live: "实时", stale: "数据已过 {age}", connecting: "正在连接…", offline: "连接中断，数据已过 {age}",
    wall: "大屏", loading: "正在加载…", again: "重试", table: "以表格显示", of: "/",
    calls_now: "正在甄别的来电", no_calls_now: "目前没有来电在甄别。",
    caller: "主叫", profile: "方案", rung: "步骤", doing: "动作", heard: "听到", since: "已持续", level: "音量",
    arriving: "接入", saying: "正在播放 {prompt}", listening: "正在听", speech: "在说话", click: "杂音",
    silent: "无声", pausing: "挂机前停顿", raising: "正在提高音量",
    queues: "队列", queue: "队列", waiting: "等待", oldest: "最长等待", no_queues: "Asterisk 尚未报告任何队列。",
    agents: "座席", agent: "座席", no_agents: "没有座席登录队列。", lines: "直线", line: "直线",
    ringing: "振铃", talking: "通话", available: "空闲", paused: "暂停", unavailable: "不可达", logged_off: "已签出",
    next_step_queues: "AMI 连接且队列有成员后，这里显示座席和队列。",
    next_step_calls: "在拨号方案中让来电经过 callflow-screen，或运行：callflow simulate demo",
    period: "时段", chosen_days: "所选日期", from: "从", to: "到", today: "今天", days7: "7 天", days30: "30 天", days365: "一年", show: "显示", all_queues: "全部队列和直线",
    rings_title: "响几声后接听", within_three: "三声内接听", answered: "已接听",
    early: "过早", acceptable: "合格", ideal: "最佳", late: "过晚", excluded: "不计", count: "通话数", class: "等级",
    no_rings: "该时段没有接听的来电。", next_step_rings: "请选择更长的时段。队列来电和直线来电都会计算铃声。",
    silence_title: "听不到声音的来电", screened: "已甄别", quiet: "声音过低", rescued: "挽回", date: "日期",
    by_cause: "听到的内容", by_trunk: "来自中继", not_judged: "未判断", no_trunk: "无通道", by_cause_and_trunk: "按原因和中继显示",
    nobody_unheard: "该时段每位来电者都听得到。", none_of_kind: "该时段没有“{kind}”。", next_step_observe: "在方案中设 mode = \"observe\"，可在不执行的情况下了解执行模式会怎么做。",
    observe: "观察模式：误挂", observe_help: "本会被挂断、随后却说话的来电。此数保持为零时，可改为执行模式。",
    would: "本会挂断", false: "随后听到", observed: "观察数", no_observed: "没有方案处于观察模式。",
    no_silence: "该时段没有甄别来电。",
    search: "查询", result: "结果", any: "全部", arrived: "到达", lasted: "时长", more: "更早的通话", export: "导出 CSV",
    no_calls: "没有符合的通话。", next_step_search: "请选择更长的时段或其他结果。", number: "主叫号码",
    one_call: "一通电话", back: "返回列表", unmask: "显示号码", unmask_note: "此次查看会记入审计记录。",
    timeline: "经过", at: "时刻", what: "内容", why: "原因", picture: "按时间比例绘制的通话", copy: "复制链接", copied: "已复制",
    lane_says: "callflow 播放", lane_caller: "主叫", lane_heard: "听到", lane_decides: "决定", lane_phone: "话机 {name}", lane_queue: "队列 {name}", lane_talk: "与 {name} 通话",
    lane: "行", span: "持续", on_hold: "等待中", held_by_caller: "来电让座席等待", held_for: "共 {all}，最长 {longest}", agent_since: "在此状态的时间", calling: "正在接通",
    next_step_live: "请打开正在运行的守护进程（callflow run）的页面：那里显示连接、监听和队列。",
    links: "连接", ami: "AMI", mqtt: "MQTT", ear: "听觉", proven: "已听到声音", unproven: "尚未听到声音：不会挂断任何人",
    connected: "已连接", lost: "中断", off: "关闭", store: "数据库", outbox: "待发给代理的事件", taps: "音频监听", lag: "循环延迟",
    sessions: "FastAGI 会话", version: "版本", ok: "正常", failing: "失败", no_live: "本页只显示数据库，没有实时数据。",
    error_status: "错误 {status}", signed_in_as: "{name}（{role}）", live_only: "实时", language_name: "中文",
    act: "执行", off_mode: "关闭", spoke: "说话", key: "按键", passed: "转人工", unavailable_result: "不可用", taken: "被取走", hangup: "已挂机",
    noise: "噪声", tone: "信号音", comfort_noise: "舒适噪声", digital_silence: "数字静音", no_media: "无媒体",
    one_way_suspected: "疑似单通", packet_loss: "丢包", music: "音乐", live_result: "进行中", observed_result: "已观察",
  },
};

export function word(key, values = {}) {
  const text = WORDS[language.value]?.[key] ?? WORDS.en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

// The word of a value of a closed set; what is not in the list is shown as it came, or as `otherwise`.
export function named(value, otherwise = value) {
  if (value === null || value === undefined || value === "") return "–";
  const own = { unavailable: "unavailable_result", observed: "observed_result" };
  const key = own[value] ?? value;
  return WORDS.en[key] === undefined ? String(otherwise).replaceAll("_", " ") : word(key);
}

// A step of assistance: what was done with what, and what became of it.
export function stepInWords({ kind, what, outcome }) {
  const done = word(`assist_${kind}`);
  const named_what = what && (WORDS.en[`action_${what}`] ? word(`action_${what}`) : what);
  return [done, named_what, outcome && `(${named(`outcome_${outcome}`, outcome)})`].filter(Boolean).join(" ");
}

export function useWords() {
  useStore(language);
  return word;
}
