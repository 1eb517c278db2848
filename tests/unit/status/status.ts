import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { tool, TOP } from "../../tools";

const APPLIANCE = join(TOP, "packer/appliance");
/** The awk programs in the order in which `show-status` names them. */
const PARTS = [
  ...readFileSync(join(APPLIANCE, "show-status"), "utf8").matchAll(/-f "\$lib\/(status\/\w+\.awk)"/g),
].map(([, path]) => path as string);

/** What a boot by UEFI firmware leaves in the journal, and what it is for `show-status`. */
export const MAC = "52:54:00:12:34:56";
export const IP = "10.10.10.100";

/** How things are when all is well, as `announce` and the site say it. */
export const GOOD = {
  bootstrap_version: "2025-12-17",
  talos_version: "v1.11.6",
  uplink: "true",
  appliance_ip: "10.10.10.2",
  minipc_mac: MAC,
  minipc_ip: IP,
  isolated_mac: "02:11:32:00:00:01",
  isolated_cidr: "10.10.10.2/24",
  isolated_link: "up",
  uplink_mac: "02:11:32:00:00:02",
  uplink_cidr: "192.168.1.7/24",
  uplink_link: "up",
  uplink_answered: "dhcp",
  router: "192.168.1.1",
  router_answers: "yes",
  resolvers: "192.168.1.1",
  resolvers_answer: "yes",
  clock: "synchronised",
  clock_source: "162.159.200.1",
  verdict: `serving ${MAC} -> ${IP} on isolated (02:11:32:00:00:01), Talos v1.11.6, version 2025-12-17`,
};

const LEVELS = z.enum(["good", "wait", "attention", "fault"]);
const TIME = z.string().regex(/^\d\d:\d\d:\d\d$/);
const SECOND = z.number().int();

/** The feed, as docs/design.md describes it. */
const FEED = z.strictObject({
  at: SECOND,
  time: z.string().regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/),
  version: z.string(),
  talosVersion: z.string(),
  diagnosis: z.strictObject({ level: LEVELS, text: z.string().min(1) }),
  rows: z.array(z.strictObject({ name: z.string(), value: z.string(), level: LEVELS })),
  boot: z.strictObject({
    number: z.number().int().nonnegative(),
    title: z.string(),
    steps: z.array(
      z.strictObject({
        name: z.string(),
        title: z.string(),
        state: z.enum(["done", "next", "skipped", "unseen", "awaited"]),
        at: SECOND.optional(),
        time: TIME.optional(),
        afterS: z.number().int().nonnegative().optional(),
      }),
    ),
  }),
  events: z.array(z.strictObject({ at: SECOND, time: TIME, text: z.string() })).max(12),
});

export type Feed = z.infer<typeof FEED>;
type Known = Partial<
  Record<
    | keyof typeof GOOD
    | "answers-50000"
    | "answers-6443"
    | "internet"
    | "offline"
    | "foreign_dhcp"
    | "foreign_gateway"
    | "operator_networks"
    | "route_linux"
    | "route_macos"
    | "route_windows",
    string
  >
>;

/** Shows something once, at a second. @param lines facts and events, with their seconds */
async function shown(as: string, lines: string[], known: Known, second: number): Promise<string> {
  const is = Object.entries({ ...GOOD, ...known }).map(([name, value]) => `is ${name} ${value}`);
  const flags = ["-v", `as=${as}`, ...PARTS.flatMap((part) => ["-f", join(APPLIANCE, part)])];
  return tool(
    "env",
    ["TZ=UTC0", "busybox", "awk", ...flags],
    [...is, ...lines, `tick ${second}`, ""].join("\n"),
  );
}

export const NOW = 1_795_460_490;

export const feedOf = async (lines: string[], known: Known = {}, second = NOW): Promise<Feed> =>
  FEED.parse(JSON.parse(await shown("feed", lines, known, second)));

export const pageOf = (lines: string[], known: Known = {}, second = NOW) =>
  shown("page", lines, known, second);

/** The lines of the screen as a terminal shows them; fails on what moves the cursor otherwise. */
export async function screenOf(lines: string[], known: Known = {}, second = NOW): Promise<string[]> {
  const drawn = (await shown("screen", lines, known, second)).replaceAll("\u001b", "~");
  const screen: string[] = [];
  const body = drawn.replace(/^~\[\?25l/, "").replace(/~\[J$/, "");
  for (const part of body.split(/(?=~\[\d+;1H)/)) {
    const [, line, text] = /^~\[(\d+);1H(.*)~\[K$/.exec(part) ?? [];
    expect({ part, line }).toMatchObject({ line: expect.stringMatching(/^\d+$/) as string });
    const plain = (text as string).replace(/~\[[\d;]*m/g, "");
    expect(plain).not.toContain("~");
    screen[Number(line) - 1] = plain;
  }
  return screen;
}

/** What `show-status` has of a journal. */
export async function linesOf(journal: string): Promise<string[]> {
  const flags = ["-v", "own=10.10.10.2", "-v", "as=both", "-f", join(APPLIANCE, "events.awk")];
  return (await tool("busybox", ["awk", ...flags], journal)).split("\n");
}

/** Facts of a boot by UEFI firmware, three seconds apart, up to a step. @param from second of the first */
export function bootFacts(upTo: string, from = NOW - 60): string[] {
  const facts: [step: string, fact: string][] = [
    ["firmware", `offer snponly.efi ${MAC}`],
    ["program", `tftp snponly.efi ${IP}`],
    ["ipxe", `ack boot.ipxe ${MAC}`],
    ["script", `http /boot.ipxe 200 ${IP}`],
    ["kernel", `http /talos/v1.11.6/vmlinuz 200 ${IP}`],
    ["initramfs", `http /talos/v1.11.6/initramfs.xz 200 ${IP}`],
    ["system", `ack - ${MAC}`],
    ["config", `http /configs/minipc.yaml 200 ${IP}`],
  ];
  const last = facts.findIndex(([step]) => step === upTo);
  return [`${from} fact asks ${MAC}`].concat(
    facts.slice(0, last + 1).map(([, fact], index) => `${from + 3 * index} fact ${fact}`),
  );
}
