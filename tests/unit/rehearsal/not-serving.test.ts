import { readFileSync } from "node:fs";
import { join } from "node:path";
import { NOT_SERVING } from "../../../rehearsal/chain/appliance";

const textOf = (name: string) => readFileSync(join(__dirname, "../../../packer/appliance", name), "utf8");

/** The body of a shell function. */
const bodyOf = (text: string, name: string) =>
  new RegExp(`^${name}\\(\\) \\{\\n([^]*?)^\\}`, "m").exec(text)![1]!;

/** What is said in double quotes after a word, with something in the place of what the shell puts in. */
function saidAfter(word: string, text: string): string[] {
  const quoted = new RegExp(`\\b${word}"((?:\\$\\((?:[^()]|\\([^()]*\\))*\\)|[^"])+)"`, "g");
  return [...text.matchAll(quoted)].map(([, said]) =>
    said!.replace(/\$\((?:[^()]|\([^()]*\))*\)|\$\{[^}]*\}|\$\w+/g, "X"),
  );
}

const reasons = [
  ...saidAfter("fail ", textOf("apply")).filter((said) => said !== "X"),
  ...["site", "netboot", "images"].flatMap((layer) =>
    saidAfter("fail ", bodyOf(textOf("apply"), "fail_without")).map((said) => said.replaceAll("X", layer)),
  ),
  ...saidAfter("echo ", bodyOf(textOf("missing"), "missing"))
    .map((said) => said.replace(/^!/, ""))
    .filter((said) => !/^X+$/.test(said)),
  ...["dnsmasq", "nginx", "chrony", "bootstrap-registry"].flatMap((service) => [
    `${service} is not running (failed)`,
    `${service} had to be restarted`,
  ]),
  ...["/boot.ipxe", "/talos/v1.11.6/vmlinuz", ":5000/v2/"].map(
    (path) => `http://10.10.10.2${path} is not served`,
  ),
  ...saidAfter("echo ", bodyOf(textOf("verdict"), "verdict"))
    .filter((said) => said.startsWith("NOT serving: ") && !/: X$/.test(said))
    .map((said) => said.replace("NOT serving: ", "")),
  ...saidAfter("echo ", bodyOf(textOf("verdict"), "conflict")),
];

test.each(reasons)(
  "where the appliance serves nothing since '%s', a rehearsal names a place to look",
  (reason) => {
    expect(NOT_SERVING.filter(([says]) => says.test(reason))).not.toEqual([]);
  },
);

test("no place to look is for words that the appliance does not say", () => {
  const unsaid = NOT_SERVING.filter(([says]) => !reasons.some((reason) => says.test(reason)));
  expect(unsaid.map(([says]) => says.source)).toEqual([]);
});
