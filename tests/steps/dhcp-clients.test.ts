import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkConfig } from "../../stack/config";
import { renderServiceFiles } from "../../stack/templates";
import { tool, TOP } from "../tools";
import { DNSMASQ, DNSMASQ_SERVES, MAC, onAppliance, ONE_HOST } from "./link-hosts";
import { testFolder } from "./run-step";

const folder = testFolder();

/** dnsmasq on the isolated link as the appliance has it, and a host that sends questions there in the mini-PC's name. */
const LINK = `${ONE_HOST}
nsenter -t $pc -n ip link set lo up; nsenter -t $pc -n ip address add 10.10.10.7/24 dev eth0
${DNSMASQ} --port=0 2>daemon.log & daemon=$!
${DNSMASQ_SERVES}
nsenter -t $pc -n node client.cjs
`;

/** Sends each question of questions.json and prints the answer to it, or null where none comes, as hex. */
const CLIENT = `
const questions = require("./questions.json");
const socket = require("node:dgram").createSocket("udp4");
const answers = questions.map(() => null);
socket.on("message", (answer) => (answers[answer.readUInt32BE(4)] ??= answer.toString("hex")));
socket.bind(68, async () => {
  socket.setBroadcast(true);
  for (const [index, question] of questions.entries()) {
    const end = Date.now() + (question.waitMs ?? 60_000);
    socket.send(Buffer.from(question.hex, "hex"), 67, "10.10.10.255");
    while (!answers[index] && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  console.log(JSON.stringify(answers));
  process.exit();
});
`;

const option = (code: number, value: Buffer) => Buffer.concat([Buffer.from([code, value.length]), value]);
const text = (code: number, value: string) => option(code, Buffer.from(value));
const architectures = (...numbers: number[]) =>
  option(93, Buffer.from(numbers.flatMap((number) => [number >> 8, number & 255])));

const [DISCOVER, DECLINE, INFORM] = [1, 4, 8];

/** A question of the pinned MAC (RFC 2131); `index` is its transaction's number. */
function question(index: number, type: number, options: Buffer[]): Buffer {
  const message = Buffer.alloc(240);
  message.set([1, 1, 6, 0]);
  message.writeUInt32BE(index, 4);
  // Answers are broadcast.
  message.writeUInt16BE(0x8000, 10);
  message.set(Buffer.from(MAC.replaceAll(":", ""), "hex"), 28);
  message.writeUInt32BE(0x63825363, 236);
  const asked = option(55, Buffer.from([1, 3, 6, 42, 43, 60, 66, 67]));
  return Buffer.concat([message, option(53, Buffer.from([type])), asked, ...options, Buffer.from([255])]);
}

function optionsOf(answer: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 240; at < answer.length && answer[at] !== 255;) {
    const [code = 0, length = 0] = [answer[at], answer[at + 1]];
    if (code !== 0) found.set(code, answer.subarray(at + 2, at + 2 + length));
    at += code === 0 ? 1 : 2 + length;
  }
  return found;
}

const words = (bytes: Buffer | undefined) => bytes?.toString("latin1").replace(/\0.*$/s, "") || undefined;

/** Asks each question; what is answered, what dnsmasq says, and what the console says of that. */
async function ask(questions: { hex: string; waitMs?: number }[]) {
  const config = checkConfig({ bootstrapVersion: "x", minipcMac: MAC }, "lab");
  writeFileSync(join(folder, "dnsmasq.conf"), renderServiceFiles(config)["dnsmasq.conf"]);
  writeFileSync(join(folder, "questions.json"), JSON.stringify(questions));
  writeFileSync(join(folder, "client.cjs"), CLIENT);
  const ended = await onAppliance(folder, LINK);
  expect(ended).toMatchObject({ exitCode: 0, stderr: "" });
  const answers = (JSON.parse(ended.stdout) as (string | null)[]).map(
    (hex) => hex && Buffer.from(hex, "hex"),
  );
  const journal = await tool("sed", ["s/^/1795460464.1 dnsmasq[9]: /", join(folder, "daemon.log")]);
  const events = join(TOP, "packer/appliance/events.awk");
  const console = await tool("busybox", ["awk", "-v", "own=10.10.10.2", "-f", events], journal);
  return { answers, console: console.split("\n").map((line) => line.replace(/^\d+ /, "")) };
}

const URL = "http://10.10.10.2/snponly.efi";
const SCRIPT = "http://10.10.10.2/boot.ipxe";
const RETRIES = `${"autoboot || sleep 5 && ".repeat(5)}autoboot || reboot`;
const IPXE = option(175, Buffer.from([0x13, 1, 1]));

interface Client {
  options: Buffer[];
  file?: string;
  /** Has iPXE try again, once it is loaded. */
  retries?: true;
  /** Why the console says that there is no file. */
  named?: string;
}

/** Who asks, by options 60, 93, 77 and 175, and what it is told. */
const CLIENTS: Record<string, Client> = {
  BIOS: {
    options: [architectures(0), text(60, "PXEClient:Arch:00000:UNDI:002001")],
    file: "undionly.kpxe",
    retries: true,
  },
  "UEFI x64": {
    options: [architectures(7), text(60, "PXEClient:Arch:00007:UNDI:003016")],
    file: "snponly.efi",
    retries: true,
  },
  "UEFI x64 as the number that was EBC's": {
    options: [architectures(9), text(60, "PXEClient:Arch:00009:UNDI:003016")],
    file: "snponly.efi",
    retries: true,
  },
  "a list of architectures, the fitting one second": {
    options: [architectures(6, 7), text(60, "PXEClient")],
    file: "snponly.efi",
    retries: true,
  },
  "BIOS without option 93": {
    options: [text(60, "PXEClient:Arch:00000:UNDI:002001")],
    file: "undionly.kpxe",
    retries: true,
  },
  "UEFI x64 without option 93": {
    options: [text(60, "PXEClient:Arch:00007:UNDI:003000")],
    file: "snponly.efi",
    retries: true,
  },
  "UEFI x64 without option 60": { options: [architectures(7)], file: "snponly.efi", retries: true },
  "UEFI x64 in no more than 576 bytes": {
    options: [
      architectures(7),
      text(60, "PXEClient:Arch:00007:UNDI:003000"),
      option(57, Buffer.from([2, 64])),
    ],
    file: "snponly.efi",
    retries: true,
  },
  "UEFI x64 by HTTP": {
    options: [architectures(16), text(60, "HTTPClient:Arch:00016:UNDI:003001")],
    file: URL,
  },
  "HTTPClient that calls itself architecture 7": {
    options: [architectures(7), text(60, "HTTPClient:Arch:00007:UNDI:003001")],
    file: URL,
  },
  "HTTPClient without option 93": { options: [text(60, "HTTPClient:Arch:00016:UNDI:003001")], file: URL },
  "iPXE of a NIC's ROM": {
    options: [architectures(7), text(60, "PXEClient:Arch:00007:UNDI:003010"), text(77, "iPXE"), IPXE],
    file: SCRIPT,
  },
  "iPXE by its user class alone": {
    options: [architectures(0), text(60, "PXEClient:Arch:00000:UNDI:002001"), text(77, "iPXE")],
    file: SCRIPT,
  },
  "an operating system": { options: [] },
  "UEFI of 32 bits": {
    options: [architectures(6), text(60, "PXEClient:Arch:00006:UNDI:003016")],
    named: "PXEClient:Arch:00006:UNDI:003016",
  },
  "architecture 8, whose vendor class does not tell it": {
    options: [architectures(8), text(60, "PXEClient")],
    named: "PXEClient, client architecture 8",
  },
  "UEFI on Arm by HTTP": {
    options: [architectures(19), text(60, "HTTPClient")],
    named: "HTTPClient, client architecture 19",
  },
  "a firmware that does not tell its architecture": {
    options: [text(60, "PXEClient")],
    named: "PXEClient, whose client architecture is unknown",
  },
};

test("each kind of firmware is told of its file, and the console names those that have none", async () => {
  const clients = Object.entries(CLIENTS);
  const { answers, console } = await ask(
    clients.map(([, { options }], index) => ({ hex: question(index, DISCOVER, options).toString("hex") })),
  );
  const told = clients.map(([name], index) => {
    const answer = answers[index];
    const options = answer ? optionsOf(answer) : undefined;
    return {
      ...{ name, address: answer && answer.subarray(16, 20).join(".") },
      file: answer ? (words(options?.get(67)) ?? words(answer.subarray(108, 236))) : undefined,
      // Without its own head (RFC 2132, section 8.4), and the mark of its end.
      scriptlet: words(options?.get(175)?.subarray(2, -1)),
      network: [1, 6, 42].filter((code) => options?.has(code)),
    };
  });
  expect(told).toEqual(
    clients.map(([name, { file, retries }]) => ({
      ...{ name, file, address: "10.10.10.100", network: [1, 6, 42] },
      scriptlet: retries && RETRIES,
    })),
  );
  const offers = console.filter((line) => line.startsWith("dhcp: offer "));
  expect(offers).toEqual(
    clients.map(([, { file, named }]) => {
      const what = file ? `: ${file}` : named ? `: no boot file for ${named}` : "";
      return `dhcp: offer 10.10.10.100 to ${MAC}${what}`;
    }),
  );
});

test("a lease that the mini-PC declines, since somebody has the address, is replaced by no other address", async () => {
  const lease = [option(50, Buffer.from([10, 10, 10, 100])), option(54, Buffer.from([10, 10, 10, 2]))];
  const inform = question(3, INFORM, []);
  inform.set([10, 10, 10, 7], 12);
  const { answers, console } = await ask([
    { hex: question(0, DISCOVER, []).toString("hex") },
    { hex: question(1, DECLINE, lease).toString("hex"), waitMs: 0 },
    { hex: question(2, DISCOVER, []).toString("hex"), waitMs: 0 },
    // Whoever has an address is answered, after all that was asked before.
    { hex: inform.toString("hex") },
  ]);
  expect(answers.slice(0, 3).map((answer) => answer && answer.subarray(16, 20).join("."))).toEqual([
    "10.10.10.100",
    null,
    null,
  ]);
  expect(answers[3]).not.toBeNull();
  expect(console).toContain(`dhcp: decline 10.10.10.100 from ${MAC}`);
});
