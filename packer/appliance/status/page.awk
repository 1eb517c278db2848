# The page as it is at this second, for a browser without scripts; status.js keeps it up to date from the feed.

function html(text) {
  gsub(/&/, "\\&amp;", text)
  gsub(/</, "\\&lt;", text)
  gsub(/>/, "\\&gt;", text)
  gsub(/"/, "\\&quot;", text)
  return text
}

function page_step(i,   state, text, after) {
  state = step_state(i)
  text = "<li class=\"" state "\"><span class=\"clock\">"
  if (state == "done") {
    after = after_start(reached[step[i]])
    text = text clock_of(reached[step[i]]) "</span> <span class=\"after\">" (after == "" ? "" : "+" after " s") "</span>"
  } else text = text "</span> <span class=\"after\"></span>"
  return text " <span>" html(step_title(i)) "</span></li>\n"
}

function page(   i, text) {
  text = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>bootstrap-pxe " html(is["bootstrap_version"]) "</title>\n"
  text = text "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<link rel=\"icon\" href=\"data:,\">\n"
  text = text "<link rel=\"stylesheet\" href=\"/status.css\">\n<script src=\"/status.js\" defer></script>\n"
  text = text "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>\n</head>\n<body>\n<header>\n<h1>bootstrap-pxe <span id=\"version\">" html(is["bootstrap_version"]) "</span></h1>\n"
  text = text "<p>Talos <span id=\"talosVersion\">" html(is["talos_version"]) "</span>. As of <time id=\"time\">" date_of(now) " " clock_of(now) "</time> UTC.</p>\n</header>\n"
  text = text "<p id=\"stale\" role=\"alert\" hidden></p>\n<main>\n<p id=\"diagnosis\" role=\"status\" class=\"" diagnosis_level "\">" html(diagnosis_text) "</p>\n"
  text = text "<section>\n<h2 id=\"boot\">" html(boot_words()) "</h2>\n<ol id=\"steps\">\n"
  for (i = 1; i <= steps; i++) text = text page_step(i)
  text = text "</ol>\n</section>\n<section>\n<h2>How things are</h2>\n<dl id=\"rows\">\n"
  for (i = 1; i <= rows; i++)
    text = text "<div class=\"" row_level[i] "\"><dt>" html(row_name[i]) "</dt> <dd>" html(row_value[i]) "</dd></div>\n"
  text = text "</dl>\n</section>\n<section>\n<h2>Last events</h2>\n<ol id=\"events\">\n"
  for (i = events; i > events - MOST_EVENTS && i > 0; i--)
    text = text "<li><span class=\"clock\">" clock_of(event_second[i]) "</span> <span>" html(event_text[i]) "</span></li>\n"
  return text "</ol>\n</section>\n</main>\n<footer>All times are UTC. The appliance's console has this as its screen; <a href=\"/status.json\">the feed</a> has it for programs.</footer>\n</body>\n</html>\n"
}
