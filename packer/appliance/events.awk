# What happened, out of the journal of dnsmasq, nginx and chrony, a line an event: with `as` at "sentences" its second and what
# the serial console says of it, with "facts" what `handover` acts on, with "both" each with its second, for `show-status`.
# Input: journalctl -o short-unix --no-hostname. `own` is the appliance's address, whose requests are no events.

function event(text) {
  if (as == "facts") return
  # What a client sent is in it; a console obeys control characters.
  gsub(/[^ -~]/, "?", text)
  print int($1) (as == "both" ? " said " : " ") text
  fflush()
}

# The service, what it gave or was asked for, and to whom. No part has a space in it.
function fact(text) {
  if (as != "facts") {
    finer_fact(text)
    return
  }
  print text
  fflush()
}

# What only the status needs to know.
function finer_fact(text) {
  if (as != "both") return
  print int($1) " fact " text
  fflush()
}

function last_word(text) {
  sub(/.* /, "", text)
  return text
}

function told(   name) {
  if (answer ~ /^ack / && file != "") {
    name = file
    sub(/.*\//, "", name)
    fact("ack " name " " last_word(answer))
  } else if (answer ~ /^(offer|ack) /) {
    name = file != "" ? file : firmware() != "" ? "none" : "-"
    sub(/.*\//, "", name)
    finer_fact((answer ~ /^ack / ? "ack " : "offer ") name " " last_word(answer))
  }
  if (answer != "") event("dhcp: " answer (file != "" ? ": " file : firmware() != "" ? ": no boot file for " firmware() : ""))
  answer = ""
}

# Who asks, when it is a firmware: its vendor class, which most often holds the client architecture.
function firmware() {
  if (pxe ~ /Arch:/) return pxe
  if (architecture != "") return (pxe != "" ? pxe ", " : "") "client architecture " architecture
  return pxe != "" ? pxe ", whose client architecture is unknown" : ""
}

# A message's name, the address if there is one, the MAC, and dnsmasq's verdict.
function dhcp_message(text,   word, count, at, name, address, rest) {
  count = split(text, word, " ")
  name = tolower(word[1])
  sub(/^dhcp/, "", name)
  sub(/\(.*/, "", name)
  at = 2
  if (word[at] ~ /^[0-9.]+$/) address = word[at++] " "
  for (rest = at + 1; rest <= count; rest++) word[at] = word[at] (rest == at + 1 ? ": " : " ") word[rest]
  if (name == "offer" || name == "ack") {
    # What follows the MAC is the name the client gave itself.
    sub(/: .*/, "", word[at])
    answer = name " " address "to " word[at]
    file = ""
  } else if (name == "nak") {
    event("dhcp: nak " address "to " word[at])
  } else if (name != "request") {
    event("dhcp: " name " " (name == "discover" ? "" : address) "from " word[at])
    fact("asks " substr(word[at], 1, 17))
  }
}

# log-dhcp puts a transaction's number before each line, and what is sent after the offer's own line.
function dhcp(text) {
  if (text !~ /^[0-9]+ /) {
    told()
    if (text ~ /^DHCP[A-Z]+\(/) dhcp_message(text)
    else if (text ~ /no address range|not using configured|failed|cannot|error/) event("dhcp: " text)
    return
  }
  sub(/^[0-9]+ /, "", text)
  if (answer != "") {
    if (text ~ /^bootfile name: /) file = substr(text, 16)
    if (text ~ /option: 67 /) {
      file = text
      sub(/.*bootfile-name +/, "", file)
    }
    # Where dhcp-boot names the file, it is before the options that are for everyone; UEFI firmware's comes later.
    if (file != "" || !uefi && text ~ /^sent size:/ && text !~ /option: (51|53|54|58|59|66) /) told()
  }
  if (text ~ /^tags: /) {
    uefi = text ~ /efi/ && text !~ /ipxe/
    if (match(text, / arch-[0-9]+/)) architecture = substr(text, RSTART + 6, RLENGTH - 6)
  } else if (text ~ /^available DHCP/) pxe = architecture = ""
  else if (text ~ /^vendor class: (PXE|HTTP)Client/) pxe = substr(text, 15)
  else if (text ~ /^DHCP[A-Z]+\(/) {
    told()
    dhcp_message(text)
  }
}

# Firmware that wants a file's size begins to fetch it and gives up; dnsmasq calls that sent, too.
function tftp(text,   client, word) {
  client = last_word(text)
  if (text ~ /^error .*[Aa]bort/) gave_up[client] = 1
  else if (text ~ /^sent / && client in gave_up) delete gave_up[client]
  # iPXE of 2022 and newer looks for a script beside itself, which there need not be.
  else if (text !~ /^TFTP root|^file autoexec\.ipxe not found/) {
    event("tftp: " text)
    if (text ~ /^sent /) {
      split(text, word, " ")
      fact("tftp " word[2] " " client)
    }
  }
}

# What is asked of the registry of images, by the images' names: a pull is told once, by the tag where it begins with one.
# `ns` is the host that a client names in its question alone, as containerd does.
function images(target, status, client,   path, ns, host, image, reference, isBlob) {
  path = target
  sub(/\?.*/, "", path)
  if (!match(path, /\/(manifests|blobs)\/[^\/]+$/)) return
  isBlob = substr(path, RSTART, 7) == "/blobs/"
  image = substr(path, 5, RSTART - 5)
  reference = substr(path, RSTART + (isBlob ? 7 : 11))
  if (match(target, /[?&]ns=[^&]+/)) {
    ns = substr(target, RSTART + 4, RLENGTH - 4)
    sub(/%3[Aa]/, ":", ns)
    host = image
    sub(/\/.*/, "", host)
    # A host with a port has no colon in the store.
    sub(/:/, "_", host)
    path = ns
    sub(/:/, "_", path)
    if (host == path) sub(/^[^\/]*\//, "", image)
    image = ns "/" image
  }
  if (status ~ /^[23]/) {
    if (isBlob || reference ~ /:/ && $1 - tagged[image] < 60) return
    if (reference !~ /:/) tagged[image] = $1
    event("images: " image (reference ~ /:/ ? "@" substr(reference, 1, 19) : ":" reference) " to " client)
  } else {
    image = isBlob ? "a part of " image ", " reference "," : image (reference ~ /:/ ? "@" : ":") reference
    if (status == 404) event("images: " image " is not on this appliance; " client " asked for it")
    else if (status ~ /^5/) event("images: " image " could not be read (" status "): journalctl -u bootstrap-registry says why")
    else event("images: " image " was refused to " client " (" status ")")
  }
}

function http(text,   topic, quoted, request, parts, result, client, isCut) {
  if (text ~ /^nginx: /) {
    event("nginx.service: " substr(text, 8))
  } else if (text ~ /^[0-9\/]+ [0-9:]+ \[/) {
    topic = text ~ /^[^\[]*\[emerg\]/ ? "nginx.service: " : "http: error: "
    sub(/^[0-9\/]+ [0-9:]+ \[[a-z]+\] [0-9#]+: (\*[0-9]+ )?/, "", text)
    sub(/, server: .*/, "", text)
    if (text !~ ("client: " own "$")) event(topic text)
  } else if (split(text, quoted, "\"") > 2) {
    client = text
    sub(/ .*/, "", client)
    if (client == own) return
    parts = split(quoted[2], request, " ")
    split(quoted[3], result, " ")
    if (parts == 3 && request[2] ~ /^\/v2\//) {
      images(request[2], result[1], client)
      return
    }
    sub(/\?.*/, "", request[2])
    # The client's own words are between quotation marks.
    isCut = result[1] ~ /^2/ && text ~ / complete=$/
    if (parts == 3 && request[1] == "GET") fact("http " request[2] " " (isCut ? "cut" : result[1]) " " client)
    event("http: " (parts == 3 ? request[1] " " request[2] : "no request") " " result[1] " to " client ", " result[2] " bytes" (isCut ? ", cut off" : ""))
  }
}

# What the firewall saw of the mini-PC that nothing here answers (files/nftables.conf).
function unserved(text,   mac) {
  mac = text
  # Destination, source and type of the frame are one value.
  sub(/.* MAC=([0-9a-f][0-9a-f]:){6}/, "", mac)
  mac = substr(mac, 1, 17)
  fact("asks " mac)
  if (match(text, / DPT=[0-9]+/)) finer_fact("unserved " substr(text, RSTART + 5, RLENGTH - 5) " " mac)
  if (text ~ / DPT=547 /) event("dhcp: DHCPv6 question from " mac ": only IPv4 is served; choose network boot by IPv4 in its firmware")
  if (text ~ / DPT=4011 /) event("dhcp: question to port 4011 from " mac ": its firmware wants a ProxyDHCP server, and there is none; choose another network boot in it")
}

function out_of_memory(text) {
  sub(/^[^(]*\(/, "", text)
  sub(/\).*/, "", text)
  event("memory: this virtual machine has too little, and the kernel ended " text)
  finer_fact("out_of_memory " text)
}

# How each service's main process ended, and whether it is down.
function unit(text,   name, how) {
  if (match(text, /^(Started|Stopped|Failed to start) [^ ]+\.service/)) {
    name = substr(text, 1, RLENGTH)
    sub(/.* /, "", name)
    if (text ~ /^Started/) {
      if (down[name]) event(name ": started again")
      down[name] = 0
    } else if (!down[name]) {
      event(name (text ~ /^Stopped/ ? ": stopped" : ": failed to start"))
      down[name] = 1
    }
  } else if (match(text, /^[^ ]+\.service: /)) {
    name = substr(text, 1, RLENGTH - 2)
    how = substr(text, RLENGTH + 1)
    if (how ~ /process exited, /) {
      sub(/.*process exited, /, "", how)
      ended[name] = how
    } else if (how ~ /^Failed with result /) {
      gsub(/^Failed with result .|.\.$/, "", how)
      event(name ": failed, " how (ended[name] != "" ? ", " ended[name] : ""))
      ended[name] = ""
      down[name] = 1
    }
  }
}

{
  text = $0
  sub(/^[^ ]+ /, "", text)
  source = text
  sub(/(\[|:).*/, "", source)
  sub(/^[^ ]+: /, "", text)
  if (source == "nginx") http(text)
  else if (source == "systemd") unit(text)
  else if (source == "bootstrap-pxe") event(text)
  else if (source == "kernel") {
    if (text ~ /^bootstrap-pxe not served: /) unserved(text)
    else if (text ~ /^Out of memory: Killed process /) out_of_memory(text)
  }
  else if (source == "chronyd") {
    if (text ~ /^Fatal error/) event("chrony.service: " text)
    if (sub(/^System clock wrong by /, "", text)) {
      event("time: the clock was wrong by " text)
      sub(/ .*/, "", text)
      finer_fact("clock_wrong " text)
    }
  } else {
    # On its standard error dnsmasq puts a time of its own before the line.
    sub(/^[A-Z][a-z][a-z] [ 0-9][0-9] [0-9:]+ /, "", text)
    if (sub(/^dnsmasq-dhcp\[[0-9]+\]: /, "", text)) dhcp(text)
    else if (sub(/^dnsmasq-tftp\[[0-9]+\]: /, "", text)) {
      gsub("/srv/tftp/", "", text)
      tftp(text)
    } else if (sub(/^dnsmasq: /, "", text) || text ~ /^dnsmasq\[.*(FAILED|failed|cannot|unknown)/) {
      sub(/^dnsmasq\[[0-9]+\]: /, "", text)
      event("dnsmasq.service: " text)
    }
  }
}
