import { placeAsked, skopeoFault } from "../../../steps/registry/skopeo-words";

const fatal = (words: string) => `time="2026-01-01T00:00:00Z" level=fatal msg=${JSON.stringify(words)}\n`;

// As skopeo 1.9 and 1.18 say it.
test.each([
  [
    'Error parsing image name "docker://ghcr.io/a/b:v1": reading manifest v1 in ghcr.io/a/b: manifest unknown: manifest unknown',
    "the registry does not have it (404): reading manifest v1",
    1,
  ],
  ["reading manifest v1 in ghcr.io/a/b: unauthorized: authentication required", "wants a login (401)", 1],
  [
    "reading manifest v1 in ghcr.io/a/b: denied: requested access to the resource is denied",
    "refuses it (403)",
    1,
  ],
  ["reading manifest v1: toomanyrequests: You have reached your pull rate limit", "fewer requests (429)", 1],
  [
    'writing blob: Patch "http://127.0.0.1:4711/v2/x?_state=abc": readfrom tcp 127.0.0.1:1->127.0.0.1:2: unexpected EOF',
    "unexpected EOF",
    6,
  ],
  ["writing blob: Digest did not match, expected sha256:1, got sha256:2", "another digest than it should", 3],
  [
    'pinging container registry ghcr.io: Get "https://ghcr.io/v2/": dial tcp: lookup ghcr.io: no such host',
    "no such host",
    3,
  ],
  ["reading manifest v1: received unexpected HTTP status: 503 Service Unavailable", "503", 6],
  ['Get "https://r/v2/": x509: certificate signed by unknown authority', "x509", 1],
  ["a fault that nobody knows", "a fault that nobody knows", 1],
])("%s", (said, words, tries) => {
  const fault = skopeoFault(`Copying blob sha256:1\n${fatal(said)}`);
  expect(fault.words).toContain(words);
  expect(fault.words).not.toContain("_state");
  expect(fault.tries).toBe(tries);
});

test.each([
  [
    'time="2026-11-26T12:16:41Z" level=debug msg="Trying to access \\"127.0.0.1:5000/ghcr.io/a/b:v1\\""',
    "127.0.0.1:5000/ghcr.io/a/b:v1",
  ],
  [
    'time="2026-11-26T12:16:41Z" level=debug msg="Accessing \\"127.0.0.1:5000/a:v1\\" failed: connection refused"',
    undefined,
  ],
])("of %s counts the place %s", (line, place) => {
  expect(placeAsked(line)).toBe(place);
});
