# One sentence of what is wrong, or what is awaited. The first row that fits counts, so the causes come before what they cause.
# A row is a condition, a level and the words. Levels: fault (nothing goes on by itself), attention, wait (it goes on by itself),
# good.

function found(level, words) {
  diagnosis_level = level
  diagnosis_text = words
  return 1
}

# How long ago something was, in words that need no plural; empty where the clock was set since.
function age(second,   s) {
  s = now - second
  if (s < 0 || s > 86400 || second == "") return ""
  return s < 120 ? s " s" : int(s / 60) " min"
}

function ago(second) {
  return age(second) == "" ? "" : " (" age(second) " ago)"
}

function waiting(second) {
  return age(second) == "" ? "." : " (waiting for " age(second) ")."
}

# What `announce` says after "serving …;": what the node needs next and does not have. Then what nobody but the status looks at.
function shortcomings(   text) {
  text = is["verdict"]
  if (text !~ /^serving /) return ""
  if (!sub(/^[^;]*; /, "", text)) text = ""
  sub(/^[0-9]+ images?(; )?/, "", text)
  if (is["internet"] == "no" && text ~ /^(clock unsynchronised)?$/)
    text = "no internet, since ghcr.io does not answer on port 443, though names are answered" (text == "" ? "" : "; " text)
  return text
}

function appliance_row(   text) {
  text = is["verdict"]
  if (text == "") return found("wait", "The appliance is starting.")
  if (sub(/^waiting: /, "", text)) return found("wait", "The appliance is starting: " text ".")
  if (out_of_memory != "")
    return found("fault", "The appliance has too little memory, and the kernel ended " out_of_memory ": give the virtual machine 1 GiB and start it again.")
  if (text ~ /^NOT serving: the isolated NIC's link is down/)
    return found("fault", "Nothing is plugged into the isolated NIC (" is["isolated_mac"] "), or what is at the other end is switched off. Plug the mini-PC's cable in.")
  if (sub(/^NOT serving: /, "", text)) return found("fault", "The appliance serves nothing: " text ".")
  return 0
}

function minipc_row(   last) {
  last = last_step()
  if (config_fetches > 1)
    return found("attention", "The mini-PC has fetched its machine config " config_fetches " times in one boot: Talos refused it. The mini-PC's own screen says why.")
  if (is_past("disk")) return 0
  if (had_config && !is_past("config"))
    return found("attention", "The mini-PC boots from the network again after it had its machine config: its installation failed, or its firmware does not start from its disk. Its own screen says which.")
  if (lost_path != "")
    return found("attention", "The mini-PC asked for " substr(lost_path, 1, 60) " and did not get it (HTTP " lost_status ").")
  if (silence != "") return found("attention", "The mini-PC is stuck: " silence ".")
  if (unfit != "" && last == "")
    return found("attention", "The mini-PC's firmware is of a kind that no boot program here is for. Have it boot from the network by UEFI x64 or BIOS, by IPv4.")
  if (unserved_port != "" && last == "")
    return found("attention", "The mini-PC asks " (unserved_port == 547 ? "by IPv6" : "for a ProxyDHCP server") ", which nothing here answers: choose network boot by IPv4 in its firmware.")
  if (other_mac != "" && heard != "" && other_second > heard && !is_past("config"))
    return found("attention", other_mac " asks for an address" ago(other_second) ", after " is["minipc_mac"] " did: another NIC of the mini-PC, or another machine. It gets no answer: have the mini-PC boot by the NIC " is["minipc_mac"] ".")
  if (other_mac != "" && heard == "")
    return found("attention", other_mac " asks for an address" ago(other_second) ", and only " is["minipc_mac"] " is answered. If that is the mini-PC: pulumi config set minipcMac " other_mac ", and make the image anew.")
  return 0
}

# What is awaited after each step.
function progress_row(   last, wait) {
  last = last_step()
  wait = waiting(reached_last)
  if (last == "") return found("wait", "Nothing is heard of the mini-PC (" is["minipc_mac"] ") yet: switch it on, and have it boot from the network.")
  if (last == "firmware") return found("wait", "The mini-PC's firmware has an address; it loads iPXE next" wait)
  if (last == "program") return found("wait", "The mini-PC has iPXE; iPXE asks for an address next" wait)
  if (last == "ipxe") return found("wait", "iPXE has an address; it fetches boot.ipxe next" wait)
  if (last == "script") return found("wait", "iPXE fetches the kernel" wait)
  if (last == "kernel") return found("wait", "iPXE fetches the initramfs" wait)
  if (last == "initramfs") return found("wait", "The kernel starts on the mini-PC; Talos asks for an address next" wait)
  if (last == "system") return found("wait", "Talos runs on the mini-PC; it fetches its machine config next" wait)
  if (last == "disk") return found("wait", "Talos is installed, as it seems, and starts from its disk; it answers next" wait)
  if (last == "apid") return found("good", "Talos answers on the mini-PC, which boots from its disk from now on. A control plane's Kubernetes answers next" (is_past("kubernetes") ? "." : ", once the cluster is started: npm run node."))
  if (last == "kubernetes") return found("good", "Kubernetes answers on the mini-PC: its boot needs the appliance no more." (is["offline"] == "true" ? " Take its mirrors away (docs/offline.md), and" : " Once it has its lasting way to the internet,") " delete this virtual machine: it holds secrets.")
  return found("good", "The mini-PC has its machine config" ago(reached_last) "; Talos installs itself and starts from the disk next.")
}

function diagnose(   lacks) {
  if (appliance_row()) return
  lacks = shortcomings()
  if (minipc_row()) return
  progress_row()
  if (lacks != "") found("attention", diagnosis_text " But: " lacks ".")
}
