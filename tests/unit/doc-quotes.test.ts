import { readdirSync } from "node:fs";
import { join } from "node:path";
import { quotesIn, textsIn, textsOfProduct, unsaid } from "../doc-quotes";

const TOP = join(__dirname, "../..");
const DOCUMENTS = [
  "README.md",
  ...readdirSync(join(TOP, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
];

/** How code that is no message begins: commands, options, variables, lines of YAML, of templates, and sums. */
const NO_MESSAGE = new RegExp(
  "^(-|[A-Z_]+=|(busybox|chronyc|cp|default:|gen config|git|gunzip|gzip|ip|journalctl|kill|kubectl|ls|networkctl|npm|packer|preview|" +
    "pulumi|qemu-img:|qm|rehearse:|route|skopeo|smartctl|sops|stat|sudo|systemctl|talosctl|value:|virsh|virt-install)(\\s|$)|files/\\S+: …|up, \\d)",
);

/** What other programs say, or the part of a quote that is theirs, and who says it. */
const SAID_BY_OTHERS: Record<string, string> = {
  "No Offer Received": "firmware",
  "TFTP timeout": "firmware",
  "Security Violation": "firmware",
  "Access Denied": "firmware",
  "sent /srv/tftp/snponly.efi": "dnsmasq",
  "sent snponly.efi to": "dnsmasq",
  "DHCPDISCOVER(isolated) … ignored": "dnsmasq",
  "command not found": "iPXE",
  "KSPP kernel parameter … is required": "Talos",
  "was found with value …": "Talos",
  "failed to runtime validate config": "Talos",
  "failed to validate config": "Talos",
  "task install … failed": "Talos",
  "certificate … is not yet valid": "Talos",
  "has expired": "Talos",
  "not registered": "Talos",
  "connection refused": "the network",
  "no route to host": "the network",
  "no stack named 'nuc1' found": "Pulumi",
  "incorrect passphrase": "Pulumi",
  "pending operations": "Pulumi",
  "violates plan": "Pulumi",
  "the stack is currently locked by 1 lock(s)": "Pulumi",
  'signal: killed: running "exec steps/run …"': "Pulumi",
  "No connection established": "Pulumi",
  "unexpected end of JSON input": "Pulumi",
  "Timeout waiting for SSH": "Packer",
  "(6) Could not resolve host": "curl",
  "(60) SSL certificate problem": "curl",
};

const quotes = DOCUMENTS.flatMap((path) => quotesIn(TOP, join(TOP, path))).filter(
  ({ text }) => !NO_MESSAGE.test(text),
);

test("every message that a document quotes is in the code", () => {
  const texts = textsOfProduct(TOP);
  const missing = quotes.flatMap(({ text, at }) =>
    unsaid(text, texts)
      .filter((part) => !(text in SAID_BY_OTHERS) && !(part in SAID_BY_OTHERS))
      .map((part) => `${at} quotes \`${text}\`, but no message in the code says "${part}"`),
  );
  expect(missing).toEqual([]);
  expect(quotes.length).toBeGreaterThan(150);
});

test("every message of another program is one that a document quotes", () => {
  const quoted = (words: string) => quotes.some(({ text }) => text.includes(words));
  expect(Object.keys(SAID_BY_OTHERS).filter((words) => !quoted(words))).toEqual([]);
});

describe("a quote is compared with the texts of the code", () => {
  const script = `
    // Only a comment says that the moon is full.
    throw new StepError(\`reading \${path}\`, \`its size is \${bytes} bytes, \${large ? "too many" : "too few"} for it\`, next);
    say("the disk " + (name ?? "of the machine") + " is full");`;
  const shell =
    'fail() { echo "$1 is not running (${result})"; } # the comment\nsay "the uplink has " \\\n  "no address"';
  const texts = [...textsIn("step.ts", script), ...textsIn("announce", shell)];

  test.each([
    "reading FILE: its size is 17 bytes, too many for it",
    "its size is … bytes, too few …",
    "the disk of the machine is full",
    "the disk … is full",
    "dnsmasq is not running (…)",
    "the uplink has no address",
  ])("%s", (quote) => {
    expect(unsaid(quote, texts)).toEqual([]);
  });

  test.each([
    ["the moon is full", "the moon is full"],
    ["reading FILE: its length is 17 bytes", "its length is 17 bytes"],
    ["writing FILE: its size is … bytes", "writing FILE"],
    ["its size is large bytes", "its size is large bytes"],
    ["the uplink has an address", "the uplink has an address"],
  ])("%s is not in it", (quote, part) => {
    expect(unsaid(quote, texts)).toEqual([part]);
  });
});
