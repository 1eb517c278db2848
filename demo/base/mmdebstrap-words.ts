/** The lines in which mmdebstrap begins something long or warns; it writes many more. */
const TELLING =
  /^I: (?=running apt-get update|downloading|extracting|installing|creating tarball)|^(?=[WE]: )/;

/** One of mmdebstrap's lines for a person who waits; undefined when it says nothing that matters. */
export const mmdebstrapsWords = (line: string): string | undefined =>
  TELLING.test(line) ? line.replace(TELLING, "").replace(/\.\.\.$/, "") : undefined;
