# At each tick: with `as` at "feed", "page" or "screen" that is printed alone; else the screen is printed, and feed and page are
# written into `folder`, each whole at any moment.

function write_whole(name, text,   file) {
  file = folder "/" name
  printf "%s", text >(file ".new")
  close(file ".new")
  return "mv -f '" file ".new' '" file "'; "
}

function show() {
  diagnose()
  make_rows()
  if (as == "feed") printf "%s", feed()
  else if (as == "page") printf "%s", page()
  else printf "%s", screen()
  fflush()
  if (as == "") system(write_whole("status.json", feed()) write_whole("index.html", page()))
}
