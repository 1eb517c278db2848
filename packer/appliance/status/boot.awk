# What the appliance knows: the mini-PC's boot, what happened last, and how things are, kept from lines of these kinds, oldest first:
#   is NAME VALUE            how something is now (`show-status` has it from `announce` and from the site)
#   SECOND said TEXT         an event in words, of events.awk
#   SECOND fact WORDS        the same for a program, of events.awk
#   tick SECOND              the time it is: everything is shown
# Nothing is looked at and nothing is written here, so that each case can be tried.

# The chain's steps in the order of a boot. A further one is one more line here, one in `fact`, and one in diagnosis.awk.
function add_step(name, words) {
  step[++steps] = name
  step_words[name] = words
}

BEGIN {
  add_step("firmware", "the firmware asks for an address")
  add_step("program", "the firmware loads iPXE")
  add_step("ipxe", "iPXE asks for an address")
  add_step("script", "iPXE fetches boot.ipxe")
  add_step("kernel", "iPXE fetches the kernel")
  add_step("initramfs", "iPXE fetches the initramfs")
  add_step("system", "Talos asks for an address")
  add_step("config", "Talos fetches its machine config")
  network_steps = steps
  add_step("disk", "Talos starts from its disk")
  add_step("apid", "Talos answers on port 50000")
  add_step("kubernetes", "Kubernetes answers on port 6443")
  boots = 0
  events = 0
  # As many as the page shows.
  MOST_EVENTS = 12
}

# Whether this step or a later one was reached in the present boot.
function is_past(name,   i, seen) {
  for (i = 1; i <= steps; i++) {
    if (step[i] == name) seen = 1
    if (seen && (step[i] in reached)) return 1
  }
  return 0
}

# The last step reached; empty before the first.
function last_step(   i) {
  for (i = steps; i >= 1; i--) if (step[i] in reached) return step[i]
  return ""
}

function begin_boot(second) {
  had_config = config_fetches > 0
  for (name in reached) delete reached[name]
  config_fetches = 0
  lost_path = unserved_port = unfit = silence = ""
  boots++
  boot_second = second
}

# A step is reached once a boot: what comes again later is a try of the same.
function reach(name, second) {
  if (boots == 0) begin_boot(second)
  if (!(name in reached)) reached[name] = reached_last = second
  silence = ""
}

function is_program(file) {
  return file ~ /^(snponly\.efi|ipxe\.efi|undionly\.kpxe)$/
}

function handed_over(file, second) {
  if (is_past("ipxe")) begin_boot(second)
  reach("program", second)
}

# What was offered tells who asked: a firmware, iPXE, or an operating system, which is offered no file.
function offered(file, second) {
  if (is_program(file)) {
    if (is_past("program")) begin_boot(second)
    reach("firmware", second)
  } else if (file == "boot.ipxe") {
    # iPXE in a NIC's ROM is the firmware, and the first to ask.
    if (is_past("script")) begin_boot(second)
    reach("ipxe", second)
  } else if (file == "none") {
    unfit = "yes"
  } else if (is_past("config")) {
    # Talos may ask again when it has its config. Later, it is one that was started anew and did not come by the network.
    if (second - reached["config"] >= 15) reach("disk", second)
  } else if (is_past("kernel")) {
    reach("system", second)
  }
}

# The node as it answers now; one that was installed before has no boot from the network to look back at.
function note_answers() {
  if (is["answers-50000"] != "") reach("apid", is["answers-50000"])
  if (is["answers-6443"] != "") reach("kubernetes", is["answers-6443"])
}

function fetched(path, status, second) {
  # What did not come whole is asked for again, or awaited on.
  if (status == "cut") return
  if (status !~ /^(2|304)/) {
    lost_path = path
    lost_status = status
    return
  }
  if (path == lost_path) lost_path = ""
  if (path ~ /^\/(snponly|ipxe)\.efi$/) handed_over(substr(path, 2), second)
  else if (path == "/boot.ipxe") reach("script", second)
  else if (path ~ /^\/talos\/.*\/vmlinuz$/) reach("kernel", second)
  else if (path ~ /^\/talos\/.*\/initramfs\.xz$/) reach("initramfs", second)
  else if (path ~ /^\/configs\/minipc\.yaml$/) {
    config_fetches++
    reach("config", second)
  }
}

function asked(mac, second) {
  if (mac == is["minipc_mac"]) {
    heard = second
  } else {
    other_mac = mac
    other_second = second
  }
}

# `f` has the words of a line: second, "fact", which, and the rest.
function take_fact(f) {
  if (f[3] == "asks") asked(f[4], f[1])
  else if (f[3] == "offer" || f[3] == "ack") {
    if (f[5] == is["minipc_mac"]) offered(f[4], f[1])
  } else if (f[3] == "tftp") {
    if (f[5] == is["minipc_ip"]) heard = f[1]
    if (f[5] == is["minipc_ip"] && is_program(f[4])) handed_over(f[4], f[1])
  } else if (f[3] == "http") {
    if (f[6] == is["minipc_ip"]) {
      heard = f[1]
      fetched(f[4], f[5], f[1])
    }
  } else if (f[3] == "unserved") unserved_port = f[4]
  else if (f[3] == "clock_wrong") clock_wrong = f[4]
  else if (f[3] == "out_of_memory") out_of_memory = f[4]
}

# Each once within ten seconds: a machine that asks again and again leaves room for the rest.
function take_event(second, text,   i) {
  for (i = events; i > events - 4 && i > 0; i--)
    if (event_text[i] == text && second - event_second[i] < 10) return
  event_text[++events] = text
  event_second[events] = second
  delete event_text[events - MOST_EVENTS]
  delete event_second[events - MOST_EVENTS]
  if (text ~ /^iPXE was /) silence = text
}

# The line's end after so many words and the spaces after them.
function rest_of_line(words,   text) {
  text = $0
  while (words-- > 0) sub(/^[^ ]+ /, "", text)
  return text
}

# What a client sent is in it; a console obeys control characters.
{ gsub(/[^ -~]/, "?") }
$1 == "is" { is[$2] = NF > 2 ? rest_of_line(2) : "" }
$2 == "said" { take_event($1, rest_of_line(2)) }
$2 == "fact" {
  split($0, words, " ")
  take_fact(words)
}
$1 == "tick" {
  now = $2
  note_answers()
  show()
}
