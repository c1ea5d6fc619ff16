// Every word of the page, in English and Mandarin. A test checks that both have the same keys.
import { remembered, useStore } from "./store.js";

export const language = remembered("language", navigator.language.startsWith("zh") ? "zh" : "en");

export const WORDS = {
  en: {
    now: "Now", rings: "Rings", silence: "Silence", calls: "Calls", health: "Health", definitions: "Definitions",
    admin: "Administration", tokens: "Access tokens", name: "Name", role: "Role", role_agent: "agent", role_viewer: "viewer", role_supervisor: "supervisor", role_admin: "administrator",
    limited_to: "Limited to", created: "Created", expires: "Expires", never: "never", id: "Id", revoke: "Revoke", revoke_sure: "Revoke the token of {name}? Its sessions end at once.",
    secret_once: "The token of {name}, shown only now:", days_valid: "Days until it expires (0: never)", only_queues: "Only these queues (with commas)", work_number: "Work number", create_token: "Create token",
    audit: "Audit trail", no_audit: "Nothing is in the audit trail yet.", next_step_audit: "Sign-ins, exports, unmasked numbers and changes appear here.", when: "When", who: "Who", action: "Action", older: "Older entries",
    setting: "Setting", value: "Value", default: "Default", meaning: "Meaning", settings: "Settings in force", settings_help: "Values that differ from the default are bold. Secrets are only said to be set. Change them in callflow.toml.", show_settings: "Show the settings",
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
    links: "Links", ami: "AMI", mqtt: "MQTT", ear: "Ear", proven: "sound was heard", unproven: "nothing heard yet: nobody is hung up on",
    connected: "connected", lost: "lost", off: "off", store: "Database", outbox: "Events waiting for the broker", taps: "Audio taps", lag: "Loop delay",
    sessions: "FastAGI sessions", version: "Version", ok: "ok", failing: "failing", no_live: "This page shows a database alone; nothing is live.",
    error_status: "Error {status}", signed_in_as: "{name} ({role})", live_only: "live", language_name: "English",
    act: "act", off_mode: "off", spoke: "spoke", key: "key", passed: "passed on", unavailable_result: "unavailable", taken: "taken", hangup: "hung up",
    noise: "noise", tone: "tone", comfort_noise: "comfort noise", digital_silence: "digital silence", no_media: "no media",
    one_way_suspected: "one-way audio", packet_loss: "packet loss", music: "music", live_result: "live", observed_result: "observed",
  },
  zh: {
    now: "实时", rings: "铃声", silence: "无声", calls: "通话", health: "状态", definitions: "定义",
    admin: "管理", tokens: "访问令牌", name: "名称", role: "角色", role_agent: "座席", role_viewer: "查看者", role_supervisor: "主管", role_admin: "管理员",
    limited_to: "限于", created: "创建", expires: "到期", never: "永不", id: "编号", revoke: "撤销", revoke_sure: "撤销 {name} 的令牌？其会话立即结束。",
    secret_once: "{name} 的令牌，仅显示这一次：", days_valid: "有效天数（0 为永不到期）", only_queues: "仅限这些队列（以逗号分隔）", work_number: "工号", create_token: "创建令牌",
    audit: "审计记录", no_audit: "审计记录中还没有内容。", next_step_audit: "登录、导出、显示号码和更改会记录在这里。", when: "时间", who: "何人", action: "操作", older: "更早的记录",
    setting: "设置", value: "值", default: "默认", meaning: "含义", settings: "当前设置", settings_help: "与默认不同的值以粗体显示。机密只显示已设置。请在 callflow.toml 中修改。", show_settings: "显示设置",
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

// The word of a value of a closed set; what is not in the list is shown as it came.
export function named(value) {
  if (value === null || value === undefined || value === "") return "–";
  const own = { unavailable: "unavailable_result", observed: "observed_result" };
  return word(own[value] ?? value);
}

export function useWords() {
  useStore(language);
  return word;
}
