# The feed: what screen and page show, as JSON. docs/design.md says what is in it.

function json(text) {
  gsub(/\\/, "\\\\", text)
  gsub(/"/, "\\\"", text)
  gsub(/[^ -~]/, "?", text)
  return "\"" text "\""
}

function feed(   i, text, separator) {
  text = "{\"at\":" now ",\"time\":" json(date_of(now) " " clock_of(now)) ",\"version\":" json(is["bootstrap_version"])
  text = text ",\"talosVersion\":" json(is["talos_version"])
  text = text ",\"diagnosis\":{\"level\":" json(diagnosis_level) ",\"text\":" json(diagnosis_text) "},\n\"rows\":["
  for (i = 1; i <= rows; i++) {
    text = text separator "{\"name\":" json(row_name[i]) ",\"value\":" json(row_value[i]) ",\"level\":" json(row_level[i]) "}"
    separator = ",\n"
  }
  text = text "],\n\"boot\":{\"number\":" boots ",\"title\":" json(boot_words()) ",\"steps\":["
  separator = ""
  for (i = 1; i <= steps; i++) {
    text = text separator step_in_json(i)
    separator = ",\n"
  }
  text = text "]},\n\"events\":["
  separator = ""
  for (i = events; i > events - MOST_EVENTS && i > 0; i--) {
    text = text separator "{\"at\":" event_second[i] ",\"time\":" json(clock_of(event_second[i])) ",\"text\":" json(event_text[i]) "}"
    separator = ",\n"
  }
  return text "]}\n"
}

function step_in_json(i,   state, text) {
  state = step_state(i)
  text = "{\"name\":" json(step[i]) ",\"title\":" json(step_words[step[i]]) ",\"state\":" json(state)
  if (state == "done") {
    text = text ",\"at\":" reached[step[i]] ",\"time\":" json(clock_of(reached[step[i]]))
    if (after_start(reached[step[i]]) != "") text = text ",\"afterS\":" after_start(reached[step[i]])
  }
  return text "}"
}
