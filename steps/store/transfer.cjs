"use strict";

// What every transfer by curl shares, of a step or of set-up: its limits, and what its failure means.

/** @typedef {Record<string, string | undefined>} Env */
/** @typedef {{ words: string, status?: number, tries: number, help: string }} Fault words: curl's own; status: the server's, of HTTP; tries: how often it is worth trying; help: what to do, may be empty */

/** The limits in seconds, by their variable; docs/troubleshooting.md says what each is for. */
const LIMITS = {
  connect: { variable: "BOOTSTRAP_PXE_CONNECT_SECONDS", seconds: 20 },
  stall: { variable: "BOOTSTRAP_PXE_STALL_SECONDS", seconds: 60 },
  list: { variable: "BOOTSTRAP_PXE_LIST_SECONDS", seconds: 60 },
  retry: { variable: "BOOTSTRAP_PXE_RETRY_SECONDS", seconds: 3 },
};
/** A transfer that brings less than this in a second, for as long as the stall limit, counts as stalled. */
const LEAST_BYTES_PER_SECOND = 1000;
/** No release's list of checksums is nearly so large. */
const MOST_LIST_BYTES = 1 << 20;
/** Larger than any disk image or ISO that this project takes. */
const MOST_FILE_BYTES = 2 ** 36;

/**
 * The limits of transfers, in seconds.
 *
 * @param {Env} [env]
 * @returns {Record<keyof typeof LIMITS, number>}
 * @throws Error when a variable is not a number of seconds
 */
function transferLimits(env = process.env) {
  const limits = Object.entries(LIMITS).map(([name, { variable, seconds }]) => {
    const value = env[variable] ? Number(env[variable]) : seconds;
    if (!(value > 0 && value < Infinity))
      throw new Error(`${variable} is "${env[variable]}", which is not a number of seconds above 0`);
    return [name, value];
  });
  return Object.fromEntries(limits);
}

/**
 * curl's flags for a file of any size.
 *
 * @param {{ connect: number, stall: number }} limits in seconds
 */
const curlFlags = ({ connect, stall }) => [
  ...["--fail", "--location", "--silent", "--show-error", "--globoff"],
  // What begins in private must not go on in the open, where anybody can change it.
  ...["--proto-redir", "=https"],
  ...["--connect-timeout", String(connect)],
  ...["--speed-limit", String(LEAST_BYTES_PER_SECOND), "--speed-time", String(Math.ceil(stall))],
  ...["--max-filesize", String(MOST_FILE_BYTES)],
];

/**
 * curl's flags for what is small: a list, a header. curl before 8.4 cannot limit the size of what a server does not
 * announce, so that who reads it must not take more than MOST_LIST_BYTES.
 *
 * @param {{ connect: number, stall: number, list: number }} limits in seconds
 */
const curlListFlags = (limits) => [...curlFlags(limits), "--max-time", String(limits.list)];

/** The network may have stumbled for a moment. */
const OFTEN = 6;
/** Each try takes long, or hardly ever helps. */
const SOMETIMES = 3;
const ONCE = 1;

const NETWORK = "See that the network and the server are up; where only a proxy leads out, set https_proxy";
const AUTHORITY =
  "This machine does not trust who signed the server's certificate. On a network that inspects TLS, let CURL_CA_BUNDLE " +
  "name a file with its authority's certificate (docs/troubleshooting.md, Networks)";
const CERTIFICATE =
  "See that the address and this machine's clock are right; a login page on the way answers like this too";
const PROXY = "See that https_proxy names the right proxy, with its user and password if it wants them";

/** What curl's exit codes mean (curl(1), EXIT CODES), the first that fits. @type {{ codes: number[], words?: RegExp, tries: number, help: string }[]} */
const MEANINGS = [
  {
    codes: [1],
    words: /protocol "?http"?\b/i,
    tries: ONCE,
    help: "The server redirects from https to http, where anybody on the way could change what comes. Use an address that stays with https",
  },
  { codes: [5], tries: SOMETIMES, help: PROXY },
  {
    codes: [6],
    tries: SOMETIMES,
    help: "See that the network and its DNS are up, and the host's name is right",
  },
  { codes: [7, 28], tries: SOMETIMES, help: NETWORK },
  { codes: [56, 97], words: /CONNECT.*\b4\d\d\b|\b4\d\d from proxy/i, tries: ONCE, help: PROXY },
  { codes: [60], words: /issuer|self.signed|unable to verify/i, tries: ONCE, help: AUTHORITY },
  { codes: [51, 60], tries: ONCE, help: CERTIFICATE },
  {
    codes: [77],
    tries: ONCE,
    help: "See that CURL_CA_BUNDLE names a file of certificates that you may read",
  },
  { codes: [23], tries: ONCE, help: "See that files can be written where it goes" },
  { codes: [35], tries: SOMETIMES, help: "See that the server speaks TLS at this address" },
  { codes: [16, 18, 33, 52, 55, 56, 92], tries: OFTEN, help: NETWORK },
];

/** What a server's answer of failure means (RFC 9110, section 15), the first that fits. @type {{ statuses: RegExp, tries: number, help: string }[]} */
const ANSWERS = [
  { statuses: /^407$/, tries: ONCE, help: PROXY },
  { statuses: /^(408|416|429)$/, tries: OFTEN, help: "" },
  { statuses: /^4/, tries: ONCE, help: "" },
  { statuses: /^/, tries: OFTEN, help: "The server has a fault of its own" },
];

/** curl's own reason: of the lines that it says, the one that is no advice. @param {string} stderr */
const curlWords = (stderr) => /^curl: (\(\d+\) .*\S)/m.exec(stderr)?.[1];

/**
 * What a failed curl means.
 *
 * @param {string} stderr all that it said
 * @returns {Fault | undefined} undefined when curl itself gave no reason
 */
function curlFault(stderr) {
  const words = curlWords(stderr);
  if (words === undefined) return undefined;
  const code = Number(/\d+/.exec(words)?.[0]);
  const status = /returned error: (\d{3})/.exec(words)?.[1];
  const meaning = status
    ? ANSWERS.find(({ statuses }) => statuses.test(status))
    : MEANINGS.find(({ codes, words: also }) => codes.includes(code) && (also?.test(words) ?? true));
  const { tries, help } = meaning ?? { tries: ONCE, help: "" };
  return { words, status: status === undefined ? undefined : Number(status), tries, help };
}

/** Whether a text is a page of HTML, as a login page is. @param {string} text its beginning */
const isPage = (text) => /<(!doctype\s+html|html|head|body)\b/i.test(text);

module.exports = {
  LEAST_BYTES_PER_SECOND,
  MOST_LIST_BYTES,
  curlFault,
  curlFlags,
  curlListFlags,
  curlWords,
  isPage,
  transferLimits,
};
