# The screen: 25 lines of at most 79 characters of ASCII, which every console's font has. Each line is put in its place and its
# rest is erased, so that nothing flickers and whatever the kernel writes in between is gone at the next tick. Codes: console_codes(4).

BEGIN {
  COLUMNS = 79
  LINES = 25
  MOST_DIAGNOSIS_LINES = 5
  colour["good"] = 32
  colour["wait"] = 36
  colour["attention"] = 33
  colour["fault"] = 31
}

function put(text, code) {
  if (length(text) > COLUMNS) text = substr(text, 1, COLUMNS - 3) "..."
  drawn = drawn "\033[" ++line ";1H" (code != "" ? "\033[" code "m" text "\033[0m" : text) "\033[K"
}

function right(text, width) {
  return sprintf("%" width "s", text)
}

function left(text, width) {
  return sprintf("%-" width "s", text)
}

# In words, into `wrapped`; what does not fit ends in dots. @returns the number of lines
function wrap(text, width, most,   count, i, n, word) {
  n = split(text, word, " ")
  count = 1
  wrapped[1] = ""
  for (i = 1; i <= n; i++) {
    if (wrapped[count] != "" && length(wrapped[count]) + 1 + length(word[i]) > width) {
      if (count == most) {
        wrapped[count] = substr(wrapped[count], 1, width - 4) " ..."
        return count
      }
      wrapped[++count] = ""
    }
    wrapped[count] = wrapped[count] (wrapped[count] == "" ? "" : " ") word[i]
  }
  return count
}

# Until the mini-PC has its config, the steps to there; from then on those in one line, and what comes after.
function put_steps(   i, first, last) {
  first = 1
  last = network_steps
  if (is_past("config")) {
    first = network_steps
    last = steps
    for (i = network_steps - 1; i > 0 && !(step[i] in reached); i--);
    if (i > 0) put_done(reached[step[i]], "the boot from the network, in " i " steps")
  }
  for (i = first; i <= last; i++) put_step(i)
}

function put_done(second, words,   after) {
  after = after_start(second)
  put("  [x] " clock_of(second) " " right(after == "" ? "" : "+" after " s", 8) "  " words, 32)
}

function put_step(i,   state, isOver) {
  state = step_state(i)
  isOver = state == "skipped" || state == "unseen"
  if (state == "done") put_done(reached[step[i]], step_words[step[i]])
  else
    put("  [" (isOver ? "-" : state == "next" ? ">" : " ") "] " left("", 8) " " left("", 8) "  " step_title(i),
      state == "next" ? 1 : isOver ? "" : 2)
}

function screen(   i, n, room) {
  drawn = "\033[?25l"
  line = 0
  put(left("bootstrap-pxe " is["bootstrap_version"] ", Talos " is["talos_version"], COLUMNS - 23) date_of(now) " " clock_of(now) " UTC", 7)
  for (i = 1; i <= rows; i++) if (!(i in is_detail)) put(left(row_name[i], 9) row_value[i], row_level[i] == "good" ? "" : colour[row_level[i]])
  put(boot_words() ":", 1)
  put_steps()
  n = wrap(diagnosis_text, COLUMNS, MOST_DIAGNOSIS_LINES)
  room = LINES - line - n - 3
  put("Last events:", 1)
  for (i = events > room ? events - room + 1 : 1; room-- > 0; i++)
    put(i <= events ? "  " clock_of(event_second[i]) " " event_text[i] : "")
  put("")
  for (i = 1; i <= n; i++) put(wrapped[i], "1;" colour[diagnosis_level])
  put(left("Also at http://" is["appliance_ip"] "/ on the isolated link.", COLUMNS - 17) "Alt-F2: log in", 2)
  return drawn "\033[J"
}
