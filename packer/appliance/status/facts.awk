# How things are, as rows of a name, a value and a level, and the words and times that screen, page and feed have in common.

# Of a second, in the time zone of the environment (TZ), which `show-status` sets to UTC.
function clock_of(second) {
  return strftime("%H:%M:%S", second)
}

function date_of(second) {
  return strftime("%Y-%m-%d", second)
}

function add_row(name, value, level) {
  row_name[++rows] = name
  row_value[rows] = value
  row_level[rows] = level
}

# A row for page and feed, since the screen has no room for it.
function add_detail(name, value) {
  add_row(name, value, "good")
  is_detail[rows] = 1
}

function nic(name, why,   value) {
  value = is[name "_mac"] ", " (is[name "_link"] == "up" ? "up" : "DOWN") (is[name "_cidr"] != "" ? ", " is[name "_cidr"] : ", no address")
  return value ": " why
}

# Who answered on the isolated NIC that has no place there.
function stranger() {
  if (is["foreign_dhcp"] != "") return "a DHCP server ANSWERS"
  return is["foreign_gateway"] != "" ? "the uplink's gateway ANSWERS" : ""
}

# The written rule: a DHCP server, or the gateway of a fixed uplink, answers on the uplink and not on the isolated link; the order
# on the bus decides the rest.
function nic_rows(   why) {
  if (is["isolated_link"] == "none" || is["isolated_mac"] == "") add_row("isolated", "no NIC is taken for it yet", "wait")
  else
    add_row("isolated", nic("isolated", stranger() != "" ? stranger() : "no DHCP server answers"),
      is["isolated_link"] == "up" && stranger() == "" ? "good" : "fault")
  if (is["uplink"] != "true") add_row("uplink", "none (uplink: false)", "good")
  else if (is["uplink_mac"] == "") add_row("uplink", is["verdict"] == "" ? "no NIC is taken for it yet" : "there is no second NIC", is["verdict"] == "" ? "wait" : "attention")
  else {
    why = is["uplink_answered"] == "dhcp" ? "a DHCP server answered" : is["uplink_answered"] == "gateway" ? "the gateway answered" : "the other NIC"
    add_row("uplink", nic("uplink", why), is["uplink_link"] == "up" && is["uplink_cidr"] != "" ? "good" : "attention")
  }
}

function way_out_row(   value, isGood) {
  if (is["uplink"] != "true") return
  if (is["verdict"] == "") {
    add_row("way out", "not known yet", "wait")
    return
  }
  isGood = 1
  if (is["router"] == "") {
    value = "no router"
    isGood = 0
  } else {
    value = "router " is["router"]
    if (is["router_answers"] == "no") {
      value = value " does NOT answer"
      isGood = 0
    }
  }
  if (is["resolvers"] == "") {
    value = value ", no DNS"
    isGood = 0
  } else {
    value = value ", DNS " is["resolvers"]
    if (is["resolvers_answer"] == "no" || is["resolvers_answer"] == "error") {
      value = value " does NOT answer"
      isGood = 0
    }
  }
  if (is["internet"] == "no") {
    value = value ", ghcr.io does NOT answer"
    isGood = 0
  }
  add_row("way out", value, isGood ? "good" : "attention")
}

# How wrong the virtual machine's clock was before it was set, where that is more than a minute.
function clock_error() {
  return clock_wrong * clock_wrong > 3600 ? ", and was wrong by " int(clock_wrong < 0 ? -clock_wrong : clock_wrong) " s: set the NAS's" : ""
}

function make_rows(   i) {
  rows = 0
  for (i in is_detail) delete is_detail[i]
  nic_rows()
  way_out_row()
  if (is["clock"] == "") add_row("time", "not known yet", "wait")
  else if (is["clock"] == "synchronised") add_row("time", "set by " is["clock_source"] clock_error(), clock_error() == "" ? "good" : "attention")
  else add_row("time", "the virtual machine's own clock: no time server answers", "attention")
  add_row("mini-PC", is["minipc_mac"] " -> " is["minipc_ip"] (heard == "" ? ", not heard of yet" : ", last heard of" (age(heard) == "" ? "" : " " age(heard) " ago")), heard == "" ? "wait" : "good")
  route_rows()
}

# The route that a desk of operatorNetwork needs to the mini-PC.
function route_rows(   via) {
  if (is["route_linux"] == "" || is["verdict"] !~ /^serving /) return
  via = is["uplink_cidr"]
  sub(/\/.*/, "", via)
  add_row("way in", "hosts of " is["operator_networks"] ", by a route via " via, "good")
  add_detail("Linux", is["route_linux"])
  add_detail("macOS", is["route_macos"])
  add_detail("Windows", is["route_windows"])
}

# iPXE that is the first to ask is in the NIC's ROM, and the firmware loads none.
function is_needless(name) {
  return (name == "firmware" || name == "program") && ("ipxe" in reached) && !("firmware" in reached) && !("program" in reached)
}

# done, next or awaited; where a later one is done, skipped (it was not needed) or unseen.
function step_state(i,   j) {
  if (step[i] in reached) return "done"
  for (j = i + 1; j <= steps; j++) if (step[j] in reached) return is_needless(step[i]) ? "skipped" : "unseen"
  return i == 1 || (step[i - 1] in reached) ? "next" : "awaited"
}

function step_title(i,   state) {
  state = step_state(i)
  return step_words[step[i]] (state == "skipped" ? " (not needed)" : state == "unseen" ? " (not seen)" : "")
}

# Seconds from the boot's beginning; empty where the clock was set in between.
function after_start(second) {
  second -= boot_second
  return second < 0 || second > 86400 ? "" : second
}

function boot_words() {
  if (boots == 0) return "The mini-PC's boot"
  return "The mini-PC's boot" (boots > 1 ? ", number " boots : "") ", begun at " clock_of(boot_second)
}
