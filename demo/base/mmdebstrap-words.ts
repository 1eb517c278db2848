/** What mmdebstrap begins that takes long, or warns of; it narrates much more than that. */
const TELLING =
  /^I: (?=running apt-get update|downloading|extracting|installing|creating tarball)|^(?=[WE]: )/;

/** A line of mmdebstrap's for a person who waits; undefined of one that tells nothing. */
export const mmdebstrapsWords = (line: string): string | undefined =>
  TELLING.test(line) ? line.replace(TELLING, "").replace(/\.\.\.$/, "") : undefined;
