import type { Fault } from "../store/transfer.cjs";

/** The network may have stumbled for a moment, or the server. */
const OFTEN = 6;
/** Each try takes long, or hardly ever helps. */
const SOMETIMES = 3;
const ONCE = 1;

const LOGIN =
  "Log in to it with skopeo login, which writes the file that skopeo reads (REGISTRY_AUTH_FILE, or the default of containers-auth.json(5)), and see that this account may read it";

/** What skopeo's last words mean (containers/image, docker/errors.go and its tests), the first that fits. */
const MEANINGS: { words: RegExp; status?: number; tries: number; found?: string; help: string }[] = [
  {
    words: /toomanyrequests|too many requests|\b429\b|rate limit/i,
    status: 429,
    tries: ONCE,
    found: "the registry wants fewer requests (429)",
    help: "Wait as long as it asks for, log in to it with skopeo login, or name a mirror in registries.conf(5); what was fetched is kept",
  },
  {
    words: /unauthorized|authentication required|invalid username\/password|\b401\b/i,
    status: 401,
    tries: ONCE,
    found: "the registry wants a login (401), or does not take the one that it was given",
    help: LOGIN,
  },
  {
    words: /\bdenied\b|\b403\b|forbidden/i,
    status: 403,
    tries: ONCE,
    found: "the registry refuses it (403)",
    help: LOGIN,
  },
  {
    words: /manifest unknown|name unknown|repository name not known|not found|\b404\b/i,
    status: 404,
    tries: ONCE,
    found: "the registry does not have it (404)",
    help: "See that its name, and its tag or digest, are right where it is named",
  },
  {
    words: /digest did not match|does not match the digest|mismatch|provided digest did not match/i,
    tries: SOMETIMES,
    found: "what came has another digest than it should",
    help: "Something on the way changes what comes, or the registry's own copy is damaged; nothing of it was kept",
  },
  {
    words: /x509|certificate|tls: /i,
    tries: ONCE,
    help: "See that the address and this machine's clock are right; an authority of your own goes to containers-certs.d(5)",
  },
  {
    words: /no such host|server misbehaving|connection refused|network is unreachable|no route to host/i,
    tries: SOMETIMES,
    help: "See that the network and the registry are up, and its name is right",
  },
  {
    words:
      /unexpected EOF|\bEOF\b|connection reset|broken pipe|time[d ]?out|deadline exceeded|stalled|stream error/i,
    tries: OFTEN,
    help: "See that the network and the registry are up",
  },
  {
    words: /\b5\d\d\b|internal server error|bad gateway/i,
    tries: OFTEN,
    help: "The registry has a fault of its own",
  },
];

/** What it says of the registry on loopback that it writes to, when what it reads from breaks. */
const OWN_SIDE = /writing blob: (Patch|Put|Post) "http:\/\/127\.0\.0\.1:[^"]*": (readfrom tcp \S+: )?/g;
/** It says so of each fault of inspect. */
const INSPECTING = /^Error parsing image name "[^"]*": /;

/** What skopeo said last, without what is around its words. */
function lastWords(stderr: string): string {
  const fatal = [...stderr.matchAll(/level=fatal msg="((?:[^"\\]|\\.)*)"/g)].at(-1)?.[1];
  const words = fatal?.replace(/\\(["\\])/g, "$1") ?? stderr.trim().split("\n").at(-1) ?? "";
  return words
    .replace(INSPECTING, "")
    .replace(OWN_SIDE, "")
    .replace(/\s*\n\s*/g, " ");
}

/**
 * The place that skopeo says it asks for an image, `HOST/NAME:TAG`: registries.conf(5) may name others than the image's own
 * registry (containers/image, docker/docker_image_src.go). It says so with --debug.
 *
 * @returns undefined for a line that says something else
 */
export const placeAsked = (line: string): string | undefined =>
  /level=debug msg="Trying to access \\"([^"\\]+)\\""/.exec(line)?.[1];

/** What a failed skopeo means. Words that are not known are told as they are. */
export function skopeoFault(stderr: string): Fault {
  const words = lastWords(stderr);
  const meaning = MEANINGS.find((each) => each.words.test(words));
  const { status, tries = ONCE, found, help = "" } = meaning ?? {};
  return { words: found ? `${found}: ${words}` : words, status, tries, help };
}
